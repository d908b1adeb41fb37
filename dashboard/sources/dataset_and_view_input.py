"""Choosing a data set or a view, or none."""

import streamlit as st

from cxr_core.schema import DATASETS, VIEWS, label_words


def dataset_or_none(key: str, none: str, help_text: str) -> str | None:
    """Return the chosen data set; None, which is shown as the words `none`, when there is no choice."""
    return _one_or_none("Data set", DATASETS, f"{key}-dataset", none, help_text)


def view_or_none(key: str, none: str, help_text: str) -> str | None:
    """Return the chosen view; None, which is shown as the words `none`, when there is no choice."""
    return _one_or_none("View", VIEWS, f"{key}-view", none, help_text)


def _one_or_none(label: str, names: tuple[str, ...], key: str, none: str, help_text: str) -> str | None:
    chosen = st.selectbox(
        label, ["", *names], format_func=lambda name: label_words(name) if name else none, key=key, help=help_text
    )
    return chosen or None
