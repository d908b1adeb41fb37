"""The way of counting of the CheXpert competition: five radiologists judge, three others and the models are judged."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from cxr_core.evaluation.verdicts import majority
from cxr_core.schema import VALUES
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.import_labels import import_labels
from cxr_core.tasks.import_predictions import import_predictions
from cxr_core.tasks.import_readings import import_readings
from cxr_core.tasks.meaning import meaning

LABELS = {"Atelectasis": "atelectasis", "Edema": "edema", "Pleural Effusion": "pleural_effusion"}
STUDIES = [f"CheXpert-v1.0/test/patient{64741 + n}/study1" for n in range(120)]
CELLS = {"": "not_mentioned", "0.0": "negative", "-1.0": "uncertain", "1.0": "positive"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files as the competition has them: what each reader says, what the labeler said, and a model's probabilities."""
    folder, random = tmp_path_factory.mktemp("chexpert"), np.random.default_rng(2)
    truth = {name: random.random(120) < 0.4 for name in LABELS}
    said = {
        reader: pd.DataFrame(
            {"Study": STUDIES} | {n: (truth[n] ^ (random.random(120) < 0.2)).astype(int) for n in LABELS}
        )
        for reader in ("bc1_gt", "bc2_gt", "bc3_gt", "bc5_gt", "bc7_gt", "bc4", "bc6", "bc8")
    }
    for reader, frame in said.items():
        frame.to_csv(folder / f"{reader}.csv", index=False)
    labeler = pd.DataFrame({"Study": STUDIES} | {n: random.choice([*CELLS], 120) for n in LABELS})
    labeler.to_csv(folder / "labels.csv", index=False)
    scores = {n: np.round(1 / (1 + np.exp(-(2 * truth[n] + random.normal(0, 1.2, 120)))), 2) for n in LABELS}
    pd.DataFrame({"Study": STUDIES} | scores).to_csv(folder / "model.csv", index=False)
    return folder, said, labeler, scores


@pytest.fixture
def own(workspace, files):
    folder = files[0]
    import_labels("own", [folder / "labels.csv"], ImportChoices("auto", "test"))
    judges = [folder / f"bc{n}_gt.csv" for n in (1, 2, 3, 5, 7)]
    import_readings("own", judges, "groundtruth")
    import_readings("own", [folder / f"bc{n}.csv" for n in (4, 6, 8)], "benchmark")
    import_predictions("own", folder / "model.csv", "model", "probability")
    return files


def lies_under(sensitivity, alarms, judged, scores):
    """Say by brute force, in fractions, whether a point is below the curve through every cut of the scores."""
    n_positive, n_negative = sum(judged), len(judged) - sum(judged)
    corners = {(Fraction(0), Fraction(0))}
    for cut in set(scores):
        called = [score >= cut for score in scores]
        tp = sum(c and j for c, j in zip(called, judged, strict=True))
        fp = sum(c and not j for c, j in zip(called, judged, strict=True))
        corners.add((Fraction(fp, n_negative), Fraction(tp, n_positive)))
    corners = sorted(corners)
    heights = [y for x, y in corners if x == alarms]
    for (x0, y0), (x1, y1) in pairwise(corners):
        if x0 < alarms < x1:
            heights.append(y0 + (alarms - x0) / (x1 - x0) * (y1 - y0))
    return sensitivity < max(heights)


def test_readers_under_the_roc_are_those_of_a_count_in_fractions(own):
    _, said, _, scores = own
    found = evaluate("own", "model", "test", judge="groundtruth")
    for theirs, ours in LABELS.items():
        votes = {name: frame[theirs].to_numpy() for name, frame in said.items()}
        judges = [name for name in votes if name.endswith("_gt")]
        by_all = [sum(int(votes[name][row]) for name in judges) >= 3 for row in range(120)]
        for point in found.readers[ours]:
            others = [name for name in judges if name != point.reader]
            of_others = [sum(int(votes[name][row]) for name in others) for row in range(120)]
            # Four others can tie; three benchmark readers are judged by all five, who cannot.
            kept = [row for row in range(120) if point.reader not in judges or 2 * of_others[row] != len(others)]
            judge = by_all if point.reader not in judges else [2 * count > len(others) for count in of_others]
            hits = sum(bool(votes[point.reader][row]) and judge[row] for row in kept)
            alarms = sum(bool(votes[point.reader][row]) and not judge[row] for row in kept)
            positives = sum(judge[row] for row in kept)
            sensitivity, rate = Fraction(hits, positives), Fraction(alarms, len(kept) - positives)
            assert point.n == len(kept)
            assert point.set == ("groundtruth" if point.reader in judges else "benchmark")
            assert point.sensitivity == pytest.approx(float(sensitivity), abs=1e-15)
            assert point.specificity == pytest.approx(1 - float(rate), abs=1e-15)
            assert point.under_roc == lies_under(sensitivity, rate, by_all, scores[theirs].tolist())
    assert {point.reader for point in found.readers["edema"]} == {*said}


def test_the_shares_of_the_labeler_are_those_that_are_counted_by_hand(own):
    _, said, labeler, _ = own
    found = meaning("own", "groundtruth")
    judges = [frame for name, frame in said.items() if name.endswith("_gt")]
    for theirs, ours in LABELS.items():
        present = sum(frame[theirs] for frame in judges) >= 3
        for cell, value in CELLS.items():
            rows = labeler[theirs] == cell
            share = found.labels[ours][value]
            assert (share.n, share.n_read, share.n_present) == (rows.sum(), rows.sum(), (rows & present).sum())
        assert sum(found.labels[ours][value].n for value in VALUES) == 120


def test_readers_of_the_judging_set_are_judged_by_a_majority_that_may_tie():
    assert majority(np.array([[3, 3, 1, 1], [3, 1, 1, 2], [2, 2, 0, 0]])).tolist() == [-1, 0, -1]
