"""The answer of the Evaluate page: its title, and the figures of the label with what they are based on."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_core.errors import UsageError
from cxr_core.evaluation.labels import FIGURES
from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.models.listing import ModelEntry
from cxr_core.schema import REPORT, label_words
from cxr_core.sources.source import Source
from cxr_core.words import counted
from dashboard.evaluate.judged import LABEL, Judged, note_judged
from dashboard.evaluate.operating import operating_section
from dashboard.evaluate.readers import readers_beside
from dashboard.shared import help_texts
from dashboard.shared.as_of import as_of_line
from dashboard.shared.evaluation_words import INTERVALS_BY, answer
from dashboard.shared.formatting import between, count, percent, plain, three_digits
from dashboard.shared.header import page_header, view_fact
from dashboard.shared.judge_input import judge_fact, judge_input
from dashboard.shared.model_input import dataset_input, label_input, model_input, view_input
from dashboard.shared.page_frame import page_fragment


@page_fragment(LABEL)
def label_part(source: Source, entries: list[ModelEntry]) -> None:
    """Show what is judged, the answer for one label, its figures, and its curves with an operating point."""
    top = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = _model(top, source, entries)
        label_input("label")
        dataset = dataset_input(model.predictions, "dataset")
        view = view_input("judged-view")
        judge = judge_input(source.name)
    judged = Judged(source, model, dataset, view, judge)
    note_judged(judged)
    result = judged.of_label()
    with top:
        facts = [view_fact(view or model.view), f"{dataset.capitalize()} set", model.name, model.policy_words()]
        facts += judge_fact(judge)
        page_header(answer(result, judged.label), source.name, source.synthetic, *facts)
        as_of_line(source.name, model.name)
    # The curves take the browser longest, so what stands above them is sent after them.
    above = st.container()
    figures = result.labels.get(judged.label)
    if figures is None:
        st.info(f"{plain(model.name)} does not predict {label_words(judged.label).lower()}. Choose another label.")
    else:
        operating_section(judged)
    with above:
        st.caption(plain(judged.choice_note()))
        if figures is not None:
            figures_row(figures, judge)
            readers_beside(judged, result.readers.get(judged.label, []))


def _model(top: DeltaGenerator, source: Source, entries: list[ModelEntry]) -> ModelEntry:
    """Return the model that is chosen; where it is not there any more, the page has a title all the same."""
    try:
        return model_input(entries, "Model", "model")
    except UsageError:
        with top:
            page_header("This model is not there", source.name, source.synthetic)
        raise


def figures_row(figures: LabelEvaluation, judge: str) -> None:
    """Show AUC and AP with their intervals, and what they are based on."""
    with st.grid(5, min_column_width=150):
        _figure("ROC AUC", figures.roc_auc, figures.roc_auc_ci, help_texts.AUC)
        _figure("Average precision", figures.average_precision, figures.average_precision_ci, help_texts.AP)
        positive = f"{count(figures.n_positive)} positive"
        _metric("Prevalence", percent(figures.prevalence), positive, help_texts.PREVALENCE)
        _metric("Certain images", count(figures.n), counted(figures.n_patients, "patient"), help_texts.LABEL)
        left_out = (
            ("Uncertain images", help_texts.UNCERTAIN) if judge == REPORT else ("No verdict", help_texts.NO_VERDICT)
        )
        _metric(left_out[0], count(figures.n_uncertain_dropped), "left out", left_out[1])
    if figures.ci_method:
        st.caption(INTERVALS_BY[figures.ci_method])
    for words in what_is_missing(figures):
        st.caption(plain(words))


def what_is_missing(figures: LabelEvaluation) -> list[str]:
    """Say why a figure that is defined has no interval, and how many rows are left out."""
    names: dict[str, list[str]] = {}
    for figure, name in FIGURES.items():
        reason = figures.why.get(f"{figure}_ci")
        if reason and getattr(figures, figure) is not None:
            names.setdefault(reason, []).append(name)
    words = [f"No interval for {' and '.join(of_reason)}: {reason}." for reason, of_reason in names.items()]
    return [*words, f"{figures.missing_words}."] if figures.missing_words else words


def _figure(name: str, value: float | None, ci: tuple[float, float] | None, text: str) -> None:
    below = f"95 %: {between(*ci)}" if ci else "no interval"
    _metric(name, three_digits(value), below, f"{text} {help_texts.INTERVAL}")


def _metric(name: str, value: str, below: str, text: str) -> None:
    st.metric(name, value, delta=below, delta_color="off", delta_arrow="off", border=True, help=text)
