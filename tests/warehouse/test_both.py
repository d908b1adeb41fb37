"""One suite of questions for both warehouses: equal frames, types included, or the same refusal.

On the whole demo (DuckDB behind the server), on a seeded sample of it (GoogleSQL's reference engine behind the server),
and on tables such as other tools write.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxr_core.errors import CxrError, TableError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.registry import get_source
from cxr_core.warehouse import questions
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import Warehouse, open_warehouse

NET = "densenet_frontal_u0_0__w0_0"

#: Every question that a warehouse can be asked; `test_every_question_is_asked` fails when one is missing.
ASKED: dict[str, Callable[[Warehouse], object]] = {
    "counts": lambda w: w.counts(),
    "shared_patients": lambda w: w.shared_patients(),
    "distribution": lambda w: w.distribution("frontal"),
    "distribution, all views": lambda w: w.distribution(None),
    "distribution_of_studies": lambda w: w.grouped_distribution("studies", "frontal"),
    "distribution_of_patients": lambda w: w.grouped_distribution("patients", None),
    "cooccurrence": lambda w: w.cooccurrence("positive", "frontal", "train"),
    "cooccurrence of uncertain": lambda w: w.cooccurrence("uncertain", None, None),
    "label_keys": lambda w: w.label_keys().sort_values([*KEY_COLUMNS], ignore_index=True),
    "labels": lambda w: w.labels(),
    "labels of valid": lambda w: w.labels("valid", "lateral"),
    "prediction_counts": lambda w: vars(w.prediction_table(NET)) | {"location": "", "metadata": {}},
    "prediction_rows": lambda w: vars(w.prediction_table(NET, by_rows=True)) | {"location": "", "metadata": {}},
    "predictions": lambda w: w.predictions(NET),
    "readings": lambda w: w.readings("doctors"),
    "joined": lambda w: vars(w.joined(NET)),
    "joined, one view": lambda w: vars(w.joined(NET, "train", "frontal")),
}

#: Those that read the predictions of one model, or readings, alone, which are few also in the demo.
SMALL = ("prediction_counts", "prediction_rows", "predictions", "readings")
READINGS = pd.DataFrame(
    {"path": ["b", "a", "a"], "patient": [2, 1, 1], "study": 1, "image": 1, "view": 0, "dataset": 1}
).assign(reader=["ann", "bob", "ann"], edema=pd.array([3, None, 1], dtype="Int64"))


@dataclass(frozen=True)
class Pair:
    """The same tables in both warehouses."""

    local: Warehouse
    remote: Warehouse
    server: object


@pytest.fixture
def both(tmp_path, bigquery_server):
    """Put label tables and the predictions of one model into both warehouses."""

    def put(labels: list[pa.Table | pd.DataFrame | Path], predictions: pa.Table | pd.DataFrame | Path) -> Pair:
        named = {f"labels_{number}": rows for number, rows in enumerate(labels)} | {f"{NET}_predictions": predictions}
        named["doctors_readings"] = READINGS
        for name, rows in named.items():
            file = rows if isinstance(rows, Path) else tmp_path / f"{name}.parquet"
            if isinstance(rows, pd.DataFrame):
                rows.to_parquet(file, index=False)
            elif isinstance(rows, pa.Table):
                pq.write_table(rows, file)
            bigquery_server.add(f"data-project.cxr.{name}", file)
        files = [rows if isinstance(rows, Path) else tmp_path / f"labels_{n}.parquet" for n, rows in enumerate(labels)]
        folder = predictions.parent if isinstance(predictions, Path) else tmp_path
        local = TableSet(
            "local",
            tuple(map(str, files)),
            (str(folder / "{model}_predictions.parquet"),),
            allowed=(tmp_path, folder, *(file.parent for file in files)),
            readings=(str(tmp_path / "{model}_readings.parquet"),),
        )
        remote = TableSet(
            "bigquery",
            tuple(f"data-project.cxr.labels_{number}" for number in range(len(labels))),
            ("data-project.cxr.{model}_predictions",),
            project="paying-project",
            readings=("data-project.cxr.{model}_readings",),
            null_is="no_value",
        )
        return Pair(open_warehouse(local), open_warehouse(remote), bigquery_server)

    return put


@pytest.fixture
def demo_files(demo):
    source = get_source("demo")
    return [Path(file) for file in source.tables.labels], source.predictions_path(NET)


@pytest.fixture
def sample(demo_files):
    """1,000 rows of the demo's labels, and the predictions of the same images, as far as there are some."""
    labels, predictions = demo_files
    rows = pd.concat([pd.read_parquet(file) for file in labels], ignore_index=True)
    chosen = rows.sample(1000, random_state=np.random.default_rng(2026)).reset_index(drop=True)
    predicted = pd.read_parquet(predictions)
    return chosen, predicted[predicted["path"].isin(chosen["path"])].reset_index(drop=True)


def answer(ask: Callable[[Warehouse], object], warehouse: Warehouse) -> object:
    try:
        return ask(warehouse)
    except CxrError as error:
        return error


def assert_equal(left: object, right: object) -> None:
    """Compare frames with their types, dicts entry by entry, and errors by their kind and what they name."""
    assert type(left) is type(right), (left, right)
    if isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right)
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_equal(left[key], right[key])
    elif isinstance(left, CxrError):
        # Where the files lie, and what BigQuery says besides, is its own.
        assert str(left).split(". ")[0].split("must ")[1] == str(right).split(". ")[0].split("must ")[1]
    else:
        assert left == right


def assert_all_equal(pair: Pair, engine: str, failing: tuple[str, ...] = ()) -> None:
    """Ask everything of both; the questions `failing` are refused by both, no other."""
    refused = []
    for name, ask in ASKED.items():
        local, remote = answer(ask, pair.local), answer(ask, pair.remote)
        assert_equal(local, remote)
        refused += [name] if isinstance(local, CxrError) else []
    assert tuple(refused) == failing
    engines = {one.engine for one in pair.server.statements if one.labels["question"] not in SMALL}
    assert engines - {"dry run", "refused"} == {engine}


def test_every_question_is_asked():
    written = {
        name
        for name, made in inspect.getmembers(questions, inspect.isfunction)
        if not name.startswith("_") and inspect.signature(made).return_annotation is questions.Query
    }
    asked = {name.split(",")[0].split(" ")[0] for name in ASKED}
    asked = {"grouped_distribution" if name.startswith("distribution_of") else name for name in asked}
    # The truth and the groups are local files whatever the source.
    assert written - {"truth", "groups"} == asked


def test_the_whole_demo(both, demo_files):
    labels, predictions = demo_files
    pair = both(labels, predictions)
    pair.server.reference_rows = 0  # also where one of the label tables is enough
    assert_all_equal(pair, "duckdb")


def test_a_sample_of_the_demo_by_googlesql_itself(both, sample):
    rows, predictions = sample
    assert 100 < len(predictions) <= 1000
    assert_all_equal(both([rows[:600], rows[600:]], predictions), "googlesql")


@pytest.fixture
def few(sample):
    rows, predictions = sample
    rows = rows[rows["path"].isin(predictions["path"]) | (rows["view"] == 1)][:80].reset_index(drop=True)
    return rows, predictions[:80]


def test_null_labels(both, few):
    rows, predictions = few
    holes = rows.assign(**{label: rows[label].astype("Int64").where(rows.index % 3 > 0) for label in LABELS[:5]})
    holes = holes.assign(edema=pd.array([None] * len(rows), dtype="Int64"))
    assert_all_equal(both([holes], predictions), "googlesql")


def test_duplicated_paths(both, few):
    rows, predictions = few
    twice = rows[:40].assign(edema=3 - rows["edema"][:40])
    pair = both([rows, twice, rows[:10]], pd.concat([predictions, predictions[:7].assign(edema=0.25)]))
    assert_all_equal(pair, "googlesql")
    assert pair.local.counts()["images"].sum() == 2 * len(rows)
    assert pair.remote.last_answer("distribution").counted == questions.DISTINCT_PATHS


def test_a_missing_label_column(both, few):
    rows, predictions = few
    pair = both([rows.drop(columns="edema")], predictions.drop(columns="fracture"))
    of_predictions = ("prediction_counts", "prediction_rows", "predictions", "readings")
    without = ("counts", "shared_patients", "label_keys", *of_predictions)
    assert_all_equal(pair, "googlesql", tuple(name for name in ASKED if name not in without))
    for warehouse in (pair.local, pair.remote):
        with pytest.raises(TableError, match="must have the column edema"):
            warehouse.distribution()
        assert len(warehouse.check()) == 1


@pytest.mark.parametrize("kind", [pytest.param("float64", marks=pytest.mark.whole), "str"])
def test_integers_stored_as_other_types(both, few, kind):
    rows, predictions = few
    codes = ["view", "dataset", "image", *LABELS]
    stored = rows.astype(dict.fromkeys(codes, kind))
    expected = both([rows], predictions).remote
    plain = {name: ask(expected) for name, ask in ASKED.items()}
    pair = both([stored], predictions.astype(dict.fromkeys(codes[:3], kind)))
    pair.remote.refresh()
    assert_all_equal(pair, "googlesql")
    for name, ask in ASKED.items():
        assert_equal(ask(pair.remote), plain[name])


def test_empty_tables(both, few):
    rows, predictions = few
    assert_all_equal(both([rows[:0]], predictions[:0]), "googlesql")
    pair = both([rows[:0], rows], predictions)
    pair.remote.refresh()
    assert_all_equal(pair, "googlesql")


@pytest.mark.parametrize("value", [7, -1])
def test_labels_out_of_the_codes(both, few, value):
    rows, predictions = few
    wrong = rows.assign(edema=rows["edema"].where(rows.index != 3, value))
    pair = both([wrong], predictions)
    for name in ("distribution, all views", "labels", "joined, one view"):
        if name == "joined, one view" and rows["dataset"][3] != 0:
            continue
        for warehouse in (pair.local, pair.remote):
            with pytest.raises(TableError, match=f"must be 0 to 3.* Received: {value}"):
                ASKED[name](warehouse)


def test_a_valid_path_that_occurs_in_train(both, few):
    rows, predictions = few
    valid = rows[rows["dataset"] == 1]
    assert len(valid) > 2
    leak = valid.assign(dataset=0, edema=3 - valid["edema"])
    pair = both([rows, leak], predictions)
    assert_all_equal(pair, "googlesql")
    both_sides = rows[rows["dataset"] == 1].merge(predictions[predictions["dataset"] == 1], on="path")
    frame = pair.remote.joined(NET).frame
    assert frame["path"].tolist() == sorted(both_sides["path"])
    assert frame["true_edema"].tolist() == valid.set_index("path")["edema"].loc[frame["path"]].tolist()


def test_rows_are_counted_where_no_path_stands_twice_in_its_data_set(both, few):
    rows, predictions = few
    leak = rows[rows["dataset"] == 1].assign(dataset=0)  # twice in the union, once in each data set
    pair = both([rows, leak], predictions)
    for warehouse in (pair.local, pair.remote):
        by_definition = warehouse.distribution()
        assert warehouse.last_answer("distribution").counted == questions.DISTINCT_PATHS
        warehouse.refresh()
        warehouse.counts()
        pd.testing.assert_frame_equal(warehouse.distribution(), by_definition)
        answered = warehouse.last_answer("distribution")
        assert (answered.counted, answered.kept) == (questions.ROWS, False)
        assert "DISTINCT" not in answered.sql
        assert "path" not in answered.sql.replace(".parquet", "").partition("FROM")[2]


def test_an_answer_that_was_had_is_not_asked_for_in_a_cheaper_way(both, few):
    pair = both([few[0]], few[1])
    pair.remote.distribution()
    pair.remote.counts()
    pair.remote.distribution()
    assert pair.remote.last_answer("distribution").kept
    assert len(pair.server.jobs) == 2


def test_predictions_of_studies(both, few):
    rows, predictions = few
    of_studies = predictions[predictions["dataset"] == 1].drop_duplicates(["patient", "study"])
    paths = [
        f"valid/p{patient}/s{study}" for patient, study in zip(of_studies["patient"], of_studies["study"], strict=True)
    ]
    pair = both([rows], of_studies.assign(path=paths, image=0, view=None).astype({"view": "Int64"}))
    assert_all_equal(pair, "googlesql")
    joined = pair.remote.joined(NET)
    labelled = rows.loc[rows["dataset"] == 1, ["patient", "study"]].drop_duplicates()
    assert len(joined.frame) == len(of_studies.merge(labelled)) > 0


@pytest.mark.parametrize("view", ["frontal", None])
def test_study_rows_leave_open_whether_paths_are_unique(both, few, view):
    rows, predictions = few
    study = rows[:1].assign(path="train/p1/s01", image=0, view=None).astype({"view": "Int64"})
    pair = both([rows, study], predictions)
    for warehouse in (pair.local, pair.remote):
        warehouse.counts()
        warehouse.distribution(view)
        assert warehouse.last_answer("distribution").counted == (
            questions.DISTINCT_PATHS if view is None else "COUNT(*)"
        )
