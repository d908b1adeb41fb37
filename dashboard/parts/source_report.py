"""One source on the Sources page: what was found, what is missing, how to fix it."""

from pathlib import Path

import streamlit as st

from cxr_core.schema import label_words
from cxr_core.sources.demo import is_current
from cxr_core.sources.registry import DEMO, get_source, is_built
from cxr_core.tasks.sources import SourceReport
from dashboard.parts.formatting import count
from dashboard.parts.source import build_demo_button

KIND_WORDS = {"local": "files on this machine", "bigquery": "BigQuery"}


def answer(reports: list[SourceReport]) -> str:
    """Return the title: how many of the sources can be used as they are."""
    ready = sum(not report.problems for report in reports)
    if len(reports) == 1:
        return "The demo source is ready" if ready else "The demo source needs attention"
    return f"{ready} of {len(reports)} sources {'is' if ready == 1 else 'are'} ready"


def report_section(report: SourceReport) -> None:
    """Show one source."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(report.source, anchor=False, width="content")
            st.badge(KIND_WORDS.get(report.kind, report.kind), color="gray")
            if get_source(report.source).synthetic:
                st.badge("synthetic", icon=":material/science:", color="orange")
            if not report.problems:
                st.badge("ready", icon=":material/check_circle:", color="green")
        for problem in report.problems:
            st.warning(problem, icon=":material/build:")
        if report.labels or report.records:
            st.table(_found(report), border="horizontal", width="content", alt=f"What was found in {report.source}")
        if report.source == DEMO:
            _demo_button()


def _demo_button() -> None:
    source = get_source(DEMO)
    if not is_built(source):
        build_demo_button()
    elif not is_current(source.folder):
        st.warning("This demo was built by another version of CXR Lab.", icon=":material/build:")
        build_demo_button("Rebuild the demo")


def _found(report: SourceReport) -> dict[str, str]:
    return {
        "Label tables": ", ".join(f"`{Path(name).name}`" for name in report.labels) or "none",
        "Models with predictions": f"{count(len(report.predictions))}: {_names(report.predictions)}",
        "Models with weights": f"{count(len(report.models))}: {_names(report.models)}",
        "TFRecord files": _records(report.records),
        "Folder": f"`{get_source(report.source).folder}`",
    }


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _records(records: dict[str, dict[str, int]]) -> str:
    sets = (f"{label_words(name)} {_views(views)}" for name, views in records.items())
    return "; ".join(sets) or "none"


def _views(views: dict[str, int]) -> str:
    return ", ".join(f"{count(files)} {view}" for view, files in views.items())
