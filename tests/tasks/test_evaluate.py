import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from sklearn import metrics

from cxr_core.errors import TableError, UnknownNameError
from cxr_core.schema import LABELS
from cxr_core.tasks.evaluate import evaluate, label_curves


@pytest.fixture
def labels(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    return write_source(workspace)


def certain(labels, scores, label, dataset=1):
    """Join by path with pandas and keep the certain rows, as the notebook does."""
    both = scores.merge(labels, on="path", suffixes=("_predicted", ""))
    both = both[(both["dataset"] == dataset) & (both["dataset_predicted"] == dataset) & (both[label] != 2)]
    return both[label] == 3, both[f"{label}_predicted"], both


def test_every_label_equals_scikit_learn_on_the_raw_tables(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    write_predictions(workspace, "net", scores)
    evaluation = evaluate(NAME, "net")
    assert list(evaluation.labels) == list(LABELS)
    for label, found in evaluation.labels.items():
        true, predicted, rows = certain(labels, scores, label)
        assert found.roc_auc == pytest.approx(metrics.roc_auc_score(true, predicted), abs=1e-12)
        assert found.average_precision == pytest.approx(metrics.average_precision_score(true, predicted), abs=1e-12)
        assert (found.n, found.n_positive, found.n_patients) == (len(rows), true.sum(), rows["patient"].nunique())
        assert found.n_uncertain_dropped == 120 - len(rows)
    assert evaluation.n_images == 120
    aucs = [found.roc_auc for found in evaluation.labels.values()]
    assert evaluation.mean_roc_auc.value == pytest.approx(np.mean(aucs))


def test_the_json_is_the_contracts(labels, workspace):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1))
    found = json.loads(json.dumps(evaluate(NAME, "net").as_json(), allow_nan=False))
    assert list(found) == [
        *("model", "source", "dataset", "view", "scale"),
        *("n_images", "unmatched", "duplicated", "disagreeing", "doubt", "judge", "computed_from"),
        *("n_no_verdict", "labels", "mean"),
    ]
    areas = [one["roc_auc"] for one in found["labels"].values()]
    assert found["mean"]["roc_auc"]["value"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert found["mean"]["roc_auc"]["labels"] == len(areas)
    one = found["labels"]["edema"]
    assert one["prevalence"] == one["n_positive"] / one["n"]
    assert (found["n_images"], found["unmatched"], found["duplicated"], found["disagreeing"]) == (120, 0, 0, 0)
    assert found["doubt"] is None
    assert (found["model"], found["source"], found["dataset"], found["view"], found["scale"]) == (
        "net",
        NAME,
        "valid",
        None,
        "logit",
    )
    assert set(found["labels"]) == set(LABELS)


def test_the_test_images_are_another_question_than_the_valid_ones(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    write_predictions(workspace, "net", scores)
    true, predicted, _ = certain(labels, scores, "edema", dataset=2)
    found = evaluate(NAME, "net", "test").labels["edema"]
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(true, predicted), abs=1e-12)


def test_no_view_is_filtered_unless_one_is_given(labels, workspace):
    write_predictions(workspace, "net", scores_for(labels, seed=1))
    assert evaluate(NAME, "net").n_images == 240
    assert evaluate(NAME, "net", view="lateral").n_images == 120


def test_a_view_without_predictions_leaves_every_figure_undefined_with_its_reason(labels, workspace):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1))
    found = evaluate(NAME, "net", view="lateral").labels["edema"].as_json()
    assert (found["n"], found["roc_auc"], found["average_precision_ci"]) == (0, None, None)
    assert found["why"]["roc_auc"] == "there are no certain rows"


def test_only_the_labels_of_the_model_are_shown(labels, workspace):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), 1, names=("edema", "fracture")), "score")
    evaluation = evaluate(NAME, "net")
    assert list(evaluation.labels) == ["edema", "fracture"]
    assert evaluation.scale == "score"


def test_predictions_without_labels_are_counted(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    strangers = scores[scores["dataset"] == 1].head(5)
    write_predictions(workspace, "net", pd.concat([scores, strangers.assign(path=[f"x{i}" for i in range(5)])]))
    evaluation = evaluate(NAME, "net")
    assert (evaluation.n_images, evaluation.unmatched) == (120, 5)


def test_a_path_that_stands_twice_is_refused_and_named(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    path = write_predictions(workspace, "net", scores)
    # Another tool wrote this table: ours refuses to.
    pq.write_table(pa.Table.from_pandas(pd.concat([scores, scores.head(3)]), preserve_index=False), path)
    with pytest.raises(TableError, match="Received 3 paths more than once, first 'valid/p10000000"):
        evaluate(NAME, "net")


def test_a_few_missing_predictions_are_left_out_counted_and_named(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    valid = scores[(scores["dataset"] == 1) & (of_view(labels, "frontal")["edema"] != 2)].sort_values("path")
    holed = valid.index[:4]
    scores.loc[holed, "edema"] = [np.nan, np.inf, np.nan, np.nan]
    write_predictions(workspace, "net", scores)
    found = evaluate(NAME, "net").labels
    true, predicted, rows = certain(labels, scores[~scores.index.isin(holed)], "edema")
    assert found["edema"].roc_auc == pytest.approx(metrics.roc_auc_score(true, predicted), abs=1e-12)
    assert (found["edema"].n, found["edema"].n_missing) == (len(rows), 4)
    assert found["edema"].missing_example == found["edema"].as_json()["missing_example"] == valid["path"].iloc[0]
    assert (found["fracture"].n_missing, found["fracture"].missing_example) == (0, None)
    curves = label_curves(NAME, "net", "edema")
    assert curves.roc_auc == found["edema"].roc_auc
    assert curves.rows.left_out.n == 4
    assert curves.scores_by_value()["positive"].size == found["edema"].n_positive
    assert sum(share.n for share in curves.shares_above(0.0).values()) == 116


def test_too_many_missing_predictions_refuse_the_label_with_the_count(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    scores.loc[scores.index[:20], "edema"] = np.nan
    write_predictions(workspace, "net", scores)
    found = evaluate(NAME, "net").labels
    assert found["edema"].roc_auc is None
    assert found["edema"].why["roc_auc"].endswith("missing, NaN or infinite; at most 5 % may be left out")
    assert found["fracture"].roc_auc is not None


def test_a_displayed_cut_that_is_typed_back_gives_the_same_confusion_matrix(labels, workspace):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1))
    for label in LABELS:
        curves = label_curves(NAME, "net", label)
        for rule, wanted in (("sensitivity", 0.95), ("specificity", 0.9), ("youden", None)):
            cut = curves.threshold(rule, wanted)
            written = curves.written_threshold(cut)
            there, back = curves.operating_point(cut), curves.operating_point(float(str(written)))
            assert (there.tp, there.fp, there.fn, there.tn) == (back.tp, back.fp, back.fn, back.tn)
            assert len(str(written)) <= 8


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nowhere", "net"), "Unknown source 'nowhere'"),
        ((NAME, "nut"), "Unknown model 'nut'. Choose one of: net."),
        ((NAME, "net", "validation"), "Unknown dataset 'validation'. Choose one of: train, valid, test."),
        ((NAME, "net", "valid", "oblique"), "Unknown view 'oblique'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_choices(labels, workspace, arguments, named):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1))
    with pytest.raises(UnknownNameError) as error:
        evaluate(*arguments)
    assert named in str(error.value)


def test_the_curves_of_a_label_agree_with_its_evaluation(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    write_predictions(workspace, "net", scores)
    curves, found = label_curves(NAME, "net", "edema"), evaluate(NAME, "net").labels["edema"]
    assert (curves.roc_auc, curves.average_precision) == (found.roc_auc, found.average_precision)
    assert curves.prevalence == found.prevalence == found.n_positive / found.n
    assert np.trapezoid(curves.roc.tpr, curves.roc.fpr) == pytest.approx(found.roc_auc)
    point = curves.operating_point(curves.youden_threshold())
    assert point.tp + point.fn == found.n_positive
    assert point.tp + point.fp + point.fn + point.tn == found.n
    assert curves.shares_above(point.threshold)["uncertain"].n == found.n_uncertain_dropped
    assert curves.scores_by_value()["positive"].size == found.n_positive
    true, predicted, _ = certain(labels, scores, "edema")
    assert curves.calibration().brier == pytest.approx(metrics.brier_score_loss(true, 1 / (1 + np.exp(-predicted))))


def test_long_curves_are_thinned_for_drawing_but_their_figures_are_not(workspace):
    labels = write_source(workspace, n=6000)
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1))
    curves = label_curves(NAME, "net", "edema")
    assert curves.rows.n > 5000
    assert curves.roc.fpr.size <= 1600
    assert curves.pr.recall.size <= 1600
    assert curves.roc_auc == pytest.approx(metrics.roc_auc_score(curves.rows.y, curves.rows.scores), abs=1e-12)


def test_a_label_that_nobody_or_this_model_lacks_is_answered_with_the_choices(labels, workspace):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), 1, names=("edema", "fracture")))
    with pytest.raises(UnknownNameError, match="Unknown label 'oedema'"):
        label_curves(NAME, "net", "oedema")
    with pytest.raises(
        UnknownNameError, match="Unknown label of model net 'pneumonia'. Choose one of: edema, fracture"
    ):
        label_curves(NAME, "net", "pneumonia")


def test_the_curves_of_an_undefined_label_are_none_with_the_reason(labels, workspace):
    scores = scores_for(of_view(labels, "frontal"), seed=1)
    scores["edema"] = np.inf
    write_predictions(workspace, "net", scores)
    curves = label_curves(NAME, "net", "edema")
    assert (curves.roc, curves.pr, curves.roc_auc, curves.average_precision) == (None,) * 4
    assert curves.youden_threshold() is None
    assert curves.calibration().why == curves.why["roc_auc"]
    assert "NaN or infinite" in curves.why["average_precision"]
