import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from cxr_core.schema import Value
from cxr_core.training.head_grid import BESIDE, PAIRS, head_grid
from cxr_core.training.heads import HeadTables, Standardised, fit_heads, fit_path, head_losses
from cxr_core.uncertainty import named_policy

N, D = 400, 12


@pytest.fixture(scope="module")
def made():
    """Features, and codes of which a fifth is uncertain."""
    random = np.random.default_rng(3)
    features = np.maximum(random.normal(1, 2, (N, D)), 0).astype(np.float16)
    chance = 1 / (1 + np.exp(-(features[:, :3].sum(axis=1).astype(float) - 4)))
    codes = np.where(random.random(N) < chance, Value.positive, random.integers(0, 2, N))
    return features, np.where(random.random(N) < 0.2, Value.uncertain, codes).astype(np.int64)


def tables(*pairs):
    targets, weights = np.zeros((4, len(pairs)), np.float32), np.ones((4, len(pairs)), np.float32)
    targets[Value.positive] = 1
    targets[Value.uncertain], weights[Value.uncertain] = zip(*pairs, strict=True)
    return HeadTables(targets, weights)


def plain_loss(rows, codes, pair, slopes, intercept, penalty):
    """The loss as one writes it down: the mean over images of weight x cross-entropy, plus the penalty."""
    u, w = pair
    target = np.where(codes == Value.uncertain, u, codes == Value.positive)
    weight = np.where(codes == Value.uncertain, w, 1.0)
    chance = 1 / (1 + np.exp(-(rows @ slopes + intercept)))
    each = -weight * (target * np.log(chance) + (1 - target) * np.log(1 - chance))
    return each.mean() + penalty / 2 * slopes @ slopes


@pytest.mark.parametrize("pair", [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.25), (0.3, 0.8)])
@pytest.mark.parametrize("penalty", [0.3, 0.003])
def test_a_head_is_as_good_as_that_of_scikit_learn(made, pair, penalty):
    features, codes = made
    rows = Standardised.of(features, np.ones(N, bool)).rows
    found = fit_heads(rows, codes, tables(pair, (0.7, 0.7)), penalty)
    x, (u, w) = rows[:, :-1].astype(float), pair
    target = np.where(codes == Value.uncertain, u, codes == Value.positive)
    weight = np.where(codes == Value.uncertain, w, 1.0)
    model = LogisticRegression(C=1 / (N * penalty), tol=1e-10, max_iter=10_000)
    model.fit(np.vstack([x, x]), np.r_[np.ones(N), np.zeros(N)], np.r_[weight * target, weight * (1 - target)])
    least = plain_loss(x, codes, pair, model.coef_[0], model.intercept_[0], penalty)
    ours = plain_loss(x, codes, pair, found.slopes[:-1, 0].astype(float), float(found.slopes[-1, 0]), penalty)
    assert ours == pytest.approx(least, abs=1e-4)
    assert found.losses[0] == pytest.approx(ours, abs=1e-5)


def test_where_fitting_begins_does_not_matter(made):
    features, codes = made
    rows = Standardised.of(features, np.ones(N, bool)).rows
    cold = fit_heads(rows, codes, tables((0.2, 0.6)), 0.01)
    warm = fit_heads(rows, codes, tables((0.2, 0.6)), 0.01, fit_heads(rows, codes, tables((0.2, 0.6)), 1.0))
    assert warm.losses == pytest.approx(cold.losses, abs=2e-5)


def test_of_weight_0_uncertain_images_are_as_if_they_were_not_there(made):
    features, codes = made
    certain = codes != Value.uncertain
    rows = Standardised.of(features, np.ones(N, bool)).rows
    share = certain.mean()
    ignoring = fit_heads(rows, codes, tables((0.0, 0.0)), 0.1 * share)
    without = fit_heads(rows[certain], codes[certain], tables((0.0, 0.0)), 0.1)
    assert ignoring.slopes == pytest.approx(without.slopes, abs=0.01)


def test_an_image_without_the_label_takes_no_part(made):
    features, codes = made
    rows = Standardised.of(features, np.ones(N, bool)).rows
    lacking = np.where(np.arange(N) < 100, -1, codes)
    assert fit_heads(rows, lacking, tables((0.5, 0.5)), 0.1).losses == pytest.approx(
        fit_heads(rows[100:], codes[100:], tables((0.5, 0.5)), 0.1).losses, abs=1e-5
    )


def test_training_stops_where_held_out_patients_are_predicted_no_better():
    """Of 60 features that mean nothing, hardly any trust is best; one that says it all wants much."""
    random = np.random.default_rng(1)
    codes = np.where(random.random(300) < 0.5, Value.positive, Value.negative).astype(np.int64)
    held_out = np.arange(300) % 5 == 0
    noise = Standardised.of(random.normal(size=(300, 60)), ~held_out).rows
    telling = Standardised.of(np.c_[(codes == Value.positive) + random.normal(0, 0.2, 300)], ~held_out).rows
    of_noise = fit_path(noise, codes, tables((0.0, 1.0)), held_out)
    of_telling = fit_path(telling, codes, tables((0.0, 1.0)), held_out)
    assert of_noise.penalty > 30 * of_telling.penalty
    assert head_losses(noise[held_out], codes[held_out], tables((0.0, 1.0)), of_noise.slopes) < 0.75
    assert roc_auc_score(codes == 3, telling @ of_telling.slopes[:, 0]) > 0.98


def test_what_is_held_out_is_not_learned_from(made):
    features, codes = made
    held_out = np.arange(N) % 4 == 0
    other = np.where(held_out, Value.positive, codes)
    rows = Standardised.of(features, ~held_out).rows
    found = [fit_path(rows, one, tables((0.5, 1.0)), held_out, [0.1]).slopes for one in (codes, other)]
    assert np.array_equal(*found)


def test_a_constant_feature_is_left_alone():
    rows = Standardised.of(np.c_[np.full(50, 7.0), np.arange(50.0)], np.ones(50, bool)).rows
    assert np.all(rows[:, 0] == 0)
    assert rows[:, 1].std() == pytest.approx(1, abs=1e-3)


def test_the_grid_holds_every_pair_and_the_strategies_beside_it_once():
    grid = head_grid()
    for (u, w), head in zip(PAIRS, grid.of_pairs, strict=True):
        assert grid.tables.weights[Value.uncertain, head] == np.float32(w)
        assert w == 0 or grid.tables.targets[Value.uncertain, head] == np.float32(u)
    for name, head in zip(BESIDE, grid.of_beside, strict=True):
        policy = named_policy(name)
        assert np.array_equal(grid.tables.weights[:, head], policy.weights()[:, 0])
    assert grid.tables.targets.shape[1] == 111 + len(BESIDE)


def test_a_head_of_a_rare_label_is_fitted_to_its_end_too():
    """Far from even odds the curvature at the start is several times too large, and says too early that all is done."""
    rng = np.random.default_rng(8)
    features = rng.normal(0, 1, (1500, 200))
    codes = np.where(features @ rng.normal(0, 0.3, 200) + rng.normal(0, 1, 1500) > 5, 3, 0)
    rows, penalty = Standardised.of(features, np.ones(1500, bool)).rows, 0.01
    found = fit_heads(rows, codes, tables((0.0, 0.0), (0.7, 0.7)), penalty)
    model = LogisticRegression(C=1 / (1500 * penalty), tol=1e-10, max_iter=10_000)
    model.fit(rows[:, :-1].astype(float), codes == 3)
    least = plain_loss(rows[:, :-1].astype(float), codes, (0.0, 0.0), model.coef_[0], model.intercept_[0], penalty)
    assert found.losses[0] == pytest.approx(least, abs=1e-4)


def test_a_head_that_features_tell_well_is_fitted_to_its_end_from_nothing():
    """Such a head goes so far from where it began that steps by the curvature there take hundreds to arrive."""
    rng = np.random.default_rng(11)
    features = np.maximum(rng.normal(0, 1, (1500, 20)) @ rng.normal(0, 1, (20, 200)) + rng.normal(0, 1, (1500, 200)), 0)
    chance = features @ rng.normal(0, 0.2, 200)
    codes = np.where(chance > np.quantile(chance, 0.8), 3, 0)
    rows, penalty = Standardised.of(features, np.ones(1500, bool)).rows, 0.001
    found = fit_heads(rows, codes, tables((0.0, 0.0)), penalty)
    model = LogisticRegression(C=1 / (1500 * penalty), tol=1e-10, max_iter=10_000)
    model.fit(rows[:, :-1].astype(float), codes == 3)
    least = plain_loss(rows[:, :-1].astype(float), codes, (0.0, 0.0), model.coef_[0], model.intercept_[0], penalty)
    assert found.losses[0] == pytest.approx(least, abs=1e-4)


@pytest.mark.slow
def test_the_heads_of_the_grid_at_one_penalty_are_as_good_as_those_of_scikit_learn(made):
    """All of them at once, from nothing: one that is unlike the others is fitted to its end too."""
    features, codes = made
    rows, grid, penalty = Standardised.of(features, np.ones(N, bool)).rows, head_grid(), 0.003
    found = fit_heads(rows, codes, grid.tables, penalty)
    x, uncertain = rows[:, :-1].astype(float), codes == Value.uncertain
    for pair, place in zip(PAIRS, grid.of_pairs, strict=True):
        target, weight = np.where(uncertain, pair[0], codes == Value.positive), np.where(uncertain, pair[1], 1.0)
        model = LogisticRegression(C=1 / (N * penalty), tol=1e-8, max_iter=10_000)
        model.fit(np.vstack([x, x]), np.r_[np.ones(N), np.zeros(N)], np.r_[weight * target, weight * (1 - target)])
        least = plain_loss(x, codes, pair, model.coef_[0], model.intercept_[0], penalty)
        assert found.losses[place] == pytest.approx(least, abs=1e-4)


@pytest.mark.slow
def test_heads_take_little_memory_beside_their_features():
    """Rows are looked at part by part: an array of all rows and heads, as large as the features, is never made."""
    n, d = 60_000, 128
    random = np.random.default_rng(4)
    features = random.normal(size=(n, d)).astype(np.float16)
    codes = random.integers(0, 4, n)
    held_out = np.arange(n) % 5 == 0
    of_features = n * (d + 1) * 4
    tracemalloc.start()
    rows = Standardised.of(features, ~held_out).rows
    of_rows = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    fit_path(rows, codes, head_grid().tables, held_out, [1.0])
    of_all = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert of_features <= of_rows < 2 * of_features
    assert of_all < 3 * of_features
