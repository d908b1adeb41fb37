"""The devices of this machine: what can be trained on, and which of them a run is to have."""

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.runs import service
from cxr_core.runs.lanes import Need
from cxr_core.runs.run import HERE, Run
from cxr_core.settings import settings
from cxr_core.tasks.away import goods_of
from cxr_core.training.execution_options import ANY_DEVICE, check_device
from cxr_core.training.probe import Accelerator, cached, probe


def accelerators(refresh: bool = False) -> list[Accelerator]:
    """Return cpu, gpu, multi-gpu and tpu with what this machine lacks; the first answer takes TensorFlow's start."""
    return probe(settings().home, refresh)


def known_accelerators() -> list[Accelerator] | None:
    """Return what `accelerators` found earlier, at no cost; None when it must be asked."""
    return cached(settings().home)


def check_known(accelerator: str, device: str) -> None:
    """Raise what `need_here` would raise, as far as it is known already."""
    _check(accelerator, device, known_accelerators() or [])


def need_here(accelerator: str, device: str) -> Need | None:
    """Return the devices of this machine that a run needs; None where the accelerator is one device.

    TensorFlow is asked what there is where that is not known yet.

    Args:
        accelerator: one of `ACCELERATORS`.
        device: "auto" for any device that is free, or the name of a GPU, as in gpu:1.

    Raises:
        UsageError: this machine lacks the accelerator, or it has no devices to choose from.
        UnknownNameError: this machine has no such device.
    """
    found = [] if accelerator == "cpu" else accelerators()
    _check(accelerator, device, found)
    gpus = next((one.devices for one in found if one.name == accelerator and "gpu" in accelerator), ())
    if not gpus:
        return None
    return Need(gpus if device == ANY_DEVICE else (device,), together=accelerator == "multi-gpu")


def resume(run_id: str, place: str = "") -> Run:
    """Put a failed or cancelled run back into the queue; it goes on from its last checkpoint.

    It goes where it was told to go; where this machine has no such device, to any.

    Args:
        run_id: the run.
        place: where it goes on; by default where it was.

    Raises:
        UnknownNameError: there is no such place.
        UsageError: the run cannot be resumed there, or this machine lacks its accelerator.
    """
    run = service.get(run_id)
    place = place or run.place
    if place != HERE and not run.is_active:
        return service.resume(run_id, place=place, goods=goods_of(run, place))
    options = run.config.get("options", {})
    check_one_worker(options.get("workers", 1))
    device = run.device if place == run.place else options.get("accelerator")
    if device is None or run.is_active:
        return service.resume(run_id)
    wish = options.get("device", ANY_DEVICE)
    try:
        need = need_here(device, wish)
    except UnknownNameError:
        need = need_here(device, ANY_DEVICE)
    return service.resume(run_id, need, place, device)


def check_one_worker(workers: int) -> None:
    """Raise `UsageError` where several workers are asked for: on this machine, one has all its devices."""
    if workers > 1:
        raise UsageError(
            f"On this machine a run has one worker. Received: {workers}. Choose another place by --on PLACE, or "
            "--workers 1; several GPUs of this machine work together by --accelerator multi-gpu."
        )


def _check(accelerator: str, device: str, found: list[Accelerator]) -> None:
    check_device(accelerator, device)
    for one in found:
        if one.name == accelerator and not one.available:
            raise UsageError(f"The accelerator {accelerator} cannot be used: {one.reason}")
        if one.name == accelerator and device != ANY_DEVICE and device not in one.devices:
            raise UnknownNameError("device", device, (ANY_DEVICE, *one.devices))
