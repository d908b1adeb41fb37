"""What the Compare page shows while the other labels are computed: figures that stay as they are, without marks."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxr_core.evaluation.grid import Grid, GridCell
from cxr_core.evaluation.results import LabelComparison
from dashboard.charts.model_grid import grid_html
from dashboard.shared.comparison_tables import difference_so_far
from dashboard.shared.formatting import plain
from dashboard.shared.short_names import short_names
from dashboard.shared.so_far import so_far_words

_MARKS = "the marks and the means, which all labels decide together"
_CORRECTED = "the corrected p and intervals, which all labels decide together"


def grids_so_far(parts: list[Any], figure: str, policies: Mapping[str, str]) -> None:
    """Show the cells of the labels that are final, one table for each group of models."""
    rows: list[list[GridCell]] = [part for part in parts if isinstance(part, list)]
    for models in dict.fromkeys(tuple(cell.model for cell in row) for row in rows):
        of_group = [row for row in rows if tuple(cell.model for cell in row) == models]
        cells = {row[0].label: {cell.model: cell for cell in row} for row in of_group}
        grid = Grid(figure, models, cells, "", of_group[0][0].n, {})
        st.html(grid_html(grid, short_names(models), policies))
        st.caption(so_far_words(len(cells), _MARKS))


def differences_so_far(parts: list[Any]) -> None:
    """Show the paired differences of the labels that are there, without what all of them decide together."""
    rows = {part.label: part for part in parts if isinstance(part, LabelComparison)}
    st.table(difference_so_far(rows).map(plain), border="horizontal", alt="Paired differences so far")
    st.caption(so_far_words(len(rows), _CORRECTED))
