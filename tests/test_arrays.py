"""What is done with long vectors everywhere in the engine."""

from math import fsum

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from cxr_core.arrays import inner


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 300_001])
def test_the_inner_product_is_the_sum_of_the_products(size: int) -> None:
    a, b = np.random.default_rng(size).normal(size=(2, size))

    assert inner(a, b) == pytest.approx(fsum(x * y for x, y in zip(a, b, strict=True)), rel=1e-12, abs=1e-12)


def test_the_inner_product_does_not_depend_on_how_many_threads_there_are() -> None:
    """BLAS cuts what is longer than 10,000 among its threads, and rounds otherwise with each number of them."""
    a, b = np.random.default_rng(14).normal(size=(2, 300_001))

    with threadpool_limits(1):
        by_one = inner(a, b)
    with threadpool_limits(4):
        assert inner(a, b) == by_one
