"""The figures of labels in a table of numbers, as the pages and the reports show them."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation
from dashboard.shared import help_texts

_COUNT = st.column_config.NumberColumn(format="localized", width="small")


def _figure(text: str) -> Any:
    return st.column_config.NumberColumn(format="%.3f", width="small", help=text)


WHY_MISSING = "Why a figure is missing"


FIGURE_COLUMNS: dict[str, Any] = {
    "AUC": _figure(help_texts.AUC),
    "AUC low": _figure(help_texts.INTERVAL),
    "AUC high": _figure(help_texts.INTERVAL),
    "AP": _figure(help_texts.AP),
    "AP low": _figure(help_texts.INTERVAL),
    "AP high": _figure(help_texts.INTERVAL),
    "Prevalence": st.column_config.NumberColumn(format="percent", width="small", help=help_texts.PREVALENCE),
    "Positive": _COUNT,
    "n (certain)": _COUNT,
    "Uncertain": _COUNT,
    "Patients": _COUNT,
    WHY_MISSING: st.column_config.TextColumn(width="medium"),
}


def figures_table(result: Evaluation) -> pd.DataFrame:
    """Return the figures of all labels as numbers, one row a label."""
    rows = [{"Label": label_words(label)} | figure_cells(figures) for label, figures in result.labels.items()]
    return with_reasons_if_any(pd.DataFrame(rows))


def with_reasons_if_any(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without its column `WHY_MISSING` where no figure is missing."""
    return table if table[WHY_MISSING].any() else table.drop(columns=WHY_MISSING)


def figure_cells(figures: LabelEvaluation) -> dict[str, Any]:
    """Return the figures of one label for a row of a table with `FIGURE_COLUMNS`."""
    auc_low, auc_high = figures.roc_auc_ci or (None, None)
    ap_low, ap_high = figures.average_precision_ci or (None, None)
    return {
        "AUC": figures.roc_auc,
        "AUC low": auc_low,
        "AUC high": auc_high,
        "AP": figures.average_precision,
        "AP low": ap_low,
        "AP high": ap_high,
        "Prevalence": figures.prevalence,
        "Positive": figures.n_positive,
        "n (certain)": figures.n,
        "Uncertain": figures.n_uncertain_dropped,
        "Patients": figures.n_patients,
        WHY_MISSING: "; ".join(dict.fromkeys(figures.why.values())),
    }
