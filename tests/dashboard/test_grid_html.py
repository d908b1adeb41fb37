"""Models beside labels as one table: three states, short names, text as text."""

import pytest
from html_tables import full_names, html_tables

from cxr_core.evaluation.grid import Grid, GridCell
from cxr_core.tasks.grid import ModelGrid
from dashboard.charts.model_grid import LEGEND, cell_words, grid_html, heat, legend_words
from dashboard.charts.palette import LIGHT
from dashboard.shared.comparison_tables import answer, grid_notes
from dashboard.shared.short_names import left_out, short_names

FEW = "only 12 patients with a positive label; an interval needs at least 30"


def cell(model, label, value, mark, **more):
    return GridCell(model, label, value, None, 100, 10, mark, **more)


def grid(**rows):
    """A grid of models a, b, c from label -> [(value, mark, why), …]."""
    cells = {
        label: {model: cell(model, label, *found[:2], why=found[2]) for model, found in zip("abc", row, strict=True)}
        for label, row in rows.items()
    }
    return Grid("roc_auc", ("a", "b", "c"), cells, "The family", 100, {})


THREE = grid(
    edema=[(0.8, "best", None), (0.7921, "alike", None), (0.7, "behind", None)],
    fracture=[(0.9, "untested", FEW), (0.5, "untested", FEW), (0.6, "untested", FEW)],
    mean=[(0.85, "best", None), (0.85, "best", None), (None, "untested", "there is none")],
)
POLICIES = dict.fromkeys("abc", "ignore (u 0, w 0)")


def test_each_state_has_its_own_sign_and_an_undefined_figure_has_none():
    (table,) = html_tables(grid_html(THREE, dict(zip("abc", "abc", strict=True)), POLICIES))
    assert list(table.loc["Edema"]) == ["● 0.800", "● 0.792", "▼ 0.700"]
    assert list(table.loc["Fracture"]) == ["? 0.900", "? 0.500", "? 0.600"]
    assert list(table.loc["Mean"]) == ["● 0.850", "● 0.850", "–"]
    assert list(table.loc["Uncertain labels"]) == ["ignore (u 0, w 0)"] * 3
    assert all(sign in legend_words() for sign in LEGEND)


def test_the_reason_of_what_is_not_tested_stands_below_in_full_width():
    grids = ModelGrid("demo", "valid", None, "roc_auc", {"frontal": THREE}, {"a": 3, "b": 0, "c": 1})
    notes = grid_notes(grids, THREE, {"a": "a", "b": "b", "c": "c"})
    assert notes[0] == f"? Not tested: Fracture: {FEW}."
    assert "100 images. The family." in notes
    assert "3 images of a left out, as others do not predict them." in notes
    assert "1 image of c left out, as others do not predict it." in notes


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ([(0.8, "best"), (0.79, "alike"), (0.7, "behind")], "a ranks best: mean AUC 0.800; 1 cannot be told from it, 1 ranks below it"),
        ([(0.8, "best"), (0.8, "best"), (0.7, "behind")], "a and b rank best alike: mean AUC 0.800; 1 ranks below it"),
        ([(0.8, "untested"), (0.7, "untested"), (0.7, "untested")], f"a has the largest mean AUC 0.800; whether others differ is not tested: {FEW}"),
        ([(0.8, "best"), (None, "untested"), (None, "untested")], "a: mean AUC 0.800"),
        ([(None, "untested")] * 3, "Nothing to compare yet"),
    ],
)  # fmt: skip
def test_the_title_names_all_that_are_best_and_does_not_call_the_untested_worse(means, said):
    found = grid(mean=[(value, mark, FEW) for value, mark in means])
    assert answer(ModelGrid("demo", "valid", None, "roc_auc", {"frontal": found}, {})) == said


def test_behind_a_cell_stand_its_interval_its_n_and_the_corrected_difference():
    behind = cell("c", "edema", 0.7, "behind", difference=0.1, difference_ci=(0.02, 0.18), p=0.0001, p_corrected=0.012)
    assert cell_words(behind) == (
        "n = 100 images, 10 positive; 0.100 below the best (corrected: +0.020 to +0.180, p 0.012)"
    )
    assert cell_words(cell("c", "edema", 0.7, "untested", why=FEW)).endswith(f"not tested: {FEW}")


def test_names_and_policies_with_markup_are_text():
    evil = "<img src=x onerror=alert(1)>"
    found = Grid("roc_auc", (evil,), {"edema": {evil: cell(evil, "edema", 0.8, "best", why=evil)}}, "", 1, {})
    drawn = grid_html(found, {evil: evil}, {evil: evil})
    assert "<img" not in drawn
    assert full_names(drawn) == [evil]


def test_colours_go_from_pale_to_strong():
    assert heat(0.5, 0.5, LIGHT) == LIGHT.sequential[0]
    assert heat(0.2, 0.5, LIGHT) == LIGHT.sequential[0]
    assert heat(1.0, 0.5, LIGHT) == LIGHT.sequential[-1]
    assert heat(0.75, 0.5, LIGHT) == LIGHT.sequential[2]


def test_short_names_keep_what_differs():
    names = [f"densenet_frontal_{policy}" for policy in ("u0_0__w0_0", "u0_0__w1_0", "u0_5__w0_25")]
    assert list(short_names([*names, "my-ensemble"]).values()) == [
        "u0_0__w0_0", "u0_0__w1_0", "u0_5__w0_25", "my-ensemble",
    ]  # fmt: skip
    assert left_out(short_names([*names, "my-ensemble"])) == ["densenet_frontal_"]


def test_names_of_two_views_keep_the_view_and_a_common_end_goes_too():
    names = ["densenet_frontal_u0_0__w0_0", "densenet_lateral_u0_0__w0_0"]
    assert list(short_names(names).values()) == ["frontal", "lateral"]


@pytest.mark.parametrize("names", [["a"], ["same_a", "same_b"], ["x", "x_y"], ["1", "2"], ["a-b", "a_b"], []])
def test_short_names_are_never_empty_and_never_the_same(names):
    found = short_names(names)
    assert list(found) == names
    assert all(found.values())
    assert len(set(found.values())) == len(names)


def test_a_long_name_loses_its_middle():
    (short,) = short_names(["a" * 40 + "-2026"]).values()
    assert len(short) <= 26
    assert short.startswith("aaa")
    assert short.endswith("-2026")
