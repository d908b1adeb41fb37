"""What a run was asked to do, and what it wrote."""

from typing import Any

import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.store import Run
from dashboard.parts.run_words import began, took

LOG_BYTES = 32_000


def config_section(run: Run) -> None:
    """Show the configuration of a run as it was submitted."""
    about = {"Run": run.run, "Source": run.source, "Asked for": began(run), "Took": took(run)}
    about |= {"User and machine": f"{run.user} on {run.host}", "Accelerator": run.device or "none"}
    st.table(about | _flat(run.config), border="horizontal", width="content", alt="Configuration of the run")
    if run.result:
        st.markdown("**Result**")
        st.table(_flat(run.result), border="horizontal", width="content", alt="Result of the run")


def _flat(values: dict[str, Any]) -> dict[str, str]:
    """Return what was set, one level deep; what was left empty is left out."""
    rows: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            rows |= _flat(value)
        elif value not in (None, "", []):
            rows[name.replace("_", " ")] = f"`{_short(value)}`"
    return rows


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= 2 else f"{value[0]} and {len(value) - 1} more"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def log_section(run: Run) -> None:
    """Show the end of the log."""
    tail = service.log_tail(run.run, LOG_BYTES)
    st.caption(f"The last {LOG_BYTES // 1000} kB; the whole log is in {service.folder_of(run.run)}.")
    st.code(tail or "The log is empty so far.", language=None, height=360)
    if run.is_active and st.button(
        "Read again", icon=":material/refresh:", key="read-log", help="Reads the newest lines."
    ):
        st.rerun()
