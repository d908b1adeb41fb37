"""The one place where an error becomes a sentence on the page; nobody is shown a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cxr_core.errors import CxrError


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Show an error that the engine raised on purpose, and go on after the block."""
    try:
        yield
    except CxrError as error:
        st.error(str(error), icon=":material/error:")
