"""Building the demo source."""

import errno
import io
import os
import shutil
import subprocess
import sys
import tomllib

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from cxr_core.errors import CxrError
from cxr_core.records.example import decode
from cxr_core.records.tfrecord import read_payloads
from cxr_core.schema import DATASETS, LABELS, TRAINING_VIEWS, Dataset, View, image_path
from cxr_core.sources import demo, demo_images
from cxr_core.sources.demo import build_demo

TINY = (12, 6, 6)
EXTRA = ["age", "sex", "position"]


def silent(_share, _message):
    pass


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources") / "demo"
    build_demo(folder, silent, seed=3, studies=TINY)
    return folder


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def records_of(folder):
    files = sorted((folder / "records").rglob("*-of-*"))
    return {file: [decode(payload, str(file)) for payload in read_payloads(file)] for file in files}


def labels_of(folder):
    return pd.concat([pd.read_parquet(folder / f"labels_{dataset}.parquet") for dataset in DATASETS])


def test_the_same_seed_gives_the_same_bytes(built, tmp_path):
    build_demo(tmp_path / "again", silent, seed=3, studies=TINY)
    assert contents(tmp_path / "again") == contents(built)


def test_several_processes_draw_what_one_draws(built, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_images, "CHUNK", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    build_demo(tmp_path / "again", silent, seed=3, studies=TINY)
    assert contents(tmp_path / "again") == contents(built)


def test_a_label_table_has_the_columns_of_the_contract(built):
    table = pd.read_parquet(built / "labels_valid.parquet")
    assert list(table.columns) == ["path", "patient", "study", "image", "view", "dataset", *LABELS, *EXTRA]
    assert (table[[*LABELS, "patient", "study", "image", "view", "dataset", "age"]].dtypes == "int64").all()
    assert set(table.sex) <= {"F", "M"}
    assert set(table.position) <= {"AP", "PA", "LL"}
    assert (table.dataset == Dataset.valid).all()


def test_paths_follow_the_pattern(built):
    for row in labels_of(built).itertuples():
        view, dataset = View(row.view).name, Dataset(row.dataset).name
        assert row.path == image_path(dataset, row.patient, row.study, row.image, view)


def test_the_truth_is_kept_for_every_image(built):
    truth = pd.read_parquet(built / "truth.parquet")
    assert list(truth.columns) == ["path", *LABELS]
    assert set(truth.path) == set(labels_of(built).path)
    assert truth[list(LABELS)].isin([0, 1]).all(axis=None)


def test_records_hold_each_image_of_the_training_views_once_with_its_labels(built):
    table = labels_of(built).set_index("path")
    found = [record for records in records_of(built).values() for record in records]
    wanted = table[table.view.isin([View[name] for name in TRAINING_VIEWS])]
    assert sorted(record.path for record in found) == sorted(wanted.index)
    for record in found:
        row = table.loc[record.path]
        assert record.labels == {label: row[label] for label in LABELS}
        assert record.keys == {key: row[key] for key in ("patient", "study", "image", "view", "dataset")}


def test_records_lie_by_data_set_and_view(built):
    for file, records in records_of(built).items():
        assert all(Dataset(record.keys["dataset"]).name == file.parent.name for record in records)
        assert all(View(record.keys["view"]).name == file.name.split("-")[0] for record in records)


def test_record_images_are_gray_jpegs_of_320_pixels(built):
    for records in records_of(built).values():
        with Image.open(io.BytesIO(records[0].jpg)) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (320, 320), "L")
            assert np.asarray(image).std() > 20


def test_records_are_not_sorted_by_patient(built):
    shards = [records for file, records in records_of(built).items() if file.parent.name == "train"]
    patients = [[record.keys["patient"] for record in shard] for shard in shards]
    assert any(shard != sorted(shard) for shard in patients)


def test_the_source_file_names_what_lies_beside_it(built):
    source = tomllib.loads((built / "source.toml").read_text())
    assert source["kind"] == "local"
    assert all((built / name).is_file() for name in [*source["labels"], source["truth"]])
    for dataset in DATASETS:
        for view in TRAINING_VIEWS:
            assert list(built.glob(source["records"].format(dataset=dataset, view=view)))


def test_a_second_build_changes_nothing(built):
    before = {file: file.stat().st_mtime_ns for file in built.rglob("*")}
    build_demo(built, silent, seed=3, studies=TINY)
    assert {file: file.stat().st_mtime_ns for file in built.rglob("*")} == before


def test_progress_rises_to_one(tmp_path):
    shares = []
    build_demo(tmp_path / "demo", lambda share, _: shares.append(share), seed=3, studies=(2, 1, 1))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_build_that_is_stopped_leaves_nothing_behind(tmp_path):
    def stop(share, _message):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_demo(tmp_path / "demo", stop, seed=3, studies=TINY)
    assert [file.name for file in tmp_path.iterdir()] == [".demo.lock"]


def test_the_remains_of_a_killed_build_are_cleared_away(tmp_path):
    (tmp_path / ".demo.building-x7").mkdir()
    build_demo(tmp_path / "demo", silent, seed=3, studies=(2, 1, 1))
    assert sorted(file.name for file in tmp_path.iterdir()) == [".demo.lock", "demo"]


def test_too_little_space_is_said_before_anything_is_drawn(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(CxrError, match="free disk space"):
        build_demo(tmp_path / "demo", silent, seed=3, studies=TINY)
    assert [file.name for file in tmp_path.iterdir()] == [".demo.lock"]


def test_a_full_disk_is_one_clear_sentence_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(demo, "write_shards", full)
    with pytest.raises(CxrError, match="disk is full"):
        build_demo(tmp_path / "demo", silent, seed=3, studies=(2, 1, 1))
    assert [file.name for file in tmp_path.iterdir()] == [".demo.lock"]


def test_a_killed_build_takes_its_workers_along_and_leaves_no_source(tmp_path):
    script = (
        "import os, sys, pathlib; from cxr_core.sources import demo; os.sched_getaffinity = lambda _: {0, 1};"
        "demo.build_demo(pathlib.Path(sys.argv[1]), lambda share, _: print(share, flush=True), 3, (400, 10, 10))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as build:
        while float(build.stdout.readline()) == 0.0:
            pass
        workers = psutil.Process(build.pid).children(recursive=True)
        build.kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert len(workers) >= 2
    assert not alive
    assert not (tmp_path / "demo").exists()


def test_a_rebuild_keeps_the_models_and_predictions_of_others(tmp_path):
    folder = tmp_path / "demo"
    build_demo(folder, silent, seed=3, studies=(2, 1, 1))
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "mine.h5").write_bytes(b"weights")
    build_demo(folder, silent, seed=4, studies=(2, 1, 1))
    assert (folder / "models" / "mine.h5").read_bytes() == b"weights"
    assert "seed 4" in (folder / "source.toml").read_text()
    assert sorted(file.name for file in tmp_path.iterdir()) == [".demo.lock", "demo"]


def test_shipped_files_come_with_the_default_demo_only(tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    (shipped / "models").mkdir(parents=True)
    (shipped / "models" / "some.h5").write_bytes(b"weights")
    monkeypatch.setattr(demo, "SHIPPED", shipped)
    monkeypatch.setattr(demo, "STUDIES", (2, 1, 1))
    build_demo(tmp_path / "default", silent, studies=(2, 1, 1))
    build_demo(tmp_path / "another", silent, seed=4, studies=(2, 1, 1))
    assert (tmp_path / "default" / "models" / "some.h5").read_bytes() == b"weights"
    assert not (tmp_path / "another" / "models").exists()
