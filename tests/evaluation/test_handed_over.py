"""What is shown while other labels are computed does not change when all are there."""

from dataclasses import replace

import numpy as np
import pytest
from brute_force import patient_rows, values_of

from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.grid import TO_COME, evaluate_grid
from cxr_core.evaluation.labels import evaluate_labels
from cxr_core.evaluation.results import BOOTSTRAP, FORMULA
from cxr_core.progress import receiving


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    y, scores, patients = patient_rows(1, n=400, patients=200, shift=1.0)
    values = {"edema": values_of(y), "fracture": values_of(1 - y), "lung_lesion": np.zeros(400)}
    first = {"edema": scores, "fracture": -scores, "lung_lesion": scores}
    return values, first, {label: one + rng.normal(size=400) for label, one in first.items()}, patients


def test_the_figures_of_a_label_are_those_that_stand_there_in_the_end(rows):
    values, scores, _, patients = rows
    parts = []
    with receiving(parts.append):
        found = evaluate_labels(values, scores, patients, 100, 10, FORMULA)
    assert {part.label: part for part in parts} == found.labels
    assert parts[0].roc_auc_ci
    assert parts[2].roc_auc is None


def test_a_label_that_is_resampled_comes_when_it_has_its_interval(rows):
    values, scores, _, patients = rows
    parts = []
    with receiving(parts.append):
        found = evaluate_labels(values, scores, patients, 100, 10, BOOTSTRAP)
    assert parts == []
    assert found.labels["edema"].ci_method == BOOTSTRAP


def test_the_cells_of_a_grid_come_without_marks_which_all_labels_decide(rows):
    values, first, second, patients = rows
    parts = []
    with receiving(parts.append):
        grid = evaluate_grid(values, {"a": first, "b": second}, patients, 100, 10, method=FORMULA)
    assert [row[0].label for row in parts] == list(grid.labels)
    for cell in (cell for row in parts for cell in row):
        final = grid.cells[cell.label][cell.model]
        assert (cell.value, cell.ci, cell.n, cell.n_positive) == (final.value, final.ci, final.n, final.n_positive)
        assert (cell.mark, cell.p, cell.p_corrected, cell.difference) == (TO_COME, None, None, None)


def test_the_difference_of_a_label_comes_before_its_correction_for_all(rows):
    values, first, second, patients = rows
    parts = []
    with receiving(parts.append):
        found = compare_labels(values, first, second, patients, 10)
    assert [part.label for part in parts] == list(found.labels)
    uncorrected = [replace(one, p_corrected=None, ci_corrected=None) for one in found.labels.values()]
    assert parts == uncorrected
    assert found.labels["edema"].p_corrected is not None
