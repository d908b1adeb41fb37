"""The part of the Runs page that renews itself while a run works."""

import numpy as np
import pandas as pd
import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.columns import MetricColumns
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.sources.source import Source
from dashboard.runs.answer import BESIDE, beside_words, runs_answer
from dashboard.runs.curves import curves_section, loss_words, throughput_section
from dashboard.runs.family import family_section, learned_section
from dashboard.runs.family_steps import floor_words
from dashboard.runs.filter import RunFilter
from dashboard.runs.table import run_table
from dashboard.runs.words import (
    is_elsewhere,
    place_words,
    progress_words,
    status_badge,
    tag_badges,
    took,
)
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import count, plain, three_digits
from dashboard.shared.header import page_header

RENEW_SECONDS = 2.0
EPOCHS_SHOWN = 10


def live_answer(runs: list[Run], source: Source) -> None:
    """Show the answer; it renews itself while any run works."""
    st.fragment(_answer, run_every=_every(runs))(source.name, source.synthetic)


def live_list(runs: list[Run], wanted: RunFilter, chosen: Run | None) -> None:
    """Show the list of the wanted runs; it renews itself while any run works."""
    st.fragment(_list_section, run_every=_every(runs))(wanted, chosen)


def _every(runs: list[Run]) -> float | None:
    return RENEW_SECONDS if any(run.is_active for run in runs) else None


def _answer(source: str, synthetic: bool) -> None:
    with errors_as_sentences():
        page_header(runs_answer(service.list_runs()), source, synthetic, "All runs of this workspace")


def _list_section(wanted: RunFilter, chosen: Run | None) -> None:
    with errors_as_sentences():
        runs = service.list_runs()
        listed = [run for run in runs if wanted.keeps(run)]
        if listed:
            run_table(listed, runs, chosen, wanted.asks)
        else:
            st.info("No run has all of that. Take a word or a filter away.", icon=":material/search_off:")


def live_run(run: Run, others: list[Run]) -> None:
    """Show where a run stands; it renews itself until the run has ended, then the whole page once."""
    every = RENEW_SECONDS if run.is_active else None
    st.fragment(_run_section, run_every=every)(run.run, run.is_active, [other.run for other in others])


def live_throughput(run: Run, others: list[Run]) -> None:
    """Show the throughput of a training run; it renews itself while the run works."""
    every = RENEW_SECONDS if run.is_active else None
    st.fragment(_throughput, run_every=every)(run.run, [other.run for other in others])


def _throughput(run_id: str, others: list[str]) -> None:
    with errors_as_sentences():
        throughput_section(service.get(run_id), [service.get(other) for other in others])


def _run_section(run_id: str, was_active: bool, others: list[str]) -> None:
    with errors_as_sentences():
        run = service.get(run_id)
        if was_active and not run.is_active:
            st.rerun(scope="app")
        _standing(run)
        if run.kind == "train":
            beside = [service.get(other) for other in others]
            if words := beside_words(run, beside):
                st.markdown(f"**{plain(words)}**", help=BESIDE)
            curves_section(run, beside)
            if run.status == COMPLETED:
                st.caption(plain(floor_words(run)))
            learned_section(run)
            _epoch_table(run)
        family_section(run)


def _standing(run: Run) -> None:
    where = f" · {plain(place_words(run))}" if is_elsewhere(run) or run.is_away else ""
    how_far = plain(progress_words(run)) if run.is_active else f"took {took(run)}"
    st.markdown(f"{status_badge(run)} {how_far}{where} {tag_badges(run)}")
    if run.is_active:
        st.progress(run.share_done, text=None)
    if run.reason:
        show = {"failed": st.error, "completed": st.warning}.get(run.status, st.info)
        show(plain(run.reason))
    if run.notes:
        st.caption(plain(run.notes))


def _epoch_table(run: Run) -> None:
    """Show the validations, the best and the newest ones when there are many."""
    metrics = service.metric_columns(run.run)
    places, best = metrics.measured("val_loss"), metrics.best("val_auc")
    if not places.size:
        return
    shown = places[-EPOCHS_SHOWN:]
    if best is not None and best not in shown:
        shown = np.insert(shown, 0, best)
    rows = [_epoch_row(metrics, place, place == best) for place in shown]
    st.table(pd.DataFrame(rows).set_index("Epoch"), border="horizontal", alt="Validation figures of each epoch")
    if len(places) > len(shown):
        st.caption(f"The best and the last {EPOCHS_SHOWN} of {len(places)} validations; all are in the CSV file.")


def _epoch_row(metrics: MetricColumns, place: int, best: bool) -> dict[str, str]:
    def at(name: str) -> float | None:
        value = float(metrics.column(name)[place])
        return None if np.isnan(value) else value

    mark = ":material/star: **best**" if best else ""
    return {
        "Epoch": f"{count(at('epoch'))} {mark}".strip(),
        "Step": count(at("step")),
        "Validation loss": loss_words(at("val_loss")),
        "on certain labels": loss_words(at("val_loss_certain")),
        "Validation AUC": three_digits(at("val_auc")),
    }
