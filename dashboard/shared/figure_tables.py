"""The figures of labels in a table, as the pages and the reports show them."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation
from dashboard.shared import help_texts
from dashboard.shared.formatting import NOTHING, with_interval

_COUNT = st.column_config.NumberColumn(format="localized", width="small")


def _figure(text: str) -> Any:
    return st.column_config.TextColumn(width=138, help=f"{text} {help_texts.INTERVAL}")


AUC, AP = "AUC (95 % interval)", "AP (95 % interval)"
METHOD = "Intervals by"
WHY_MISSING = "What is missing, and why"


FIGURE_COLUMNS: dict[str, Any] = {
    AUC: _figure(help_texts.AUC),
    AP: _figure(help_texts.AP),
    "Prevalence": st.column_config.NumberColumn(format="%.1f %%", width="small", help=help_texts.PREVALENCE),
    "Positive": _COUNT,
    "n (certain)": _COUNT,
    "Uncertain": _COUNT,
    "Patients": _COUNT,
    METHOD: st.column_config.TextColumn(width="small", help=help_texts.INTERVAL),
    WHY_MISSING: st.column_config.TextColumn(width="medium"),
}


def figures_table(result: Evaluation) -> pd.DataFrame:
    """Return the figures of all labels, one row a label, a figure and its interval in one cell."""
    rows = [{"Label": label_words(label)} | figure_cells(figures) for label, figures in result.labels.items()]
    return with_reasons_if_any(pd.DataFrame(rows))


def with_reasons_if_any(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without its column `WHY_MISSING` where nothing is missing."""
    return table if table[WHY_MISSING].any() else table.drop(columns=WHY_MISSING)


def why_missing(figures: LabelEvaluation) -> str:
    """Say why figures or intervals are missing and how many rows are left out; nothing where all is there."""
    return "; ".join(
        [*dict.fromkeys(figures.why.values()), *([figures.missing_words] if figures.missing_words else [])]
    )


def figure_cells(figures: LabelEvaluation) -> dict[str, Any]:
    """Return the figures of one label for a row of a table with `FIGURE_COLUMNS`."""
    return {
        AUC: with_interval(figures.roc_auc, figures.roc_auc_ci),
        AP: with_interval(figures.average_precision, figures.average_precision_ci),
        "Prevalence": None if figures.prevalence is None else 100 * figures.prevalence,
        "Positive": figures.n_positive,
        "n (certain)": figures.n,
        "Uncertain": figures.n_uncertain_dropped,
        "Patients": figures.n_patients,
        METHOD: figures.ci_method or NOTHING,
        WHY_MISSING: why_missing(figures),
    }
