"""What can be chosen for a training run, with its defaults and limits; loads no TensorFlow."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import RECORD_IMAGE_SIZE, TRAINING_VIEWS, check_name
from cxr_core.uncertainty import Policy, uniform_policy

ARCHITECTURES: tuple[str, ...] = ("densenet121", "densenet-small")
ACCELERATORS: tuple[str, ...] = ("cpu", "gpu", "multi-gpu", "tpu", "multi-worker")
#: Predicting needs no other machine.
PREDICTING_ACCELERATORS: tuple[str, ...] = ACCELERATORS[:-1]
PRECISIONS: tuple[str, ...] = ("float32", "bfloat16", "float16")
XLA_CHOICES: tuple[str, ...] = ("auto", "on", "off")
BATCH_NORMS: tuple[str, ...] = ("plain", "synchronised")
DECODINGS: tuple[str, ...] = ("reduced", "full")
CACHE_CHOICES: tuple[str, ...] = ("auto", "on", "off")
#: DenseNet halves the image five times, so a side is a multiple of 32.
IMAGE_SIZES: tuple[int, ...] = tuple(range(32, RECORD_IMAGE_SIZE + 1, 32))

_LARGEST_BATCH = 65536
_LONGEST_TEXT = 4096
LARGEST_SEED = 2**31 - 1
_MOST_MINUTES = 24 * 60


@dataclass(frozen=True)
class TrainOptions:
    """The choices for one training run; the defaults are those of the 2019 notebook's form.

    Attributes:
        u: target of uncertain labels, 0..1, unless `policy` gives them per label.
        w: weight of uncertain labels, 0..1, unless `policy` gives them per label.
        policy: `Policy.as_dict()`, or None for the one (u, w).
        batch_size: images in one step, over all devices together.
        image_size: pixels along each side that the network sees.
        early_stopping: epochs without a better validation AUC after which training stops; 0 = never.
        init_from: model whose weights to start from; "" = random.
        records: pattern of TFRecord files, with {dataset} and {view}; "" = those of the source.
        tensorboard: folder for TensorBoard logs, local or gs://; "" = none.
        save_to: folder that gets a copy of the model, local or gs://; "" = none.
        precision: of the activations; weights, loss and the last layer are float32 always. float16 scales the loss.
        xla: compile the network with XLA; "auto" leaves it to TensorFlow, which was faster on a CPU.
        batch_norm: statistics of each device's part of a batch ("plain") or of the whole batch ("synchronised").
        decode: how images are made smaller than 320 pixels: "reduced" while they are decoded, or "full" before.
        cache: keep decoded images in memory; "auto" does where they take at most a quarter of what is free.
        augment: turn, shift, zoom and change the contrast of training images a little, at random.
        checkpoint_minutes: minutes between two checkpoints within an epoch; 0 = after every step.
    """

    view: str = "frontal"
    u: float = 0.4
    w: float = 0.75
    policy: dict[str, Any] | None = None
    accelerator: str = "cpu"
    epochs: int = 3
    batch_size: int = 32
    image_size: int = RECORD_IMAGE_SIZE
    architecture: str = "densenet121"
    learning_rate: float = 1e-3
    early_stopping: int = 0
    init_from: str = ""
    records: str = ""
    name: str = ""
    seed: int = 0
    tensorboard: str = ""
    save_to: str = ""
    precision: str = "float32"
    xla: str = "auto"
    batch_norm: str = "plain"
    decode: str = "reduced"
    cache: str = "auto"
    augment: bool = False
    checkpoint_minutes: float = 10.0

    def label_policy(self) -> Policy:
        """Return the (u, w) policy of this run."""
        return uniform_policy(self.u, self.w) if self.policy is None else Policy.from_dict(self.policy)

    def with_policy(self, policy: Policy) -> "TrainOptions":
        """Return these options with a policy: as u and w where one pair says it all, so that the run shows them."""
        if policy.u_scalar is None or policy.w_scalar is None:
            return replace(self, policy=policy.as_dict())
        return replace(self, u=policy.u_scalar, w=policy.w_scalar, policy=None)

    def validated(self) -> "TrainOptions":
        """Return these options when every one can be served, else raise `UsageError` naming the first that cannot."""
        self.label_policy()
        _check_choice("view", self.view, TRAINING_VIEWS)
        _check_choice("accelerator", self.accelerator, ACCELERATORS)
        _check_choice("architecture", self.architecture, ARCHITECTURES)
        _check_whole("epochs", self.epochs, 1, 10_000)
        _check_whole("batch size", self.batch_size, 1, _LARGEST_BATCH)
        _check_whole("early stopping", self.early_stopping, 0, 10_000)
        _check_whole("seed", self.seed, 0, LARGEST_SEED)
        for name in ("init_from", "records", "name", "tensorboard", "save_to"):
            _check_text(name.replace("_", " "), getattr(self, name))
        if self.image_size not in IMAGE_SIZES:
            raise UsageError(
                f"The image size must be a multiple of 32 from 32 to {RECORD_IMAGE_SIZE}. "
                f"Received: {self.image_size!r}."
            )
        if not (_is_number(self.learning_rate) and 0 < self.learning_rate <= 1):
            raise UsageError(f"The learning rate must be above 0 and at most 1. Received: {self.learning_rate!r}.")
        if self.name:
            check_name("model", self.name)
        if self.label_policy().is_learned and (self.precision != "float32" or self.batch_size < 2):
            raise UsageError(
                "A learned policy looks at small differences between halves of a batch, so it needs float32 and a "
                f"batch size of 2 or more. Received: {self.precision} and {self.batch_size}."
            )
        if self.label_policy().is_learned and self.batch_norm == "synchronised":
            raise UsageError("A learned policy looks ahead on each device for itself. Choose plain batch norm.")
        self._check_execution()
        return self

    def _check_execution(self) -> None:
        """Check what decides on how fast, not on what, is trained."""
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("XLA choice", self.xla, XLA_CHOICES)
        _check_choice("batch norm", self.batch_norm, BATCH_NORMS)
        _check_choice("decoding", self.decode, DECODINGS)
        _check_choice("cache choice", self.cache, CACHE_CHOICES)
        if self.xla == "on" and self.batch_norm == "synchronised":
            raise UsageError("XLA cannot compile synchronised batch norm. Choose --xla auto, or plain batch norm.")
        if not isinstance(self.augment, bool):
            raise UsageError(f"Augmentation must be true or false. Received: {self.augment!r}.")
        if not (_is_number(self.checkpoint_minutes) and 0 <= self.checkpoint_minutes <= _MOST_MINUTES):
            raise UsageError(
                f"The minutes between checkpoints must be from 0 to {_MOST_MINUTES}. "
                f"Received: {self.checkpoint_minutes!r}."
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "TrainOptions":
        """Return the options that `as_dict` described; keys that are no option are refused."""
        known = {field.name for field in fields(TrainOptions)}
        for name in values:
            if name not in known:
                raise UnknownNameError("training option", name, tuple(sorted(known)))
        return TrainOptions(**values)


def default_options(synthetic: bool) -> TrainOptions:
    """Return the form's defaults; on a synthetic source a small network on small images, which takes minutes."""
    return TrainOptions(architecture="densenet-small", image_size=96) if synthetic else TrainOptions()


def _check_choice(what: str, received: str, known: tuple[str, ...]) -> None:
    if received not in known:
        raise UnknownNameError(what, received, known)


def _check_text(what: str, received: object) -> None:
    if not isinstance(received, str) or len(received) > _LONGEST_TEXT or "\0" in received:
        raise UsageError(
            f"The {what} must be a text of at most {_LONGEST_TEXT} characters. Received: {received!r:.60}."
        )


def _check_whole(what: str, received: object, low: int, high: int) -> None:
    if isinstance(received, bool) or not isinstance(received, int) or not low <= received <= high:
        raise UsageError(f"The {what} must be a whole number from {low} to {high}. Received: {received!r}.")


def _is_number(received: object) -> bool:
    return isinstance(received, (int, float)) and not isinstance(received, bool) and math.isfinite(received)
