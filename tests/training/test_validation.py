import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cxr_core.schema import LABELS
from cxr_core.training.validation import label_aucs, validation_figures
from cxr_core.uncertainty import named_policy

pytestmark = pytest.mark.tensorflow


def pair_counting_auc(scores, positive):
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[positive] for n in scores[~positive]]
    return np.mean(pairs)


def test_the_auc_is_the_mean_over_labels_with_uncertain_ones_dropped():
    rng = np.random.default_rng(3)
    logits, codes = rng.normal(size=(60, 14)).round(1), rng.integers(0, 4, (60, 14))
    expected = [
        pair_counting_auc(logits[certain, label], codes[certain, label] == 3)
        for label in range(14)
        for certain in [codes[:, label] != 2]
    ]
    assert list(label_aucs(logits, codes).values()) == pytest.approx(expected, abs=1e-12)
    figures = validation_figures(logits, codes, named_policy("ignore"))
    assert figures.auc == pytest.approx(np.mean(expected), abs=1e-12)
    assert figures.row()["val_auc_labels"] == pytest.approx(expected, abs=1e-12)


def test_the_auc_of_many_float32_logits_with_ties_is_scikit_learns():
    rng = np.random.default_rng(5)
    logits, codes = rng.normal(size=(5000, 14)).round(2).astype(np.float32), rng.choice([0, 1, 3], (5000, 14))
    expected = [roc_auc_score(codes[:, label] == 3, logits[:, label]) for label in range(14)]
    assert list(label_aucs(logits, codes).values()) == pytest.approx(expected, abs=1e-12)


def test_labels_of_one_class_are_left_out_of_the_mean():
    codes = np.zeros((4, 14), int)
    codes[:, 0] = [0, 3, 1, 3]
    codes[:, 1] = 3
    codes[:, 2] = [2, 2, 3, 3]
    logits = np.arange(4.0)[:, None].repeat(14, 1)
    figures = validation_figures(logits, codes, named_policy("ignore"))
    assert figures.auc == figures.aucs[LABELS[0]] == 0.75
    assert set(list(figures.aucs.values())[1:]) == {None}
    codes[:, 0] = 0
    assert validation_figures(logits, codes, named_policy("ignore")).auc is None


def test_the_certain_loss_does_not_depend_on_the_policy():
    rng = np.random.default_rng(4)
    logits, codes = rng.normal(size=(20, 14)), rng.integers(0, 4, (20, 14))
    figures = {name: validation_figures(logits, codes, named_policy(name)) for name in ("ignore", "positive")}
    assert figures["ignore"].loss_certain == figures["positive"].loss_certain == figures["ignore"].loss
    assert figures["positive"].loss > figures["positive"].loss_certain
