"""The part of the table of options that says how a network learns: rate, decay, averages, dropout, variation.

The default of each leaves the training of the 2019 notebook as it is, to the bit.
"""

from dataclasses import dataclass

from cxr_core.errors import UsageError
from cxr_core.training.option import Number, OneOf, Switch, Whole, stated
from cxr_core.uncertainty import NAMED_POLICIES

CONSTANT, COSINE, PLATEAU = SCHEDULES = ("constant", "cosine", "plateau")
NO_CLASS_WEIGHTS, BALANCED = CLASS_WEIGHTS = ("none", "balanced")


@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """How a network learns; part of `TrainOptions`."""

    schedule: str = stated(
        CONSTANT,
        OneOf(SCHEDULES),
        "Learning rate's schedule",
        "How the learning rate changes: not at all (constant), down to 0 along half a cosine over the whole run "
        "(cosine), or down by a factor when the validation AUC no longer rises (plateau).",
        "recipe",
        noun="schedule",
    )
    warm_up: float = stated(
        0.0,
        Number(0.0, 1000.0, step=0.5),
        "Warm-up (epochs)",
        "The learning rate rises evenly from 0 over so many epochs, or parts of one, before its schedule begins.",
        "recipe",
        noun="warm-up",
    )
    plateau_epochs: int = stated(
        2,
        Whole(1, 10_000),
        "Plateau (epochs)",
        "With the schedule plateau: after how many epochs without a better validation AUC the learning rate falls.",
        "recipe",
        noun="number of plateau epochs",
    )
    plateau_factor: float = stated(
        0.1,
        Number(0.0, 1.0, above_low=True, step=0.1),
        "Plateau factor",
        "With the schedule plateau: by what the learning rate is multiplied when it falls.",
        "recipe",
    )
    weight_decay: float = stated(
        0.0,
        Number(0.0, 1.0, step=0.01, shown="%.4f"),
        "Weight decay",
        "Each step also shrinks the kernels by this share times the learning rate (AdamW); biases and batch norm are "
        "left alone. 0 is plain Adam, 0.01 to 0.1 are usual.",
        "recipe",
    )
    clip_norm: float = stated(
        0.0,
        Number(0.0, 1e6, step=0.5),
        "Largest gradient norm",
        "A longer gradient, all weights together, is shortened to this before the step; 0 leaves it as it is.",
        "recipe",
        noun="largest gradient norm",
    )
    ema: float = stated(
        0.0,
        Number(0.0, 0.999999, step=0.01, shown="%.4f"),
        "Weight average (EMA)",
        "Validates and keeps a running average of the weights instead of the last ones: the share that it keeps of "
        "itself in each step, as in 0.99 or 0.999, less in the first steps. 0 takes no average.",
        "recipe",
        noun="share of the weight average",
    )
    dropout: float = stated(
        0.0,
        Number(0.0, 0.95, step=0.1),
        "Dropout",
        "The share of the features that each training image lacks, drawn anew in each step. 0 drops none.",
        "recipe",
    )
    class_weights: str = stated(
        NO_CLASS_WEIGHTS,
        OneOf(CLASS_WEIGHTS),
        "Class weights",
        "Balanced weighs the positive images of each label up until they count as much as its negative ones in the "
        "training set, 100 times at most. Scores of rare labels rise with it, so calibrate or choose thresholds anew.",
        "recipe",
        noun="class weights",
    )
    augment: bool = stated(
        False,
        Switch(),
        "Vary the images",
        "Turns, shifts, zooms and re-contrasts each training image a little, differently in each epoch, mirrors none. "
        "It can help against learning images by heart; the 2019 notebook did without.",
        "recipe",
        noun="choice whether images are varied",
    )
    largest_turn: float = stated(
        7.0, Number(0.0, 45.0, step=1.0), "Largest turn (degrees)", "Of images that are varied, either way.", "recipe"
    )
    largest_shift: float = stated(
        0.05, Number(0.0, 0.5, step=0.01), "Largest shift", "Of images that are varied: a share of the side.", "recipe"
    )
    largest_zoom: float = stated(
        0.07, Number(0.0, 0.5, step=0.01), "Largest zoom", "Of images that are varied: a share, in and out.", "recipe"
    )
    largest_contrast: float = stated(
        0.15,
        Number(0.0, 0.9, step=0.05),
        "Largest change of contrast",
        "Of images that are varied: a share, up and down.",
        "recipe",
        noun="largest change of contrast",
    )

    first_stage: str = stated(
        "ignore",
        OneOf(tuple(NAMED_POLICIES)),
        "First stage of self-training",
        "What uncertain labels are in the first of the two stages of the policy self-trained, whose model then gives "
        "each uncertain image its u. Other policies have no such stage.",
        "recipe",
        noun="policy of the first stage",
    )

    def check_recipe(self, epochs: int, learns_policy: bool) -> None:
        """Raise `UsageError` where the recipe cannot be had with so many epochs, or with a policy that is learned."""
        if self.warm_up > epochs or (self.schedule == COSINE and self.warm_up == epochs):
            raise UsageError(
                f"The warm-up must end before the last epoch does. Received: {self.warm_up:g} of {epochs} epochs. "
                "Train for more epochs, or warm up for less."
            )
        if learns_policy and self.class_weights != NO_CLASS_WEIGHTS:
            raise UsageError(
                "A learned policy is found by the loss as it is, so it has no class weights. "
                "Leave --class-weights out, or choose another policy."
            )
