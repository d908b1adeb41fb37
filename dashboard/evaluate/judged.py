"""What the Evaluate page judges, and which of its parts are redrawn when the reader chooses.

The page is drawn in full once. Then choosing a label redraws the part that is about the label, and moving the operating
point redraws the part in it that is about the point: they are fragments, which ask the engine, which keeps its answers.
Another model or data set changes the table of all labels as well: then the page is drawn in full again.
"""

from dataclasses import dataclass

import streamlit as st

from cxr_core.models.listing import ModelEntry
from cxr_core.schema import REPORT
from cxr_core.sources.source import Source
from cxr_core.tasks.evaluate import Evaluation, LabelCurves
from dashboard.evaluate.valid_note import choice_note
from dashboard.shared import engine
from dashboard.shared.label_answers import curves_ahead, label_curves
from dashboard.shared.waiting import Show

#: Keys of the two parts.
LABEL, POINT = "evaluate-label", "evaluate-point"
_IN_FULL = "judged-in-full"


@dataclass(frozen=True)
class Judged:
    """A model on the images of a data set and, unless it is None, of one view; the label is the one chosen now.

    `judge` says what is positive: the report, the truth, or a set of readings.
    """

    source: Source
    model: ModelEntry
    dataset: str
    view: str | None
    judge: str = REPORT

    @property
    def label(self) -> str:
        """Return the label that is chosen."""
        return str(st.session_state["label"])

    def choice_note(self) -> str:
        """Return what the data set had to do with how the model came about."""
        return choice_note(self.source.name, self.model.name, self.dataset)

    def evaluation(self, show: Show | None = None) -> Evaluation:
        """Return the figures of all labels; `show` draws those that are there before all are."""
        return engine.evaluation(self.source.name, self.model.name, self.dataset, self.view, self.judge, show)

    def of_label(self) -> Evaluation:
        """Return the figures of the label, beside which those of others may be missing."""
        where = (self.dataset, self.view, self.judge)
        return engine.evaluation_of_label(self.source.name, self.model.name, self.label, *where)

    def curves_ahead(self) -> None:
        """Let the curves of the other labels be computed beside the page."""
        curves_ahead(self.source.name, self.model.name, self.dataset, self.view, self.judge)

    def curves(self) -> LabelCurves:
        """Return the curves of the label, which the model must predict."""
        return label_curves(self.source.name, self.model.name, self.label, self.dataset, self.view, self.judge)


def forget_judged() -> None:
    """Say that the page is being drawn in full, so that whatever is judged is new to it."""
    st.session_state.pop(_IN_FULL, None)


def note_judged(judged: Judged) -> None:
    """Note what is judged; where it is not what the page was drawn with, draw the page in full."""
    if judged != st.session_state.setdefault(_IN_FULL, judged):
        st.rerun()


def judged_in_full() -> Judged | None:
    """Return what the page is being drawn with; None where the model that was asked for is not there."""
    judged: Judged | None = st.session_state.get(_IN_FULL)
    return judged
