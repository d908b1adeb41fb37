"""How somebody reads: under which name, into which set, which films and in which order; all of it in the address."""

from dataclasses import dataclass

import streamlit as st

from cxr_core.evaluation.reading_order import AS_LISTED, RANDOM, SPREAD
from cxr_core.schema import REPORT, TRUTH
from cxr_core.tasks.reading_list import MYSELF, READERS
from dashboard.shared import address
from dashboard.shared.actions import action_button
from dashboard.shared.choices import Options, pick_one
from dashboard.shared.formatting import plain

LOOK, READ = "look", "read"
_MODES = {LOOK: "Look", READ: "Read"}
ORDER_WORDS = {SPREAD: "Most informative next", RANDOM: "Random", AS_LISTED: "As the group stands"}
GROUP = "group"
FILMS_WORDS = {
    GROUP: "The group",
    REPORT: "Again: the report differs",
    READERS: "Again: other readers differ",
    MYSELF: "Again: I differ from myself",
    TRUTH: "Again: the truth differs",
}
ORDER_RULE = (
    "Most informative next: the report's values take turns, and within a value each next film lies in the widest gap "
    "of the model's scores that is left, from a random start. Every film of a value is as likely to be read as any "
    "other, so the shares are those of a random sample, with less scatter where the score tells of the finding "
    "(systematic sampling). Random is by the seed. As the group stands takes the most telling films first: that is no "
    "sample, and its verdicts are set aside where shares are counted."
)
#: What the form keeps in the address: the name of the parameter, and the key of its input.
_KEYS = {
    "reader": "reading-name",
    "readings": "reading-set",
    "order": "reading-order",
    "films": "reading-films",
    "seed": "reading-seed",
}
_SET, _LARGEST_SEED = "own-readings", 2**31 - 1


@dataclass(frozen=True)
class Terms:
    """Who reads into which set, which films, in which order; `reader` is None before somebody began."""

    reader: str | None
    set: str
    order: str
    films: str
    seed: int


def mode_input() -> str:
    """Show whether images are looked at or read, and return which."""
    text = "Look at the images behind a number, or read them one after another and keep what you see."
    return pick_one("Mode", Options(list(_MODES), "mode", _MODES.__getitem__), LOOK, text)


def asked_terms() -> Terms:
    """Return what the address asks for; what it does not say, or not rightly, is the default."""
    return Terms(
        reader=_asked("reader") if address.asked_for("reader") else None,
        set=_asked("readings") or _SET,
        order=_one_of("order", ORDER_WORDS, SPREAD),
        films=_one_of("films", FILMS_WORDS, GROUP),
        seed=_seed(),
    )


def has_begun() -> bool:
    """Say whether somebody reads: what is read is folded then, and the film stands first."""
    return bool(address.asked_for("reader"))


def keep_terms() -> None:
    """Leave in the address how somebody reads, while images are looked at."""
    address.asked_for(*_KEYS)


def terms_form(terms: Terms, knows_truth: bool) -> None:
    """Ask how somebody reads; Enter begins."""
    films = [name for name in FILMS_WORDS if name != TRUTH or knows_truth]
    with st.form("reading-terms"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Your name", terms.reader or "", 64, "reading-name", help="Your verdicts are kept under it.")
            help_text = "Several readers may share a set. Labels and Evaluate take it as one."
            st.text_input("Set of readings", terms.set, 128, "reading-set", help=help_text)
            help_text = "The same seed gives the same order."
            st.number_input("Seed", 0, _LARGEST_SEED, terms.seed, 1, key="reading-seed", help=help_text, width=140)
        st.radio(
            "Order",
            list(ORDER_WORDS),
            list(ORDER_WORDS).index(terms.order),
            ORDER_WORDS.__getitem__,
            key="reading-order",
            help=ORDER_RULE,
            horizontal=True,
        )
        help_text = "The group, or a second look at your own verdicts of this label with which somebody does not agree."
        shown = terms.films if terms.films in films else GROUP
        st.radio(
            "Films",
            films,
            films.index(shown),
            FILMS_WORDS.__getitem__,
            key="reading-films",
            help=help_text,
            horizontal=True,
        )
        text = "Shows the first film. What you read before under this name goes on where it stopped."
        st.form_submit_button("Begin", text, type="primary", icon=":material/visibility:", on_click=_begin)
    st.caption(plain(ORDER_RULE))


def stop_button(source: str) -> None:
    """Show the button that goes back to the form."""
    text = "Changes the reader, the films or their order. What was read is kept."
    action_button("Stop reading", source, "stop-reading", lambda _: _stop(), text, icon=":material/undo:")


def _begin() -> None:
    for name, key in _KEYS.items():
        st.query_params[name] = str(st.session_state[key]).strip()


def _stop() -> None:
    st.query_params.pop("reader", None)


def _asked(name: str) -> str:
    asked = address.asked_for(name)
    return asked[-1].strip() if asked else ""


def _one_of(name: str, known: dict[str, str], default: str) -> str:
    asked = _asked(name)
    if asked and asked not in known:
        address.say(f"The address asks for {name}={asked[:60]}, which is not there. Choose one of: {', '.join(known)}.")
    return asked if asked in known else default


def _seed() -> int:
    asked = _asked("seed")
    if asked.isascii() and asked.isdigit() and len(asked) < 11 and int(asked) <= _LARGEST_SEED:
        return int(asked)
    if asked:
        address.say(f"The address asks for seed={asked[:60]}; a seed is a whole number from 0 to {_LARGEST_SEED}.")
    return 1
