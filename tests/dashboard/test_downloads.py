"""Tables that people open in a spreadsheet carry texts and numbers, never formulas."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from dashboard.shared.downloads import safe_csv


def cells(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(safe_csv(frame).decode(), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(start):
    text = f'{start}HYPERLINK("http://example.org"; 1)'
    assert cells(pd.DataFrame({"model": [text]}))[1] == ["'" + text]


def test_numbers_and_plain_texts_stay_as_they_are():
    frame = pd.DataFrame({"a": [-0.5, np.nan], "b": [-3, 4], "c": ["x=1", ""], "mixed": [-1.25, "- none"]})
    assert cells(frame) == [["a", "b", "c", "mixed"], ["-0.5", "-3", "x=1", "-1.25"], ["", "4", "", "'- none"]]


def test_names_of_columns_and_categories_are_defused_too():
    frame = pd.DataFrame({"=cmd": pd.Categorical(["@sum", "fine"])})
    assert cells(frame) == [["'=cmd"], ["'@sum"], ["fine"]]


def test_an_empty_table_has_its_head():
    assert cells(pd.DataFrame({"label": [], "n": []})) == [["label", "n"]]
