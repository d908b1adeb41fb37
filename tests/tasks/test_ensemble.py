import json

import numpy as np
import pandas as pd
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from scipy.special import expit
from scipy.stats import rankdata
from sklearn import metrics

from cxr_core.errors import CxrError, DataError, ExistsError, UnknownNameError, UsageError
from cxr_core.sources.registry import get_source
from cxr_core.tasks.ensemble import build_ensemble, preview_ensemble
from cxr_core.tasks.evaluate import evaluate
from cxr_core.warehouse.parquet import read_metadata


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
        (["a", "b"], "weighted", "image", UsageError, "The method weighted is not available yet. Use one of: mean-"),
        (["a", "b"], "stacking", "image", UsageError, "The method stacking is not available yet"),
        (["a", "b"], "median", "image", UsageError, "The method must be one of"),
        (["a", "b"], "mean-logit", "study", UsageError, "Ensembles by study are not available yet. Use `--by image`"),
        (["a", "b"], "mean-logit", "patient", UsageError, "by image or by study. Received: 'patient'"),
        (["a", "score"], "mean-logit", "image", UsageError, "use mean-rank"),
        (["a", "score"], "max", "image", UsageError, "members on one scale. Received: logit, score"),
        (["b", "lung"], "max", "image", UsageError, "must have a label in common"),
        (["a", "broken"], "mean-rank", "image", DataError, "Received from broken: 1 missing, NaN or infinite"),
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
    if "broken" in given:
        broken = scores_for(frontal, 3)
        broken.loc[broken.index[10], "edema"] = np.nan
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
    with pytest.raises(UsageError, match="set side by side"):
        preview_ensemble(NAME, ["a", "side"], "mean-logit")
    with pytest.raises(UsageError, match="two members or more"):
        preview_ensemble(NAME, ["a"], "mean-logit")
