import numpy as np
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from sklearn import metrics

from cxr_core.errors import UnknownNameError
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.subgroups import subgroups, ways_to_split
from cxr_core.warehouse.parquet import write_table


@pytest.fixture
def labels(workspace, monkeypatch):
    """The small source with two further columns in its label tables, and the model net."""
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    frame = write_source(workspace)
    frame = frame.assign(sex=np.where(frame["patient"] % 2 == 0, "F", "M"), age=frame["patient"] % 90)
    for code, name in ((1, "valid"), (2, "test")):
        write_table(workspace / "sources" / NAME / f"labels_{name}.parquet", frame[frame["dataset"] == code])
    write_predictions(workspace, "net", scores_for(frame, 1))
    return frame


def test_a_source_is_split_by_view_data_set_and_its_further_columns(labels):
    assert ways_to_split(NAME) == ["view", "dataset", "sex", "age"]


def test_the_groups_of_a_column_equal_scikit_learn_on_their_rows(labels):
    scores = scores_for(labels, 1)
    found = subgroups(NAME, "net", "edema", "sex", threshold=0.0)
    assert [one.group for one in found.groups] == ["F", "M"]
    for one in found.groups:
        rows = (labels["sex"] == one.group) & (labels["dataset"] == 1) & (labels["edema"] != 2)
        true, predicted = labels.loc[rows, "edema"] == 3, scores.loc[rows, "edema"]
        assert one.evaluation.roc_auc == pytest.approx(metrics.roc_auc_score(true, predicted), abs=1e-12)
        assert one.point.sensitivity.value == pytest.approx(metrics.recall_score(true, predicted >= 0))


def test_views_and_data_sets_are_groups_in_the_order_of_the_schema(labels):
    assert [one.group for one in subgroups(NAME, "net", "edema", "view").groups] == ["frontal", "lateral"]
    found = subgroups(NAME, "net", "edema", "dataset").groups
    assert [one.group for one in found] == ["valid", "test"]
    assert found[1].evaluation == evaluate(NAME, "net", "test").labels["edema"]


def test_ages_come_in_bands(labels):
    groups = [one.group for one in subgroups(NAME, "net", "edema", "age").groups]
    assert set(groups) <= {"0 to below 20", "20 to below 40", "40 to below 60", "60 to below 80", "80 and more"}


def test_an_unknown_column_or_label_is_answered_with_the_choices(labels, workspace):
    with pytest.raises(UnknownNameError, match="Unknown way to split 'ward'. Choose one of: view, dataset, sex, age"):
        subgroups(NAME, "net", "edema", "ward")
    write_predictions(workspace, "few", scores_for(of_view(labels, "frontal"), 1, names=("edema",)))
    with pytest.raises(UnknownNameError, match="label of model few 'fracture'"):
        subgroups(NAME, "few", "fracture", "sex")
