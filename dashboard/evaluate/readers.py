"""The readers beside the model: how many lie under its curve, and what it finds at the specificity of each."""

from collections.abc import Sequence

import streamlit as st

from cxr_core.evaluation.readers import ReaderPoint
from dashboard.evaluate.judged import Judged
from dashboard.shared import engine, help_texts
from dashboard.shared.downloads import download_table
from dashboard.shared.formatting import plain
from dashboard.shared.readers_words import flat_readers, readers_answer, readers_table


def readers_beside(judged: Judged, readers: Sequence[ReaderPoint]) -> None:
    """Show how many readers the model's curve runs above, and on demand the paired difference to each."""
    st.caption(plain(readers_answer(readers)))
    if not readers:
        return
    opened = st.expander("The model beside each reader", key="beside-readers", on_change="rerun")
    if not opened.open:
        return
    with opened:
        found = engine.reader_differences(
            judged.source.name, judged.model.name, judged.label, judged.dataset, judged.view, judged.judge
        )
        st.table(readers_table(readers, found).map(plain).rename(plain), border="horizontal", alt="Model and readers")
        st.caption(help_texts.READER_DIFFERENCES)
        name = f"{judged.model.name}-{judged.label}-{judged.dataset}-readers.csv"
        download_table(flat_readers(readers, found), name)
