"""The journal on the Sources page, for admins: who did what and when, filtered, and as a table to take along."""

import streamlit as st

from cxr_core.caller import ADMIN, caller
from cxr_core.journal import Deed, broken_at
from cxr_core.tasks.journal_table import as_csv, cells, found_deeds
from cxr_core.words import counted
from dashboard.shared.downloads import download_file
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import plain

#: More lines are searched and taken along, not shown: the page stays quick.
MOST_SHOWN = 100


def journal_section() -> None:
    """Show the journal to an admin once it is unfolded."""
    if caller().role != ADMIN:
        return
    opened = st.expander("Journal: who did what", icon=":material/history:", key="journal", on_change="rerun")
    if opened.open:
        with opened, errors_as_sentences():
            _journal()


def _journal() -> None:
    if (broken := broken_at()) is not None:
        st.error(f"Line {broken} of the journal is not as it was written.", icon=":material/gpp_bad:")
    everything = found_deeds()
    if not everything:
        st.caption("Nothing was done here yet that is noted: runs, imports, readings, deletes and downloads are.")
        return
    found = _filtered(everything)
    shown = found[::-1][:MOST_SHOWN]
    st.caption(f"{counted(len(found), 'line')} of {len(everything):,}, the newest {len(shown):,} below. Times are UTC.")
    if shown:
        rows = [_row(cells(deed)) for deed in shown]
        st.table(rows, border="horizontal", alt="Who did what and when, the newest first", hide_index=True)
        help_text = "All lines that were found, as a table with commas that is safe in a spreadsheet."
        download_file(lambda: as_csv(found), "journal.csv", "text/csv", "Download these lines", help_text)


def _filtered(everything: list[Deed]) -> list[Deed]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        persons = ["", *sorted({deed.who for deed in everything})]
        kinds = ["", *sorted({deed.what for deed in everything})]
        who = st.selectbox("Who", persons, key="journal-who", format_func=_or_all, width=260, help="Only this person.")
        what = st.selectbox("What", kinds, key="journal-what", format_func=_or_all, width=220, help="Only such deeds.")
        since = st.date_input("Since", None, key="journal-since", width=160, help="Only on this day (UTC) or later.")
        text = st.text_input("Words", key="journal-text", width=220, help="Words that must all stand in a line.")
    return found_deeds(who or "", what or "", since.isoformat() if since else "", text or "")


def _or_all(name: str) -> str:
    return name or "all"


def _row(texts: list[str]) -> dict[str, str]:
    """Return a line in few columns, so that a phone has room for it; the table that one takes along has all of it."""
    when, who, _, what, about = texts
    return {"When": when[:19].replace("T", " "), "Who": plain(who), "What": plain(f"{what}: {about}")}
