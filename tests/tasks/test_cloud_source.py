"""A source whose tables, records and models all lie on Cloud Storage: trained on, predicted with, judged, sent to."""

import json
import shutil

import pandas as pd
import pytest
from cloud_storage import Refusing
from record_source import IMAGES, write_source

from cxr_core import storage
from cxr_core.cloud_storage import forget_listings
from cxr_core.errors import StorageError, UsageError
from cxr_core.sources.registry import get_source
from cxr_core.tasks.distribution import distribution
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.sources import report_of
from cxr_core.tasks.training_plan import plan_training, training_defaults

CONFIG = """
[sources.cloudy]
kind        = "local"
synthetic   = true
labels      = ["{bucket}/tables/labels_*.parquet"]
predictions = "{bucket}/tables/{{model}}_predictions.parquet"
models      = "{bucket}/models/{{model}}.h5"
records     = "{bucket}/records/{{dataset}}/{{view}}*"
"""


@pytest.fixture
def cloudy(bucket, workspace, tmp_path):
    """The tiny source, sent to a bucket and gone from this machine."""
    folder = write_source(workspace, views=("frontal",))
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".toml":
            place = f"records/{file.relative_to(folder / 'records')}" if file.suffix == "" else f"tables/{file.name}"
            storage.send(file, f"{bucket}/{place}")
    expected = pd.concat(pd.read_parquet(folder / f"labels_{name}.parquet") for name in IMAGES)
    shutil.rmtree(folder)
    (tmp_path / "cxr.toml").write_text(CONFIG.format(bucket=bucket))
    forget_listings()
    return expected


def test_label_tables_of_a_bucket_are_counted(cloudy):
    counted = distribution("cloudy").set_index(["label", "value", "dataset"])["images"]
    train = cloudy[cloudy["dataset"] == 0]
    assert counted["edema", "uncertain", "train"] == (train["edema"] == 2).sum()
    assert counted.groupby("dataset").sum().to_dict() == {name: 14 * count for name, count in IMAGES.items()}


def test_the_plan_counts_records_of_a_bucket_once(cloudy, bucket, monkeypatch):
    options = {"batch_size": 8, "image_size": 32}
    plan = plan_training("cloudy", type(training_defaults("cloudy"))(**options))
    assert (plan.n_train, plan.n_valid) == (IMAGES["train"], IMAGES["valid"])
    assert plan.files_train[0] == f"{bucket}/records/train/frontal-00000-of-00002"
    monkeypatch.setattr("cxr_core.records.layout.count_records", None)
    from cxr_core.records import layout

    layout._checked_images.cache_clear()
    again = plan_training("cloudy", type(training_defaults("cloudy"))(**options))
    assert again.n_train == plan.n_train, "the count is kept in the workspace"


def test_sources_say_what_was_found_in_the_bucket_and_what_cannot_be_asked(cloudy, bucket, monkeypatch):
    report = report_of("cloudy")
    assert report.labels == [f"{bucket}/tables/labels_{name}.parquet" for name in ("test", "train", "valid")]
    assert report.records["train"] == {"frontal": 2}
    assert len(report.problems) == 1 and "No prediction table matches" in report.problems[0]
    refusing = Refusing(403, "no access")
    monkeypatch.setenv("CXR_GCS_ENDPOINT", refusing.endpoint)
    problems = report_of("cloudy").problems
    refusing.stop()
    assert problems and all("Cloud Storage refused access" in problem for problem in problems)


def test_other_schemes_in_the_configuration_are_refused_in_one_sentence(tmp_path, workspace):
    (tmp_path / "cxr.toml").write_text('[sources.odd]\nkind = "local"\nmodels = "s3://bucket/{model}.h5"\n')
    assert "gs://bucket/folder. Received: 's3://bucket/{model}.h5'" in report_of("odd").problems[0]


def test_logs_and_model_go_to_the_users_folder(cloudy, bucket, monkeypatch):
    monkeypatch.setenv("CXR_ACCOUNT", "ana@lab.org")
    options = type(training_defaults("cloudy"))(
        batch_size=8, image_size=32, save_to=f"{bucket}/out/", tensorboard=f"{bucket}/logs"
    )
    with pytest.raises(UsageError, match="folders that pages may write to"):
        plan_training("cloudy", options)
    monkeypatch.setenv("CXR_OUTPUT_FOLDERS", bucket)
    chosen = plan_training("cloudy", options).options
    assert (chosen.save_to, chosen.tensorboard) == (f"{bucket}/out/ana_lab_org", f"{bucket}/logs/ana_lab_org")
    assert plan_training("cloudy", chosen).options == chosen, "a run that is trained again keeps its folders"


def test_a_bucket_that_cannot_be_written_is_told_before_the_training(cloudy, cxr_process):
    done = cxr_process("train", "--source", "cloudy", "--batch-size", "8", "--save-to", "gs://no-such-bucket/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "gs://no-such-bucket/x" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.tensorflow
@pytest.mark.timeout(500)
@pytest.mark.filterwarnings("ignore:Sending a large body")
def test_train_predict_and_evaluate_with_everything_in_a_bucket(cloudy, bucket, cxr, monkeypatch):
    monkeypatch.setenv("CXR_ACCOUNT", "ana@lab.org")
    size = ("--batch-size", "8", "--image-size", "32", "--epochs", "1", "--architecture", "densenet-small")
    sent = ("--save-to", f"{bucket}/models", "--tensorboard", f"{bucket}/logs")
    done = cxr("train", "--source", "cloudy", *size, *sent, "--name", "mine", "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)["run"]
    forget_listings()
    assert storage.exists(f"{bucket}/models/ana_lab_org/mine.h5")
    assert storage.matching(f"{bucket}/logs/ana_lab_org/{run}/events*")

    shutil.move(get_source("cloudy").model_path("mine"), "mine.h5")
    storage.send(storage.local_copy("mine.h5"), f"{bucket}/models/theirs.h5")
    done = cxr("predict", "--source", "cloudy", "--model", "theirs", "--dataset", "valid", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["images"] == IMAGES["valid"]
    table = get_source("cloudy").predictions_path("theirs")
    storage.send(table, f"{bucket}/tables/far_predictions.parquet")
    forget_listings()
    here, there = evaluate("cloudy", "theirs"), evaluate("cloudy", "far")
    assert there.labels == here.labels
    assert there.labels["edema"].n == (cloudy[cloudy["dataset"] == 1]["edema"] != 2).sum()


def test_a_copy_that_cannot_be_sent_leaves_the_model(tmp_path):
    from cxr_core.errors import RunError
    from cxr_core.tasks.train import _model_is_kept

    kept = tmp_path / "m.h5"
    with (
        pytest.raises(RunError, match=r"kept as .*m\.h5, but .* No network\. Then resume the run\."),
        _model_is_kept(kept),
    ):
        raise StorageError("No network.")
