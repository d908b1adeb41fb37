import json

import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from sklearn import metrics

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import LABELS
from cxr_core.tasks.compare import compare


@pytest.fixture
def labels(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    return write_source(workspace)


def auc(labels, scores, label):
    both = labels.merge(scores, on="path", suffixes=("", "_predicted"))
    both = both[(both["dataset"] == 1) & (both[label] != 2)]
    return metrics.roc_auc_score(both[label] == 3, both[f"{label}_predicted"])


def test_the_difference_is_that_of_the_images_that_both_predict(labels, workspace):
    frontal = of_view(labels, "frontal")
    a, b = scores_for(frontal, 1, strength=2.0), scores_for(frontal, 2, strength=0.5)
    write_predictions(workspace, "a", a.iloc[5:])
    write_predictions(workspace, "b", b.iloc[:-3].iloc[::-1])
    found = compare(NAME, "a", "b")
    shared = frontal.iloc[5:-3]
    assert (found.n_images, found.only_a, found.only_b) == (115, 0, 5)
    for label in LABELS:
        expected = auc(shared, a, label) - auc(shared, b, label)
        assert found.labels[label].difference == pytest.approx(expected, abs=1e-12)
    assert found.mean.ci[0] > 0


def test_the_json_is_the_contracts(labels, workspace):
    frontal = of_view(labels, "frontal")
    write_predictions(workspace, "a", scores_for(frontal, 1))
    write_predictions(workspace, "b", scores_for(frontal, 2, names=("edema", "fracture")))
    found = json.loads(json.dumps(compare(NAME, "a", "b").as_json(), allow_nan=False))
    assert list(found) == ["a", "b", "dataset", "judge", "family", "labels", "mean"]
    assert list(found["labels"]) == ["edema", "fracture"]
    contract = ["n", "difference", "ci", "p", "p_corrected", "p_delong", "why"]
    assert list(found["labels"]["edema"]) == [*contract, "ci_corrected", "state", "ci_method"]
    assert found["family"] == "Holm over 2 tests, one for each label that can be tested: AUC(a) - AUC(b) on valid"


def test_a_model_and_itself_have_no_p(labels, workspace):
    write_predictions(workspace, "a", scores_for(of_view(labels, "frontal"), 1))
    found = compare(NAME, "a", "a")
    assert {f.difference for f in found.labels.values()} == {0.0}
    assert {f.p for f in found.labels.values()} == {None}
    assert "alike" in found.labels["edema"].why["p"]
    assert found.family.startswith("Holm over 0 tests")


def test_models_of_different_views_share_no_images(labels, workspace):
    write_predictions(workspace, "front", scores_for(of_view(labels, "frontal"), 1))
    write_predictions(workspace, "side", scores_for(of_view(labels, "lateral"), 2))
    with pytest.raises(UsageError) as error:
        compare(NAME, "front", "side")
    assert "front predicts 120 labelled images (frontal); side predicts 120 labelled images (lateral)" in str(
        error.value
    )
    assert "ensemble --by study" in str(error.value)


def test_an_unknown_model_is_answered_with_the_choices(labels, workspace):
    write_predictions(workspace, "a", scores_for(of_view(labels, "frontal"), 1))
    with pytest.raises(UnknownNameError, match="Unknown model 'b'. Choose one of: a."):
        compare(NAME, "a", "b")
