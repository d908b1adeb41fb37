"""Mappings that were used, kept with their source by the shape of the file, and offered for the next file like it."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cxr_core.atomic import write_text
from cxr_core.errors import Choice, UndecidedError
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.mapping import NOTHING_SAID
from cxr_core.sources.importing.text_table import TextTable

FOLDER = "mappings"


def mapping_file(folder: Path, tables: Sequence[TextTable]) -> Path:
    """Return where the mapping for files with these columns lies in a source's folder; it need not exist."""
    shape = "\n".join(sorted({name for table in tables for name in table.columns}))
    return folder / FOLDER / f"{hashlib.sha256(shape.encode()).hexdigest()[:12]}.toml"


def keep_mapping(folder: Path, tables: Sequence[TextTable], choices: ImportChoices) -> None:
    """Keep what was said of files that were imported, when something was."""
    layout = None if choices.layout == "auto" else choices.layout
    said = replace(choices.mapping, layout=layout, dataset=choices.dataset, view=choices.view)
    if said != NOTHING_SAID:
        words = f"# Used for {', '.join(table.name for table in tables)}.\n"
        write_text(mapping_file(folder, tables), words + said.as_toml())


def with_offer(question: UndecidedError, folder: Path, tables: Sequence[TextTable]) -> UndecidedError:
    """Return a question with the mapping as a further choice that was used for the last files of this shape."""
    file = mapping_file(folder, tables)
    if not file.is_file():
        return question
    offer = Choice("as the last file with these columns", f"--mapping {file}", {"mapping": str(file)})
    return UndecidedError(question.topic, question.question, [offer, *question.choices])
