import json

import numpy as np
import pandas as pd
import pytest

from cxr_core.errors import ExistsError, TableError, UndecidedError, UnknownNameError, UsageError
from cxr_core.schema import LABELS
from cxr_core.sources.importing.mapping import NOTHING_SAID
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_groups import import_groups
from cxr_core.tasks.state import source_state
from cxr_core.tasks.subgroups import ways_to_split
from cxr_core.warehouse.parquet import write_table

PATHS = [f"CheXpert/valid/patient{p:05d}/study{s}/view1_frontal.jpg" for p in (1, 2, 3) for s in (1, 2)]


@pytest.fixture
def own(workspace):
    """Six images of three patients, each with two studies; the label table tells the position."""
    frame = pd.DataFrame({"path": PATHS, "patient": [1, 1, 2, 2, 3, 3], "study": [11, 12, 21, 22, 31, 32], "image": 1})
    frame = frame.assign(view=0, dataset=1, **dict.fromkeys(LABELS, 3), position="AP")
    write_table(workspace / "sources" / "own" / "labels.parquet", frame)
    (workspace / "sources" / "own" / "source.toml").write_text('kind = "local"\n')
    return workspace


def file(folder, text, name="people.csv"):
    (folder / name).write_text(text)
    return folder / name


def kept(*columns):
    rows = get_source("own").warehouse().labels("valid", None, columns).set_index("path").loc[PATHS, [*columns]]
    return [[None if pd.isna(value) else value for value in rows[name]] for name in columns]


def test_columns_are_joined_by_patient_and_can_split_the_images(own, tmp_path):
    before = source_state("own").stamp
    table = file(tmp_path, "subject_id,race,insurance\n1,White,Medicare\n3,Black,\n9,Asian,Medicaid\n")
    done = import_groups("own", table)
    assert (done.read, done.matched, done.unmatched, done.images) == (3, 2, 1, 4)
    assert done.as_json()["columns"] == ["race", "insurance"]
    assert kept("race", "insurance") == [
        ["White", "White", None, None, "Black", "Black"],
        ["Medicare", "Medicare", *[None] * 4],
    ]
    assert ways_to_split("own") == ["view", "dataset", "position", "race", "insurance"]
    assert source_state("own").stamp != before
    assert any("2 by their patient matched" in note and "'9'" in note for note in done.notes)


def test_columns_are_joined_by_study_and_by_the_end_of_a_path(own, tmp_path):
    import_groups("own", file(tmp_path, "study_id;subject_id;Height (cm)\n12;1;170,5\n31;3;160\n"))
    assert kept("height_cm") == [[None, 170.5, None, None, 160.0, None]]
    by_path = file(tmp_path, f"Path,subject_id,Scanner\nelse/{PATHS[2]},2,Philips\nelse/{PATHS[3]},2,GE\n", "b.csv")
    assert import_groups("own", by_path).by == "path"
    assert kept("scanner") == [[None, None, "Philips", "GE", None, None]]
    assert kept("height_cm", "scanner", "position")[2] == ["AP"] * 6


def test_the_key_can_be_said_and_a_column_that_means_it(own, tmp_path):
    table = file(tmp_path, f"Path,who,race\n{PATHS[0]},1,White\n")
    done = import_groups("own", table, "patient", columns={"patient": "who"})
    assert (done.by, done.images) == ("patient", 2)
    with pytest.raises(UnknownNameError, match="key of groups"):
        import_groups("own", table, "ward")
    with pytest.raises(
        TableError, match=r"must have a column that names the study: say which with --column study=NAME"
    ):
        import_groups("own", table, "study")


def test_two_values_of_one_patient_are_asked_and_the_most_frequent_can_count(own, tmp_path):
    table = file(tmp_path, "subject_id,race\n1,White\n1,Black\n1,Black\n2,\n2,Asian\n3,White\n3,Other\n")
    with pytest.raises(UndecidedError, match=r"patient '1': race 'White' and 'Black'.*--answer rows=majority"):
        import_groups("own", table)
    import_groups("own", table, mapping=NOTHING_SAID.answered({"rows": "majority"}))
    assert kept("race") == [["Black", "Black", "Asian", "Asian", "White", "White"]]


def test_only_the_columns_that_are_wanted_are_kept_and_labels_and_keys_never(own, tmp_path):
    table = file(tmp_path, "patient,Edema,race,time,view\n1,1,White,a,PA\n2,0,Black,b,PA\n")
    done = import_groups("own", table, mapping=NOTHING_SAID.answered({"keep": "race"}))
    assert done.columns == ("race",)
    assert import_groups("own", table, replace=True).columns == ("race", "time")
    with pytest.raises(UnknownNameError, match="can be a group"):
        import_groups("own", table, mapping=NOTHING_SAID.answered({"keep": "Edema"}))
    with pytest.raises(TableError, match="must have a column beside its keys and labels"):
        import_groups("own", file(tmp_path, "patient,Edema\n1,1\n"))


def test_what_is_there_stays_unless_it_is_replaced(own, tmp_path):
    import_groups("own", file(tmp_path, "patient,race\n1,White\n"))
    import_groups("own", file(tmp_path, "patient,race\n2,Black\n"))
    assert kept("race") == [["White", "White", "Black", "Black", None, None]]
    again = file(tmp_path, "patient,race\n2,Asian\n3,Asian\n")
    with pytest.raises(ExistsError, match="2 images have a race already.*--replace"):
        import_groups("own", again)
    import_groups("own", again, replace=True)
    assert kept("race") == [["White", "White", *["Asian"] * 4]]
    position = file(tmp_path, "patient,position\n1,PA\n")
    with pytest.raises(ExistsError, match="has a column position of its own"):
        import_groups("own", position)
    import_groups("own", position, replace=True)
    assert kept("position") == [["PA", "PA", *[None] * 4]]


def test_sex_and_age_are_read_as_other_imports_read_them_and_a_bad_cell_refuses(own, tmp_path):
    table = "patient,Gender,anchor_age,PatientAge\n1,Female,60,061Y\n2,male,71,\n"
    import_groups("own", file(tmp_path, table))
    assert kept("sex", "anchor_age", "age") == [
        ["F", "F", "M", "M", None, None],
        [60.0, 60.0, 71.0, 71.0, None, None],
        [61.0, 61.0, *[None] * 4],
    ]
    with pytest.raises(TableError, match=r"people.csv, line 3: age must be an age in years"):
        import_groups("own", file(tmp_path, "patient,age\n1,50\n2,old\n"), replace=True)
    assert import_groups("own", file(tmp_path, "patient,age\n1,50\n2,old\n"), None, True, True).refused == 1


def test_a_file_of_strangers_and_a_source_without_labels_are_refused(own, workspace, tmp_path):
    with pytest.raises(TableError, match=r"No row of people.csv is in the label table by patient \(first: '77'\)"):
        import_groups("own", file(tmp_path, "patient,race\n77,White\n"))
    with pytest.raises(TableError, match="A group cannot be called row"):
        import_groups("own", file(tmp_path, "patient,row\n1,White\n"))
    with pytest.raises(TableError, match="has the column race twice"):
        import_groups("own", file(tmp_path, "patient,race,Race\n1,White,White\n"))
    with pytest.raises(UsageError):
        import_groups("nobody", file(tmp_path, "patient,race\n1,White\n"))
    assert not (workspace / "sources" / "own" / "groups").exists()


def test_a_large_table_is_joined_exactly(own, tmp_path, workspace):
    rng = np.random.default_rng(0)
    patients = rng.integers(1, 4000, 9000)
    frame = pd.DataFrame({"path": [f"p/{n}.jpg" for n in range(9000)], "patient": patients, "study": 1, "image": 1})
    write_table(
        workspace / "sources" / "own" / "labels.parquet", frame.assign(view=0, dataset=1, **dict.fromkeys(LABELS, 1))
    )
    people = pd.DataFrame({"subject_id": np.arange(1, 4000)}).assign(group=lambda f: f.subject_id % 7)
    people.sample(frac=1, random_state=1).to_csv(tmp_path / "people.csv.gz", index=False)
    import_groups("own", tmp_path / "people.csv.gz")
    rows = get_source("own").warehouse().labels(None, None, ["group"])
    assert (rows["group"] == rows["patient"] % 7).all()


def test_the_command_prints_what_scripts_rely_on_and_refuses_in_one_line(own, tmp_path, cxr):
    table = file(tmp_path, "patient,race\n1,White\n8,Black\n")
    done = cxr("import", "groups", str(table), "--by", "patient", "--source", "own", "--json")
    said = json.loads(done.stdout)
    assert {name: said[name] for name in ("read", "matched", "unmatched", "columns")} == {
        "read": 2, "matched": 1, "unmatched": 1, "columns": ["race"],
    }  # fmt: skip
    wrong = cxr("import", "groups", str(table), "--by", "ward", "--source", "own")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
    assert cxr("import", "labels", str(table), "--by", "patient").returncode == 2
