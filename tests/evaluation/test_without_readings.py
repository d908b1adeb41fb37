import numpy as np
import pytest

from cxr_core.evaluation.without_readings import certain_probabilities, honest_range

N = 20_000


def world(hedging, seed=4):
    """Images whose truth shows in two features, hedged by the image alone or by the truth; the true share comes too."""
    random = np.random.default_rng(seed)
    patients = np.repeat(np.arange(N // 2), 2)
    truth = random.random(N) < 0.3
    features = np.stack([truth * 2.0 + random.normal(0, 1, N), random.normal(0, 1, N)], axis=1)
    by_image, by_truth = 0.6 / (1 + np.exp(-2 * (features[:, 0] - 1))), np.where(truth, 0.4, 0.05)
    rate = by_image if hedging == "image" else by_truth
    hedged = random.random(N) < rate
    values = np.where(hedged, 2, np.where(truth, 3, np.where(random.random(N) < 0.5, 0, 1)))
    return values, features, patients, truth[hedged].mean()


@pytest.mark.parametrize(
    ("hedging", "right", "wrong"), [("image", "by_image", "by_truth"), ("truth", "by_truth", "by_image")]
)
def test_each_estimate_finds_the_true_share_in_the_world_that_it_assumes_and_not_in_the_other(hedging, right, wrong):
    values, features, patients, share = world(hedging)
    found = honest_range(values, certain_probabilities(values, features, patients), patients)
    assert getattr(found, right).share == pytest.approx(share, abs=0.06)
    assert abs(getattr(found, wrong).share - share) > 0.1
    low, high = found.range
    assert low - 0.02 < share < high + 0.02


def test_the_mixture_share_is_the_formula_on_the_clearest_quarter():
    values, features, patients, _ = world("truth")
    p = certain_probabilities(values, features, patients)
    negative, uncertain = np.isin(values, (0, 1)), values == 2
    clear = p <= np.quantile(p[negative], 0.25)
    rate = (clear & uncertain).sum() / (clear & negative).sum()
    found = honest_range(values, p, patients)
    assert found.by_truth.share == pytest.approx(1 - rate * negative.sum() / uncertain.sum())
    assert found.by_image.share == pytest.approx(p[uncertain].mean())


def test_intervals_are_those_of_resampled_patients():
    values, features, patients, _ = world("truth")
    p = certain_probabilities(values, features, patients)
    found, random = honest_range(values, p, patients), np.random.default_rng(0)
    negative, uncertain = np.isin(values, (0, 1)), values == 2
    clear = p <= np.quantile(p[negative], 0.25)
    each = []
    for _ in range(150):
        rows = np.repeat(random.integers(N // 2, size=N // 2) * 2, 2) + np.tile([0, 1], N // 2)
        u, n, c = uncertain[rows], negative[rows], clear[rows]
        each.append((1 - (u & c).sum() / (n & c).sum() * n.sum() / u.sum(), p[rows][u].mean()))
    for estimate, resampled in zip((found.by_truth, found.by_image), np.array(each).T, strict=True):
        assert estimate.ci == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.02)


def test_no_patient_is_predicted_by_what_was_learned_of_himself():
    values, features, patients, _ = world("image")
    whole = certain_probabilities(values, features, patients)
    changed = values.copy()
    changed[patients == 7] = 3
    assert certain_probabilities(changed, features, patients)[patients == 7] == pytest.approx(whole[patients == 7])


def test_too_few_to_learn_from_or_to_estimate_have_their_reason():
    values, features, patients, _ = world("image")
    assert certain_probabilities(np.full(N, 3), features, patients) is None
    assert "too few certain patients" in honest_range(values, None, patients).why
    few = np.where(values == 2, 1, values)
    assert "only 0 images are uncertain" in honest_range(few, np.full(N, 0.3), patients).why
