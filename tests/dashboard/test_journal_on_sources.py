"""The journal on Sources: for admins alone, the newest first, filtered, and told where it was changed."""

import csv
import io

import pytest
from as_read import as_read

from cxr_core.caller import ADMIN, RESEARCHER, Caller, acting_for, found_by
from cxr_core.journal import JOURNAL_FILE, note_deed
from cxr_core.tasks.journal_table import as_csv, found_deeds
from dashboard.sources.journal import MOST_SHOWN

ROOT, ADA = Caller("root@lab.example", ADMIN, frozenset()), Caller("ada@lab.example", RESEARCHER, frozenset())


@pytest.fixture
def journal(own_small_demo):
    """A journal of more lines than a page shows, and who looks at it."""
    with acting_for("ada@lab.example"):
        for number in range(MOST_SHOWN + 20):
            note_deed("run started", run=f"r{number}", source="demo", name="=1+1")
    with acting_for("bo@lab.example"):
        note_deed("labels imported", source="demo", rows=3)
    looking = [ROOT]
    found_by(lambda: looking[0])
    yield looking
    found_by(lambda: None)


def opened(page):
    app = page("sources")
    app.session_state["journal"] = True
    return app.run()


def lines(app):
    return next((table.value for table in app.table if "Who" in table.value.columns), None)


def captions(app):
    return " ".join(caption.value for caption in app.caption)


def test_an_admin_reads_the_newest_lines_first(journal, page):
    app = opened(page)
    shown = lines(app)
    assert len(shown) == MOST_SHOWN
    assert as_read(shown.iloc[0]["Who"]) == "bo@lab.example"
    assert "121 lines of 121, the newest 100 below. Times are UTC." in captions(app)


def test_it_is_filtered_by_person_deed_day_and_words(journal, page):
    app = opened(page)
    app.selectbox(key="journal-who").set_value("bo@lab.example").run()
    assert [as_read(text) for text in lines(app)["What"]] == ["labels imported: source demo, rows 3"]
    app.selectbox(key="journal-who").set_value("")
    app.selectbox(key="journal-what").set_value("run started")
    app.text_input(key="journal-text").set_value("r117").run()
    assert len(lines(app)) == 1 and "r117" in lines(app)["What"].iloc[0]
    app.text_input(key="journal-text").set_value("nothing like it").run()
    assert lines(app) is None
    assert "0 lines of 121" in captions(app)


def test_folded_it_is_not_read(journal, page, own_small_demo):
    (own_small_demo / JOURNAL_FILE).write_text("damaged\n")
    app = page("sources")
    assert lines(app) is None and not any("journal" in one.value for one in app.error)


def test_others_find_nothing_of_it(journal, page):
    journal[0] = ADA
    app = opened(page)
    assert lines(app) is None
    assert not [one for one in app.expander if "Journal" in one.label]


def test_a_changed_line_is_told(journal, page, own_small_demo):
    file = own_small_demo / JOURNAL_FILE
    file.write_text(file.read_text().replace('r7"', 'r8"', 1))
    assert [one.value for one in opened(page).error] == ["Line 8 of the journal is not as it was written."]


def test_what_is_taken_along_has_every_line_and_no_formula(journal, page):
    with acting_for(ROOT):
        rows = list(csv.reader(io.StringIO(as_csv(found_deeds()).decode())))
    assert len(rows) == 1 + MOST_SHOWN + 21
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
