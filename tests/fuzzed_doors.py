"""Doors by which something of others comes in, each with inputs that Hypothesis makes: what comes must be an answer or
a sentence, and nothing may be written outside of the workspace.
"""

import contextlib
import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pandas as pd
from hypothesis import strategies as st
from onnx_files import XRV_CARD, xrv_model
from PIL import Image

from cxr_core.cli import main
from cxr_core.errors import CxrError
from cxr_core.models.onnx_card import read_card
from cxr_core.models.onnx_check import checked_model
from cxr_core.models.onnx_process import check_onnx
from cxr_core.policy_files import policy_from_file
from cxr_core.records.example import Record, encode
from cxr_core.records.layout import check_records, equalised, stated_labels
from cxr_core.records.tfrecord import header_of, masked_crc, write_records
from cxr_core.schema import LABELS
from cxr_core.settings import configured_places, configured_sources, settings, who_may_see
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.image_files import image_files, read_image
from cxr_core.sources.importing.mapping import parse_mapping
from cxr_core.sources.importing.pictures import record_jpeg
from cxr_core.sources.registry import get_source, source_names
from cxr_core.tasks.backup import back_up, restore
from cxr_core.tasks.import_groups import import_groups
from cxr_core.tasks.import_labels import import_labels
from cxr_core.tasks.import_predictions import import_predictions
from cxr_core.tasks.import_readings import import_readings
from cxr_core.training.weights_file import ModelInfo, read_info, read_weights, write_layers

SHAPES = [[(3, 3, 1, 2)], [(2,), (2,)]]
ROWS = 6


@dataclass(frozen=True)
class Door:
    """`inputs` are what comes, and `tried` lets one of them in: it is given a folder to put files into."""

    name: str
    inputs: st.SearchStrategy[Any]
    tried: Callable[[Path, Any], object]


def attempt(door: Door, value: Any) -> str:
    """Let an input in, in a workspace of its own; return "answer", or the sentence that was said.

    Raises what is neither: any other exception, and `AssertionError` for a file outside of the workspace.
    """
    base = Path(tempfile.mkdtemp(prefix="fuzzed-"))
    try:
        given = base / "given"
        given.mkdir()
        (base / "beside").write_text("untouched")
        with _at_home(base):
            try:
                door.tried(given, value)
                said = "answer"
            except CxrError as error:
                said = str(error).replace(f"{base}/", "")
        assert "Traceback" not in said
        assert {path.name for path in base.iterdir()} <= {"given", "beside", "workspace", "cxr.toml"}, "written outside"
        assert (base / "beside").read_text() == "untouched"
        return said
    finally:
        shutil.rmtree(base)


@contextlib.contextmanager
def _at_home(base: Path) -> Iterator[None]:
    before, folder = dict(os.environ), Path.cwd()
    for name in [name for name in os.environ if name.startswith("CXR_")]:
        del os.environ[name]
    os.environ["CXR_HOME"] = str(base / "workspace")
    os.chdir(base)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


@st.composite
def changed(draw: st.DrawFn, bases: Callable[[], list[bytes]]) -> bytes:
    """A whole file with a few changes: bytes flipped, set, left out, doubled, or cut off."""
    content = bytearray(draw(st.sampled_from(bases())))
    for _ in range(draw(st.integers(0, 4))):
        if not content:
            break
        place = draw(st.integers(0, len(content) - 1))
        length = draw(st.integers(1, 40))
        match draw(st.sampled_from(["flip", "set", "number", "leave", "double", "cut", "other"])):
            case "flip":
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "set":
                content[place : place + length] = bytes([draw(st.sampled_from([0, 0xFF, 0x7F, 0x80]))]) * length
            case "number":
                content[place : place + 8] = draw(st.sampled_from([2**63 - 1, 2**31, 2**64 - 1, 0])).to_bytes(
                    8, "little"
                )
            case "leave":
                del content[place : place + length]
            case "double":
                content[place:place] = content[place : place + length] * draw(st.integers(1, 3))
            case "cut":
                del content[place:]
            case "other":
                content[place:place] = draw(st.binary(max_size=40))
    return bytes(content)


def frame() -> pd.DataFrame:
    keys = {"path": [f"train/p{n}/s01/view1_frontal.jpg" for n in range(ROWS)], "patient": range(ROWS), "study": 1}
    labels = {label: [(n + place) % 4 for n in range(ROWS)] for place, label in enumerate(LABELS)}
    return pd.DataFrame(keys | {"image": 1, "view": 0, "dataset": 0} | labels)


@cache
def tables() -> list[bytes]:
    """Tables as text: labels in our words, in those of CheXpert, predictions, groups; as they are, and packed."""
    own = frame()
    chexpert = pd.DataFrame(
        {"Path": own["path"], "Sex": "Male", "Age": 50, "Frontal/Lateral": "Frontal", "AP/PA": "AP"}
    )
    chexpert = chexpert.assign(**{"Edema": [1.0, 0.0, -1.0, None, 1.0, 0.0], "Fracture": 1.0})
    scores = own[["path"]].assign(edema=np.linspace(-2, 2, ROWS), fracture=0.5)
    texts = [table.to_csv(index=False).encode() for table in (own, chexpert, scores, own[["patient"]].assign(sex="F"))]
    return [*texts, texts[1].replace(b",", b";"), texts[1].decode().encode("utf-16"), b"", b"path\n"]


@cache
def parquets() -> list[bytes]:
    found = []
    for table in (frame(), frame()[["path"]].assign(edema=0.5), pd.DataFrame()):
        out = io.BytesIO()
        table.to_parquet(out)
        found.append(out.getvalue())
    return found


@cache
def archives() -> list[bytes]:
    zipped, taped, csv = io.BytesIO(), io.BytesIO(), tables()[1]
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", csv)
    climbing = io.BytesIO()
    with zipfile.ZipFile(climbing, "w") as archive:
        archive.writestr("../beside", csv)
    with tarfile.open(fileobj=taped, mode="w") as tape:
        for name in ("a.jpg", "../beside", "/etc/evil.jpg"):
            member = tarfile.TarInfo(name)
            member.size = len(pictures()[0])
            tape.addfile(member, io.BytesIO(pictures()[0]))
    book = io.BytesIO()
    npz = io.BytesIO()
    np.savez(npz, path=frame()["path"].to_numpy(str), edema=np.ones(ROWS))
    return [
        zipped.getvalue(),
        climbing.getvalue(),
        gzip.compress(csv),
        taped.getvalue(),
        npz.getvalue(),
        book.getvalue(),
    ]


@cache
def pictures() -> list[bytes]:
    grey = Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 20), "uint8"))
    found = []
    for picture in (grey, grey.convert("RGB"), grey.convert("1"), grey.convert("I;16"), grey.convert("P")):
        for form in ("JPEG", "PNG", "TIFF", "BMP", "GIF"):
            out = io.BytesIO()
            with contextlib.suppress(OSError):
                picture.save(out, form)
                found.append(out.getvalue())
    return [*found, dicom(grey)]


def dicom(grey: Image.Image) -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID = SecondaryCaptureImageStorage
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID = "1.2.3"
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.Rows, film.Columns, film.SamplesPerPixel, film.PixelRepresentation = grey.height, grey.width, 1, 0
    film.BitsAllocated = film.BitsStored = 8
    film.HighBit, film.PhotometricInterpretation, film.PixelData = 7, "MONOCHROME2", grey.tobytes()
    out = io.BytesIO()
    film.save_as(out, enforce_file_format=True)
    return out.getvalue()


@cache
def models() -> list[bytes]:
    found, random_ = [], np.random.default_rng(2)
    for dtype in ("float32", "float16"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.h5"
            layers = [
                ("conv", [("k:0", random_.normal(size=SHAPES[0][0]))]),
                ("bn", [("g:0", np.ones(2)), ("b:0", np.ones(2))]),
            ]
            write_layers(layers, path, ModelInfo("densenet-small", 96, "frontal", None), dtype)
            found.append(path.read_bytes())
            with h5py.File(path, "a") as file:
                del file.attrs["cxr_digest"]
            found.append(path.read_bytes())
    return found


@cache
def networks() -> list[bytes]:
    """ONNX files: plain ones, one with its weights elsewhere, one with a graph within its graph."""
    elsewhere, branched = xrv_model(), xrv_model()
    onnx.external_data_helper.set_external_data(elsewhere.graph.initializer[0], "../beside")
    elsewhere.graph.initializer[0].ClearField("raw_data")
    elsewhere.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    branched.graph.node[0].attribute.append(onnx.helper.make_attribute("within", branched.graph))
    return [
        model.SerializeToString() for model in (xrv_model(), xrv_model(shape=(2, 1, 224, 224)), elsewhere, branched)
    ]


@cache
def records() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        keys = {"patient": 1, "study": 1, "image": 1, "view": 0, "dataset": 0}
        labels = dict.fromkeys(LABELS, 3)
        write_records(path, [encode(Record(square(), labels, keys, f"p{n}.jpg")) for n in range(2)])
        whole = path.read_bytes()
    return [whole, gzip.compress(whole), header_of(2**62) + b"x" * 20, b""]


def square() -> bytes:
    return record_jpeg(pictures()[0])


def policy_text() -> bytes:
    rows = [f"{label} = {{u = [0.55, 0.85], w = 1.0}}" for label in LABELS[1:]]
    return "\n".join([f"{LABELS[0]} = {{u = 0.5, w = 1}}", *rows]).encode()


@cache
def backups() -> list[bytes]:
    """A backup of a workspace with one imported source."""
    base = Path(tempfile.mkdtemp(prefix="fuzzed-"))
    with _at_home(base):
        import_labels("mine", [_file(base, tables()[0], "own.csv")], ImportChoices())
        back_up(base / "backup.tar")
        content = (base / "backup.tar").read_bytes()
    shutil.rmtree(base)
    return [content]


@st.composite
def sealed(draw: st.DrawFn) -> bytes:
    """Records whose checksums are right, and whose Example is not."""
    payload = draw(changed(lambda: [encode(Record(square(), {"edema": 3}, {"patient": 1}, "a.jpg"))]))
    return header_of(len(payload)) + payload + masked_crc(payload).to_bytes(4, "little")


def _file(folder: Path, content: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _import(folder: Path, given: tuple[bytes, str, str]) -> None:
    """Import a table as labels, or beside labels that are there as something else."""
    content, ending, what = given
    file = _file(folder, content, f"train{ending}")
    if what == "labels":
        import_labels("mine", [file], ImportChoices(dataset="train", view="frontal"))
        get_source("mine").warehouse().counts()
        return
    import_labels("mine", [_file(folder, tables()[0], "own.csv")], ImportChoices())
    if what == "predictions":
        import_predictions("mine", file, "net", "logit")
    elif what == "readings":
        import_readings("mine", [file], reader="Ada")
    else:
        import_groups("mine", file)


def _command(folder: Path, words: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        status = main(words)
    assert status in (0, 2), (status, words)
    assert "Traceback" not in said.getvalue()
    assert status == 0 or said.getvalue().count("\n") == 1, said.getvalue()


def _model(folder: Path, content: bytes) -> None:
    path = _file(folder, content, "densenet_frontal_u0_0__w0_0.h5")
    read_info(path)
    read_weights(path, SHAPES)


def _network(folder: Path, given: tuple[bytes, bytes]) -> None:
    """Read an ONNX file and its card here, so that any error is seen; what passes is run as it always is."""
    file, card_file = _file(folder, given[0], "net.onnx"), _file(folder, given[1], "net.toml")
    card = read_card(card_file)
    checked_model(file, card)
    check_onnx(file, card_file, card)


def _records(folder: Path, content: bytes) -> None:
    paths = [str(_file(folder, content, "frontal-0"))]
    check_records(paths, "frontal")
    stated_labels(paths)
    equalised(paths)


def _tape(folder: Path, content: bytes) -> None:
    tape = _file(folder, content, "images.tar")
    for image in image_files(tape):
        record_jpeg(read_image(tape, image))


def _settings(folder: Path, text: str) -> None:
    Path("cxr.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    settings()
    who_may_see()
    configured_places()
    configured_sources()
    for name in source_names():
        get_source(name)


def _policy(folder: Path, content: bytes) -> None:
    policy_from_file(_file(folder, content, "policy.toml"))


WORDS = st.text(max_size=40) | st.sampled_from(
    ["..", "../../etc", "/etc/passwd", "a" * 300, "-x", "--json", "~", "a\0b", "{x}", "*"]
)
CARD = XRV_CARD.encode()
EXAMPLE = (Path(__file__).parents[1] / "cxr.example.toml").read_text()
ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".csv.xz", ".zip", ".json", ".npz", ".xlsx", ".xls", ".ods")
KINDS = st.sampled_from(["labels", "predictions", "readings", "groups"])


@st.composite
def commands(draw: st.DrawFn) -> list[str]:
    begin = draw(
        st.sampled_from(
            [
                "evaluate",
                "models --source",
                "distribution --view",
                "runs show",
                "runs log",
                "compare",
                "show",
                "import labels",
                "gaps",
                "thresholds",
                "sources --json",
                "images --find",
                "export model",
                "report",
                "journal --since",
                "",
            ]
        )
    )
    return [*begin.split(), *draw(st.lists(WORDS, max_size=3))]


@st.composite
def toml(draw: st.DrawFn) -> str:
    lines = [
        "[who_may_see]",
        'demo = ["*"]',
        "[places.far]",
        'kind = "slurm"',
        "[sources.a]",
        'kind = "local"',
        'labels = "x.parquet"',
    ]
    base = EXAMPLE.encode() if draw(st.booleans()) else "\n".join(lines).encode()
    return draw(changed(lambda: [base])).decode(errors="replace")


DOORS = (
    Door("names", commands(), _command),
    Door("csv", st.tuples(changed(tables), st.sampled_from(ENDINGS[:3]), KINDS), _import),
    Door("parquet", st.tuples(changed(parquets), st.just(".parquet"), KINDS), _import),
    Door("archives", st.tuples(changed(archives), st.sampled_from(ENDINGS), KINDS), _import),
    Door("tapes", changed(lambda: archives()[3:4]), _tape),
    Door("images", changed(pictures), lambda folder, content: record_jpeg(content)),
    Door("models", changed(models), _model),
    Door("networks", st.tuples(changed(networks), st.just(CARD) | changed(lambda: [CARD])), _network),
    Door("records", changed(records) | sealed(), _records),
    Door("settings", toml(), _settings),
    Door("mappings", changed(lambda: [b'layout = "chexpert"\n[columns]\npath = "Path"\n[values]\nyes = "positive"\n']), lambda folder, content: parse_mapping(content, "m.toml")),
    Door("policies", changed(lambda: [policy_text()]), _policy),
    Door("backups", changed(backups), lambda folder, content: restore(_file(folder, content, "backup.tar"))),
)  # fmt: skip
