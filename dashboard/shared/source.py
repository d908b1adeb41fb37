"""Which source the pages show: picked once, in the sidebar, and kept in the URL."""

import streamlit as st

from cxr_core.sources.registry import DEMO, get_source, is_built, source_names
from cxr_core.sources.source import Source
from cxr_core.tasks.build_demo import start_demo
from cxr_core.tasks.sources import connect_anew
from dashboard.shared import help_texts
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.header import page_header, page_title
from dashboard.shared.navigation import go_to
from dashboard.shared.preferred import open_preferred_source


def pick_source() -> None:
    """Show the source picker in the sidebar."""
    names = source_names()
    if not names:
        page_title("No source is open to you")
        st.info("Ask an admin of this server which sources you may see.", icon=":material/lock:")
        st.stop()
    open_preferred_source(names)
    chosen = st.session_state.get("source") or st.query_params.get("source")
    # One that was renamed or removed while it was shown stays chosen: the page says that it is not there.
    listed = names if chosen is None or chosen in names else [*names, chosen]
    with st.sidebar:
        st.selectbox("Source", listed, key="source", bind="query-params", help=help_texts.SOURCE)


def check_again_button() -> None:
    """Show the button that looks at the sources again, after something was put right."""
    text = "Looks again at what every source has and lacks. It runs no query that is billed."
    st.button("Check again", icon=":material/refresh:", key="check-again", help=text, on_click=connect_anew)


def current_source() -> Source:
    """Return the source that was picked."""
    return get_source(st.session_state.get("source") or DEMO)


def built_source() -> Source:
    """Return the source that was picked; where it is the demo and not built yet, show how to build it and stop."""
    source = current_source()
    if not is_built(source):
        page_header("There is no data yet", source.name, source.synthetic)
        st.info(
            "The demo is a set of synthetic chest radiographs with labels, eight pretrained models and their "
            "predictions. Building it takes about a minute and needs no network.",
            icon=":material/deployed_code:",
        )
        build_demo_button()
        st.stop()
    return source


@st.dialog("Rebuild the demo?", icon=":material/build:")
def confirm_rebuild() -> None:
    """Ask once more, then build the demo anew as a run and open it."""
    st.markdown(
        "Labels, images and the eight shipped models are made anew, bit for bit as they were. Your own models and "
        "predictions stay. It takes about a minute; pages go on showing the present demo until it is done."
    )
    with errors_as_sentences(), st.container(horizontal=True):
        if st.button("Rebuild it", type="primary", key="rebuild-for-good", help="Starts a run and opens it."):
            run = start_demo(anew=True)
            if run is not None:
                go_to("runs", run=run.run)
        if st.button("Leave it", key="leave-demo", help="Changes nothing."):
            st.rerun()


def build_demo_button(label: str = "Build the demo") -> None:
    """Show the button that builds the demo as a run."""
    if st.button(label, type="primary", icon=":material/build:", help="Starts a run and opens it."):
        run = start_demo()
        if run is None:
            st.success("The demo is built and up to date.", icon=":material/check_circle:")
        else:
            go_to("runs", run=run.run)
