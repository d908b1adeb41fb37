import numpy as np
import pytest
from brute_force import auc_by_pairs

from cxr_core.errors import DataError, UsageError
from cxr_core.evaluation.effects import effects_of_treatments

N = 600


@pytest.fixture
def rows():
    """600 images of 300 patients; `positive` moves the uncertain up by one and the positives by a half."""
    rng = np.random.default_rng(0)
    values = rng.choice([0, 1, 2, 3], size=N, p=[0.4, 0.1, 0.2, 0.3])
    truth = np.where(values == 2, rng.integers(0, 2, N), (values == 3).astype(int))
    ignore = rng.normal(size=N) + truth
    moved = np.select([values == 2, values == 3], [1.0, 0.5], 0.0) + 0.01 * rng.normal(size=N)
    return values, {"ignore": ignore, "positive": ignore + moved}, np.arange(N) // 2, truth


def effects(rows, **changed):
    values, models, patients, truth = rows
    asked = {"baseline": "ignore", "label": "edema", "scale": "logit", "resamples": 300, "minimum": 10, "truth": truth}
    return effects_of_treatments(values, models, patients=patients, **(asked | changed))


def test_shifts_are_the_mean_paired_differences_of_each_group(rows):
    values, models, _, _ = rows
    found = effects(rows)
    for group, expected in {"positive": 0.5, "uncertain": 1.0, "negative": 0.0}.items():
        shift, members = found.groups[group].shifts["positive"], {"positive": [3], "uncertain": [2], "negative": [0, 1]}
        of_group = np.isin(values, members[group])
        assert shift.n == of_group.sum()
        assert shift.mean == pytest.approx(np.mean((models["positive"] - models["ignore"])[of_group]))
        assert shift.ci[0] < shift.mean < shift.ci[1]
        assert shift.ci == pytest.approx((expected, expected), abs=0.01)
        spread = found.groups[group].spreads["ignore"]
        assert spread.quantiles == pytest.approx(np.quantile(models["ignore"][of_group], [0.05, 0.25, 0.5, 0.75, 0.95]))
    assert set(found.groups["uncertain"].shifts) == {"positive"}


def test_the_interval_of_a_shift_is_by_patient(rows):
    values, models, patients, truth = rows
    noise = np.random.default_rng(1).normal(size=N // 2)
    alone = effects((values, {"ignore": models["ignore"], "b": models["ignore"] + noise[patients]}, patients, truth))
    apart = effects(
        (values, {"ignore": models["ignore"], "b": models["ignore"] + noise[patients]}, np.arange(N), truth)
    )
    by_patient, by_image = (found.groups["negative"].shifts["b"].ci for found in (alone, apart))
    assert by_patient[1] - by_patient[0] > 1.15 * (by_image[1] - by_image[0])


def test_the_uncertain_are_placed_between_negatives_and_positives(rows):
    values, models, _, truth = rows
    placed = effects(rows).placements["ignore"]
    scores, uncertain = models["ignore"], values == 2
    rest = np.isin(values, [0, 1])
    assert placed.above_negatives == pytest.approx(
        auc_by_pairs(np.r_[np.ones(uncertain.sum()), np.zeros(rest.sum())], np.r_[scores[uncertain], scores[rest]])
    )
    positive = values == 3
    assert placed.below_positives == pytest.approx(
        auc_by_pairs(
            np.r_[np.ones(positive.sum()), np.zeros(uncertain.sum())], np.r_[scores[positive], scores[uncertain]]
        )
    )
    assert placed.called_positive == pytest.approx(np.mean(scores[uncertain] >= placed.threshold))
    assert placed.really_positive == pytest.approx(truth[uncertain].mean())
    assert placed.auc_really == pytest.approx(auc_by_pairs(truth[uncertain], scores[uncertain]))
    for low, high, value in [
        (*placed.above_negatives_ci, placed.above_negatives),
        (*placed.really_positive_ci, placed.really_positive),
    ]:
        assert low < value < high
    assert placed.why == {}


def test_what_nobody_knows_is_none_with_a_reason(rows):
    placed = effects(rows, truth=None).placements["ignore"]
    assert (placed.really_positive, placed.auc_really) == (None, None)
    assert placed.why["really_positive"] == "what was really there is not known"
    values, models, patients, truth = rows
    none = effects((np.where(values == 2, 0, values), models, patients, truth))
    assert none.groups["uncertain"].n == 0
    assert none.groups["uncertain"].shifts["positive"].why == "there are no such images"
    assert none.placements["ignore"].above_negatives is None
    three = models | {"negative": models["ignore"] - 1}
    none = effects((np.where(values == 2, 0, values), three, patients, truth))
    assert [shift.n for shift in none.groups["uncertain"].shifts.values()] == [0, 0]
    few = effects(rows, minimum=500).placements["ignore"]
    assert (few.above_negatives_ci, few.above_negatives is None) == (None, False)


def test_a_baseline_that_is_not_there_and_missing_predictions_are_refused(rows):
    with pytest.raises(UsageError, match="one of ignore, positive"):
        effects(rows, baseline="negative")
    values, models, patients, truth = rows
    with pytest.raises(DataError, match="NaN or infinite"):
        effects((values, models | {"b": np.full(N, np.nan)}, patients, truth))
