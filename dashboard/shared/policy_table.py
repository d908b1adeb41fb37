"""The table of a policy, label by label: numbers, ranges and kinds, kept in the page's address."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.policy_files import LabelRow, policy_of_rows, row_of
from cxr_core.policy_kinds import SELF_TRAINED, SOFT, THREE_CLASS, is_kind
from cxr_core.schema import LABELS, label_words
from cxr_core.uncertainty import CUSTOM, DEFAULT_POLICY, Policy
from dashboard.shared import help_texts

PER_LABEL = "per label"
#: Whose predictions self-training takes where no model is named; no model is called so, by its spaces.
OWN_FIRST_STAGE = "its own first stage"
#: The columns of the table -> what they say.
_COLUMNS = {"u": help_texts.U, "w": help_texts.W, "blank u": help_texts.BLANK_U, "blank w": help_texts.BLANK_W}
_UP_TO, _KIND = "u up to", "kind"
_OF_UP_TO = "Where it is above u, the target is drawn between the two, anew for each uncertain image and epoch."
_OF_KIND = (
    "In place of u and w: three-class makes uncertain a class of its own, soft takes the u of each image from the "
    "data, self-trained what a model predicts of it, or where none is named the run's own first stage."
)
#: How many fields of a row the address may have: u and w, those of blanks too, and ranges and kinds.
_LENGTHS = (2, 4, 6)


def fill_in(key: str, policy: Policy) -> None:
    """Put the numbers of a policy into the table of the input `key`; for what a button does before a page is drawn."""
    st.session_state[f"{key}-strategy"] = PER_LABEL
    st.session_state[f"{key}-table-start"] = table_text(policy)
    st.session_state.pop(f"{key}-per-label", None)


def table_text(policy: Policy) -> str:
    """Return a policy as a URL carries it: `0.4,0.75;…` in schema order, with what else it says: see `LabelRow`."""
    plain = policy if not policy.is_learned else Policy(CUSTOM, policy.u, policy.w)
    length = 6 if policy.u_to or policy.kinds else 4 if policy.says_of_blanks else 2
    return ";".join(",".join(map(_shown, row_of(plain, label)[:length])) for label in LABELS)


def policy_of_text(text: str) -> Policy:
    """Return the policy of what `table_text` returned; what is no such text means the defaults."""
    return policy_of_rows(_parsed(text), CUSTOM)


def policy_table(key: str, models: Sequence[str], kinds: bool) -> Policy:
    """Show the table, filled from the URL when the page opens, and keep it there; with `kinds`, of ranges too.

    The editor remembers changes to the table that it was first given, so that one must stay the same.
    """
    place, start_key = f"{key}-table", f"{key}-table-start"
    if start_key not in st.session_state:
        st.session_state[start_key] = st.query_params.get(place, "")
    rows = _parsed(st.session_state[start_key])
    names = (*_COLUMNS, _UP_TO, _KIND)
    start = pd.DataFrame(
        {"Label": [label_words(label) for label in LABELS], **dict(zip(names, zip(*rows, strict=True), strict=True))}
    ).astype({_UP_TO: "float64"})
    offered = {
        "",
        THREE_CLASS,
        SELF_TRAINED,
        SOFT,
        *(f"{SELF_TRAINED}:{model}" for model in models),
        *(row.kind for row in rows),
    }
    edited = st.data_editor(
        start if kinds else start.drop(columns=[_UP_TO, _KIND]),
        key=f"{key}-per-label",
        hide_index=True,
        height="content",
        disabled=["Label"],
        column_config=_number_columns()
        | {
            _UP_TO: st.column_config.NumberColumn(_UP_TO, min_value=0.0, max_value=1.0, step=0.01, help=_OF_UP_TO),
            _KIND: st.column_config.SelectboxColumn(_KIND, options=sorted(offered), help=_OF_KIND),
        },
        alt="Target u and weight w of each label, for uncertain ones and for blanks",
    )
    policy = policy_of_rows([_row(row) for row in edited.to_dict("records")], CUSTOM)
    st.query_params[place] = table_text(policy)
    return policy


def _number_columns() -> dict[str, Any]:
    return {
        name: st.column_config.NumberColumn(name, min_value=0.0, max_value=1.0, step=0.01, help=told, required=True)
        for name, told in _COLUMNS.items()
    }


def _row(cells: Mapping[Hashable, Any]) -> LabelRow:
    """Return a row of the table; of a kind the numbers are left out, and a range that ends below u is none."""
    u, w, blank_u, blank_w = (float(cells[name]) for name in _COLUMNS)
    upper, kind = cells.get(_UP_TO), cells.get(_KIND) or ""
    if kind:
        return LabelRow(0.0, 0.0, blank_u, blank_w, None, kind)
    return LabelRow(u, w, blank_u, blank_w, float(upper) if upper is not None and upper > u else None)


def _shown(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else value or ""


def _parsed(text: str) -> list[LabelRow]:
    """Return the rows; what is no such text means the defaults."""
    try:
        rows = [_parsed_row(part.split(",")) for part in text.split(";")]
    except ValueError:
        rows = []
    if len(rows) == len(LABELS) and len({part.count(",") for part in text.split(";")}) == 1:
        return rows
    return [LabelRow(DEFAULT_POLICY.u[0], DEFAULT_POLICY.w[0])] * len(LABELS)


def _parsed_row(fields: list[str]) -> LabelRow:
    if len(fields) not in _LENGTHS:
        raise ValueError
    numbers = [float(field) for field in ([*fields, "0", "1"] if len(fields) == 2 else fields)[:4]]
    upper = float(fields[4]) if fields[4:] and fields[4] else None
    kind = fields[5] if fields[5:] else ""
    if not is_kind(kind) or not all(math.isfinite(x) and 0 <= x <= 1 for x in [*numbers, upper or 0.0]):
        raise ValueError
    u, w, blank_u, blank_w = numbers
    if kind:
        return LabelRow(0.0, 0.0, blank_u, blank_w, None, kind)
    return LabelRow(u, w, blank_u, blank_w, upper if upper is not None and upper > u else None)
