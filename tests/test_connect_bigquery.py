"""The README's section "Connect BigQuery", followed word for word against the server and the emulator of the tests."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from bigquery_server import BigQueryServer
from cloud_storage import Emulator

from cxr_core import storage
from cxr_core.schema import LABELS

README = (Path(__file__).parents[1] / "README.md").read_text()
SECTION = README.split("### Connect BigQuery\n")[1].split("\n### ")[0]
(CONFIG,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
SOURCE = tomllib.loads(CONFIG)["sources"]["mimic-cxr"]
MODEL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def google(demo, tmp_path, monkeypatch):
    """The tables, models and records that the section names, with the content of the demo; returns its folder."""
    folder = demo / "sources" / "demo"
    tables = {name: folder / f"labels_{name.rpartition('_')[2]}.parquet" for name in SOURCE["labels"]}
    tables[SOURCE["predictions"].format(model=MODEL)] = folder / "predictions" / f"{MODEL}_predictions.parquet"
    bucket = SOURCE["models"].removeprefix(storage.SCHEME).partition("/")[0]
    emulator = Emulator(bucket)
    monkeypatch.setenv("CXR_GCS_ENDPOINT", emulator.endpoint)
    storage.send(folder / "truth.parquet", SOURCE["models"].format(model=MODEL))
    for dataset in ("train", "valid"):
        shard = next((folder / "records" / dataset).glob("frontal-*"))
        place = SOURCE["records"].replace("*", "-00000-of-00001").format(dataset=dataset, view="frontal")
        storage.send(shard, place)
    with BigQueryServer(tables) as server:
        monkeypatch.setenv("CXR_BIGQUERY_ENDPOINT", server.endpoint)
        monkeypatch.setenv("CXR_HOME", str(tmp_path / "own"))
        (tmp_path / "cxr.toml").write_text(CONFIG)
        yield folder
    emulator.stop()


def run(cxr, line):
    program, arguments = shlex.split(line)[:3], shlex.split(line)[3:]
    assert program == ["python", "-m", "cxr_core"]
    done = cxr(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


@pytest.mark.filterwarnings("ignore:Sending a large body")
def test_the_section_works_word_for_word(google, cxr):
    sources, distribution, models, evaluate = COMMANDS.strip().splitlines()
    report = next(report for report in run(cxr, sources) if report["source"] == "mimic-cxr")
    assert report["problems"] == []
    assert (report["labels"], report["predictions"], report["models"]) == (SOURCE["labels"], [MODEL], [MODEL])
    assert report["records"] == {"train": {"frontal": 1}, "valid": {"frontal": 1}}

    rows = pd.concat(pd.read_parquet(google / f"labels_{name}.parquet") for name in ("train", "valid"))
    frontal = rows[rows["view"] == 0]
    for row in run(cxr, distribution):
        value = ("not_mentioned", "negative", "uncertain", "positive").index(row["value"])
        of_set = frontal[frontal["dataset"] == ("train", "valid").index(row["dataset"])]
        assert row["images"] == (of_set[row["label"]] == value).sum(), row

    (listed,) = run(cxr, models)
    assert (listed["name"], listed["weights"]) == (MODEL, SOURCE["models"].format(model=MODEL))
    judged = run(cxr, evaluate)["labels"]
    valid = frontal[frontal["dataset"] == 1]
    assert {label: judged[label]["n"] for label in LABELS} == {l: (valid[l] != 2).sum() for l in LABELS}  # noqa: E741


def test_the_example_file_has_the_sections_source():
    example = (Path(__file__).parents[1] / "cxr.example.toml").read_text()
    commented = "\n".join(line.removeprefix("# ") for line in example.splitlines())
    assert tomllib.loads(commented)["sources"]["mimic-cxr"].items() >= SOURCE.items()
