"""The tab "Two judges": each model's figure by the page's judge beside that by another, and how alike they rank."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.judge_agreement import JudgeDifference, JudgedTwice
from cxr_core.evaluation.label_agreement import LabelAgreement
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.grid import ModelGrid
from cxr_core.tasks.two_judges import TwoJudges
from cxr_core.words import counted
from dashboard.charts.frame import CONFIG
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.charts.judges import judges_chart
from dashboard.shared import detail_help, engine, help_texts
from dashboard.shared.choices import Options, select_one
from dashboard.shared.downloads import download_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import plain
from dashboard.shared.judge_input import judge_words
from dashboard.shared.judges_words import agreement_answer, agreement_table, judges_answer, judges_table
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
        name = f"{found.dataset}-{'-'.join(found.judges)}.csv"
        with st.container(horizontal=True):
            download_table(flat_judges(found), f"judges-{name}")
            download_table(flat_agreement(found), f"agreement-{name}", "Download agreement")


def _group(found: TwoJudges, words: str, group: JudgedTwice) -> None:
    st.markdown(f"**{plain(judges_answer(found, group))}**")
    axes = [f"{FIGURE_WORDS[found.figure]} by {judge_words(judge)}" for judge in found.judges]
    names = short_names(group.first)
    chart = judges_chart(group, (axes[0], axes[1]), names, engine.ensemble_names(found.source), colors())
    st.plotly_chart(chart, config=CONFIG, key=f"judges-{words}", alt="Each model by one judge and by the other")
    st.table(judges_table(found, group).map(plain).rename(plain), border="horizontal", alt="Figures by both judges")
    images = counted(found.n[words], "image")
    st.caption(plain(f"{images} ({words}) on which both judges say anything. {help_texts.TWO_JUDGES_CAPTION}"))
    agreement = found.agreement[words]
    st.markdown(f"**{plain(agreement_answer(found, agreement))}.**")
    st.table(agreement_table(found, agreement), border="horizontal", alt="What the two judges say of each label")
    why = [f" {label_words(label)}: {said}." for label, one in agreement.items() for said in {*one.why.values()}]
    st.caption(plain(f"{detail_help.JUDGES_AGREE}{''.join(why)}"))


def flat_judges(found: TwoJudges) -> pd.DataFrame:
    """Return the figures as numbers, one row for each model and judge, an interval in two columns."""
    rows = []
    for words, group in found.groups.items():
        for judge, means in zip(found.judges, (group.first, group.second), strict=True):
            for model, mean in means.items():
                low, high = mean.ci or (None, None)
                row = {"images": words, "model": model, "judge": judge, "figure": found.figure, "value": mean.value}
                row |= {"low": low, "high": high, "labels": mean.labels, "n": found.n[words]}
                rows.append(row | {f"difference_{name}": value for name, value in _flat(group.differences[model])})
    return pd.DataFrame(rows)


def flat_agreement(found: TwoJudges) -> pd.DataFrame:
    """Return what the judges say of each label as numbers, an interval in two columns."""
    return pd.DataFrame(
        [
            {"images": words, "label": label} | dict(_flat(one))
            for words, agreement in found.agreement.items()
            for label, one in agreement.items()
        ]
    )


def _flat(one: JudgeDifference | LabelAgreement) -> Iterator[tuple[str, Any]]:
    """Yield the figures of a document, what has two values in two columns."""
    for name, value in one.as_json().items():
        if name == "why":
            yield name, value if isinstance(value, str) else "; ".join((value or {}).values())
        elif name == "present":
            yield from zip(("present_first", "present_second"), value, strict=True)
        elif name.split("_")[0] == "ci" or name.endswith("_ci"):
            yield from zip((f"{name}_low", f"{name}_high"), value or (None, None), strict=True)
        else:
            yield name, value
