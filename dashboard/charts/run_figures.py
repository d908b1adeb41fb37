"""What the charts of a training run show: the columns of its metric rows, part by part, and the words for them."""

from collections.abc import Mapping
from dataclasses import dataclass

TRAINING, VALIDATION, MEASURED = "Training", "Validation", "Training, not smoothed"
#: The parts of the first stage of self-training, in runs that have one.
FIRST_STAGE = ("First stage, training", "First stage, validation")


@dataclass(frozen=True)
class Figure:
    """What a chart shows: the columns of the metric rows by part, the words, and how a value is written."""

    title: str
    unit: str
    parts: Mapping[str, str]
    format: str = ".4f"
    percent: bool = False


_FIRST_TRAINING, _FIRST_VALIDATION = FIRST_STAGE
LOSS = Figure(
    "Training loss (line), validation loss (dashed)",
    "loss",
    {
        TRAINING: "loss",
        VALIDATION: "val_loss",
        _FIRST_TRAINING: "first_stage_loss",
        _FIRST_VALIDATION: "first_stage_val_loss",
    },
)
CERTAIN = Figure(
    "Validation loss, certain labels only",
    "loss at w = 0",
    {VALIDATION: "val_loss_certain", _FIRST_VALIDATION: "first_stage_val_loss_certain"},
)
AUC = Figure("Mean validation AUC", "AUC", {VALIDATION: "val_auc", _FIRST_VALIDATION: "first_stage_val_auc"}, ".3f")
SPEED = Figure("Throughput", "images per second", {TRAINING: "images_per_second"}, ",.0f")
WAITING = Figure("Share of the time spent waiting for data", "waiting", {TRAINING: "data_wait"}, ".1%", True)
