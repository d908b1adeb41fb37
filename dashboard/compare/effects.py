"""What u and w did to the predictions: the groups of images that each treatment of uncertain labels moved."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.effects import Effects
from dashboard.charts.effects import shift_chart, spread_chart
from dashboard.charts.frame import CONFIG
from dashboard.shared import engine, help_texts
from dashboard.shared.downloads import download_table
from dashboard.shared.effects_tables import effects_answer, placement_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import plain
from dashboard.shared.model_input import label_input
from dashboard.shared.theme import colors


def effects_section(source: str, models: list[str], ignoring: list[str], dataset: str) -> None:
    """Show how models with other (u, w) moved certain and uncertain images.

    Args:
        source: the source.
        models: the chosen models.
        ignoring: those among them that never saw an uncertain label, the natural baselines.
        dataset: the data set.
    """
    if len(models) < 2:
        st.info("Choose two models or more above.")
        return
    with errors_as_sentences():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            label = label_input("effects-label")
            first = models.index(ignoring[0]) if ignoring else 0
            baseline = st.selectbox(
                "Baseline", models, index=first, key="baseline", bind="query-params", help=help_texts.BASELINE
            )
        found = engine.effects(source, tuple(models), baseline, label, dataset, None)
        st.markdown(f"**{plain(effects_answer(found))}**")
        left, right = st.columns(2)
        with left:
            chart = spread_chart(found, colors())
            st.plotly_chart(chart, config=CONFIG, key="spreads", alt="Predictions of each model in each group")
        with right:
            chart = shift_chart(found, colors())
            st.plotly_chart(chart, config=CONFIG, key="shifts", alt="Mean shift of each group from the baseline")
        st.table(
            placement_table(found).map(plain).rename(plain),
            border="horizontal",
            alt="Where the uncertain images stand, by each model",
        )
        st.caption(help_texts.EFFECTS_CAPTION)
        download_table(flat_effects(found), f"effects-{label}-{dataset}.csv")


def flat_effects(found: Effects) -> pd.DataFrame:
    """Return the groups and their shifts as numbers, one row for each model and group."""
    rows = []
    for group, moved in found.groups.items():
        for model, spread in moved.spreads.items():
            shift = moved.shifts.get(model)
            low, high = (shift.ci if shift else None) or (None, None)
            row = {"label": found.label, "model": model, "group": group, "n": spread.n, "mean": spread.mean}
            row |= {"baseline": found.baseline, "shift": shift.mean if shift else None}
            rows.append(row | {"shift_low": low, "shift_high": high})
    return pd.DataFrame(rows)
