"""How a source stands changes with everything that its answers come from, and with nothing else."""

import numpy as np
import pandas as pd
import pytest

from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.models import models
from cxr_core.tasks.state import source_state
from cxr_core.training.weights_file import ModelInfo, write_layers
from cxr_core.uncertainty import named_policy
from cxr_core.warehouse.parquet import write_table, write_truth

SOURCE = '[sources.mine]\nkind = "local"\nlabels = "labels.parquet"\ntruth = "truth.parquet"\n'


@pytest.fixture
def folder(tmp_path):
    """A source with labels, truth, two models' predictions and one model's weights."""
    (tmp_path / "cxr.toml").write_text(
        f'{SOURCE}predictions = "{{model}}_predictions.parquet"\nmodels = "{{model}}.h5"\n'
    )
    keys = pd.DataFrame({"path": list("abc"), "patient": 1, "study": 1, "image": [1, 2, 3], "view": 0, "dataset": 1})
    write_table(tmp_path / "labels.parquet", keys.assign(**dict.fromkeys(LABELS, 0)))
    write_truth(tmp_path / "truth.parquet", keys[["path"]].assign(**dict.fromkeys(LABELS, 0)))
    for name in ("one", "two"):
        write_table(tmp_path / f"{name}_predictions.parquet", keys.assign(edema=0.0), "logit")
    save(tmp_path / "one.h5", "positive")
    return tmp_path


def save(path, policy):
    info = ModelInfo(
        architecture="densenet-small", image_size=96, view="frontal", policy=named_policy(policy).as_dict()
    )
    write_layers([("a", [("kernel", np.zeros(3, np.float32))])], path, info)


def rewrite(path, content=None):
    """Write a file into itself: with the same bytes, its inode and size stay."""
    content = path.read_bytes() if content is None else content
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


@pytest.mark.parametrize(
    ("file", "of", "changes"),
    [
        ("labels.parquet", ("one",), True),
        ("truth.parquet", ("one",), True),
        ("one_predictions.parquet", ("one",), True),
        ("two_predictions.parquet", ("one",), False),
        ("two_predictions.parquet", ("two", "one"), True),
        ("two_predictions.parquet", None, True),
        ("one.h5", ("one",), False),
        ("one.h5", None, True),
        ("cxr.toml", ("one",), False),
    ],
)
def test_a_file_written_in_place_counts_where_the_answer_comes_from_it(folder, file, of, changes):
    before = source_state("mine", of)
    rewrite(folder / file)
    assert (source_state("mine", of).stamp != before.stamp) is changes


def test_a_setting_a_definition_a_refresh_and_a_new_table_count(folder, monkeypatch):
    seen = {source_state("mine", ["new"]).stamp}
    monkeypatch.setenv("CXR_RESAMPLES", "500")
    seen.add(source_state("mine", ["new"]).stamp)
    (folder / "cxr.toml").write_text((folder / "cxr.toml").read_text() + "synthetic = true\n")
    seen.add(source_state("mine", ["new"]).stamp)
    get_source("mine").warehouse().refresh()
    seen.add(source_state("mine", ["new"]).stamp)
    rewrite_as = (folder / "one_predictions.parquet").read_bytes()
    (folder / "new_predictions.parquet").write_bytes(rewrite_as)
    seen.add(source_state("mine", ["new"]).stamp)
    assert len(seen) == 5


def test_the_newest_table_says_as_of_when(folder):
    state = source_state("mine", ["one"])
    assert state.unchecked == ()
    newest = max((folder / name).stat().st_mtime for name in ("labels.parquet", "one_predictions.parquet"))
    assert state.changed == pytest.approx(newest, abs=1e-3)


def test_a_model_file_written_in_place_is_read_anew(folder, tmp_path):
    assert next(entry for entry in models("mine") if entry.name == "one").policy == "positive"
    save(tmp_path / "other.h6", "negative")
    rewrite(folder / "one.h5", (tmp_path / "other.h6").read_bytes())
    assert next(entry for entry in models("mine") if entry.name == "one").policy == "negative"
