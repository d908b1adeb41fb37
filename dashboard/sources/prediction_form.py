"""Predicting with any model that has weights, on any records, without a command line."""

import streamlit as st

from cxr_core.errors import UsageError
from cxr_core.runs.run import HERE
from cxr_core.sources.registry import source_names
from cxr_core.tasks.predict import start_prediction
from cxr_core.training.execution_options import ANY_DEVICE, PREDICTING_ACCELERATORS
from dashboard.shared import engine, help_texts
from dashboard.shared.accelerator_input import WORDS, device_input, usable
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.navigation import go_to
from dashboard.shared.offered_places import called, offered_places, show_cost
from dashboard.sources.dataset_and_view_input import dataset_or_none, view_or_none


def prediction_section() -> None:
    """Show a form that starts a prediction, which is then followed like any run."""
    st.header("Predict with a model", anchor=False)
    st.caption("With its predictions a model gets figures on Evaluate and Compare. Files of 2019's Keras are welcome.")
    with errors_as_sentences():
        _form()


def _form() -> None:
    with st.container(horizontal=True):
        source = st.selectbox("Source", source_names(), key="predict-source", help=help_texts.PREDICT_SOURCE)
        model = _model_input(source)
        name = st.text_input(
            "Name of the predictions", key="predict-name", placeholder="as the model", help=help_texts.PREDICT_NAME
        )
    records = st.text_input(
        "Records", key="predict-records", placeholder="those of the source", help=help_texts.PREDICT_RECORDS
    )
    with st.container(horizontal=True):
        dataset = dataset_or_none("predict", "Valid and test", "The data set that is predicted.")
        view = view_or_none("predict", "The model's own", "The view that is predicted.")
        limit = st.number_input(
            "Images at most",
            1,
            value=None,
            key="predict-limit",
            placeholder="all",
            help="The first ones, for a quick look.",
        )
        place = _place_input()
        accelerator = st.selectbox(
            "Accelerator",
            usable(PREDICTING_ACCELERATORS) if place == HERE else PREDICTING_ACCELERATORS,
            format_func=WORDS.__getitem__,
            key="predict-accelerator" if place == HERE else "predict-accelerator-there",
            help=help_texts.ACCELERATOR,
        )
        device = device_input(accelerator, key="predict-device") if place == HERE else ANY_DEVICE
    show_cost(place)
    replace = st.checkbox(
        "Replace predictions that are there", key="predict-replace", help="Otherwise none of them is touched."
    )
    if st.button("Predict", type="primary", icon=":material/batch_prediction:", key="predict-start"):
        if not model:
            raise UsageError("Choose a model, or enter the path of its .h5, .keras or .onnx file.")
        run = start_prediction(
            *(source, model, dataset, view, records.strip(), limit, accelerator, name.strip(), replace),
            device=device,
            place=place,
        )
        go_to("runs", run=run.run)


def _place_input() -> str:
    """Show the places where there is more than this machine, and return the one that was chosen."""
    places, _ = offered_places()
    if len(places) == 1:
        return HERE
    return st.selectbox(
        "Where it works",
        places,
        format_func=called,
        key="predict-place",
        help="The machine or cluster that predicts. The run stays in this workspace, and its table comes back here.",
    )


def _model_input(source: str) -> str | None:
    return st.selectbox(
        "Model",
        [model.name for model in engine.models(source) if model.weights],
        index=None,
        placeholder="Choose, or enter a path",
        accept_new_options=True,
        key="predict-model",
        help=help_texts.PREDICT_MODEL,
    )
