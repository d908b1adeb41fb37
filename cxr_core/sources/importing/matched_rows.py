"""The rows of a prediction file that are written: those with a label row, each key once."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, eq=False)
class MatchedRows:
    """`frame` has the key columns and the values of the rows to write.

    Left out are `unmatched` keys without a label row, the rows that are `duplicated` beyond the first of a key, and
    those of keys with other numbers elsewhere, `contradicting` in all.
    """

    frame: pd.DataFrame
    unmatched: int
    duplicated: int
    contradicting: int


def matched_rows(values: pd.DataFrame, keys: pd.DataFrame) -> MatchedRows:
    """Return the rows to write.

    Args:
        values: the numbers of each label, (n,).
        keys: the key columns, (n,), NULL where there is no label row, and `key`, what names the row.
    """
    duplicated = contradicting = 0
    if keys["key"].nunique() < len(keys):
        duplicated = int(keys["key"].duplicated().sum())
        keys, values, contradicting = _each_once(keys, values)
    found = keys["path"].notna()
    if not found.all():
        keys, values = keys[found], values[found]
    integers = {name: keys[name].astype("int64") for name in ("patient", "study", "image", "dataset")}
    view = keys["view"].astype("Int64").mask(keys["view"] == -1)
    frame = pd.concat([keys.drop(columns="key").assign(**integers, view=view), values], axis=1)
    return MatchedRows(frame.reset_index(drop=True), int((~found).sum()), duplicated, contradicting)


def _each_once(keys: pd.DataFrame, values: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return the first row of each key whose rows say the same, and the number of rows of the other keys."""
    twice = keys["key"].duplicated(keep=False)
    rows = pd.concat([keys.loc[twice, "key"], values[twice]], axis=1)
    different = rows.drop_duplicates()
    contradicts = different["key"].duplicated(keep=False)
    kept = ~twice | keys.index.isin(different.index[~contradicts])
    return keys[kept], values[kept], int(rows["key"].isin(different.loc[contradicts, "key"]).sum())
