"""The part of the table of options that says how, not what, is trained: machine, arithmetic, memory, checkpoints."""

from dataclasses import dataclass

from cxr_core.errors import UsageError
from cxr_core.training.option import Number, OneOf, Switch, Text, Whole, stated

ACCELERATORS: tuple[str, ...] = ("cpu", "gpu", "multi-gpu", "tpu", "multi-worker")
#: Predicting needs no other machine.
PREDICTING_ACCELERATORS: tuple[str, ...] = ACCELERATORS[:-1]
#: Where nothing is chosen: a device that is free.
ANY_DEVICE = "auto"
#: What each of several workers of one run can have.
_OF_WORKERS: tuple[str, ...] = ("cpu", "gpu", "multi-gpu")
DECODINGS: tuple[str, ...] = ("reduced", "full")


@dataclass(frozen=True, kw_only=True)
class ExecutionOptions:
    """How a run is computed; part of `TrainOptions`."""

    accelerator: str = stated(
        "cpu",
        OneOf(ACCELERATORS),
        "Accelerator",
        "The hardware that trains. What this machine lacks cannot be chosen.",
        "machine",
        again=False,
    )
    device: str = stated(
        ANY_DEVICE,
        Text(),
        "Device",
        "Which GPU trains, with the accelerator gpu: auto for one that is free, or one of `cxr accelerators`, as in "
        "gpu:1. Runs on one device follow each other, runs on two go side by side.",
        "machine",
        again=False,
    )
    workers: int = stated(
        1,
        Whole(1, 1024),
        "Workers",
        "At another place than this machine: how many processes train together, each with the accelerator and with its "
        "share of every batch and of the records.",
        "workers",
        noun="number of workers",
    )
    restarts: int = stated(
        1,
        Whole(0, 1000),
        "Restarts",
        "How often a run of several workers goes on from its last checkpoint by itself when one of them is lost.",
        "workers",
        noun="number of restarts",
    )
    precision: str = stated(
        "float32",
        OneOf(("float32", "bfloat16", "float16")),
        "Precision",
        "How exactly the network computes. float32 is the usual; bfloat16 and float16 are faster on recent "
        "accelerators and take less memory, at some loss of digits. Weights and loss stay float32.",
        "computed",
    )
    xla: str = stated(
        "auto",
        OneOf(("auto", "on", "off")),
        "XLA",
        "Compiling the network for the accelerator before training. Auto leaves it to TensorFlow; on a CPU it is "
        "slower.",
        "computed",
        noun="XLA choice",
    )
    batch_norm: str = stated(
        "plain",
        OneOf(("plain", "synchronised")),
        "Batch norm",
        "With several devices: whether each normalises its own part of a batch (plain), or all together "
        "(synchronised).",
        "computed",
    )
    decode: str = stated(
        "reduced",
        OneOf(DECODINGS),
        "Decoding",
        "Smaller images can be made while they are decoded (reduced, faster) or after (full, as in the 2019 notebook).",
        "computed",
        noun="decoding",
    )
    cache: str = stated(
        "auto",
        OneOf(("auto", "on", "off")),
        "Keep images in memory",
        "Decoded images kept in memory make later epochs faster. Auto does so where they take a quarter of it at most.",
        "computed",
        noun="cache choice",
    )
    deterministic: bool = stated(
        False,
        Switch(),
        "Same bits on a GPU",
        "Only operations that give the same bits each time, so that a resumed run ends as one that was not stopped; "
        "slower on GPUs. A CPU does so anyway, but for XLA.",
        "computed",
        noun="choice whether a GPU gives the same bits",
    )
    checkpoint_minutes: float = stated(
        10.0,
        Number(0.0, 24 * 60.0),
        "Minutes between checkpoints",
        "A run that was stopped goes on from its last checkpoint. One is written at each epoch's end, and this often "
        "within an epoch; 0 writes one after every step.",
        "computed",
        noun="minutes between checkpoints",
    )

    @property
    def repeats_to_the_bit(self) -> bool:
        """Whether the same seed, and a run that is resumed, give the same bits: not so with XLA, nor on a TPU."""
        if self.xla == "on" or self.accelerator == "tpu":
            return False
        return (self.accelerator == "cpu" and self.workers == 1) or self.deterministic

    def check_workers(self, batch_size: int) -> None:
        """Raise `UsageError` where several workers cannot share a batch of so many images."""
        if self.workers > 1 and self.accelerator not in _OF_WORKERS:
            raise UsageError(
                f"Each of several workers can have {', '.join(_OF_WORKERS)}. Received: {self.accelerator} with "
                f"{self.workers} workers. Choose another accelerator, or one worker."
            )
        if batch_size % self.workers:
            raise UsageError(
                f"The batch size must be a multiple of the {self.workers} workers. Received: {batch_size}."
            )

    def check_execution(self) -> None:
        """Raise `UsageError` where two of these options cannot be had together."""
        check_device(self.accelerator, self.device)
        if self.deterministic and not self.repeats_to_the_bit:
            raise UsageError(
                "Some operations have no form in XLA, which a TPU always uses, that gives the same bits each time. "
                "Choose --xla auto and a CPU or GPU, or leave --deterministic out."
            )


def check_device(accelerator: str, device: str) -> None:
    """Raise `UsageError` when a device was chosen of an accelerator that has none to choose from."""
    if device != ANY_DEVICE and accelerator != "gpu":
        raise UsageError(
            f"A device can be chosen with the accelerator gpu alone. Received: {device!r:.60} with {accelerator}. "
            "Add --accelerator gpu, or leave the device out."
        )
