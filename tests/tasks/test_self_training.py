"""Self-training as one run: what the second stage learns from, and that a stop anywhere changes no bit of the end."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from record_source import IMAGES, NAME, record, write_source
from scipy.special import expit
from stopping_reporter import Reporter, timeless
from tiny_network import tiny_network

from cxr_core.errors import UsageError
from cxr_core.records.example import encode
from cxr_core.records.layout import records_of
from cxr_core.records.tfrecord import write_shards
from cxr_core.runs import service
from cxr_core.runs.metrics import read_rows
from cxr_core.runs.step import Cancelled
from cxr_core.schema import LABELS
from cxr_core.tasks import train as task
from cxr_core.tasks.policy_choice import policy_choice
from cxr_core.tasks.self_training import check_two_stages
from cxr_core.tasks.training_plan import plan_training, training_defaults
from cxr_core.training.first_stage import first_stage_policy
from cxr_core.training.row_targets import UNITS, read_row_targets
from cxr_core.training.weights_file import read_info
from cxr_core.uncertainty import Policy, kind_policy, named_policy, uniform_policy

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]
SELF_TRAINED = kind_policy("self-trained")
STEPS = IMAGES["train"] // 6 * 2


class Context(Reporter):
    """The run of a training, as its step is given it; it stops at the call number `stop_at` of `cancelled`."""

    source, results, said = NAME, None, ()

    def __init__(self, folder, plan, stop_at=None):
        super().__init__(folder, stop_at)
        self.run = self.name = folder.name
        self.config = {
            "options": plan.options.as_dict() | {"name": self.name},
            "files_train": list(plan.files_train),
            "files_valid": list(plan.files_valid),
            "n_train": plan.n_train,
            "steps_per_epoch": plan.steps_per_epoch,
        }
        self.said = []

    def progress(self, step, steps, epoch=None, message=""):
        super().progress(step, steps)
        self.said.append((step, steps, epoch, message))

    def stop_if_cancelled(self):
        if self.cancelled():
            raise Cancelled

    def result(self, values):
        self.results = values

    def remark(self, text):
        self.remarked = text


def options(**chosen):
    small = {"batch_size": 6, "image_size": 32, "epochs": 2, "seed": 5, "policy": SELF_TRAINED}
    return replace(training_defaults(NAME), **(small | chosen))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("self-training")


@pytest.fixture(autouse=True)
def at_home(workspace, home, monkeypatch):
    """The workspace of the module in place of that of the test."""
    monkeypatch.setenv("CXR_HOME", str(home))


@pytest.fixture(scope="module")
def train(home):
    """Do the work of a run, from its start or from where it stands, and return its context."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_HOME", str(home))
        yield working(home, patch)


@pytest.fixture(scope="module")
def whole(train):
    return train("whole")


def working(workspace, monkeypatch):
    """Return what does the work of a run in a workspace."""
    from cxr_core.models import predict
    from cxr_core.training import loop

    def load(model):
        network = tiny_network("", 32)
        network.load_weights(model)
        return network, read_info(model)

    source = write_source(workspace)
    monkeypatch.setattr(loop, "build_network", tiny_network)
    monkeypatch.setattr(predict, "load_network", load)
    monkeypatch.setattr(service, "metric_columns", lambda run: service.MetricColumns())
    (workspace / "runs").mkdir()

    def work(name, stop_at=None, **chosen):
        context = Context(workspace / "runs" / name, plan_training(NAME, options(**chosen)), stop_at)
        try:
            task.work(context)
        except Cancelled:
            context.results = None
        return context

    work.source = source
    return work


def newest(context):
    return np.load(sorted((context.folder / "checkpoints").iterdir())[-1])


def same(one, other):
    return set(one.files) == set(other.files) and all(np.array_equal(one[name], other[name]) for name in one.files)


def test_the_second_stage_learns_from_what_the_first_predicts(train, whole):
    run = whole
    table = pd.read_parquet(run.folder / run.results["first_stage"]["table"])
    # In the order of the records: the table names each image as its record does.
    paths = [record.path for file in run.config["files_train"] for _, record in records_of(file)]
    assert table["path"].tolist() == paths
    units = read_row_targets(run.folder)
    np.testing.assert_allclose(units / UNITS, expit(table[list(LABELS)].to_numpy()), atol=2**-24)
    assert read_info(train.source / "models" / "whole.h5").policy == SELF_TRAINED.as_dict()
    first = read_info(run.folder / "first-stage" / "best.h5")
    assert first.policy == named_policy("ignore").as_dict() == run.results["first_stage"]["policy"]


def test_the_second_stage_is_a_run_that_takes_these_predictions_from_a_model(train, whole):
    """`self-trained:MODEL` on the same table is the referee: the two end with the same bits."""
    run = whole
    table = pd.read_parquet(run.folder / "first-stage" / "predictions.parquet")
    from cxr_core.warehouse.parquet import write_table

    write_table(train.source / "predictions" / "teacher_predictions.parquet", table, "logit", {})
    toml = (train.source / "source.toml").read_text()
    (train.source / "source.toml").write_text(f'{toml}predictions = "predictions/{{model}}_predictions.parquet"\n')
    other = train("by-model", policy=policy_choice(NAME, "self-trained:teacher"))
    np.testing.assert_array_equal(read_row_targets(run.folder), read_row_targets(other.folder))
    assert same(newest(run), newest(other))
    assert run.losses() == other.losses()


def test_the_first_stage_is_a_run_of_its_policy(train):
    run, other = train("taught", first_stage="positive"), train("positive", policy=named_policy("positive"))
    rows = [row for row in run.rows() if "first_stage_loss" in row]
    assert [row["first_stage_loss"] for row in rows] == other.losses()
    assert same(np.load(sorted((run.folder / "first-stage" / "checkpoints").iterdir())[-1]), newest(other))


def test_figures_of_the_stages_are_told_apart_and_steps_are_counted_on(whole):
    run = whole
    rows = run.rows()
    first = [row["step"] for row in rows if "first_stage_loss" in row]
    assert first == list(range(1, STEPS + 1))
    assert [row["step"] for row in rows if "loss" in row] == list(range(STEPS + 1, 2 * STEPS + 1))
    assert [row["epoch"] for row in rows if "first_stage_val_auc" in row] == [1, 2]
    assert [row["epoch"] for row in rows if "val_auc" in row] == [3, 4]
    assert all(("first_stage_loss" in row) + ("loss" in row) < 2 for row in rows)
    assert {steps for _, steps, _, _ in run.said} == {2 * STEPS}
    told = [message for *_, message in run.said]
    assert told[0] == "Stage 1 of 2: Training"
    assert f"Stage 1 of 2: predicted {IMAGES['train']} training images" in told
    assert told[-1] == "Stage 2 of 2: Epoch 2 of 2 done"
    assert [step for step, *_ in run.said] == sorted(step for step, *_ in run.said)


# Of two epochs of four steps and two batches of validation each stage asks twelve times, and once while it predicts.
@pytest.mark.parametrize("stop_at", [13, *(pytest.param(at, marks=pytest.mark.whole) for at in (3, 20))])
def test_a_run_that_was_stopped_anywhere_ends_with_the_same_bits(train, whole, stop_at):
    assert whole.asked == 25
    stopped = train(f"stopped-{stop_at}", stop_at)
    assert stopped.results is None
    resumed = train(f"stopped-{stop_at}")
    assert timeless(read_rows(resumed.folder / "metrics.jsonl")) == timeless(read_rows(whole.folder / "metrics.jsonl"))
    np.testing.assert_array_equal(read_row_targets(resumed.folder), read_row_targets(whole.folder))
    assert same(newest(resumed), newest(whole))
    assert resumed.results | {"model": "", "weights": ""} == whole.results | {"model": "", "weights": ""}


def test_a_mix_teaches_its_own_labels_alone(train):
    kinds = ("self-trained",) * 4 + ("three-class",) * 4 + ("",) * 6
    mix = Policy("mix", (0.0,) * 8 + (0.3,) * 6, (0.0,) * 8 + (0.5,) * 6, kinds=kinds)
    run = train("mix", policy=mix)
    units = read_row_targets(run.folder)
    assert (units[:, :4] >= 0).all()
    assert (units[:, 4:] == -1).all()


@pytest.mark.parametrize(("strategy", "u", "w"), [("ignore", 0, 0), ("positive", 1, 1), ("hybrid", 0.5, 0.25)])
def test_the_first_stage_takes_the_labels_that_it_teaches_as_its_strategy_says(strategy, u, w):
    assert first_stage_policy(SELF_TRAINED, strategy) == named_policy(strategy)
    mix = Policy(
        "mix",
        (0.0,) * 13 + (0.2,),
        (0.0,) * 13 + (1.0,),
        u_to=(0.0,) * 13 + (0.4,),
        kinds=(*("self-trained",) * 13, ""),
    )
    first = first_stage_policy(mix, strategy)
    assert (first.u, first.w, first.kinds) == ((u,) * 13 + (0.2,), (w,) * 13 + (1.0,), ("",) * 14)
    assert first.u_to == (u,) * 13 + (0.4,)


def test_what_has_nothing_to_teach_or_cannot_is_refused_before_the_start(train, tmp_path):
    plan = plan_training(NAME, options())
    with pytest.raises(UsageError, match="one process"):
        check_two_stages(replace(plan.options, accelerator="multi-worker"), plan.files_train)
    with pytest.raises(UsageError, match="on this machine"):
        check_two_stages(plan.options, ["gs://somewhere/frontal"])
    certain = [replace(made, labels={"edema": 1}) for made in (record("train", "frontal", n) for n in range(24))]
    write_shards(tmp_path / "train", "frontal", [encode(made) for made in certain], 2)
    with pytest.raises(UsageError, match="nothing to teach"):
        plan_training(NAME, options(records=f"{tmp_path}/train/{{view}}*"), confined=False)


def test_a_plan_of_two_stages_has_their_steps_and_time(train):
    two, one = plan_training(NAME, options()), plan_training(NAME, options(policy=uniform_policy(0, 0)))
    assert two.steps == 2 * one.steps
    assert two.seconds > 2 * one.seconds
    assert json.loads(json.dumps(two.options.as_dict()))["policy"]["kinds"] == ["self-trained"] * 14
