"""Reading mode: one film after another by keyboard, blind until somebody asks to see what is said of it."""

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_core.errors import CxrError, UsageError
from cxr_core.evaluation.reading_order import AS_LISTED
from cxr_core.schema import label_words
from cxr_core.sources.source import Source
from cxr_core.tasks.image_pictures import listed_film
from cxr_core.tasks.images import ImageGroup
from cxr_core.tasks.reading import Desk, desk, forget_reader, own_readings
from cxr_core.tasks.reading_list import is_sample, reading_list, second_look, truth_of
from cxr_core.words import counted
from dashboard.images.film import ALSO
from dashboard.images.reading_screen import ReadingTable, reading_screen
from dashboard.images.reading_terms import FILMS_WORDS, GROUP, Terms, asked_terms, stop_button, terms_form
from dashboard.shared import address, image_answers
from dashboard.shared.actions import action_button, tell
from dashboard.shared.asked import asked
from dashboard.shared.downloads import download_file, safe_csv
from dashboard.shared.formatting import plain
from dashboard.shared.header import page_header, view_fact
from dashboard.shared.navigation import go_button

#: What of the address is of looking at images, and stays there meanwhile: a film that was seen with what is said of it
#: is not the first to be read.
_OF_LOOKING = ("image", ALSO, "wall-page", "paths", "map", "map-random", "map-label", "map-opacity")


def reading(source: Source, group: ImageGroup, top: DeltaGenerator) -> None:
    """Show who reads what, then the films of a group one after another; the title stands at the `top`."""
    terms, query = asked_terms(), group.query
    about = label_words(str(query.label))
    facts = [view_fact(query.view), f"{query.dataset.capitalize()} set"]
    title = f"Read {about.lower()} in {counted(group.total, 'film')}"
    why, own = _why_no_picture(group), None
    if why:
        st.info(plain(f"There is nothing to read: {why}"), icon=":material/image_not_supported:")
    elif (own := _desk(source.name, terms, str(query.label))) is None:
        terms_form(terms, source.truth is not None)
    else:
        table = _table(own, group, terms, source)
        title = f"Reading {about.lower()}: {counted(len(table.paths), 'film')}"
        facts += [f"Reader: {own.reader}", f"Readings: {own.set}"]
        _said_of_the_list(table, terms)
        if table.paths:
            reading_screen(table)
        _below(own)
    with top:
        page_header(title, source.name, source.synthetic, *facts)


def _desk(source: str, terms: Terms, label: str) -> Desk | None:
    """Return who reads what; None before somebody began, and where it cannot be, which is said."""
    if terms.reader is None:
        return None
    try:
        return desk(source, terms.set, terms.reader, label)
    except CxrError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def _why_no_picture(group: ImageGroup) -> str:
    """Return why no film of a group can be shown, as where the source has no records; "" where the first one can."""
    films = reading_list(group, AS_LISTED, 0)
    if not films.total:
        return "no film is in this group. Choose another group, label or cut."
    try:
        listed_film(group.query.source, films.part(0, 1)[0])
    except UsageError as error:
        return str(error)
    except CxrError:  # one record is damaged; the others may not be
        return ""
    return ""


def _table(own: Desk, group: ImageGroup, terms: Terms, source: Source) -> ReadingTable:
    again = terms.films != GROUP
    if again:
        films = second_look(own, group.query, terms.films, image_answers.rows)
    else:
        films = reading_list(group, terms.order, terms.seed)
    truth = asked(_truth, source.name, own) if source.truth is not None else None
    address.asked_for(*_OF_LOOKING)
    paths = tuple(films.frame["path"].iloc[films.picked.rows])
    return ReadingTable(
        desk=own,
        films=films,
        context=(own, terms, group.query),
        paths=paths,
        again=again,
        sample=again or is_sample(group.query, terms.order),
        truth=truth,
    )


def _truth(_source: str, own: Desk) -> dict[str, str]:
    return truth_of(own)


def _said_of_the_list(table: ReadingTable, terms: Terms) -> None:
    """Say what the verdicts on a list are good for."""
    if table.again and not table.paths:
        st.success(f"{FILMS_WORDS[terms.films].removeprefix('Again: ').capitalize()} on no film that you have read.")
    elif table.again:
        st.caption("A second look: what you change stands in place of what you said first.")
    elif table.sample:
        st.caption("A sample: wherever you stop, these verdicts count for the shares of What they mean on Labels.")
    else:
        st.caption(
            "No sample: these films are picked, or ordered, by what is said of them. Your verdicts are kept and can "
            "judge models; as shares of What they mean they are set aside."
        )


def _below(own: Desk) -> None:
    """Show what can be done with the readings beside reading on."""
    with st.container(horizontal=True):
        stop_button(own.source)
        go_button("labels", "What they mean", **{"labels-tab": "What they mean", "readings": own.set})
        name = f"{own.source}-{own.set}-readings.csv"
        text = "All that you read in this set, as a table that Sources imports again: 1 absent, 2 unsure, 3 present."
        download_file(lambda: safe_csv(own_readings(own)), name, "text/csv", "Download my readings", text)
        text = "Deletes all that you read in this set, after a question."
        if st.button("Delete my readings", key="delete-readings", icon=":material/delete:", help=text):
            _confirm_delete(own)


@st.dialog("Delete these readings?", icon=":material/delete:")
def _confirm_delete(own: Desk) -> None:
    films = len(own_readings(own))
    st.markdown(
        f"All that **{plain(own.reader)}** read in the set **{plain(own.set)}**, of every label: "
        f"{counted(films, 'film')}. Other readers' verdicts stay."
    )
    with st.container(horizontal=True):
        act = partial(_delete_for_good, own)
        text = "They cannot be brought back."
        if action_button("Delete for good", own.set, "delete-readings-for-good", act, text, type="primary"):
            st.rerun()
        if st.button("Keep them", key="keep-readings"):
            st.rerun()


def _delete_for_good(own: Desk, _set: str) -> None:
    tell(f"Deleted what {own.reader} read: {counted(forget_reader(own), 'film')}.")
