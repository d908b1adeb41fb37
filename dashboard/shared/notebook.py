"""The few lines of Python that give the frame and the figure behind a page."""

from collections.abc import Sequence

import streamlit as st

_HELP = "With the package installed, and CXR_HOME set to the workspace that Sources names: see docs/python.md."


def notebook_lines(lines: Sequence[str]) -> None:
    """Offer lines of Python to be copied."""
    with st.expander("Open in a notebook", icon=":material/code:"):
        # In one colour: those of Streamlit's Python are too faint on grey.
        st.code("\n".join(["import cxr_core", *lines]), language=None)
        st.caption(_HELP)


def called(function: str, *arguments: object) -> str:
    """Return the call of a function of the public face; each argument as Python writes it."""
    return f"cxr_core.{function}({', '.join(map(repr, arguments))})"


def evaluation_lines(source: str, model: str, label: str, dataset: str, view: str | None, judge: str) -> list[str]:
    """Return what gives the figures of a model, its judged rows, and the ROC curve of one label."""
    where = (dataset, view, judge)
    return [
        "import plotly.express as px",
        "",
        f"found = {called('evaluate', source, model, *where)}",
        f"frame = {called('joined_predictions', source, model, *where)}.frame",
        f"curves = {called('label_curves', source, model, label, *where)}",
        f"print(found.labels[{label!r}].roc_auc, found.labels[{label!r}].roc_auc_ci)",
        "px.line(x=curves.roc.fpr, y=curves.roc.tpr) if curves.roc else curves.why",
    ]


def comparison_lines(source: str, models: Sequence[str], dataset: str, figure: str, judge: str) -> list[str]:
    """Return what gives a figure of each model on each label as a frame."""
    return [
        "import pandas as pd",
        "",
        f"found = {called('model_grid', source, list(models), dataset, None, figure, judge)}",
        "cells = [cell for grid in found.grids.values() for row in grid.cells.values() for cell in row.values()]",
        "frame = pd.DataFrame([(cell.label, cell.model, cell.value, cell.ci) for cell in cells])",
        "frame",
    ]


def distribution_lines(source: str, view: str | None) -> list[str]:
    """Return what gives the distribution of the label values."""
    return [
        "import plotly.express as px",
        "",
        f"frame = {called('distribution', source, view)}",
        'px.bar(frame, x="label", y="images", color="value", facet_row="dataset")',
    ]
