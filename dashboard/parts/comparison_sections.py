"""The tabs of the Compare page that look: all labels, curves of one label, paired differences.

`policies` says, in words, what uncertain labels meant in the training of each model.
"""

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from cxr_core.evaluation.grid import ALIKE, BEST, MEAN, Grid, GridCell
from cxr_core.evaluation.results import LabelComparison
from cxr_core.schema import label_words
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.grid import ModelGrid
from dashboard.charts.curves import drawn_error, pr_chart, roc_chart
from dashboard.charts.details import difference_chart, is_significant
from dashboard.charts.frame import CONFIG
from dashboard.charts.heatmap import FIGURE_WORDS, model_heatmap
from dashboard.parts import engine, help_texts
from dashboard.parts.all_labels import FIGURE_COLUMNS, WHY_MISSING, figure_cells, with_reasons_if_any
from dashboard.parts.downloads import download_table
from dashboard.parts.errors import errors_as_sentences
from dashboard.parts.formatting import NOTHING, count, p_value, signed, three_digits, with_interval
from dashboard.parts.model_curves import model_curves
from dashboard.parts.model_input import label_input
from dashboard.parts.theme import colors

TABLE = "models-of-a-label"
TREATMENT = "Uncertain labels"
MODEL_COLUMNS = {
    "Model": st.column_config.TextColumn(pinned=True),
    TREATMENT: st.column_config.TextColumn(help=help_texts.STRATEGY),
} | FIGURE_COLUMNS


def model_table(grids: ModelGrid, policies: Mapping[str, str]) -> None:
    """Show models x labels as a heat map for each group of models that predict the same images, and as text."""
    several = len(grids.grids) > 1
    if several:
        st.info(help_texts.SEVERAL_VIEWS, icon=":material/info:")
    for views, grid in grids.grids.items():
        if several:
            st.subheader(views.capitalize(), anchor=False)
        what = FIGURE_WORDS[grid.figure]
        chart = model_heatmap(grid, colors())
        st.plotly_chart(chart, config=CONFIG, key=f"heatmap-{views}", alt=f"{what} by label and model")
        st.table(grid_table(grid, policies), border="horizontal", alt=f"{what} of each model on each label")
        st.caption(grid_caption(grids, grid))
        download_table(flat_grid(grid), f"models-{grids.dataset}-{views}-{grid.figure}.csv".replace(" ", "-"))


def grid_caption(grids: ModelGrid, grid: Grid) -> str:
    """Return on how many images a grid stands, for which family its marks hold, and what was left out."""
    left_out = {model: grids.left_out[model] for model in grid.models if grids.left_out[model]}
    words = [f"{count(n)} images of {model} left out, as others do not predict them" for model, n in left_out.items()]
    return " · ".join([f"{count(grid.n_rows)} images", grid.family, *words])


def grid_table(grid: Grid, policies: Mapping[str, str]) -> pd.DataFrame:
    """Return a grid in words, the policies below; the best of a row and those not told from it are bold with a dot."""
    columns = {
        model: [_cell(cells[model], label == MEAN) for label, cells in grid.cells.items()] + [policies[model]]
        for model in grid.models
    }
    rows = ["**Mean**" if label == MEAN else label_words(label) for label in grid.cells]
    shown = pd.DataFrame(columns, index=[*rows, f"*{TREATMENT}*"])
    shown.index.name = "Label"
    return shown


def _cell(cell: GridCell, mean: bool) -> str:
    words = with_interval(cell.value, cell.ci) if mean else three_digits(cell.value)
    return f"**● {words}**" if cell.mark in (BEST, ALIKE) else words


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


def curves_section(source: str, models: list[str], dataset: str, policies: Mapping[str, str]) -> None:
    """Show the curves of the models for one label; rows that are chosen in the table choose the curves."""
    with errors_as_sentences():
        label = label_input("compared-label")
        results = {model: engine.evaluation(source, model, dataset, None) for model in models}
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
            error = _curves_of_models(source, chosen, label, dataset)
        st.caption(help_texts.CHOOSE_ROWS + (help_texts.THINNED.format(error) if error else ""))


def _model_row(model: str, policies: Mapping[str, str]) -> dict[str, str]:
    return {"Model": model, TREATMENT: policies[model]}


def _curves_of_models(source: str, models: list[str], label: str, dataset: str) -> float:
    """Draw the curves and return by how much of the axis they may be off."""
    drawn = [engine.label_curves(source, model, label, dataset, None) for model in models]
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


def difference_section(source: str, models: list[str], dataset: str, policies: Mapping[str, str]) -> None:
    """Show the paired differences of two of the chosen models."""
    if len(models) < 2:
        st.info("Choose two models above.")
        return
    left, right = st.columns(2)
    first = left.selectbox("Model A", models, key="model-a", bind="query-params", help=help_texts.PAIRED)
    others = [model for model in models if model != first]
    second = right.selectbox("Model B", others, key="model-b", bind="query-params", help=help_texts.PAIRED)
    left.caption(policies[first])
    right.caption(policies[second])
    found = engine.comparison(source, first, second, dataset, None)
    st.markdown(f"**{difference_answer(found)}**")
    chart = difference_chart(list(found.labels.values()), "A", "B", colors())
    st.plotly_chart(chart, config=CONFIG, key="differences", alt="Paired differences in AUC with intervals")
    st.table(difference_table(found), border="horizontal", alt="Paired differences of the two models")
    st.caption(f"{found.family}. {count(found.n_images)} images that both predict, resampled by patient.")
    download_table(flat_differences(found), f"{first}-minus-{second}-{dataset}.csv")


def difference_table(found: Comparison) -> pd.DataFrame:
    """Return the paired differences in words."""
    rows = [_difference_row(label, row) for label, row in found.labels.items()]
    return with_reasons_if_any(pd.DataFrame(rows).set_index("Label"))


def flat_differences(found: Comparison) -> pd.DataFrame:
    """Return the paired differences as numbers, an interval in two columns."""
    rows = []
    for label, compared in found.labels.items():
        row = {"label": label} | compared.as_json()
        row["ci_low"], row["ci_high"] = row.pop("ci") or (None, None)
        rows.append(row | {"why": "; ".join(f"{name}: {reason}" for name, reason in compared.why.items())})
    return pd.DataFrame(rows)


def difference_answer(found: Comparison) -> str:
    """Return in a sentence on how many labels the two models differ beyond chance."""
    real = [label for label, row in found.labels.items() if is_significant(row)]
    mean = f"mean difference {signed(found.mean.value)}"
    if found.mean.ci:
        mean += f" (95 % interval {signed(found.mean.ci[0])} to {signed(found.mean.ci[1])})"
    names = ": " + ", ".join(label_words(label).lower() for label in real) if real else ""
    return f"A and B differ beyond chance on {len(real)} of {len(found.labels)} labels{names}; {mean}."


def _difference_row(label: str, row: LabelComparison) -> dict[str, str]:
    # No-break spaces keep an interval on one line.
    interval = f"{signed(row.ci[0])}\u00a0to\u00a0{signed(row.ci[1])}" if row.ci else NOTHING
    why = row.why.get("difference") or row.why.get("p") or ""
    return {
        "Label": label_words(label),
        "AUC(A) − AUC(B)": signed(row.difference),
        "95 % interval": interval,
        "p": p_value(row.p),
        "p corrected": p_value(row.p_corrected),
        "p (DeLong)": p_value(row.p_delong),
        "n (certain)": count(row.n),
        WHY_MISSING: why,
    }
