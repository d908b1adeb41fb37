"""How many images of record files have each value of each label."""

from collections.abc import Sequence

import numpy as np

from cxr_core.arrays import IntArray
from cxr_core.records.layout import records_of
from cxr_core.schema import LABELS, VALUES


def label_counts(paths: Sequence[str]) -> IntArray:
    """Return the images by label value and label, (4, 14); every record is read, wherever it lies.

    Raises:
        RecordError: a file is damaged.
    """
    counts = np.zeros((len(VALUES), len(LABELS)), np.int64)
    for path in paths:
        for _, record in records_of(path):
            for label, value in record.labels.items():
                if 0 <= value < len(VALUES):
                    counts[value, LABELS.index(label)] += 1
    return counts
