"""The training loop: plain steps over `tf.distribute`, a validation after each epoch, checkpoints, model files.

Not `Model.fit`: it fails under several workers, builds its graph for a minute on few cores, and cannot go on inside an
epoch. One process holds one run, or one worker of a run on several machines.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cxr_core.training.adam import Adam
from cxr_core.training.board import Board
from cxr_core.training.devices import prepared_strategy
from cxr_core.training.dropout import draw_dropout
from cxr_core.training.failures import explained_failures
from cxr_core.training.model_files import BEST, LAST, ModelFiles
from cxr_core.training.network import build_network
from cxr_core.training.options import TrainOptions
from cxr_core.training.rate import Rate
from cxr_core.training.record_order import RecordFiles
from cxr_core.training.reporter import RunReporter
from cxr_core.training.result import TrainResult
from cxr_core.training.row_targets import read_row_targets
from cxr_core.training.run_data import RunData
from cxr_core.training.run_state import RunState
from cxr_core.training.run_tables import tables_for
from cxr_core.training.start_weights import start_from
from cxr_core.training.step_rows import StepRows
from cxr_core.training.steps import Steps
from cxr_core.training.validation import ValidationFigures, is_better, validation_figures
from cxr_core.training.weight_average import WeightAverage
from cxr_core.training.weights_file import ModelInfo
from cxr_core.training.workers import Workers

CHECKPOINTS = "checkpoints"


def train(
    options: TrainOptions,
    paths_train: Sequence[str | Path],
    paths_valid: Sequence[str | Path],
    run: RunReporter,
    initial_weights: Path | None = None,
    images: int | None = None,
) -> TrainResult:
    """Train until the epochs are done, early stopping ends it, or `run.cancelled()`.

    A checkpoint in the run's folder is taken up where it stands; on one CPU the end is the same to the bit as without
    the stop. Metric rows go to `run.metrics`: one a step (`StepRows.take`), and after each epoch `{"step", "epoch",
    "time", "val_loss", "val_loss_certain", "val_auc", "val_auc_guessing", "val_auc_labels"}`, the last with 14 AUCs in
    schema order, null where a label has one class alone. `images`: how many there are to train on, if that is known.

    Raises:
        UsageError: an option cannot be served here, or there are fewer training images than one batch holds.
        RecordError, RunError: a record file is damaged; the loss is no number any more, or memory or disk ran out.
    """
    files_train, files_valid = [str(path) for path in paths_train], [str(path) for path in paths_valid]
    options = options.validated()
    strategy = prepared_strategy(options)
    workers = Workers(strategy)
    options = replace(options, seed=workers.seed(options.seed))
    with explained_failures([*files_train, *files_valid]):
        rows = read_row_targets(run.folder) if options.policy.by_image else None
        data = RunData(options, RecordFiles.of(files_train), RecordFiles.of(files_valid), images, rows)
        return _Training(options, workers, data, run, initial_weights).run_all()


class _Training:
    """One run: its state, the steps that change it, and what it writes."""

    def __init__(
        self, options: TrainOptions, workers: Workers, data: RunData, run: RunReporter, initial_weights: Path | None
    ) -> None:
        self.options, self.data, self.run = options, data, run
        self.workers, strategy = workers, workers.strategy
        with strategy.scope():
            how = (options.batch_norm, options.precision, options.dropout, options.channels, options.pooled_by)
            network = build_network(options.architecture, options.image_size, *how)
            policy = tables_for(options, strategy, network, data)
            trained = (*network.trainable_variables, *policy.trainable)
            self.rate = Rate(options, data.steps_per_epoch)
            half = options.precision == "float16"
            optimizer = Adam(trained, self.rate.value, half, options.weight_decay, options.clip_norm)
            self.started = "" if initial_weights is None else start_from(network, initial_weights).words()
            self.average = WeightAverage(network, options.ema)
        draw_dropout(network, options.seed, optimizer.steps)
        self.steps = Steps(strategy, network, optimizer, policy, options.xla == "on", self.average)
        self.state = RunState(network, optimizer, policy, self.workers, self.average)
        self.models = ModelFiles(run.folder)
        self.models.drop_leftovers()
        self.state.restore(run.folder / CHECKPOINTS)
        run.resumed(self.state.position.step, self.state.position.epoch)
        self.total = data.steps_per_epoch * options.epochs
        self.saved_at = time.monotonic()
        self.board = Board(options.tensorboard if workers.is_chief else "", run.folder.name)

    def run_all(self) -> TrainResult:
        """Train epoch by epoch from where the run stands."""
        with self.board.opened():
            while self.state.position.epoch < self.options.epochs and not self._stops_early():
                if not (self._train_epoch() and self._finish_epoch()):
                    self._save_checkpoint()
                    return self._result("cancelled")
        return self._result("completed")

    def _train_epoch(self) -> bool:
        """Do the epoch's remaining steps; False when cancelled."""
        rows = StepRows(self.options.batch_size, self.total, self.data.steps_per_epoch)
        self._tell("Training")
        for images, codes in self._epoch_batches(rows):
            if self._cancelled():
                self._write_rows(rows)
                return False
            self._step(rows, images, codes)
            if rows.are_due():
                self._write_rows(rows)
            if time.monotonic() - self.saved_at >= 60 * self.options.checkpoint_minutes:
                self._write_rows(rows)
                self._save_checkpoint()
        self._write_rows(rows)
        return True

    def _step(self, rows: StepRows, images: Any, codes: Any) -> None:
        """Do one step: the policy may change first, then the network does."""
        position, policy = self.state.position, self.state.policy
        policy.before_step(position.step, images, codes)
        rate = self.rate.before_step(position.step, position.cuts)
        loss = self.steps.train(images, codes)
        self.state.position = replace(position, step=position.step + 1, step_in_epoch=position.step_in_epoch + 1)
        number = self.state.position.step
        rows.add(number, loss, rate, policy.figures() if rows.has_row(number) else {})

    def _epoch_batches(self, rows: StepRows) -> Iterator[tuple[Any, Any]]:
        """Yield the batches that are left of the epoch, and count the time that they let us wait."""
        position = self.state.position
        left = self.data.steps_per_epoch - position.step_in_epoch
        batches = iter(self.data.training(self.workers, position.epoch, position.step_in_epoch))
        for _ in range(left):
            began = time.monotonic()
            batch = next(batches)
            rows.waited(time.monotonic() - began)
            yield batch
        if self.data.cache is not None:
            # The records of the last partial batch pass by on the way to the end.
            next(batches, None)

    def _write_rows(self, rows: StepRows) -> None:
        """Write the rows of the steps since the last ones, and see that the losses are still numbers."""
        for row in rows.take():
            self._write_row(row)
        self._tell("Training")

    def _finish_epoch(self) -> bool:
        """Validate, keep the model, write the checkpoint; False when cancelled meanwhile."""
        epoch = self.state.position.epoch + 1
        self._tell("Validating")
        policy_before = self.state.policy.arrays()
        self.state.policy.after_epoch(epoch)
        figures = self._validated()
        if figures is None:
            # The checkpoint stands before the end of the epoch, which comes again when the run goes on.
            self.state.policy.restore(policy_before)
            return False
        position = self.state.position
        about = {"step": position.step, "epoch": epoch, "time": round(time.time(), 3)}
        self._write_row(about | figures.row() | self.state.policy.epoch_figures())
        better = position.best_epoch == 0 or is_better(figures.auc, position.best_auc)
        if better:
            position = replace(position, best_auc=figures.auc, best_epoch=epoch)
            self._write_model(BEST)
        stale, cuts = self.rate.schedule.after_epoch(position.stale, position.cuts, better)
        self.state.position = replace(position, epoch=epoch, step_in_epoch=0, stale=stale, cuts=cuts)
        self._save_checkpoint()
        self._tell(f"Epoch {epoch} of {self.options.epochs} done")
        return True

    def _validated(self) -> ValidationFigures | None:
        """Return the figures on all validation images, or None when cancelled."""
        logits: list[Any] = []
        codes: list[Any] = []
        with self.average.in_place():
            for found, known in self._validation_outputs():
                if self._cancelled():
                    return None
                logits.append(found)
                codes.append(known)
        return validation_figures(np.concatenate(logits), np.concatenate(codes), self.state.policy.policy())

    def _validation_outputs(self) -> Iterator[tuple[Any, Any]]:
        """Yield (logits, label codes) batch by batch, without the rows that fill up the last one."""
        batches = -(-self.data.valid.count() // self.options.batch_size)
        for images, codes, real in itertools.islice(self.data.validation(self.workers), batches):
            outputs = (self.steps.predict(images), codes, real)
            found, known, rows = (self.workers.rows(output) for output in outputs)
            yield found[rows.astype(bool)], known[rows.astype(bool)]

    def _cancelled(self) -> bool:
        return self.workers.any(self.run.cancelled())

    def _save_checkpoint(self) -> None:
        self.state.save(self.run.folder / CHECKPOINTS)
        self.saved_at = time.monotonic()

    def _write_model(self, name: str) -> None:
        if not self.workers.is_chief:
            return
        info = replace(
            ModelInfo.of(self.options, self.state.policy.policy()),
            run=self.run.folder.name,
            untrained=self.data.untrained,
            equalised=self.data.equalised,
        )
        with self.average.in_place():
            self.models.write(name, self.state.network, info)

    def _stops_early(self) -> bool:
        position = self.state.position
        return 0 < self.options.early_stopping <= position.epoch - position.best_epoch and position.best_epoch > 0

    def _write_row(self, row: dict[str, Any]) -> None:
        self.run.metrics(row)
        self.board.write(row)

    def _tell(self, message: str) -> None:
        epoch = min(self.state.position.epoch + 1, self.options.epochs)
        self.run.progress(self.state.position.step, self.total, epoch=epoch, message=message)

    def _result(self, status: str) -> TrainResult:
        position, chief = self.state.position, self.workers.is_chief
        self._write_model(LAST)
        return TrainResult(
            status=status,
            epochs=position.epoch,
            steps=position.step,
            best_epoch=position.best_epoch,
            best_val_auc=position.best_auc,
            best_model=self.models.path(BEST) if position.best_epoch and chief else None,
            last_model=self.models.path(LAST) if chief else None,
            started_from=self.started,
            stopped_early=status == "completed" and position.epoch < self.options.epochs,
        )
