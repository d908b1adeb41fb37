"""The tabs of the Compare page that look: all labels, curves of one label, paired differences.

`policies` says, in words, what uncertain labels meant in the training of each model.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

import pandas as pd
import streamlit as st

from cxr_core.evaluation.grid import Grid
from cxr_core.schema import label_words
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.grid import ModelGrid
from dashboard.charts.curves import drawn_error, pr_chart, roc_chart
from dashboard.charts.details import difference_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.model_grid import grid_html, legend_words
from dashboard.compare.pair import default_pair, pair_input
from dashboard.compare.seeds import seeds_section
from dashboard.compare.so_far import differences_so_far
from dashboard.shared import engine, help_texts
from dashboard.shared.comparison_tables import (
    TREATMENT,
    difference_answer,
    difference_notes,
    difference_table,
    grid_notes,
)
from dashboard.shared.downloads import download_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.figure_tables import FIGURE_COLUMNS, figure_cells
from dashboard.shared.formatting import percent, plain
from dashboard.shared.image_links import group_parameters, images_address
from dashboard.shared.label_answers import label_curves
from dashboard.shared.model_curves import model_curves
from dashboard.shared.model_input import label_input
from dashboard.shared.short_names import short_names
from dashboard.shared.theme import colors

TABLE = "models-of-a-label"
MODEL_COLUMNS = {
    "Model": st.column_config.TextColumn(pinned=True),
    TREATMENT: st.column_config.TextColumn(help=help_texts.STRATEGY),
} | FIGURE_COLUMNS


def model_table(grids: ModelGrid, policies: Mapping[str, str]) -> None:
    """Show models x labels, one table for each group of models that predict the same images."""
    several = len(grids.grids) > 1
    if several:
        st.info(help_texts.SEVERAL_VIEWS, icon=":material/info:")
    for views, grid in grids.grids.items():
        if several:
            st.header(views.capitalize(), anchor=False)
        names = short_names(grid.models)
        st.caption(legend_words())
        st.html(grid_html(grid, names, policies, partial(_mistakes, grids)))
        for words in grid_notes(grids, grid, names):
            st.caption(plain(words))
        download_table(flat_grid(grid), f"models-{grids.dataset}-{views}-{grid.figure}.csv".replace(" ", "-"))


def _mistakes(grids: ModelGrid, model: str, label: str) -> str:
    """Return the address of a model's false positives for a label."""
    where = (grids.dataset, None, grids.judge)
    return images_address(group_parameters(grids.source, label, "false-positive", model, None, *where))


def flat_grid(grid: Grid) -> pd.DataFrame:
    """Return a grid as numbers, one row for each label and model, an interval in two columns."""
    rows = []
    for cells in grid.cells.values():
        for cell in cells.values():
            row = asdict(cell)
            for name in ("ci", "difference_ci"):
                row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
            rows.append({"figure": grid.figure} | row)
    return pd.DataFrame(rows)


def curves_section(source: str, models: list[str], dataset: str, policies: Mapping[str, str], judge: str) -> None:
    """Show the curves of the models for one label; rows that are chosen in the table choose the curves."""
    with errors_as_sentences():
        label = label_input("compared-label")
        where = (dataset, None, judge)
        results = {model: engine.evaluation_of_label(source, model, label, *where) for model in models}
        having = {model: result.labels[label] for model, result in results.items() if label in result.labels}
        if not having:
            st.info(f"None of the models predicts {label_words(label).lower()}.", icon=":material/info:")
            return
        place, names = st.container(), list(having)
        event = st.dataframe(
            pd.DataFrame([_model_row(model, policies) | figure_cells(figures) for model, figures in having.items()]),
            key=TABLE,
            hide_index=True,
            height="content",
            column_config=MODEL_COLUMNS,
            on_select="rerun",
            selection_mode="multi-row",
            alt=f"AUC and average precision of each model on {label_words(label)}. Chosen rows are drawn.",
        )
        chosen = [names[row] for row in event.selection.rows if row < len(names)] or names
        with place:
            error = _curves_of_models(source, chosen, label, dataset, judge)
        st.caption(help_texts.CHOOSE_ROWS + (help_texts.THINNED.format(percent(error)) if error else ""))


def _model_row(model: str, policies: Mapping[str, str]) -> dict[str, str]:
    return {"Model": model, TREATMENT: policies[model]}


def _curves_of_models(source: str, models: list[str], label: str, dataset: str, judge: str) -> float:
    """Draw the curves and return by how much of the axis they may be off."""
    drawn = [label_curves(source, model, label, dataset, None, judge) for model in models]
    roc, pr, prevalence = model_curves(drawn, engine.ensemble_names(source), colors())
    if not roc:
        st.info(f"No curve is defined for {label_words(label).lower()} on {dataset}.", icon=":material/info:")
        return 0.0
    left, right = st.columns(2)
    with left:
        chart = roc_chart(f"ROC · {label_words(label)}", roc, colors())
        st.plotly_chart(chart, config=CONFIG, key="roc-of-models", alt="ROC curves of the chosen models")
    with right:
        chart = pr_chart(f"Precision-recall · {label_words(label)}", pr, prevalence, colors())
        st.plotly_chart(chart, config=CONFIG, key="pr-of-models", alt="Precision-recall curves of the chosen models")
    return max(drawn_error(roc), drawn_error(pr))


def difference_section(source: str, grids: ModelGrid, policies: Mapping[str, str]) -> None:
    """Show the paired differences of two of the chosen models."""
    models = [model for grid in grids.grids.values() for model in grid.models]
    default = default_pair(grids) or tuple(models[:2])
    if len(default) < 2:
        st.info("Choose two models above.")
        return
    with errors_as_sentences():
        first, second = pair_input(models, (default[0], default[1]))
        if first == second:
            st.info("A and B are the same model. Choose another one.")
            return
        st.caption(plain(f"A: {policies[first]} · B: {policies[second]}"))
        where = (grids.dataset, None, grids.judge)
        _differences(engine.comparison(source, first, second, *where, differences_so_far))
        seeds_section(source, first, second, grids.dataset, grids.judge)


def _differences(found: Comparison) -> None:
    st.markdown(f"**{plain(difference_answer(found))}**")
    chart = difference_chart(list(found.labels.values()), "A", "B", colors())
    st.plotly_chart(chart, config=CONFIG, key="differences", alt="Paired differences in AUC with corrected intervals")
    st.table(difference_table(found).map(plain), border="horizontal", alt="Paired differences of the two models")
    for words in difference_notes(found):
        st.caption(plain(words))
    download_table(flat_differences(found), f"{found.a}-minus-{found.b}-{found.dataset}.csv")


def flat_differences(found: Comparison) -> pd.DataFrame:
    """Return the paired differences as numbers, an interval in two columns."""
    rows = []
    for label, compared in found.labels.items():
        row = {"label": label} | compared.as_json()
        for name in ("ci", "ci_corrected"):
            row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
        rows.append(row | {"why": "; ".join(f"{name}: {reason}" for name, reason in compared.why.items())})
    return pd.DataFrame(rows)
