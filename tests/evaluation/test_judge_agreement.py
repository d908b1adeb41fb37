import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from cxr_core.evaluation.judge_agreement import judged_twice, kendall
from cxr_core.evaluation.labels import evaluate_models
from cxr_core.evaluation.results import BOOTSTRAP

RANDOM = np.random.default_rng(23)
PATIENTS = np.repeat(np.arange(150), 2)
TRUTH = {label: RANDOM.random(300) < 0.4 for label in ("edema", "fracture")}
SECOND = {label: present ^ (RANDOM.random(300) < 0.25) for label, present in TRUTH.items()}
MODELS = {
    f"m{noise}": {label: present + RANDOM.normal(0, noise, 300) for label, present in TRUTH.items()}
    for noise in (0.6, 0.8, 1.0, 1.5, 3.0)
}


def values(judge):
    return {label: np.where(present, 3, 1) for label, present in judge.items()}


def figures(judge, models=MODELS):
    return evaluate_models(values(judge), models, PATIENTS, 300, 10, BOOTSTRAP)


def test_kendalls_tau_is_scipys_for_every_column_ties_included():
    first, second = RANDOM.integers(0, 4, (6, 50)).astype(float), RANDOM.integers(0, 4, (6, 50)).astype(float)
    expected = [kendalltau(first[:, column], second[:, column]).statistic for column in range(50)]
    assert kendall(first, second) == pytest.approx(np.array(expected), nan_ok=True)


def test_figures_and_ranks_by_two_judges_are_those_of_scikit_learn_and_scipy():
    found = judged_twice(figures(TRUTH), figures(SECOND), "roc_auc")
    means = [
        [np.mean([roc_auc_score(judge[label], scores[label]) for label in judge]) for scores in MODELS.values()]
        for judge in (TRUTH, SECOND)
    ]
    assert [mean.value for mean in found.first.values()] == pytest.approx(means[0])
    assert [mean.value for mean in found.second.values()] == pytest.approx(means[1])
    assert found.correlation.value == pytest.approx(kendalltau(*means).statistic)


def test_the_interval_of_the_ranks_is_that_of_resampled_patients():
    found = judged_twice(figures(TRUTH), figures(SECOND), "roc_auc").correlation
    taus = []
    for _ in range(60):
        rows = np.concatenate([[2 * p, 2 * p + 1] for p in RANDOM.integers(150, size=150)])
        taus.append(
            kendalltau(
                *[
                    [np.mean([roc_auc_score(judge[k][rows], s[k][rows]) for k in judge]) for s in MODELS.values()]
                    for judge in (TRUTH, SECOND)
                ]
            ).statistic
        )
    assert found.ci == pytest.approx(np.quantile(taus, [0.025, 0.975]), abs=0.25)
    assert found.ci[0] <= found.value <= found.ci[1]


def test_the_difference_of_a_model_by_two_judges_is_paired_and_corrected_for_all_models():
    found = judged_twice(figures(TRUTH), figures(SECOND), "roc_auc")
    drawn = [np.concatenate([[2 * p, 2 * p + 1] for p in RANDOM.integers(150, size=150)]) for _ in range(400)]
    for model, one in found.differences.items():
        assert one.value == pytest.approx(found.first[model].value - found.second[model].value)
        scores = MODELS[model]
        differences = [
            np.mean(
                [
                    roc_auc_score(TRUTH[k][rows], s[rows]) - roc_auc_score(SECOND[k][rows], s[rows])
                    for k, s in scores.items()
                ]
            )
            for rows in drawn
        ]
        half = (one.ci[1] - one.ci[0]) / 2
        assert half == pytest.approx(1.98 * np.std(differences), rel=0.15)
        assert sum(one.ci) / 2 == pytest.approx(one.value)
    p_values = [one.p for one in found.differences.values()]
    corrected = [one.p_corrected for one in found.differences.values()]
    assert corrected == pytest.approx(multipletests(p_values, method="holm")[1])
    for one in found.differences.values():
        assert (one.ci_corrected[0] > 0 or one.ci_corrected[1] < 0) == (one.p_corrected < 0.05)


def test_judges_who_say_the_same_and_labels_without_a_class_have_no_difference_and_say_why():
    same = judged_twice(figures(TRUTH), figures(TRUTH), "roc_auc").differences["m0.6"]
    assert (same.value, same.p) == (0.0, None) and "both judges say the same" in same.why
    nothing = {label: np.zeros(300, bool) for label in TRUTH}
    none = judged_twice(figures(TRUTH), figures(nothing), "roc_auc").differences["m0.6"]
    assert none.value is None and "no label" in none.why


def test_two_models_have_no_rank_correlation_and_no_shared_label_says_so():
    two = dict(list(MODELS.items())[:2])
    found = judged_twice(figures(TRUTH, two), figures(SECOND, two), "roc_auc").correlation
    assert found.value is None and found.why == "a rank correlation needs 3 models"
    nothing = {label: np.zeros(300, bool) for label in TRUTH}
    found = judged_twice(figures(TRUTH), figures(nothing), "roc_auc")
    assert found.labels == () and found.correlation.value is None and "no label" in found.correlation.why
