"""Both warehouses answer the same questions with the same frames; pandas says what is right."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxr_core.errors import TableError, UnknownNameError, UsageError
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, VALUES, VIEWS
from cxr_core.warehouse.parquet import write_table
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import open_warehouse


@pytest.fixture(params=["local", "bigquery"])
def warehouse(request):
    return open_warehouse(request.getfixturevalue(f"{request.param}_tables"))


def grouped(rows, view):
    """The distribution by pandas alone: {(label, value, dataset): images}."""
    chosen = rows if view is None else rows[rows["view"] == VIEWS.index(view)]
    long = chosen.melt(["path", "dataset"], list(LABELS), "label", "value")
    return long.groupby(["label", "value", "dataset"])["path"].nunique()


@pytest.mark.parametrize("view", [*VIEWS, None])
def test_distribution_equals_a_group_by(warehouse, label_rows, view):
    frame = warehouse.distribution(view)

    expected = grouped(label_rows, view)
    rows = [(label, value, dataset) for label in LABELS for value in VALUES for dataset in DATASETS]
    assert list(frame[["label", "value", "dataset"]].itertuples(index=False, name=None)) == rows
    assert frame["images"].tolist() == [
        expected.get((label, VALUES.index(value), DATASETS.index(dataset)), 0) for label, value, dataset in rows
    ]
    assert (frame[(frame["label"] == "fracture") & (frame["value"] == "uncertain")]["images"] == 0).all()
    assert frame.dtypes.astype(str).to_dict() == {"label": "str", "value": "str", "dataset": "str", "images": "int64"}


@pytest.mark.parametrize(("unit", "keys"), [("studies", ["patient", "study"]), ("patients", ["patient"])])
@pytest.mark.parametrize("view", ["lateral", None])
def test_a_study_and_a_patient_have_the_largest_code_of_their_images(warehouse, label_rows, unit, keys, view):
    chosen = label_rows if view is None else label_rows[label_rows["view"] == VIEWS.index(view)]
    found = warehouse.grouped_distribution(unit, view).set_index(["label", "value", "dataset"])[unit]
    expected: dict = {}
    for place, name in enumerate(DATASETS):
        for _, group in chosen[chosen["dataset"] == place].groupby(keys):
            for label in LABELS:
                key = (label, VALUES[max(group[label])], name)
                expected[key] = expected.get(key, 0) + 1
    assert {key: count for key, count in found.items() if count} == expected


def test_the_distribution_scans_each_table_once(warehouse):
    warehouse.distribution("frontal")
    answer = warehouse.last_answer("distribution")
    assert answer.sql.count("labels_a") == 1
    assert answer.parameters == {"view": 0}
    assert answer.seconds > 0


def test_counts_of_images_studies_and_patients(warehouse, label_rows):
    frame = warehouse.counts().set_index(["dataset", "view"])
    for number, dataset in enumerate(DATASETS):
        of_dataset = label_rows[label_rows["dataset"] == number]
        for view in [*VIEWS, "all"]:
            rows = of_dataset if view == "all" else of_dataset[of_dataset["view"] == VIEWS.index(view)]
            studies = len(rows[["patient", "study"]].drop_duplicates())
            assert frame.loc[(dataset, view)].tolist() == [len(rows), studies, rows["patient"].nunique()]
    assert list(frame.index) == [(dataset, view) for dataset in DATASETS for view in [*VIEWS, "all"]]


@pytest.mark.parametrize("dataset", ["train", None])
def test_cooccurrence_counts_images_with_both(warehouse, label_rows, dataset):
    frame = warehouse.cooccurrence("uncertain", "lateral", dataset)

    chosen = label_rows[(label_rows["view"] == 1) & ((label_rows["dataset"] == 0) | (dataset is None))]
    has = (chosen[list(LABELS)] == 2).to_numpy().astype(np.int64)
    np.testing.assert_array_equal(frame.to_numpy(), has.T @ has)
    assert list(frame.index) == list(frame.columns) == list(LABELS)
    assert frame.to_numpy().dtype == np.int64


def test_labels_are_the_rows_by_path(warehouse, label_rows):
    expected = label_rows[(label_rows["dataset"] == 1) & (label_rows["view"] == 0)]
    expected = expected.sort_values("path", ignore_index=True).astype({"path": "str"})
    pd.testing.assert_frame_equal(warehouse.labels("valid", "frontal"), expected[[*KEY_COLUMNS, *LABELS]])


def test_further_columns_come_after_the_labels(tmp_path, label_rows):
    warehouse = single(tmp_path, label_rows.assign(age=np.arange(len(label_rows)) / 2))
    frame = warehouse.labels(extra=["age", "study"])
    assert list(frame.columns) == [*KEY_COLUMNS, *LABELS, "age"]
    assert frame["age"].sum() == np.arange(len(label_rows)).sum() / 2
    with pytest.raises(TableError, match="must have the column weight"):
        warehouse.labels(extra=["weight"])
    with pytest.raises(UsageError, match="column name"):
        warehouse.labels(extra=["age FROM x"])


@pytest.mark.parametrize(("dataset", "view"), [("valid", None), ("train", "lateral")])
def test_joined_is_the_inner_join_by_path(warehouse, label_rows, prediction_rows, dataset, view):
    joined = warehouse.joined("net", dataset, view)

    known = ["path", "patient", "study", "image", "view", "edema", "support_devices"]
    labels = label_rows[label_rows["dataset"] == DATASETS.index(dataset)][known]
    predicted = prediction_rows[prediction_rows["dataset"] == DATASETS.index(dataset)]
    if view is not None:
        labels = labels[labels["view"] == VIEWS.index(view)]
        predicted = predicted[predicted["view"] == VIEWS.index(view)]
    right = labels.rename(columns={"edema": "true_edema", "support_devices": "true_support_devices"})
    left = predicted[["path", "edema", "support_devices"]].add_prefix("predicted_")
    expected = left.merge(right, left_on="predicted_path", right_on="path").sort_values("path", ignore_index=True)
    expected = expected.astype({"path": "str"})[joined.frame.columns]
    pd.testing.assert_frame_equal(joined.frame, expected)
    assert (joined.scale, joined.labels) == ("logit", ("edema", "support_devices"))
    assert joined.n_predictions == len(predicted)
    assert (joined.unmatched, joined.duplicated) == (1 if dataset == "valid" else 0, 0)


def test_prediction_tables_say_what_they_hold(warehouse, prediction_rows):
    assert warehouse.prediction_tables() == ["net"]
    table = warehouse.prediction_table("net")
    assert (table.model, table.scale, table.labels) == ("net", "logit", ("edema", "support_devices"))
    assert (table.images, table.datasets) == (prediction_rows["path"].nunique(), DATASETS)


def test_predictions_come_back_as_stored(warehouse, prediction_rows):
    expected = prediction_rows.sort_values("path", ignore_index=True).astype({"path": "str"})
    pd.testing.assert_frame_equal(warehouse.predictions("net"), expected)


def test_unknown_names_are_refused(warehouse):
    for question in [
        lambda: warehouse.distribution("oblique"),
        lambda: warehouse.cooccurrence("perhaps"),
        lambda: warehouse.joined("net", "holdout"),
        lambda: warehouse.joined("net", "valid", "oblique"),
        lambda: warehouse.joined("other_net"),
        lambda: warehouse.prediction_table("other_net"),
        lambda: warehouse.labels("holdout"),
    ]:
        with pytest.raises(UnknownNameError):
            question()


def test_nothing_is_wrong_with_good_tables(warehouse):
    assert warehouse.check() == []


def single(tmp_path, rows):
    """A warehouse over one label file that another tool wrote."""
    rows.to_parquet(tmp_path / "labels.parquet", index=False)
    return open_warehouse(TableSet("local", (str(tmp_path / "labels.parquet"),), (), allowed=(tmp_path,)))


@pytest.mark.parametrize("kind", ["float64", "str"])
def test_labels_stored_as_other_types_are_cast(tmp_path, label_rows, kind):
    other = label_rows.astype(dict.fromkeys(LABELS, "float64")).astype(dict.fromkeys(LABELS, kind))
    warehouse = single(tmp_path, other)
    frame = warehouse.distribution(None).set_index(["label", "value", "dataset"])["images"]
    assert frame["edema", "positive", "train"] == grouped(label_rows, None)["edema", 3, 0]
    assert warehouse.labels()["edema"].dtype == np.int64


def test_null_labels_count_nowhere(tmp_path, label_rows):
    some = label_rows.assign(edema=label_rows["edema"].astype("Int64").where(label_rows["patient"] > 50))
    warehouse = single(tmp_path, some)
    frame = warehouse.distribution(None)
    assert frame[frame["label"] == "edema"]["images"].sum() == (label_rows["patient"] > 50).sum()
    assert frame[frame["label"] == "fracture"]["images"].sum() == len(label_rows)
    assert (warehouse.labels()["edema"] == -1).sum() == (label_rows["patient"] <= 50).sum()


def test_a_path_that_stands_twice_counts_once(tmp_path, label_rows):
    warehouse = single(tmp_path, pd.concat([label_rows, label_rows[:100]]))
    assert warehouse.distribution(None)["images"].sum() == 14 * len(label_rows)
    assert warehouse.counts().query("view == 'all'")["images"].sum() == len(label_rows)


def test_study_rows_belong_to_no_view(tmp_path, label_rows):
    study = label_rows[:1].assign(path="train/p1/s01", image=0, view=None)
    without = single(tmp_path, label_rows).distribution("frontal")
    warehouse = single(tmp_path, pd.concat([label_rows, study]).astype({"view": "Int64"}))
    pd.testing.assert_frame_equal(warehouse.distribution("frontal"), without)
    assert warehouse.counts().query("view == 'all'")["images"].sum() == len(label_rows)
    assert warehouse.labels().set_index("path").loc["train/p1/s01", "view"] == -1


def test_unknown_codes_are_refused_in_words(tmp_path, label_rows):
    for column, value, words in [("edema", 7, "value must be 0 to 3"), ("dataset", 5, "dataset must be 0 to 2")]:
        with pytest.raises(TableError, match=words):
            single(tmp_path, label_rows.assign(**{column: value})).distribution(None)


@pytest.mark.parametrize(("value", "shown"), [(0.7, "0.7"), (2.5, "2.5"), (float("nan"), "nan"), (-1.0, "-1")])
def test_a_number_that_is_no_code_is_refused_rather_than_rounded(tmp_path, label_rows, value, shown):
    rows = pa.Table.from_pandas(label_rows.assign(edema=value), preserve_index=False)
    rows = rows.set_column(rows.column_names.index("edema"), "edema", pa.array([value] * len(label_rows)))
    pq.write_table(rows, tmp_path / "labels.parquet")
    warehouse = open_warehouse(TableSet("local", (str(tmp_path / "labels.parquet"),), (), allowed=(tmp_path,)))
    for ask in (warehouse.distribution, warehouse.labels):
        with pytest.raises(TableError, match=f"must be 0 to 3.* Received: {shown}"):
            ask()


def test_duplicated_and_unmatched_predictions_are_counted(tmp_path, label_rows, prediction_rows):
    valid = prediction_rows[prediction_rows["dataset"] == 1]
    file = tmp_path / "net_predictions.parquet"
    pd.concat([valid, valid[:3]]).to_parquet(file, index=False)
    write_table(tmp_path / "labels.parquet", label_rows)
    tables = TableSet(
        "local",
        (str(tmp_path / "labels.parquet"),),
        (str(tmp_path / "{model}_predictions.parquet"),),
        allowed=(tmp_path,),
    )
    joined = open_warehouse(tables).joined("net")
    assert (joined.n_predictions, joined.unmatched, joined.duplicated) == (len(valid), 1, 3)
    assert len(joined.frame) == len(valid) - 1 + 3
