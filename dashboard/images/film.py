"""One film large, and all that is said of it."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.models.listing import ModelEntry
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.image_facts import ImageFacts, ModelSays
from dashboard.images.choice import ImageChoice
from dashboard.images.picture import picture_part
from dashboard.images.wall import open_image
from dashboard.shared import address, image_answers
from dashboard.shared.choices import Options, select_several
from dashboard.shared.formatting import NOTHING, plain, three_digits

#: The further models of a film, in the address; without a film it stays there for the next one.
ALSO = "also"
_ALSO_HELP = "Models whose prediction of each label stands beside."


def film(choice: ImageChoice, entries: Sequence[ModelEntry]) -> None:
    """Show the image of the address, if it names one, and what the chosen of the models say of it."""
    asked = address.asked_for("image")
    if not asked or not asked[-1]:
        address.asked_for(ALSO)
        return
    query, head = choice.query, st.container()
    columns = _columns(choice, entries)
    try:
        found = image_answers.facts(query.source, asked[-1], tuple(columns.values()), None)
    except CxrError as error:
        st.warning(plain(error), icon=":material/link_off:")
        return
    head.header(plain(f"The film, {found.view or 'no view'}, {found.dataset}"), anchor=False)
    left, right = st.columns([1, 1], gap="large")
    with left:
        picture_part(query.source, found, str(query.label), query.model)
    with right:
        st.table(said_table(found, columns), border="horizontal", alt="What report and models say of the image")
        st.caption(plain(f"{_model_names(columns)}A number is a probability, or the stored score where there is none."))
    if found.verdicts:
        st.table(readers_table(found), border="horizontal", alt="What readers say of the image")
    with st.container(horizontal=True):
        for place, (path, view) in enumerate(found.others, start=1):
            name = f"Other image {place} of the study ({view or 'no view'})"
            st.button(plain(name), key=f"other-{path}", on_click=open_image, args=(path,), help="Shows it large.")
        st.button("Close", key="close-film", on_click=_close, help="Goes back to the wall.", icon=":material/close:")


def _columns(choice: ImageChoice, entries: Sequence[ModelEntry]) -> dict[str, str]:
    """Show the input of further models, and return the column of each model and its name.

    Names of models would make columns that run out of the page: the columns are called as their inputs are, those of
    the further models by their number.
    """
    named = {"Model": choice.query.model, "Other model": choice.query.beside}
    columns = {column: name for column, name in named.items() if name}
    options = Options([entry.name for entry in entries], ALSO, what="model", where=" with predictions here")
    also = select_several("Further models", options, (), _ALSO_HELP, placeholder="Choose models")
    further = [name for name in also if name not in columns.values()]
    return columns | {f"Model {number}": name for number, name in enumerate(further, len(columns) + 1)}


def said_table(found: ImageFacts, models: Mapping[str, str]) -> pd.DataFrame:
    """Return what report and models say of each label, one row a label, from the column of each model and its name."""
    rows = {}
    for label in LABELS:
        value = found.values[label]
        row = {"Report": label_words(value) if value else NOTHING}
        if found.truth is not None:
            row["Truth"] = "Present" if found.truth[label] else "Absent"
        for column, model in models.items():
            row[column] = _model_words(found.models.get(model, {}).get(label))
        rows[label_words(label)] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Label")


def readers_table(found: ImageFacts) -> pd.DataFrame:
    """Return what readers say of each label that any of them read; a column for each set, however many read in it."""
    rows = {}
    for label in LABELS:
        sets: dict[str, dict[str, str | None]] = {}
        for (name, reader), verdicts in found.verdicts.items():
            sets.setdefault(name, {})[reader] = verdicts.get(label)
        if any(verdict for said in sets.values() for verdict in said.values()):
            rows[label_words(label)] = {plain(f"Readers: {name}"): plain(_readers_words(sets[name])) for name in sets}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Label")


def _readers_words(said: dict[str, str | None]) -> str:
    """Return which readers of a set say what: "Present: ann, bob; absent: eve", or "Present" of all of them."""
    by_verdict: dict[str, list[str]] = {}
    for reader, verdict in sorted(said.items()):
        if verdict is not None:
            by_verdict.setdefault(label_words(verdict), []).append(reader)
    if len(by_verdict) == 1:
        ((verdict, readers),) = by_verdict.items()
        return f"{verdict}, all {len(said)}" if len(readers) == len(said) > 1 else f"{verdict}: {', '.join(readers)}"
    return "; ".join(f"{verdict}: {', '.join(readers)}" for verdict, readers in by_verdict.items()) or NOTHING


def _model_names(models: Mapping[str, str]) -> str:
    return "".join(f"{column}: {name}. " for column, name in models.items())


def _model_words(said: ModelSays | None) -> str:
    if said is None:
        return NOTHING
    return three_digits(said.score if said.probability is None else said.probability)


def _close() -> None:
    st.query_params.pop("image", None)
