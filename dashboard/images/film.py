"""One film large, and all that is said of it."""

import pandas as pd
import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.image_facts import ImageFacts, ModelSays
from dashboard.images.choice import ImageChoice
from dashboard.images.picture import picture_part
from dashboard.images.wall import open_image
from dashboard.shared import address, image_answers
from dashboard.shared.formatting import NOTHING, plain, three_digits


def film(choice: ImageChoice) -> None:
    """Show the image of the address, if it names one."""
    asked = address.asked_for("image")
    if not asked or not asked[-1]:
        return
    query = choice.query
    models = tuple(name for name in (query.model, query.beside) if name)
    try:
        found = image_answers.facts(query.source, asked[-1], models, None)
    except CxrError as error:
        st.warning(plain(error), icon=":material/link_off:")
        return
    st.header(plain(f"The film, {found.view or 'no view'}, {found.dataset}"), anchor=False)
    left, right = st.columns([1, 1], gap="large")
    with left:
        picture_part(query.source, found, str(query.label), query.model)
    with right:
        st.table(said_table(found), border="horizontal", alt="What report, readers and models say of the image")
        st.caption("A model's number is its probability, or its stored score where it gives none.")
    with st.container(horizontal=True):
        for place, (path, view) in enumerate(found.others, start=1):
            name = f"Other image {place} of the study ({view or 'no view'})"
            st.button(plain(name), key=f"other-{path}", on_click=open_image, args=(path,), help="Shows it large.")
        st.button("Close", key="close-film", on_click=_close, help="Goes back to the wall.", icon=":material/close:")


def said_table(found: ImageFacts) -> pd.DataFrame:
    """Return what is said of each label, one row a label."""
    rows = {}
    for label in LABELS:
        value = found.values[label]
        row = {"Report": label_words(value) if value else NOTHING}
        if found.truth is not None:
            row["Truth"] = "Present" if found.truth[label] else "Absent"
        for model, predicted in found.models.items():
            row[plain(model)] = _model_words(predicted.get(label))
        for (name, reader), said in found.verdicts.items():
            row[plain(f"{reader} ({name})")] = label_words(said[label]) if label in said else NOTHING
        rows[label_words(label)] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Label")


def _model_words(said: ModelSays | None) -> str:
    if said is None:
        return NOTHING
    return three_digits(said.score if said.probability is None else said.probability)


def _close() -> None:
    st.query_params.pop("image", None)
