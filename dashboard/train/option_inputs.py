"""An input of the form for each option of a training, as the engine's table of options states it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from cxr_core.schema import label_words
from cxr_core.training.option import Number, Option, Switch, Text, Whole
from cxr_core.training.options import OPTIONS, TrainOptions

#: Few choices that decide much stand open; the others are lists.
_OPEN = ("view", "architecture")
_LIST_WIDTH = 200


def section_inputs(options: TrainOptions, section: str, models: Sequence[str] = ()) -> TrainOptions:
    """Show the inputs of a section, short ones beside each other, and return the options with what was chosen.

    Args:
        options: what is shown first.
        section: one of the engine's `SECTIONS`.
        models: those whose weights a training can start from.
    """
    chosen: dict[str, Any] = {}
    here = [option for option in OPTIONS if option.section == section]
    for option in here:
        if option.name in _OPEN:
            chosen[option.name] = _open_choice(option, getattr(options, option.name))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for option in here:
            if option.name not in _OPEN and not isinstance(option.rule, Text):
                chosen[option.name] = _short(option, getattr(options, option.name))
    for option in here:
        if isinstance(option.rule, Text):
            chosen[option.name] = _text(option, models)
    return replace(options, **chosen)


def _open_choice(option: Option, value: Any) -> Any:
    chosen = st.segmented_control(
        option.label,
        option.choices,
        default=value,
        required=True,
        format_func=label_words if option.name == "view" else str,
        key=option.key,
        bind="query-params",
        wrap=True,
        help=option.help,
    )
    return chosen or value


def _short(option: Option, value: Any) -> Any:
    """Show a number, a switch or a list."""
    rule, common = option.rule, _of_every_input(option)
    if isinstance(rule, Switch):
        return bool(st.toggle(option.label, value, **common))
    if option.choices:
        common["width"] = _LIST_WIDTH if rule.kind is str else "stretch"
        chosen = st.selectbox(option.label, option.choices, option.choices.index(value), **common)
        return value if chosen is None else chosen
    if isinstance(rule, Number):
        number = st.number_input(option.label, rule.low, rule.high, value, rule.step, rule.shown, **common)
        return float(number)
    assert isinstance(rule, Whole)
    return int(st.number_input(option.label, rule.low, rule.high, value, **common))


def _of_every_input(option: Option) -> dict[str, Any]:
    return {"key": option.key, "bind": "query-params", "help": option.help}


def _text(option: Option, models: Sequence[str]) -> str:
    common = _of_every_input(option)
    if option.name != "init_from":
        return st.text_input(option.label, placeholder=option.placeholder or None, **common).strip()
    chosen = st.selectbox(
        option.label,
        ["", *models],
        format_func=lambda model: model or option.placeholder,
        accept_new_options=True,
        **common,
    )
    return chosen or ""
