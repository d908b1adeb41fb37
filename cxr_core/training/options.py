"""The table of what can be chosen for a training run; loads no TensorFlow.

A new option is one more field here, in `recipe_options` where it says how the network learns, or in
`execution_options` where it says how that is computed. Checks, `train` and `sweep`, the form and
docs/training-options.md follow from it; what is left is the code that heeds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.policy_kinds import SELF_TRAINED
from cxr_core.schema import RECORD_IMAGE_SIZE, TRAINING_VIEWS
from cxr_core.training.architectures import ARCHITECTURES, AUTO, CHANNELS, POOLINGS, pooling_of
from cxr_core.training.execution_options import ExecutionOptions
from cxr_core.training.option import Number, OneOf, Option, Text, Whole, options_of, stated
from cxr_core.training.recipe_options import RecipeOptions
from cxr_core.uncertainty import DEFAULT_POLICY, Policy, uniform_policy

#: Every network halves the image five times, so a side is a multiple of 32.
IMAGE_SIZES: tuple[int, ...] = tuple(range(32, RECORD_IMAGE_SIZE + 1, 32))
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class TrainOptions(ExecutionOptions, RecipeOptions):
    """The choices for one training run; the defaults are those of the 2019 notebook's form.

    `policy` says which target u and which weight w uncertain labels have; it is no `Option`, because it is chosen by
    several inputs: `--u`, `--w` and `--policy`, or the form's strategies.
    """

    policy: Policy = field(default=DEFAULT_POLICY)
    view: str = stated(
        "frontal",
        OneOf(TRAINING_VIEWS),
        "View",
        "From where the image was taken. Frontal and lateral images are trained and judged apart.",
        "data",
    )
    architecture: str = stated(
        "densenet121",
        OneOf(tuple(ARCHITECTURES)),
        "Architecture",
        "densenet121 is the network of the published models; densenet-small is of the same family, for quick runs. The "
        "others are those of keras.applications.",
        "network",
        on_synthetic="densenet-small",
    )
    channels: int = stated(
        1,
        OneOf(CHANNELS, "1 or 3"),
        "Channels",
        "1 gives the network the grey of the image, as in the 2019 notebook. 3 gives it the grey three times, "
        "normalised as public weights of the network expect: choose it to start from such weights.",
        "network",
        noun="number of channels",
    )
    pooling: str = stated(
        AUTO,
        OneOf((AUTO, *POOLINGS)),
        "Pooling",
        "How the last feature maps become one number each: their maximum, as in the 2019 notebook, or their average. "
        "Auto does what is usual: the maximum for a DenseNet, the average for the others.",
        "network",
    )
    epochs: int = stated(3, Whole(1, 10_000), "Epochs", "How often the network sees every training image.", "network")
    batch_size: int = stated(
        32,
        Whole(1, 65536),
        "Batch size",
        "Images in one step, over all devices together. Larger is faster, as long as memory lasts.",
        "network",
        offers=(8, 16, 32, 64, 128, 256, 512),
    )
    image_size: int = stated(
        RECORD_IMAGE_SIZE,
        OneOf(IMAGE_SIZES, f"a multiple of 32 from 32 to {RECORD_IMAGE_SIZE}"),
        "Image size (pixels)",
        "Pixels along each side that the network sees. The stored images have 320; smaller is much faster.",
        "network",
        on_synthetic=96,
    )
    name: str = stated(
        "",
        Text(names="model"),
        "Model name",
        "The model's name, or the first part of the names where several are trained. "
        "Left empty, it tells view, u and w.",
        "name",
        told_default="told by the options and the run",
        placeholder="made from view, u and w",
        again=False,
    )
    learning_rate: float = stated(
        1e-3,
        Number(0.0, 1.0, above_low=True, step=0.0001, shown="%.5f"),
        "Learning rate",
        "How far each step moves the weights. 0.001 is Adam's usual value.",
        "more",
    )
    early_stopping: int = stated(
        0,
        Whole(0, 10_000),
        "Early stopping (epochs)",
        "Stop when the validation AUC has not risen for this many epochs; 0 never stops early.",
        "more",
        url="stop",
    )
    seed: int = stated(
        0,
        Whole(0, LARGEST_SEED),
        "Seed",
        "The same seed, data and settings give the same model on one CPU.",
        "more",
        told_default="drawn and stored",
        again=False,
    )
    init_from: str = stated(
        "",
        Text(),
        "Start from",
        "Begin with the weights of this model instead of random ones. Choose a model, or type the path of an .h5, "
        ".weights.h5 or .keras file of the same network, such as the public weights of keras.applications; only "
        "weights are read from it, and the run says which were taken.",
        "more",
        metavar="MODEL",
        placeholder="random weights",
    )
    records: str = stated(
        "",
        Text(),
        "Records",
        "Pattern of TFRecord files with {dataset} and {view}, here or on gs://. Empty: the source's own.",
        "more",
        metavar="GLOB",
        placeholder="those of the source",
    )
    tensorboard: str = stated(
        "",
        Text(),
        "TensorBoard folder",
        "Folder for TensorBoard logs, here or on gs://, where they go into your own folder of it. Empty: none.",
        "more",
        metavar="DIR",
        again=False,
    )
    save_to: str = stated(
        "",
        Text(),
        "Save a copy to",
        "Folder for a copy of the finished model, here or on gs://, where it goes into your own folder. Empty: none.",
        "more",
        metavar="DIR|gs://…",
        again=False,
    )

    @property
    def pooled_by(self) -> str:
        """How the network pools: "max" or "average"."""
        return pooling_of(self.architecture, self.pooling)

    @property
    def stages(self) -> int:
        """How many trainings follow each other in the run: two where a first one teaches some label."""
        return 2 if SELF_TRAINED in self.policy.kinds else 1

    def validated(self) -> "TrainOptions":
        """Return these options when every one can be served, else raise `UsageError` naming the first that cannot."""
        if not isinstance(self.policy, Policy):
            raise UsageError(f"A policy needs a name, 14 numbers u and 14 numbers w. Received: {self.policy!r:.60}.")
        for option in OPTIONS:
            option.check(getattr(self, option.name))
        self._check_together()
        return self

    def _check_together(self) -> None:
        """Check what depends on two options."""
        self.check_execution()
        self.check_workers(self.batch_size)
        self.check_recipe(self.epochs, self.policy.is_learned)
        if self.policy.is_learned and (self.precision != "float32" or self.batch_size < 2):
            raise UsageError(
                "A learned policy looks at small differences between halves of a batch, so it needs float32 and a "
                f"batch size of 2 or more. Received: {self.precision} and {self.batch_size}."
            )
        if self.policy.is_learned and self.batch_norm == "synchronised":
            raise UsageError("A learned policy looks ahead on each device for itself. Choose plain batch norm.")
        if self.xla == "on" and self.batch_norm == "synchronised":
            raise UsageError("XLA cannot compile synchronised batch norm. Choose --xla auto, or plain batch norm.")

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {"policy": self.policy.as_dict()} | {option.name: getattr(self, option.name) for option in OPTIONS}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "TrainOptions":
        """Return the options that `as_dict` described, of this version or a former one; others are refused."""
        values = _with_one_policy(values)
        known = {field.name for field in fields(TrainOptions)}
        for name in values:
            if name not in known:
                raise UnknownNameError("training option", name, tuple(sorted(known)))
        return TrainOptions(**values)


#: All options but the policy, in the order of the form.
OPTIONS: tuple[Option, ...] = options_of(fields(TrainOptions))


def option_named(name: str) -> Option:
    """Return the option of that name."""
    return next(option for option in OPTIONS if option.name == name)


def default_options(synthetic: bool) -> TrainOptions:
    """Return the form's defaults; on a synthetic source a small network on small images, which takes minutes."""
    other = {option.name: option.on_synthetic for option in OPTIONS if option.on_synthetic is not None}
    return TrainOptions(**other) if synthetic else TrainOptions()


def _with_one_policy(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with a `Policy`: until version 0.2.0 one u and w stood beside a policy that could be null."""
    rest = {name: value for name, value in values.items() if name not in ("policy", "u", "w")}
    if values.get("policy") is not None:
        return rest | {"policy": Policy.from_dict(values["policy"])}
    if {"u", "w"} & values.keys():
        u, w = (values.get(name, default) for name, default in (("u", DEFAULT_POLICY.u[0]), ("w", DEFAULT_POLICY.w[0])))
        return rest | {"policy": uniform_policy(u, w)}
    return rest
