"""The film that is read, the keys that say what is on it, and, for whoever asks, what others say."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.schema import label_words
from cxr_core.tasks.image_pictures import listed_film
from cxr_core.tasks.images import ImageGroup, ListedImage
from cxr_core.tasks.reading import VERDICTS, Desk, Given, said, store
from cxr_core.tasks.reading_list import agreement_so_far, certain_values
from cxr_core.words import counted
from dashboard.images.reading_words import agreement_words, film_words
from dashboard.images.viewer import show_film
from dashboard.shared.actions import action_button, show_told
from dashboard.shared.formatting import plain
from dashboard.shared.page_frame import page_fragment

#: The grey values that are spread from black to white, by turns.
_WINDOWS = {"All greys": (0, 255), "Dark greys": (0, 144), "Middle greys": (64, 192), "Bright greys": (112, 255)}
_KEPT = "reading-mode"


@dataclass(frozen=True, eq=False)
class ReadingTable:
    """What is read: the films of a list, in their order, by a reader.

    `context` is another one when the list or the reader is; `paths` are those of the list, `again` says that it is a
    second look, `sample` that its verdicts tell shares; `truth` by path, None where nobody knows it.
    """

    desk: Desk
    films: ImageGroup
    context: Hashable
    paths: tuple[str, ...]
    again: bool
    sample: bool
    truth: dict[str, str] | None

    def film(self, place: int) -> ListedImage:
        """Return the film at a place of the list."""
        return self.films.part(place, 1)[0]


@dataclass
class _State:
    """Where a reader stands in a session: the path that is shown, what can be undone, what is in sight."""

    context: Hashable
    at: str = ""
    undo: list[tuple[ListedImage, Given]] = field(default_factory=list)
    looked: set[str] = field(default_factory=set)
    last: str = ""
    shows_report: bool = False
    shows_truth: bool = False
    window: int = 0


@page_fragment("reading")
def reading_screen(table: ReadingTable) -> None:
    """Show a film and take a verdict; nothing but this part is drawn anew after each."""
    show_told()
    own, state = said(table.desk), _state(table)
    done = state.looked if table.again else own
    place = _place(table, state, done)
    read = sum(path in done for path in table.paths)
    words = f"{read:,} of {counted(len(table.paths), 'film')} {'looked at again' if table.again else 'read'}"
    st.progress(read / len(table.paths), text=words)
    image = table.film(place)
    left, right = st.columns([3, 2], gap="large")
    with left:
        visible = _picture(table.desk.source, image, place, state)
    with right:
        st.header(plain(f"{label_words(table.desk.label)}?"), anchor=False)
        _verdicts(table, state, image, own.get(image.path), visible)
        _moves(table, state, place)
        if read == len(table.paths):
            st.success("All films of this list are read. Go back with the arrows, or stop.", icon=":material/done_all:")
        _in_sight(table, state, image, own)


def _state(table: ReadingTable) -> _State:
    kept: _State | None = st.session_state.get(_KEPT)
    if kept is None or kept.context != table.context:
        kept = _State(table.context)
        st.session_state[_KEPT] = kept
    return kept


def _place(table: ReadingTable, state: _State, done: Collection[str]) -> int:
    """Return the place of the film that is shown: where one stands, else the first one that is not read."""
    if state.at not in table.paths:
        state.at = next((path for path in table.paths if path not in done), table.paths[-1])
    return table.paths.index(state.at)


def _picture(source: str, image: ListedImage, place: int, state: _State) -> bool:
    """Show a film and say whether it can be seen."""
    try:
        picture = listed_film(source, image)
    except CxrError as error:
        st.info(plain(f"{error} Go on with the arrow keys."), icon=":material/image_not_supported:")
        return False
    show_film("reading-film", picture, f"Film {place + 1:,}", greys=list(_WINDOWS.values())[state.window])
    return True


def _verdicts(table: ReadingTable, state: _State, image: ListedImage, now: str | None, visible: bool) -> None:
    aside = state.shows_report or not table.sample
    with st.container(horizontal=True):
        for number, verdict in enumerate(VERDICTS, start=1):
            action_button(
                label_words(verdict),
                image.path,
                f"say-{verdict}",
                partial(_give, table, image, Given(verdict, now, aside)),
                f"The finding is {verdict}. Key {number}.",
                shortcut=str(number),
                type="primary" if verdict == now else "secondary",
                disabled=not visible,
            )
    st.caption(f"You said: {now}." if now else "Not read yet.")


def _moves(table: ReadingTable, state: _State, place: int) -> None:
    with st.container(horizontal=True):
        _move("Back", "left", table.paths[max(0, place - 1)], "The film before.", place == 0)
        last = len(table.paths) - 1
        _move("On", "right", table.paths[min(last, place + 1)], "The next film, without a verdict.", place == last)
        help_text = "Takes the last verdict back, and shows its film."
        action_button("Undo", "last", "undo", lambda _: _undo(table), help_text, shortcut="z", disabled=not state.undo)
        help_text = "Spreads other grey values from black to white."
        words = list(_WINDOWS)[state.window]
        st.button(words, key="reading-window", on_click=_next_window, help=help_text, shortcut="w")


def _move(label: str, key: str, path: str, help_text: str, disabled: bool) -> None:
    st.button(label, key=f"move-{key}", on_click=_go, args=(path,), help=help_text, shortcut=key, disabled=disabled)


def _in_sight(table: ReadingTable, state: _State, image: ListedImage, own: dict[str, str]) -> None:
    """Show the switches, and what they show: what report and model say, and after a verdict the truth."""
    with st.container(horizontal=True):
        help_text = "What is read with this in sight is set aside where shares are counted."
        words = "Hide report and score" if state.shows_report else "Show report and score"
        st.button(words, key="show-report", on_click=_switch, args=("shows_report",), help=help_text, shortcut="s")
        if table.truth is not None:
            words = "Hide the truth" if state.shows_truth else "Reveal the truth"
            help_text = "After each verdict: what is really there, and how often you were right."
            st.button(words, key="show-truth", on_click=_switch, args=("shows_truth",), help=help_text, shortcut="t")
    if state.shows_report:
        st.markdown(plain(film_words(image, table.films)))
        report = certain_values(table.films.frame["path"].tolist(), table.films.values)
        st.caption(plain(agreement_words("the report", agreement_so_far(own, report, table.films.frame))))
    if state.shows_truth and table.truth is not None:
        if state.last in own and state.last in table.truth:
            st.markdown(f"The film before: you said **{own[state.last]}**, the truth is **{table.truth[state.last]}**.")
        st.caption(plain(agreement_words("the truth", agreement_so_far(own, table.truth, table.films.frame))))


def _give(table: ReadingTable, image: ListedImage, given: Given, _path: str) -> None:
    """Store a verdict, then go to the next film that is not read."""
    store(table.desk, image, given)
    state = _state(table)
    if given.verdict != given.before:
        state.undo.append((image, Given(given.before, given.verdict, given.set_aside)))
    state.looked.add(image.path)
    state.last = image.path
    done = state.looked if table.again else said(table.desk)
    place = table.paths.index(image.path)
    rest = (*table.paths[place + 1 :], *table.paths[:place])
    state.at = next((path for path in rest if path not in done), image.path)


def _undo(table: ReadingTable) -> None:
    state = _state(table)
    image, given = state.undo.pop()
    state.at, state.last = image.path, ""
    state.looked.discard(image.path)
    store(table.desk, image, given)


def _go(path: str) -> None:
    st.session_state[_KEPT].at = path


def _next_window() -> None:
    state: _State = st.session_state[_KEPT]
    state.window = (state.window + 1) % len(_WINDOWS)


def _switch(name: str) -> None:
    state = st.session_state[_KEPT]
    setattr(state, name, not getattr(state, name))
