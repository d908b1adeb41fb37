"""The section "Connect BigQuery" of docs/bigquery.md, followed word for word against the server and the emulator of the tests."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bigquery_server import BigQueryServer
from cloud_storage import Emulator

from cxr_core import storage
from cxr_core.cloud_storage import forget_listings
from cxr_core.locations import SCHEME
from cxr_core.schema import KEY_COLUMNS, LABELS

PAGE = (Path(__file__).parents[1] / "docs" / "bigquery.md").read_text()
SECTION = PAGE.split("## Connect BigQuery\n")[1].split("\n## ")[0]
(CONFIG,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
SOURCE = tomllib.loads(CONFIG)["sources"]["mimic-cxr"]
MODEL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def rows():
    """Labels of 120 frontal and 40 lateral images of train and of valid, two images a patient."""
    rng = np.random.default_rng(3)
    keys = [
        {"dataset": dataset, "view": view, "patient": 1000 * dataset + number // 2, "study": 1, "image": 1 + number % 2}
        for dataset in (0, 1)
        for view, images in ((0, 120), (1, 40))
        for number in range(images)
    ]
    frame = pd.DataFrame(keys)
    frame["path"] = [f"{'train' if row.dataset == 0 else 'valid'}/{place}.jpg" for place, row in frame.iterrows()]
    return frame.assign(**{label: rng.choice(4, len(frame), p=[0.4, 0.15, 0.15, 0.3]) for label in LABELS})


@pytest.fixture
def google(rows, tmp_path, monkeypatch):
    """The tables, models and records that the section names, on this machine."""
    rng = np.random.default_rng(4)
    of_set = {"train": rows[rows["dataset"] == 0], "valid": rows[rows["dataset"] == 1]}
    tables = {name: of_set[name.rpartition("_")[2]] for name in SOURCE["labels"]}
    keys = list(KEY_COLUMNS)
    frontal = of_set["valid"][of_set["valid"]["view"] == 0]
    scores = {label: (frontal[label] == 3) + rng.normal(size=len(frontal)) for label in LABELS}
    tables[SOURCE["predictions"].format(model=MODEL)] = frontal[keys].assign(**scores)
    emulator = Emulator(SOURCE["models"].removeprefix(SCHEME).partition("/")[0])
    monkeypatch.setenv("CXR_GCS_ENDPOINT", emulator.endpoint)
    (tmp_path / "file").write_text("listed, not read")
    storage.send(tmp_path / "file", SOURCE["models"].format(model=MODEL))
    for dataset in ("train", "valid"):
        place = SOURCE["records"].replace("*", "-00000-of-00001").format(dataset=dataset, view="frontal")
        storage.send(tmp_path / "file", place)
    with BigQueryServer(tables) as server:
        monkeypatch.setenv("CXR_BIGQUERY_ENDPOINT", server.endpoint)
        (tmp_path / "cxr.toml").write_text(CONFIG)
        yield server
    forget_listings()
    emulator.stop()


def run(cxr, line):
    program, *arguments = shlex.split(line)
    assert program == "cxr"
    done = cxr(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def test_the_section_works_word_for_word(google, rows, cxr):
    sources, distribution, models, evaluate = COMMANDS.strip().splitlines()
    report = next(report for report in run(cxr, sources) if report["source"] == "mimic-cxr")
    assert report["problems"] == []
    assert (report["labels"], report["predictions"], report["models"]) == (SOURCE["labels"], [MODEL], [MODEL])
    assert report["records"] == {"train": {"frontal": 1}, "valid": {"frontal": 1}}

    frontal = rows[rows["view"] == 0]
    counted = run(cxr, distribution)
    assert len(counted) == 14 * 4 * 2
    for row in counted:
        value = ("not_mentioned", "negative", "uncertain", "positive").index(row["value"])
        of_set = frontal[frontal["dataset"] == ("train", "valid").index(row["dataset"])]
        assert row["images"] == (of_set[row["label"]] == value).sum(), row

    (listed,) = run(cxr, models)
    assert (listed["name"], listed["weights"]) == (MODEL, SOURCE["models"].format(model=MODEL))
    judged = run(cxr, evaluate)["labels"]
    valid = frontal[frontal["dataset"] == 1]
    assert {label: judged[label]["n"] for label in LABELS} == {name: (valid[name] != 2).sum() for name in LABELS}
    assert all(statement.labels["app"] == "cxr-lab" for statement in google.statements)


def test_the_example_file_has_the_sections_source():
    example = (Path(__file__).parents[1] / "cxr.example.toml").read_text()
    block = example.split("# [sources.mimic-cxr]")[1].split("\n\n")[0]
    source = tomllib.loads("\n".join(line.removeprefix("# ") for line in block.splitlines()))
    assert source.items() >= SOURCE.items()
