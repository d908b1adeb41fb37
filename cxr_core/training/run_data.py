"""The images of a run: how many steps they make, whether they are kept in memory, and the batches of each epoch."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import UsageError
from cxr_core.records.label_counts import label_counts
from cxr_core.records.layout import equalised, stated_labels
from cxr_core.schema import LABELS, Value
from cxr_core.training.augmentation import Extent
from cxr_core.training.class_weights import balancing_factors
from cxr_core.training.image_cache import cache_for
from cxr_core.training.options import TrainOptions
from cxr_core.training.pipeline import training_batches, validation_batches
from cxr_core.training.pixels import PixelFormat
from cxr_core.training.recipe_options import BALANCED
from cxr_core.training.record_order import RecordFiles
from cxr_core.training.workers import Workers
from cxr_core.words import counted


class RunData:
    """The training and the validation images of a run.

    Args:
        options: of the run.
        records_train, records_valid: where they are.
        images: number of training images, where it is known without counting.
        rows: (images, 14) the u that each training image brings along (`row_targets`).

    Raises:
        UsageError: there are fewer training images than one batch holds, or no validation image.
    """

    def __init__(
        self,
        options: TrainOptions,
        records_train: RecordFiles,
        records_valid: RecordFiles,
        images: int | None,
        rows: npt.NDArray[np.int32] | None = None,
    ) -> None:
        self.options, self.train, self.valid, self.rows = options, records_train, records_valid, rows
        n_train = records_train.images or images or records_train.count()
        if n_train < options.batch_size:
            found = counted(n_train, "training image")
            raise UsageError(f"A batch must not be larger than the {found}. Received: {options.batch_size}.")
        if records_valid.images == 0:
            raise UsageError("There must be at least one validation image. Received: none.")
        self.steps_per_epoch = n_train // options.batch_size
        self.pixels = PixelFormat(options.image_size, options.decode)
        alone = options.accelerator in ("cpu", "gpu", "multi-gpu") and options.workers == 1
        self.cache = cache_for(options.cache, records_train.images, options.epochs, self.pixels) if alone else None

    @functools.cached_property
    def untrained(self) -> tuple[str, ...]:
        """The labels that no training record tells."""
        stated = stated_labels(self.train.paths)
        return tuple(label for label in LABELS if label not in stated)

    @functools.cached_property
    def uncertain(self) -> tuple[str, ...]:
        """The labels of which some training image is uncertain."""
        return stated_labels(self.train.paths, Value.uncertain)

    @functools.cached_property
    def equalised(self) -> bool:
        """Whether the histograms of the training images were made flat."""
        return equalised(self.train.paths)

    def class_factors(self) -> npt.NDArray[np.float32] | None:
        """Return what the positive part of each label counts in the loss, (14,); None where all counts as it is."""
        if self.options.class_weights != BALANCED:
            return None
        return balancing_factors(label_counts(self.train.paths), self.options.policy)

    def training(self, workers: Workers, epoch: int, skip: int) -> Any:
        """Return the batches that are left of an epoch after `skip`."""
        options = self.options
        return workers.distributed(
            lambda share: training_batches(
                self.train,
                self.pixels,
                options.batch_size,
                options.seed,
                epoch,
                skip,
                share,
                self.cache,
                self._extent(),
                self.rows,
            )
        )

    def _extent(self) -> Extent | None:
        """Return how far training images are varied; None where they are not."""
        options = self.options
        if not options.augment:
            return None
        return Extent(options.largest_turn, options.largest_shift, options.largest_zoom, options.largest_contrast)

    def validation(self, workers: Workers) -> Any:
        """Return the batches of all validation images."""
        size = self.options.batch_size
        return workers.distributed(lambda share: validation_batches(self.valid, self.pixels, size, share))
