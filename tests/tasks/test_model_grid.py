import json

import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source

from cxr_core.errors import UsageError
from cxr_core.tasks.compare import compare
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.grid import model_grid


@pytest.fixture
def labels(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "200")
    return write_source(workspace)


def test_models_of_each_view_are_a_family_of_their_own(labels, workspace):
    for view in ("frontal", "lateral"):
        for seed in (1, 2):
            write_predictions(workspace, f"{view}-{seed}", scores_for(of_view(labels, view), seed, strength=seed))
    found = model_grid(NAME, ["frontal-1", "lateral-1", "frontal-2", "lateral-2"])
    assert {words: grid.models for words, grid in found.grids.items()} == {
        "frontal": ("frontal-1", "frontal-2"),
        "lateral": ("lateral-1", "lateral-2"),
    }
    for grid in found.grids.values():
        for model in grid.models:
            assert grid.figures[model].labels == evaluate(NAME, model).labels
    pair = compare(NAME, "frontal-2", "frontal-1").labels["edema"]
    cell = found.grids["frontal"].cells["edema"]["frontal-1"]
    assert (cell.difference, cell.p) == (pytest.approx(pair.difference), pytest.approx(pair.p))
    assert set(found.left_out.values()) == {0}


def test_images_that_not_all_models_of_a_view_predict_are_left_out_and_counted(labels, workspace):
    frontal = of_view(labels, "frontal")
    write_predictions(workspace, "a", scores_for(frontal, 1))
    write_predictions(workspace, "b", scores_for(frontal, 2, names=("edema", "fracture")).iloc[7:])
    found = model_grid(NAME, ["a", "b"])
    assert found.grids["frontal"].labels == ("edema", "fracture")
    assert found.left_out == {"a": 7, "b": 0}
    assert found.grids["frontal"].n_rows == 113


def test_a_grid_of_no_model_is_refused(labels):
    with pytest.raises(UsageError, match="at least one model"):
        model_grid(NAME, [])


def test_the_grid_of_several_models_is_printed_with_the_reason_of_what_is_not_tested(labels, workspace, cxr):
    for seed in (1, 2, 3):
        write_predictions(
            workspace, f"m{seed}", scores_for(of_view(labels, "frontal"), seed, strength=2.0 * (seed < 3))
        )
    done = cxr("compare", "m1", "m2", "m3", "--source", NAME, "--json")
    assert done.returncode == 0, done.stderr
    (group,) = json.loads(done.stdout)["groups"]
    assert group["models"] == ["m1", "m2", "m3"]
    marks = {cell["mark"] for row in group["labels"].values() for cell in row.values()}
    assert {"best", "behind"} <= marks <= {"best", "alike", "behind", "untested"}
    text = cxr("compare", "m1", "m2", "--grid", "average_precision", "--source", NAME).stdout
    assert text.startswith("average_precision on 120 images (frontal) of valid: * the best, or not told from it;")
    refused = cxr("compare", "m1", "m2", "--grid", "f1", "--source", NAME)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Unknown figure 'f1'" in refused.stderr
