"""Addresses that nobody wrote: any parameters with any values are a page, and no error of Python's."""

import pytest
from bound_parameters import written_names
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_core.schema import LABELS
from dashboard.shared.navigation import PAGES

PLAUSIBLE = [
    "demo",
    "valid",
    "frontal",
    "edema",
    "report",
    "truth",
    "densenet_frontal_u0_0__w0_0",
    "cpu",
    "0.5",
    "true",
]
NUMBERS = st.floats().map(str) | st.integers().map(str)
VALUES = (
    st.text(max_size=30) | NUMBERS | st.sampled_from([*PLAUSIBLE, *LABELS, "..", "/etc/passwd", "", "a,b", "x" * 3000])
)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_any_address_is_a_page(small_demo, page, pytestconfig):
    """15 addresses; with `--whole`, which `make prove` says, a thousand."""

    @settings(
        max_examples=1000 if pytestconfig.getoption("whole") else 15,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[*HealthCheck],
    )
    @given(
        st.sampled_from([row.name for row in PAGES]),
        st.dictionaries(st.sampled_from(sorted(written_names())), VALUES, max_size=8),
    )
    def opened(name, query):
        app = page(name, **query)
        assert not app.exception
        assert app.title

    opened()
