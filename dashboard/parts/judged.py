"""What the Evaluate page judges, and which of its parts are redrawn when the reader chooses.

The page is drawn once; then choosing a label, or moving the operating point, redraws the parts that it changes and
nothing else. Each such part is a fragment with a key, reads what was chosen from the session, and asks the engine,
which keeps its answers.
"""

from dataclasses import dataclass

import streamlit as st

from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.models.registry import ModelEntry
from cxr_core.sources.source import Source
from cxr_core.tasks.evaluate import Evaluation, LabelCurves
from dashboard.parts import engine
from dashboard.parts.valid_note import choice_note

#: Keys of the parts: the title, the row of figures, the two curves, and what the operating point does.
ANSWER, FIGURES, CURVES, POINT = "evaluate-answer", "evaluate-figures", "evaluate-curves", "evaluate-point"


@dataclass(frozen=True)
class Judged:
    """A model on the images of a data set and, unless it is None, of one view; the label is the one chosen now."""

    source: Source
    model: ModelEntry
    dataset: str
    view: str | None

    @property
    def label(self) -> str:
        """Return the label that is chosen."""
        return str(st.session_state["label"])

    @property
    def ensemble(self) -> bool:
        """Say whether the model is an ensemble, which is drawn in its own way."""
        return self.model.name in engine.ensemble_names(self.source.name)

    def choice_note(self) -> str:
        """Return what the data set had to do with how the model came about."""
        return choice_note(self.source.name, self.model.name, self.dataset)

    def evaluation(self) -> Evaluation:
        """Return the figures of all labels."""
        return engine.evaluation(self.source.name, self.model.name, self.dataset, self.view)

    def figures(self) -> LabelEvaluation | None:
        """Return the figures of the label; None where the model lacks it."""
        return self.evaluation().labels.get(self.label)

    def curves(self) -> LabelCurves | None:
        """Return the curves of the label; None where the model lacks it."""
        if self.figures() is None:
            return None
        return engine.label_curves(self.source.name, self.model.name, self.label, self.dataset, self.view)


def show_chosen_label() -> None:
    """Redraw what is about the label; to be called when it was changed by its input."""
    # The slider of thresholds has a range of its own for each label: then the whole page is drawn again.
    if st.session_state.get("point-by") != "threshold":
        st.rerun([CURVES, ANSWER, FIGURES, POINT])


def show_operating_point() -> None:
    """Redraw what depends on the operating point; to be called when it was moved by its input."""
    st.rerun([CURVES, POINT])
