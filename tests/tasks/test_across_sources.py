"""One table over sources and judges: its figures are scikit-learn's, its marks hold over all columns together."""

import csv
import io
import json
import shutil

import pyarrow.parquet as pq
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from sklearn.metrics import roc_auc_score

from cxr_core.cli import main
from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.tasks.across_sources import across_sources
from cxr_core.tasks.across_table import across_table, write_table
from cxr_core.tasks.grid import model_grid

MODELS = ("good", "same", "poor")


@pytest.fixture
def two_sources(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "200")
    labels = write_source(workspace)
    frontal = of_view(labels, "frontal")
    for model, seed, strength in (("good", 1, 2.0), ("same", 2, 1.9), ("poor", 3, 0.2)):
        write_predictions(workspace, model, scores_for(frontal, seed, strength))
    shutil.copytree(workspace / "sources" / NAME, workspace / "sources" / "other")
    (workspace / "sources" / "other" / "predictions" / "poor_predictions.parquet").unlink()
    return frontal[frontal["dataset"] == 1]


def test_each_cell_is_the_auc_of_its_source_and_the_marks_are_corrected_for_the_columns(two_sources):
    found = across_sources(NAME, MODELS, also_in=["other"])
    certain = two_sources[two_sources["edema"] != 2]
    assert [(column.source, column.judge) for column in found.columns] == [(NAME, "report"), ("other", "report")]
    alone = model_grid(NAME, MODELS).grids["frontal"].cells["edema"]
    for model, cell in found.columns[0].cells("edema").items():
        assert (cell.value, cell.ci) == (alone[model].value, alone[model].ci)
        assert (cell.n, cell.n_positive) == (len(certain), (certain["edema"] == 3).sum())
        if cell.p_corrected is not None:
            assert cell.p_corrected == pytest.approx(min(1, 2 * alone[model].p_corrected), abs=1e-12)
            low, high = cell.difference_ci
            assert (cell.p_corrected < 0.05) == (low > 0 or high < 0)
    assert found.columns[1].why == {"poor": "other has no predictions of it"}


def test_an_auc_across_sources_is_scikit_learns(two_sources, workspace):
    valid = two_sources[two_sources["edema"] != 2]
    exact = valid["edema"].eq(3) * 1.0
    stored = pq.read_table(workspace / "sources" / "other" / "predictions" / "good_predictions.parquet").to_pandas()
    joined = valid[["path"]].merge(stored, on="path")
    cell = across_sources(NAME, MODELS, also_in=["other"]).columns[1].cells("edema")["good"]
    assert cell.value == pytest.approx(roc_auc_score(exact, joined["edema"]), abs=1e-12)


def test_the_table_leaves_as_csv_and_latex_with_a_mark_in_words(two_sources, tmp_path):
    found = across_sources(NAME, MODELS, also_in=["other"])
    table = across_table(found, "edema")
    head, *rows = csv.reader(io.StringIO(table.csv().decode()))
    assert head[:5] == [
        *("Model", f"{NAME}, report", f"{NAME}, report, low", f"{NAME}, report, high"),
        f"{NAME}, report: mark",
    ]
    cells = {column.source: column.cells("edema") for column in found.columns}
    assert {row[0]: float(row[1]) for row in rows} == {m: cells[NAME][m].value for m in MODELS}
    assert {row[0]: row[4] for row in rows}["good"] == "best"
    assert rows[2][5:] == ["", "", "", ""]
    file = write_table(table, str(tmp_path / "table.tex"))
    assert "\\toprule" in (tmp_path / "table.tex").read_text() and file.endswith("table.tex")
    with pytest.raises(ExistsError, match="--replace"):
        write_table(table, file)
    with pytest.raises(UsageError, match=r"\.csv or \.tex"):
        write_table(table, str(tmp_path / "table.xlsx"))


def test_a_model_that_is_alone_on_its_images_has_no_mark(two_sources, workspace):
    (workspace / "sources" / "other" / "predictions" / "same_predictions.parquet").unlink()
    found = across_sources(NAME, MODELS, also_in=["other"])
    assert found.columns[1].alone == {"good"}
    marks = dict(zip(MODELS, (row[4] for row in across_table(found).rows), strict=True))
    assert marks == {"good": None, "same": None, "poor": None}


def test_what_nobody_has_is_refused_and_what_is_named_twice_too(two_sources):
    with pytest.raises(UnknownNameError, match="judge"):
        across_sources(NAME, MODELS, ["truth"])
    with pytest.raises(UnknownNameError, match="model with predictions of valid"):
        across_sources(NAME, ["none"])
    with pytest.raises(UsageError, match="Name each source once"):
        across_sources(NAME, MODELS, also_in=[NAME])
    with pytest.raises(UnknownNameError, match="label of the models"):
        across_table(across_sources(NAME, MODELS), "no_such")


def test_the_command_prints_the_columns_and_writes_the_table(two_sources, tmp_path, capsys):
    ask = ["compare", *MODELS, "--source", NAME, "--also-in", "other"]
    assert main([*ask, "--to", str(tmp_path / "across.csv"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [column["source"] for column in document["columns"]] == [NAME, "other"]
    assert document["columns"][0]["labels"]["edema"]["good"]["mark"] == "best"
    assert (tmp_path / "across.csv").read_text().startswith("Model,")
    assert main([*ask, "--label", "edema"]) == 0
    text = capsys.readouterr().out
    assert "2 grids side by side (Bonferroni)" in text and "not told from it" in text
    assert main([*ask, "--to", str(tmp_path / "across.csv")]) == 2
    assert "--replace" in capsys.readouterr().err
