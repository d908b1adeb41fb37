import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score, roc_curve

from cxr_core.cli import command_named
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.compare import compare
from cxr_core.tasks.evaluate import evaluate, label_curves
from cxr_core.tasks.judging import judges
from cxr_core.tasks.reader_differences import reader_differences
from cxr_core.tasks.two_judges import two_judges
from cxr_core.warehouse.noted import noting
from cxr_core.warehouse.parquet import write_readings, write_table, write_truth

RANDOM = np.random.default_rng(21)


@pytest.fixture
def source(workspace):
    """240 valid images of 120 patients with a truth, three readers of a set, one of another, and two models."""
    n = np.arange(240)
    keys = pd.DataFrame({"path": [f"i{k}" for k in n], "patient": n // 2 + 1, "study": 1, "image": n % 2 + 1})
    keys = keys.assign(view=0, dataset=1)
    truth = {label: RANDOM.random(240) < 0.4 for label in LABELS}
    folder = workspace / "sources" / "own"
    report = {label: np.where(truth[label], 3, RANDOM.choice([0, 1, 2, 3], 240)) for label in LABELS}
    write_table(folder / "labels.parquet", keys.assign(**report))
    write_truth(folder / "truth.parquet", keys[["path"]].assign(**{k: v.astype(int) for k, v in truth.items()}))
    (folder / "source.toml").write_text('kind = "local"\ntruth = "truth.parquet"\n')
    for name, noise in (("good", 0.8), ("poor", 2.0)):
        scores = {label: truth[label] + RANDOM.normal(0, noise, 240) for label in LABELS[:5]}
        write_table(get_source("own").predictions_path(name), keys.assign(**scores), "logit")
    doctors = pd.concat([reading(keys[:180], truth, name, 0.15) for name in ("ann", "bob", "cyd")])
    write_readings(get_source("own").readings_path("doctors"), doctors)
    write_readings(get_source("own").readings_path("guests"), reading(keys[60:], truth, "gil", 0.05))
    return keys, truth, doctors


def reading(keys, truth, reader, noise):
    said = {}
    for label in LABELS:
        seen = truth[label][keys.index] ^ (RANDOM.random(len(keys)) < noise)
        said[label] = np.where(RANDOM.random(len(keys)) < 0.1, RANDOM.choice([0, 2], len(keys)), np.where(seen, 3, 1))
    return keys[[*KEY_COLUMNS]].assign(reader=reader, **said)


def verdicts(doctors, label, without=None):
    rows = doctors[doctors["reader"] != without]
    return (rows[label].map({3: 1, 1: -1, 0: 0, 2: 0})).groupby(rows["path"]).sum().pipe(np.sign)


def scores_of(model, label):
    table = pd.read_parquet(get_source("own").predictions_path(model)).set_index("path")
    return table[label]


def test_figures_by_readers_are_those_of_the_majority(source):
    found = evaluate("own", "good", judge="doctors")
    for label in LABELS[:5]:
        verdict = verdicts(source[2], label)
        certain = verdict[verdict != 0]
        scores = scores_of("good", label)[certain.index]
        figures = found.labels[label]
        assert figures.n == len(certain)
        assert figures.roc_auc == pytest.approx(roc_auc_score(certain > 0, scores))
        assert figures.average_precision == pytest.approx(average_precision_score(certain > 0, scores))
    assert found.n_images == 240
    assert found.n_no_verdict == 60


def test_figures_by_the_truth_are_those_of_the_truth(source):
    found = evaluate("own", "good", judge="truth")
    for label in LABELS[:5]:
        assert found.labels[label].roc_auc == pytest.approx(roc_auc_score(source[1][label], scores_of("good", label)))
        assert found.labels[label].n == 240


def test_readers_are_judged_by_the_others_and_guests_by_the_judge(source):
    doctors, label = source[2], LABELS[0]
    found = evaluate("own", "good", judge="doctors")
    verdict = verdicts(doctors, label)
    certain = verdict[verdict != 0]
    fpr, tpr, _ = roc_curve(certain > 0, scores_of("good", label)[certain.index], drop_intermediate=False)
    points = {point.reader: point for point in found.readers[label]}
    assert {name: point.set for name, point in points.items()} == {
        "ann": "doctors", "bob": "doctors", "cyd": "doctors", "gil": "guests"
    }  # fmt: skip
    guests = pd.read_parquet(get_source("own").readings_path("guests")).set_index("path")[label]
    for name, point in points.items():
        judge = certain if name == "gil" else verdicts(doctors, label, without=name)
        said = guests if name == "gil" else doctors[doctors["reader"] == name].set_index("path")[label]
        both = judge[judge != 0].index.intersection(said[said.isin([1, 3])].index)
        (tn, fp), (fn, tp) = confusion_matrix(judge[both] > 0, said[both] == 3)
        assert point.n == len(both)
        assert point.sensitivity == pytest.approx(tp / (tp + fn))
        assert point.specificity == pytest.approx(tn / (tn + fp))
        assert point.under_roc == bool(tp / (tp + fn) < max(tpr[fpr <= fp / (tn + fp)]) or under(point, fpr, tpr))


def under(point, fpr, tpr):
    return point.sensitivity < np.interp(1 - point.specificity, fpr, tpr)


def test_models_are_compared_by_a_judge(source):
    found = compare("own", "good", "poor", judge="truth")
    label = LABELS[1]
    expected = [roc_auc_score(source[1][label], scores_of(model, label)) for model in ("good", "poor")]
    assert found.labels[label].difference == pytest.approx(expected[0] - expected[1])
    assert found.as_json()["judge"] == "truth"


def test_the_curves_of_a_label_have_the_judges_prevalence(source):
    verdict = verdicts(source[2], LABELS[2])
    drawn = label_curves("own", "good", LABELS[2], judge="doctors")
    assert drawn.prevalence == pytest.approx((verdict > 0).sum() / (verdict != 0).sum())


def test_who_can_judge_is_listed_and_who_cannot_is_refused(source, workspace):
    assert judges(get_source("own")) == ["report", "truth", "doctors", "guests"]
    with pytest.raises(UnknownNameError, match="nobody"):
        evaluate("own", "good", judge="nobody")
    (workspace / "sources" / "own" / "source.toml").write_text('kind = "local"\n')
    with pytest.raises(UsageError, match="Nobody knows the truth of the source own"):
        evaluate("own", "good", judge="truth")


def test_a_judge_who_says_nothing_on_the_images_is_a_sentence(source):
    keys = source[0][:3].assign(path=["x", "y", "z"], patient=999)
    elsewhere = keys.assign(reader="ann", **dict.fromkeys(LABELS, 3))
    write_readings(get_source("own").readings_path("elsewhere"), elsewhere)
    with pytest.raises(
        UsageError, match="The judge elsewhere says nothing on any of the predicted images of valid .240 images"
    ):
        evaluate("own", "good", judge="elsewhere")


def test_two_judges_judge_the_same_images_and_their_ranks_have_an_interval(source):
    keys, truth, _ = source
    for noise in (1.2, 3.0):
        scores = {label: truth[label] + RANDOM.normal(0, noise, 240) for label in LABELS[:5]}
        write_table(get_source("own").predictions_path(f"other{noise}"), keys.assign(**scores), "logit")
    models = ["good", "poor", "other1.2", "other3.0"]
    found = two_judges("own", models, ("doctors", "truth")).as_json()
    (group,) = found["groups"]
    assert (found["judges"], group["n"], group["labels"]) == (["doctors", "truth"], 180, list(LABELS[:5]))
    for model in models:
        each = [roc_auc_score(truth[label][:180], scores_of(model, label).iloc[:180]) for label in LABELS[:5]]
        assert group["models"][model]["truth"]["value"] == pytest.approx(np.mean(each))
        assert group["models"][model]["doctors"]["labels"] == 5
    ranks = group["rank_correlation"]
    values = [[group["models"][model][judge]["value"] for model in models] for judge in found["judges"]]
    assert ranks["value"] == pytest.approx(kendalltau(*values).statistic)
    assert ranks["ci"][0] <= ranks["value"] <= ranks["ci"][1]
    for model, one in group["differences"].items():
        by = group["models"][model]
        assert one["value"] == pytest.approx(by["doctors"]["value"] - by["truth"]["value"])
        assert one["ci_corrected"][0] <= one["ci"][0] <= one["value"] <= one["ci"][1] <= one["ci_corrected"][1]
    for label, one in group["agreement"].items():
        assert one["present"][1] <= truth[label][:180].sum() and one["n"] <= 180
        assert one["difference"] == pytest.approx((one["present"][0] - one["present"][1]) / one["n"])
    assert list(group["agreement"]) == list(LABELS[:5])
    one = two_judges("own", models, ("report", "truth"), label=LABELS[1])
    assert list(one.agreement["frontal"]) == [LABELS[1]]
    assert one.groups["frontal"].labels == (LABELS[1],)
    with pytest.raises(UsageError, match="Received truth twice"):
        two_judges("own", models, ("truth", "truth"))


def test_the_model_beside_a_reader_is_read_off_at_the_readers_specificity(source):
    label = LABELS[0]
    points = {point.reader: point for point in evaluate("own", "good", judge="doctors").readers[label]}
    found = reader_differences("own", "good", "valid", None, "doctors", label)[label]
    assert set(found) == {("doctors", name) for name in ("ann", "bob", "cyd")} | {("guests", "gil")}
    for (_, reader), beside in found.items():
        assert beside.n == points[reader].n
        assert beside.difference == pytest.approx(beside.model_sensitivity - points[reader].sensitivity)
        assert beside.ci is None if beside.why else beside.ci[0] < beside.difference < beside.ci[1]
    assert sum(beside.ci is not None for beside in found.values()) > 1
    assert reader_differences("own", "good", "valid", None, "truth") == {}


def test_the_command_line_says_who_judged(source, cxr):
    done = cxr("evaluate", "good", "--source", "own", "--judge", "doctors", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["judge"] == "doctors"
    assert document["n_no_verdict"] == 60
    reader = document["labels"][LABELS[0]]["readers"][0]
    assert set(reader) >= {"reader", "set", "sensitivity", "specificity", "n", "under_roc", "under_pr"}
    assert reader["difference_ci"][0] < reader["difference"] < reader["difference_ci"][1]
    beside = cxr("compare", "good", "poor", "--source", "own", "--judge", "doctors", "--beside", "report", "--json")
    assert json.loads(beside.stdout)["judges"] == ["doctors", "report"]
    refused = cxr("compare", "good", "poor", "--source", "own", "--judge", "nobody")
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1


def test_the_command_line_asks_the_tables_once_where_nobody_read_the_images(source):
    with noting() as asked:
        command = command_named("evaluate")
        command.execute(command.parse(["good", "--source", "own", "--json"]))
    assert [one.question for one in asked] == ["joined"]
