"""One source on the Sources page: what was found, what is missing, how to fix it."""

from pathlib import Path

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.locations import is_remote
from cxr_core.schema import label_words
from cxr_core.settings import config_path, settings
from cxr_core.sources.demo import is_current
from cxr_core.sources.registry import DEMO, get_source, is_built
from cxr_core.sources.source import Source
from cxr_core.tasks.sources import SourceReport
from cxr_core.words import agreeing, counted
from dashboard.shared.formatting import count, plain, size
from dashboard.shared.leak import leak_sentence
from dashboard.shared.source import build_demo_button, confirm_rebuild

KIND_WORDS = {"local": "files", "bigquery": "BigQuery", "unknown": "not understood"}


def answer(reports: list[SourceReport]) -> str:
    """Return the title: how many of the sources can be used as they are."""
    ready = sum(not report.problems for report in reports)
    if len(reports) == 1:
        return f"The {reports[0].source} source {'is ready' if ready else 'needs attention'}"
    return f"{ready} of {counted(len(reports), 'source')} {agreeing(ready, 'is')} ready"


def report_section(report: SourceReport) -> None:
    """Show one source."""
    source = _source(report.source)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(plain(report.source), anchor=False, width="content")
            st.badge(KIND_WORDS.get(report.kind, KIND_WORDS["unknown"]), color="gray")
            if source is not None and source.synthetic:
                st.badge("synthetic", icon=":material/science:", color="orange")
            if not report.problems:
                st.badge("ready", icon=":material/check_circle:", color="green")
        for problem in report.problems:
            st.warning(plain(problem), icon=":material/build:")
        if leak := leak_sentence(report.source):
            st.warning(leak, icon=":material/group:")
        if source is not None and is_built(source):
            st.table(_found(report, source), border="horizontal", alt=f"What was found in {report.source}")
        if report.source == DEMO:
            _demo_button()


def places_section() -> None:
    """Show where the product writes and reads its configuration, and what leaves the machine."""
    st.header("Where things are", anchor=False)
    st.table(
        {"Workspace": plain(settings().home), "Configuration": plain(config_path())},
        border="horizontal",
        alt="Folders of the product",
    )
    st.caption(
        "Everything that CXR Lab writes lies in the workspace; CXR_HOME moves it. Sources of your own are written into "
        "the configuration, as cxr.example.toml shows; it need not exist."
    )
    st.info(
        "Data never leaves this machine by itself. A source of files asks nobody. A BigQuery source sends the SQL that "
        "the pages show to Google and gets its rows; what you train and predict stays in the workspace. Only where you "
        "name a gs:// folder for a copy of a model or its logs, allow `write` for a BigQuery source and use it, or "
        "start a run at another place, does something of yours go there.",
        icon=":material/lock:",
    )


def is_synthetic(name: str) -> bool:
    """Say whether no patient stands behind a source; of one that cannot be understood nobody knows."""
    source = _source(name)
    return source is not None and source.synthetic


def _source(name: str) -> Source | None:
    """Return a source; None where its definition cannot be understood."""
    try:
        return get_source(name)
    except CxrError:
        return None


def _demo_button() -> None:
    source = get_source(DEMO)
    if not is_built(source):
        build_demo_button()
    elif not is_current(source.folder):
        st.warning("This demo was built by another version of CXR Lab.", icon=":material/build:")
        build_demo_button("Rebuild the demo")
    elif st.button("Rebuild the demo", icon=":material/build:", help="Makes the demo anew, after a question."):
        confirm_rebuild()


def _found(report: SourceReport, source: Source) -> dict[str, str]:
    found = {
        "Label tables": ", ".join(plain(_table_name(name)) for name in report.labels) or "none",
        "Models with predictions": _counted(report.predictions),
        "Models with weights": _counted(report.models),
        "TFRecord files": _records(report.records),
    }
    if source.kind == "bigquery":
        limit = source.maximum_bytes_billed or settings().maximum_bytes_billed
        found["Project that pays"] = plain(source.project) if source.project else "that of your credentials"
        found["Limit"] = f"{size(limit)} billed by one query"
        if settings().bigquery_endpoint:
            found["Asked at"] = f"{plain(settings().bigquery_endpoint)}, not at Google"
    return found | {"Folder": plain(source.folder)}


def _table_name(name: str) -> str:
    """Return how a table is called: a file by its name, what lies elsewhere by the whole of it."""
    return Path(name).name if name.endswith(".parquet") and not is_remote(name) else name


def _counted(names: list[str]) -> str:
    return f"{count(len(names))}: {', '.join(map(plain, names))}" if names else "none"


def _records(records: dict[str, dict[str, int]]) -> str:
    sets = (f"{label_words(name)} {_views(views)}" for name, views in records.items())
    return "; ".join(sets) or "none"


def _views(views: dict[str, int]) -> str:
    return ", ".join(f"{count(files)} {view}" for view, files in views.items())
