import numpy as np
import pandas as pd
import pytest

from cxr_core.warehouse.binned_questions import CODES, MOST_BINS
from cxr_core.warehouse.parquet import write_table
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import open_warehouse

LABEL = "edema"


@pytest.mark.slow
def test_both_warehouses_sum_alike_and_cells_count_what_pandas_counts(
    tmp_path, bigquery_server, label_rows, prediction_rows
):
    """Few rows: GoogleSQL's reference engine joins every row with every other."""
    label_rows = label_rows[label_rows["dataset"] == 0][:120]
    predictions = prediction_rows[prediction_rows["dataset"] == 0][10:150][[*label_rows.columns[:6], LABEL]]
    write_table(tmp_path / "labels.parquet", label_rows)
    write_table(tmp_path / "net_predictions.parquet", predictions, scale="logit")
    bigquery_server.add("data-project.cxr.labels", label_rows)
    bigquery_server.add("data-project.cxr.net_predictions", predictions, labels={"cxr_scale": "logit"})
    here = (str(tmp_path / "labels.parquet"),), (str(tmp_path / "{model}_predictions.parquet"),)
    local = open_warehouse(TableSet("local", *here, allowed=(tmp_path,))).sums("net", "train")
    there = ("data-project.cxr.labels",), ("data-project.cxr.{model}_predictions",)
    remote = open_warehouse(TableSet("bigquery", *there, project="paying-project")).sums("net", "train")
    assert (local.n_images, local.unmatched, local.scale) == (remote.n_images, remote.unmatched, remote.scale)
    ours, theirs = local.labels[LABEL], remote.labels[LABEL]
    assert ours.cuts == theirs.cuts
    np.testing.assert_array_equal(ours.counts, theirs.counts)
    assert ours.of_patients == pytest.approx(theirs.of_patients, rel=1e-9)
    engines = {statement.labels["question"]: statement.engine for statement in bigquery_server.billed()}
    assert engines == {"knots": "duckdb", "cells": "googlesql"}
    counts_are_those_of_pandas(ours, predictions.merge(label_rows, on="path", suffixes=("_p", "")))


def counts_are_those_of_pandas(found, both):
    assert found.counts.shape == (MOST_BINS + 1, CODES - 1)
    counted = both[LABEL].value_counts().reindex(range(4), fill_value=0)
    assert found.counts.sum(axis=0)[:4].tolist() == counted.tolist()
    edges = np.array(found.cuts)
    below = (both[f"{LABEL}_p"] < edges[len(edges) // 2]).sum()
    bins = len(edges) // 2 * (MOST_BINS // 16)
    assert found.counts[:bins].sum() == below
    certain = both[both[LABEL] != 2]
    positive = certain[certain[LABEL] == 3].groupby("patient").size()
    negative = certain[certain[LABEL] != 3].groupby("patient").size()
    each = pd.concat([positive, negative], axis=1).fillna(0).to_numpy()
    sums = found.of_patients
    assert (sums["patients"], sums["certain_patients"]) == (both["patient"].nunique(), certain["patient"].nunique())
    assert (sums["positive_patients"], sums["negative_patients"]) == (positive.size, negative.size)
    products = [(each[:, a] * each[:, b]).sum() for a, b in ((0, 0), (1, 1), (0, 1))]
    assert [sums[n] for n in ("squared_positives", "squared_negatives", "both_classes")] == products
