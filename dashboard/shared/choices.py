"""Choices that are kept as what was chosen, apart from the words that the browser shows for it.

A select box keeps the words of its option in the browser: where they change, or the option goes, the choice is lost and
the first option taken, silently. So a choice is kept here by the ID of what was chosen, in the session and in the
address, and the input only shows it. What does not exist any more is said; it is never replaced by something else.

The address carries the names that the command line uses (`label=fracture`); the words on the screen work as well.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cxr_core.errors import UsageError, brief
from dashboard.shared import address

_KEPT, _SEEN, _DRAWN = "kept-choices", "seen-in-the-address", "pages-of-inputs"
_BETWEEN_WORDS = re.compile(r"[\s_-]+")

Words = Callable[[str], str]


@dataclass(frozen=True)
class Options:
    """What can be chosen, and how the choice is called.

    Attributes:
        ids: what can be chosen.
        words: an option as the screen shows it.
        key: of the input.
        name: of the parameter in the address; the key where it is empty.
        former: other names of the parameter, which older links have.
        what: where the options are things that may vanish, what they are ("model"); "" for fixed words, where an
            unknown one is said and the default is taken.
        where: what follows the name in the sentence that it does not exist, as in " in demo".
        pinned: whether the address carries the default too.
    """

    ids: Sequence[str]
    key: str
    words: Words = str
    name: str = ""
    former: tuple[str, ...] = ()
    what: str = ""
    where: str = ""
    pinned: bool = False

    @property
    def parameter(self) -> str:
        """The name of the parameter in the address."""
        return self.name or self.key

    def understood(self, asked: str) -> str | None:
        """Return the ID that a text means: an ID, or words on the screen, in any case; None for any other text."""
        if asked in self.ids:
            return asked
        plain = _plain(asked)
        return next((one for one in self.ids if plain in (_plain(one), _plain(self.words(one)))), None)

    def shown(self, one: str) -> str:
        """Return the words of an option, also of one that does not exist any more."""
        return self.words(one) if one in self.ids else f"{one} (not there)"

    def gone(self, one: str) -> str:
        """Return in a sentence that something does not exist."""
        return f"There is no {self.what} {brief(one)}{self.where}: it was removed or renamed, or the link is wrong."


def select_one(label: str, options: Options, default: str, help_text: str, **further: Any) -> str:
    """Show a list of which one is chosen, and return it.

    Raises:
        UsageError: what was chosen does not exist any more; the list shows its name until something else is chosen.
    """
    chosen = settled(options, default)
    listed = list(options.ids) if chosen in options.ids else [chosen, *options.ids]
    st.selectbox(label, listed, format_func=options.shown, key=options.key, help=help_text, **further)
    return _existing(options, chosen)


def pick_one(label: str, options: Options, default: str, help_text: str, **further: Any) -> str:
    """Show all options side by side, of which one is chosen, and return it; raises as `select_one`."""
    chosen = settled(options, default)
    listed = list(options.ids) if chosen in options.ids else [chosen, *options.ids]
    st.segmented_control(
        label, listed, required=True, format_func=options.shown, key=options.key, help=help_text, wrap=True, **further
    )
    return _existing(options, chosen)


def select_several(label: str, options: Options, default: Sequence[str], help_text: str, **further: Any) -> list[str]:
    """Show a list of which several are chosen, and return them; what does not exist any more is said and left out."""
    chosen = settled_several(options, default)
    st.multiselect(label, options.ids, format_func=options.words, key=options.key, help=help_text, **further)
    return chosen


def tabs(labels: Sequence[str], key: str) -> list[Any]:
    """Show tabs and return them; the open one is in the address, and Back opens the one before."""
    settled(Options(labels, key), labels[0])
    return list(st.tabs(list(labels), key=key, on_change="rerun"))


def settled(options: Options, default: str) -> str:
    """Return what is chosen, for the input that is drawn next with the key of the options, and keep it.

    What the address newly asks for goes first, then what was chosen in the input or set for it, then what was kept.
    """
    asked = address.asked_for(options.parameter, *options.former)
    if _is_news(options.key, asked):
        chosen = _taken(options, asked, default)
    else:
        chosen = st.session_state.get(options.key) or _kept(options.key) or default
        if chosen not in options.ids and not options.what:
            chosen = default
    _keep(options, chosen, [] if chosen == default and not options.pinned else [chosen])
    return chosen


def settled_several(options: Options, default: Sequence[str]) -> list[str]:
    """Return which are chosen, as `settled` does for one; an empty parameter in the address chooses none."""
    asked = address.asked_for(options.parameter, *options.former)
    if _is_news(options.key, asked):
        meant = [(one, options.understood(one)) for one in asked if one]
        wanted = [known or one for one, known in meant] if asked else list(default)
    else:
        given = st.session_state.get(options.key)
        kept = _kept(options.key) if given is None else given
        wanted = list(default) if kept is None else list(kept)
    for one in wanted:
        if one not in options.ids:
            address.say(f"{options.gone(one)} It is left out." if options.what else _unknown(options, one))
    chosen = [one for one in dict.fromkeys(wanted) if one in options.ids]
    _keep(options, chosen, [] if chosen == list(default) else chosen or [""])
    return chosen


def forget(key: str) -> None:
    """Forget a choice, as of what was deleted: the next one is the default."""
    for kept in (st.session_state.get(_KEPT, {}), st.session_state.get(_SEEN, {}), st.session_state):
        kept.pop(key, None)
    address.write(key, [])


def _existing(options: Options, chosen: str) -> str:
    if chosen not in options.ids:
        raise UsageError(f"{options.gone(chosen)} Choose another one.")
    return chosen


def _is_news(key: str, asked: list[str]) -> bool:
    """Say whether the address asks for something else than it was last seen with: a link, or a step in the history."""
    seen = st.session_state.setdefault(_SEEN, {}).get(key, [])
    return asked != seen and bool(asked or address.came_by_history())


def _taken(options: Options, asked: list[str], default: str) -> str:
    """Return what the address means; a name of something that vanished stays what it is."""
    if not asked:
        return default
    known = options.understood(asked[-1])
    if known is None and not options.what:
        address.say(f"{_unknown(options, asked[-1])} {options.shown(default)} is shown.")
        return default
    return known or asked[-1]


def _unknown(options: Options, one: str) -> str:
    choices = ", ".join(options.ids)
    return f"The address asks for {options.parameter}={one[:60]}, which is not there. Choose one of: {choices}."


def _kept(key: str) -> Any:
    return st.session_state.setdefault(_KEPT, {}).get(key)


def _keep(options: Options, chosen: str | list[str], in_address: list[str]) -> None:
    """Keep a choice in the session and in the address, and have the input show it."""
    st.session_state.setdefault(_KEPT, {})[options.key] = chosen
    st.session_state.setdefault(_SEEN, {})[options.key] = in_address
    if st.session_state.get(options.key) != chosen or _is_new_here(options.key):
        st.session_state[options.key] = chosen
    address.write(options.parameter, in_address, *options.former)


def _is_new_here(key: str) -> bool:
    """Say whether an input is new to this page: one of the same key on the page before it left its choice behind."""
    drawn, page = st.session_state.setdefault(_DRAWN, {}), address.page_of_run()
    is_new = drawn.get(key) != page
    drawn[key] = page
    return is_new


def _plain(text: str) -> str:
    return _BETWEEN_WORDS.sub(" ", text).strip().casefold()
