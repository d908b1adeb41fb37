"""Numbers as the pages write them."""

import math

import pytest

from dashboard.shared import formatting as f


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (f.count(12345), "12,345"),
        (f.count(None), "–"),
        (f.three_digits(0.81249), "0.812"),
        (f.three_digits(math.nan), "–"),
        (f.three_digits(-1.5), "−1.500"),
        (f.with_interval(0.1, (-0.2, 0.4)), "0.100 (−0.200 to 0.400)"),
        (f.with_interval(0.8, (0.75, 0.85)), "0.800 (0.750–0.850)"),
        (f.with_interval(0.8, None), "0.800"),
        (f.signed(-0.0123), "−0.012"),
        (f.signed(0.0123), "+0.012"),
        (f.p_value(0.0004), "< 0.001"),
        (f.p_value(0.0312), "0.031"),
        (f.percent(0.0312), "3.1 %"),
        (f.duration(200), "3 min 20 s"),
        (f.duration(59.6), "1 min 0 s"),
        (f.duration(7300), "2 h 1 min"),
        (f.duration(None), "–"),
        (f.size(1_200_000_000), "1.2 GB"),
        (f.size(512), "512 bytes"),
        (f.size(999_960), "1.0 MB"),
    ],
)
def test_numbers_are_written_as_people_read_them(shown, expected):
    assert shown == expected
