"""The demo resembles the world: what stands behind its reports, and how far its readers agree, beside what was counted."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from cxr_core.schema import LABELS, Value, Verdict
from cxr_core.sources.phantoms.cohort import draw_cohort
from cxr_core.sources.phantoms.counted import (
    BLANK,
    BLANK_ELSEWHERE,
    BY_VALUE,
    FINDINGS,
    KAPPA,
    UNCERTAIN,
    UNCERTAIN_ELSEWHERE,
)
from cxr_core.sources.phantoms.radiologists import NAMES, differing_share, readings
from cxr_core.sources.phantoms.reading import read_studies


@pytest.fixture(scope="module")
def cohort():
    cohort = draw_cohort(2019, (1500, 500, 500))
    read_studies(2019, cohort)
    return cohort


@pytest.fixture(scope="module")
def read(cohort):
    return readings(2019, cohort)


@pytest.fixture(scope="module")
def judged(cohort, read):
    """One row a study that was read: what its report says, what is there, and what five or more of the eight say."""
    votes = read.groupby("path")[list(LABELS)].agg(lambda said: (said == Verdict.present).sum())
    rows = []
    for study in cohort:
        path = f"{study.dataset}/p{study.patient}/s{study.study:02d}"
        if study.dataset == "train":
            continue
        rows += [(label, study.labels[label], study.truth[label], votes.at[path, label]) for label in LABELS]
    return pd.DataFrame(rows, columns=["label", "value", "there", "votes"]).assign(
        majority=lambda table: np.select([table.votes > 4, table.votes < 4], [1.0, 0.0], np.nan)
    )


def interval(counted):
    low, high = proportion_confint(round(counted.share * counted.read), counted.read, method="wilson")
    return round(low, 9), round(high, 9)


@pytest.mark.parametrize("judge", ["there", "majority"])
@pytest.mark.parametrize("value", Value)
def test_the_share_present_behind_each_value_lies_in_the_interval_of_the_real_count(judged, judge, value):
    low, high = interval(BY_VALUE[value])
    assert low < judged[judged.label.isin(FINDINGS) & (judged.value == value)][judge].mean() < high


@pytest.mark.parametrize("judge", ["there", "majority"])
@pytest.mark.parametrize("label", FINDINGS)
@pytest.mark.parametrize(
    ("value", "of_labels", "elsewhere"),
    [(Value.uncertain, UNCERTAIN, UNCERTAIN_ELSEWHERE), (Value.not_mentioned, BLANK, BLANK_ELSEWHERE)],
    ids=["uncertain", "blank"],
)
def test_so_does_that_of_the_uncertain_and_of_the_blank_by_finding(judged, judge, label, value, of_labels, elsewhere):
    low, high = interval(of_labels.get(label, elsewhere))
    assert low <= judged[(judged.label == label) & (judged.value == value)][judge].mean() <= high


def test_the_reports_of_the_training_studies_mean_the_same(cohort):
    train = [study for study in cohort if study.dataset == "train"]
    for value, counted in BY_VALUE.items():
        there = [s.truth[label] for s in train for label in FINDINGS if s.labels[label] == value]
        assert interval(counted)[0] < np.mean(there) < interval(counted)[1], value


def test_pairs_of_readers_agree_as_far_as_real_ones(read):
    for label in LABELS:
        said = read.pivot(index="path", columns="reader", values=label)
        pairs = [cohen_kappa_score(said[one], said[other]) for one, other in combinations(NAMES, 2)]
        assert np.mean(pairs) == pytest.approx(KAPPA[label], abs=0.04), label


def test_eight_read_each_study_of_valid_and_test_once_and_whole(cohort, read):
    studies = {(s.patient, s.study) for s in cohort if s.dataset != "train"}
    assert set(zip(read.patient, read.study, strict=True)) == studies
    assert (read.groupby(["patient", "study"]).reader.nunique() == 8).all()
    assert len(read) == 8 * len(studies)
    assert (read.image == 0).all()
    assert read[list(LABELS)].isin([Verdict.absent, Verdict.present]).all(axis=None)


def test_the_majority_is_close_to_the_truth_and_not_the_truth(judged):
    known = judged[judged.majority.notna()]
    for label, rows in known.groupby("label"):
        assert 0 < (rows.majority != rows.there).mean() < 0.03, label
    assert 0 < judged.majority.isna().mean() < 0.02


def test_readers_lie_apart_on_the_curve(cohort, read):
    there = {f"{s.dataset}/p{s.patient}/s{s.study:02d}": s.truth for s in cohort}
    truth = pd.DataFrame([there[path] for path in read.path])
    points = []
    for name in NAMES:
        own = (read.reader == name).to_numpy()
        said, real = (read[own][list(FINDINGS)] == Verdict.present).to_numpy(), truth[own][list(FINDINGS)] == 1
        points.append((said[real].mean(), said[~real].mean()))
    sensitivities, alarms = zip(*points, strict=True)
    assert max(sensitivities) - min(sensitivities) > 0.1
    assert np.corrcoef(sensitivities, alarms)[0, 1] > 0.5


def test_the_same_seed_gives_the_same_readings(cohort, read):
    pd.testing.assert_frame_equal(readings(2019, cohort), read)


@pytest.mark.parametrize("kappa", [0.2, 0.5, 0.75])
@pytest.mark.parametrize("prevalence", [0.08, 0.5])
def test_the_share_that_differs_gives_the_kappa(kappa, prevalence):
    random = np.random.default_rng(0)
    there = random.random(60_000) < prevalence
    doubt = differing_share(prevalence, kappa)
    differing = np.minimum(np.floor(np.log(random.random(there.size)) / np.log(doubt)), 3)
    errs = np.argsort(np.argsort(random.random((there.size, 8)), axis=1), axis=1) < differing[:, None]
    said = errs != there[:, None]
    assert cohen_kappa_score(said[:, 0], said[:, 1]) == pytest.approx(kappa, abs=0.03)
