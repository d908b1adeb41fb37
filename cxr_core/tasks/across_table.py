"""The table of models across sources and judges as a paper has it: rows, CSV and LaTeX, and a file of either."""

from pathlib import Path

from cxr_core.atomic import write_bytes
from cxr_core.errors import ExistsError, UnknownNameError, UsageError, brief
from cxr_core.evaluation.grid import BEHIND, BEST, MEAN, Grid, GridCell
from cxr_core.evaluation.results import ALIKE
from cxr_core.locations import is_remote
from cxr_core.pack.table import FIGURE, Column, Table
from cxr_core.schema import label_words
from cxr_core.tasks.across_sources import AcrossSources, SourceColumn
from cxr_core.tasks.named_model import absolute
from cxr_core.words import counted

#: What a mark is called in a table.
MARK_WORDS = {BEST: "best", ALIKE: "not told from it", BEHIND: "below"}
FIGURE_WORDS = {"roc_auc": "AUC", "average_precision": "AP"}


def across_table(found: AcrossSources, label: str = MEAN) -> Table:
    """Return one row a model: in each column its figure on a label, with its interval and its mark.

    Raises:
        UnknownNameError: no column has the label.
    """
    if label not in found.labels:
        raise UnknownNameError("label of the models", label, found.labels)
    cells = [(column, column.cells(label)) for column in found.columns]
    rows: list[list[object]] = []
    for model in found.models:
        row: list[object] = [model]
        for column, of_models in cells:
            cell = of_models.get(model)
            row += [None, None] if cell is None else [(cell.value, cell.ci), mark_words(column, cell)]
        rows.append(row)
    heads = [Column("Model")]
    for column in found.columns:
        heads += [Column(column_head(column), FIGURE), Column(f"{column_head(column)}: mark")]
    what = "mean over the labels" if label == MEAN else label_words(label).lower()
    caption = f"{FIGURE_WORDS[found.figure]} on {found.dataset}, {what}, with 95 % intervals by patient"
    return Table(f"across-{label}", caption, heads, rows, table_notes(found, label))


def mark_words(column: SourceColumn, cell: GridCell) -> str | None:
    """Return what a cell's mark says; nothing where the model is alone on its images, or nothing can be tested."""
    return None if cell.model in column.alone else MARK_WORDS.get(cell.mark)


def column_head(column: SourceColumn) -> str:
    """Return what a column is called: its source and who judges."""
    return f"{column.source}, {column.judge}"


def table_notes(found: AcrossSources, label: str = MEAN) -> list[str]:
    """Return what stands below the table: how many images, for what the marks are corrected, and what is missing."""
    notes = []
    families: dict[str, None] = {}
    for column in found.columns:
        for views, grid in (column.grid.grids if column.grid else {}).items():
            notes.append(f"{column_head(column)}: {counted(grid.n_rows, 'image')} ({views}){_positives(grid, label)}.")
            families |= {f"{grid.family}.": None} if len(grid.models) > 1 else {}
        notes += [f"{column_head(column)}, {model}: {why}." for model, why in column.why.items()]
    return [*notes, *families]


def _positives(grid: Grid, label: str) -> str:
    cell = next(iter(grid.cells.get(label, {}).values()), None)
    if cell is None or label == MEAN:
        return ""
    return f", {cell.n_positive:,} of {cell.n:,} certain ones positive"


def write_table(table: Table, to: str, replace: bool = False) -> str:
    """Write a table as its file's name says, `.csv` or `.tex`, and return the file.

    Raises:
        UsageError: the file is not of this machine, or its name has another ending.
        ExistsError: the file exists.
    """
    written = {".csv": table.csv, ".tex": table.tex}
    file = Path(absolute(to)) if not is_remote(to) else Path(to)
    if is_remote(to) or file.suffix.lower() not in written:
        raise UsageError(f"The table goes to a file of this machine that ends in .csv or .tex. Received: {brief(to)}.")
    if file.is_dir():
        raise UsageError(f"{file} is a folder. Name a file to write to.")
    if file.exists() and not replace:
        raise ExistsError(f"There is a file {file} already. Use --replace to overwrite it, or name another.")
    write_bytes(file, written[file.suffix.lower()]())
    return str(file)
