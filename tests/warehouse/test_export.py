"""A model's predictions written into a BigQuery table of the user's, through the command line's own way."""

import pandas as pd
import pytest

from cxr_core.cli import main
from cxr_core.errors import AccessError, TableError, UnknownNameError, UsageError, WarehouseError
from cxr_core.sources.registry import get_source
from cxr_core.tasks.export import export_predictions
from cxr_core.warehouse.parquet import write_table

TABLE = "my-project.results.net_predictions"


@pytest.fixture
def source(bigquery_server, tmp_path, prediction_rows, label_rows):
    """A source on BigQuery whose workspace has the predictions of `net`, and which may write into one data set."""
    bigquery_server.add("data-project.cxr.labels", label_rows)
    bigquery_server.add_dataset("my-project.results")
    (tmp_path / "cxr.toml").write_text(
        '[sources.ours]\nkind = "bigquery"\nproject = "paying-project"\nlabels = "data-project.cxr.labels"\n'
        'predictions = "my-project.results.{model}_predictions"\nwrite = "my-project.results"\n'
        '[sources.closed]\nkind = "bigquery"\nproject = "paying-project"\nlabels = "data-project.cxr.labels"\n'
    )
    path = get_source("ours").predictions_path("net")
    rows = prediction_rows.assign(edema=prediction_rows["edema"].where(prediction_rows.index > 3))
    write_table(path, rows, "probability", {"view": "frontal"})
    write_table(get_source("closed").predictions_path("net"), rows, "logit")
    return rows


def test_a_new_table_has_the_rows_the_types_and_the_scale(source, bigquery_server, capsys):
    command = ["export", "predictions", "--source", "ours", "--model", "net", "--to", TABLE, "--json"]
    assert main(command) == 0
    assert (
        f'"table": "{TABLE}",\n "images": {len(source)},\n "scale": "probability"'
        in capsys.readouterr().out.replace("  ", " ")
    )
    table = bigquery_server.tables[TABLE]
    assert table.labels == {"cxr_scale": "probability"}
    stored = table.rows.to_pandas().sort_values("path", ignore_index=True)
    expected = source.sort_values("path", ignore_index=True).astype({"path": "str"})
    pd.testing.assert_frame_equal(stored, expected[stored.columns])
    (job,) = (job for job in bigquery_server.jobs.values() if "load" in job["configuration"])
    assert job["configuration"]["labels"] == {"app": "cxr-lab", "question": "export"}
    assert job["jobReference"]["projectId"] == "paying-project"
    assert get_source("ours").warehouse().prediction_table("net").location == TABLE


def test_an_existing_table_is_only_overwritten_when_told(source, bigquery_server, capsys, label_rows):
    bigquery_server.add(TABLE, label_rows[:2], labels={"cxr_scale": "logit", "team": "a"})
    command = ["export", "predictions", "--source", "ours", "--model", "mine", "--to", TABLE]
    write_table(get_source("ours").predictions_path("mine"), source, "probability")
    assert main(command) == 2
    told = capsys.readouterr().err
    assert told == f"The table {TABLE} exists already. Choose another name, or add --replace to overwrite it.\n"
    assert bigquery_server.tables[TABLE].rows.num_rows == 2
    assert main([*command, "--replace"]) == 0
    assert bigquery_server.tables[TABLE].rows.num_rows == len(source)
    assert bigquery_server.tables[TABLE].labels == {"cxr_scale": "probability", "team": "a"}


@pytest.mark.parametrize(
    ("name", "model", "to", "error", "words"),
    [
        ("closed", "net", TABLE, UsageError, "may not write to BigQuery. Allow it with .*`write = "),
        ("ours", "net", "my-project.other.t", UsageError, "only be written into the data set my-project.results"),
        ("ours", "net", "a.b.c; DROP TABLE x", UsageError, "must be written project.dataset.table"),
        ("ours", "net", "my-project.results.`", UsageError, "must be written project.dataset.table"),
        ("ours", "net", "my-project.results." + "x" * 2000, UsageError, "must be written project.dataset.table"),
        ("ours", "none", TABLE, UnknownNameError, "Unknown model 'none'"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_written(
    source, bigquery_server, name, model, to, error, words
):
    with pytest.raises(error, match=words) as caught:
        export_predictions(name, model, to)
    assert len(str(caught.value)) < 300
    assert not any("load" in job["configuration"] for job in bigquery_server.jobs.values())


def test_nothing_is_left_half_written(source, bigquery_server):
    bigquery_server.misbehave("503", "POST /upload", times=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_BIGQUERY_TIMEOUT", "1")
        with pytest.raises(WarehouseError, match="BigQuery says: Visibility check"):
            export_predictions("ours", "net")
    assert TABLE not in bigquery_server.tables
    bigquery_server.behave()
    bigquery_server._tables.datasets.remove("my-project.results")
    with pytest.raises(TableError, match="no such data set my-project.results"):
        export_predictions("ours", "net", TABLE)
    bigquery_server.add_dataset("my-project.results")
    other = "my-project.results.elsewhere"
    bigquery_server.add(other, source[:1])
    bigquery_server.deny(other)
    with pytest.raises(AccessError, match=other):
        export_predictions("ours", "net", other, replace=True)
    assert bigquery_server.tables[other].rows.num_rows == 1
