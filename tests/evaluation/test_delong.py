import json
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from brute_force import auc_by_pairs, patient_rows, rows
from hypothesis import given
from scipy.stats import rankdata

from cxr_core.evaluation.delong import delong_interval, delong_test, delong_variance


def kernel(y, scores):
    """psi(i, j) of every positive i and negative j: 1 above, 1/2 tied, 0 below (DeLong et al. 1988, eq. 2)."""
    return np.array([[(p > n) + 0.5 * (p == n) for n in scores[y == 0]] for p in scores[y == 1]], dtype=float)


def brute_variance(psi):
    m, n = psi.shape
    s10 = sum((psi[i].mean() - psi.mean()) ** 2 for i in range(m)) / (m - 1)
    s01 = sum((psi[:, j].mean() - psi.mean()) ** 2 for j in range(n)) / (n - 1)
    return s10 / m + s01 / n


@given(rows(minimum=4, maximum=40).filter(lambda data: 2 <= data[0].sum() <= data[0].size - 2))
def test_the_variance_equals_the_u_statistic(data):
    y, scores = data
    assert delong_variance(y, scores) == pytest.approx(brute_variance(kernel(y, scores)), abs=1e-10)


@pytest.mark.parametrize("levels", [None, 1, 3])
def test_the_paired_test_equals_the_u_statistic_of_both_models(levels):
    y, a, _ = patient_rows(1, levels=levels)
    b = a + patient_rows(2, shift=0.0, levels=levels)[1]
    psi_a, psi_b = kernel(y, a), kernel(y, b)
    test = delong_test(y, a, b)
    z = (psi_a.mean() - psi_b.mean()) / np.sqrt(brute_variance(psi_a - psi_b))
    assert test.difference == pytest.approx(auc_by_pairs(y, a) - auc_by_pairs(y, b), abs=1e-12)
    assert test.z == pytest.approx(z, abs=1e-10)
    assert test.p == pytest.approx(2 * NormalDist().cdf(-abs(z)), abs=1e-10)


def test_the_variance_of_independent_rows_is_that_of_repeated_samples():
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [60, 140])
    samples = [rng.normal(size=200) + y for _ in range(1500)]
    estimated = np.mean([delong_variance(y, s) for s in samples])
    aucs = [np.mean(rankdata(s)[:60] - rankdata(s[:60])) / 140 for s in samples]
    assert estimated == pytest.approx(np.var(aucs), rel=0.12)


@pytest.mark.parametrize("other", [np.copy, np.exp, lambda s: 3 * s + 1])
def test_models_that_rank_alike_have_no_p(other):
    y, scores, _ = patient_rows(3)
    test = delong_test(y, scores, other(scores))
    assert (test.difference, test.z, test.p) == (0.0, None, None)
    assert "no variance" in test.why


@pytest.mark.parametrize("y", [[1, 0, 0], [1, 1, 0], [0, 0, 0], []])
def test_below_two_of_a_class_there_is_no_variance(y):
    scores = np.arange(len(y), dtype=float)
    assert delong_variance(y, scores) is None
    assert delong_test(y, scores, -scores) is None


@pytest.mark.parametrize("case", json.loads((Path(__file__).parent / "delong_by_proc.json").read_text()))
def test_variance_interval_and_test_equal_rs_proc(case):
    # Made by benchmarks/delong_by_proc.py, which `make prove` runs anew.
    y, a, b, proc = np.array(case["y"]), np.array(case["a"]), np.array(case["b"]), case["proc"]
    assert delong_variance(y, a) == pytest.approx(proc["variance_a"], abs=1e-6)
    assert delong_interval(y, a) == pytest.approx((proc["low_a"], proc["high_a"]), abs=1e-6)
    test = delong_test(y, a, b)
    assert test.difference == pytest.approx(proc["auc_a"] - proc["auc_b"], abs=1e-6)
    assert (test.z, test.p) == pytest.approx((proc["z"], proc["p"]), abs=1e-6)


@pytest.mark.parametrize("levels", [None, 2])
def test_the_interval_is_that_of_the_u_statistic_and_cut_to_the_possible(levels):
    y, scores, _ = patient_rows(5, levels=levels)
    psi = kernel(y, scores)
    half = NormalDist().inv_cdf(0.975) * np.sqrt(brute_variance(psi))
    assert delong_interval(y, scores) == pytest.approx((psi.mean() - half, psi.mean() + half), abs=1e-10)
    assert delong_interval([0, 0, 0, 1, 1], [0.0, 1.0, 2.0, 1.5, 9.0])[1] == 1.0
    assert delong_interval([0, 1, 1], [0.0, 1.0, 2.0]) is None
