import pandas as pd
import pytest

from cxr_core.errors import TableError
from cxr_core.warehouse.studies import join_studies, study_labels

LABELS = pd.DataFrame(
    {
        "path": ["a1", "a2", "b1", "b", "c1", "d1", "d2"],
        "patient": [1, 1, 2, 2, 3, 4, 4],
        "study": [1, 1, 1, 1, 1, 1, 1],
        "image": [1, 2, 1, 0, 1, 1, 2],
        "edema": [0, 3, 3, 1, 2, -1, 1],
        "fracture": [1, 1, 0, 0, 0, -1, -1],
    }
)
NAMES = ["edema", "fracture"]


def test_a_study_has_its_own_row_or_the_largest_code_of_its_images():
    found = study_labels(LABELS, NAMES)
    assert found["edema"].tolist() == [3, 1, 2, 1]
    assert found["fracture"].tolist() == [1, 0, 0, -1]


def test_studies_whose_images_state_different_codes_disagree():
    # Patient 2 has a study row, which settles it; a missing code contradicts nothing.
    assert study_labels(LABELS, NAMES)["disagree"].tolist() == [True, False, False, False]


def predictions(patients):
    keys = {"path": [f"s{p}" for p in patients], "patient": patients, "study": 1, "image": 0, "view": -1, "dataset": 1}
    return pd.DataFrame(keys | {"edema": [float(p) for p in patients], "fracture": 0.0})


def test_study_predictions_meet_the_labels_of_their_study():
    found = join_studies(predictions([4, 1, 9]), LABELS, NAMES, "logit")
    assert found.frame["path"].tolist() == ["s1", "s4"]
    assert found.frame["true_edema"].tolist() == [3, 1]
    assert found.frame["predicted_edema"].tolist() == [1.0, 4.0]
    assert found.frame["view"].tolist() == [-1, -1]
    assert (found.n_predictions, found.unmatched, found.duplicated, found.disagreeing) == (3, 1, 0, 1)


def test_a_study_that_is_predicted_twice_is_refused():
    with pytest.raises(TableError, match="each study once. Received 1 study more"):
        join_studies(predictions([1, 1]), LABELS, NAMES, "logit")
