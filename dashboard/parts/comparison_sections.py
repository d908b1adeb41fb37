"""The tabs of the Compare page that look: all labels, curves of one label, paired differences."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from cxr_core.evaluation.results import LabelComparison, MeanFigure
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.evaluate import Evaluation
from dashboard.charts.curves import drawn_pr, drawn_roc, pr_chart, roc_chart
from dashboard.charts.details import difference_chart, is_significant
from dashboard.charts.frame import CONFIG
from dashboard.charts.heatmap import model_heatmap
from dashboard.charts.palette import model_style
from dashboard.parts import engine, help_texts
from dashboard.parts.downloads import download_table
from dashboard.parts.formatting import NOTHING, count, p_value, signed, three_digits, with_interval
from dashboard.parts.model_input import label_input
from dashboard.parts.theme import colors

FIGURES = {"roc_auc": "AUC", "average_precision": "AP"}


def model_table(results: Mapping[str, Evaluation]) -> None:
    """Show models x labels as a heat map, and the same as a table of text with the mean."""
    figure = st.segmented_control(
        "Figure",
        FIGURES,
        default="roc_auc",
        required=True,
        format_func=FIGURES.__getitem__,
        key="figure",
        bind="query-params",
        help=f"{help_texts.AUC} {help_texts.AP}",
    )
    name = figure or "roc_auc"
    table = _square(results, name)
    chart = model_heatmap(table, _square(results, "n"), FIGURES[name], colors())
    st.plotly_chart(chart, config=CONFIG, key="heatmap", alt=f"{FIGURES[name]} by label and model")
    shown = table.map(three_digits).rename(index=label_words)
    shown.loc["**Mean**"] = {model: f"**{with_interval(*_mean(result, name))}**" for model, result in results.items()}
    shown.index.name = "Label"
    st.table(shown, border="horizontal", alt=f"{FIGURES[name]} of each model on each label")
    download_table(table.rename_axis("label").reset_index(), f"models-{name}.csv")


def _square(results: Mapping[str, Evaluation], figure: str) -> pd.DataFrame:
    labels = [label for label in LABELS if any(label in result.labels for result in results.values())]
    columns = {
        model: [getattr(result.labels.get(label), figure, None) for label in labels]
        for model, result in results.items()
    }
    return pd.DataFrame(columns, index=labels, dtype=float)


def _mean(result: Evaluation, figure: str) -> tuple[float | None, tuple[float, float] | None]:
    mean: MeanFigure = result.mean_roc_auc if figure == "roc_auc" else result.mean_average_precision
    return mean.value, mean.ci


def curves_section(source: str, results: Mapping[str, Evaluation], dataset: str) -> None:
    """Show the curves of all chosen models for one label."""
    label = label_input("compared-label")
    drawn = [
        engine.label_curves(source, model, label, dataset, None)
        for model, result in results.items()
        if label in result.labels
    ]
    ensembles, palette = engine.ensemble_names(source), colors()
    styles = {curves.model: model_style(curves.model, curves.model in ensembles, palette) for curves in drawn}
    roc = [drawn_roc(curves, curves.roc, styles[curves.model]) for curves in drawn if curves.roc]
    pr = [drawn_pr(curves, curves.pr, styles[curves.model]) for curves in drawn if curves.pr]
    if not roc:
        st.info(f"No curve is defined for {label_words(label).lower()} on {dataset}.", icon=":material/info:")
        return
    left, right = st.columns(2)
    with left:
        chart = roc_chart(f"ROC · {label_words(label)}", roc, palette)
        st.plotly_chart(chart, config=CONFIG, key="roc-of-models", alt="ROC curves of the chosen models")
    with right:
        chart = pr_chart(f"Precision-recall · {label_words(label)}", pr, drawn[0].prevalence, palette)
        st.plotly_chart(chart, config=CONFIG, key="pr-of-models", alt="Precision-recall curves of the chosen models")
    rows = [_label_row(model, result, label) for model, result in results.items() if label in result.labels]
    st.table(pd.DataFrame(rows).set_index("Model"), border="horizontal", alt="AUC and AP of each model on this label")


def _label_row(model: str, result: Evaluation, label: str) -> dict[str, str]:
    figures = result.labels[label]
    return {
        "Model": model,
        "AUC (95 % interval)": with_interval(figures.roc_auc, figures.roc_auc_ci),
        "AP (95 % interval)": with_interval(figures.average_precision, figures.average_precision_ci),
        "n (certain)": count(figures.n),
        "Positive": count(figures.n_positive),
    }


def difference_section(source: str, models: list[str], dataset: str) -> None:
    """Show the paired differences of two of the chosen models."""
    if len(models) < 2:
        st.info("Choose two models above.")
        return
    left, right = st.columns(2)
    first = left.selectbox("Model A", models, key="model-a", bind="query-params", help=help_texts.PAIRED)
    others = [model for model in models if model != first]
    second = right.selectbox("Model B", others, key="model-b", bind="query-params", help=help_texts.PAIRED)
    found = engine.comparison(source, first, second, dataset, None)
    st.markdown(f"**{_difference_answer(found)}**")
    chart = difference_chart(list(found.labels.values()), "A", "B", colors())
    st.plotly_chart(chart, config=CONFIG, key="differences", alt="Paired differences in AUC with intervals")
    rows = [_difference_row(label, row) for label, row in found.labels.items()]
    st.table(pd.DataFrame(rows).set_index("Label"), border="horizontal", alt="Paired differences of the two models")
    st.caption(f"{found.family}. {count(found.n_images)} images that both predict, resampled by patient.")
    flat = pd.DataFrame([{"label": label} | row.as_json() for label, row in found.labels.items()]).drop(columns="why")
    download_table(flat, f"{first}-minus-{second}-{dataset}.csv")


def _difference_answer(found: Comparison) -> str:
    real = [label for label, row in found.labels.items() if is_significant(row)]
    mean = f"mean difference {signed(found.mean.value)}"
    if found.mean.ci:
        mean += f" (95 % interval {signed(found.mean.ci[0])} to {signed(found.mean.ci[1])})"
    names = ": " + ", ".join(label_words(label).lower() for label in real) if real else ""
    return f"A and B differ beyond chance on {len(real)} of {len(found.labels)} labels{names}; {mean}."


def _difference_row(label: str, row: LabelComparison) -> dict[str, str]:
    interval = f"{signed(row.ci[0])} to {signed(row.ci[1])}" if row.ci else NOTHING
    why = row.why.get("p") or row.why.get("difference") or ""
    return {
        "Label": label_words(label),
        "AUC(A) − AUC(B)": signed(row.difference),
        "95 % interval": interval,
        "p": p_value(row.p) if row.p is not None or not why else f"{NOTHING} ({why})",
        "p corrected": p_value(row.p_corrected),
        "p (DeLong)": p_value(row.p_delong),
        "n (certain)": count(row.n),
    }
