"""The answer of the Evaluate page: its title, and the figures of the label with what they are based on."""

import streamlit as st

from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation
from dashboard.parts import help_texts
from dashboard.parts.formatting import count, percent, three_digits, with_interval
from dashboard.parts.header import page_title
from dashboard.parts.judged import ANSWER, FIGURES, Judged
from dashboard.parts.page_frame import page_fragment


@page_fragment(ANSWER)
def answer_section(judged: Judged) -> None:
    """Show the title."""
    page_title(answer(judged.evaluation(), judged.label))


@page_fragment(FIGURES)
def figures_section(judged: Judged) -> None:
    """Show the figures of the chosen label."""
    figures = judged.figures()
    if figures is None:
        st.info(f"{judged.model.name} does not predict {label_words(judged.label).lower()}. Choose another label.")
    else:
        figures_row(figures)


def answer(result: Evaluation, label: str) -> str:
    """Return the title: the AUC of the label, or why there is none."""
    words = label_words(label)
    figures = result.labels.get(label)
    if figures is None:
        return f"{words}: not predicted by this model"
    if figures.roc_auc is None:
        return f"{words}: no AUC, {figures.why.get('roc_auc', 'it is undefined')}"
    return f"{words}: AUC {with_interval(figures.roc_auc, figures.roc_auc_ci)}"


def figures_row(figures: LabelEvaluation) -> None:
    """Show AUC and AP with their intervals, and what they are based on."""
    with st.grid(5, min_column_width=150):
        _figure("ROC AUC", figures.roc_auc, figures.roc_auc_ci, help_texts.AUC)
        _figure("Average precision", figures.average_precision, figures.average_precision_ci, help_texts.AP)
        positive = f"{count(figures.n_positive)} positive"
        _metric("Prevalence", percent(figures.prevalence), positive, help_texts.PREVALENCE)
        _metric("Certain images", count(figures.n), f"{count(figures.n_patients)} patients", help_texts.LABEL)
        _metric("Uncertain images", count(figures.n_uncertain_dropped), "left out", help_texts.UNCERTAIN)
    if "roc_auc_ci" in figures.why and figures.roc_auc is not None:
        st.caption(f"There is no interval: {figures.why['roc_auc_ci']}.")


def _figure(name: str, value: float | None, ci: tuple[float, float] | None, text: str) -> None:
    below = f"95 %: {ci[0]:.3f}–{ci[1]:.3f}" if ci else "no interval"
    _metric(name, three_digits(value), below, f"{text} {help_texts.INTERVAL}")


def _metric(name: str, value: str, below: str, text: str) -> None:
    st.metric(name, value, delta=below, delta_color="off", delta_arrow="off", border=True, help=text)
