import json
import re
import shutil
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from record_source import IMAGES, NAME, record, write_source

from cxr_core.errors import ExistsError, ModelFileError, RecordError, UnknownNameError, UsageError
from cxr_core.records.example import encode
from cxr_core.records.tfrecord import write_records
from cxr_core.runs import service
from cxr_core.runs.lanes import Need
from cxr_core.runs.step import Cancelled
from cxr_core.schema import NAME_PATTERN
from cxr_core.sources.registry import get_source
from cxr_core.tasks import train as task
from cxr_core.tasks.train import start_training
from cxr_core.tasks.training_plan import plan_training, training_defaults
from cxr_core.training import probe
from cxr_core.training.weights_file import ModelInfo, read_info, write_layers
from cxr_core.uncertainty import Policy, named_policy, uniform_policy


@pytest.fixture
def source(workspace):
    return write_source(workspace)


@pytest.fixture
def no_process(monkeypatch):
    """Keep submitted runs from being started, and return them."""
    submitted = []

    def submit(kind, name, source, config, device=None, resumable=False, run_id=None, parent=None, need=None):
        run = SimpleNamespace(kind=kind, name=name, config=config, device=device, run=run_id, need=need)
        submitted.append(run)
        return submitted[-1]

    monkeypatch.setattr(service, "submit", submit)
    return submitted


def options(**chosen):
    return replace(training_defaults(NAME), **({"batch_size": 8, "image_size": 32} | chosen))


def model_file(path, run="", architecture="densenet-small"):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_layers([], path, ModelInfo(architecture, 32, "frontal", named_policy("hybrid").as_dict(), run=run))
    return path


def test_the_plan_counts_images_and_steps(source):
    plan = plan_training(NAME, options(epochs=3))
    assert (plan.n_train, plan.n_valid, plan.steps_per_epoch, plan.steps) == (IMAGES["train"], IMAGES["valid"], 3, 9)
    assert [Path(file).name for file in plan.files_train] == ["frontal-00000-of-00002", "frontal-00001-of-00002"]
    assert plan.seconds > 0
    assert "24 training images in 2 files" in plan.checks[0].text
    assert all(check.passed for check in plan.checks)


def test_a_last_partial_batch_is_no_step(source):
    assert plan_training(NAME, options(batch_size=9)).steps_per_epoch == 2


def test_records_without_a_data_set_in_their_pattern_are_the_training_records(source, tmp_path, monkeypatch):
    shutil.copytree(source / "records" / "test", tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    plan = plan_training(NAME, options(records="mine/{view}*", batch_size=2))
    assert plan.options.records == str(tmp_path / "mine" / "{view}*")
    assert {Path(file).parent for file in plan.files_train} == {tmp_path / "mine"}
    assert {Path(file).parent for file in plan.files_valid} == {source / "records" / "valid"}
    both = plan_training(NAME, options(records=f"{source}/records/{{dataset}}/lateral*", view="lateral"))
    assert {Path(file).parent.name for file in both.files_valid} == {"valid"}


def test_a_seed_is_drawn_anew_for_each_form_and_stored_with_the_run(source, no_process):
    assert len({training_defaults(NAME).seed for _ in range(20)}) > 15
    run = start_training(NAME, options(seed=7))
    assert run.config["options"]["seed"] == 7


def test_the_default_name_tells_the_model_and_ends_like_the_run(source, no_process):
    run = start_training(NAME, options(view="lateral", policy=uniform_policy(0.4, 0.75)))
    assert run.name == f"densenet-small_lateral_u0_4__w0_75-{run.run[-6:]}"
    assert NAME_PATTERN.fullmatch(run.name)
    assert run.config["options"]["name"] == run.name
    assert (run.kind, run.device) == ("train", "cpu")


def test_the_policy_is_stored_with_the_run_and_names_the_model(source, no_process):
    policy = Policy("mine", tuple(place / 20 for place in range(14)), (0.5,) * 14)
    run = start_training(NAME, options(policy=policy))
    assert run.config["options"]["policy"] == policy.as_dict()
    assert f"policy_{policy.digest}" in run.name
    hybrid = start_training(NAME, options(policy=uniform_policy(0.5, 0.25)))
    assert hybrid.config["options"]["policy"]["name"] == "hybrid"


def cut_in_half(source):
    file = source / "records" / "valid" / "frontal-00001-of-00002"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def wrong_size(source):
    write_records(
        source / "records" / "train" / "frontal-00000-of-00002", [encode(record("train", "frontal", 1, size=224))]
    )


def lateral_as_frontal(source):
    for file in (source / "records" / "valid").glob("frontal*"):
        shutil.copy(file.with_name(file.name.replace("frontal", "lateral")), file)


def no_valid_records(source):
    shutil.rmtree(source / "records" / "valid")


@pytest.mark.parametrize(
    ("chosen", "damage", "error", "sentence"),
    [
        ({"view": "sideways"}, None, UnknownNameError, "Unknown view 'sideways'"),
        ({"batch_size": -1}, None, UsageError, "batch size must be a whole number from 1"),
        ({"save_to": "/etc/models"}, None, UsageError, "must lie in one of the folders that pages may write to"),
        ({"tensorboard": "../../boards"}, None, UsageError, "TensorBoard folder must lie in one of"),
        ({"save_to": ["a"]}, None, UsageError, "save to must be a text"),
        ({"policy": ["ignore"]}, None, UsageError, "A policy needs a name"),
        ({"batch_size": 25}, None, UsageError, "must not be larger than the 24 training images"),
        ({"records": "/nowhere/{view}*"}, None, UsageError, "No TFRecords match /nowhere/frontal"),
        ({"init_from": "nobody"}, None, UnknownNameError, "Unknown model with weights 'nobody'"),
        ({"save_to": "gs://bucket/models"}, None, UsageError, "must lie in one of the folders that pages may write to"),
        ({}, cut_in_half, RecordError, "frontal-00001-of-00002 is cut off in record"),
        ({}, wrong_size, RecordError, "holds a JPEG of 224x224x1"),
        ({}, lateral_as_frontal, RecordError, "is a lateral view, but frontal was chosen"),
        ({}, no_valid_records, UsageError, "No TFRecords match .*valid"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence_and_makes_no_run(source, chosen, damage, error, sentence):
    if damage:
        damage(source)
    with pytest.raises(error, match=sentence):
        start_training(NAME, options(**chosen))
    assert service.list_runs() == []


def test_an_unknown_source_is_refused(source):
    with pytest.raises(UnknownNameError, match="Unknown source 'nope'"):
        start_training("nope", options())


def test_an_accelerator_that_is_known_to_be_missing_is_refused(source, monkeypatch):
    known = [probe.Accelerator("gpu", False, "This machine has no NVIDIA GPU.")]
    monkeypatch.setattr(probe, "_ask", lambda: known)
    with pytest.raises(UsageError, match="gpu cannot be used: This machine has no NVIDIA GPU"):
        start_training(NAME, options(accelerator="gpu"))
    with pytest.raises(UsageError, match="gpu cannot be used"):  # now from what is known, without asking
        plan_training(NAME, options(accelerator="gpu"))


def test_the_gpu_that_was_chosen_is_the_one_that_the_run_needs(source, no_process, monkeypatch):
    monkeypatch.setattr(probe, "_ask", lambda: [probe.Accelerator("gpu", True, "", ("gpu:0", "gpu:1"))])
    assert start_training(NAME, options(accelerator="gpu")).need == Need(("gpu:0", "gpu:1"))
    run = start_training(NAME, options(accelerator="gpu", device="gpu:1"))
    assert (run.need, run.device, run.config["options"]["device"]) == (Need(("gpu:1",)), "gpu", "gpu:1")
    with pytest.raises(UnknownNameError, match="Unknown device 'gpu:2'"):
        plan_training(NAME, options(accelerator="gpu", device="gpu:2"))


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, None),
        ({"xla": "on"}, "with XLA, the last digits may differ"),
        ({"accelerator": "gpu"}, "on a CPU or with --deterministic, without XLA"),
        ({"accelerator": "gpu", "deterministic": True}, None),
        ({"accelerator": "multi-gpu"}, "on the accelerator multi-gpu, the last digits may differ"),
    ],
)
def test_where_the_same_bits_are_not_promised_the_plan_says_so(source, chosen, said):
    told = [check.text for check in plan_training(NAME, options(**chosen)).checks if "the same bits" in check.text]
    assert [said in text for text in told] == ([] if said is None else [True])


def test_a_remote_tpu_is_not_given_records_of_this_machine(source, monkeypatch):
    monkeypatch.setenv("TPU_NAME", "mine")
    with pytest.raises(UsageError, match=r"must lie on gs://\. Received: /.*frontal-"):
        plan_training(NAME, options(accelerator="tpu"))


def test_a_disk_that_is_too_full_is_told_before_the_start(source, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    with pytest.raises(UsageError, match="needs about .* of disk .* where 1 MB are free"):
        plan_training(NAME, options())


def test_a_name_that_is_taken_is_refused(source, no_process, tmp_path):
    model_file(source / "models" / "mine.h5")
    with pytest.raises(ExistsError, match="already has a model mine"):
        start_training(NAME, options(), name="mine")
    model_file(tmp_path / "kept" / "other.h5")
    with pytest.raises(ExistsError, match=r"other\.h5 exists already"):
        start_training(NAME, options(save_to=str(tmp_path / "kept")), name="other")
    with pytest.raises(UsageError, match="A model name must be"):
        start_training(NAME, options(), name="../mine")


@pytest.mark.parametrize("option", ["save_to", "tensorboard"])
def test_a_folder_that_cannot_be_written_to_is_told_before_the_start(source, no_process, tmp_path, option):
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing")):
        with pytest.raises(UsageError, match=f"{folder} must be a folder to write to"):
            start_training(NAME, options(**{option: str(folder)}), confined=False)
    start_training(NAME, options(**{option: str(tmp_path / "new" / "folder")}))
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_training_from_a_model_needs_its_architecture(source):
    model_file(source / "models" / "big.h5", architecture="densenet121")
    with pytest.raises(UsageError, match="needs --architecture densenet121"):
        plan_training(NAME, options(init_from="big"))


def test_three_channels_do_not_start_from_a_model_of_one(source):
    model_file(source / "models" / "grey.h5")
    with pytest.raises(UsageError, match=r"sees 1 channel, so training from it needs --channels 1\. Received: 3"):
        plan_training(NAME, options(init_from="grey", channels=3))


@pytest.mark.parametrize("start", ["big.h5", "./big.h5", "{tmp}/big.h5"])
def test_training_may_start_from_a_file_of_the_same_network(source, no_process, tmp_path, start):
    model_file(tmp_path / "big.h5")
    run = start_training(NAME, options(init_from=start.format(tmp=tmp_path)))
    assert run.config["options"]["init_from"] == str(tmp_path / "big.h5")
    model_file(tmp_path / "big.h5", architecture="densenet121")
    with pytest.raises(UsageError, match="needs --architecture densenet121"):
        plan_training(NAME, options(init_from=start.format(tmp=tmp_path)))


@pytest.mark.parametrize(
    ("start", "sentence"),
    [("absent.h5", "absent.h5 does not exist"), ("text.keras", "is no HDF5 file"), ("/etc/hostname", "is no HDF5")],
)
def test_a_file_that_is_no_model_is_refused_in_a_sentence(source, tmp_path, start, sentence):
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(ModelFileError, match=sentence):
        plan_training(NAME, options(init_from=start))


@pytest.fixture
def loop(monkeypatch):
    """Stand in for the training loop, which loads TensorFlow."""
    module = ModuleType("cxr_core.training.loop")
    module.calls = []
    module.status = "completed"

    def train(options, files_train, files_valid, run, initial_weights, images):
        module.calls.append((options, files_train, files_valid, initial_weights))
        assert images == IMAGES["train"]
        best = model_file(run.folder / "best.h5", run=run.run)
        best.with_suffix(".keras").write_bytes(b"for Keras 3")
        return SimpleNamespace(
            status=module.status,
            best_model=best,
            last_model=best,
            epochs=2,
            best_epoch=1,
            best_val_auc=0.7,
            stopped_early=False,
            started_from="8 of 8 tensors taken" if initial_weights else "",
        )

    module.train = train
    monkeypatch.setitem(sys.modules, "cxr_core.training.loop", module)
    monkeypatch.setattr(task, "import_tensorflow", lambda: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "all")
    return module


def context_of(run, tmp_path):
    folder = tmp_path / "run-folder"
    folder.mkdir(exist_ok=True)
    results = []
    return SimpleNamespace(
        run=run.run,
        name=run.name,
        source=NAME,
        config=run.config,
        folder=folder,
        result=results.append,
        results=results,
    )


def test_the_model_of_the_run_becomes_one_of_the_source_and_is_copied(source, no_process, loop, tmp_path):
    model_file(source / "models" / "start.h5")
    run = start_training(NAME, options(save_to=str(tmp_path / "copies"), init_from="start"), name="mine")
    context = context_of(run, tmp_path)
    task.work(context)
    assert read_info(get_source(NAME).model_path("mine")).run == run.run
    assert (tmp_path / "copies" / "mine.h5").read_bytes() == (source / "models" / "mine.h5").read_bytes()
    assert (tmp_path / "copies" / "mine.keras").read_bytes() == b"for Keras 3"
    assert context.results[0]["model"] == "mine"
    assert context.results[0]["val_auc"] == 0.7
    assert context.results[0]["start_weights"] == "8 of 8 tensors taken"
    trained, files_train, _, initial = loop.calls[0]
    assert (trained.name, initial) == ("mine", source / "models" / "start.h5")
    assert files_train == run.config["files_train"]


def test_a_cancelled_training_leaves_no_model(source, no_process, loop, tmp_path):
    run = start_training(NAME, options(), name="mine")
    loop.status = "cancelled"
    with pytest.raises(Cancelled):
        task.work(context_of(run, tmp_path))
    assert not get_source(NAME).model_path("mine").exists()


def test_a_model_that_came_meanwhile_is_not_overwritten_but_a_runs_own_is(source, no_process, loop, tmp_path):
    run = start_training(NAME, options(), name="mine")
    model_file(source / "models" / "mine.h5", run="another")
    with pytest.raises(ExistsError, match="something else"):
        task.work(context_of(run, tmp_path))
    assert loop.calls == []
    model_file(source / "models" / "mine.h5", run=run.run)
    task.work(context_of(run, tmp_path))


@pytest.mark.tensorflow
def test_a_training_run_from_the_command_line(source, cxr, workspace):
    chosen = "--source tiny --json --view lateral --epochs 1 --batch-size 8 --image-size 32 --name first --u 0 --w 1"
    done = cxr("train", *chosen.split())
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert (run["status"], run["kind"], run["step"], run["steps"]) == ("completed", "train", 3, 3)
    assert isinstance(run["config"]["options"]["seed"], int)
    info = read_info(workspace / "sources" / NAME / "models" / "first.h5")
    assert (info.run, info.view, info.image_size, info.policy["name"]) == (run["run"], "lateral", 32, "negative")
    rows = service.read_metrics(run["run"])
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)
    assert run["loss"] == [row["loss"] for row in rows if "loss" in row][-1]
    assert run["val_loss"] == rows[-1]["val_loss"]
    assert run["val_auc"] == rows[-1]["val_auc"]
    folder = workspace / "runs" / run["run"]
    assert re.fullmatch(r"step-\d+-epoch-\d+\.npz", next((folder / "checkpoints").iterdir()).name)
    assert json.loads((folder / "config.json").read_text()) == run["config"]
    refused = cxr("train", *chosen.split())
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "already has a model first" in refused.stderr
