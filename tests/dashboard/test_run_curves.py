"""What the curves of runs show: every peak, the best epoch, the last value; and nothing that the browser need not have."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_core.runs.columns import parse_columns
from dashboard.charts.palette import DARK, LIGHT, model_style
from dashboard.charts.run_curves import (
    MOST_MARKS,
    MOST_POINTS,
    MOST_RUNS,
    DrawnRun,
    curves_chart,
    run_colors,
    run_points,
    smoothed,
)
from dashboard.charts.run_figures import AUC, CERTAIN, FIRST_STAGE, LOSS, MEASURED, SPEED
from dashboard.charts.seed_curves import MEAN, SEED, seed_points, seeds_chart
from dashboard.charts.thinning import kept_places

ROWS = [
    {"step": 2, "epoch": 1, "time": 100.0, "loss": 0.6, "images_per_second": 50},
    {"step": 4, "epoch": 1, "time": 160.0, "loss": 0.4, "images_per_second": 70},
    {"step": 4, "epoch": 1, "time": 161.0, "val_loss": 0.5, "val_loss_certain": 0.3, "val_auc": 0.8},
]


def drawn(rows, name="mine", steps_per_epoch=4.0):
    return DrawnRun(name, parse_columns(b"".join(json.dumps(row).encode() + b"\n" for row in rows)), steps_per_epoch)


def part(points, name):
    return points[points["part"] == name]


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(4, 60))
def test_thinning_keeps_the_ends_and_every_stretchs_extremes(values, most):
    y = np.array(values)
    kept = kept_places(y, most)
    assert len(kept) <= max(most, 4)
    assert list(kept) == sorted(set(kept))
    assert {kept[0], kept[-1]} == {0, len(y) - 1}
    assert y[kept].min() == y.min()
    assert y[kept].max() == y.max()


def test_a_short_series_stays_whole():
    assert list(kept_places(np.zeros(7), 8)) == list(range(7))


@pytest.mark.parametrize(("axis", "x"), [("step", [2, 4]), ("epoch", [0.5, 1]), ("minutes", [0, 1])])
def test_losses_stand_by_step_epoch_or_time(axis, x):
    points = run_points([drawn(ROWS)], LOSS, axis)
    assert list(part(points, "Training")["x"]) == x
    assert list(part(points, "Training")["y"]) == [0.6, 0.4]
    assert list(part(points, "Validation")["y"]) == [0.5]


@pytest.mark.parametrize(("figure", "y"), [(AUC, 0.8), (CERTAIN, 0.3)])
def test_what_compares_between_policies_has_a_chart_of_its_own(figure, y):
    assert list(run_points([drawn(ROWS)], figure, "step")["y"]) == [y]


def test_smoothing_is_an_exponential_mean_whose_weights_add_up_to_one():
    # By hand with weights 1, .5, .25: 4; (8 + .5 * 4) / 1.5; (2 + .5 * 8 + .25 * 4) / 1.75
    assert smoothed(np.array([4.0, 8.0, 2.0]), 0.5) == pytest.approx([4, 10 / 1.5, 7 / 1.75])
    assert list(smoothed(np.array([4.0, 8.0]), 0.0)) == [4, 8]


def test_smoothing_shows_the_training_loss_as_measured_too_and_leaves_validation_alone():
    points = run_points([drawn(ROWS)], LOSS, "step", 0.5)
    assert list(part(points, MEASURED)["y"]) == [0.6, 0.4]
    assert list(part(points, "Training")["y"]) == pytest.approx([0.6, (0.4 + 0.5 * 0.6) / 1.5])
    assert list(part(points, "Validation")["y"]) == [0.5]


def long_run(n_rows=200_000, every=1000):
    """A loss with one spike, one trough and a best epoch in the middle."""
    rows = [
        {"step": n, "epoch": n // every, "time": float(n), "loss": 1.0, "images_per_second": 1.0} for n in range(n_rows)
    ]
    rows[123_456]["loss"], rows[77_777]["loss"] = 9.0, 0.1
    for epoch in range(1, n_rows // every):
        auc = 0.9 if epoch == 101 else 0.7
        rows.append({"step": epoch * every, "epoch": epoch, "time": 1.0, "val_loss": 0.5, "val_auc": auc})
    return rows


def test_of_200000_rows_the_browser_gets_few_but_every_peak_the_ends_and_the_best_epoch():
    run = drawn(long_run(), steps_per_epoch=1000)
    points = run_points([run], LOSS, "step", 0.0)
    training, validation = part(points, "Training"), part(points, "Validation")
    assert len(points) <= MOST_POINTS
    assert (training["y"].min(), training["y"].max()) == (0.1, 9.0)
    assert (training["x"].min(), training["x"].max()) == (0, 199_999)
    assert len(validation) == 199, "every validation"
    assert list(validation.loc[validation["best"], "x"]) == [101_000]
    assert validation["marked"].sum() <= MOST_MARKS
    assert not training["marked"].any()
    together = run_points([DrawnRun(str(n), run.metrics, 1000) for n in range(MOST_RUNS)], LOSS, "step", 0.9)
    assert len(together) <= MOST_POINTS + 2 * MOST_RUNS


def test_the_best_epoch_stays_when_validations_are_thinned():
    rows = [
        {"step": n, "epoch": n, "time": n, "val_loss": n % 7, "val_auc": 0.5 + (n == 4321) / 4} for n in range(9000)
    ]
    points = run_points([drawn(rows)], LOSS, "step")
    assert list(points.loc[points["best"], "x"]) == [4321]


def test_runs_of_one_chart_have_colours_of_their_own_and_the_first_that_of_its_model():
    names = {f"densenet_frontal_u0_0__w0_0 ({n})": "densenet_frontal_u0_0__w0_0" for n in range(MOST_RUNS)}
    for colors in (LIGHT, DARK):
        chosen = run_colors(names, colors)
        assert len(set(chosen.values())) == MOST_RUNS
        assert next(iter(chosen.values())) == model_style("densenet_frontal_u0_0__w0_0", False, colors).color


def chart(figure, log=False, rows=ROWS):
    return curves_chart(run_points([drawn(rows)], figure, "step"), figure, {"mine": "#0072B2"}, "step", log, LIGHT)


def test_training_and_validation_differ_in_dash_runs_in_colour_and_shape():
    spec = chart(LOSS, log=True).to_dict()
    lines, marks, rings = spec["layer"]
    assert lines["encoding"]["strokeDash"]["scale"]["domain"][:2] == ["Training", "Validation"]
    assert lines["encoding"]["color"]["scale"] == {"domain": ["mine"], "range": ["#0072B2"]}
    assert lines["encoding"]["y"]["scale"]["type"] == "log"
    assert marks["encoding"]["shape"]["scale"] == {"domain": ["mine"], "range": ["circle"]}
    assert marks["transform"] == [{"filter": "datum.marked"}]
    assert rings["transform"] == [{"filter": "datum.best"}]
    assert spec["title"][-1] == "ring: best epoch"


def test_a_log_axis_leaves_out_what_has_no_logarithm():
    spec = chart(LOSS, log=True, rows=[*ROWS, {"step": 5, "epoch": 2, "time": 170.0, "loss": 0.0}]).to_dict()
    (values,) = spec["datasets"].values()
    assert min(value["y"] for value in values) > 0


def test_throughput_says_its_unit_and_has_no_best_epoch():
    spec = chart(SPEED).to_dict()
    assert spec["layer"][0]["encoding"]["y"]["title"] == "images per second"
    assert "best" not in spec["title"]


def test_the_first_stage_of_self_training_is_drawn_before_the_second_and_fainter():
    first = [
        {"step": 2, "epoch": 1, "time": 0.0, "first_stage_loss": 0.9},
        {"step": 4, "epoch": 1, "time": 1.0, "first_stage_val_loss": 0.8, "first_stage_val_auc": 0.95},
    ]
    later = [row | {"step": row["step"] + 4, "time": row["time"] + 60} for row in ROWS]
    points = run_points([drawn([*first, *later])], LOSS, "step")
    assert set(points["part"]) == {"Training", "Validation", *FIRST_STAGE}
    assert [*part(points, FIRST_STAGE[0])["x"], *part(points, FIRST_STAGE[1])["x"]] == [2, 4]
    # The best epoch is one of the model that the run leaves, whatever the first stage came to.
    assert not part(points, FIRST_STAGE[1])["best"].any()
    assert part(points, "Validation")["best"].any()
    spec = curves_chart(points, LOSS, {"mine": "#000000"}, "step", False, LIGHT).to_dict()
    opacity = spec["layer"][0]["encoding"]["opacity"]["scale"]
    assert opacity["type"] == "ordinal", "else Vega-Lite draws all of them alike"
    strengths = dict(zip(opacity["domain"], opacity["range"], strict=True))
    assert strengths["Training"] == 1 > strengths[FIRST_STAGE[0]] == strengths[FIRST_STAGE[1]]


def test_each_seed_is_a_thin_line_behind_the_mean_of_those_epochs_that_all_have():
    def rows(*aucs):
        return drawn([{"step": n, "epoch": n, "time": 0.0, "val_auc": auc} for n, auc in enumerate(aucs, 1)]).metrics

    seeds = [(4, rows(0.6, 0.7, 0.9)), (5, rows(0.7, 0.8))]
    points = seed_points(seeds, AUC)
    mean = points[points["part"] == MEAN]
    assert list(mean["x"]) == [1, 2]
    assert list(mean["y"]) == pytest.approx([0.65, 0.75])
    assert len(points[points["part"] == SEED]) == 5
    assert set(points["line"]) == {"seed 4", "seed 5", MEAN.lower()}
    thin, thick = seeds_chart(points, AUC, "#0072B2", LIGHT).to_dict()["layer"]
    assert thin["mark"]["strokeWidth"] < thick["mark"]["strokeWidth"]
    assert thin["mark"]["opacity"] < thick["mark"]["opacity"]
    alone = seed_points(seeds[:1], AUC)
    assert set(alone["part"]) == {SEED}
    assert seed_points([], AUC).empty
