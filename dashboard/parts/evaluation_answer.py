"""The parts of the Evaluate page that are about one label; choosing another redraws them, and nothing around them."""

from dataclasses import dataclass

import streamlit as st

from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.models.registry import ModelEntry
from cxr_core.schema import label_words
from cxr_core.sources.source import Source
from cxr_core.tasks.evaluate import Evaluation
from dashboard.parts import engine, help_texts
from dashboard.parts.formatting import count, percent, three_digits, with_interval
from dashboard.parts.header import page_header
from dashboard.parts.operating_section import operating_section
from dashboard.parts.page_frame import page_fragment

#: Keys of the two fragments: the title stands above the inputs, the figures below them.
ANSWER, LABEL = "evaluate-answer", "evaluate-label"


@dataclass(frozen=True)
class Judged:
    """What is judged: a model on the images of a data set and, unless it is None, of one view."""

    source: Source
    model: ModelEntry
    dataset: str
    view: str | None

    def evaluation(self) -> Evaluation:
        """Return the figures of all labels."""
        return engine.evaluation(self.source.name, self.model.name, self.dataset, self.view)


def show_chosen_label() -> None:
    """Redraw what is about the label; for the callback of the input that chooses it."""
    st.rerun([ANSWER, LABEL])


@page_fragment(ANSWER)
def answer_section(judged: Judged) -> None:
    """Show the title and what it is an answer about."""
    seen = judged.view or judged.model.view
    facts = (f"{label_words(seen)} view" if seen else "All views", f"{label_words(judged.dataset)} set")
    title = answer(judged.evaluation(), st.session_state["label"])
    page_header(title, judged.source.name, judged.source.synthetic, *facts, judged.model.name)


@page_fragment(LABEL)
def label_section(judged: Judged) -> None:
    """Show the figures of the chosen label, its curves and what lies behind them."""
    source, model, label = judged.source.name, judged.model.name, st.session_state["label"]
    figures = judged.evaluation().labels.get(label)
    if figures is None:
        st.info(f"{model} does not predict {label_words(label).lower()}. Choose another label.")
        return
    figures_row(figures)
    curves = engine.label_curves(source, model, label, judged.dataset, judged.view)
    operating_section(figures, curves, model in engine.ensemble_names(source))


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
