"""The part of the Runs page that renews itself while a run works."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.store import Run
from cxr_core.sources.source import Source
from dashboard.charts.losses import AXES, Axis, loss_chart, loss_points
from dashboard.charts.palette import model_style
from dashboard.parts import help_texts
from dashboard.parts.downloads import download_table
from dashboard.parts.errors import errors_as_sentences
from dashboard.parts.formatting import count, three_digits
from dashboard.parts.header import page_header
from dashboard.parts.run_table import run_table
from dashboard.parts.run_words import progress_words, runs_answer, share_done, status_badge, took
from dashboard.parts.theme import colors

RENEW_SECONDS = 2.0


def live_list(runs: list[Run], chosen: Run, source: Source) -> None:
    """Show the answer and the list of runs; both renew themselves while any run works."""
    working = any(run.is_active for run in runs)
    st.fragment(_list_section, run_every=RENEW_SECONDS if working else None)(chosen.run, source.name, source.synthetic)


def _list_section(chosen: str, source: str, synthetic: bool) -> None:
    with errors_as_sentences():
        runs = service.list_runs()
        page_header(runs_answer(runs), source, synthetic, "All runs of this workspace")
        run_table(runs, chosen)


def live_run(run: Run, others: list[Run]) -> None:
    """Show where a run stands; it renews itself until the run has ended, then the whole page once."""
    every = RENEW_SECONDS if run.is_active else None
    st.fragment(_run_section, run_every=every)(run.run, run.is_active, [other.run for other in others])


def _run_section(run_id: str, was_active: bool, others: list[str]) -> None:
    with errors_as_sentences():
        run = service.get(run_id)
        if was_active and not run.is_active:
            st.rerun(scope="app")
        _standing(run)
        if run.kind == "train":
            _losses(run, [service.get(other) for other in others])


def _standing(run: Run) -> None:
    st.markdown(f"{status_badge(run)} {progress_words(run) if run.is_active else f'took {took(run)}'}")
    if run.is_active:
        st.progress(share_done(run), text=None)
    if run.reason:
        show = st.error if run.status == "failed" else st.info
        show(run.reason)


def _losses(run: Run, others: list[Run]) -> None:
    rows = service.read_metrics(run.run)
    if not rows:
        st.info("The first losses appear here some seconds after the network was built.", icon=":material/schedule:")
        return
    _latest_figures(rows)
    axis, smoothing, log = _chart_controls()
    shown = [(run, rows)] + [(other, service.read_metrics(other.run)) for other in others]
    points = [loss_points(_line_name(r), m, axis, smoothing, steps_per_epoch(r)) for r, m in shown]
    styles = {_line_name(r): model_style(r.name, False, colors()) for r, _ in shown}
    st.altair_chart(
        loss_chart(pd.concat(points), styles, axis, log, colors()),
        key=f"losses-{run.run}",
        alt=f"Training and validation loss of {run.name} by {axis}",
    )
    _epoch_table(run, rows)


def _latest_figures(rows: list[dict[str, Any]]) -> None:
    with st.container(horizontal=True):
        step = _latest(rows, "step")
        st.metric("Training loss", _loss(_latest(rows, "loss")), help="Mean since the last row.", border=True)
        st.metric("Validation loss", _loss(_latest(rows, "val_loss")), help="Over all validation images.", border=True)
        st.metric("Validation AUC", three_digits(_latest(rows, "val_auc")), help=help_texts.VALIDATION_AUC, border=True)
        st.metric("Step", count(step), help="Batches that the network has learned from.", border=True)
        st.metric("Images per second", count(_latest(rows, "images_per_second")), help="Throughput.", border=True)


def _chart_controls() -> tuple[Axis, int, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.segmented_control("Horizontal axis", AXES, default="step", required=True, key="loss-axis")
        smoothing = st.slider("Smoothing", 1, 50, 1, key="loss-smoothing", help=help_texts.SMOOTHING, width=220)
        log = st.toggle("Log scale", key="loss-log", help="Shows small late changes of the loss.")
    return axis or "step", smoothing, log


def _epoch_table(run: Run, rows: list[dict[str, Any]]) -> None:
    epochs = [_epoch_row(row) for row in rows if row.get("val_loss") is not None]
    if epochs:
        st.table(pd.DataFrame(epochs).set_index("Epoch"), border="horizontal", alt="Validation figures of each epoch")
    download_table(pd.DataFrame(rows), f"{run.run}-metrics.csv", "Download metrics")


def _epoch_row(row: dict[str, Any]) -> dict[str, str]:
    return {
        "Epoch": count(row.get("epoch")),
        "Step": count(row.get("step")),
        "Validation loss": _loss(row.get("val_loss")),
        "Validation AUC": three_digits(row.get("val_auc")),
    }


def steps_per_epoch(run: Run) -> float:
    """Return how many steps of a training run make an epoch."""
    epochs = run.config.get("options", run.config).get("epochs") or 1
    return max(1.0, (run.steps or epochs) / epochs)


def _line_name(run: Run) -> str:
    return f"{run.name} ({run.run})"


def _latest(rows: list[dict[str, Any]], name: str) -> float | None:
    return next((row[name] for row in reversed(rows) if row.get(name) is not None), None)


def _loss(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.4f}"
