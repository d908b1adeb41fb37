import warnings
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from cxr_core.evaluation.agreement import agreement

RANDOM = np.random.default_rng(3)


def readings(rows, readers, noise):
    truth = RANDOM.random((rows, 1)) < 0.4
    flipped = truth ^ (RANDOM.random((rows, readers)) < noise)
    votes = np.where(flipped, 3, 1)
    return np.where(RANDOM.random(votes.shape) < 0.1, RANDOM.choice([0, 2], votes.shape), votes)


@pytest.mark.parametrize(("readers", "noise"), [(2, 0.1), (3, 0.3), (8, 0.2)])
def test_kappa_is_the_mean_of_statsmodels_kappas_over_the_pairs(readers, noise):
    votes = readings(500, readers, noise)
    each = []
    for first, second in combinations(range(readers), 2):
        both = np.isin(votes[:, [first, second]], (1, 3)).all(axis=1)
        table, _ = to_table(votes[both][:, [first, second]] // 2, bins=2)
        each.append(cohens_kappa(table).kappa)
    found = agreement(votes, np.arange(500), 200)
    assert found.kappa == pytest.approx(np.mean(each), abs=1e-12)
    assert found.pairs == len(each)
    assert found.n == np.count_nonzero(np.isin(votes, (1, 3)).sum(axis=1) >= 2)
    assert found.ci[0] < found.kappa < found.ci[1]


def test_the_interval_is_the_one_of_resampled_patients():
    votes, patients = readings(120, 2, 0.2), np.repeat(np.arange(40), 3)
    found = agreement(votes, patients, 400)
    drawn = []
    for _ in range(400):
        rows = np.concatenate([np.flatnonzero(patients == p) for p in RANDOM.integers(40, size=40)])
        pair = votes[rows]
        pair = pair[np.isin(pair, (1, 3)).all(axis=1)]
        drawn.append(cohen_kappa_score(pair[:, 0], pair[:, 1]))
    assert found.ci == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.06)


def test_kappa_is_undefined_with_its_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = agreement(np.full((20, 2), 3), np.arange(20), 50)
        alone = agreement(np.array([[3, 0], [0, 1]]), np.arange(2), 50)
        few = agreement(np.array([[3, 3], [1, 1], [1, 3]]), np.arange(3), 50)
    assert same.kappa is None and same.why == "the readers of each pair say the same of every row they share"
    assert alone.n == 0 and alone.why == "no row was judged by two readers"
    assert few.kappa is not None and few.ci is None and few.why == "only 3 patients; an interval needs 10"
