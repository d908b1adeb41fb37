"""What a run leaves for other programs: its metrics as a table, and files for TensorBoard."""

import pandas as pd
import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.columns import MetricColumns
from cxr_core.runs.store import Run
from cxr_core.settings import settings


def files_section(run: Run) -> None:
    """Offer the metric rows as CSV and say where the run's files lie."""
    st.caption(f"Everything that this run wrote lies in {service.folder_of(run.run)}.")
    if run.kind == "train":
        _metrics_download(run)


def metrics_csv(metrics: MetricColumns) -> bytes:
    """Return all metric rows as CSV, one column a figure, empty where a row lacks it."""
    return pd.DataFrame(dict(metrics.columns)).convert_dtypes().to_csv(index=False).encode()


def _metrics_download(run: Run) -> None:
    if not settings().downloads:
        st.caption("Downloads are switched off by the setting `downloads`.")
        return
    n_rows = service.metric_columns(run.run).n_rows
    st.download_button(
        "Download metrics",
        lambda: metrics_csv(service.metric_columns(run.run)),  # made when asked for: it takes seconds for a long run
        f"{run.run}-metrics.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download-metrics",
        disabled=n_rows == 0,
        help=f"All {n_rows:,} metric rows of this run as a table with commas, neither thinned nor smoothed.",
    )
