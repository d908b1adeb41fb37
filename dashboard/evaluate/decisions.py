"""Is acting on the model worth it, and how good is the part of its ROC curve that matters?"""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cxr_core.evaluation.decision import NetBenefit
from cxr_core.evaluation.partial_auc import RocPart
from cxr_core.tasks.details import SPECIFICITY, LabelDetails
from dashboard.charts.decision import decision_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.evaluate.judged import Judged
from dashboard.shared import detail_help
from dashboard.shared.downloads import download_table
from dashboard.shared.figure_metric import figure_metric
from dashboard.shared.formatting import plain
from dashboard.shared.label_answers import label_details
from dashboard.shared.theme import colors


def decisions_section(judged: Judged) -> None:
    """Show the decision curve of the label, and its ROC curve at a wanted specificity and more."""
    model, label = judged.model.name, judged.label
    left, right = st.columns([3, 2], gap="large")
    with right:
        specificity = st.number_input(
            "Specificity of at least",
            min_value=0.01,
            max_value=0.99,
            value=SPECIFICITY,
            step=0.01,
            key="least-specificity",
            bind="query-params",
            help=detail_help.LEAST_SPECIFICITY,
            width=200,
        )
        found = label_details(judged.source.name, model, label, judged.dataset, judged.view, judged.judge, specificity)
        _part(found.roc_part)
    with left:
        _decision(judged, found)


def _decision(judged: Judged, found: LabelDetails) -> None:
    if not found.net_benefit:
        st.info(f"There is no decision curve: {plain(found.why or 'there are no images')}.", icon=":material/info:")
        return
    style = model_style(judged.model.name, judged.model.is_ensemble, colors())
    chart = decision_chart(found.net_benefit, style, colors())
    st.plotly_chart(chart, config=CONFIG, key="decision", alt="Net benefit of the model, of acting on all and on none")
    st.caption(detail_help.DECISION)
    name = f"{judged.model.name}-{judged.label}-{judged.dataset}-net-benefit.csv"
    download_table(decision_table(found.net_benefit), name)


def decision_table(points: Sequence[NetBenefit]) -> pd.DataFrame:
    """Return the decision curve as numbers, one row a threshold."""
    return pd.DataFrame(
        [
            {
                "threshold": one.threshold,
                "net_benefit": one.model,
                "net_benefit_low": one.ci[0] if one.ci else None,
                "net_benefit_high": one.ci[1] if one.ci else None,
                "treat_all": one.treat_all,
            }
            for one in points
        ]
    )


def _part(part: RocPart) -> None:
    figure_metric("Partial AUC", part.partial_auc, part.partial_auc_ci, detail_help.PARTIAL_AUC)
    figure_metric("Partial AUC, standardised", part.standardised, None, detail_help.STANDARDISED, no_interval="")
    figure_metric("Sensitivity there", part.sensitivity, part.sensitivity_ci, detail_help.SENSITIVITY_THERE)
    if part.why:
        st.caption(f"{plain(part.why).capitalize()}.")
