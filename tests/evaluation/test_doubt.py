import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_core.evaluation.confident import (
    class_thresholds,
    confident_joint,
    expected_classes,
    normalised_margin,
    self_confidence,
)
from cxr_core.evaluation.doubt import contradicts, label_doubt, precision_at
from cxr_core.evaluation.fitted import deal_patients
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.value_heads import value_probabilities

# Made by cleanlab 2.9.0: get_confident_thresholds, compute_confident_joint (calibrate=False) and, of `rank`, the two
# scores of each label, on drawn labels and probabilities.
BY_CLEANLAB = json.loads((Path(__file__).parent / "doubts_by_cleanlab.json").read_text())


@pytest.mark.parametrize("case", BY_CLEANLAB)
def test_thresholds_joint_and_both_scores_are_those_of_cleanlab(case):
    labels, probabilities = np.array(case["given"]), np.array(case["probabilities"])
    thresholds = class_thresholds(labels, probabilities)
    assert thresholds == pytest.approx(case["thresholds"], abs=1e-12)
    expected = expected_classes(probabilities, thresholds)
    assert confident_joint(labels, expected, probabilities.shape[1]).tolist() == case["joint"]
    assert self_confidence(labels, probabilities) == pytest.approx(case["self_confidence"], abs=1e-12)
    # cleanlab moves the margin m from [-1, 1] to [0, 1] as (m + 1) / 2.
    assert (normalised_margin(labels, probabilities) + 1) / 2 == pytest.approx(case["margin"], abs=1e-12)


@st.composite
def tables(draw):
    n = draw(st.integers(1, 25))
    labels = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    cells = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])
    rows = draw(st.lists(st.lists(cells, min_size=4, max_size=4).filter(sum), min_size=n, max_size=n))
    probabilities = np.array(rows)
    return np.array(labels), probabilities / probabilities.sum(axis=1, keepdims=True)


@given(tables())
def test_small_tables_are_what_loops_over_the_definition_find(table):
    labels, p = table
    thresholds = class_thresholds(labels, p)
    joint = np.zeros((4, 4), int)
    for k in range(4):
        own = [p[i, k] for i in range(len(labels)) if labels[i] == k]
        assert thresholds[k] == pytest.approx(sum(own) / len(own)) if own else np.isnan(thresholds[k])
    expected = expected_classes(p, thresholds)
    for i, label in enumerate(labels):
        reached = [k for k in range(4) if p[i, k] >= thresholds[k]]
        wanted = max(reached, key=lambda k: (p[i, k], -k)) if reached else -1
        assert expected[i] == wanted
        if reached:
            joint[label, wanted] += 1
    assert confident_joint(labels, expected, 4).tolist() == joint.tolist()


def rows_of_patients(seed=3, patients=120, flipped=0.1):
    """Codes and two features that tell them, three images a patient; some codes are turned round."""
    random = np.random.default_rng(seed)
    whose = np.repeat(np.arange(patients), 3)
    truth = random.choice([0, 1, 2, 3], whose.size, p=[0.5, 0.15, 0.1, 0.25])
    features = random.normal(0, 1, (whose.size, 2)) + np.array([[-1, 0], [-2, 1], [0.5, 0], [2.5, 0]])[truth]
    turned = (random.random(whose.size) < flipped) & (truth != 2)
    given_codes = np.where(turned, np.where(truth == 3, 0, 3), truth)
    return given_codes, features, whose, turned


def test_no_row_is_predicted_by_a_head_that_has_seen_its_patient():
    codes, features, patients, _ = rows_of_patients()
    found = value_probabilities(codes, features, patients)
    fold = deal_patients(patients, 5)
    for held_out in range(5):
        here = fold == held_out
        head = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-10, max_iter=5000))
        head.fit(features[~here], codes[~here])
        assert found.probabilities[here] == pytest.approx(head.predict_proba(features[here]), abs=1e-4)
    others = np.where(fold == 0, 3 - codes, codes)
    assert value_probabilities(others, features, patients).probabilities[fold == 0] == pytest.approx(
        found.probabilities[fold == 0]
    )


def test_labels_that_were_turned_round_come_first_and_only_contradictions_are_listed():
    codes, features, patients, turned = rows_of_patients()
    found = label_doubt(codes, features, patients)
    assert turned[found.rows[:20]].mean() > 0.8 > turned.mean() * 3
    assert all(before <= after for before, after in pairwise(found.probability))
    assert contradicts(found.given, found.expected).all()
    assert set(map(tuple, np.stack([found.given, found.expected]).T.tolist())) <= {(0, 3), (1, 3), (3, 0), (3, 1)}
    off = [(i, j) for i, j in ((0, 3), (1, 3), (3, 0), (3, 1))]
    assert sum(found.joint[i, j] for i, j in off) == found.rows.size
    assert found.n == codes.size
    assert found.words()[0].endswith("%") and " is expected; " in found.words()[0]


def test_values_of_few_patients_and_rows_that_lack_something_take_no_part():
    codes, features, patients, _ = rows_of_patients()
    codes = np.where((codes == 2) & (patients > 6), 0, codes)
    features[4] = np.nan
    codes[5] = -1
    found = label_doubt(codes, features, patients)
    assert not {4, 5} & set(found.taking_part.tolist())
    assert np.isnan(found.thresholds[2]) == (np.unique(patients[codes == 2]).size < 5)
    nothing = label_doubt(np.zeros(30, int), features[:30], patients[:30])
    assert (nothing.n, nothing.rows.size, nothing.joint.sum()) == (0, 0, 0)
    assert nothing.why == "no two of its values are on images of 5 patients or more, so none is told from another"


def test_the_precision_at_k_is_counted_with_the_interval_of_shares_by_patient():
    wrong = np.array([1, 1, 0, -1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0])
    patients = np.array([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12])
    first, end = precision_at(wrong, patients, (10, 25))
    assert (first.k, first.n_judged, first.n_wrong, first.precision) == (10, 9, 4, 4 / 9)
    assert first.ci is None and first.why["precision_ci"] == "only 8 patients; an interval needs at least 10"
    assert (end.k, end.n_judged, end.n_wrong) == (14, 13, 5)
    of_patients = [(2, 2), (0, 1), (1, 1), (0, 1), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1), (1, 1), (0, 2)]
    counting, images = np.array(of_patients, float).T
    assert end.ci == share_interval(counting, images).ci
    assert precision_at(wrong[:0], patients[:0]) == []
    nobody = precision_at(np.array([-1, -1]), np.array([1, 2]))
    assert (nobody[0].precision, nobody[0].why) == (None, {"precision": "nobody judged these images"})


@pytest.mark.parametrize(("given_value", "other", "so"), [(3, 0, 1), (3, 1, 1), (0, 3, 1), (1, 3, 1), (0, 1, 0), (2, 3, 0), (3, 2, 0), (3, -1, 0), (1, -1, 0)])  # fmt: skip
def test_present_contradicts_absent_and_nothing_else(given_value, other, so):
    assert contradicts(np.array([given_value]), np.array([other])).tolist() == [bool(so)]
