"""What stands in a cell, and what it means: by the words of the data sets' own documentation."""

import numpy as np
import pyarrow as pa
import pytest

from cxr_core.errors import TableError
from cxr_core.schema import Value
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.text_columns import TextColumns
from cxr_core.sources.importing.text_table import TextTable


def looked_at(texts, decimal="."):
    return BadCells(TextTable("t.csv", {"c": pa.array(texts, pa.string())}, len(texts), decimal=decimal))


def said_of(bad):
    with pytest.raises(TableError) as refused:
        bad.refuse(skip=False)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, Value.not_mentioned), ("NaN", Value.not_mentioned), ("not mentioned", Value.not_mentioned),
        ("0", Value.negative), ("0.0", Value.negative), ("-0", Value.negative), ("No", Value.negative), ("absent", Value.negative),
        ("-1", Value.uncertain), ("-1.0", Value.uncertain), ("Uncertain", Value.uncertain), ("maybe", Value.uncertain),
        ("1", Value.positive), ("1.00", Value.positive), ("YES", Value.positive), ("Present", Value.positive),
    ],
)  # fmt: skip
def test_a_label_cell_is_a_number_or_a_word(text, value):
    bad = looked_at([text])
    assert cells.label_codes(bad, "c", {}).tolist() == [value]
    assert not bad.rows.any()


@pytest.mark.parametrize("text", ["2", "-2", "0.5", "1e3", "1_0", "perhaps", "inf", "3"])
def test_any_other_label_cell_is_bad_and_only_a_word_may_be_explained(text):
    bad = looked_at(["1", text])
    cells.label_codes(bad, "c", {})
    assert bad.rows.tolist() == [False, True]
    sentence = said_of(bad)
    assert sentence.startswith(f"t.csv, row 2: c must be blank, 0, -1 or 1. Received: {text!r}.")
    assert (f"--answer values.{text}=positive" in sentence) == (text in ("perhaps", "inf", "1_0"))


def test_words_of_the_user_come_before_ours_and_a_blank_can_mean_something():
    bad = looked_at(["Perhaps", "no", None, "2.0"])
    words = {"perhaps": Value.uncertain, "no": Value.not_mentioned, "": Value.negative, "2": Value.positive}
    assert cells.label_codes(bad, "c", words).tolist() == [2, 0, 1, 3]
    assert not bad.rows.any()


def test_the_first_bad_row_is_told_whichever_column_is_read_first():
    table = TextTable("t.csv", {"a": pa.array(["x", "1", "2"]), "b": pa.array(["1", "y", "z"])}, 3, np.array([2, 5, 9]))
    bad = BadCells(table)
    bad.add(np.array([False, False, True]), "a", "is wrong")
    bad.add(np.array([False, True, True]), "b", "is bad", "say {} otherwise")
    bad.add(np.array([False, False, False]), "a", "is never told")
    assert bad.rows.tolist() == [False, True, True]
    assert said_of(bad) == "t.csv, line 5: b is bad. Received: 'y'. Correct the file, or say y otherwise."
    bad.refuse(skip=True)


@pytest.mark.parametrize(("wrong", "of", "advised"), [(1, 2, True), (3, 20, True), (4, 20, False), (2, 3, False)])
def test_leaving_rows_out_is_advised_only_where_few_of_them_are_bad(wrong, of, advised):
    bad = looked_at(["x"] * of)
    bad.add(np.arange(of) < wrong, "c", "is wrong")
    assert ("--skip-bad-rows" in said_of(bad)) == advised


@pytest.mark.parametrize(
    ("text", "code"),
    [("train", 0), ("Training", 0), ("0", 0), ("validate", 1), ("val", 1), ("dev", 1), ("1.0", 1), ("TEST", 2), ("2", 2)],
)  # fmt: skip
def test_a_data_set_has_a_name_or_a_code(text, code):
    bad = looked_at([text])
    assert cells.dataset_codes(bad, "c", {}).tolist() == [code] and not bad.rows.any()
    assert cells.dataset_codes(bad, "c", {text: "test"}).tolist() == [2]


@pytest.mark.parametrize("text", ["3", "-1", "1.5", "holdout", None])
def test_what_is_no_data_set_is_bad(text):
    bad = looked_at([text])
    cells.dataset_codes(bad, "c", {})
    assert bad.rows.all() and "must be one of train, valid, test" in said_of(bad)


@pytest.mark.parametrize(
    ("text", "code"),
    [("AP", 0), ("pa", 0), ("Frontal", 0), ("0", 0), ("L", 1), ("LL", 1), ("lateral", 1), ("1", 1), ("LAO", 2), ("2", 2),
     ("SWIMMERS", 2), (None, -1)],
)  # fmt: skip
def test_a_view_has_a_name_a_code_or_a_projection(text, code):
    bad = looked_at([text])
    assert cells.view_codes(bad, "c", {}).tolist() == [code] and not bad.rows.any()


def test_a_projection_of_the_user_is_what_was_said_and_an_unknown_one_is_bad():
    bad = looked_at(["NEW", "3"])
    assert cells.view_codes(bad, "c", {"New": "lateral"}).tolist()[0] == 1
    assert bad.rows.tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("12.0", 12), ("9007199254740991", 2**53 - 1), ("0", None), ("-3", None),
                         ("1.5", None), ("9007199254740992", None), ("x", None), (None, None)],
)  # fmt: skip
def test_a_whole_number_is_above_0_and_held_exactly(text, number):
    bad = looked_at([text])
    found = cells.whole_numbers(bad, "c").tolist()
    assert bad.rows.tolist() == [number is None]
    assert number is None or found == [number]


def test_numbers_may_have_decimal_commas_and_must_be_finite():
    bad = looked_at(["-1,5", "2", "1e-3"], decimal=",")
    assert cells.numbers(bad, "c").tolist() == [-1.5, 2.0, 0.001] and not bad.rows.any()
    bad = looked_at(["1", "inf", None, "x", "1_0"])
    cells.numbers(bad, "c")
    assert bad.rows.tolist() == [False, True, True, True, True]


def test_numbers_may_have_blanks_around_them_and_a_cell_of_blanks_is_none():
    spaced = TextColumns(pa.table({"c": pa.chunked_array([[" 1.5", "2\u00a0"], ["-3 ", "  ", None]])}))
    bad = BadCells(TextTable("t.csv", spaced, 5))
    np.testing.assert_equal(cells.numbers(bad, "c"), [1.5, 2, -3, np.nan, np.nan])
    assert bad.rows.tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("text", "years", "bound"),
    [
        ("45", 45, False), ("0", 0, False), ("150", 150, False), ("045Y", 45, False), ("006M", 0.5, False),
        ("026w", 26 / 52.18, False), ("100D", 100 / 365.25, False), ("85 or more", 85, True), (">89", 89, True),
        (">=89", 89, True), ("90+", 90, True), ("over 90 years", 90, True), ("150+", 150, True), (None, None, False),
        ("nan", None, False),
    ],
)  # fmt: skip
def test_an_age_is_in_years_by_dicom_or_a_bound(text, years, bound):
    bad = looked_at([text])
    found, stated = cells.ages(bad, "c")
    assert not bad.rows.any()
    assert np.isnan(found[0]) if years is None else found[0] == pytest.approx(years)
    assert stated == ([text] if bound else None)


@pytest.mark.parametrize("text", ["151", "-1", "old", "151+", "045X", "inf"])
def test_what_is_no_age_is_bad(text):
    bad = looked_at([text])
    cells.ages(bad, "c")
    assert "must be an age in years from 0 to 150, or blank" in said_of(bad)


def test_a_sex_is_f_or_m_or_not_told():
    bad = looked_at(["F", "female", "m", "Male", "unknown", "O", None])
    assert cells.sexes(bad, "c").to_pylist() == ["F", "F", "M", "M", None, None, None] and not bad.rows.any()
    bad = looked_at(["x"])
    assert cells.sexes(bad, "c").to_pylist() == [None] and bad.rows.all()


@pytest.mark.parametrize(("text", "bad_key"), [("a", False), ("x" * 1000, False), ("x" * 1001, True), (None, True),
                                                ("NaN", True), ("n/a", True), ("a\x00b", True), ("é" * 1000, False), ("é" * 1001, True), ("a\u2028b", True)])  # fmt: skip
def test_a_name_must_be_there_and_printable_and_no_longer_than_a_thousand_characters(text, bad_key):
    bad = looked_at([text])
    cells.key_texts(bad, "c")
    assert bad.rows.tolist() == [bad_key]


def test_codes_of_our_own_tables_are_0_to_3_or_their_names():
    bad = looked_at(["0", "1", "2.0", "positive", "4", "-1", None])
    assert cells.notebook_codes(bad, "c").tolist()[:4] == [0, 1, 2, 3]
    assert bad.rows.tolist() == [False] * 4 + [True] * 3
