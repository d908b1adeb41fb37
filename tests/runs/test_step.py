import time

import pytest

from cxr_core.runs import step as step_module
from cxr_core.runs.identity import own_identity
from cxr_core.runs.step import StepContext
from cxr_core.runs.store import Run, RunStore


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(step_module, "time", clock)
    return clock


@pytest.fixture
def context(workspace, clock):
    store = RunStore(workspace)
    run = Run("id", "train", "m", "demo", time.time(), time.time(), "u", "h", {}, own_identity())
    store.insert(run)
    store.run_folder("id").mkdir(parents=True)
    return StepContext(store, run)


def stored(workspace):
    return RunStore(workspace).get("id")


def test_the_time_left_follows_the_pace_after_the_first_step(context, clock, workspace):
    context.progress(0, 100)
    clock.now += 60  # the first step builds the graph, which says nothing of the others
    context.progress(1, 100)
    clock.now += 20
    context.progress(11, 100)
    assert stored(workspace).eta_seconds == pytest.approx(2 * 89)


def test_a_resumed_run_counts_its_pace_from_where_it_went_on(context, clock, workspace):
    context.progress(50, 100)
    clock.now += 60
    context.progress(51, 100)
    clock.now += 3
    context.progress(54, 100)
    assert stored(workspace).eta_seconds == pytest.approx(46)


def test_figures_are_shown_once_a_second_but_a_new_message_at_once(context, clock, workspace):
    context.metrics({"step": 1, "loss": 0.5})
    clock.now += 0.1
    context.metrics({"step": 2, "loss": 0.4})
    assert stored(workspace).loss == 0.5
    context.progress(2, 10, message="Validating")
    assert (stored(workspace).loss, stored(workspace).message) == (0.4, "Validating")
    clock.now += 0.1
    context.metrics({"step": 3, "loss": 0.3})
    assert stored(workspace).loss == 0.4
    context.flush()
    assert stored(workspace).loss == 0.3


def test_a_row_without_a_figure_leaves_the_one_shown(context, clock, workspace):
    context.metrics({"step": 1, "loss": 0.5})
    clock.now += 2
    context.metrics({"step": 1, "val_loss": 0.7, "val_auc": None})
    run = stored(workspace)
    assert (run.loss, run.val_loss, run.val_auc) == (0.5, 0.7, None)


def test_a_signal_that_comes_while_the_place_is_asked_is_heard(context):
    asked = StepContext(context._desk, context._run, lambda: bool(asked.ask_to_stop()))
    assert asked.cancelled()
    assert asked.cancelled()
