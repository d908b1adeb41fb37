"""A model of a source in a form that other programs read: ONNX with its card, or a SavedModel."""

import io
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from cxr_core.atomic import disk_errors, write_bytes
from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.journal import note_deed
from cxr_core.models.export_forms import FORMS, ONNX, card_of, need_onnx, write_form
from cxr_core.models.onnx_card import card_beside
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.named_model import is_path, weights_of
from cxr_core.training.weights_file import read_info

#: The forms, as the command line calls them.
NETWORK_FORMS = FORMS
#: What a SavedModel always has.
_SAVED = "saved_model.pb"


@dataclass(frozen=True)
class ExportedNetwork:
    """What was written: of which model, in which form, where, and the files by their names."""

    model: str
    form: str
    to: str
    files: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return what `export onnx --json` prints."""
        return asdict(self)


def export_network(source: str, model: str, form: str, to: str, replace: bool = False) -> ExportedNetwork:
    """Write a model as `FILE.onnx` with its card `FILE.toml`, or as the folder of a SavedModel.

    Raises:
        UnknownNameError: there is no such source or form, or no model of that name with weights.
        UsageError: the packages for ONNX are not installed, or `to` is no place for that form.
        ExistsError: something is there already.
        ModelFileError: the weights are damaged, or the network has a layer that the form does not know.
        CxrError: the disk is full, or nothing may be written there.
    """
    _check_form(form)
    place = Path(to).absolute()
    if not to or (form == ONNX) != (place.suffix == ".onnx") or (form == ONNX and place.is_dir()):
        what = "a file that ends in .onnx" if form == ONNX else "a folder"
        raise UsageError(f"{form} is written into {what}. Received: {to!r:.200}.")
    _check_free(place, form, replace)
    with tempfile.TemporaryDirectory() as folder:
        made = _made(source, model, form, Path(folder), place.name)
        if form == ONNX:
            for file in made:
                write_bytes(place.with_name(file.name), file.read_bytes())
        else:
            _put(Path(folder) / place.name, place)
        names = tuple(str(file.relative_to(folder)) for file in made)
    note_deed("model exported", source=source, model=model, form=form)
    return ExportedNetwork(model, form, str(place), names)


def network_archive(source: str, model: str, form: str) -> bytes:
    """Return a ZIP file of what `export_network` writes; raises as it does of source, model and form."""
    _check_form(form)
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        made = _made(source, model, form, Path(folder), f"{model}.onnx" if form == ONNX else model)
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in made:
                archive.write(file, file.relative_to(folder))
    return content.getvalue()


def _check_form(form: str) -> None:
    if form not in FORMS:
        raise UnknownNameError("form of export", form, FORMS)
    if form == ONNX:
        need_onnx()


def _check_free(place: Path, form: str, replace: bool) -> None:
    """Raise `ExistsError` unless a form may be written at a place."""
    there = [path for path in ((place, card_beside(place)) if form == ONNX else (place,)) if path.exists()]
    if there and not replace:
        raise ExistsError(f"{there[0]} is there already. Name another place, or use --replace.")
    if there and form != ONNX and not (place / _SAVED).is_file():
        raise ExistsError(f"{place} is no SavedModel, so it is not replaced. Name another place.")


def _made(source: str, model: str, form: str, folder: Path, name: str) -> list[Path]:
    """Write a model into an empty folder, under a name, and return the files."""
    if is_path(model):
        raise UsageError(f"A model of the source is exported, by its name. Received: {model!r:.200}.")
    weights = weights_of(ready_source(source), model)
    info = read_info(weights)
    write_form(weights, form, folder / name)
    if form == ONNX:
        card_beside(folder / name).write_text(card_of(info).as_toml())
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _put(made: Path, place: Path) -> None:
    """Move a folder to its place in one step, and what was there out of its way."""
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as beside:
            shutil.move(made, Path(beside) / "new")
            if place.exists():
                place.rename(Path(beside) / "old")
            (Path(beside) / "new").rename(place)
