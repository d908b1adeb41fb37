"""How long a training run will take: from the last run of the same network here, else from measurements on a CPU."""

import numpy as np

from cxr_core.runs import service
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.training.architectures import ARCHITECTURES
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import LEARNED

#: A learned policy looks ahead for 1.3 steps at every second one.
_LOOK_AHEAD_COST = 1.7
#: A validation image costs about a third of a training image: there is no way back through the network.
_VALIDATION_SHARE = 1 / 3


def expected_seconds(options: TrainOptions, n_train: int, n_valid: int) -> float | None:
    """Return about how many seconds training takes, or None where nothing like it was measured."""
    rate = _measured_rate(options) or _cpu_rate(options)
    if rate is None:
        return None
    images = options.epochs * (n_train + _VALIDATION_SHARE * n_valid)
    stages = options.stages * (ARCHITECTURES[options.architecture].preparation_seconds + images / rate)
    return stages + (options.stages - 1) * _VALIDATION_SHARE * n_train / rate


def _measured_rate(options: TrainOptions) -> float | None:
    """Return the images per second of the last completed run of the same network, image size and accelerator."""
    like = (run for run in service.list_runs() if run.status == COMPLETED and _is_like(run, options))
    for run in like:
        rates = service.metric_columns(run.run).column("images_per_second")
        if (rates > 0).any():
            return float(np.median(rates[rates > 0]))
    return None


def _is_like(run: Run, options: TrainOptions) -> bool:
    former = run.config.get("options", {})
    learned = (former.get("policy") or {}).get("name") == LEARNED
    return (
        run.kind == "train"
        and learned == options.policy.is_learned
        and all(former.get(name) == getattr(options, name) for name in ("architecture", "image_size", "accelerator"))
    )


def _cpu_rate(options: TrainOptions) -> float | None:
    if options.accelerator != "cpu":
        return None
    rate = ARCHITECTURES[options.architecture].cpu_pixels_per_second / options.image_size**2
    return rate / _LOOK_AHEAD_COST if options.policy.is_learned else rate
