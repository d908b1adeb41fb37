"""A table's download button, where the settings allow downloads."""

import pandas as pd
import streamlit as st

from cxr_core.settings import settings


def download_table(frame: pd.DataFrame, file_name: str, label: str = "Download CSV") -> None:
    """Offer a frame as CSV unless downloads are switched off."""
    if settings().downloads:
        st.download_button(
            label,
            frame.to_csv(index=False).encode(),
            file_name,
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"download-{file_name}",
            help="The figures of this page as a table with commas.",
        )
    else:
        st.caption("Downloads are switched off by the setting `downloads`.")
