"""The import form on Sources: a preview before, a correction of the columns, one sentence for what cannot be."""

import pandas as pd
import pytest


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
    next(button for button in app.button if button.label == "Import labels").click().run()
    return app


def test_a_file_is_shown_and_imported_and_the_next_step_is_a_button(own_small_demo, page, tmp_path):
    app = import_labels_of(page("sources"), write_labels(tmp_path))
    assert "Imported 4 rows of labels into mine." in app.success[0].value
    assert "See the labels of mine" in [button.label for button in app.button]
    assert any("mine" in str(title.value) for title in app.subheader)


def test_a_wrong_cell_and_a_hostile_name_are_one_sentence_and_nothing_is_written(own_small_demo, page, tmp_path):
    app = import_labels_of(page("sources"), write_labels(tmp_path, Fracture=["1", "0", "7", ""]))
    assert [error.value for error in app.error] == [
        "valid.csv, line 4: Fracture must be blank, 0, -1 or 1. Received: '7'. "
        "Correct the file, or leave such rows out with --skip-bad-rows."
    ]
    app = import_labels_of(page("sources"), write_labels(tmp_path), "../mine")
    assert "A source name must be" in app.error[0].value
    assert [path.name for path in (own_small_demo / "sources").glob("[!.]*")] == ["demo"]


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
