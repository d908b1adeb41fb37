"""What leaves by a download button, where the settings allow downloads: tables that are safe in a spreadsheet."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from cxr_core.caller import acting_for, caller
from cxr_core.journal import note_deed
from cxr_core.pack.spreadsheet import defused
from dashboard.shared.preferred import downloads_offered, why_no_downloads


def download_table(frame: pd.DataFrame, file_name: str, label: str = "Download CSV") -> None:
    """Offer a frame as CSV unless downloads are switched off."""
    help_text = "The figures of this page as a table with commas."
    download_file(safe_csv(frame), file_name, "text/csv", label, help_text)


def download_report(report: Callable[[], bytes], file_name: str) -> None:
    """Offer a report, which is made when it is asked for."""
    help_text = "One HTML file with the figures of this page, their intervals and how they came about; opens offline."
    download_file(report, file_name, "text/html", "Download report", help_text)


def download_file(content: bytes | Callable[[], bytes], file_name: str, mime: str, label: str, help_text: str) -> None:
    """Offer a file unless downloads are switched off."""
    if downloads_offered():
        st.download_button(
            label,
            noted(content, file_name),
            file_name,
            mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"download-{file_name}",
            help=help_text,
        )
    else:
        st.caption(why_no_downloads())


def noted(content: bytes | Callable[[], bytes], file_name: str) -> Callable[[], bytes]:
    """Return what makes a file when it is asked for, for whoever the page was drawn for, and notes who took it."""
    who = caller()

    def made() -> bytes:
        with acting_for(who):
            note_deed("downloaded", file=file_name)
            return content if isinstance(content, bytes) else content()

    return made


def safe_csv(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV in UTF-8, without its index; texts and column names carry no spreadsheet formula."""
    # A cell at a time: a column may mix texts and numbers, and numbers keep their minus.
    return frame.map(defused).rename(columns=defused).to_csv(index=False).encode()
