"""Bringing in images on the Sources page: a folder or tar of pictures for a source that has labels."""

import streamlit as st

from cxr_core.errors import UsageError
from cxr_core.sources.registry import DEMO, source_names
from cxr_core.tasks.import_images import ASPECTS, DEFAULT_ASPECT, DEFAULT_MOST_SKIPPED, start_image_import
from dashboard.shared.navigation import go_to
from dashboard.sources.dataset_and_view_input import dataset_or_none, view_or_none

_ASPECT_WORDS = {"pad": "Black bars", "crop": "Middle part", "stretch": "Squeezed"}


def images_form() -> None:
    """Show which pictures go with which source, and start their import as a run, which is opened."""
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
