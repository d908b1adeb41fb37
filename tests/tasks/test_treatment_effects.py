import numpy as np
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source

from cxr_core.errors import DataError, UnknownNameError, UsageError
from cxr_core.sources.registry import get_source
from cxr_core.tasks.effects import treatment_effects


@pytest.fixture
def frontal(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    frame = of_view(write_source(workspace), "frontal")
    scores = scores_for(frame, 1)
    write_predictions(workspace, "ignore", scores)
    moved = scores.assign(edema=scores["edema"] + 2.0 * (frame["edema"] == 2).to_numpy())
    write_predictions(workspace, "positive", moved.iloc[::-1])
    return frame


def test_the_shift_of_each_group_is_found_on_the_rows_of_the_tables(frontal):
    found = treatment_effects(NAME, ["ignore", "positive"], "ignore", "edema")
    assert found.models == ("ignore", "positive")
    assert {group: moved.shifts["positive"].mean for group, moved in found.groups.items()} == pytest.approx(
        {"positive": 0.0, "uncertain": 2.0, "negative": 0.0}
    )
    valid = frontal[frontal["dataset"] == 1]
    assert found.groups["uncertain"].n == (valid["edema"] == 2).sum()
    assert "not known" in found.placements["ignore"].why["really_positive"]


def test_on_the_demo_it_is_known_what_the_uncertain_ones_really_were(demo, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    models = ["densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"]
    found = treatment_effects("demo", models, models[0], "pneumonia")
    warehouse = get_source("demo").warehouse()
    labels = warehouse.labels("valid", "frontal").merge(warehouse.truth(), on="path", suffixes=("", "_true"))
    uncertain = labels[labels["pneumonia"] == 2]
    placed = found.placements[models[0]]
    assert placed.n == len(uncertain) > 0
    assert placed.really_positive == pytest.approx(uncertain["pneumonia_true"].mean())
    assert 0 <= placed.auc_really <= 1


def test_what_cannot_be_set_beside_each_other_is_refused(frontal, workspace):
    with pytest.raises(UsageError, match="two models or more"):
        treatment_effects(NAME, ["ignore"], "ignore", "edema")
    with pytest.raises(UsageError, match="The baseline must be one of"):
        treatment_effects(NAME, ["ignore", "positive"], "negative", "edema")
    with pytest.raises(UnknownNameError, match="Unknown label 'oedema'"):
        treatment_effects(NAME, ["ignore", "positive"], "ignore", "oedema")
    write_predictions(workspace, "score", scores_for(frontal, 3), "score")
    with pytest.raises(UsageError, match="one scale. Received: logit, score"):
        treatment_effects(NAME, ["ignore", "score"], "ignore", "edema")
    write_predictions(workspace, "broken", scores_for(frontal, 3).assign(edema=np.nan))
    with pytest.raises(DataError, match="NaN or infinite"):
        treatment_effects(NAME, ["ignore", "broken"], "ignore", "edema")
