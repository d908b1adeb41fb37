import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.policy_files import policy_from_file
from cxr_core.schema import KEY_COLUMNS, LABELS, VALUES
from cxr_core.sources.registry import get_source
from cxr_core.tasks.meaning import meaning, write_policy
from cxr_core.warehouse.parquet import write_readings, write_table


@pytest.fixture
def labels(workspace):
    """A source of 300 images of 90 patients, two images a study."""
    random = np.random.default_rng(12)
    n = np.arange(300)
    frame = pd.DataFrame({"path": [f"i{k}" for k in n], "patient": n // 4 + 1, "study": n // 2 % 2 + 1})
    frame = frame.assign(image=n % 2 + 1, view=n % 2, dataset=1 + (n // 4) % 2)
    frame = frame.assign(**{label: random.integers(0, 4, 300) for label in LABELS})
    folder = workspace / "sources" / "own"
    write_table(folder / "labels.parquet", frame)
    (folder / "source.toml").write_text('kind = "local"\n')
    return frame


def readings_of(frame, reader, seed, by_study=False):
    random = np.random.default_rng(seed)
    rows = frame.drop_duplicates(["patient", "study"]).assign(image=0) if by_study else frame
    rows = rows[random.random(len(rows)) < 0.8]
    said = {label: random.choice([0, 1, 1, 2, 3, 3], len(rows)) for label in LABELS}
    paths = (
        [f"study {p} {s}" for p, s in zip(rows["patient"], rows["study"], strict=True)] if by_study else rows["path"]
    )
    return rows[[*KEY_COLUMNS]].assign(path=list(paths), reader=reader, **said)


def kept(name, *frames):
    write_readings(get_source("own").readings_path(name), pd.concat(frames, ignore_index=True))


def recount(labels, *frames):
    """Count by pandas: the votes of each row, and who won."""
    votes = []
    for frame in frames:
        study = frame["image"].iloc[0] == 0
        keys = ["patient", "study"] if study else ["path"]
        votes.append(labels[["path", "patient", "study"]].merge(frame[[*keys, "reader", *LABELS]], on=keys))
    votes = pd.concat(votes)
    counted = {}
    for label in LABELS:
        present = votes[votes[label] == 3].groupby("path").size().reindex(labels["path"], fill_value=0)
        absent = votes[votes[label] == 1].groupby("path").size().reindex(labels["path"], fill_value=0)
        verdict = np.sign(present - absent).to_numpy()
        for code, value in enumerate(VALUES):
            rows = (labels[label] == code).to_numpy()
            counted[label, value] = (rows.sum(), (rows & (verdict != 0)).sum(), (rows & (verdict > 0)).sum())
    return counted


def test_every_count_equals_an_independent_recount_for_three_sets(labels):
    sets = {
        "images": [readings_of(labels, "ann", 1), readings_of(labels, "bob", 2), readings_of(labels, "cyd", 3)],
        "studies": [readings_of(labels, "dee", 4, by_study=True), readings_of(labels, "eve", 5, by_study=True)],
        "mixed": [readings_of(labels, "ann", 6), readings_of(labels, "fay", 7, by_study=True)],
    }
    for name, frames in sets.items():
        kept(name, *frames)
        found, expected = meaning("own", name), recount(labels, *frames)
        for label in LABELS:
            for value in VALUES:
                share = found.labels[label][value]
                assert (share.n, share.n_read, share.n_present) == expected[label, value]
                assert share.share == pytest.approx(share.n_present / share.n_read)
        assert found.readers == tuple(sorted({frame["reader"].iloc[0] for frame in frames}))
    assert meaning("own", "studies").rows_by_study > 0
    assert meaning("own", "images").rows_by_study == 0


def test_kappa_is_the_mean_over_pairs_of_statsmodels_kappas_on_rows_that_both_judge(labels):
    frames = [readings_of(labels, "ann", 21), readings_of(labels, "bob", 22), readings_of(labels, "fay", 23, True)]
    kept("mixed", *frames)
    votes = [
        labels[["path", "patient", "study"]].merge(frame[[*(["patient", "study"] if study else ["path"]), *LABELS]])
        for frame, study in zip(frames, (False, False, True), strict=True)
    ]
    found = meaning("own", "mixed").agreement
    for label in LABELS:
        said = pd.concat([one.set_index("path")[label] for one in votes], axis=1).reindex(labels["path"])
        each = []
        for first, second in combinations(range(3), 2):
            pair = said.iloc[:, [first, second]]
            pair = pair[pair.isin([1, 3]).all(axis=1)]
            each.append(cohens_kappa(to_table(pair.to_numpy(int) // 2, bins=2)[0]).kappa)
        assert found[label].kappa == pytest.approx(np.mean(each), abs=1e-12)
        assert found[label].n == (said.isin([1, 3]).sum(axis=1) >= 2).sum()


def test_a_reader_of_an_image_and_of_its_study_counts_by_the_image_where_there_is_one(labels):
    image = readings_of(labels, "ann", 31)
    study = readings_of(labels, "ann", 32, by_study=True)
    kept("both", image, study)
    seen = image.set_index("path").reindex(labels["path"])
    of_study = labels[["path", "patient", "study"]].merge(study[["patient", "study", *LABELS]], how="left")
    found = meaning("own", "both").labels
    for label in LABELS:
        own = seen[label].fillna(0).to_numpy()
        code = np.where(own > 0, own, of_study[label].fillna(0).to_numpy())
        for value, name in enumerate(VALUES):
            rows = (labels[label] == value).to_numpy()
            expected = ((rows & np.isin(code, (1, 3))).sum(), (rows & (code == 3)).sum())
            assert (found[label][name].n_read, found[label][name].n_present) == expected


def test_a_data_set_and_a_view_are_counted_alone(labels):
    frame = readings_of(labels, "ann", 1)
    kept("one", frame)
    chosen = labels[(labels["dataset"] == 2) & (labels["view"] == 1)]
    expected = recount(chosen, frame)
    found = meaning("own", dataset="test", view="lateral").labels["edema"]["positive"]
    assert (found.n, found.n_read, found.n_present) == expected["edema", "positive"]


def test_the_policy_has_the_shares_drawn_to_their_mean(labels, tmp_path):
    kept("one", readings_of(labels, "ann", 1))
    found = meaning("own")
    policy = write_policy(found, tmp_path / "read.toml", 0.6)
    assert policy_from_file(tmp_path / "read.toml") == policy
    shares = np.array([found.labels[label]["uncertain"].share for label in LABELS])
    assert np.all(np.abs(np.array(policy.u) - shares.mean()) <= np.abs(shares - shares.mean()) + 0.01)
    assert set(policy.w) == {0.6}
    with pytest.raises(ExistsError, match="--replace"):
        write_policy(found, tmp_path / "read.toml", 0.6)


def test_the_policy_says_of_blanks_what_the_readers_say_where_that_is_asked(labels, tmp_path):
    kept("one", readings_of(labels, "ann", 1))
    found = meaning("own")
    policy = write_policy(found, tmp_path / "read.toml", 0.6, blanks=True)
    assert policy_from_file(tmp_path / "read.toml") == policy
    assert policy.u == found.policy(0.6, "read").u
    counted = [found.labels[label]["not_mentioned"] for label in LABELS]
    present, read = np.array([[one.n_present, one.n_read] for one in counted]).T
    mean, shares = present.sum() / read.sum(), present / read
    # Drawn from the own share towards that of all, and never past either.
    assert np.all((np.array(policy.blank_u) - shares) * (mean - shares) >= -1e-4)
    assert np.all(np.abs(np.array(policy.blank_u) - shares) <= np.abs(mean - shares) + 1e-4)
    assert set(policy.blank_w) == {1.0}
    assert not found.policy(0.6, "read").says_of_blanks


def test_what_cannot_be_counted_is_a_sentence(labels):
    with pytest.raises(UsageError, match="has no readings"):
        meaning("own")
    kept("one", readings_of(labels, "ann", 1))
    kept("two", readings_of(labels, "ann", 2))
    with pytest.raises(UsageError, match="several sets of readings: one, two. Name one by --set"):
        meaning("own")
    with pytest.raises(UnknownNameError, match="three"):
        meaning("own", "three")


def test_the_command_prints_the_counts(labels, cxr, tmp_path):
    kept("one", readings_of(labels, "ann", 1), readings_of(labels, "bob", 2))
    policy = tmp_path / "p.toml"
    done = cxr("meaning", "--source", "own", "--json", "--write-policy", str(policy))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document) >= {"set", "dataset", "view", "readers", "labels", "agreement"}
    assert set(document["labels"]) == set(LABELS)
    assert set(document["labels"]["edema"]["uncertain"]) >= {
        "n", "n_read", "n_present", "share", "share_ci", "n_patients", "why"
    }  # fmt: skip
    assert set(document["agreement"]["edema"]) >= {"n", "kappa", "kappa_ci", "why"}
    assert policy_from_file(policy).w_scalar is None or policy_from_file(policy).w_scalar == 0.75
    refused = cxr("meaning", "--source", "own", "--set", "nobody")
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
