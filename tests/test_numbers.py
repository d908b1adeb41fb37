"""The figures of the command line, against the raw tables of the demo source, computed here in another way."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_core.schema import LABELS

VALUES = ["not_mentioned", "negative", "uncertain", "positive"]
DATASETS = ["train", "valid", "test"]
MODELS = [
    f"densenet_{view}_{policy}"
    for view in ("frontal", "lateral")
    for policy in ("u0_0__w0_0", "u0_0__w1_0", "u1_0__w1_0", "u0_5__w0_25")
]


def raw_labels(home):
    return pd.concat(pd.read_parquet(home / f"sources/demo/labels_{dataset}.parquet") for dataset in DATASETS)


@pytest.mark.parametrize("view", ["frontal", "lateral", "other"])
def test_the_distribution_equals_a_group_by_on_the_parquet_files_zeros_included(demo, cxr, view):
    rows = json.loads(cxr("distribution", "--view", view, "--json").stdout)
    labels = raw_labels(demo)
    labels = labels[labels["view"] == ["frontal", "lateral", "other"].index(view)]
    present = sorted(labels["dataset"].unique())
    long = labels.melt(id_vars=["path", "dataset"], value_vars=list(LABELS), var_name="label", value_name="value")
    counted = long.groupby(["label", "value", "dataset"])["path"].nunique()
    expected = {
        (label, VALUES[value], DATASETS[dataset]): int(counted.get((label, value, dataset), 0))
        for label in LABELS
        for value in range(4)
        for dataset in present
    }
    assert {(row["label"], row["value"], row["dataset"]): row["images"] for row in rows} == expected
    assert len(rows) == 14 * 4 * len(present)


@pytest.mark.parametrize("model", MODELS)
def test_auc_and_ap_equal_pair_counting_and_scikit_learn(demo, cxr, model):
    figures = json.loads(cxr("evaluate", model, "--json").stdout)
    assert list(figures["labels"]) == list(LABELS)
    predictions = pd.read_parquet(demo / f"sources/demo/predictions/{model}_predictions.parquet")
    joined = predictions[predictions["dataset"] == 1].merge(
        raw_labels(demo).query("dataset == 1"), on="path", suffixes=("_predicted", "_true")
    )
    for label, shown in figures["labels"].items():
        certain = joined[joined[f"{label}_true"] != 2]
        truth = (certain[f"{label}_true"] == 3).to_numpy()
        score = certain[f"{label}_predicted"].to_numpy()
        positive, negative = score[truth][:, None], score[~truth][None, :]
        pairs = np.mean((positive > negative) + 0.5 * (positive == negative))
        assert shown["roc_auc"] == pytest.approx(pairs, abs=1e-12)
        assert shown["roc_auc"] == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
        assert shown["average_precision"] == pytest.approx(average_precision_score(truth, score), abs=1e-12)
        assert shown["average_precision"] == pytest.approx(ap_by_hand(truth, score), abs=1e-12)
        assert (shown["n"], shown["n_positive"]) == (len(truth), truth.sum())
        assert shown["n_uncertain_dropped"] == len(joined) - len(certain)
        assert shown["n_patients"] == certain["patient_true"].nunique()


def ap_by_hand(truth, score):
    """The sum over distinct thresholds of (recall gained) x (precision there)."""
    total, recall = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        above = score >= threshold
        new = (truth & above).sum() / truth.sum()
        total += (new - recall) * (truth & above).sum() / above.sum()
        recall = new
    return total


def test_the_demo_is_neither_trivial_nor_noise(demo, cxr):
    labels = json.loads(cxr("evaluate", MODELS[0], "--json").stdout)["labels"]
    auc = [figures["roc_auc"] for figures in labels.values()]
    assert np.mean(auc) > 0.75
    assert max(auc) <= 0.97
    assert sum(0.65 < value < 0.85 for value in auc) >= 4
