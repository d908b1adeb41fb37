"""Self-training in two stages as one run: the first stage, and the u that it gives the training images."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from cxr_core.atomic import write_bytes
from cxr_core.errors import UsageError
from cxr_core.locations import is_remote
from cxr_core.policy_kinds import SELF_TRAINED
from cxr_core.records.layout import stated_labels
from cxr_core.runs.step import Cancelled, StepContext
from cxr_core.schema import LABELS, Value
from cxr_core.sources.source import Source
from cxr_core.storage import for_tensorflow
from cxr_core.tasks.image_targets import keep_image_targets
from cxr_core.training.first_stage import FOLDER, Stage, first_stage_options, taught_labels, untaught
from cxr_core.training.options import TrainOptions
from cxr_core.training.row_targets import NONE, as_units, read_row_targets, write_row_targets

#: What the first stage came to, and what its model predicts of the training images, in its folder.
RESULT_FILE, TABLE_FILE = "result.json", "predictions.parquet"
_ONE_PROCESS = ("cpu", "gpu", "multi-gpu", "tpu")


def check_two_stages(options: TrainOptions, files: Sequence[str]) -> None:
    """Raise `UsageError` unless a run of two stages can be had on these training records.

    It works in one process, which knows the number of each image, and there is an uncertain image to be taught of.
    """
    if options.accelerator not in _ONE_PROCESS:
        raise UsageError(
            f"Self-training in two stages works in one process. Received: --accelerator {options.accelerator}. Train "
            f"the first model, predict the training images, and name it: --policy {SELF_TRAINED}:MODEL."
        )
    if any(map(is_remote, files)):
        raise UsageError("A u of each image needs records on this machine. Copy them here, and name them by --records.")
    if untaught(options.policy, stated_labels(files, Value.uncertain)):
        raise UsageError(
            "No training image is uncertain of a label that is self-trained, so there is nothing to teach. "
            "Choose another policy."
        )


def stages_of(options: TrainOptions, context: StepContext) -> tuple[Stage, Stage]:
    """Return what the two stages of a run report to."""
    steps = context.config["steps_per_epoch"] * options.epochs
    first, second = (Stage(context, number, steps, options.epochs) for number in (1, 2))
    return first, second


def first_stage(
    source: Source, options: TrainOptions, stage: Stage, context: StepContext, initial: Path | None
) -> dict[str, Any]:
    """Train the first stage from where it stands and keep the u that it gives; return what it came to.

    Once the u are kept, in the folder of the run, nothing of it is done again.

    Raises:
        Cancelled: the run was asked to stop.
        CxrError: what training and predicting find.
    """
    done = stage.folder / RESULT_FILE
    if read_row_targets(context.folder) is not None:
        told: dict[str, Any] = json.loads(done.read_text())
        return told
    from cxr_core.training.fresh import forget_networks
    from cxr_core.training.loop import train

    stage.folder.mkdir(exist_ok=True)
    own = first_stage_options(options, context.run)
    files, valid = context.config["files_train"], context.config["files_valid"]
    keep_image_targets(source, own.policy, own.view, files, stage.folder)
    result = train(own, for_tensorflow(files), for_tensorflow(valid), stage, initial, context.config["n_train"])
    if result.status == "cancelled":
        raise Cancelled
    model = result.best_model or result.last_model
    assert model is not None
    units, digest = _taught(own, model, files, stage, context)
    told = {"policy": own.policy.as_dict(), "epochs": result.epochs, "best_epoch": result.best_epoch}
    told |= {"val_auc": result.best_val_auc, "table": f"{FOLDER}/{TABLE_FILE}", "table_digest": digest}
    write_bytes(done, json.dumps(told, indent=1).encode())
    own_targets = read_row_targets(stage.folder)
    mixed = np.full_like(units, NONE) if own_targets is None else own_targets
    write_row_targets(context.folder, np.where(np.array(taught_labels(options.policy)), units, mixed))
    forget_networks()
    return told


def _taught(
    options: TrainOptions, model: Path, files: Sequence[str], stage: Stage, context: StepContext
) -> tuple[npt.NDArray[np.int32], str]:
    """Return the u (images, 14) that a model gives the training images, in their order, and the digest of its table."""
    from cxr_core.models.predict import record_logits

    def tell(done: int) -> None:
        context.stop_if_cancelled()
        stage.progress(stage.steps, stage.steps, message=f"predicted {done:,} training images")

    keys, logits = record_logits(model, for_tensorflow(files), options.accelerator, tell)
    scores = pd.DataFrame(logits.astype(np.float64), columns=list(LABELS))
    table = io.BytesIO()
    pd.concat([keys, scores], axis=1).to_parquet(table, index=False)
    write_bytes(stage.folder / TABLE_FILE, table.getvalue())
    digest = hashlib.sha256(np.ascontiguousarray(logits, "<f4").tobytes()).hexdigest()
    return as_units(expit(scores.to_numpy())), digest[:16]
