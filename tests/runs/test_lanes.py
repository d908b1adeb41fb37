"""Two GPUs that a probe pretends to have found: who runs beside whom, on what, and who waits."""

import pytest

from cxr_core.runs import service
from cxr_core.runs.lanes import Claim, Need, free_devices, variables_of
from cxr_core.tasks.machine_devices import need_here
from cxr_core.training import probe

GPUS = ("gpu:0", "gpu:1")


@pytest.mark.parametrize(
    ("before", "need", "runs_per_device", "free"),
    [
        ([], Need(GPUS), 1, ("gpu:0",)),
        ([Claim(Need(GPUS), ("gpu:0",))], Need(GPUS), 1, ("gpu:1",)),
        ([Claim(Need(GPUS), ("gpu:0",))], Need(("gpu:0",)), 1, ()),
        ([Claim(Need(GPUS), ("gpu:0",))], Need(GPUS), 2, ("gpu:1",)),  # the one with fewer runs
        ([Claim(Need(GPUS), ("gpu:0",))], Need(("gpu:0",)), 2, ("gpu:0",)),
        ([Claim(Need(GPUS), ())], Need(("gpu:0",)), 1, ()),  # what is queued before will have it
        ([Claim(Need(("gpu:0",)), ())], Need(GPUS), 1, ("gpu:1",)),
        ([Claim(Need(GPUS, together=True), GPUS)], Need(GPUS), 1, ()),
        ([Claim(Need(("gpu:1",)), ("gpu:1",)), Claim(Need(GPUS, together=True), ())], Need(("gpu:0",)), 1, ()),
        ([Claim(Need(("gpu:1",)), ("gpu:1",))], Need(GPUS, together=True), 1, ()),
        ([Claim(Need(("gpu:1",)), ("gpu:1",))], Need(GPUS, together=True), 2, GPUS),
        ([Claim(Need(("cpu",)), ("cpu",))], Need(GPUS, together=True), 1, GPUS),
    ],
)
def test_what_a_run_may_take(before, need, runs_per_device, free):
    assert free_devices(before, need, runs_per_device) == free


@pytest.mark.parametrize(
    ("devices", "visible"),
    [
        (("gpu:1",), "1"),
        (GPUS, "0,1"),
        (("gpu:GPU-8932f937",), "GPU-8932f937"),
        (("cpu",), "-1"),
        (("tpu",), None),
        ((), None),
    ],
)
def test_a_process_sees_its_own_gpus_alone(devices, visible):
    assert variables_of(devices).get("CUDA_VISIBLE_DEVICES") == visible


@pytest.fixture
def submit(fake_kinds, monkeypatch):
    """Start a run on two pretended GPUs that works until it is told to end."""
    monkeypatch.setattr(
        probe,
        "_ask",
        lambda: [probe.Accelerator(name, True, "", GPUS) for name in ("gpu", "multi-gpu")],
    )

    def start(device="auto", accelerator="gpu"):
        need = need_here(accelerator, device)
        return service.submit("until-told", "m", "demo", {}, accelerator, need=need).run

    return start


@pytest.fixture
def runs_on(until):
    """Wait until a run works, and return its devices."""
    return lambda run: until(lambda: (found := service.get(run)).step and found.devices)


@pytest.fixture
def waits(until):
    """Wait until a run says for what it waits."""
    return lambda run: until(lambda: (found := service.get(run)).status == "queued" and found.message)


def finish(run):
    """Let a run end, and return the GPUs that it saw."""
    (service.folder_of(run) / "finish").touch()
    ended = service.wait(run, timeout=40)
    assert ended.status == "completed"
    return ended.result["visible"]


def test_runs_on_two_devices_overlap_and_a_third_takes_the_one_that_gets_free(submit, runs_on, waits):
    first, second = submit(), submit("gpu:1")
    assert (runs_on(first), runs_on(second)) == (("gpu:0",), ("gpu:1",))  # neither ends before it is told
    third = submit()
    assert waits(third) == "waiting for the gpu: 2 runs ahead"
    assert finish(second) == "1"
    assert runs_on(third) == ("gpu:1",)
    assert service.get(first).status == "running"
    assert (finish(first), finish(third)) == ("0", "1")


def test_runs_on_one_device_wait_and_one_that_is_cancelled_while_queued_leaves_its_place(submit, runs_on, waits):
    first, second, third = submit("gpu:1"), submit("gpu:1"), submit("gpu:1")
    assert runs_on(first) == ("gpu:1",)
    assert waits(second) == "waiting for gpu:1: 1 run ahead"
    assert waits(third) == "waiting for gpu:1: 2 runs ahead"
    assert service.cancel(second).status == "cancelled"
    assert finish(first) == "1"
    assert runs_on(third) == ("gpu:1",)
    assert service.get(second).devices == ()
    assert finish(third) == "1"


def test_all_gpus_are_one_run_s(submit, runs_on, waits):
    several = submit(accelerator="multi-gpu")
    assert runs_on(several) == GPUS
    behind = submit("gpu:0")
    assert waits(behind) == "waiting for gpu:0: 1 run ahead"
    assert (finish(several), finish(behind)) == ("0,1", "0")
