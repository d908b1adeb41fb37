import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_core.evaluation.landscape import Gain, auc_of_all, corrected_gains, label_landscape
from cxr_core.evaluation.simultaneous import Difference

MINIMUM = 10


def rows(seed, n=240, heads=12, better=()):
    """Truth, scores of heads that are equally good but for the better ones, and patients of two images each."""
    random = np.random.default_rng(seed)
    y = (random.random(n) < 0.4).astype(np.int64)
    scores = y * 1.0 + random.normal(0, 1, n) + random.normal(0, 0.7, (heads, n))
    for head in better:
        scores[head] += 3 * y
    return y, scores, np.arange(n) // 2


def landscape(seed, **named):
    y, scores, patients = rows(seed, **named)
    return label_landscape(np.where(y == 1, 3, 1), scores, patients, 0, MINIMUM)


def test_the_figures_are_those_of_scikit_learn():
    y, scores, _ = rows(1)
    scores = scores.round(1)
    found = label_landscape(np.where(y == 1, 3, 0), scores, np.arange(y.size), 0, MINIMUM)
    assert found.roc_auc == pytest.approx([roc_auc_score(y, one) for one in scores])
    assert auc_of_all(y, scores) == pytest.approx(found.roc_auc)
    assert found.average_precision == pytest.approx([average_precision_score(y, one) for one in scores])
    assert found.best == int(np.argmax(found.roc_auc))


def test_uncertain_rows_are_left_out():
    y, scores, patients = rows(2)
    values = np.where(y == 1, 3, 1)
    values[:60] = 2
    found = label_landscape(values, scores, patients, 0, MINIMUM)
    assert found.n == 180
    assert found.roc_auc[3] == pytest.approx(roc_auc_score(y[60:], scores[3, 60:]))


def test_a_gain_of_choosing_among_equals_is_none_on_average_though_the_best_looks_better():
    found = [landscape(seed) for seed in range(60)]
    looks = np.mean([one.roc_auc[one.best] - one.roc_auc[0] for one in found])
    gains = [one.gain.value for one in found]
    assert looks > 0.02
    assert -0.02 < np.mean(gains) < 0.005
    covered = np.mean([one.gain.ci is None or one.gain.ci[0] <= 0 <= one.gain.ci[1] for one in found])
    assert covered >= 0.9


def test_a_head_that_is_really_better_is_found_and_gains():
    found = landscape(5, better=(7,))
    y, scores, _ = rows(5, better=(7,))
    assert found.best == 7
    assert found.alike.tolist() == [head == 7 for head in range(12)]
    assert found.gain.ci[0] > 0
    assert found.gain.value == pytest.approx(roc_auc_score(y, scores[7]) - roc_auc_score(y, scores[0]), abs=0.02)


def test_equals_are_not_told_from_the_best():
    assert np.mean([landscape(seed).alike.all() for seed in range(20)]) >= 0.9


def test_among_equals_the_reference_counts_as_the_best():
    y, scores, patients = rows(3)
    scores[:] = scores[0]
    found = label_landscape(np.where(y == 1, 3, 1), scores, patients, 4, MINIMUM)
    assert found.best == 4
    assert found.gain.value == 0
    assert "nothing is gained" in found.gain.why


def test_few_patients_give_figures_but_no_gain_and_no_mark():
    y, scores, _ = rows(4)
    found = label_landscape(np.where(y == 1, 3, 1), scores, np.arange(y.size) % 8, 0, MINIMUM)
    assert found.roc_auc.size == 12
    assert found.alike.all()
    assert "an interval needs at least 10" in found.gain.why


def test_one_class_gives_nothing_and_says_why():
    found = label_landscape(np.ones(30), np.zeros((3, 30)), np.arange(30), 0, MINIMUM)
    assert (found.best, found.why) == (None, "there are no positives")


def test_gains_of_several_labels_are_corrected_by_holm():
    gains = corrected_gains([of_p(0.04), Gain(why="few"), of_p(0.01)])
    assert [gain.p_corrected for gain in gains] == pytest.approx([0.04, None, 0.02])


def test_an_interval_beside_a_corrected_p_leaves_out_0_exactly_where_that_p_is_below_5_percent():
    gains = corrected_gains([of_p(p) for p in (0.04, 0.001, 0.03, 0.9)])
    for gain in gains:
        assert (gain.ci_corrected[0] > 0) == (gain.p_corrected < 0.05)
    assert gains[0].ci[0] > 0 > gains[0].ci_corrected[0], "alone it is told from 0, among four it is not"


def of_p(p):
    """A gain whose t has so large a p for its label alone."""
    difference = Difference(float(stats.t.isf(p / 2, 40)), 1.0, 40)
    return Gain(difference.value, difference.interval(), difference.p, tested=difference)
