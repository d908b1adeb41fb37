import numpy as np
import pyarrow.parquet as pq
import pytest

from cxr_core.errors import TableError
from cxr_core.schema import INTEGER_KEYS, KEY_COLUMNS, LABELS
from cxr_core.warehouse.parquet import read_metadata, write_table, write_truth


def test_label_tables_have_the_schema_first_and_keep_what_follows(tmp_path, label_rows):
    file = tmp_path / "new" / "labels.parquet"
    mixed = label_rows.assign(age=50.5)[["age", *reversed(label_rows.columns)]].astype({"edema": "int8", "study": "f8"})

    write_table(file, mixed)

    schema = pq.read_schema(file)
    assert schema.names == [*KEY_COLUMNS, *LABELS, "age"]
    assert [str(schema.field(name).type) for name in ("path", "age")] == ["string", "double"]
    assert {str(schema.field(name).type) for name in (*INTEGER_KEYS, *LABELS)} == {"int64"}
    assert pq.read_table(file).to_pandas()["edema"].tolist() == label_rows["edema"].tolist()


def test_predictions_are_stored_as_given_with_their_scale_and_model(tmp_path, prediction_rows):
    file = tmp_path / "net_predictions.parquet"
    given = prediction_rows.assign(edema=np.where(prediction_rows.index == 3, np.nan, prediction_rows["edema"]))

    write_table(file, given, scale="score", model={"u": 0.4, "view": "frontal"})

    metadata = read_metadata(file)
    assert (metadata.scale, metadata.model) == ("score", {"u": 0.4, "view": "frontal"})
    assert (metadata.labels, metadata.rows) == (("edema", "support_devices"), len(given))
    stored = pq.read_table(file)["edema"]
    assert stored.null_count == 0
    np.testing.assert_array_equal(stored.to_numpy(), given["edema"])


def test_a_table_without_metadata_holds_logits(tmp_path, label_rows):
    write_table(tmp_path / "labels.parquet", label_rows)
    assert read_metadata(tmp_path / "labels.parquet").scale == "logit"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "same"}, "must be unique"),
        ({"path": None}, "must have a path"),
        ({"edema": 4}, "edema .* must be 0 to 3. Received: 4"),
        ({"edema": None}, "edema .* must be 0 to 3. Received: None"),
        ({"edema": 0.5}, "edema .* must be int64"),
        ({"patient": "Smith"}, "patient .* must be int64"),
        ({"dataset": 3}, "dataset .* must be 0 to 2"),
        ({"view": None}, "view .* must be 0 to 2"),
        ({"study": None}, "study .* must have a value"),
    ],
)
def test_bad_values_are_refused_and_the_old_file_stays(tmp_path, label_rows, change, words):
    file = tmp_path / "labels.parquet"
    write_table(file, label_rows)
    before = file.read_bytes()

    with pytest.raises(TableError, match=words):
        write_table(file, label_rows.assign(**change))

    assert file.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["labels.parquet"]


def test_a_study_row_may_be_of_no_view(tmp_path, label_rows):
    write_table(tmp_path / "labels.parquet", label_rows.assign(image=0, view=None))


@pytest.mark.parametrize("missing", ["path", "dataset", "edema"])
def test_a_label_table_must_have_every_column(tmp_path, label_rows, missing):
    with pytest.raises(TableError, match=f"Missing: {missing}"):
        write_table(tmp_path / "labels.parquet", label_rows.drop(columns=missing))


def test_a_prediction_table_needs_a_label_and_a_known_scale(tmp_path, prediction_rows):
    with pytest.raises(TableError, match="at least one label"):
        write_table(tmp_path / "p.parquet", prediction_rows[list(KEY_COLUMNS)], scale="logit")
    with pytest.raises(TableError, match="logit, probability, score"):
        write_table(tmp_path / "p.parquet", prediction_rows, scale="odds")


def test_the_truth_is_absent_or_present(tmp_path, label_rows):
    truth = label_rows[["path", *LABELS]].assign(**dict.fromkeys(LABELS, 1))
    write_truth(tmp_path / "truth.parquet", truth)
    assert read_metadata(tmp_path / "truth.parquet").columns == ("path", *LABELS)
    with pytest.raises(TableError, match="must be 0 to 1. Received: 3"):
        write_truth(tmp_path / "truth.parquet", truth.assign(edema=3))


def test_what_is_no_table_is_said_in_words(tmp_path):
    with pytest.raises(TableError, match="does not exist"):
        read_metadata(tmp_path / "none.parquet")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and then nothing more")
    with pytest.raises(TableError, match="must be a readable Parquet file"):
        read_metadata(tmp_path / "cut.parquet")
