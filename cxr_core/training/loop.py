"""The training loop: plain steps over `tf.distribute`, a validation after each epoch, checkpoints, two model files.

Not `Model.fit`: it fails under several workers, builds its graph for a minute on few cores, and cannot go on inside an
epoch. One process holds one run.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cxr_core.errors import RunError, UsageError
from cxr_core.training.accelerators import gathered, strategy_for
from cxr_core.training.checkpoints import Checkpoint, Position, cut_metrics, load_checkpoint, save_checkpoint
from cxr_core.training.failures import explained_failures
from cxr_core.training.loss import weighted_cross_entropy
from cxr_core.training.network import build_network
from cxr_core.training.options import TrainOptions
from cxr_core.training.pipeline import count_images, training_batches, validation_batches
from cxr_core.training.reporter import RunReporter
from cxr_core.training.validation import ValidationFigures, validation_figures
from cxr_core.training.weights_file import ModelInfo, load_into, write_weights

CHECKPOINTS = "checkpoints"
METRICS = "metrics.jsonl"
BEST_MODEL = "best.h5"
LAST_MODEL = "last.h5"

_SECONDS_BETWEEN_ROWS = 0.5
_SECONDS_BETWEEN_CHECKPOINTS = 600.0
#: TensorFlow 1's Adam, as in the notebook; Keras would take 1e-7.
_ADAM_EPSILON = 1e-8


@dataclass(frozen=True)
class TrainResult:
    """How a run ended.

    Attributes:
        status: "completed" or "cancelled".
        epochs: epochs that are complete.
        steps: steps done.
        best_epoch: the epoch (from 1) of the best model; 0 where none is complete.
        best_val_auc: its mean validation AUC; None where no label had both classes.
        best_model: weights of the best epoch; None before the first epoch's end.
        last_model: weights after the last step.
        stopped_early: the validation AUC had not risen for `early_stopping` epochs.
    """

    status: str
    epochs: int
    steps: int
    best_epoch: int
    best_val_auc: float | None
    best_model: Path | None
    last_model: Path
    stopped_early: bool


def train(
    options: TrainOptions,
    paths_train: Sequence[str | Path],
    paths_valid: Sequence[str | Path],
    run: RunReporter,
    initial_weights: Path | None = None,
) -> TrainResult:
    """Train until the epochs are done, early stopping ends it, or `run.cancelled()`.

    A checkpoint in the run's folder is taken up where it stands; on one CPU the end is the same to the bit as without
    the stop. Metric rows go to `run.metrics`: `{"step","epoch","time","loss","images_per_second"}`, and after each
    epoch `{"step","epoch","time","val_loss","val_loss_certain","val_auc"}`; `time` is in seconds since 1970.

    Raises:
        UsageError: an option cannot be served here, or there are fewer training images than one batch holds.
        RecordError: a record file is damaged.
        RunError: the loss is no number any more, or memory or disk ran out.
    """
    files_train, files_valid = [str(path) for path in paths_train], [str(path) for path in paths_valid]
    options = options.validated()
    strategy = _prepared_strategy(options)
    with explained_failures([*files_train, *files_valid]):
        training = _Training(options, strategy, files_train, files_valid, run, initial_weights)
        return training.run_all()


def _prepared_strategy(options: TrainOptions) -> Any:
    """Return the strategy, with TensorFlow set up so that the seed decides everything and the first step comes soon."""
    if options.accelerator == "cpu":
        # Deterministic kernels are slow or missing elsewhere; rewriting the graph costs 30 s and gains nothing here.
        tf.config.experimental.enable_op_determinism()
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    strategy = strategy_for(options.accelerator)
    if options.batch_size % strategy.num_replicas_in_sync:
        raise UsageError(
            f"The batch size must be a multiple of the {strategy.num_replicas_in_sync} devices. "
            f"Received: {options.batch_size}."
        )
    keras.utils.set_random_seed(options.seed)
    return strategy


class _Training:
    """One run: the network with its optimizer, and where it stands."""

    def __init__(
        self,
        options: TrainOptions,
        strategy: Any,
        files_train: list[str],
        files_valid: list[str],
        run: RunReporter,
        initial_weights: Path | None,
    ) -> None:
        self.options, self.strategy, self.run = options, strategy, run
        self.files_train, self.files_valid = files_train, files_valid
        self.policy = options.label_policy()
        self.steps_per_epoch = _steps_per_epoch(count_images(files_train), options.batch_size)
        if count_images(files_valid) == 0:
            raise UsageError("There must be at least one validation image. Received: none.")
        self.steps = self.steps_per_epoch * options.epochs
        with strategy.scope():
            self.network = build_network(options.architecture, options.image_size)
            self.optimizer = keras.optimizers.Adam(options.learning_rate, epsilon=_ADAM_EPSILON)
            self.optimizer.build(self.network.trainable_variables)
        if initial_weights is not None:
            load_into(self.network, initial_weights)
        self.position = self._restored()
        self.train_step = self._train_step()
        self.predict_step = self._predict_step()
        self.saved_at = time.monotonic()
        self.board = _board(options, run)

    def run_all(self) -> TrainResult:
        """Train epoch by epoch from where the run stands."""
        with self.board:
            while self.position.epoch < self.options.epochs and not self._stops_early():
                if not (self._train_epoch() and self._finish_epoch()):
                    self._save_checkpoint()
                    return self._result("cancelled")
        return self._result("completed")

    def _train_epoch(self) -> bool:
        """Do the epoch's remaining steps; False when cancelled."""
        window = _Window(self.options.batch_size)
        for images, targets, weights in self._epoch_batches():
            if self.run.cancelled():
                self._report(window)
                return False
            window.add(self.train_step(images, targets, weights))
            self._advance()
            last = self.position.step_in_epoch == self.steps_per_epoch
            if last or self.position.step == 1 or window.seconds() >= _SECONDS_BETWEEN_ROWS:
                self._report(window)
            if time.monotonic() - self.saved_at >= _SECONDS_BETWEEN_CHECKPOINTS:
                self._save_checkpoint()
        return True

    def _epoch_batches(self) -> Any:
        position, options = self.position, self.options
        batches = training_batches(
            self.files_train,
            self.policy,
            options.image_size,
            options.batch_size,
            options.seed,
            position.epoch,
            position.step_in_epoch,
        )
        self._tell("Training")
        return self.strategy.experimental_distribute_dataset(batches)

    def _advance(self) -> None:
        position = self.position
        self.position = replace(position, step=position.step + 1, step_in_epoch=position.step_in_epoch + 1)

    def _report(self, window: "_Window") -> None:
        """Write a row for the steps since the last one, and see that the loss is still a number."""
        if not window.losses:
            return
        self._write_row(window.row(self.position.step))
        window.clear()
        self._tell("Training")

    def _finish_epoch(self) -> bool:
        """Validate, keep the model, write the checkpoint; False when cancelled meanwhile."""
        self._tell("Validating")
        figures = self._validated()
        if figures is None:
            return False
        self._write_row(figures.row())
        position, epoch = self.position, self.position.epoch + 1
        better = position.best_epoch == 0 or _is_better(figures.auc, position.best_auc)
        if better:
            position = replace(position, best_auc=figures.auc, best_epoch=epoch)
            self._write_model(BEST_MODEL)
        self.position = replace(position, epoch=epoch, step_in_epoch=0)
        self._save_checkpoint()
        self._tell(f"Epoch {epoch} of {self.options.epochs} done")
        return True

    def _validated(self) -> ValidationFigures | None:
        """Return the figures on all validation images, or None when cancelled."""
        logits: list[Any] = []
        codes: list[Any] = []
        for found, known in self._validation_outputs():
            if self.run.cancelled():
                return None
            logits.append(found)
            codes.append(known)
        return validation_figures(np.concatenate(logits), np.concatenate(codes), self.policy)

    def _validation_outputs(self) -> Iterator[tuple[Any, Any]]:
        """Yield (logits, label codes) batch by batch, without the rows that fill up the last one."""
        batches = validation_batches(self.files_valid, self.options.image_size, self.options.batch_size)
        for images, others, real in self.strategy.experimental_distribute_dataset(batches):
            outputs = (self.predict_step(images), others["codes"], real)
            found, codes, rows = (gathered(self.strategy, output) for output in outputs)
            yield found[rows], codes[rows]

    def _train_step(self) -> Any:
        """Return a function of (images, targets, weights) that does one step and returns the loss before it."""
        replicas = self.strategy.num_replicas_in_sync

        def on_replica(images: Any, targets: Any, weights: Any) -> Any:
            with tf.GradientTape() as tape:
                logits = self.network(images, training=True)
                # The optimizer sums the gradients of all replicas, so that each brings its share of the mean.
                loss = weighted_cross_entropy(targets, weights, logits) / replicas
            variables = self.network.trainable_variables
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return loss

        @tf.function
        def step(images: Any, targets: Any, weights: Any) -> Any:
            losses = self.strategy.run(on_replica, args=(images, targets, weights))
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

        return step

    def _predict_step(self) -> Any:
        """Return a function of images that returns the logits of each replica."""

        @tf.function
        def step(images: Any) -> Any:
            return self.strategy.run(lambda batch: self.network(batch, training=False), args=(images,))

        return step

    def _restored(self) -> Position:
        """Put the newest good checkpoint into the variables, drop the metric rows after it, return where it stands."""
        checkpoint = load_checkpoint(self.run.folder / CHECKPOINTS)
        position = Position() if checkpoint is None else checkpoint.position
        cut_metrics(self.run.folder / METRICS, position.step, position.epoch)
        if checkpoint is not None:
            _assign(self.network.variables, checkpoint.network)
            _assign(self.optimizer.variables, checkpoint.optimizer)
        return position

    def _save_checkpoint(self) -> None:
        """Write the checkpoint and the model as it is now."""
        network = [np.asarray(variable.value) for variable in self.network.variables]
        optimizer = [np.asarray(variable.value) for variable in self.optimizer.variables]
        self._write_model(LAST_MODEL)
        save_checkpoint(self.run.folder / CHECKPOINTS, Checkpoint(self.position, network, optimizer))
        self.saved_at = time.monotonic()

    def _write_model(self, name: str) -> None:
        options = self.options
        policy = self.policy.as_dict()
        info = ModelInfo(options.architecture, options.image_size, options.view, policy, run=self.run.folder.name)
        write_weights(self.network, self.run.folder / name, info)

    def _stops_early(self) -> bool:
        waited = self.position.epoch - self.position.best_epoch
        return 0 < self.options.early_stopping <= waited and self.position.best_epoch > 0

    def _write_row(self, figures: dict[str, float | None]) -> None:
        step, epoch = self.position.step, self.position.epoch + 1
        self.run.metrics({"step": step, "epoch": epoch, "time": round(time.time(), 3)} | figures)
        if self.options.tensorboard:
            for name, value in figures.items():
                if value is not None:
                    tf.summary.scalar(name, value, step=step)

    def _tell(self, message: str) -> None:
        epoch = min(self.position.epoch + 1, self.options.epochs)
        self.run.progress(self.position.step, self.steps, epoch=epoch, message=message)

    def _result(self, status: str) -> TrainResult:
        position, folder = self.position, self.run.folder
        return TrainResult(
            status=status,
            epochs=position.epoch,
            steps=position.step,
            best_epoch=position.best_epoch,
            best_val_auc=position.best_auc,
            best_model=folder / BEST_MODEL if position.best_epoch else None,
            last_model=folder / LAST_MODEL,
            stopped_early=status == "completed" and position.epoch < self.options.epochs,
        )


class _Window:
    """The losses since the last metrics row; they stay on the device until then, so that it need not wait."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.clear()

    def clear(self) -> None:
        self.losses: list[Any] = []
        self.began = time.monotonic()

    def add(self, loss: Any) -> None:
        self.losses.append(loss)

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def row(self, last_step: int) -> dict[str, float | None]:
        """Return the mean loss and the images per second; raise `RunError` when a loss is no number."""
        losses = np.array([float(loss) for loss in self.losses])
        wrong = np.flatnonzero(~np.isfinite(losses))
        if wrong.size:
            step = last_step - len(losses) + 1 + int(wrong[0])
            raise RunError(
                f"The loss became {losses[wrong[0]]} in step {step}. Choose a lower learning rate and start a new run."
            )
        images = len(losses) * self.batch_size
        return {"loss": float(losses.mean()), "images_per_second": round(images / max(self.seconds(), 1e-9), 2)}


def _steps_per_epoch(images: int, batch_size: int) -> int:
    if images < batch_size:
        raise UsageError(f"A batch must not be larger than the {images} training images. Received: {batch_size}.")
    return images // batch_size


def _is_better(auc: float | None, best: float | None) -> bool:
    return auc is not None and (best is None or auc > best)


def _assign(variables: Sequence[Any], arrays: Sequence[Any]) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [array.shape for array in arrays]:
        raise RunError("The checkpoint belongs to another network. Start a new run instead of resuming this one.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _board(options: TrainOptions, run: RunReporter) -> Any:
    """Return a context in which `tf.summary` writes to a folder of this run under the TensorBoard folder, if any."""
    if not options.tensorboard:
        return nullcontext()
    return tf.summary.create_file_writer(f"{options.tensorboard.rstrip('/')}/{run.folder.name}").as_default()
