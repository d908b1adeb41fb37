"""Self-training in two stages (Irvin et al. 2019): a first model says what the uncertain labels of the second are.

The first stage trains as any run does, with the labels that are `self-trained` left out where uncertain, or taken as a
strategy says. What its best model predicts of a training image is the target u of the image's uncertain labels in the
second stage, which begins anew. Both are one run: steps and epochs are counted on, and the first stage's figures have
names of their own, so that whoever asks for a loss or a best epoch hears of the model that the run leaves.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cxr_core.policy_kinds import SELF_TRAINED
from cxr_core.schema import LABELS
from cxr_core.training.options import TrainOptions
from cxr_core.training.reporter import RunReporter
from cxr_core.uncertainty import CUSTOM, NAMED_POLICIES, Policy, label_policy

#: The part of a run's folder that has the checkpoints and the model of the first stage.
FOLDER = "first-stage"
#: What the names of its figures begin with.
PREFIX = "first_stage_"
#: What says the same in rows of both stages.
_SHARED = frozenset({"step", "epoch", "time", "images_per_second", "data_wait"})


def taught_labels(policy: Policy) -> tuple[bool, ...]:
    """Return of which labels a first stage gives the images their u."""
    return tuple(kind == SELF_TRAINED for kind in policy.kinds or ("",) * len(LABELS))


def first_stage_policy(policy: Policy, strategy: str) -> Policy:
    """Return the policy of the first stage: the labels that it teaches are of a strategy, the others as they are.

    Args:
        policy: of the run.
        strategy: one of `NAMED_POLICIES`.
    """
    u_taught, w_taught = NAMED_POLICIES[strategy]
    taught = taught_labels(policy)
    u = tuple(u_taught if here else one for here, one in zip(taught, policy.u, strict=True))
    w = tuple(w_taught if here else one for here, one in zip(taught, policy.w, strict=True))
    kinds = tuple("" if here else kind for here, kind in zip(taught, policy.kinds, strict=True))
    if not (policy.u_to or any(kinds)):
        return label_policy(u, w, blank_us=policy.blank_u, blank_ws=policy.blank_w)
    upper = tuple(u_taught if here else one for here, one in zip(taught, policy.upper, strict=True))
    return Policy(CUSTOM, u, w, policy.blank_u, policy.blank_w, upper if policy.u_to else (), kinds)


def first_stage_options(options: TrainOptions, run: str) -> TrainOptions:
    """Return the options of the first stage of a run; copies of the model are sent of the second alone."""
    logs = f"{options.tensorboard.rstrip('/')}/{run}" if options.tensorboard else ""
    policy = first_stage_policy(options.policy, options.first_stage)
    return replace(options, policy=policy, tensorboard=logs, save_to="")


@dataclass(frozen=True)
class Stage:
    """What one of the two stages reports to: it tells the run of itself as a part of the whole.

    Attributes:
        run: what the run reports to.
        number: 1 or 2.
        steps, epochs: planned of each stage.
    """

    run: RunReporter
    number: int
    steps: int
    epochs: int

    @property
    def folder(self) -> Path:
        """The folder of the stage; that of the second is the run's."""
        return self.run.folder / FOLDER if self.number == 1 else self.run.folder

    def metrics(self, row: dict[str, Any]) -> None:
        """Write a row of the run: counted on, and with the names of the stage."""
        named = {self._name(name): value for name, value in row.items()}
        counted = {"step": row["step"] + self._before(self.steps), "epoch": row["epoch"] + self._before(self.epochs)}
        self.run.metrics(named | counted)

    def resumed(self, step: int, epoch: int) -> None:
        """Hear where the stage goes on."""
        self.run.resumed(step + self._before(self.steps), epoch + self._before(self.epochs))

    def progress(self, step: int, steps: int, epoch: int | None = None, message: str = "") -> None:
        """Tell how far the run is."""
        told = None if epoch is None else epoch + self._before(self.epochs)
        self.run.progress(step + self._before(steps), 2 * steps, told, f"Stage {self.number} of 2: {message}")

    def cancelled(self) -> bool:
        """Say whether the run was asked to stop."""
        return self.run.cancelled()

    def _before(self, planned: int) -> int:
        return planned * (self.number - 1)

    def _name(self, name: str) -> str:
        return name if self.number == 2 or name in _SHARED else f"{PREFIX}{name}"


def untaught(policy: Policy, uncertain: tuple[str, ...]) -> bool:
    """Say whether no label that a first stage teaches is among the `uncertain`, of which some image is."""
    return not any(here and label in uncertain for here, label in zip(taught_labels(policy), LABELS, strict=True))
