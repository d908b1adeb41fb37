"""How far guessing strays from .5, against dealing the logits out anew; and when a run is said to have learned nothing."""

import numpy as np
import pytest

from cxr_core.training.guessing import guessing_spread, learned_nothing
from cxr_core.training.validation import label_aucs

pytestmark = pytest.mark.tensorflow


def related_columns(rng, images, noise):
    """14 columns of numbers that go together, as logits and labels of one image do."""
    return rng.normal(size=(images, 1)) + noise * rng.normal(size=(images, 14))


def mean_auc(logits, codes):
    return np.mean([auc for auc in label_aucs(logits, codes).values() if auc is not None])


@pytest.mark.parametrize("uncertain", [0.0, 0.2])
def test_guessing_stays_within_the_spread_in_95_of_100_deals(uncertain):
    rng = np.random.default_rng(7)
    logits = related_columns(rng, 300, 0.5)
    codes = np.where(related_columns(rng, 300, 1.0) > 1.6, 3, 1)
    codes[rng.random(codes.shape) < uncertain] = 2
    spread = guessing_spread(logits, codes)
    dealt = [mean_auc(logits[rng.permutation(300)], codes) for _ in range(400)]
    assert np.mean(np.abs(np.array(dealt) - 0.5) <= spread) == pytest.approx(0.95, abs=0.025)


def test_one_label_has_the_spread_of_mann_and_whitney():
    codes = np.ones((30, 14), int)
    codes[:10, 4] = 3
    logits = np.random.default_rng(1).normal(size=(30, 14))
    assert guessing_spread(logits, codes) == pytest.approx(1.96 * np.sqrt(31 / (12 * 10 * 20)))


def test_without_an_auc_there_is_no_spread():
    assert guessing_spread(np.zeros((5, 14)), np.ones((5, 14), int)) is None


def test_only_an_auc_that_guessing_reaches_is_told():
    assert learned_nothing(0.56, 0.05) is None
    assert learned_nothing(None, 0.05) is learned_nothing(0.5, None) is None
    said = learned_nothing(0.51, 0.05)
    assert said is not None
    assert "AUC is 0.510" in said
    assert "0.450 to 0.550" in said
    assert learned_nothing(0.4, 0.05) is not None
