"""Building an ensemble: members, method, what it gains over its best member, saved under a name."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.ensembles import METHODS
from cxr_core.evaluation.labels import Figures
from cxr_core.tasks.ensemble import EnsemblePreview, build_ensemble
from dashboard.parts import engine, help_texts
from dashboard.parts.errors import errors_as_sentences
from dashboard.parts.formatting import count, signed, with_interval
from dashboard.parts.navigation import go_button

METHOD_WORDS = {
    "mean-probability": "Mean of probabilities",
    "mean-logit": "Mean of logits",
    "mean-rank": "Mean of ranks",
    "max": "Largest prediction",
}
SAVED = "saved-ensemble"


def ensemble_builder(source: str, models: list[str], dataset: str) -> None:
    """Show the choice, the ensemble beside its members, and the button that saves it."""
    single = [model for model in models if model not in engine.ensemble_names(source)]
    members = st.multiselect(
        "Members",
        models,
        default=single,
        key="members",
        help="Two or more models of one view, combined image by image.",
    )
    method = st.segmented_control(
        "Method",
        list(METHODS),
        default="mean-logit",
        required=True,
        format_func=lambda name: METHOD_WORDS.get(name, name),
        key="method",
        help=help_texts.ENSEMBLE_METHOD,
    )
    _saved(source)
    if len(members) < 2:
        st.info("Choose two members or more.")
        return
    method = method or "mean-logit"
    with errors_as_sentences():
        _preview(engine.ensemble_preview(source, tuple(members), method, dataset, None))
        _save(source, members, method)


def _preview(preview: EnsemblePreview) -> None:
    gain = preview.mean_gain
    interval = f" (95 % interval {signed(gain.ci[0])} to {signed(gain.ci[1])})" if gain.ci else ""
    st.markdown(f"**Mean AUC changes by {signed(gain.value)}{interval} against the best member, {preview.best}.**")
    rows = [_row("**The ensemble**", preview.figures)] + [_row(name, f) for name, f in preview.members.items()]
    st.table(pd.DataFrame(rows).set_index("Model"), border="horizontal", alt="The ensemble beside its members")
    st.caption(f"On {count(preview.n_images)} images that all members predict, resampled by patient.")


def _row(name: str, figures: Figures) -> dict[str, str]:
    auc, ap = figures.mean_roc_auc, figures.mean_average_precision
    return {
        "Model": name,
        "Mean AUC (95 %)": with_interval(auc.value, auc.ci),
        "Mean AP (95 %)": with_interval(ap.value, ap.ci),
    }


def _save(source: str, members: list[str], method: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the ensemble",
            value=f"ensemble-{method}-of-{len(members)}",
            key=f"ensemble-name-{method}-{len(members)}",
            help="Letters, digits, '.', '_' and '-'. It then stands among the models on every page.",
        )
        pressed = st.button("Save ensemble", type="primary", icon=":material/save:", help="Writes a prediction table.")
    if pressed:
        built = build_ensemble(source, members, method, "image", name)
        st.session_state[SAVED] = (source, built.model, built.images)
        st.rerun()


def _saved(source: str) -> None:
    of_source, model, images = st.session_state.get(SAVED, ("", "", 0))
    if of_source == source:
        st.success(f"Saved {model} with predictions for {count(images)} images.", icon=":material/check_circle:")
        go_button("evaluate", f"Evaluate {model}", model=model)
