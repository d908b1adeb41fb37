import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from scipy.special import expit
from scipy.stats import ks_2samp
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, f1_score

from cxr_core.cli import main
from cxr_core.errors import ExistsError, TableError, UnknownNameError, UsageError
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.thresholds import f1_threshold
from cxr_core.sources.registry import get_source
from cxr_core.tasks.evaluate import label_curves
from cxr_core.tasks.threshold_cards import cards, choose_thresholds, judged_at, parse_rule, read_card

RULES = ["sensitivity=0.9", "specificity=.8", "youden", "f1", "alarms=20"]


@pytest.fixture
def labels(workspace):
    frame = write_source(workspace)
    frontal = of_view(frame, "frontal")
    write_predictions(workspace, "net", scores_for(frontal, 1, names=("edema", "fracture")))
    return frontal


def certain(labels, dataset, label="edema"):
    scores = pd.read_parquet(get_source(NAME).predictions_path("net")).set_index("path")[label]
    rows = labels[(labels["dataset"] == {"valid": 1, "test": 2}[dataset]) & (labels[label] != 2)]
    return (rows[label] == 3).to_numpy(), scores[rows["path"]].to_numpy()


@pytest.mark.parametrize("rule", RULES)
def test_a_card_counts_exactly_where_it_is_chosen_and_where_it_is_judged(labels, rule):
    card = choose_thresholds(NAME, "net", parse_rule(rule))
    kept = read_card(NAME, card.card)
    assert kept == card
    for dataset, cuts in (("valid", card.cuts), ("test", judged_at(kept, NAME, "net", "test", None, "report"))):
        y, scores = certain(labels, dataset)
        (tn, fp), (fn, tp) = confusion_matrix(y, scores >= card.thresholds["edema"])
        cut = cuts["edema"].as_json()
        assert [cut[name] for name in ("tp", "fp", "fn", "tn")] == [tp, fp, fn, tn]
        assert cut["sensitivity"] == pytest.approx(tp / (tp + fn))
        assert cut["specificity"] == pytest.approx(tn / (tn + fp))
        assert cut["n"] == len(y)
        assert cut["alarms_per_100"] == pytest.approx(100 * (tp + fp) / len(y))
    assert set(card.thresholds) == {"edema", "fracture"}


def test_a_card_says_how_far_the_scores_have_moved_from_those_that_it_was_chosen_on(labels):
    kept = read_card(NAME, choose_thresholds(NAME, "net", parse_rule("youden"), card="card").card)
    found = {one: judged_at(kept, NAME, "net", one, None, "report")["edema"].as_json() for one in ("valid", "test")}
    exact = ks_2samp(certain(labels, "valid")[1], certain(labels, "test")[1]).statistic
    assert found["test"]["score_shift"] == pytest.approx(exact, abs=0.011)
    assert found["valid"]["score_shift"] <= 0.011
    older = get_source(NAME).folder / "thresholds" / "card.json"
    document = json.loads(older.read_text())
    document["labels"] = {label: {"threshold": cut["threshold"]} for label, cut in document["labels"].items()}
    older.write_text(json.dumps(document))
    without = judged_at(read_card(NAME, "card"), NAME, "net", "test", None, "report")["edema"].as_json()
    assert "score_shift" not in without and without["tp"] == found["test"]["tp"]


def test_the_rules_reach_what_they_promise(labels):
    y, scores = certain(labels, "valid")
    cuts = {rule: choose_thresholds(NAME, "net", parse_rule(rule)).cuts["edema"].as_json() for rule in RULES}
    assert cuts["sensitivity=0.9"]["sensitivity"] >= 0.9
    assert cuts["specificity=.8"]["specificity"] >= 0.8
    best = max(f1_score(y, scores >= cut) for cut in scores)
    called = [scores >= cut for cut in np.sort(scores)]
    assert np.array_equal(
        scores >= cuts["alarms=20"]["threshold"], next(one for one in called if one.sum() <= 0.2 * one.size)
    )
    assert cuts["alarms=20"]["alarms_per_100"] <= 20
    assert f1_score(y, scores >= cuts["f1"]["threshold"]) == pytest.approx(best)
    assert f1_threshold(y, scores) == cuts["f1"]["threshold"]


def test_choosing_and_judging_on_the_same_images_is_the_operating_point_of_the_page(labels):
    card = choose_thresholds(NAME, "net", parse_rule("youden"))
    again = judged_at(card, NAME, "net", "valid", None, "report")["edema"]
    curves = label_curves(NAME, "net", "edema")
    assert again.point == curves.operating_point(curves.youden_threshold())


CODES, SCORES = st.lists(st.integers(0, 3), min_size=120, max_size=120), st.integers(-4, 4).map(lambda one: one / 3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(codes=CODES, scores=st.lists(SCORES, min_size=120, max_size=120), rule=st.sampled_from(RULES))
def test_whatever_labels_and_scores_a_card_judged_where_it_was_chosen_is_the_operating_point_of_the_page(
    labels, workspace, codes, scores, rule
):
    valid = labels[labels["dataset"] == 1]
    of_all = pd.read_parquet(workspace / "sources" / NAME / "labels_valid.parquet").set_index("path")
    of_all.loc[valid["path"], "edema"] = codes
    of_all.reset_index().to_parquet(workspace / "sources" / NAME / "labels_valid.parquet", index=False)
    write_predictions(workspace, "net", valid.iloc[:, :6].assign(edema=scores))
    card = choose_thresholds(NAME, "net", parse_rule(rule), card="again", replace=True)
    again = judged_at(read_card(NAME, "again"), NAME, "net", "valid", None, "report")["edema"]
    curves = label_curves(NAME, "net", "edema")
    threshold = curves.threshold(parse_rule(rule).name, parse_rule(rule).wanted)
    assert again.threshold == card.thresholds["edema"] == threshold
    if threshold is None:
        assert again.point is None and "there are no" in again.why["threshold"]
        return
    assert again.point == curves.operating_point(threshold)
    certain = np.array(codes) != 2
    y, called = np.array(codes)[certain] == 3, np.array(scores)[certain] >= threshold
    counts = {"tp": y & called, "fp": ~y & called, "fn": y & ~called, "tn": ~y & ~called}
    shown = again.as_json()
    assert {name: shown[name] for name in counts} == {name: int(rows.sum()) for name, rows in counts.items()}


def test_a_label_of_one_class_has_no_threshold_and_says_why(labels, workspace):
    table = workspace / "sources" / NAME / "labels_valid.parquet"
    frame = pd.read_parquet(table).assign(edema=0)
    frame.to_parquet(table, index=False)
    card = choose_thresholds(NAME, "net", parse_rule("youden"))
    cut = card.cuts["edema"].as_json()
    assert cut["threshold"] is None and cut["sensitivity"] is None
    assert "no positives" in cut["why"]["threshold"]
    elsewhere = judged_at(read_card(NAME, card.card), NAME, "net", "test", None, "report")["edema"].as_json()
    assert elsewhere["why"]["threshold"] == "the card has no threshold for this label: there are no positives in valid"
    alarms = choose_thresholds(NAME, "net", parse_rule("alarms=20")).cuts["edema"].as_json()
    assert 0 < alarms["alarms_per_100"] <= 20 and alarms["sensitivity"] is None


@pytest.mark.parametrize("rule", ["specificity=0.9", "alarms=20"])
def test_a_rule_that_no_score_can_meet_says_so_where_it_is_chosen_and_elsewhere(labels, workspace, rule):
    frame = pd.read_parquet(get_source(NAME).predictions_path("net"))
    frame["edema"] = (frame["edema"] > frame["edema"].median()).astype(float)  # the largest score is that of half
    write_predictions(workspace, "net", frame)
    cut = choose_thresholds(NAME, "net", parse_rule(rule), card="high").cuts["edema"].as_json()
    said = f"no threshold at a score has {rule}, so nothing is called positive"
    assert cut["threshold"] > 1 and cut["tp"] == cut["fp"] == 0
    assert cut["why"]["rule"] == said and cut["why"]["ppv"] == "nothing is called positive"
    kept = read_card(NAME, "high")
    assert judged_at(kept, NAME, "net", "test", None, "report")["edema"].as_json()["why"]["rule"] == f"{said} in valid"
    assert "rule" not in judged_at(kept, NAME, "net", "test", None, "report")["fracture"].as_json()["why"]


def test_a_kept_rule_has_all_its_digits():
    assert parse_rule(str(parse_rule("sensitivity=0.9999999"))).wanted == 0.9999999
    assert [str(parse_rule(text)) for text in ("alarms=10", "specificity=.95")] == ["alarms=10", "specificity=0.95"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sensitivity", "needs a figure"),
        ("youden=1", "takes no figure"),
        ("sensitivity=2", "above 0 and at most 1"),
        ("sensitivity=much", "above 0 and at most 1"),
        ("alarms", "needs a figure, as in alarms=10"),
        ("alarms=101", "Alarms must be above 0 and at most 100 per 100 images"),
        ("luck", "A rule is"),
    ],
)
def test_rules_that_are_none_are_refused(text, sentence):
    with pytest.raises(UsageError, match=sentence):
        parse_rule(text)


def test_cards_are_kept_and_not_replaced_unless_asked(labels, workspace):
    choose_thresholds(NAME, "net", parse_rule("youden"), card="mine")
    with pytest.raises(ExistsError, match="--replace"):
        choose_thresholds(NAME, "net", parse_rule("f1"), card="mine")
    choose_thresholds(NAME, "net", parse_rule("f1"), card="mine", replace=True)
    assert read_card(NAME, "mine").rule.name == "f1"
    assert cards(NAME) == ["mine"]
    with pytest.raises(UnknownNameError, match="yours"):
        read_card(NAME, "yours")
    (workspace / "sources" / NAME / "thresholds" / "mine.json").write_text('{"labels": 3}')
    with pytest.raises(TableError, match="is damaged"):
        read_card(NAME, "mine")


def test_a_card_of_another_model_or_scale_is_refused(labels, workspace):
    card = choose_thresholds(NAME, "net", parse_rule("youden"))
    with pytest.raises(UsageError, match="is of the model net"):
        judged_at(card, NAME, "other", "test", None, "report")
    frame = pd.read_parquet(get_source(NAME).predictions_path("net"))
    frame[["edema", "fracture"]] = 1 / (1 + np.exp(-frame[["edema", "fracture"]]))
    write_predictions(workspace, "net", frame, "probability")
    with pytest.raises(UsageError, match="cuts logits"):
        judged_at(card, NAME, "net", "test", None, "report")


def test_the_command_line_keeps_a_card_and_judges_at_it(labels, cxr):
    done = cxr("thresholds", "net", "--rule", "sensitivity=.9", "--source", NAME, "--json")
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert set(card) >= {"card", "model", "rule", "on", "judge", "labels"}
    judged = cxr("evaluate", "net", "--at", card["card"], "--dataset", "test", "--source", NAME, "--json")
    at = json.loads(judged.stdout)["labels"]["edema"]["at"]
    assert at["threshold"] == card["labels"]["edema"]["threshold"]
    assert set(at) >= {"sensitivity", "sensitivity_ci", "specificity", "specificity_ci", "ppv", "npv", "n", "why"}
    assert cxr("thresholds", "net", "--rule", "luck", "--source", NAME).returncode == 2


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_recalibration_is_fitted_on_one_set_kept_in_the_card_and_judged_on_another(labels, method):
    card = choose_thresholds(NAME, "net", parse_rule("youden"), recalibrate=method)
    kept = read_card(NAME, card.card)
    assert kept == card and set(kept.recalibrations) == {"edema", "fracture"}
    judged = judged_at(kept, NAME, "net", "test", None, "report")["edema"].as_json()["recalibrated"]
    (y_valid, s_valid), (y, scores) = certain(labels, "valid"), certain(labels, "test")
    if method == "platt":
        line = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(s_valid[:, None], y_valid)
        p = line.predict_proba(scores[:, None])[:, 1]
    else:
        p = IsotonicRegression(out_of_bounds="clip").fit(s_valid, y_valid).predict(scores)
    assert judged["before"]["brier"] == pytest.approx(np.mean((expit(scores) - y) ** 2))
    assert judged["after"]["brier"] == pytest.approx(np.mean((p - y) ** 2), abs=1e-6)
    assert judged["after"]["observed_to_expected"] == pytest.approx(y.sum() / p.sum(), abs=1e-5)
    assert judged["method"] == method and judged["why"] is None
    assert (
        "recalibrated"
        not in judged_at(replace(kept, recalibrations={}), NAME, "net", "test", None, "report")["edema"].as_json()
    )


def test_the_command_tells_alarms_a_day_and_the_calibration_before_and_after(labels, capsys):
    choose_thresholds(NAME, "net", parse_rule("youden"), card="mine", recalibrate="platt")
    arguments = ["evaluate", "net", "--at", "mine", "--dataset", "test", "--source", NAME, "--images-a-day"]
    assert main([*arguments, "250", "--json"]) == 0
    at = json.loads(capsys.readouterr().out)["labels"]["edema"]["at"]
    assert at["alarms_a_day"] == pytest.approx(250 * (at["tp"] + at["fp"]) / at["n"])
    assert at["false_alarms_a_day"] == pytest.approx(250 * at["fp"] / at["n"])
    y, scores = certain(labels, "test")
    patients = labels[(labels["dataset"] == 2) & (labels["edema"] != 2)]["patient"].to_numpy()
    for name, images, rows in (
        ("alarms_per_100", 100, scores >= at["threshold"]),
        ("false_alarms_a_day", 250, (scores >= at["threshold"]) & ~y),
    ):
        counted = pd.DataFrame({"rows": rows, "all": 1}).groupby(patients).sum().to_numpy(float).T
        assert at[f"{name}_ci"] == pytest.approx([images * end for end in share_interval(*counted).ci])
    assert main([*arguments, "250"]) == 0
    shown = capsys.readouterr().out
    assert "recalibrated" in shown and "false alarms at 250 a day" in shown
    assert main([*arguments, "0"]) == 2
    assert "must be 1 or more" in capsys.readouterr().err
