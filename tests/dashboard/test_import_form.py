"""The import form on Sources: a preview before, a correction of the columns, one sentence for what cannot be."""

import openpyxl
import pandas as pd
import pytest
from as_read import as_read

from cxr_core.runs import service


@pytest.fixture(autouse=True)
def this_folder_may_be_read(workspace, monkeypatch):
    monkeypatch.setenv("CXR_INPUT_FOLDERS", ".")


def write_labels(folder, name="valid.csv", **columns):
    frame = pd.DataFrame(
        {
            "Path": [f"valid/patient{n:05d}/study1/view1_frontal.jpg" for n in range(1, 5)],
            "Edema": [1.0, 0.0, -1.0, None],
        }
    )
    frame.assign(**columns).to_csv(folder / name, index=False)
    return folder / name


def import_labels_of(app, path, source="mine"):
    app.text_input(key="import-labels-source").set_value(source)
    app.text_input(key="import-labels-path").set_value(str(path)).run()
    return ended(app.button(key="import-labels").click().run())


def ended(app):
    """The page once the imports that it started have ended."""
    for run in service.list_runs(kind="import"):
        service.wait(run.run, timeout=100)
    return app.run()


def open_tab(name, page):
    app = page("sources")
    app.session_state["import-tab"] = name
    return app.run()


def test_a_file_is_shown_and_imported_by_a_run_and_the_next_step_is_a_button(own_small_demo, page, tmp_path):
    app = import_labels_of(page("sources"), write_labels(tmp_path))
    assert "Imported 4 rows of labels into mine. 4 rows were read, 0 left out." in app.success[0].value
    assert "See the labels of mine" in [button.label for button in app.button]
    assert any("mine" in str(title.value) for title in app.header)
    (run,) = service.list_runs(kind="import")
    labels = [button.label for button in page("runs", run=run.run).button]
    assert "See what is in the data" in labels and "Resume run" not in labels


def test_a_wrong_cell_and_a_hostile_name_are_one_sentence_and_nothing_is_written(own_small_demo, page, tmp_path):
    app = import_labels_of(page("sources"), write_labels(tmp_path, Fracture=["1", "0", "7", ""]))
    assert [as_read(error.value) for error in app.error] == [
        "valid.csv, line 4: Fracture must be blank, 0, -1 or 1. Received: '7'. "
        "Correct the file, or leave such rows out with --skip-bad-rows."
    ]
    app = page("sources")
    app.text_input(key="import-labels-source").set_value("../mine")
    app.text_input(key="import-labels-path").set_value(str(write_labels(tmp_path))).run()
    app.button(key="import-labels").click().run()
    assert "A source name must be" in app.error[0].value
    assert [path.name for path in (own_small_demo / "sources").glob("[!.]*")] == ["demo"]


def test_the_process_of_the_pages_never_reads_more_than_the_first_rows(own_small_demo, page, tmp_path, monkeypatch):
    def read_here(path, form):
        raise AssertionError(f"{path} was read whole")

    monkeypatch.setattr("cxr_core.tasks.import_labels.read_text_table", read_here)
    app = import_labels_of(page("sources"), write_labels(tmp_path))
    assert "Imported 4 rows" in app.success[0].value


def test_while_an_import_runs_the_page_says_how_far_it_is(own_small_demo, page, tmp_path, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    app = page("sources")
    app.text_input(key="import-labels-source").set_value("mine")
    app.text_input(key="import-labels-path").set_value(str(write_labels(tmp_path))).run()
    app.button(key="import-labels").click().run()
    (run,) = service.list_runs(kind="import")
    (button,) = [button for button in app.button if button.label == "Cancel the import"]
    button.click().run()
    assert service.get(run.run).status == "cancelled"
    assert "Cancelled by the user." in [as_read(info.value) for info in app.info]


def test_what_an_import_cannot_know_is_asked_and_the_answer_imports(own_small_demo, page, tmp_path):
    # the second reader comes after the rows that the page looks at
    names = [f"valid/patient{n:05d}/study1/view1_frontal.jpg" for n in [*range(1, 1_101), 1]]
    readers = ["anna"] * 1_100 + ["bea"]
    pd.DataFrame({"Path": names, "Edema": 1, "Reader": readers}).to_csv(tmp_path / "valid.csv", index=False)
    app = import_labels_of(page("sources"), tmp_path / "valid.csv")
    (radio,) = app.radio
    assert any("only anna" in as_read(option) for option in radio.options), radio.options
    assert app.button(key=answer_key()).disabled
    place = next(n for n, option in enumerate(radio.options) if "only anna" in as_read(option))
    app = ended(radio.set_value(place).run().button(key=answer_key()).click().run())
    assert "Imported 1,100 rows of labels into mine." in app.success[0].value


def looked_at(page, path, source="mine"):
    app = page("sources")
    app.text_input(key="import-labels-source").set_value(source)
    return app.text_input(key="import-labels-path").set_value(str(path)).run()


def test_the_preview_counts_the_values_of_each_label_and_shows_rows_as_they_will_be_stored(
    own_small_demo, page, tmp_path
):
    app = looked_at(page, write_labels(tmp_path, Mass=[1, 0, 1, 0]))
    columns, cells, counts, stored = (frame.value for frame in app.dataframe[1:5])
    assert columns.set_index("Column")["Is"].to_dict() == {"Path": "Path of the image", "Edema": "Edema", "Mass": "—"}
    assert columns.set_index("Column").loc["Edema", "Examples"] == "1.0 · 0.0 · -1.0"
    assert cells.set_index("Cell")["Means"].to_dict() == {"1.0": "Positive", "0.0": "Negative", "-1.0": "Uncertain"}
    assert counts.iloc[0].tolist() == ["Edema", 1, 1, 1, 1]
    assert stored["edema"].tolist() == ["positive", "negative", "uncertain", "not_mentioned"]
    assert stored["mass"].tolist() == [3, 1, 3, 1]
    assert any("kept as extra columns: mass" in as_read(info.value) for info in app.info)
    assert not (own_small_demo / "sources" / "mine").exists()


def test_a_question_is_asked_before_the_import_and_what_was_said_is_offered_for_the_next_file(
    own_small_demo, page, tmp_path
):
    path = "a{0}.png,{0},PA,{1},1\n"
    for name, first in (("one.csv", 0), ("two.csv", 5)):
        lines = "".join(path.format(first + number, number) for number in range(3))
        (tmp_path / name).write_text("path,patient,view,fold,Edema\n" + lines)
    app = looked_at(page, tmp_path / "one.csv")
    assert any("numbers the data sets (0, 1, 2)" in as_read(one.value) for one in app.warning)
    place = next(n for n, option in enumerate(app.radio[0].options) if "codes" in as_read(option))
    app = app.radio[0].set_value(place).run()
    app = ended(app.button(key="import-labels").click().run())
    assert "Imported 3 rows of labels into mine." in app.success[0].value
    assert pd.read_parquet(own_small_demo / "sources/mine/labels.parquet")["dataset"].tolist() == [0, 1, 2]
    app = looked_at(page, tmp_path / "two.csv")
    app = app.button(key="labels-kept").click().run()
    assert not app.radio
    app = ended(app.button(key="import-labels").click().run())
    assert pd.read_parquet(own_small_demo / "sources/mine/labels.parquet")["dataset"].tolist() == [0, 1, 2] * 2


def test_every_ambiguity_is_a_question_on_the_page(own_small_demo, page, tmp_path):
    for name, text, said in (
        ("train.csv", "Path,filename,Edema\nvalid/patient00001/study1/view1_frontal.jpg,v.jpg,1\n", "has path twice"),
        ("x.csv", "path,patient,view,Edema\n/train_sets/valid/a.png,1,PA,1\n", "the path names two data sets"),
        ("train.csv", "path,patient,ViewPosition,Edema\na.png,1,PA,1\nb.png,2,NEW,1\n", "a projection that is not"),
        ("train.csv", "path,patient,view,Pneumothorax\na.png,1,PA,1 2 3 4\nb.png,2,PA,-1\n", "run-length masks"),
        ("train.csv", "StudyID,xray,view,Edema\ns1,IM1,PA,1\ns2,IM2,PA,1\n", "does another column name images"),
        ("train.csv", "image_id,rad_id,Edema\na,R1,1\na,R2,0\n", "whose word counts"),
    ):
        (tmp_path / name).write_text(text)
        app = looked_at(page, tmp_path / name)
        asked = [as_read(one.value) for one in app.warning]
        assert any(said in one for one in asked), (said, asked)
        assert len(app.radio[0].options) >= 2


def answer_key():
    (run,) = service.list_runs(kind="import")
    return f"answer-import-{run.run}"


def test_what_the_preview_cannot_know_is_asked_before_anything_is_started(own_small_demo, page, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    book.active.append(["none"])
    sheet = book.create_sheet("labels")
    for row in (["Path", "Edema"], ["valid/patient00001/study1/view1_frontal.jpg", 1]):
        sheet.append(row)
    book.save(tmp_path / "valid.xlsx")
    app = page("sources")
    app.text_input(key="import-labels-source").set_value("mine")
    app.text_input(key="import-labels-path").set_value(str(tmp_path / "valid.xlsx")).run()
    assert "valid.xlsx has 2 filled sheets; which is the table?" in [as_read(one.value) for one in app.warning]
    app.radio[0].set_value(1).run()
    app = ended(app.button(key="import-labels").click().run())
    assert "Imported 1 row of labels into mine." in app.success[0].value


def test_readings_are_imported_into_a_set_by_the_name_of_their_reader(own_small_demo, page, tmp_path):
    app = import_labels_of(page("sources"), write_labels(tmp_path))
    app = open_tab("Readings", page)
    app.selectbox(key="import-readings-source").set_value("mine")
    app.text_input(key="import-readings-set").set_value("panel")
    app.text_input(key="import-readings-reader").set_value("anna")
    app.text_input(key="import-readings-path").set_value(str(write_labels(tmp_path, "read.csv"))).run()
    app = ended(app.button(key="import-readings").click().run())
    assert "by 1 reader into the set panel." in app.success[0].value, app.success[0].value
    table = pd.read_parquet(own_small_demo / "sources/mine/readings/panel.parquet")
    assert set(table["reader"]) == {"anna"}


def test_groups_are_looked_at_then_joined_by_patient_and_split_the_images(own_small_demo, page, tmp_path):
    labels = pd.read_parquet(own_small_demo / "sources/demo/labels_valid.parquet")
    people = labels[["patient"]].drop_duplicates().assign(insurance=lambda frame: frame.patient % 2)
    people.assign(insurance=people.insurance.map({0: "Medicare", 1: "Medicaid"})).to_csv(
        tmp_path / "g.csv", index=False
    )
    app = open_tab("Groups", page)
    app.text_input(key="import-groups-path").set_value(str(tmp_path / "g.csv")).run()
    assert app.dataframe[0].value.columns.tolist() == ["patient", "insurance"]
    app = ended(app.button(key="import-groups").click().run())
    assert f"{len(labels)} images of demo can be split by insurance now." in app.success[0].value.replace(",", "")
    assert "See the groups on Evaluate" in [button.label for button in app.button]
    app = page("evaluate", **{"point-tab": "Subgroups", "split-by": "insurance"})
    assert app.table[-1].value.index.tolist() == ["Medicaid", "Medicare"]


def test_a_file_that_is_no_table_is_one_sentence(own_small_demo, page, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\0\1\2")
    app = page("sources")
    app.text_input(key="import-labels-path").set_value(str(tmp_path / "x.csv")).run()
    assert "x.csv must be text" in app.error[0].value


def test_a_path_outside_of_what_the_settings_allow_is_refused_whether_it_exists_or_not(own_small_demo, page):
    app = page("sources")
    for path in ("/etc/passwd", "/etc/no-such-file"):
        app.text_input(key="import-labels-path").set_value(path).run()
        assert app.error[0].value.startswith("The table must lie in one of the places that pages may read")
    app.text_input(key="import-labels-path").set_value("~nobody-at-all/x.csv").run()
    assert "nobody-at-all" in app.error[0].value


def test_patients_in_two_sets_are_told_on_sources_and_must_be_ticked_away_before_a_training(
    own_small_demo, page, tmp_path
):
    write_labels(tmp_path, "valid.csv")
    train = write_labels(tmp_path, "train.csv")
    train.write_text(train.read_text().replace("valid/", "train/").replace("study1", "study2"))
    for name in ("train.csv", "valid.csv"):
        import_labels_of(page("sources"), tmp_path / name)
    said = "4 patients stand in more than one data set"
    assert [said in as_read(one.value) for one in page("sources").warning].count(True) == 1
    app = page("train", source="mine")
    assert any(said in as_read(one.value) for one in app.warning)
    assert [box.label for box in app.checkbox].count("Train all the same") == 1
    assert app.button(key="start-training").disabled
