"""Whether the Train page starts one run, the same run for several seeds, or a sweep over u and w."""

from dataclasses import dataclass

import streamlit as st

from cxr_core.errors import UsageError
from cxr_core.runs.run import HERE
from cxr_core.tasks.family_size import MOST_TRAININGS
from dashboard.shared import help_texts

ONE, REPEAT, SWEEP = "one", "repeat", "sweep"
WORDS = {ONE: "One run", REPEAT: "Repeat over seeds", SWEEP: "Sweep over u and w"}
GRID = ("0", "0.25", "0.5", "0.75", "1")


@dataclass(frozen=True)
class Several:
    """What is started, and at which place: `kind` is ONE, REPEAT or SWEEP; the other fields hold where they apply."""

    kind: str = ONE
    repeat: int = 1
    us: tuple[float, ...] = ()
    ws: tuple[float, ...] = ()
    place: str = HERE

    @property
    def trainings(self) -> int:
        """How many trainings are started."""
        return self.repeat * (len(self.us) * len(self.ws) if self.kind == SWEEP else 1)


def several_input() -> Several:
    """Show the choice and return it; a sweep's u and w take the place of the policy."""
    kind = st.segmented_control(
        "What to start",
        WORDS,
        default=ONE,
        required=True,
        format_func=WORDS.__getitem__,
        key="train-several",
        bind="query-params",
        wrap=True,
        help=help_texts.SEVERAL,
    )
    if kind == REPEAT:
        return Several(REPEAT, _repeat(3, 2))
    if kind != SWEEP:
        return Several()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        us = _axis("u", ("0", "0.5", "1"), help_texts.SWEEP_U)
        ws = _axis("w", ("0.25", "1"), help_texts.SWEEP_W)
        return Several(SWEEP, _repeat(1, 1), us, ws)


def _axis(letter: str, default: tuple[str, ...], text: str) -> tuple[float, ...]:
    chosen = st.multiselect(
        f"Values of {letter}",
        GRID,
        default=default,
        accept_new_options=True,
        key=f"train-sweep-{letter}",
        bind="query-params",
        help=text,
    )
    try:
        return tuple(float(value) for value in chosen)
    except ValueError as error:
        raise UsageError(f"The values of {letter} must be numbers from 0 to 1. Received: {chosen!r:.60}.") from error


def _repeat(default: int, least: int) -> int:
    return int(
        st.number_input(
            "Seeds",
            least,
            MOST_TRAININGS,
            default,
            key="train-repeat" if least > 1 else "train-sweep-repeat",
            bind="query-params",
            help=help_texts.REPEAT,
            width=140,
        )
    )
