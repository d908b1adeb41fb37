"""The curves of a training run and of those beside it, with the figures where it stands."""

import html

import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.columns import MetricColumns
from cxr_core.runs.store import Run
from dashboard.charts.run_curves import (
    AXES,
    FEWER_POINTS,
    MOST_POINTS,
    SHAPES,
    Axis,
    DrawnRun,
    curves_chart,
    run_colors,
    run_points,
)
from dashboard.charts.run_figures import AUC, CERTAIN, LOSS, SPEED, WAITING, Figure
from dashboard.runs.words import have_one_scale, policy_words
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, pick_one
from dashboard.shared.formatting import NOTHING, count, percent, plain, three_digits
from dashboard.shared.theme import colors

_SMALL = 240


def curves_section(run: Run, others: list[Run]) -> None:
    """Show the latest figures of a training run, then its losses and AUC with those of the other runs."""
    metrics = service.metric_columns(run.run)
    if not metrics.n_rows:
        st.info("The first losses appear here some seconds after the network was built.", icon=":material/schedule:")
        return
    _latest_figures(metrics)
    axis, smoothing, log = _controls()
    charts = _Charts([run, *others], axis)
    charts.legend()
    same = [run, *(other for other in others if have_one_scale(run, other))]
    charts.show(LOSS, same, smoothing, log)
    if len(same) <= len(others):
        _tell_of_policies(run, [other for other in others if other not in same])
    left, right = st.columns(2)
    with left:
        charts.show(AUC, height=_SMALL)
    with right:
        charts.show(CERTAIN, log=log, height=_SMALL)


def throughput_section(run: Run, others: list[Run]) -> None:
    """Show how many images a second were trained on, and how much of the time waited for data."""
    metrics = service.metric_columns(run.run)
    if not metrics.measured("images_per_second").size:
        st.info("The throughput appears here with the first losses.", icon=":material/schedule:")
        return
    axis: Axis = st.session_state.get("loss-axis") or "step"
    smoothing = st.session_state.get("loss-smoothing") or 0.0
    charts = _Charts([run, *others], axis)
    charts.legend()
    charts.show(SPEED, smoothing=smoothing, height=_SMALL)
    charts.show(WAITING, smoothing=smoothing, height=_SMALL)


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
    latest, wait = metrics.latest, metrics.latest("data_wait")
    first = metrics.measured("first_stage_loss").size > 0
    if first and latest("loss") is None:
        _figures_of_first_stage(metrics)
        return
    if first:
        st.caption("The figures are of the second stage; the charts draw the first one before it, fainter.")
    with st.container(horizontal=True):
        _figure("Training loss", loss_words(latest("loss")), help_texts.TRAINING_LOSS)
        _figure("Validation loss", loss_words(latest("val_loss")), "Over all validation images.")
        _figure("Validation AUC", three_digits(latest("val_auc")), help_texts.VALIDATION_AUC, _best(metrics))
        _figure(
            "Step", count(latest("step")), "Batches that the network has learned from.", _rate(latest("learning_rate"))
        )
        waits = None if wait is None else f"{percent(wait)} waiting for data"
        _figure("Images per second", count(latest("images_per_second")), help_texts.THROUGHPUT, waits)


def _figures_of_first_stage(metrics: MetricColumns) -> None:
    """Show where the first of two stages stands; what it comes to is no figure of the run's model."""
    latest, told = metrics.latest, "Of the first stage, whose model gives the uncertain labels of the second their u."
    with st.container(horizontal=True):
        _figure("Training loss, first stage", loss_words(latest("first_stage_loss")), told)
        _figure("Validation loss, first stage", loss_words(latest("first_stage_val_loss")), told)
        _figure("Validation AUC, first stage", three_digits(latest("first_stage_val_auc")), told)
        _figure("Step", count(latest("step")), "Batches that the network has learned from.")
        _figure("Images per second", count(latest("images_per_second")), help_texts.THROUGHPUT)


def _rate(rate: float | None) -> str | None:
    return None if rate is None else f"learning rate {rate:.3g}"


def _figure(label: str, value: str, explained: str, below: str | None = None) -> None:
    st.metric(label, value, below, help=explained, border=True, delta_color="off", delta_arrow="off")


def _best(metrics: MetricColumns) -> str | None:
    place = metrics.best("val_auc")
    if place is None:
        return None
    epoch = metrics.column("epoch")[place]
    return f"best {three_digits(metrics.column('val_auc')[place])} in epoch {epoch:.0f}"


def _controls() -> tuple[Axis, float, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = pick_one("Horizontal axis", Options(AXES, "loss-axis"), "step", help_texts.RUN_AXIS)
        axis = next(axis for axis in AXES if axis == chosen)
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
    return axis, smoothing, log


def _tell_of_policies(run: Run, left_out: list[Run]) -> None:
    names = ", ".join(plain(f"{other.name} ({policy_words(other)})") for other in left_out)
    st.warning(
        f"Losses compare only among runs of one fixed treatment of uncertain labels. Beside {plain(run.name)} "
        f"({plain(policy_words(run))}) these are on another scale and are left out of the first chart: {names}. "
        "Compare them below, by the validation AUC and the validation loss on certain labels, which mean the same for "
        "every run.",
        icon=":material/balance:",
    )


class _Charts:
    """The charts of some runs, each run in one colour and shape in all of them."""

    def __init__(self, runs: list[Run], axis: Axis) -> None:
        self._runs, self._axis = runs, axis
        self._colors = run_colors({legend_name(run): run.name for run in runs}, colors())

    def legend(self) -> None:
        """Show which colour and mark is which run, once for all charts; of one run it says nothing new."""
        if len(self._runs) == 1:
            return
        entries = [
            f'<span style="white-space:nowrap"><span style="color:{color}" aria-hidden="true">{mark}</span> '
            f"{html.escape(name)}</span>"
            for (name, color), mark in zip(self._colors.items(), SHAPES.values(), strict=False)
        ]
        st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.25rem 1.25rem">{"".join(entries)}</div>')

    def show(
        self,
        figure: Figure,
        runs: list[Run] | None = None,
        smoothing: float = 0.0,
        log: bool = False,
        height: int = 340,
    ) -> None:
        """Draw one figure of all runs, or of the given ones."""
        shown = self._runs if runs is None else runs
        drawn = [DrawnRun(legend_name(one), service.metric_columns(one.run), steps_per_epoch(one)) for one in shown]
        most = FEWER_POINTS if height == _SMALL else MOST_POINTS
        points = run_points(drawn, figure, self._axis, smoothing, most)
        if points.empty:
            st.caption(f"{figure.title}: nothing was measured yet.")
            return
        more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
        st.altair_chart(
            curves_chart(points, figure, self._colors, self._axis, log, colors(), height),
            key=f"curves-{figure.unit}-{self._runs[0].run}",
            alt=f"{figure.title} of {shown[0].name}{more} by {self._axis}",
        )
