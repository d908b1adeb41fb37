"""The gaps between groups against counts by pandas and a plain computation of their intervals."""

import json
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.gaps import FIGURES, LabelAtCut, gap_matrix
from cxr_core.evaluation.share_gap import ShareGap, ShareOf


def made_up(n=900, seed=0, one_each=False):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"patient": np.arange(n) if one_each else random.integers(0, n // 3, n)})
    frame["race"] = random.choice(["Black", "White", "Asian"], n, p=[0.3, 0.5, 0.2])
    for label in ("edema", "fracture"):
        frame[label] = random.choice([0, 1, 2, 3], n, p=[0.3, 0.2, 0.1, 0.4])
        frame[f"{label}_score"] = (frame[label] == 3) * 1.0 + random.normal(size=n)
    return frame


def matrix_of(frame, by="race", minimum=30, cut=0.4):
    labels = {
        label: LabelAtCut(certain_rows(frame[label], frame[f"{label}_score"]), cut) for label in ("edema", "fracture")
    }
    masks = {group: (frame[by] == group).to_numpy() for group in sorted(frame[by].unique())}
    return gap_matrix(labels, masks, pd.factorize(frame["patient"])[0], minimum)


def counted(frame, label, figure, cut=0.4):
    """Right and all of a class, from the certain rows of a frame."""
    rows = frame[(frame[label] == 3) if figure == "sensitivity" else frame[label].isin([0, 1])]
    called = rows[f"{label}_score"] >= cut
    return rows.assign(right=called if figure == "sensitivity" else ~called)


@pytest.mark.parametrize("one_each", [True, False])
def test_figures_and_gaps_are_those_of_a_direct_count(one_each):
    frame = made_up(one_each=one_each)
    found = matrix_of(frame)
    for label, cells in found.labels.items():
        for group, cell in cells.items():
            own, rest = frame[frame.race == group], frame[frame.race != group]
            assert cell.n == (own[label] != 2).sum()
            assert cell.n_positive == (own[label] == 3).sum()
            document = cell.as_json()
            for figure in FIGURES:
                shares = [counted(part, label, figure).right.mean() for part in (own, rest)]
                assert document[figure] == pytest.approx(shares[0], abs=1e-12)
                assert document["gap"][figure] == pytest.approx(shares[0] - shares[1], abs=1e-12)
            tp = (counted(own, label, "sensitivity").right).sum()
            assert (document["tp"], document["tp"] + document["fn"]) == (tp, (own[label] == 3).sum())
    json.dumps(
        {label: {g: c.as_json() for g, c in cells.items()} for label, cells in found.labels.items()}, allow_nan=False
    )


def plain_gap(frame, label, group, figure, level):
    """Newcombe's interval of a gap by loops over patients: Wilson's bounds of each share for its effective images."""
    sides = []
    for part in (frame[frame.race == group], frame[frame.race != group]):
        rows = counted(part, label, figure)
        share, n = rows.right.mean(), len(rows)
        added = {patient: (of.right.sum() - share * len(of)) / n for patient, of in rows.groupby("patient")}
        squares = sum(a * a for a in added.values())
        worth = share * (1 - share) / (squares * len(added) / (len(added) - 1))
        low, high = proportion_confint(share * worth, worth, level, "wilson")
        sides.append((share, low, high, added, squares))
    (p1, l1, h1, a1, s1), (p2, l2, h2, a2, s2) = sides
    together = sum(a1[patient] * a2[patient] for patient in a1.keys() & a2.keys()) / sqrt(s1 * s2)
    down, up = (sqrt(a**2 - 2 * together * a * b + b**2) for a, b in ((p1 - l1, h2 - p2), (h1 - p1, p2 - l2)))
    return p1 - p2 - down, p1 - p2 + up


def test_where_all_are_found_the_bound_is_exact_and_p_goes_with_it():
    found = np.array([1.0] * 40), np.array([1.0] * 40)
    rest = np.r_[np.ones(90), np.zeros(10)]
    pad = np.zeros
    gap = ShareGap(
        ShareOf(np.r_[found[0], pad(100)], np.r_[found[1], pad(100)]),
        ShareOf(np.r_[pad(40), rest], np.r_[pad(40), np.ones(100)]),
    )
    upper = proportion_confint(0.9 * 99, 99, 0.05, "wilson")[1]
    assert gap.interval()[0] == pytest.approx(0.1 - sqrt((1 - 0.025 ** (1 / 40)) ** 2 + (upper - 0.9) ** 2), abs=1e-12)
    assert gap.interval(gap.p())[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("one_each", [True, False])
def test_intervals_are_those_of_a_plain_computation_and_p_is_where_they_begin_to_leave_out_nothing(one_each):
    frame = made_up(seed=3, one_each=one_each)
    for label, cells in matrix_of(frame).labels.items():
        for group, cell in cells.items():
            for figure, gap in cell.gaps.items():
                assert gap.ci == pytest.approx(plain_gap(frame, label, group, figure, 0.05), abs=1e-12)
                if 1e-11 < gap.p < 0.99:
                    ends = plain_gap(frame, label, group, figure, gap.p)
                    assert min(map(abs, ends)) == pytest.approx(0, abs=1e-8)
                assert (gap.p < 0.05) == (gap.ci[0] > 0 or gap.ci[1] < 0)
                assert (gap.p_corrected < 0.05) == (gap.ci_corrected[0] > 0 or gap.ci_corrected[1] < 0)


def test_p_is_corrected_over_the_whole_matrix_and_two_groups_are_one_test():
    frame = made_up(seed=5)
    found = matrix_of(frame)
    gaps = [gap for cells in found.labels.values() for cell in cells.values() for gap in cell.gaps.values()]
    assert found.tests == len(gaps) == 2 * 3 * 2
    assert [gap.p_corrected for gap in gaps] == pytest.approx(multipletests([gap.p for gap in gaps], method="holm")[1])
    sexes = matrix_of(frame.assign(sex=np.where(frame.patient % 2, "F", "M")), "sex")
    assert sexes.tests == 2 * 2
    for cells in sexes.labels.values():
        for figure in FIGURES:
            women, men = cells["F"].gaps[figure], cells["M"].gaps[figure]
            assert women.value == pytest.approx(-men.value)
            assert women.p_corrected == pytest.approx(men.p_corrected, abs=1e-9)


def test_what_is_undefined_says_why_and_is_no_test():
    frame = made_up(300)
    frame.loc[frame.race == "Asian", "fracture"] = 0
    frame.loc[frame.race == "Black", "edema"] = 2
    found = matrix_of(frame)
    asian = found.labels["fracture"]["Asian"].as_json()
    assert asian["sensitivity"] is None and asian["gap"]["sensitivity"] is None
    assert asian["why"]["sensitivity_gap"] == "there are no positives in the group"
    assert asian["gap"]["specificity"] is not None
    black = found.labels["edema"]["Black"].as_json()
    assert (black["n"], black["gap"]) == (0, {"sensitivity": None, "specificity": None})
    few = matrix_of(frame, minimum=200).labels["edema"]["White"].as_json()
    assert few["gap"]["sensitivity"] is not None and few["gap_ci"]["sensitivity"] is None
    assert "with a positive label in the group; an interval needs at least 200" in few["why"]["sensitivity_gap_ci"]
    tested = [g.p for cells in found.labels.values() for cell in cells.values() for g in cell.gaps.values() if g.p]
    assert found.tests <= len(tested) < 12


def test_a_label_without_a_threshold_keeps_its_counts():
    frame = made_up(300)
    labels = {"edema": LabelAtCut(certain_rows(frame.edema, frame.edema_score), None, "the card has none")}
    cell = gap_matrix(labels, {"all": np.ones(300, bool)}, frame.patient.to_numpy(), 30).labels["edema"]["all"]
    assert cell.as_json()["why"] == {"threshold": "the card has none"}
    assert (cell.n, cell.as_json()["sensitivity"]) == ((frame.edema != 2).sum(), None)


def test_without_clusters_the_interval_of_two_groups_is_newcombes():
    random = np.random.default_rng(1)
    right, women = random.random(300) < 0.85, np.arange(300) < 90
    gap = ShareGap(ShareOf(1.0 * (right & women), 1.0 * women), ShareOf(1.0 * (right & ~women), 1.0 * ~women))
    counts = [(right & side).sum() for side in (women, ~women)]
    # One image a patient is worth n - 1 of the binomial's n, as the variance of a sample is.
    ends = confint_proportions_2indep(counts[0] * 89 / 90, 89, counts[1] * 209 / 210, 209, "newcomb")
    assert gap.interval() == pytest.approx(ends, abs=1e-12)
