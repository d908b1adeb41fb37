"""What a run takes along to another place: the definition of its source, and the files that it reads but records."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_core.errors import UsageError
from cxr_core.locations import is_remote
from cxr_core.runs.places.goods import Goods
from cxr_core.runs.places.registry import definition_of, get_place
from cxr_core.runs.run import HERE, Run
from cxr_core.sources.registry import SOURCE_FILE, get_source
from cxr_core.sources.source import Source
from cxr_core.tasks.named_model import is_path, weights_of
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import Policy

_TRAIN = "train"
_MULTI_WORKER = "multi-worker"


def training_goods(source: Source, options: TrainOptions, place: str) -> Goods | None:
    """Return what a training takes along; None where it works here.

    Raises:
        UsageError: it is one of several workers that are started on their machines one by one.
    """
    if place == HERE:
        return None
    if options.accelerator == _MULTI_WORKER:
        raise UsageError(
            f"A run with --accelerator {_MULTI_WORKER} is started on each machine by itself. With --on, say how many "
            "by --workers, and choose the accelerator of each."
        )
    if options.workers > 1 and definition_of(place).location:
        raise UsageError(
            f"Several workers need a folder that all their machines see. That of {place} lies on an object store. "
            "Choose another place, or --workers 1."
        )
    files = {}
    if options.init_from and not is_path(options.init_from):
        weights = weights_of(source, options.init_from)
        files[_below(source, "models", weights.name)] = str(weights)
    return Goods(files, {_below(source, SOURCE_FILE): _definition(source, options.policy)})


def prediction_goods(source: Source, weights: Path, table: Path) -> tuple[Goods, str]:
    """Return what a prediction takes along, and where it finds the weights below the workspace there.

    Args:
        source: whose records are predicted.
        weights: the file of the model.
        table: the prediction table that it writes, or adds to.
    """
    at = f"weights/{weights.name}"
    files = {at: str(weights)}
    if table.is_file():
        files[_below(source, "predictions", table.name)] = str(table)
    return Goods(files, {_below(source, SOURCE_FILE): _definition(source)}), at


def goods_of(run: Run, place: str) -> Goods | None:
    """Return what a training that is resumed at another place than here takes along; raises as `training_goods`."""
    if run.kind != _TRAIN:
        raise UsageError(f"Only a training can go on at another place. Run {run.run} is a {run.kind} run.")
    return training_goods(get_source(run.source), TrainOptions.from_dict(run.config["options"]), place)


def records_at(place: str, source: Source) -> str:
    """Return the pattern of the records that a run reads at a place: the place's own, else the source's."""
    own = "" if place == HERE else definition_of(place).records
    return own or source.records


def check_reads(place: str, files: Sequence[str]) -> None:
    """Raise `UsageError` where a place shares no disk with this machine and a file lies on one."""
    unread = next((file for file in files if not is_remote(file)), None)
    if place != HERE and unread is not None and not get_place(place).terms().reads_paths:
        raise UsageError(
            f"The place {place} reads records on gs:// alone. Received: {unread}. Copy them to a bucket, and name that "
            f"by `records` in [places.{place}] of cxr.toml, or by --records."
        )


def _below(source: Source, *parts: str) -> str:
    return "/".join(("sources", source.name, *parts))


def _definition(source: Source, policy: Policy | None = None) -> str:
    """Return a `source.toml` whose paths are those of this machine; predictions only where a policy reads them."""
    keys: dict[str, Any] = {"kind": source.kind, "records": source.records, "synthetic": source.synthetic}
    keys |= {"labels": list(source.labels)}
    if policy is not None and policy.by_image:
        keys |= {"predictions": list(source.predictions)}
    for name in ("project", "maximum_bytes_billed", "credentials", "location", "null_is"):
        value = getattr(source, name)
        keys |= {} if value is None else {name: value}
    # A JSON text, number, boolean or list of texts is one of TOML too.
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in keys.items())
