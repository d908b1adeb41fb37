"""The tab "Two judges": each model's figure by the page's judge beside that by another, and how alike they rank."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.judge_agreement import JudgedTwice
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.grid import ModelGrid
from cxr_core.tasks.two_judges import TwoJudges
from cxr_core.words import counted
from dashboard.charts.frame import CONFIG
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.charts.judges import judges_chart
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, select_one
from dashboard.shared.downloads import download_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import plain
from dashboard.shared.judge_input import judge_words
from dashboard.shared.judges_words import judges_answer, judges_table
from dashboard.shared.short_names import short_names
from dashboard.shared.theme import colors

_MEAN = "mean"


def judges_section(source: str, grids: ModelGrid) -> None:
    """Show the models by both judges, one chart for each group of models that predict the same images."""
    others = [judge for judge in engine.judges(source) if judge != grids.judge]
    if not others:
        st.info(help_texts.ONE_JUDGE, icon=":material/info:")
        return
    with errors_as_sentences():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            beside = select_one(
                "Beside", Options(others, "beside", judge_words, what="judge"), others[0], help_texts.BESIDE_JUDGE
            )
            labels = Options((_MEAN, *LABELS), "judged-label", label_words, what="label")
            label = select_one("Label", labels, _MEAN, help_texts.MEAN)
        models = tuple(model for grid in grids.grids.values() for model in grid.models)
        chosen = None if label == _MEAN else label
        found = engine.two_judges(source, models, (grids.judge, beside), grids.dataset, grids.figure, chosen)
        for words, group in found.groups.items():
            _group(found, words, group)
        download_table(flat_judges(found), f"judges-{found.dataset}-{'-'.join(found.judges)}.csv")


def _group(found: TwoJudges, words: str, group: JudgedTwice) -> None:
    st.markdown(f"**{plain(judges_answer(found, group))}**")
    axes = [f"{FIGURE_WORDS[found.figure]} by {judge_words(judge)}" for judge in found.judges]
    names = short_names(group.first)
    chart = judges_chart(group, (axes[0], axes[1]), names, engine.ensemble_names(found.source), colors())
    st.plotly_chart(chart, config=CONFIG, key=f"judges-{words}", alt="Each model by one judge and by the other")
    st.table(judges_table(found, group).map(plain).rename(plain), border="horizontal", alt="Figures by both judges")
    images = counted(found.n[words], "image")
    st.caption(plain(f"{images} ({words}) on which both judges say anything. {help_texts.TWO_JUDGES_CAPTION}"))


def flat_judges(found: TwoJudges) -> pd.DataFrame:
    """Return the figures as numbers, one row for each model and judge, an interval in two columns."""
    rows = []
    for words, group in found.groups.items():
        for judge, means in zip(found.judges, (group.first, group.second), strict=True):
            for model, mean in means.items():
                low, high = mean.ci or (None, None)
                row = {"images": words, "model": model, "judge": judge, "figure": found.figure, "value": mean.value}
                rows.append(row | {"low": low, "high": high, "labels": mean.labels, "n": found.n[words]})
    return pd.DataFrame(rows)
