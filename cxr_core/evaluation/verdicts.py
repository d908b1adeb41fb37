"""What several readers come to: the majority of those who say present or absent, with or without one of them.

Votes are codes (rows, readers) of `schema.Verdict`, 0 where a reader did not read a row. Unsure is a reading and no
vote. A tie, or no vote at all, is no verdict.
"""

import numpy as np

from cxr_core.arrays import IntArray
from cxr_core.schema import Verdict

#: A verdict: the finding is there, it is not, or nobody can say.
PRESENT, ABSENT, NO_VERDICT = 1, 0, -1


def majority(votes: IntArray) -> IntArray:
    """Return the verdict (rows,) of the readers on each row, from votes (rows, readers)."""
    return _verdict(_count(votes, Verdict.present), _count(votes, Verdict.absent))


def majority_of_others(votes: IntArray, reader: int) -> IntArray:
    """Return the verdict (rows,) of all readers but the one in column `reader`."""
    return majority(np.delete(votes, reader, axis=1))


def own_verdicts(votes: IntArray, reader: int) -> IntArray:
    """Return what one reader says (rows,), unsure and not read being no verdict."""
    return majority(votes[:, [reader]])


def _count(votes: IntArray, said: Verdict) -> IntArray:
    return np.count_nonzero(votes == said, axis=1)


def _verdict(present: IntArray, absent: IntArray) -> IntArray:
    return np.select([present > absent, absent > present], [PRESENT, ABSENT], NO_VERDICT)
