"""What lies behind the curves: all labels, calibration."""

import pandas as pd
import streamlit as st

from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation, LabelCurves
from dashboard.charts.details import calibration_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.parts import help_texts
from dashboard.parts.downloads import download_table
from dashboard.parts.formatting import NOTHING, count, percent, three_digits, with_interval
from dashboard.parts.theme import colors


def all_labels(result: Evaluation) -> None:
    """Show the figures of all labels of the model with their mean."""
    rows = [
        {
            "Label": label_words(label),
            "AUC (95 % interval)": _or_why(figures.roc_auc, figures.roc_auc_ci, figures.why.get("roc_auc")),
            "AP (95 % interval)": _or_why(
                figures.average_precision, figures.average_precision_ci, figures.why.get("average_precision")
            ),
            "Prevalence": percent(figures.prevalence),
            "Positive": count(figures.n_positive),
            "n (certain)": count(figures.n),
            "Uncertain": count(figures.n_uncertain_dropped),
            "Patients": count(figures.n_patients),
        }
        for label, figures in result.labels.items()
    ]
    auc, ap = result.mean_roc_auc, result.mean_average_precision
    mean = {
        "Label": f"**Mean of {auc.labels} labels**",
        "AUC (95 % interval)": f"**{with_interval(auc.value, auc.ci)}**",
        "AP (95 % interval)": f"**{with_interval(ap.value, ap.ci)}**",
    }
    table = pd.DataFrame([*rows, mean]).fillna("").set_index("Label")
    st.table(table, border="horizontal", alt="AUC and average precision of all labels")
    left_out = [f"{count(result.unmatched)} predicted images without labels left out"] if result.unmatched else []
    st.caption(" · ".join([f"{count(result.n_images)} images", f"predictions are {result.scale}s", *left_out]))
    download_table(_flat(result), f"{result.model}-{result.dataset}-evaluation.csv")


def _or_why(value: float | None, ci: tuple[float, float] | None, why: str | None) -> str:
    return with_interval(value, ci) if value is not None else f"{NOTHING} ({why})"


def _flat(result: Evaluation) -> pd.DataFrame:
    rows = []
    for label, figures in result.labels.items():
        row = {"label": label} | figures.as_json()
        for name in ("roc_auc_ci", "average_precision_ci"):
            row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
        rows.append(row | {"why": "; ".join(f"{name}: {reason}" for name, reason in figures.why.items())})
    return pd.DataFrame(rows)


def calibration_section(curves: LabelCurves, ensemble: bool) -> None:
    """Show how often predicted probabilities come true."""
    found = curves.calibration()
    if found.why:
        st.info(f"There is no calibration: {found.why}.", icon=":material/info:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        style = model_style(curves.model, ensemble, colors())
        chart = calibration_chart(found.bins, style, colors())
        st.plotly_chart(chart, config=CONFIG, key="calibration", alt="Calibration of the predicted probabilities")
    with right:
        st.metric(
            "Brier score",
            three_digits(found.brier),
            border=True,
            help="Mean squared error of the probability; 0 is perfect.",
        )
        st.metric("Expected calibration error", three_digits(found.ece), border=True, help=help_texts.CALIBRATION)
        st.caption(
            "A model that was trained with uncertain images as positives or as half positives aims at other "
            "probabilities than the certain labels show: it may rank well and yet be off here."
        )
