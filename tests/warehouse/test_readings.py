import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxr_core.errors import TableError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.warehouse.parquet import write_readings
from cxr_core.warehouse.readings import readings_frame, truth_as_readings, votes_on

EDEMA = LABELS.index("edema")


def rows(*keys):
    frame = pd.DataFrame(keys, columns=["path", "patient", "study", "image"])
    return frame.assign(view=0, dataset=1)


def readings(*said):
    frame = rows(*(one[:4] for one in said)).assign(reader=[one[4] for one in said])
    return frame.assign(**dict.fromkeys(LABELS, 0)).assign(edema=[one[5] for one in said])


IMAGES = rows(("a", 1, 1, 1), ("b", 1, 1, 2), ("c", 2, 1, 1))


def test_an_image_takes_its_own_reading_before_that_of_its_study():
    votes = votes_on(IMAGES, readings(("a", 1, 1, 1, "ann", 1), ("s1", 1, 1, 0, "ann", 3), ("s2", 2, 1, 0, "bob", 2)))
    assert votes.readers == ("ann", "bob")
    assert votes.of("edema").tolist() == [[1, 0], [3, 0], [0, 2]]
    assert votes.from_study.tolist() == [False, True, True]
    assert votes.read.tolist() == [True, True, True]


def test_a_study_takes_its_own_reading_before_the_largest_of_its_images():
    studies = rows(("s1", 1, 1, 0), ("s2", 2, 1, 0))
    of_images = [("a", 1, 1, 1, "ann", 1), ("b", 1, 1, 2, "ann", 3), ("c", 2, 1, 1, "ann", 3)]
    votes = votes_on(studies, readings(*of_images, ("s2", 2, 1, 0, "ann", 1)))
    assert votes.of("edema").tolist() == [[3], [1]]
    assert not votes.from_study.any()


def test_a_reading_of_another_data_set_or_of_an_unknown_image_is_nobodys():
    other = readings(("s", 1, 1, 0, "ann", 3), ("unknown", 9, 9, 1, "ann", 3)).assign(dataset=2)
    votes = votes_on(IMAGES, other)
    assert not votes.read.any()


def test_the_truth_is_a_reader_who_read_everything():
    truth = pd.DataFrame({"path": ["c", "a"]}).assign(**{**dict.fromkeys(LABELS, 0), "edema": [1, 0]})
    votes = votes_on(IMAGES, truth_as_readings(truth, IMAGES))
    assert votes.readers == ("truth",)
    assert votes.of("edema").tolist() == [[1], [0], [3]]
    assert votes.of("fracture").tolist() == [[1], [0], [1]]


def test_a_table_that_was_written_is_read_back_and_a_missing_label_is_not_read(tmp_path):
    frame = readings(("b", 1, 1, 2, "bob", 3), ("a", 1, 1, 1, "ann", 1)).drop(columns="fracture")
    frame["edema"] = pd.array([3, None], dtype="Int64")
    write_readings(tmp_path / "doctors.parquet", frame)
    read = readings_frame(pa.parquet.read_table(tmp_path / "doctors.parquet"), "doctors")
    assert read["path"].tolist() == ["a", "b"]
    assert read["edema"].tolist() == [0, 3]
    assert read["fracture"].tolist() == [0, 0]
    assert list(read.columns) == [*KEY_COLUMNS, "reader", *LABELS]


def test_a_reader_who_stands_twice_on_a_row_or_has_no_name_is_told(tmp_path):
    twice = readings(("a", 1, 1, 1, "ann", 1), ("a", 1, 1, 1, "ann", 3))
    with pytest.raises(TableError, match="Each reader must stand once on a row of set. Received twice: 'ann' on 'a'"):
        readings_frame(pa.Table.from_pandas(twice), "set")
    with pytest.raises(TableError, match="must name its reader"):
        readings_frame(pa.Table.from_pandas(twice.assign(reader=None).astype({"reader": object})), "set")
    with pytest.raises(TableError, match="edema .* must be 0 to 3"):
        write_readings(tmp_path / "x.parquet", twice.assign(edema=[4, 1]))


def test_many_rows_at_once_equal_a_loop():
    random = np.random.default_rng(0)
    many = rows(*((f"i{n}", int(n % 7), int(n % 3), n % 4) for n in range(60)))
    said = readings(
        *((f"i{n}", int(n % 7), int(n % 3), n % 4, reader, int(random.integers(0, 4)))
          for n in random.permutation(60)[:40] for reader in ("ann", "bob"))
    )  # fmt: skip
    found = votes_on(many, said).of("edema")
    for place, row in many.iterrows():
        for number, reader in enumerate(("ann", "bob")):
            own = said[said["reader"] == reader]
            study = own[(own["patient"] == row["patient"]) & (own["study"] == row["study"])]
            of_study = study.loc[study["image"] == 0, "edema"].max() if (study["image"] == 0).any() else 0
            of_images = study.loc[study["image"] != 0, "edema"].max() if (study["image"] != 0).any() else 0
            itself = study.loc[(study["path"] == row["path"]) & (study["image"] != 0), "edema"].sum()
            expected = (itself or of_study) if row["image"] else (of_study or of_images)
            assert found[place, number] == expected
