"""Trying all u and w on frozen features: the landscape of each label, and the mix that follows from it."""

import pandas as pd
import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.run import COMPLETED, Run
from cxr_core.schema import LABELS, label_words
from cxr_core.sources.source import Source
from cxr_core.tasks.policies import PolicyLandscape
from cxr_core.tasks.policy_search import latest_search, start_search
from cxr_core.training.head_grid import PAIRS
from cxr_core.words import counted
from dashboard.charts.frame import CONFIG
from dashboard.charts.landscape import landscape_heatmap
from dashboard.shared import engine
from dashboard.shared.actions import action_button
from dashboard.shared.choices import Options, select_one
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import NOTHING, plain, signed, three_digits
from dashboard.shared.judge_input import judge_input
from dashboard.shared.policy_table import fill_in
from dashboard.shared.theme import colors
from dashboard.train import try_texts

RENEW_SECONDS = 2.0


def tried_policies(source: Source, models: list[str]) -> None:
    """Show the switch, and below it what was tried; nothing is looked at before it is on."""
    if not st.toggle(
        "Try all policies on frozen features", key="train-try", bind="query-params", help=try_texts.TRY_POLICIES
    ):
        return
    with st.container(border=True), errors_as_sentences():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            model = _features_input(source, models)
            judge = judge_input(source.name)
        if not model:
            st.markdown("No model here has weights: train one first, or name embeddings that you have.")
            return
        found, run = engine.policy_landscape(source.name, model, judge), latest_search(source.name, model)
        if run is not None and run.is_active:
            st.fragment(_progress, run_every=RENEW_SECONDS)(run.run)
        elif found is None:
            _start(source.name, model, run)
        else:
            _landscape(found)


def _features_input(source: Source, models: list[str]) -> str:
    """Return whose features are used: a model, or files of embeddings; "" where there is neither."""
    embeddings = st.text_input(
        "Embeddings",
        key="train-try-embeddings",
        placeholder="none",
        bind="query-params",
        help=try_texts.TRY_EMBEDDINGS,
    )
    if embeddings.strip() or not models:
        return embeddings.strip()
    options = Options(models, "train-try-model", what="model", where=f" in {source.name}")
    return select_one("Features of", options, models[0], try_texts.TRY_MODEL)


def _start(source: str, model: str, before: Run | None) -> None:
    """Offer the search, and say how the one before ended, if it did not complete."""
    st.markdown("The policies have not been tried on these features and labels yet.")
    if before is not None and before.status != COMPLETED:
        st.warning(plain(f"The last try was {before.status}. {before.reason or ''}".strip()), icon=":material/info:")
    action_button(
        "Try all policies",
        model,
        "try-policies",
        lambda one: start_search(source, one),
        try_texts.TRY_START,
        icon=":material/science:",
    )


def _progress(run_id: str) -> None:
    """Show how far a search is, and let it be cancelled; once it has ended, the page is drawn anew."""
    run = service.get(run_id)
    if not run.is_active:
        st.rerun(scope="app")
    how_far = f": {run.step or 0:,} of {run.steps:,}" if run.steps else ""
    st.progress(run.share_done, text=plain(f"{(run.message or 'starting').capitalize()}{how_far}"))
    action_button("Cancel", run_id, "cancel-try", service.cancel, "Stops the search.", icon=":material/cancel:")


def _landscape(found: PolicyLandscape) -> None:
    label = select_one(
        "Label", Options(list(found.labels), "train-try-label", label_words), LABELS[5], try_texts.TRY_LABEL
    )
    st.markdown(f"**{plain(label_answer(found, label))}**")
    if found.best(label) is not None:
        st.plotly_chart(landscape_heatmap(found, label, colors()), config=CONFIG, key="policy-landscape")
    st.table(_table(found), border="horizontal", alt="The best u and w of each label, and what choosing them gains")
    about = found.about
    st.caption(
        f"{counted(about['n_train'], 'image')} of train for {about['size']:,} features of {plain(about['model'])}, "
        f"which was trained with {plain(about['policy'] or 'a policy that is not known')}; judged on "
        f"{counted(about['n_judged'], 'image')} of valid. {try_texts.TRY_CAPTION}"
    )
    mix = found.mix()
    st.button(
        "Fill in this mix",
        key="fill-in-mix",
        icon=":material/edit_note:",
        on_click=fill_in,
        args=("train", mix),
        help=try_texts.TRY_MIX,
    )


def label_answer(found: PolicyLandscape, label: str) -> str:
    """Return in a sentence or two what is best on a label, and how far that can be trusted."""
    landscape, best, gain = found.labels[label], found.best(label), found.labels[label].gain
    if best is None:
        return f"{label_words(label)}: nothing can be told, as {landscape.why}."
    alike = found.others_alike(label)
    area = three_digits(float(found.roc_auc(label).max()))
    first = f"{label_words(label)}: u {best[0]:g}, w {best[1]:g} is best (AUC {area}); "
    first += f"{counted(alike, 'other pair')} of {len(PAIRS) - 1} cannot be told from it."
    if gain.value is None or gain.ci_corrected is None:
        return f"{first} No gain can be stated: {gain.why}."
    low, high = gain.ci_corrected
    interval = f"{signed(gain.value)} (corrected interval {signed(low)} to {signed(high)})"
    told = "beyond chance" if found.is_told(label) else "which cannot be told from chance"
    return f"{first} Choosing so changes the AUC by {interval} over ignoring uncertain images, {told}."


def _table(found: PolicyLandscape) -> pd.DataFrame:
    mix = found.mix()
    rows = []
    for label in found.labels:
        best, gain, place = found.best(label), found.labels[label].gain, LABELS.index(label)
        ends = NOTHING if gain.ci_corrected is None else " to ".join(map(signed, gain.ci_corrected))
        rows.append(
            {
                "Label": label_words(label),
                "Best u, w": NOTHING if best is None else f"{best[0]:g}, {best[1]:g}",
                "Gain": NOTHING if gain.value is None else signed(gain.value),
                "Corrected interval": ends,
                "Not told from it": NOTHING if best is None else f"{found.others_alike(label)}",
                "Mix u, w": f"{mix.u[place]:g}, {mix.w[place]:g}",
            }
        )
    return pd.DataFrame(rows).set_index("Label")
