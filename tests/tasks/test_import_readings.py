import json

import pandas as pd
import pytest

from cxr_core.errors import ExistsError, TableError, UsageError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_readings import import_readings
from cxr_core.tasks.meaning import meaning
from cxr_core.warehouse.parquet import write_table

PATHS = [f"CheXpert/valid/patient{p:05d}/study1/view{i}_frontal.jpg" for p in (1, 2, 3) for i in (1, 2)]


@pytest.fixture
def own(workspace):
    """Six images of three patients, two images a study."""
    frame = pd.DataFrame({"path": PATHS, "patient": [1, 1, 2, 2, 3, 3], "study": 1, "image": [1, 2] * 3})
    frame = frame.assign(view=0, dataset=1, **dict.fromkeys(LABELS, 2))
    write_table(workspace / "sources" / "own" / "labels.parquet", frame)
    (workspace / "sources" / "own" / "source.toml").write_text('kind = "local"\n')
    return workspace


def file(folder, text, name="ann.csv"):
    (folder / name).write_text(text)
    return folder / name


def kept(set_name="readers"):
    return get_source("own").warehouse().readings(set_name)


def test_one_file_a_reader_by_image_with_words(own, tmp_path):
    first = file(tmp_path, f"Path,Edema,Fracture\n{PATHS[0]},yes,unsure\n{PATHS[1]},absent,\n")
    second = file(tmp_path, f"Path,Fracture,Edema\nelse/{PATHS[0]},1,0\nelse/{PATHS[1]},0,-1\n", "bob.csv")
    done = import_readings("own", [first, second])
    assert (done.read, done.written, done.unmatched, done.readers) == (4, 4, 0, ["ann", "bob"])
    said = kept().set_index(["reader", "path"])
    assert said.loc["ann", "edema"].tolist() == [3, 1]
    assert said.loc["ann", "fracture"].tolist() == [2, 0]
    assert said.loc["bob", "edema"].tolist() == [1, 2]
    assert said.loc["bob", "fracture"].tolist() == [3, 1]
    assert said["pneumonia"].eq(0).all()


def test_studies_are_named_by_their_folder_or_number_and_a_column_names_the_reader(own, tmp_path):
    table = "Study,rad_id,Edema\nCheXpert-v1.0/valid/patient00002/study1,R8,1\nvalid/patient00003/study1,R9,0\n"
    done = import_readings("own", [file(tmp_path, table)], "doctors")
    assert done.readers == ["R8", "R9"]
    said = kept("doctors")
    assert said[["patient", "study", "image", "edema"]].to_numpy().tolist() == [[2, 1, 0, 3], [3, 1, 0, 1]]
    shares = meaning("own", "doctors").labels["edema"]["uncertain"]
    assert (shares.n, shares.n_read, shares.n_present) == (6, 4, 2)


def test_a_second_reader_is_a_second_reader_and_the_same_again_is_refused_unless_replaced(own, tmp_path):
    table = file(tmp_path, f"Path,Edema\n{PATHS[0]},1\n")
    import_readings("own", [table])
    import_readings("own", [table], reader="bob")
    assert sorted(kept()["reader"]) == ["ann", "bob"]
    with pytest.raises(ExistsError, match="first that of 'ann'.*--replace"):
        import_readings("own", [table])
    changed = file(tmp_path, f"Path,Edema\n{PATHS[0]},0\n")
    import_readings("own", [changed], replace=True)
    assert kept().set_index("reader")["edema"].to_dict() == {"ann": 1, "bob": 3}


def test_our_own_table_is_read_by_its_own_codes(own, tmp_path):
    rows = pd.DataFrame(
        {"path": PATHS[:3], "patient": [1, 1, 2], "study": 1, "image": [1, 2, 1], "view": 0, "dataset": 1}
    )
    table = rows.assign(reader="ann", edema=[1, 2, 3])[[*KEY_COLUMNS, "reader", "edema"]]
    table.to_csv(tmp_path / "exported.csv", index=False)
    import_readings("own", [tmp_path / "exported.csv"], "copied")
    assert kept("copied")["edema"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("Path,Edema\nnowhere.jpg,1\n", TableError, "No row of ann.csv is in the label table"),
        (f"Path,Edema\n{PATHS[0]},\n", TableError, "holds no verdict"),
        (f"Path,Edema\n{PATHS[0]},1\n{PATHS[0]},0\n", TableError, "'ann' says two different things of"),
        (f"Path,Edema\n{PATHS[0]},7\n", TableError, "Received: '7'"),
        (f"Path,Colour\n{PATHS[0]},1\n", TableError, "no column that names a label"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_nothing_is_written(own, tmp_path, text, error, sentence):
    with pytest.raises(error, match=sentence):
        import_readings("own", [file(tmp_path, text)])
    assert not get_source("own").readings_path("readers").exists()


def test_reserved_names_of_sets_are_refused(own, tmp_path):
    with pytest.raises(UsageError, match="report and truth are judges of their own"):
        import_readings("own", [file(tmp_path, f"Path,Edema\n{PATHS[0]},1\n")], "report")


def test_the_command_prints_what_became_of_it(own, tmp_path, cxr):
    table = file(tmp_path, f"Path,Edema\n{PATHS[0]},1\nnowhere.jpg,0\n")
    done = cxr("import", "readings", str(table), "--source", "own", "--set", "doctors", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {name: document[name] for name in ("read", "written", "refused", "unmatched", "readers")} == {
        "read": 2, "written": 1, "refused": 0, "unmatched": 1, "readers": ["ann"]
    }  # fmt: skip
    again = cxr("import", "readings", str(table), "--source", "own", "--set", "doctors")
    assert again.returncode == 2 and len(again.stderr.splitlines()) == 1
