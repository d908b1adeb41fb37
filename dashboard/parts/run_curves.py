"""The curves of a training run and of those beside it, with the figures where it stands."""

import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.columns import MetricColumns
from cxr_core.runs.store import Run
from dashboard.charts.run_curves import (
    AUC,
    AXES,
    CERTAIN,
    LOSS,
    SPEED,
    WAITING,
    Axis,
    DrawnRun,
    Figure,
    curves_chart,
    run_colors,
    run_points,
)
from dashboard.parts import help_texts
from dashboard.parts.formatting import NOTHING, count, percent, three_digits
from dashboard.parts.run_words import have_one_policy, policy_words
from dashboard.parts.theme import colors

_SMALL = 240


def curves_section(run: Run, others: list[Run]) -> None:
    """Show the latest figures of a training run, then its losses and AUC with those of the other runs."""
    metrics = service.metric_columns(run.run)
    if not metrics.n_rows:
        st.info("The first losses appear here some seconds after the network was built.", icon=":material/schedule:")
        return
    _latest_figures(metrics)
    axis, smoothing, log = _controls()
    same = [run, *(other for other in others if have_one_policy([run, other]))]
    _chart(LOSS, run, same, axis, smoothing, log)
    if len(same) <= len(others):
        _tell_of_policies(run, [other for other in others if other not in same])
    left, right = st.columns(2)
    with left:
        _chart(AUC, run, [run, *others], axis, height=_SMALL)
    with right:
        _chart(CERTAIN, run, [run, *others], axis, log=log, height=_SMALL)


def throughput_section(run: Run, others: list[Run]) -> None:
    """Show how many images a second were trained on, and how much of the time waited for data."""
    metrics = service.metric_columns(run.run)
    if not metrics.measured("images_per_second").size:
        st.info("The throughput appears here with the first losses.", icon=":material/schedule:")
        return
    axis: Axis = st.session_state.get("loss-axis") or "step"
    smoothing = st.session_state.get("loss-smoothing") or 0.0
    _chart(SPEED, run, [run, *others], axis, smoothing, height=_SMALL)
    if metrics.measured(WAITING.parts["Training"]).size:
        _chart(WAITING, run, [run, *others], axis, smoothing, height=_SMALL)


def steps_per_epoch(run: Run) -> float:
    """Return how many steps of a training run make an epoch."""
    known = run.config.get("steps_per_epoch")
    if known:
        return float(known)
    epochs = run.config.get("options", run.config).get("epochs") or 1
    return max(1.0, (run.steps or epochs) / epochs)


def legend_name(run: Run) -> str:
    """Return what a legend calls a run: two may train a model of one name."""
    return f"{run.name} ({run.run})"


def loss_words(value: float | None) -> str:
    """Return a loss to four digits."""
    return NOTHING if value is None else f"{value:.4f}"


def _latest_figures(metrics: MetricColumns) -> None:
    latest = metrics.latest
    with st.container(horizontal=True):
        st.metric("Training loss", loss_words(latest("loss")), help="Mean since the last row.", border=True)
        st.metric("Validation loss", loss_words(latest("val_loss")), help="Over all validation images.", border=True)
        st.metric("Validation AUC", three_digits(latest("val_auc")), help=help_texts.VALIDATION_AUC, border=True)
        st.metric("Best validation AUC", _best(metrics), help=help_texts.BEST_AUC, border=True)
        st.metric("Step", count(latest("step")), help="Batches that the network has learned from.", border=True)
        st.metric("Images per second", count(latest("images_per_second")), help="Throughput.", border=True)
        if metrics.measured("data_wait").size:
            st.metric("Waits for data", percent(latest("data_wait")), help=help_texts.DATA_WAIT, border=True)


def _best(metrics: MetricColumns) -> str:
    place = metrics.best("val_auc")
    if place is None:
        return NOTHING
    epoch = metrics.column("epoch")[place]
    return f"{three_digits(metrics.column('val_auc')[place])} (epoch {epoch:.0f})"


def _controls() -> tuple[Axis, float, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = st.segmented_control(
            "Horizontal axis",
            AXES,
            default="step",
            required=True,
            key="loss-axis",
            bind="query-params",
            help=help_texts.RUN_AXIS,
        )
        smoothing = st.slider(
            "Smoothing",
            0.0,
            0.99,
            0.0,
            0.01,
            key="loss-smoothing",
            bind="query-params",
            help=help_texts.SMOOTHING,
            width=220,
        )
        log = st.toggle(
            "Log scale", key="loss-log", bind="query-params", help="Shows small late changes of the losses."
        )
    return axis or "step", smoothing, log


def _tell_of_policies(run: Run, left_out: list[Run]) -> None:
    names = ", ".join(f"{other.name} ({policy_words(other)})" for other in left_out)
    st.warning(
        f"Losses compare only among runs of one treatment of uncertain labels, and these have another than "
        f"{run.name} ({policy_words(run)}): {names}. Compare them below, by the validation AUC and by the validation "
        "loss on certain labels, which mean the same for every run.",
        icon=":material/balance:",
    )


def _chart(
    figure: Figure, run: Run, runs: list[Run], axis: Axis, smoothing: float = 0.0, log: bool = False, height: int = 340
) -> None:
    drawn = [DrawnRun(legend_name(one), service.metric_columns(one.run), steps_per_epoch(one)) for one in runs]
    chosen = run_colors({legend_name(one): one.name for one in runs}, colors())
    points = run_points(drawn, figure, axis, smoothing)
    if points.empty:
        st.caption(f"{figure.title}: nothing was measured yet.")
        return
    more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    st.altair_chart(
        curves_chart(points, figure, chosen, axis, log, colors(), height),
        key=f"curves-{figure.unit}-{run.run}",
        alt=f"{figure.title} of {run.name}{more} by {axis}",
    )
