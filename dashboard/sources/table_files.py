"""Tables that the user uploads, or names by their path on this machine."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cxr_core.tasks.allowed_places import check_input
from cxr_core.tasks.import_labels import TABLE_ENDINGS
from cxr_core.tasks.named_model import absolute
from cxr_core.tasks.uploads import File, placed

#: What a browser may offer for choice; `.csv.gz` ends like `.gz` there.
_UPLOAD_TYPES = sorted({ending.rpartition(".")[2] for ending in TABLE_ENDINGS})


@dataclass(frozen=True)
class TableFiles:
    """Files by their path on this machine, or uploaded as (name, content)."""

    files: tuple[File, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the files are called, with their folders where these are known."""
        return tuple(str(file) if isinstance(file, Path) else file[0] for file in self.files)

    @contextmanager
    def opened(self) -> Iterator[list[Path]]:
        """Yield the paths of the files; uploaded ones lie in a folder of their own, which goes afterwards."""
        with tempfile.TemporaryDirectory(prefix="cxr-upload-") as folder:
            yield placed(self.files, Path(folder))


def given_files(kind: str, several: bool, help_text: str) -> TableFiles | None:
    """Show an upload and a path to choose from, and return what was given, None when nothing was."""
    uploaded = st.file_uploader(
        f"File of {kind}",
        type=_UPLOAD_TYPES,
        accept_multiple_files=several,
        key=f"import-{kind}-upload",
        help=f"{help_text} CSV (also .gz), Parquet or NumPy .npz.",
    )
    named = st.text_input(
        "… or where it lies on this machine",
        key=f"import-{kind}-path",
        placeholder="/data/train.csv",
        help="For large tables. Several paths are separated by blanks.",
    )
    uploads = uploaded if isinstance(uploaded, list) else [uploaded] if uploaded else []
    if uploads:
        return TableFiles(tuple((upload.name, upload.getvalue()) for upload in uploads))
    paths = tuple(_readable(text) for text in named.split())
    return TableFiles(paths) if paths else None


def _readable(text: str) -> Path:
    place = absolute(text)
    check_input("table", place)
    return Path(place)
