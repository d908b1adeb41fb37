"""The forms of tables on the Sources page: labels, predictions, readings and groups, looked at before the import."""

import streamlit as st

from cxr_core.schema import SCALES
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.registry import source_names
from cxr_core.tasks.import_labels import LAYOUT_WORDS, LAYOUTS, ImportChoices
from cxr_core.tasks.import_readings import DEFAULT_SET
from cxr_core.tasks.import_table import (
    start_groups_import,
    start_labels_import,
    start_predictions_import,
    start_readings_import,
)
from dashboard.sources.dataset_and_view_input import dataset_or_none, view_or_none
from dashboard.sources.import_preview import looked_at
from dashboard.sources.import_run import follow
from dashboard.sources.label_preview import label_preview, offered
from dashboard.sources.table_files import TableFiles, given_files

_KEY_WORDS = {"": "Guess", "patient": "Patient", "study": "Study", "path": "Image"}
_SCALE_WORDS = {"": "Guess", "logit": "Logits", "probability": "Probabilities", "score": "Scores of unknown scale"}


def labels_form() -> None:
    """Show what is in files of labels, and import them into a source, which need not exist yet."""
    source = st.text_input(
        "Source",
        key="import-labels-source",
        placeholder="my-data",
        help="A name for your data set; a new name makes a new source. Letters, digits, '.', '_' and '-'.",
    )
    files, mapping = _chosen(
        "labels",
        "A table with a path or study and the findings: CheXpert's train.csv, the three tables of MIMIC-CXR-JPG "
        "together, or your own.",
    )
    if files is None or mapping is None:
        return
    offered("labels", source, files)
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
    choices = ImportChoices(layout or "auto", dataset, view, skip, mapping)
    label_preview(source, files, choices)
    if _import_button("labels"):
        follow(start_labels_import(source, files.files, choices, replace))


def predictions_form() -> None:
    """Show what is in a file of predictions, and import it as those of a model."""
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
    files, mapping = _chosen(
        "predictions",
        "A table with a path, DICOM id or study and a number for each finding that the model predicts.",
        several=False,
    )
    if files is None or mapping is None:
        return
    skip, replace = _skip_and_replace("predictions")
    if _import_button("predictions"):
        follow(start_predictions_import(source, files.files, model, scale or None, replace, skip, mapping))


def readings_form() -> None:
    """Show what is in files of what people read, and import them into a set of readings."""
    with st.container(horizontal=True):
        source = st.selectbox(
            "Source", source_names(), key="import-readings-source", help="The data set whose images were read."
        )
        name = st.text_input(
            "Set", DEFAULT_SET, key="import-readings-set", help="Readings that belong together; a new name makes a set."
        )
        reader = st.text_input(
            "Reader",
            key="import-readings-reader",
            placeholder="as the file says",
            help="Who read, where no column of the file names the reader; by default the file's own name.",
        )
    files, mapping = _chosen(
        "readings", "A table with a path, DICOM id or study and what somebody saw: one file a reader, or all in one."
    )
    if files is None or mapping is None:
        return
    skip, replace = _skip_and_replace("readings")
    if _import_button("readings"):
        follow(start_readings_import(source, files.files, name, reader.strip() or None, replace, skip, mapping))


def groups_form() -> None:
    """Show what is in a file that tells more of patients, studies or images, and keep its columns as groups."""
    with st.container(horizontal=True):
        source = st.selectbox(
            "Source", source_names(), key="import-groups-source", help="The data set whose images are to be split."
        )
        by = st.selectbox(
            "Its rows are of a",
            _KEY_WORDS,
            format_func=_KEY_WORDS.__getitem__,
            key="import-groups-by",
            help="By what the file is joined to the labels; guessed from its columns, an image before a study.",
        )
    files, mapping = _chosen(
        "groups",
        "A table with a patient, study or path, and columns such as race or insurance, by which figures can be split.",
        several=False,
    )
    if files is None or mapping is None:
        return
    skip, replace = _skip_and_replace("groups")
    if _import_button("groups"):
        follow(start_groups_import(source, files.files, by or None, replace, skip, mapping))


def _chosen(kind: str, help_text: str, several: bool = True) -> tuple[TableFiles | None, Mapping | None]:
    """Return the files that were given and what was said of them; None while the one or the other is missing."""
    files = given_files(kind, several, help_text)
    if files is None:
        st.info("Choose a file to see what is in it before anything is imported.")
        return None, None
    return files, looked_at(kind, files)


def _import_button(kind: str) -> bool:
    return st.button(f"Import {kind}", type="primary", icon=":material/upload_file:", key=f"import-{kind}")


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
