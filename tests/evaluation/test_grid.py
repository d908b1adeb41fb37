import numpy as np
import pytest
from brute_force import patient_rows, values_of

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.grid import evaluate_grid


@pytest.fixture
def rows():
    """Two labels on 400 rows of 200 patients: a strong model, one much like it, a weak one."""
    rng = np.random.default_rng(0)
    y, strong, patients = patient_rows(1, n=400, patients=200, shift=2.0)
    models = {"weak": strong + 4 * rng.normal(size=400), "strong": strong, "like": strong + 0.1 * rng.normal(size=400)}
    values = {"edema": values_of(y), "fracture": values_of(1 - y)}
    return values, {name: {"edema": s, "fracture": -s} for name, s in models.items()}, patients


def test_the_best_is_marked_and_those_not_distinguishable_from_it_alike(rows):
    values, models, patients = rows
    grid = evaluate_grid(values, models, patients, 500, 10)
    assert grid.models == ("weak", "strong", "like")
    assert grid.labels == ("edema", "fracture")
    for label in (*grid.labels, "mean"):
        marks = {model: cell.mark for model, cell in grid.cells[label].items()}
        assert marks.pop("weak") == "behind"
        assert sorted(marks.values()) == ["alike", "best"]
        values_found = [cell.value for cell in grid.cells[label].values()]
        best = next(cell for cell in grid.cells[label].values() if cell.mark == "best")
        assert best.value == max(values_found)


def test_its_tests_are_those_of_the_paired_comparison(rows):
    values, models, patients = rows
    grid = evaluate_grid(values, models, patients, 500, 10)
    cells = grid.cells["edema"]
    best = next(model for model, cell in cells.items() if cell.mark == "best")
    others = [model for model in models if model != best]
    pairs = [compare_labels(values, models[best], models[m], patients, 10).labels["edema"] for m in others]
    assert [cells[m].p for m in others] == pytest.approx([pair.p for pair in pairs])
    assert [cells[m].difference for m in others] == pytest.approx([pair.difference for pair in pairs])
    mean = grid.cells["mean"]
    assert mean[others[0]].difference == pytest.approx(
        compare_labels(values, models[best], models[others[0]], patients, 10).mean.value
    )


def test_the_marks_are_corrected_over_all_pairs_of_models_on_all_labels_and_the_mean(rows):
    values, models, patients = rows
    grid = evaluate_grid(values, models, patients, 100, 10)
    assert grid.family == (
        "Marks, corrected p and intervals of differences hold over the whole grid: max-T over 9 differences of "
        "every two models on 2 tested labels and the mean. Of grids of equally good models, 5 % have a false mark"
    )
    more_labels = values | {f"other_{k}": values["edema"] for k in range(12)}
    rng = np.random.default_rng(5)
    larger = {
        model: scores | {f"other_{k}": rng.normal(size=400) for k in range(12)} for model, scores in models.items()
    }
    wide = evaluate_grid(more_labels, larger, patients, 100, 10).cells["edema"]
    narrow = grid.cells["edema"]
    told = [model for model in models if narrow[model].p is not None]
    assert all(wide[model].p == narrow[model].p for model in told)
    assert any(wide[model].p_corrected > narrow[model].p_corrected for model in told)


def test_a_mark_its_corrected_p_and_its_interval_say_the_same(rows):
    values, models, patients = rows
    found = [cell for row in evaluate_grid(values, models, patients, 100, 10).cells.values() for cell in row.values()]
    tested = [cell for cell in found if cell.p is not None]
    assert {cell.mark for cell in tested} == {"alike", "behind"}
    for cell in tested:
        low, high = cell.difference_ci
        assert (cell.mark == "behind") == (cell.p_corrected < 0.05) == (not low <= 0 <= high)
        assert cell.p <= cell.p_corrected


def test_average_precision_is_ranked_too_and_another_figure_is_refused(rows):
    values, models, patients = rows
    grid = evaluate_grid(values, models, patients, 200, 10, "average_precision")
    for model, cell in grid.cells["edema"].items():
        assert cell.value == grid.figures[model].labels["edema"].average_precision
    with pytest.raises(UnknownNameError, match="Unknown figure 'f1'"):
        evaluate_grid(values, models, patients, 200, 10, "f1")


def test_a_tie_of_equal_models_names_them_all(rows):
    values, models, patients = rows
    same = {"a": models["strong"], "b": {label: np.exp(s / 9) for label, s in models["strong"].items()}}
    cells = evaluate_grid(values, same, patients, 200, 10).cells["edema"]
    assert (cells["a"].mark, cells["b"].mark) == ("best", "best")
    assert (cells["b"].p, cells["b"].why) == (None, None)


def test_what_is_not_tested_is_a_state_of_its_own_with_its_reason(rows):
    values, models, patients = rows
    none = evaluate_grid(values | {"edema": np.zeros(400)}, models, patients, 200, 10)
    assert {cell.mark for cell in none.cells["edema"].values()} == {"untested"}
    assert {cell.why for cell in none.cells["edema"].values()} == {"there are no positives"}
    assert none.cells["mean"]["weak"].n == 1  # the mean is over the one label that is left
    few = evaluate_grid(values, models, patients, 200, 1000)
    assert {cell.mark for cell in few.cells["edema"].values()} == {"untested"}  # the largest of them too
    assert {"an interval needs at least 1000" in cell.why for cell in few.cells["edema"].values()} == {True}
    assert list(few.untested) == ["edema", "fracture"]
    assert few.untested["edema"] == few.cells["edema"]["weak"].why


def test_a_model_with_predictions_that_are_no_numbers_does_not_spoil_the_others(rows):
    values, models, patients = rows
    broken = models | {"broken": {label: np.full(400, np.nan) for label in values}}
    cells = evaluate_grid(values, broken, patients, 200, 10).cells["edema"]
    assert cells["broken"].value is None
    assert "missing, NaN or infinite" in cells["broken"].why
    assert cells["broken"].mark == "untested"
    assert sorted(cell.mark for model, cell in cells.items() if model != "broken") == ["alike", "behind", "best"]
