"""A mapping that somebody shared is uploaded on Sources, and answers what would be asked of such a file."""

import pandas as pd
import pytest
from as_read import as_read

from cxr_core.runs import service

MAPPING = b"""layout = "auto"
[columns]
path = "Where"
edema = "Oedem"
[values]
ja = "positive"
nein = "negative"
"""


@pytest.fixture(autouse=True)
def this_folder_may_be_read(workspace, monkeypatch):
    monkeypatch.setenv("CXR_INPUT_FOLDERS", ".")


def opened(page, tmp_path):
    """The form with a file whose words nobody knows."""
    where = [f"valid/patient{n:05d}/study1/view1_frontal.jpg" for n in range(1, 5)]
    pd.DataFrame({"Where": where, "Oedem": ["ja", "nein", "ja", ""]}).to_csv(tmp_path / "labels.csv", index=False)
    app = page("sources")
    app.text_input(key="import-labels-source").set_value("mine")
    return app.text_input(key="import-labels-path").set_value(str(tmp_path / "labels.csv")).run()


def test_an_uploaded_mapping_is_taken_for_the_file_and_imported_with_it(own_small_demo, page, tmp_path):
    app = opened(page, tmp_path)
    app.file_uploader(key="import-labels-mapping").set_value(("theirs.toml", MAPPING, "application/toml")).run()
    assert not app.exception and not app.error
    app.button(key="import-labels").click().run()
    for run in service.list_runs(kind="import"):
        service.wait(run.run, timeout=100)
    assert "Imported 4 rows of labels into mine" in app.run().success[0].value
    (table,) = (own_small_demo / "sources" / "mine").glob("labels*.parquet")
    stored = pd.read_parquet(table).sort_values("path")
    assert stored["edema"].tolist() == [3, 1, 3, 0]


def test_a_mapping_that_is_none_is_refused_in_a_sentence(own_small_demo, page, tmp_path):
    app = opened(page, tmp_path)
    wrong = b"[columns]\nnothing = 'Where'"
    app.file_uploader(key="import-labels-mapping").set_value(("theirs.toml", wrong, "application/toml")).run()
    assert any("A column can be mapped to" in as_read(error.value) for error in app.error)
