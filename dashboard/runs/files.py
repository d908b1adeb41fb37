"""What a run leaves for other programs: its metrics as a table, and as event files for TensorBoard."""

from functools import partial

import pandas as pd
import streamlit as st

from cxr_core.models.export_forms import ONNX, SAVED_MODEL, WITHOUT_ONNX, knows_onnx
from cxr_core.pack.spreadsheet import defused
from cxr_core.runs import service
from cxr_core.runs.columns import MetricColumns
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.sources.registry import get_source
from cxr_core.tasks.export_model import model_archive
from cxr_core.tasks.export_network import network_archive
from cxr_core.tasks.tensorboard import PORT, tensorboard_command, tensorboard_folder, write_event_files
from cxr_core.words import counted
from dashboard.shared.actions import action_button
from dashboard.shared.downloads import download_file, noted
from dashboard.shared.formatting import plain
from dashboard.shared.preferred import downloads_offered, why_no_downloads

_MODEL = "Its weights, what network it is, and the cards of thresholds that were chosen for it, as a ZIP file."
_FORMS = {
    ONNX: (
        "ONNX",
        "The network for programs that read ONNX, and a card that says what its inputs and outputs are, as a ZIP file. "
        "Takes some 20 seconds.",
    ),
    SAVED_MODEL: (
        "SavedModel",
        "The network as TensorFlow serves it, without Keras or this product, as a ZIP file. Takes some 20 seconds.",
    ),
}


def files_section(run: Run) -> None:
    """Offer the metric rows as CSV and say where the run's files lie."""
    st.caption(f"Everything that this run wrote lies in {plain(service.folder_of(run.run))}.")
    if run.kind == "train":
        if downloads_offered():
            _model_download(run)
            _metrics_download(run)
        else:
            st.caption(why_no_downloads())
        _tensorboard(run)


def _model_download(run: Run) -> None:
    """Offer the model as it is, and in the forms that other programs read."""
    if run.status != COMPLETED or run.name not in get_source(run.source).weights():
        return
    with st.container(horizontal=True):
        download_file(
            lambda: model_archive(run.source, run.name), f"{run.name}.zip", "application/zip", "Download model", _MODEL
        )
        for form, (word, help_text) in _FORMS.items():
            if form == ONNX and not knows_onnx():
                continue
            made = partial(network_archive, run.source, run.name, form)
            download_file(made, f"{run.name}-{form}.zip", "application/zip", f"Download {word}", help_text)
    if not knows_onnx():
        st.caption(plain(WITHOUT_ONNX))


def metrics_csv(metrics: MetricColumns) -> bytes:
    """Return all metric rows as CSV, one column a figure, empty where a row lacks it."""
    figures = pd.DataFrame(dict(metrics.columns)).convert_dtypes()
    return figures.rename(columns=defused).to_csv(index=False).encode()


def _metrics_download(run: Run) -> None:
    n_rows = service.metric_columns(run.run).n_rows
    st.download_button(
        "Download metrics",
        # Made when asked for: it takes seconds for a long run.
        noted(lambda: metrics_csv(service.metric_columns(run.run)), f"{run.run}-metrics.csv"),
        f"{run.run}-metrics.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-metrics-{run.run}",
        disabled=n_rows == 0,
        help=f"All of this run ({counted(n_rows, 'metric row')}) as a table with commas, neither thinned nor smoothed.",
    )


def _tensorboard(run: Run) -> None:
    st.header("TensorBoard", anchor=False)
    folder = tensorboard_folder(run.run)
    text = "Writes every metric row of this run as scalars into its folder; again for what came since."
    label = "Write TensorBoard files again" if folder.exists() else "Write TensorBoard files"
    action_button(label, run.run, "write-events", write_event_files, text, icon=":material/timeline:")
    if folder.exists():
        st.caption(f"Run this in a terminal, then open http\\://127.0.0.1:{PORT} there; it answers this machine only.")
        st.code(tensorboard_command(folder), language=None, wrap_lines=True)
    own = run.config.get("options", {}).get("tensorboard")
    if own:
        st.caption("Training also writes its own event files, into the folder that was chosen for it:")
        st.code(f"{own.rstrip('/')}/{run.run}", language=None)
