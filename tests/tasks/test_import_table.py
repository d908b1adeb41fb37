"""Imports as runs: the same result as the command line's, bounds on memory, questions with answers, nothing half written."""

import contextlib
import json
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from huge_files import commas, last_cell_of_a_sheet, long_equal_texts, many_equal_rows, newlines

from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.sources.registry import source_names
from cxr_core.tasks import import_labels as importing
from cxr_core.tasks import uploads
from cxr_core.tasks.import_labels import ImportChoices, import_labels
from cxr_core.tasks.import_table import (
    answer_import,
    open_question,
    start_labels_import,
    start_predictions_import,
    start_readings_import,
)

PATH = "valid/patient{:05d}/study1/view1_frontal.jpg"
LABELS = "Path,Edema\n" + "".join(f"{PATH.format(number)},{number % 2}\n" for number in range(1, 9))

#: Does a command, and prints how many MB it took at most, its exit status, and what it wrote.
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "cxr_core", *sys.argv[1:]], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
print(json.dumps([peak, done.returncode, done.stdout, done.stderr]))
"""


def ended(run):
    return service.wait(run.run, timeout=100)


def labels_of(workspace, source="mine"):
    return pd.read_parquet(workspace / "sources" / source / "labels.parquet")


def many_rows(folder):
    """Rows as they should be, which take more memory than the tests allow."""
    numbers = np.arange(1, 1_000_001)
    frame = pd.DataFrame({"Path": [PATH.format(number) for number in numbers], "Edema": numbers % 2})
    frame.to_csv(folder / "valid.csv", index=False)
    return folder / "valid.csv"


@pytest.mark.slow
def test_labels_predictions_and_readings_that_were_uploaded_are_imported_by_runs(workspace):
    labels = ended(start_labels_import("mine", [("../valid.csv", LABELS.encode())], ImportChoices()))
    assert (labels.status, labels.result["what"], labels.result["written"]) == ("completed", "labels", 8)
    assert labels_of(workspace)["edema"].tolist() == [3 if number % 2 else 1 for number in range(1, 9)]
    runs = [
        start_predictions_import("mine", [("theirs.csv", LABELS.encode())], "theirs", "logit"),
        start_readings_import("mine", [("anna.csv", LABELS.encode())], "panel"),
    ]
    predictions, readings = map(ended, runs)
    assert (predictions.status, predictions.result["written"]) == ("completed", 8)
    assert (readings.status, readings.result["readers"], readings.result["set"]) == ("completed", ["anna"], "panel")
    assert list((workspace / "uploads").iterdir()) == [], "what was uploaded goes when it was read"


def test_a_refused_file_is_the_reason_of_the_run_and_writes_nothing(workspace):
    run = ended(start_labels_import("mine", [("valid.csv", LABELS.replace(",0", ",7").encode())], ImportChoices()))
    assert run.status == "failed"
    assert run.reason.startswith("valid.csv, line 3: Edema must be blank, 0, -1 or 1. Received: '7'.")
    assert source_names() == ["demo"]
    assert list((workspace / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    "start",
    [
        lambda files: start_labels_import("demo", files, ImportChoices()),
        lambda files: start_labels_import("../up", files, ImportChoices()),
        lambda files: start_labels_import("mine", [], ImportChoices()),
        lambda files: start_labels_import("mine", files, ImportChoices(view="sideways")),
        lambda files: start_predictions_import("none", files, "theirs"),
        lambda files: start_predictions_import("demo", files, "../up"),
        lambda files: start_readings_import("demo", files, "../up"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_started_or_kept(workspace, start):
    with pytest.raises(UsageError):
        start([("valid.csv", LABELS.encode())])
    assert service.list_runs() == []
    assert not (workspace / "uploads").exists()


@pytest.mark.slow
def test_small_files_that_are_huge_end_their_runs_with_a_sentence(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_IMPORT_MEMORY", "400000000")
    bombs = (newlines, commas, many_equal_rows, long_equal_texts, last_cell_of_a_sheet)
    runs = [start_labels_import("mine", [bomb(tmp_path)], ImportChoices()) for bomb in bombs]
    for run in map(ended, runs):
        assert run.status == "failed"
        said = ("has more than", "unpacks to more than", "has a row of more than", "needs more than 0.4 GB of memory")
        assert any(words in run.reason for words in said), run.reason
        assert "\n" not in run.reason
    assert source_names() == ["demo"]


@pytest.mark.slow
def test_an_import_that_needs_more_memory_than_it_may_is_given_up_by_run_and_command(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_IMPORT_MEMORY", "200000000")
    file = many_rows(tmp_path)
    run = ended(start_labels_import("mine", [file], ImportChoices()))
    assert run.status == "failed"
    assert run.reason.startswith("The import needs more than 0.2 GB of memory, and was given up; nothing was changed.")
    arguments = ("import", "labels", str(file), "--source", "mine", "--json")
    done = subprocess.run([sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True, check=True)
    peak, *told = json.loads(done.stdout)
    assert told == [2, "", run.reason + "\n"]
    assert peak < 900, "MB, of which the program itself takes some"
    assert source_names() == ["demo"]
    assert file.exists(), "what was not uploaded stays"


@pytest.mark.slow
def test_a_question_ends_the_run_and_an_answer_starts_it_again(workspace):
    table = "Path,Edema,Reader\n" + f"{PATH.format(1)},1,anna\n{PATH.format(1)},0,bea\n{PATH.format(2)},1,bea\n"
    asking = ended(start_labels_import("mine", [("valid.csv", table.encode())], ImportChoices()))
    asked = open_question(asking)
    assert asking.status == "failed" and asked.question in asking.reason
    with pytest.raises(UsageError, match="has no such question"):
        answer_import(asking.run, len(asked.choices))
    words = [choice.words for choice in asked.choices]
    answered = ended(answer_import(asking.run, words.index("what any reader says is there")))
    assert (answered.status, answered.result["written"]) == ("completed", 2), answered.reason
    assert labels_of(workspace)["edema"].tolist() == [3, 3]
    with pytest.raises(UsageError, match="The uploaded files are not there any more. Choose them again."):
        answer_import(asking.run, 0)


@pytest.mark.slow
def test_percentages_are_asked_for_and_the_answer_is_taken(workspace, tmp_path):
    (tmp_path / "valid.csv").write_text(LABELS)
    import_labels("mine", [tmp_path / "valid.csv"], ImportChoices())
    scores = pd.DataFrame({"Path": [PATH.format(number) for number in range(1, 9)], "Edema": range(10, 90, 10)})
    asking = ended(start_predictions_import("mine", [("theirs.csv", scores.to_csv(index=False).encode())], "theirs"))
    assert asking.result["what"] == "predictions"
    answered = ended(answer_import(asking.run, 0))
    assert (answered.status, answered.result["scale"]) == ("completed", "probability")
    table = pd.read_parquet(workspace / "sources/mine/predictions/theirs_predictions.parquet")
    np.testing.assert_allclose(sorted(table["edema"]), np.arange(0.1, 0.9, 0.1))


def test_two_imports_into_one_source_at_once_lose_nothing(workspace, tmp_path, monkeypatch):
    """Both would read the table before either writes it, if they could."""
    both, present = threading.Barrier(2), importing._present

    def present_for_both(table):
        found = present(table)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(timeout=1)
        return found

    monkeypatch.setattr(importing, "_present", present_for_both)
    threads = []
    for number in (1, 2):
        file = tmp_path / str(number) / "valid.csv"
        file.parent.mkdir()
        file.write_text(f"Path,Edema\n{PATH.format(number)},1\n")
        threads.append(threading.Thread(target=import_labels, args=("mine", [file], ImportChoices())))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(labels_of(workspace)["path"]) == [PATH.format(1), PATH.format(2)]


def test_uploads_of_imports_that_were_killed_go_and_those_of_others_stay(workspace, monkeypatch):
    for name in ("killed", "working"):
        uploads.placed([("valid.csv", b"x")], uploads.folder_of(name))
    monkeypatch.setattr("cxr_core.tasks.uploads.time.time", lambda: 1e11)
    uploads.sweep({"working"})
    assert [folder.name for folder in (workspace / "uploads").iterdir()] == ["working"]


@pytest.mark.parametrize("name", ["../../up.csv", "..", "", "a\\b\\up.csv", "/etc/up.csv", "x\0y.csv", "u" * 300])
def test_the_name_of_an_upload_leads_nowhere_else(tmp_path, name):
    (path, again) = uploads.placed([(name, b"1"), (name, b"2")], tmp_path / "here")
    assert path != again and path.read_bytes() == b"1" and again.read_bytes() == b"2"
    assert path.parent.parent == tmp_path / "here"
