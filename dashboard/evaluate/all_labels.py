"""All labels of one model in one table, and their mean over the labels that the reader chooses."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.results import LabelEvaluation, MeanFigure
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import SUMS, Evaluation
from cxr_core.words import counted, plural
from dashboard.shared import help_texts
from dashboard.shared.downloads import download_table
from dashboard.shared.figure_tables import FIGURE_COLUMNS, WHY_MISSING, figure_cells, figures_table, why_missing
from dashboard.shared.formatting import plain, with_interval
from dashboard.shared.so_far import so_far_words

TABLE = "all-labels"
_COLUMNS = {"Label": st.column_config.TextColumn(pinned=True)} | FIGURE_COLUMNS


def all_labels(result: Evaluation) -> None:
    """Show the figures of all labels; a row that is chosen is shown above, the mean is over the labels that are."""
    st.header("All labels", anchor=False)
    labels = list(result.labels)
    table = figures_table(result).drop(columns=WHY_MISSING, errors="ignore")
    st.dataframe(
        table[["Label", *_chosen_columns([str(name) for name in table.columns[1:]])]],
        key=TABLE,
        hide_index=True,
        height="content",
        column_config=_COLUMNS,
        selection_mode="single-row",
        on_select=lambda: _show_row(labels),
        alt="AUC and average precision of all labels. Choosing a row shows its curves above.",
    )
    _what_is_missing(result)
    _what_is_bounded(result)
    _mean_over(result)
    left_out = [f"{counted(result.unmatched, 'predicted image')} without labels left out"] if result.unmatched else []
    told = [counted(result.n_images, "image"), f"predictions are {plural(result.scale)}", *left_out]
    st.caption(plain(" · ".join(told)))
    download_table(flat_evaluation(result), f"{result.model}-{result.dataset}-evaluation.csv")


def labels_so_far(parts: list[Any]) -> None:
    """Show the labels that are final while the others are computed."""
    found = [part for part in parts if isinstance(part, LabelEvaluation)]
    st.header("All labels", anchor=False)
    st.dataframe(
        pd.DataFrame([{"Label": label_words(one.label)} | figure_cells(one) for one in found]).drop(
            columns=WHY_MISSING
        ),
        hide_index=True,
        height="content",
        column_config=_COLUMNS,
        alt="AUC and average precision of the labels that are computed so far.",
    )
    st.caption(so_far_words(len(found), "the means over them"))


def _what_is_missing(result: Evaluation) -> None:
    """Say, label by label, why a figure or an interval is missing and how many rows are left out."""
    reasons = {label: why_missing(figures) for label, figures in result.labels.items()}
    told = [f"- {label_words(label)}: {plain(words)}" for label, words in reasons.items() if words]
    if told:
        with st.expander(f"What is missing, and why ({counted(len(told), 'label')})"):
            st.markdown("\n".join(told))


def _what_is_bounded(result: Evaluation) -> None:
    """Say that figures come from sums, and how far a figure may be off where its third digit could change."""
    if result.computed_from != SUMS:
        return
    st.caption("The rows are too many to be fetched: figures come from sums in bins of the scores.")
    told = [f"- {label_words(label)}: {row.bound_words}" for label, row in result.labels.items() if row.bound_words]
    if told:
        with st.expander(f"Right within bounds ({counted(len(told), 'label')})"):
            st.markdown("\n".join(told))


def _chosen_columns(names: list[str]) -> list[str]:
    """Show the names of the columns, each of which can be left out: a phone has room for few."""
    chosen = st.pills(
        "Columns", names, default=names, selection_mode="multi", key=f"{TABLE}-columns", label_visibility="collapsed"
    )
    return [name for name in names if name in chosen] or names[:1]


def _show_row(labels: list[str]) -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    if rows:
        st.session_state["label"] = labels[rows[0]]


@st.fragment
def _mean_over(result: Evaluation) -> None:
    """Show the mean over all labels, or over those that are chosen here."""
    labels = list(result.labels)
    chosen = st.multiselect(
        "Mean over",
        labels,
        format_func=label_words,
        key="mean-labels",
        bind="query-params",
        placeholder=f"All of {counted(len(labels), 'label')}",
        help=help_texts.MEAN,
    )
    with st.container(horizontal=True):
        _mean("Mean AUC", result.figures.mean("roc_auc", chosen or None))
        _mean("Mean average precision", result.figures.mean("average_precision", chosen or None))


def _mean(name: str, mean: MeanFigure) -> None:
    over = f"over {counted(mean.labels, 'label')}"
    below = f"{over}, by {mean.ci_method}" if mean.ci else over if mean.value is None else f"no interval: {mean.why}"
    st.metric(
        f"{name} (95 % interval)",
        with_interval(mean.value, mean.ci),
        delta=below,
        delta_color="off",
        delta_arrow="off",
        border=True,
        help=help_texts.MEAN,
    )


def flat_evaluation(result: Evaluation) -> pd.DataFrame:
    """Return the figures of all labels, one row a label, an interval in two columns."""
    rows = []
    for label, figures in result.labels.items():
        row = {"label": label} | figures.as_json()
        for name in ("roc_auc_ci", "average_precision_ci"):
            row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
        rows.append(row | {"why": "; ".join(f"{name}: {reason}" for name, reason in figures.why.items())})
    return pd.DataFrame(rows)
