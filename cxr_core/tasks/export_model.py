"""A model in one ZIP file for others: its weights, what is known of it, and the cards that say where it is cut."""

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import cxr_core
from cxr_core.atomic import write_bytes
from cxr_core.errors import ExistsError, UsageError
from cxr_core.journal import note_deed
from cxr_core.sources.registry import ready_source
from cxr_core.sources.source import Source
from cxr_core.tasks.card_choice import cards_of
from cxr_core.tasks.named_model import is_path, weights_of
from cxr_core.tasks.threshold_cards import card_file
from cxr_core.training.weights_file import read_info

#: The same files make the same archive.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ExportedModel:
    """What was written: of which model, into which file, its weights by name and digest, and its cards."""

    model: str
    file: str
    weights: str
    sha256: str
    cards: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return what `export model --json` prints."""
        return asdict(self)


def export_model(source_name: str, model: str, to: str, replace: bool = False) -> ExportedModel:
    """Write a model with its cards into a ZIP file.

    Raises:
        UnknownNameError: there is no such source, or no model of that name with weights.
        UsageError: the file is none that ends in .zip, or `model` is a file rather than a name.
        ExistsError: the file exists.
        ModelFileError, TableError: the weights or a card are damaged.
        CxrError: the disk is full, or the file may not be written.
    """
    file = Path(to).absolute()
    if file.suffix != ".zip" or file.is_dir():
        raise UsageError(f"A model is written into one file that ends in .zip. Received: {to!r:.200}.")
    content, done = _archive(ready_source(source_name), model, str(file))
    if file.exists() and not replace:
        raise ExistsError(f"{file} is there already. Name another file, or use --replace.")
    write_bytes(file, content)
    note_deed("model exported", source=source_name, model=model, cards=list(done.cards))
    return done


def model_archive(source_name: str, model: str) -> bytes:
    """Return the ZIP file that `export_model` writes; raises as it does of source, model and cards."""
    return _archive(ready_source(source_name), model, "")[0]


def _archive(source: Source, model: str, file: str) -> tuple[bytes, ExportedModel]:
    if is_path(model):
        raise UsageError(f"A model of the source is exported, by its name. Received: {model!r:.200}.")
    path = weights_of(source, model)
    weights, info, cards = path.read_bytes(), read_info(path), cards_of(source.name, model)
    done = ExportedModel(model, file, f"{model}{path.suffix}", hashlib.sha256(weights).hexdigest(), tuple(cards))
    about = {"model": model, "source": source.name, "weights": done.weights, "sha256": done.sha256, "cards": cards}
    told = json.dumps(about | {"version": cxr_core.__version__, "network": asdict(info)}, indent=1) + "\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        _add(archive, f"{model}/{done.weights}", weights)
        _add(archive, f"{model}/model.json", told.encode())
        for card in cards:
            _add(archive, f"{model}/thresholds/{card}.json", card_file(source.name, card).read_bytes())
    return content.getvalue(), done


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
