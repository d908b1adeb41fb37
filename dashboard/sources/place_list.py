"""The places where runs can work, on the page Sources: what is described, and whether each is ready."""

import streamlit as st

from cxr_core.tasks.places import PlaceReport, place_reports
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import plain


def runs_section(source: str) -> None:
    """List the places besides this machine, with a button that asks them; nothing where none is described."""
    with errors_as_sentences():
        listed = place_reports(source)[1:]
        if not listed:
            return
        st.header("Where runs can work", anchor=False)
        st.caption(
            "Besides this machine. Choose one on Train, or with --on; a place is described in the configuration."
        )
        asked = st.button(
            "Ask whether they are ready",
            icon=":material/network_check:",
            key="ask-places",
            help="Asks each place whether it answers, has this version of CXR Lab, and sees its folder and the records "
            "of this source. May take a minute.",
        )
        if asked:
            with st.spinner("Asking the places …"):
                listed = place_reports(source, asked=True)[1:]
        for report in listed:
            _place(report)


def _place(report: PlaceReport) -> None:
    with st.container(border=True):
        st.markdown(" · ".join([f"**{plain(report.place)}**", *map(plain, filter(None, (report.kind, report.folder)))]))
        if report.cost:
            st.caption(f"A run costs: {plain(report.cost)}.")
        for problem in report.problems:
            st.error(plain(problem), icon=":material/error:")
        if report.checked and not report.problems:
            st.success(
                "Ready: it answers, has this version, and sees its folder and the records.", icon=":material/check:"
            )
