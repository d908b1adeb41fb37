import hashlib
import json
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source

from cxr_core.tasks.evaluate import joined_predictions
from cxr_core.tasks.grid import model_grid
from cxr_core.tasks.provenance import command_line, provenance, rows_digest, software


@pytest.fixture
def frontal(workspace, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    frame = of_view(write_source(workspace), "frontal")
    for seed, model in enumerate("abc"):
        write_predictions(workspace, model, scores_for(frame, seed))
    return frame


def test_the_digest_is_that_of_paths_and_numbers_whatever_the_order():
    rows = pd.DataFrame({"path": ["b", "a"], "true_edema": [3, 0], "predicted_edema": [0.5, -1.0], "patient": [1, 2]})
    numbers = b"predicted_edema" + np.array([-1.0, 0.5]).tobytes() + b"true_edema" + np.array([0.0, 3.0]).tobytes()
    assert rows_digest(rows) == hashlib.sha256(b"a\nb" + numbers).hexdigest()[:16]
    assert rows_digest(rows.iloc[::-1]) == rows_digest(rows)
    assert rows_digest(rows.assign(predicted_edema=[0.5, -1.1])) != rows_digest(rows)


def test_a_changed_prediction_changes_the_digest_of_its_model_alone(frontal, workspace):
    before = provenance(NAME, "abc", "valid", None, []).data
    scores = scores_for(frontal, 0)
    scores.loc[scores["path"] == joined_predictions(NAME, "a", "valid", None).frame["path"].iloc[0], "edema"] += 0.1
    write_predictions(workspace, "a", scores)
    after = provenance(NAME, "abc", "valid", None, []).data
    assert [model for model in "abc" if before[model] != after[model]] == ["a"]


def test_it_names_the_software():
    versions = software()
    assert versions["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions["numpy"] == np.__version__
    assert {"cxr-lab", "scikit-learn", "scipy", "pandas"} <= set(versions)


def test_a_command_names_the_settings_that_are_not_the_usual_and_quotes(monkeypatch):
    assert command_line(["evaluate", "a b"]) == "python -m cxr_core evaluate 'a b'"
    monkeypatch.setenv("CXR_RESAMPLES", "300")
    assert command_line(["evaluate", "a"]) == "CXR_RESAMPLES=300 python -m cxr_core evaluate a"


@pytest.mark.slow
def test_the_command_gives_the_same_figures(frontal, workspace):
    wanted = json.loads(json.dumps(model_grid(NAME, ["a", "b", "c"], "valid", "frontal").as_json()))
    (command,) = provenance(NAME, "abc", "valid", "frontal", [["compare", "a", "b", "c", "--grid", "roc_auc"]]).commands
    assert command.startswith("CXR_RESAMPLES=100 python -m cxr_core compare a b c --grid roc_auc --source")
    arguments = shlex.split(command)[2:]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == wanted
