import json

import numpy as np
import pandas as pd
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from scipy.special import expit
from scipy.stats import rankdata
from sklearn import metrics

from cxr_core.errors import CxrError, DataError, ExistsError, UnknownNameError, UsageError
from cxr_core.evaluation.fitted import deal_patients
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.compare import compare
from cxr_core.tasks.ensemble import build_ensemble, preview_ensemble
from cxr_core.tasks.evaluate import evaluate
from cxr_core.warehouse.parquet import read_metadata, write_table


@pytest.fixture
def labels(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    return write_source(workspace)


@pytest.fixture
def members(labels, workspace):
    """Two frontal models; the second predicts the images in another order, lacks six images and all labels but two."""
    a = scores_for(of_view(labels, "frontal"), 1)
    b = scores_for(of_view(labels, "frontal"), 2, names=("edema", "fracture"))
    write_predictions(workspace, "a", a)
    write_predictions(workspace, "b", b.iloc[6:].iloc[::-1])
    return a.iloc[6:].sort_values("path"), b.iloc[6:].sort_values("path")


def saved(name="both"):
    path = get_source(NAME).predictions_path(name)
    return pd.read_parquet(path), read_metadata(path)


def test_the_mean_of_logits_is_saved_for_common_images_labels_and_data_sets(members):
    a, b = members
    built = build_ensemble(NAME, ["a", "b"], "mean-logit", "image", "both")
    frame, metadata = saved()
    frame = frame.sort_values("path")
    assert frame["path"].tolist() == a["path"].tolist()
    assert set(frame["dataset"]) == {1, 2}
    assert metadata.labels == ("edema", "fracture")
    np.testing.assert_allclose(frame["edema"], (a["edema"].to_numpy() + b["edema"].to_numpy()) / 2, rtol=1e-15)
    assert metadata.scale == "logit"
    recipe = {"members": ["a", "b"], "method": "mean-logit", "by": "image"}
    assert metadata.model == {"view": "frontal", "recipe": recipe}
    table = str(get_source(NAME).predictions_path("both"))
    expected = {"model": "both", "table": table, "images": 234, "method": "mean-logit", "scale": "logit"}
    expected |= {"missing": {}, "not_fitted": {}}
    assert json.loads(json.dumps(built.as_json())) == expected


def test_mean_probability_is_saved_as_probabilities(members):
    a, b = members
    assert build_ensemble(NAME, ["a", "b"], "mean-probability", "image", "both").scale == "probability"
    frame, metadata = saved()
    expected = (expit(a["edema"].to_numpy()) + expit(b["edema"].to_numpy())) / 2
    np.testing.assert_allclose(frame.sort_values("path")["edema"], expected, rtol=1e-14)
    assert metadata.scale == "probability"


def test_ranks_are_taken_within_each_data_set(members):
    a, b = (frame[frame["dataset"] == 1] for frame in members)
    assert build_ensemble(NAME, ["a", "b"], "mean-rank", "image", "both").scale == "score"
    frame, _ = saved()
    found = frame[frame["dataset"] == 1].sort_values("path")["edema"]
    expected = (rankdata(a["edema"]) + rankdata(b["edema"]) - 1) / (2 * len(a))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_an_ensemble_is_evaluated_like_any_model(members, labels):
    a, b = members
    build_ensemble(NAME, ["a", "b"], "max", "image", "both")
    rows = labels.merge(a[["path"]].assign(score=np.maximum(a["edema"].to_numpy(), b["edema"].to_numpy())), on="path")
    rows = rows[(rows["dataset"] == 1) & (rows["edema"] != 2)]
    found = evaluate(NAME, "both").labels["edema"]
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(rows["edema"] == 3, rows["score"]), abs=1e-12)


def test_images_without_labels_are_combined_too(members, labels, workspace):
    for name, frame in zip("cd", members, strict=True):
        strangers = frame.head(4)
        write_predictions(
            workspace, name, pd.concat([frame, strangers.assign(path=[f"train/x{i}" for i in range(4)], dataset=0)])
        )
    assert build_ensemble(NAME, ["c", "d"], "mean-logit", "image", "both").images == 238


@pytest.mark.parametrize(
    ("given", "method", "by", "error", "named"),
    [
        (["a"], "mean-logit", "image", UsageError, "needs two members or more. Received: a."),
        ([], "mean-logit", "image", UsageError, "Received: none."),
        (["a", "b", "a"], "mean-logit", "image", UsageError, "Received more than once: a."),
        (["a", "z"], "mean-logit", "image", UnknownNameError, "Unknown model 'z'. Choose one of: a, b, score, side."),
        (["a", "side"], "mean-logit", "image", UsageError, "must predict the same images. a, side share none"),
        (["a", "score"], "weighted", "image", UsageError, "use mean-rank"),
        (["a", "score"], "stacking", "study", UsageError, "use mean-rank"),
        (["a", "squashed"], "mean-logit", "image", DataError, "squashed should be logits, but all predictions lie"),
        (["a", "b"], "median", "image", UsageError, "The method must be one of"),
        ([], "mean-logit", "study", UsageError, "Received: none."),
        (["a", "b"], "mean-logit", "patient", UsageError, "by image or by study. Received: 'patient'"),
        (["a", "score"], "mean-logit", "image", UsageError, "use mean-rank"),
        (["a", "score"], "max", "image", UsageError, "members on one scale. Received: logit, score"),
        (["b", "lung"], "max", "image", UsageError, "must have a label in common"),
        (["a", "broken"], "mean-rank", "image", DataError, "Received from broken: 13 of 240 of edema missing"),
    ],
)
def test_what_cannot_be_combined_is_refused_and_nothing_is_written(
    members, labels, workspace, given, method, by, error, named
):
    frontal = of_view(labels, "frontal")
    write_predictions(workspace, "side", scores_for(of_view(labels, "lateral"), 3))
    write_predictions(workspace, "score", scores_for(frontal, 3), "score")
    if "lung" in given:
        write_predictions(workspace, "lung", scores_for(frontal, 3, names=("lung_lesion",)))
    if "squashed" in given:
        squashed = scores_for(frontal, 3)
        write_predictions(workspace, "squashed", squashed.assign(**{label: expit(squashed[label]) for label in LABELS}))
    if "broken" in given:
        broken = scores_for(frontal, 3)
        broken.loc[broken.index[10:23], "edema"] = np.nan
        write_predictions(workspace, "broken", broken)
    with pytest.raises(error) as refused:
        build_ensemble(NAME, given, method, by, "both")
    assert named in str(refused.value)
    assert not get_source(NAME).predictions_path("both").exists()


def test_an_existing_ensemble_is_only_replaced_when_asked_to(members):
    build_ensemble(NAME, ["a", "b"], "mean-logit", "image", "both")
    with pytest.raises(ExistsError, match="use --replace"):
        build_ensemble(NAME, ["a", "b"], "max", "image", "both")
    assert saved()[1].model["recipe"]["method"] == "mean-logit"
    build_ensemble(NAME, ["a", "b"], "max", "image", "both", replace=True)
    assert saved()[1].model["recipe"]["method"] == "max"


def test_an_ensemble_takes_no_members_or_trained_models_place(members, workspace):
    with pytest.raises(ExistsError, match="its member 'a'"):
        build_ensemble(NAME, ["a", "b"], "max", "image", "a", replace=True)
    weights = get_source(NAME).model_path("net")
    weights.parent.mkdir(parents=True)
    weights.touch()
    with pytest.raises(ExistsError, match="'net' is a trained model"):
        build_ensemble(NAME, ["a", "b"], "max", "image", "net", replace=True)


def test_a_name_that_lies_elsewhere_is_never_hidden(members, workspace):
    elsewhere = workspace / "sources" / NAME / "shared"
    elsewhere.mkdir()
    get_source(NAME).predictions_path("a").rename(elsewhere / "other_predictions.parquet")
    toml = workspace / "sources" / NAME / "source.toml"
    toml.write_text(toml.read_text().replace("predictions/{model}", "shared/{model}"))
    write_predictions(workspace, "c", members[0])
    with pytest.raises(ExistsError, match="already has predictions in .*shared"):
        build_ensemble(NAME, ["b", "c"], "max", "image", "other", replace=True)


@pytest.mark.parametrize("name", ["", "a b", "../up"])
def test_an_illegal_name_is_refused(members, name):
    with pytest.raises(CxrError, match="A model name must be"):
        build_ensemble(NAME, ["a", "b"], "max", "image", name)


def test_the_preview_equals_the_saved_ensemble_and_measures_the_gain(members):
    preview = preview_ensemble(NAME, ["a", "b"], "mean-logit")
    build_ensemble(NAME, ["a", "b"], "mean-logit", "image", "both")
    assert preview.figures.labels == evaluate(NAME, "both").labels
    assert preview.n_images == 114
    means = {name: figures.mean_roc_auc.value for name, figures in preview.members.items()}
    assert preview.best == max(means, key=means.get)
    gain = preview.figures.mean_roc_auc.value - means[preview.best]
    assert preview.mean_gain.value == pytest.approx(gain)
    assert preview.mean_gain.ci[0] < gain < preview.mean_gain.ci[1]


def test_the_preview_refuses_what_the_build_refuses(members, labels, workspace):
    write_predictions(workspace, "side", scores_for(of_view(labels, "lateral"), 3))
    with pytest.raises(UsageError, match="must predict the same images. a, side share none.*--by study"):
        preview_ensemble(NAME, ["a", "side"], "mean-logit")
    with pytest.raises(UsageError, match="two members or more"):
        preview_ensemble(NAME, ["a"], "mean-logit")


@pytest.fixture
def views(labels, workspace):
    """A frontal and a lateral model; each study of a patient has two images of each view."""
    front, side = scores_for(of_view(labels, "frontal"), 1), scores_for(of_view(labels, "lateral"), 2)
    write_predictions(workspace, "front", front)
    write_predictions(workspace, "side", side.iloc[2:].iloc[::-1])  # the first study has no lateral images
    return front, side.iloc[2:]


def by_study(frame, how="mean"):
    return frame.groupby(["dataset", "patient", "study"])["edema"].agg(how)


def test_views_meet_in_a_study_and_study_rows_are_written(views):
    front, side = views
    built = build_ensemble(NAME, ["front", "side"], "mean-logit", "study", "both")
    frame, metadata = saved()
    expected = ((by_study(front) + by_study(side)) / 2).dropna()
    assert built.images == len(frame) == len(expected) == 119
    found = frame.set_index(["dataset", "patient", "study"])["edema"].sort_index()
    np.testing.assert_allclose(found, expected.sort_index(), rtol=1e-14)
    assert set(frame["image"]) == {0}
    assert frame["view"].isna().all()
    assert frame["path"].iloc[0] == f"test/p{frame['patient'].iloc[0]}/s01"
    assert metadata.model["recipe"] == {"members": ["front", "side"], "method": "mean-logit", "by": "study"}


@pytest.mark.parametrize("method", ["mean-probability", "mean-rank", "max"])
def test_other_methods_by_study(views, method):
    front, side = views
    build_ensemble(NAME, ["front", "side"], method, "study", "both")
    frame, _ = saved()
    found = frame[frame["dataset"] == 1].set_index(["dataset", "patient", "study"])["edema"].sort_index()
    if method == "mean-probability":
        a, b = (by_study(f.assign(edema=expit(f["edema"]))) for f in (front, side))
        expected = (a + b) / 2
    elif method == "max":
        expected = np.maximum(*(by_study(f, "max").align(by_study(front, "max"))[0] for f in (front, side)))
    else:
        a, b = by_study(front).loc[1:1], by_study(side).loc[1:1]
        a = a[a.index.isin(b.index)]
        expected = (a.rank() + b.rank() - 1) / (2 * len(b))
    np.testing.assert_allclose(found, expected.loc[1:1].dropna().sort_index(), rtol=1e-12)


def test_a_study_ensemble_is_judged_against_the_largest_code_of_the_study(views, labels):
    build_ensemble(NAME, ["front", "side"], "mean-logit", "study", "both")
    front, side = views
    score = ((by_study(front) + by_study(side)) / 2).dropna().loc[1]
    true = labels[labels["dataset"] == 1].groupby(["patient", "study"])["edema"].max().reindex(score.index)
    certain = true != 2
    found = evaluate(NAME, "both")
    assert found.labels["edema"].roc_auc == pytest.approx(
        metrics.roc_auc_score(true[certain] == 3, score[certain]), abs=1e-12
    )
    assert found.labels["edema"].n_uncertain_dropped == (~certain).sum()
    assert (found.n_images, found.unmatched) == (59, 0)
    assert found.disagreeing == 59  # random labels: the images of every study disagree somewhere


def test_one_model_can_be_put_together_by_study(views):
    front, _ = views
    built = build_ensemble(NAME, ["front"], "max", "study", "whole")
    assert built.images == 120
    frame, _ = saved("whole")
    found = frame.set_index(["dataset", "patient", "study"])["edema"].sort_index()
    np.testing.assert_allclose(found, by_study(front, "max").sort_index())


def test_study_ensembles_are_compared_with_each_other_and_not_with_images(views):
    build_ensemble(NAME, ["front", "side"], "mean-logit", "study", "both")
    build_ensemble(NAME, ["front"], "mean-logit", "study", "whole")
    found = compare(NAME, "both", "whole")
    assert (found.n_images, found.only_a, found.only_b) == (59, 0, 1)
    gain = preview_ensemble(NAME, ["front", "side"], "mean-logit", by="study")
    assert gain.n_images == 59
    with pytest.raises(UsageError, match="both predicts 59 labelled images .studies.; front predicts 120"):
        compare(NAME, "both", "front")


def rewrite_labels(workspace, labels):
    for code, name in ((1, "valid"), (2, "test")):
        write_table(workspace / "sources" / NAME / f"labels_{name}.parquet", labels[labels["dataset"] == code])


def residuals_of_line(x, y):
    """What is left of y after the best straight line of x."""
    return y - np.polyval(np.polyfit(x, y, 1), x)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["image", "study"])
@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_each_patient_is_predicted_by_weights_that_have_not_seen_him(members, views, labels, workspace, method, by):
    pair = ["a", "b"] if by == "image" else ["front", "side"]
    # Labels of whole patients, so of whole studies, that follow both members.
    of_patient = pd.concat(members if by == "image" else views).groupby("patient")["edema"].mean()
    noisy = of_patient + 0.3 * np.random.default_rng(0).normal(size=len(of_patient))
    agreeing = labels.assign(edema=3 * (labels["patient"].map(noisy).fillna(0) > noisy.median()))
    patient = labels.loc[labels["dataset"] == 1, "patient"].iloc[-1]
    his = (labels["patient"] == patient) & (labels["dataset"] == 1)
    turned = agreeing.assign(edema=agreeing["edema"].where(~his, 3 - agreeing["edema"]))
    for name, table in {"first": agreeing, "second": turned}.items():
        rewrite_labels(workspace, table)
        build_ensemble(NAME, pair, method, by, name)
    # With one patient's labels turned around, the predictions of his fold stay but for the scale that all folds share,
    # and those of all other folds change.
    first, second = (saved(name)[0].set_index("path").query("dataset == 1") for name in ("first", "second"))
    fold = deal_patients(first["patient"].to_numpy())
    his_fold = fold[(first["patient"] == patient).to_numpy()][0]
    for held_out in range(5):
        left_out = [
            residuals_of_line(f["edema"][fold == held_out], g["edema"][fold == held_out]) for f, g in [(first, second)]
        ]
        assert (np.max(np.abs(left_out)) < 1e-9) == (held_out == his_fold)
    recipe = saved("first")[1].model["recipe"]
    assert (recipe["fitted_on"], recipe["folds"]) == ("valid", 5)
    assert "fitted on other patients" in recipe["judged"]
    weights = recipe["weights"]["edema"]
    if method == "weighted":
        assert sum(weights.values()) == pytest.approx(1)
        assert min(weights.values()) >= 0
    else:
        assert "intercept" in weights


def test_a_label_with_too_few_positives_keeps_equal_weights_and_says_so(members, labels, workspace):
    rewrite_labels(workspace, labels.assign(edema=np.where(labels["edema"] == 3, 0, labels["edema"])))
    built = build_ensemble(NAME, ["a", "b"], "stacking", "image", "both")
    frame, metadata = saved()
    a, b = members
    assert built.as_json()["not_fitted"] == metadata.model["recipe"]["not_fitted"]
    np.testing.assert_allclose(frame.sort_values("path")["edema"], (a["edema"].to_numpy() + b["edema"].to_numpy()) / 2)
    assert "0 patients with a positive" in metadata.model["recipe"]["not_fitted"]["edema"]
    assert "fracture" not in metadata.model["recipe"]["not_fitted"]


@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_a_fitted_ensemble_without_anything_fitted_is_refused(members, labels, workspace, method):
    few = labels[labels["patient"].isin(sorted(set(labels["patient"]))[:2])]
    rewrite_labels(workspace, few)
    for task in (
        lambda: build_ensemble(NAME, ["a", "b"], method, "image", "both"),
        lambda: preview_ensemble(NAME, ["a", "b"], method),
    ):
        with pytest.raises(UsageError, match=f"The method {method} needs labels of enough patients.*Use mean-logit"):
            task()
    assert not get_source(NAME).predictions_path("both").exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mean-logit", "mean-rank", "max", "weighted", "stacking"])
def test_a_missing_prediction_of_one_member_leaves_out_that_row_of_that_label_only(members, workspace, method):
    _, b = members
    whole = build_ensemble(NAME, ["a", "b"], method, "image", "whole")
    hole = b["path"].iloc[3]
    write_predictions(workspace, "holed", b.assign(edema=b["edema"].where(b["path"] != hole)))
    built = build_ensemble(NAME, ["a", "holed"], method, "image", "both")
    assert (whole.missing, built.missing) == ({}, {"edema": {"n": 1, "example": hole}})
    before, after = (saved(name)[0].set_index("path") for name in ("whole", "both"))
    assert after["edema"].isna().sum() == 1
    assert np.isnan(after.loc[hole, "edema"])
    pd.testing.assert_series_equal(before["fracture"], after["fracture"])
    if method in ("mean-logit", "max"):
        pd.testing.assert_series_equal(before["edema"].drop(hole), after["edema"].drop(hole))
    assert preview_ensemble(NAME, ["a", "holed"], method).figures.labels == evaluate(NAME, "both").labels


def test_members_that_together_lack_too_many_are_refused(members, workspace):
    a, b = members
    for name, frame, lost in (("c", a, slice(0, 10)), ("d", b, slice(10, 20))):
        write_predictions(
            workspace, name, frame.assign(edema=frame["edema"].mask(np.isin(np.arange(234), np.arange(234)[lost])))
        )
    with pytest.raises(DataError, match="Received: 20 of 234 of edema"):
        build_ensemble(NAME, ["c", "d"], "mean-logit", "image", "both")


def test_a_study_keeps_the_mean_of_its_images_that_have_a_prediction(views, workspace):
    front, _ = views
    hole = front["path"].iloc[0]
    write_predictions(workspace, "front", front.assign(edema=front["edema"].where(front["path"] != hole)))
    built = build_ensemble(NAME, ["front"], "mean-logit", "study", "whole")
    found = saved("whole")[0].set_index(["dataset", "patient", "study"])["edema"].sort_index()
    np.testing.assert_allclose(found, by_study(front[front["path"] != hole]).sort_index())
    assert built.missing == {}


def test_the_preview_of_a_fitted_ensemble_equals_the_saved_one(members):
    preview = preview_ensemble(NAME, ["a", "b"], "stacking")
    build_ensemble(NAME, ["a", "b"], "stacking", "image", "both")
    assert preview.fitted
    assert preview.figures.labels == evaluate(NAME, "both").labels
    assert not preview_ensemble(NAME, ["a", "b"], "max").fitted
