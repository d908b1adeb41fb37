"""AUC by group: against scikit-learn, DeLong for independent groups, and drawn patients."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.delong import delong_variance
from cxr_core.evaluation.group_areas import area_gaps


def made_up(n=1200, seed=1, one_each=False):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"patient": np.arange(n) if one_each else random.integers(0, n // 3, n)})
    frame["race"] = random.choice(["Black", "White", "Asian"], n, p=[0.3, 0.5, 0.2])
    for label in ("edema", "fracture"):
        frame[label] = random.choice([0, 1, 2, 3], n, p=[0.3, 0.2, 0.1, 0.4])
        worse = np.where(frame["race"] == "Asian", 0.3, 1.0)
        frame[f"{label}_score"] = (frame[label] == 3) * worse + random.normal(size=n).round(1)
    return frame


def gaps_of(frame, minimum=30):
    rows = {label: certain_rows(frame[label], frame[f"{label}_score"]) for label in ("edema", "fracture")}
    groups = {group: (frame["race"] == group).to_numpy() for group in sorted(frame["race"].unique())}
    return area_gaps(rows, groups, pd.factorize(frame["patient"])[0], minimum)


def sides(frame, label, group):
    certain = frame[frame[label] != 2]
    for side in (certain[certain["race"] == group], certain[certain["race"] != group]):
        yield (side[label] == 3).to_numpy().astype(int), side[f"{label}_score"].to_numpy()


def test_areas_and_gaps_are_those_of_scikit_learn():
    frame = made_up()
    for label, cells in gaps_of(frame).items():
        for group, cell in cells.items():
            own, rest = (roc_auc_score(y, s) for y, s in sides(frame, label, group))
            assert (cell.roc_auc, cell.gap) == pytest.approx((own, own - rest), abs=1e-12)


def test_with_one_image_a_patient_the_variance_is_the_sum_of_delongs():
    frame = made_up(6000, one_each=True)
    cell = gaps_of(frame)["edema"]["White"]
    variance = sum(delong_variance(y, s) for y, s in sides(frame, "edema", "White"))
    half = (cell.gap_ci[1] - cell.gap_ci[0]) / 2
    assert half == pytest.approx(1.96 * np.sqrt(variance), rel=0.01)
    assert cell.p == pytest.approx(2 * stats.norm.sf(abs(cell.gap) / np.sqrt(variance)), rel=0.1)


def test_the_interval_of_a_gap_is_that_of_drawn_patients():
    frame = made_up(1500, seed=4)
    cell = gaps_of(frame)["edema"]["White"]
    certain = frame[frame["edema"] != 2].sort_values("patient")
    y, scores, own = (
        one.to_numpy() for one in (certain["edema"] == 3, certain["edema_score"], certain["race"] == "White")
    )
    of_patient = np.split(np.arange(len(certain)), np.flatnonzero(np.diff(certain["patient"])) + 1)
    random, drawn = np.random.default_rng(0), []
    for _ in range(300):
        rows = np.concatenate([of_patient[p] for p in random.integers(0, len(of_patient), len(of_patient))])
        drawn.append(
            np.subtract(*(ranked_share(y[side], scores[side]) for side in (rows[own[rows]], rows[~own[rows]])))
        )
    assert (cell.gap_ci[1] - cell.gap_ci[0]) / 2 / 1.97 == pytest.approx(np.std(drawn), rel=0.15)


def ranked_share(y, scores):
    """The share of pairs of a positive and a negative that are in order, by the sum of ranks."""
    positives = y.sum()
    return (stats.rankdata(scores)[y].sum() - positives * (positives + 1) / 2) / (positives * (y.size - positives))


def test_p_is_corrected_by_holm_over_labels_and_groups_and_intervals_agree_with_it():
    cells = [cell for of_groups in gaps_of(made_up()).values() for cell in of_groups.values()]
    wanted = multipletests([cell.p for cell in cells], method="holm")[1]
    assert [cell.p_corrected for cell in cells] == pytest.approx(wanted)
    for cell in cells:
        assert (cell.p_corrected < 0.05) == (not cell.gap_ci_corrected[0] <= 0 <= cell.gap_ci_corrected[1])
    assert min(wanted) < 0.05 < max(wanted)


def test_two_groups_that_are_each_others_rest_are_one_test():
    frame = made_up().replace({"race": {"Asian": "Black"}})
    found = gaps_of(frame)
    first, second = (found["edema"][group] for group in ("Black", "White"))
    assert (first.p_corrected, first.gap) == pytest.approx((second.p_corrected, -second.gap))
    p = sorted(found[label]["Black"].p for label in found)
    assert min(found[label]["Black"].p_corrected for label in found) == pytest.approx(min(1, 2 * p[0]))


def test_what_cannot_be_compared_says_why():
    frame = made_up(400)
    few = gaps_of(frame, minimum=10_000)["edema"]["Asian"]
    assert few.gap is not None and few.p is None and few.why.endswith("in the group")
    frame.loc[frame["race"] == "Asian", "edema"] = 0
    none = gaps_of(frame)["edema"]["Asian"]
    assert (none.roc_auc, none.why) == (None, "there are no positives in the group")
