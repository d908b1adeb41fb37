"""Bringing in other people's files on the Sources page: labels, predictions and images, without a command line."""

import streamlit as st

from cxr_core.errors import UsageError
from cxr_core.schema import SCALES
from cxr_core.sources.registry import DEMO, source_names
from cxr_core.tasks.import_images import ASPECTS, DEFAULT_ASPECT, DEFAULT_MOST_SKIPPED, start_image_import
from cxr_core.tasks.import_labels import LAYOUT_WORDS, LAYOUTS, ImportChoices, ImportedLabels, import_labels
from cxr_core.tasks.import_predictions import ImportedPredictions, import_predictions
from cxr_core.words import counted
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import count, plain
from dashboard.shared.navigation import go_button, go_to
from dashboard.sources.dataset_and_view_input import dataset_or_none, view_or_none
from dashboard.sources.import_preview import columns_input, preview
from dashboard.sources.table_files import given_files

_DONE = "import-that-was-done"
_SCALE_WORDS = {"": "Guess", "logit": "Logits", "probability": "Probabilities", "score": "Scores of unknown scale"}
_ASPECT_WORDS = {"pad": "Black bars", "crop": "Middle part", "stretch": "Squeezed"}


def import_section() -> None:
    """Show the three ways of bringing something in, and what the last one came to."""
    st.subheader("Import your own", anchor=False)
    st.caption("Files are read where they are or as you upload them; what comes of them stays in the workspace.")
    _told()
    labels, predictions, images = st.tabs(["Labels", "Predictions", "Images"], key="import-tab", on_change="rerun")
    if labels.open:
        with labels, errors_as_sentences():
            _labels_form()
    if predictions.open:
        with predictions, errors_as_sentences():
            _predictions_form()
    if images.open:
        with images, errors_as_sentences():
            _images_form()


def _labels_form() -> None:
    source = st.text_input(
        "Source",
        key="import-labels-source",
        placeholder="my-data",
        help="A name for your data set; a new name makes a new source. Letters, digits, '.', '_' and '-'.",
    )
    files = given_files(
        "labels",
        several=True,
        help_text="A table with a path or study and the findings: CheXpert's train.csv, the three tables of "
        "MIMIC-CXR-JPG together, or your own.",
    )
    if files is None:
        st.info("Choose a file to see what is in it before anything is imported.")
        return
    with files.opened() as paths:
        tables = preview(paths)
        columns = columns_input("labels", tables[0]) if len(tables) == 1 else {}
    with st.container(horizontal=True):
        layout = st.selectbox(
            "Layout",
            LAYOUTS,
            format_func=lambda name: LAYOUT_WORDS[name],
            key="import-layout",
            help="Whose table it is.",
        )
        dataset = dataset_or_none("import-labels", "As the file says", "Which split the rows belong to.")
        view = view_or_none("import-labels", "As the file says", "The view of rows of which the file says none.")
    skip, replace = _skip_and_replace("labels")
    if st.button("Import labels", type="primary", icon=":material/upload_file:"):
        bar = st.progress(0.0, "Reading")
        with files.opened() as paths:
            choices = ImportChoices(layout or "auto", dataset, view, skip)
            done = import_labels(source, paths, choices, replace, columns, tell=bar.progress)
        _keep(done)


def _predictions_form() -> None:
    with st.container(horizontal=True):
        source = st.selectbox(
            "Source", source_names(), key="import-predictions-source", help="The data set whose images were predicted."
        )
        model = st.text_input(
            "Model",
            key="import-predictions-model",
            placeholder="their-model",
            help="A name for the model. It then stands among the models on every page.",
        )
        scale = st.selectbox(
            "The numbers are",
            ["", *SCALES],
            format_func=lambda name: _SCALE_WORDS[name],
            key="import-scale",
            help="Logits and probabilities can be calibrated; of scores only the ranking counts.",
        )
    files = given_files(
        "predictions",
        several=False,
        help_text="A table with a path, DICOM id or study and a number for each finding that the model predicts.",
    )
    if files is None:
        st.info("Choose a file to see what is in it before anything is imported.")
        return
    with files.opened() as paths:
        columns = columns_input("predictions", preview(paths)[0])
    skip, replace = _skip_and_replace("predictions")
    if st.button("Import predictions", type="primary", icon=":material/upload_file:"):
        bar = st.progress(0.0, "Reading")
        with files.opened() as paths:
            done = import_predictions(source, paths[0], model, scale or None, replace, skip, columns, tell=bar.progress)
        _keep(done, source)


def _images_form() -> None:
    with st.container(horizontal=True):
        source = st.selectbox(
            "Source",
            [name for name in source_names() if name != DEMO],
            key="import-images-source",
            placeholder="Import labels first",
            help="The data set whose label table names the images.",
        )
        place = st.text_input(
            "Folder or tar",
            key="import-images-place",
            help="On this machine: a folder or an uncompressed tar of JPEG, PNG or DICOM files.",
        )
    with st.container(horizontal=True):
        aspect = st.selectbox(
            "Pictures that are not square get",
            ASPECTS,
            index=ASPECTS.index(DEFAULT_ASPECT),
            format_func=lambda name: _ASPECT_WORDS[name],
            key="import-aspect",
            help="Each picture becomes 320 x 320 pixels.",
        )
        most = st.number_input(
            "Bad pictures to skip at most", 0, 1_000_000, DEFAULT_MOST_SKIPPED, key="import-most-skipped",
            help="They are listed; with more of them the import is given up.",
        )  # fmt: skip
        dataset = dataset_or_none("import-images", "All", "Import only the images of this split.")
        view = view_or_none("import-images", "All", "Import only the images of this view.")
    replace = st.checkbox("Replace records that are there", key="import-images-replace", help="Makes them anew.")
    if st.button("Import images", type="primary", icon=":material/photo_library:"):
        if not (source and place):
            raise UsageError("Name the source and the folder or tar of its images.")
        run = start_image_import(source, place, view, dataset, aspect or DEFAULT_ASPECT, int(most), replace)
        go_to("runs", run=run.run)


def _skip_and_replace(kind: str) -> tuple[bool, bool]:
    with st.container(horizontal=True):
        skip = st.checkbox(
            "Leave out rows with a bad cell",
            key=f"import-{kind}-skip",
            help="Otherwise one bad cell refuses the file, and names itself.",
        )
        replace = st.checkbox(
            "Replace what is there",
            key=f"import-{kind}-replace",
            help="Otherwise an import that would change what is there already is refused.",
        )
    return skip, replace


def _keep(done: ImportedLabels | ImportedPredictions, source: str = "") -> None:
    st.session_state[_DONE] = (done, source)
    st.rerun()


def _told() -> None:
    """Say what the last import came to, and offer the next step."""
    done, source = st.session_state.get(_DONE, (None, ""))
    if isinstance(done, ImportedLabels):
        _counts(
            f"Imported {counted(done.written, 'row')} of labels into {plain(done.source)}.", done.read, done.refused
        )
        _notes(done.notes)
        go_button("labels", f"See the labels of {done.source}", source=done.source)
    elif isinstance(done, ImportedPredictions):
        lost = (
            f" {counted(done.unmatched, 'key has', 'keys have')} no label row, "
            f"{counted(done.duplicated, 'stands', 'stand')} more than once."
        )
        written = f"Imported {counted(done.written, 'prediction')} of {plain(done.model)} ({plain(done.scale)})."
        _counts(written + lost, done.read, done.refused)
        _notes(done.notes)
        go_button("evaluate", f"Evaluate {done.model}", source=source, model=done.model)


def _counts(sentence: str, read: int, refused: int) -> None:
    st.success(
        f"{sentence} {counted(read, 'row was', 'rows were')} read, {count(refused)} left out.",
        icon=":material/check_circle:",
    )


def _notes(notes: list[str]) -> None:
    for note in notes:
        st.info(plain(note), icon=":material/info:")
