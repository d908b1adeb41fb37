"""Only files of which no test would run are left out."""

from types import SimpleNamespace

import pytest
from files_left_out import is_left_out

ALL_OF_THEM = "pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]\n"
IN_LINES = "pytestmark = [\n    pytest.mark.browser,\n    pytest.mark.timeout(300),\n]\n"
ONE_OF_THEM = "@pytest.mark.browser\ndef test_it(): ...\n"


@pytest.mark.parametrize(
    ("chosen", "text", "left_out"),
    [
        ("not browser and not tensorflow", ALL_OF_THEM, True),
        ("not browser", IN_LINES, True),
        ("not tensorflow", ALL_OF_THEM, False),
        ("browser", ALL_OF_THEM, False),
        ("", ALL_OF_THEM, False),
        ("not browser", ONE_OF_THEM, False),
    ],
)
def test_a_file_is_left_out_where_all_its_tests_are(tmp_path, chosen, text, left_out):
    (tmp_path / "test_it.py").write_text(text)
    config = SimpleNamespace(option=SimpleNamespace(markexpr=chosen))
    assert is_left_out(tmp_path / "test_it.py", config) is left_out
