"""Figures from sums, on tables that could be fetched: they are held against those from the rows."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from prediction_source import NAME, keys, of_view, scores_for, write_predictions, write_source

from cxr_core.errors import TableError
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.evaluate_sums import summed_model
from cxr_core.warehouse.noted import noting

SOME = LABELS[:3]


@pytest.fixture
def labels(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    return write_source(workspace, n=900)


@pytest.fixture
def by_sums(monkeypatch):
    def asked(model, *where):
        monkeypatch.setenv("CXR_MOST_JOINED_ROWS", "0")
        found = evaluate(NAME, model, *where)
        monkeypatch.delenv("CXR_MOST_JOINED_ROWS")
        return found

    return asked


def ends_off(ours, theirs):
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", ["many scores", "few scores", "one score far away"])
def test_figures_lie_within_their_bounds_and_counts_are_those_of_the_rows(labels, workspace, by_sums, kind):
    scores = scores_for(of_view(labels, "frontal"), seed=1, names=SOME)
    if kind == "few scores":
        scores[list(SOME)] = scores[list(SOME)].round(1)
    if kind == "one score far away":
        scores.loc[scores.index[0], list(SOME)] = 1e300
    write_predictions(workspace, "net", scores)
    rows, sums = evaluate(NAME, "net"), by_sums("net")
    assert (rows.computed_from, sums.computed_from) == ("rows", "sums")
    assert (sums.n_images, sums.unmatched, sums.scale) == (rows.n_images, rows.unmatched, rows.scale)
    assert list(sums.labels) == list(SOME)
    for label, found in sums.labels.items():
        exact = rows.labels[label]
        for count in ("n", "n_positive", "n_uncertain_dropped", "n_patients", "n_positive_patients", "n_missing"):
            assert getattr(found, count) == getattr(exact, count), count
        for figure in ("roc_auc", "average_precision"):
            assert abs(getattr(found, figure) - getattr(exact, figure)) <= found.bounds[figure] + 1e-12
            ends = getattr(found, f"{figure}_ci"), getattr(exact, f"{figure}_ci")
            assert ends_off(*ends) <= found.bounds[f"{figure}_ci"] + 0.02 * abs(ends[1][1] - ends[1][0])
    assert sums.mean_roc_auc.value == pytest.approx(rows.mean_roc_auc.value, abs=1e-3)
    assert sums.mean_roc_auc.ci is None and "have in common" in sums.mean_roc_auc.why


def test_curves_lie_on_those_of_the_rows(labels, workspace, monkeypatch):
    from sklearn import metrics

    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1, names=SOME))
    monkeypatch.setenv("CXR_MOST_JOINED_ROWS", "0")
    found = summed_model(NAME, "net", "valid", None, [SOME[0]])
    assert list(found.labels) == [SOME[0]]
    both = pd.read_parquet(get_source(NAME).predictions_path("net")).merge(labels, on="path", suffixes=("_p", ""))
    both = both[(both["dataset"] == 0 + 1) & (both[SOME[0]] != 2)]
    fpr, tpr, _ = metrics.roc_curve(both[SOME[0]] == 3, both[f"{SOME[0]}_p"], drop_intermediate=False)
    vertices = set(zip(fpr.round(12), tpr.round(12), strict=True))
    roc = found.labels[SOME[0]].roc
    assert set(zip(roc.fpr.round(12), roc.tpr.round(12), strict=True)) <= vertices
    assert len(roc.fpr) == 4097


def test_what_comes_back_does_not_grow_with_the_tables(workspace, by_sums):
    rows = {}
    for n in (900, 9000):
        labels = write_source(workspace, n=n)
        scores = scores_for(of_view(labels, "frontal"), seed=1, names=SOME[:1])
        write_predictions(workspace, "net", scores.assign(**{SOME[0]: scores[SOME[0]].round().clip(-2, 2)}))
        by_sums("net")
        warehouse = get_source(NAME).warehouse()
        with noting() as asked:
            rows[n] = by_sums("net").labels[SOME[0]].n
        assert [one.question for one in asked] == ["rows_of_dataset", "knots", "cells"]
        cells = warehouse.sums("net", "valid").labels[SOME[0]].counts
        rows[f"{n} cells"] = np.count_nonzero(cells)
    assert rows[9000] > 9 * rows[900]
    assert rows["9000 cells"] == rows["900 cells"]


def test_a_row_that_lacks_something_is_counted_and_too_many_are_refused(labels, workspace, by_sums):
    scores = scores_for(of_view(labels, "frontal"), seed=1, names=SOME)
    scores.loc[scores.index[:10], SOME[0]] = np.nan
    scores.loc[scores.index[:400], SOME[1]] = np.inf
    write_predictions(workspace, "net", scores)
    rows, sums = evaluate(NAME, "net"), by_sums("net")
    assert sums.labels[SOME[0]].n_missing == rows.labels[SOME[0]].n_missing > 0
    assert sums.labels[SOME[1]].why == rows.labels[SOME[1]].why
    assert sums.labels[SOME[1]].roc_auc is None


def test_a_label_with_one_class_has_no_figure_and_few_patients_no_interval(workspace, by_sums):
    labels = write_source(workspace, n=120)
    scores = scores_for(of_view(labels, "frontal"), seed=1, names=SOME[:1])
    write_predictions(workspace, "net", scores)
    few = by_sums("net").labels[SOME[0]]
    assert few.roc_auc_ci is None and "resampling needs the rows" in few.why["roc_auc_ci"]
    folder = workspace / "sources" / NAME
    table = pd.read_parquet(folder / "labels_valid.parquet").assign(**{SOME[0]: 3})
    table.to_parquet(folder / "labels_valid.parquet", index=False)
    alone = by_sums("net").labels[SOME[0]]
    assert (alone.roc_auc, alone.n, alone.n_positive) == (None, 120, 120)
    assert alone.why["roc_auc"] == evaluate(NAME, "net").labels[SOME[0]].why["roc_auc"]


@pytest.mark.parametrize("side", ["labels_valid.parquet", "predictions/net_predictions.parquet"])
def test_a_path_that_stands_twice_is_refused(labels, workspace, by_sums, side):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1, names=SOME))
    file = workspace / "sources" / NAME / side
    table = pq.read_table(file)
    frame = table.to_pandas()
    frame = frame[frame["dataset"] == 1]
    twice = pd.concat([frame, frame.iloc[:3]])
    pq.write_table(type(table).from_pandas(twice, table.schema, preserve_index=False), file)
    with pytest.raises(TableError, match="must have each path once.*by 3 rows"):
        by_sums("net")


def test_rows_of_studies_are_joined_as_ever(labels, workspace, by_sums):
    studies = keys(n=900, per_patient=1).assign(image=0, view=0, path=[f"s{k}" for k in range(900)])
    studies = studies.assign(patient=10_000_000 + np.arange(900) // 2)[::2]
    write_predictions(workspace, "net", studies.assign(**{SOME[0]: np.random.default_rng(1).normal(size=len(studies))}))
    assert by_sums("net").computed_from == "rows"


def test_the_command_line_says_what_figures_come_from(labels, workspace, monkeypatch, cxr):
    write_predictions(workspace, "net", scores_for(of_view(labels, "frontal"), seed=1, names=SOME))
    monkeypatch.setenv("CXR_MOST_JOINED_ROWS", "100")
    document = json.loads(cxr("evaluate", "net", "--source", NAME, "--json").stdout)
    assert document["computed_from"] == "sums"
    assert set(document["labels"][SOME[0]]["bounds"]) == {
        *("roc_auc", "average_precision", "roc_auc_ci", "average_precision_ci")
    }
    told = cxr("evaluate", "net", "--source", NAME).stdout
    assert "The rows are too many to be fetched" in told
    assert f"{SOME[0]}: right within AUC ± " in told
