"""The part of the table of options that says how, not what, is trained: machine, arithmetic, memory, checkpoints."""

from dataclasses import dataclass

from cxr_core.training.option import Number, OneOf, stated

ACCELERATORS: tuple[str, ...] = ("cpu", "gpu", "multi-gpu", "tpu", "multi-worker")
#: Predicting needs no other machine.
PREDICTING_ACCELERATORS: tuple[str, ...] = ACCELERATORS[:-1]
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
    checkpoint_minutes: float = stated(
        10.0,
        Number(0.0, 24 * 60.0),
        "Minutes between checkpoints",
        "A run that was stopped goes on from its last checkpoint. One is written at each epoch's end, and this often "
        "within an epoch; 0 writes one after every step.",
        "computed",
        noun="minutes between checkpoints",
    )
