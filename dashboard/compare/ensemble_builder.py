"""Building an ensemble: members, method, what it gains over its best member, saved under a name."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.ensembles import METHODS
from cxr_core.evaluation.labels import Figures
from cxr_core.tasks.ensemble import EnsemblePreview, build_ensemble
from cxr_core.words import counted
from dashboard.charts.details import difference_chart
from dashboard.charts.frame import CONFIG
from dashboard.shared import engine, help_texts
from dashboard.shared.downloads import download_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import count, plain, signed, with_interval
from dashboard.shared.navigation import go_button
from dashboard.shared.theme import colors

METHOD_WORDS = {
    "mean-probability": "Mean of probabilities",
    "mean-logit": "Mean of logits",
    "mean-rank": "Mean of ranks",
    "max": "Largest prediction",
    "weighted": "Fitted weights",
    "stacking": "Stacking",
}
BY_WORDS = {"image": "Image by image", "study": "Study by study"}
SAVED = "saved-ensemble"


def ensemble_builder(source: str, models: list[str], dataset: str, several_views: bool) -> None:
    """Show the choice, the ensemble beside its members, and the button that saves it."""
    single = [model for model in models if model not in engine.ensemble_names(source)]
    members = st.multiselect("Members", models, default=single, key="members", help=help_texts.MEMBERS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control(
            "Method",
            list(METHODS),
            default="mean-logit",
            required=True,
            format_func=lambda name: METHOD_WORDS.get(name, name),
            key="method",
            bind="query-params",
            wrap=True,
            help=help_texts.ENSEMBLE_METHOD,
        )
        by = st.segmented_control(
            "Combine",
            BY_WORDS,
            default="study" if several_views else "image",
            required=True,
            format_func=BY_WORDS.__getitem__,
            key="study" if several_views else "by",
            wrap=True,
            help=help_texts.ENSEMBLE_BY,
        )
    _saved(source)
    method, by = method or "mean-logit", by or "image"
    if len(members) < (1 if by == "study" else 2):
        st.info("Choose two members or more.")
        return
    with errors_as_sentences():
        preview = engine.ensemble_preview(source, tuple(members), method, dataset, None, by)
        _preview(preview, by, dataset)
        _save(source, members, method, by)


def _preview(preview: EnsemblePreview, by: str, dataset: str) -> None:
    st.markdown(f"**{plain(gain_answer(preview))}**")
    if preview.fitted:
        st.info(
            f"The weights were fitted on {plain(preview.recipe['fitted_on'])}, in parts of patients: every figure here "
            "is of weights that have not seen the patient who is judged.",
            icon=":material/group_off:",
        )
    st.table(members_table(preview), border="horizontal", alt="The ensemble beside its members")
    left_out = f", {count(preview.left_out)} that not all predict left out" if preview.left_out else ""
    what = "images" if by == "image" else "studies"
    st.caption(f"On {count(preview.n_images)} {what} of {dataset}{left_out}, resampled by patient.")
    chart = difference_chart(list(preview.gain.values()), "ensemble", preview.best, colors())
    st.plotly_chart(chart, config=CONFIG, key="gain", alt="Gain of the ensemble over its best member on each label")
    download_table(members_table(preview).reset_index(), f"ensemble-{preview.recipe['method']}-{by}-{dataset}.csv")


def gain_answer(preview: EnsemblePreview) -> str:
    """Return in a sentence what the ensemble gains over its best member."""
    gain = preview.mean_gain
    interval = f" (95 % interval {signed(gain.ci[0])} to {signed(gain.ci[1])})" if gain.ci else ""
    return f"Mean AUC changes by {signed(gain.value)}{interval} against the best member, {preview.best}."


def members_table(preview: EnsemblePreview) -> pd.DataFrame:
    """Return the ensemble and its members with their mean figures, in words."""
    rows = [_row("**The ensemble**", preview.figures)] + [_row(plain(name), f) for name, f in preview.members.items()]
    return pd.DataFrame(rows).set_index("Model")


def _row(name: str, figures: Figures) -> dict[str, str]:
    auc, ap = figures.mean_roc_auc, figures.mean_average_precision
    return {
        "Model": name,
        "Mean AUC (95 %)": with_interval(auc.value, auc.ci),
        "Mean AP (95 %)": with_interval(ap.value, ap.ci),
    }


def _save(source: str, members: list[str], method: str, by: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the ensemble",
            value=f"ensemble-{method}-of-{len(members)}" + ("-by-study" if by == "study" else ""),
            key=f"ensemble-name-{method}-{len(members)}-{by}",
            help="Letters, digits, '.', '_' and '-'. It then stands among the models on every page.",
        )
        pressed = st.button("Save ensemble", type="primary", icon=":material/save:", help="Writes a prediction table.")
    if pressed:
        built = build_ensemble(source, members, method, by, name)
        st.session_state[SAVED] = (source, built.model, built.images)
        st.rerun()


def _saved(source: str) -> None:
    of_source, model, images = st.session_state.get(SAVED, ("", "", 0))
    if of_source == source:
        st.success(
            f"Saved {plain(model)} with predictions for {counted(images, 'image')}.", icon=":material/check_circle:"
        )
        go_button("evaluate", f"Evaluate {model}", model=model)
