import json

import numpy as np
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from scipy.special import expit

from cxr_core.errors import UsageError
from cxr_core.tasks.details import all_details
from cxr_core.tasks.evaluate import label_curves


@pytest.fixture
def model(workspace):
    labels = of_view(write_source(workspace, 300), "frontal")
    write_predictions(workspace, "net", scores_for(labels, 1, names=("edema", "fracture")))
    write_predictions(workspace, "ranks", scores_for(labels, 1, names=("edema",)), "score")
    return labels


def test_the_details_are_of_the_certain_rows_of_the_label(model):
    found = all_details(NAME, "net", "test", None, "report")["edema"]
    rows = label_curves(NAME, "net", "edema", "test").rows
    assert found.calibration.observed_to_expected == pytest.approx(rows.y.sum() / expit(rows.scores).sum())
    fourth = found.net_benefit[3]
    called = expit(rows.scores) >= 0.04
    assert fourth.threshold == 0.04
    assert fourth.model == pytest.approx(
        np.mean(called & (rows.y == 1)) - np.mean(called & (rows.y == 0)) * 0.04 / 0.96
    )


def test_scores_have_no_probabilities_but_a_part_of_the_curve(model):
    found = all_details(NAME, "ranks", "test", None, "report")["edema"]
    assert "calibration needs logits or probabilities" in found.why
    assert found.net_benefit == () and found.calibration.slope is None and found.roc_part.partial_auc is not None
    with pytest.raises(UsageError, match="specificity"):
        all_details(NAME, "net", "test", None, "report", 1.0)


def test_the_command_prints_them_beside_the_figures(model, cxr):
    arguments = ("evaluate", "net", "--dataset", "test", "--source", NAME, "--details", "--specificity", "0.8")
    said = json.loads(cxr(*arguments, "--json").stdout)["labels"]["edema"]
    assert said["details"]["roc_part"]["specificity"] == 0.8
    assert len(said["details"]["decision_curve"]) == 99
    assert {"slope", "slope_ci", "intercept", "observed_to_expected"} <= said["details"]["calibration"].keys()
    assert "sensitivity at 0.8" in cxr(*arguments).stdout
