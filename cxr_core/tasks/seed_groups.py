"""Trainings that differ in the seed alone, and what the seed alone did to them."""

import json
from dataclasses import dataclass

import numpy as np

from cxr_core.evaluation.seeds import Floor, pooled_floor
from cxr_core.runs import service
from cxr_core.runs.run import COMPLETED, Run
from cxr_core.sources.registry import get_source
from cxr_core.tasks.train import KIND
from cxr_core.training.options import OPTIONS

#: What trainings that differ in the seed alone need not share: the seed, and where results go.
_APART = frozenset({"seed", *(option.name for option in OPTIONS if not option.again)})
#: The models of trainings, in groups that differ in the seed alone.
Groups = tuple[tuple[str, ...], ...]


def trainings_by_seed(source_name: str) -> Groups:
    """Return the models of completed trainings of a source in groups that differ in the seed alone, newest first.

    Raises:
        UnknownNameError: there is no such source for whoever asks.
    """
    get_source(source_name)
    groups: dict[str, list[str]] = {}
    for run in service.list_runs(KIND):
        if run.source == source_name and run.status == COMPLETED and (model := (run.result or {}).get("model")):
            groups.setdefault(_what_is_trained(run), []).append(model)
    return tuple(tuple(models) for models in groups.values())


@dataclass(frozen=True)
class RunFloor:
    """What the seed alone does to the best validation AUC of a run: of the `same` training, or of those like it."""

    floor: Floor
    same: bool
    models: tuple[str, ...]


def floor_of_run(run: Run) -> RunFloor | None:
    """Return the floor of a training by its own other seeds, else by trainings of the same records and network.

    Those may differ in policy and recipe, as long as each was repeated; None where nothing of the kind was.
    """
    own, alike = _what_is_trained(run), _what_it_is_like(run)
    groups: dict[str, list[tuple[str, float]]] = {}
    for other in service.list_runs(KIND):
        auc = (other.result or {}).get("val_auc")
        if other.status == COMPLETED and isinstance(auc, float) and _what_it_is_like(other) == alike:
            groups.setdefault(_what_is_trained(other), []).append((other.name, auc))
    for same, chosen in ((True, [groups.get(own, [])]), (False, list(groups.values()))):
        floor = pooled_floor([np.array([auc for _, auc in group]) for group in chosen])
        if floor is not None:
            return RunFloor(floor, same, tuple(name for group in chosen if len(group) > 1 for name, _ in group))
    return None


def differ_in_seed_alone(run: Run, other: Run) -> bool:
    """Say whether two runs are one training, but for the seed and for where results go."""
    return _what_is_trained(run) == _what_is_trained(other)


def _what_is_trained(run: Run) -> str:
    """Return a text that is the same for trainings of the same records by the same options, whatever their seed."""
    options = {name: value for name, value in run.config.get("options", {}).items() if name not in _APART}
    told = {name: run.config.get(name) for name in ("files_train", "files_valid", "n_train", "n_valid")}
    return json.dumps([run.source, options, told], sort_keys=True)


def _what_it_is_like(run: Run) -> str:
    """Return a text that is the same for trainings of one network on the same records."""
    known = run.config.get("options", {})
    options = {name: known.get(name) for name in ("architecture", "image_size", "view", "epochs")}
    return json.dumps([run.source, options, run.config.get("files_train"), run.config.get("files_valid")])
