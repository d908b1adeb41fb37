"""Tables of BigQuery as people have them: NULL for blanks, names in any case, wildcards, domains, partitions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxr_core.errors import TableError, UndecidedError
from cxr_core.schema import DATASETS, LABELS
from cxr_core.warehouse.label_places import tables_called
from cxr_core.warehouse.warehouse import open_warehouse

DATA = "data-project.cxr"
LABEL_TABLES = {name: f"{DATA}.labels_{name}" for name in DATASETS}


@pytest.fixture(autouse=True)
def quick(bigquery_server):
    """Every statement has to pass GoogleSQL's analyser; DuckDB answers it, which takes a tenth of the time."""
    bigquery_server.reference_rows = 0


def questions_of(server):
    """The questions that ran, which is what is billed."""
    return [statement.labels["question"] for statement in server.statements if statement.engine != "dry run"]


@pytest.fixture
def by_dataset(bigquery_server, bigquery_tables, label_rows):
    """One label table for each data set."""
    for number, name in enumerate(DATASETS):
        bigquery_server.add(LABEL_TABLES[name], label_rows[label_rows["dataset"] == number])
    return replace(bigquery_tables, labels=tuple(LABEL_TABLES.values()))


@pytest.fixture
def known_rows(bigquery_server, prediction_rows):
    """Predictions of images that all have labels."""
    known = prediction_rows.iloc[:-1]
    bigquery_server.add(f"{DATA}.net_predictions", known)
    return known


def test_columns_are_found_in_any_case(bigquery_server, bigquery_tables, local_tables, label_rows, prediction_rows):
    spelled = {name: name.upper() if len(name) % 2 else name.title() for name in label_rows.columns}
    bigquery_server.add(f"{DATA}.labels_a", label_rows.assign(Age=40).rename(columns=spelled))
    bigquery_server.add(f"{DATA}.net_predictions", prediction_rows.rename(columns=spelled))
    remote = open_warehouse(replace(bigquery_tables, labels=(f"{DATA}.labels_a",)))
    here = open_warehouse(local_tables)
    assert remote.check() == []
    for ask in (
        lambda w: w.counts(),
        lambda w: w.distribution(),
        lambda w: w.labels("valid"),
        lambda w: w.joined("net").frame,
        lambda w: w.predictions("net"),
    ):
        pd.testing.assert_frame_equal(ask(remote), ask(here))
    assert remote.further_columns() == ["Age"]


def test_columns_of_a_local_file_are_found_in_any_case(local_tables, label_rows, tmp_path):
    expected = open_warehouse(local_tables).labels()
    label_rows.rename(columns=str.title).to_parquet(tmp_path / "spelled.parquet")
    spelled = replace(local_tables, labels=(str(tmp_path / "spelled.parquet"),), allowed=(tmp_path,))
    pd.testing.assert_frame_equal(open_warehouse(spelled).labels(), expected)
    assert open_warehouse(spelled).check() == []


def test_a_wildcard_stands_for_the_tables_that_there_are(by_dataset, bigquery_server, label_rows):
    warehouse = open_warehouse(replace(by_dataset, labels=(f"{DATA}.labels_t*",)))
    assert len(warehouse.labels()) == (label_rows["dataset"] != 1).sum()
    every = open_warehouse(replace(by_dataset, labels=(f"{DATA}.*_valid", f"{DATA}.labels_t*")))
    assert len(every.labels()) == len(label_rows)
    assert every.check() == []
    assert {state.location for state in every.states()} == set(LABEL_TABLES.values())
    with pytest.raises(TableError, match=r"no table of the name data-project\.cxr\.lables_\*\. Correct its name"):
        open_warehouse(replace(by_dataset, labels=(f"{DATA}.lables_*",))).counts()


def test_a_table_that_comes_to_a_wildcard_is_seen(by_dataset, bigquery_server, label_rows):
    warehouse = open_warehouse(replace(by_dataset, labels=(f"{DATA}.labels_t*",)))
    before = warehouse.counts()["images"].sum()
    more = label_rows[:5].assign(path=[f"more/{n}" for n in range(5)])
    bigquery_server.add(f"{DATA}.labels_train_2", more)
    assert warehouse.counts()["images"].sum() > before


def test_a_project_of_a_domain_is_asked(bigquery_server, bigquery_tables, label_rows, prediction_rows):
    dataset = "example.com:data-project.cxr"
    bigquery_server.add(f"{dataset}.labels_a", label_rows)
    bigquery_server.add(f"{dataset}.net_predictions", prediction_rows)
    tables = replace(
        bigquery_tables,
        project="example.com:paying-project",
        labels=(f"{dataset}.labels_a",),
        predictions=(f"{dataset}.{{model}}_predictions",),
    )
    warehouse = open_warehouse(tables)
    assert warehouse.check() == []
    assert warehouse.prediction_tables() == ["net"]
    assert len(warehouse.joined("net").frame) == (label_rows["dataset"] == 1).sum()
    assert {job["jobReference"]["projectId"] for job in bigquery_server.jobs.values()} == {"example.com:paying-project"}
    del bigquery_server.tables[f"{dataset}.labels_a"]
    with pytest.raises(TableError, match=r"no such table example\.com:data-project\.cxr\.labels_a in the location US"):
        warehouse.counts()


@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_a_filter_leaves_partitions_out(bigquery_server, bigquery_tables, label_rows, kind):
    tables = replace(bigquery_tables, labels=(f"{DATA}.labels_a",))
    read = []
    for column in (None, "dataset"):
        rows = label_rows.astype({"view": kind})
        bigquery_server.add(f"{DATA}.labels_a", rows, partition=column)
        warehouse = open_warehouse(tables)
        warehouse.labels("valid")
        read.append(warehouse.last_answer("labels").bytes_estimated)
    share = (label_rows["dataset"] == 1).mean()
    assert read[1] == pytest.approx(share * read[0], rel=0.02)
    sql = warehouse.last_answer("labels").sql
    assert "WHERE dataset = @dataset" in sql


@pytest.mark.parametrize(
    ("column", "values", "condition"),
    [
        ("dataset", None, "(`dataset` >= -9223372036854775808 OR `dataset` IS NULL)"),
        ("day", pa.date32(), "(`day` >= DATE '0001-01-01' OR `day` IS NULL)"),
        pytest.param(
            "seen",
            pa.timestamp("us", "UTC"),
            "(`seen` >= TIMESTAMP '0001-01-01' OR `seen` IS NULL)",
            marks=pytest.mark.whole,
        ),
        (
            "_PARTITIONTIME",
            pa.timestamp("us", "UTC"),
            "(_PARTITIONTIME >= TIMESTAMP '0001-01-01' OR _PARTITIONTIME IS NULL)",
        ),
    ],
)
def test_a_partition_filter_that_a_table_requires_is_given_and_loses_no_row(
    bigquery_server, bigquery_tables, local_tables, label_rows, prediction_rows, column, values, condition
):
    for name, rows in (("labels_a", label_rows), ("net_predictions", prediction_rows)):
        table = pa.Table.from_pandas(rows, preserve_index=False)
        if values is not None:  # every third row stands in the partition of NULL
            days = [None if n % 3 == 0 else 1000 * n for n in range(len(rows))]
            table = table.append_column(column, pa.array(days, pa.int32()).cast(values, safe=False)
                                        if values == pa.date32() else pa.array(days, pa.int64()).cast(values))  # fmt: skip
        bigquery_server.add(f"{DATA}.{name}", table, partition=column, require_filter=True)
    warehouse, here = (
        open_warehouse(replace(bigquery_tables, labels=(f"{DATA}.labels_a",))),
        open_warehouse(local_tables),
    )
    for ask in (
        lambda w: w.counts(),
        lambda w: w.distribution(),
        lambda w: w.grouped_distribution("patients", None),
        lambda w: w.cooccurrence(),
        lambda w: w.labels("valid", "frontal"),
        lambda w: w.joined("net").frame,
        lambda w: w.predictions("net"),
    ):
        pd.testing.assert_frame_equal(ask(warehouse), ask(here))
    assert condition in warehouse.last_answer("counts").sql
    assert warehouse.check() == []
    assert column != "_PARTITIONTIME" or "_PARTITIONTIME" not in warehouse.further_columns()


@pytest.fixture
def holes(label_rows):
    """Label rows in which a blank is NULL."""
    return label_rows.assign(
        **{label: label_rows[label].astype("Int64").where(label_rows[label] != 0) for label in LABELS}
    )


NULLS = {
    "distribution": lambda w: w.distribution(),
    "distribution by rows": lambda w: (w.counts(), w.distribution("lateral"))[1],
    "grouped": lambda w: w.grouped_distribution("studies"),
    "labels": lambda w: w.labels("valid"),
    "joined": lambda w: w.joined("net").frame,
}


@pytest.mark.parametrize("name", list(NULLS))
def test_null_labels_are_asked_about_and_counted_as_it_was_answered(
    bigquery_server, bigquery_tables, local_tables, holes, known_rows, name
):
    bigquery_server.add(f"{DATA}.labels_a", holes)
    tables = replace(bigquery_tables, labels=(f"{DATA}.labels_a",), source="ours")
    with pytest.raises(UndecidedError, match=r"The label tables of ours have NULL as a value of \w+") as asked:
        NULLS[name](open_warehouse(tables))
    assert asked.value.topic == "null"
    assert [choice.keys for choice in asked.value.choices] == [{"null_is": "not_mentioned"}, {"null_is": "no_value"}]
    assert "`sources --source ours --null-is not_mentioned`" in str(asked.value)

    blank = NULLS[name](open_warehouse(replace(tables, null_is="not_mentioned")))
    pd.testing.assert_frame_equal(blank, NULLS[name](open_warehouse(local_tables)))
    nothing = NULLS[name](open_warehouse(replace(tables, null_is="no_value")))
    assert not nothing.equals(blank)
    if "value" in nothing:
        assert nothing[nothing["value"] == "not_mentioned"].iloc[:, -1].sum() == 0
        others = blank["value"] != "not_mentioned"
        pd.testing.assert_frame_equal(nothing[others], blank[others])
    else:
        labels = [column for column in nothing.columns if column in LABELS or column.startswith("true_")]
        assert ((nothing[labels] == -1) == (blank[labels] == 0)).all(axis=None)


def test_blanks_that_are_null_occur_together(bigquery_server, bigquery_tables, local_tables, holes):
    bigquery_server.add(f"{DATA}.labels_a", holes)
    tables = replace(bigquery_tables, labels=(f"{DATA}.labels_a",), null_is="not_mentioned")
    found = open_warehouse(tables).cooccurrence("not_mentioned")
    pd.testing.assert_frame_equal(found, open_warehouse(local_tables).cooccurrence("not_mentioned"))


def test_without_null_nobody_is_asked(bigquery_tables):
    warehouse = open_warehouse(bigquery_tables)
    assert len(warehouse.labels()) and len(warehouse.distribution())


@pytest.mark.parametrize("counted", [False, True])
def test_only_the_label_table_of_the_asked_data_set_is_read(by_dataset, bigquery_server, known_rows, counted):
    warehouse = open_warehouse(by_dataset)
    if counted:
        warehouse.counts()
    joined = warehouse.joined("net", "valid")
    assert joined.n_predictions == len(joined.frame) == (known_rows["dataset"] == 1).sum()
    sql = warehouse.last_answer("joined").sql
    assert [name for name, table in LABEL_TABLES.items() if table in sql] == ["valid"]
    if counted:
        warehouse.labels("train")
        assert [name for name, table in LABEL_TABLES.items() if table in warehouse.last_answer("labels").sql] == [
            "train"
        ]


def test_labels_that_lie_in_a_table_of_another_name_are_found(by_dataset, bigquery_server, known_rows, label_rows):
    """Half of valid lies in the table that is called by train."""
    valid = label_rows[label_rows["dataset"] == 1]
    train = label_rows[label_rows["dataset"] == 0]
    bigquery_server.add(LABEL_TABLES["train"], pd.concat([train, valid[::2]]))
    bigquery_server.add(LABEL_TABLES["valid"], valid[1::2])
    warehouse = open_warehouse(by_dataset)
    assert (len(warehouse.joined("net").frame), warehouse.joined("net").unmatched) == (len(valid), 0)
    assert len(warehouse.labels("valid")) == len(valid)
    warehouse.counts()
    assert len(warehouse.joined("net").frame) == len(warehouse.labels("valid")) == len(valid)


def test_names_say_which_table_holds_a_data_set_only_where_each_does():
    train, val, test = "p.d.mimic_train", "p.d.labels-VALIDATION-2", "p.d.test"
    assert tables_called("valid", [train, val, test]) == (val,)
    assert tables_called("valid", [train, val, "p.d.more"]) == (train, val, "p.d.more")
    assert tables_called("valid", [train, test]) == (train, test)
    assert tables_called("train", [train, "p.d.train_and_valid"]) == (train, "p.d.train_and_valid")
    assert tables_called("train", ["p.train.trainings", "p.train.labels"]) == ("p.train.trainings", "p.train.labels")


def test_predictions_of_studies_are_known_from_the_join(by_dataset, bigquery_server, label_rows):
    valid = label_rows[label_rows["dataset"] == 1].drop_duplicates(["patient", "study"])
    rows = valid[["path", "patient", "study", "image", "view", "dataset"]].assign(
        path=[f"valid/p{p}/s{s}" for p, s in zip(valid["patient"], valid["study"], strict=True)],
        image=0,
        edema=np.linspace(-1, 1, len(valid)),
    )
    bigquery_server.add(f"{DATA}.net_predictions", rows)
    joined = open_warehouse(by_dataset).joined("net")
    assert len(joined.frame) == len(valid)
    assert sorted(questions_of(bigquery_server)) == ["joined", "labels", "predictions"]


def test_what_a_model_has_is_listed_for_nothing(by_dataset, bigquery_server, prediction_rows):
    warehouse = open_warehouse(by_dataset)
    listed = warehouse.listed_table("net")
    assert (listed.images, listed.datasets, listed.labels) == (
        len(prediction_rows),
        DATASETS,
        ("edema", "support_devices"),
    )
    assert bigquery_server.statements == []
