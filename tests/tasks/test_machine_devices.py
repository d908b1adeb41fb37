import pytest

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.runs import service
from cxr_core.runs.lanes import GPU_PREFIX, Need
from cxr_core.tasks.machine_devices import check_known, need_here, resume
from cxr_core.training import probe

GPUS = ("gpu:2", "gpu:3")


@pytest.fixture
def found(workspace, monkeypatch):
    """What the next question to TensorFlow finds."""
    entries = [
        probe.Accelerator("cpu", True, "", ("CPU",)),
        probe.Accelerator("gpu", True, "", GPUS),
        probe.Accelerator("multi-gpu", True, "", GPUS),
        probe.Accelerator("tpu", True, "", ("mine", "mine:0")),
    ]
    monkeypatch.setattr(probe, "_ask", lambda: list(entries))
    return entries


@pytest.fixture
def ended(found, monkeypatch):
    """Submit a run that has failed, without its processes."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)

    def submit(device="auto", accelerator="gpu"):
        need = need_here(accelerator, device)
        run = service.submit("train", "m", "demo", {"options": {"device": device}}, accelerator, True, need=need)
        service._store().end(run.run, "failed", None, run.supervisor)
        return run.run

    return submit


def test_both_sides_of_a_process_call_a_gpu_the_same():
    assert probe.GPU_PREFIX == GPU_PREFIX


@pytest.mark.parametrize(
    ("accelerator", "device", "need"),
    [
        ("cpu", "auto", None),
        ("tpu", "auto", None),
        ("multi-worker", "auto", None),
        ("gpu", "auto", Need(GPUS)),
        ("gpu", "gpu:3", Need(("gpu:3",))),
        ("multi-gpu", "auto", Need(GPUS, together=True)),
    ],
)
def test_a_run_needs_any_gpu_the_chosen_one_or_all(found, accelerator, device, need):
    assert need_here(accelerator, device) == need


def test_work_on_the_cpu_asks_nobody(workspace, monkeypatch):
    monkeypatch.setattr(probe, "_ask", lambda: pytest.fail("TensorFlow was asked"))
    assert need_here("cpu", "auto") is None


@pytest.mark.parametrize("check", [need_here, check_known])
def test_a_device_that_is_not_there_or_not_to_be_chosen_is_refused(found, check):
    need_here("gpu", "auto")  # from now on it is known
    with pytest.raises(UnknownNameError, match=r"Unknown device 'gpu:0'.*auto, gpu:2, gpu:3"):
        check("gpu", "gpu:0")
    with pytest.raises(UsageError, match="A device can be chosen with the accelerator gpu alone"):
        check("multi-gpu", "gpu:2")


def test_a_resumed_run_goes_where_it_was_told_to_go(ended):
    for device, need in (("gpu:3", Need(("gpu:3",))), ("auto", Need(GPUS))):
        run = resume(ended(device))
        assert (run.status, run.need, run.devices) == ("queued", need, ())


def test_a_resumed_run_takes_another_device_where_this_machine_lacks_its_own(ended, found):
    run = ended("gpu:3")
    found[1:3] = [probe.Accelerator("gpu", True, "", ("gpu:0",))]
    probe.probe(service.settings().home, refresh=True)
    assert resume(run).need == Need(("gpu:0",))


def test_a_run_is_not_resumed_where_this_machine_lacks_its_accelerator(ended, found):
    run = ended(accelerator="multi-gpu")
    found[2] = probe.Accelerator("multi-gpu", False, "Multi-GPU needs two GPUs or more; 1 can be used.")
    probe.probe(service.settings().home, refresh=True)
    with pytest.raises(UsageError, match="multi-gpu cannot be used: Multi-GPU needs two"):
        resume(run)
    assert service.get(run).status == "failed"
