"""The tab "Several sources": the chosen models in one table, a column for each source and judge."""

import json

import pandas as pd
import streamlit as st

from cxr_core.evaluation.grid import MEAN
from cxr_core.schema import LABELS, REPORT, label_words
from cxr_core.tasks.across_sources import AcrossSources, SourceColumn
from cxr_core.tasks.across_table import across_table, table_notes
from cxr_core.tasks.card_choice import other_sources
from cxr_core.tasks.grid import ModelGrid
from dashboard.charts.model_grid import SIGNS, legend_words
from dashboard.shared import detail_help, engine, help_texts
from dashboard.shared.choices import Options, select_one, select_several
from dashboard.shared.downloads import download_file
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import NOTHING, plain, with_interval
from dashboard.shared.judge_input import judge_words


def across_section(source: str, grids: ModelGrid) -> None:
    """Show the models of the page on each chosen source and by each chosen judge."""
    models = tuple(model for grid in grids.grids.values() for model in grid.models)
    with errors_as_sentences():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            others = _others(source, models)
            judges = _judges([source, *others], grids.judge)
            labels = Options((MEAN, *LABELS), "across-label", label_words, what="label")
            label = select_one("Label", labels, MEAN, help_texts.MEAN)
        if not judges:
            st.info("Choose at least one judge.", icon=":material/info:")
            return
        found = engine.across_sources(source, models, tuple(judges), grids.dataset, grids.figure, tuple(others))
        if label not in found.labels:
            st.info(f"None of the models predicts {label_words(label).lower()}.", icon=":material/info:")
            return
        st.caption(legend_words())
        shown = shown_table(found, label)
        st.table(shown, border="horizontal", alt="Each model on each source and by each judge, with its interval")
        st.caption(plain(" ".join(table_notes(found, label))))
        _downloads(found, label)


def _others(source: str, models: tuple[str, ...]) -> list[str]:
    """Show the other sources that have predictions of one of the models, where there are any."""
    others = list(dict.fromkeys(name for model in models for name in other_sources(source, model)))
    if not others:
        return []
    options = Options(others, "across-sources", what="source")
    return select_several("Also on", options, others, detail_help.ACROSS_SOURCES)


def _judges(sources: list[str], judge: str) -> list[str]:
    """Show who judges on any of the sources, the page's judge first."""
    each = dict.fromkeys(one for name in sources for one in engine.judges(name))
    known = list(dict.fromkeys((judge, *each)))
    if len(known) < 2:
        return [REPORT]
    options = Options(known, "across-judges", judge_words, what="judge")
    return select_several("Judged by", options, known, help_texts.JUDGE)


def shown_table(found: AcrossSources, label: str) -> pd.DataFrame:
    """Return the table in words, one row a model: sign, figure and interval."""
    rows = {}
    for model in found.models:
        rows[plain(model)] = {plain(_head(column, found)): _cell(column, model, label) for column in found.columns}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Model")


def _head(column: SourceColumn, found: AcrossSources) -> str:
    several = len({one.source for one in found.columns}) > 1
    return f"{column.source}, {judge_words(column.judge)}" if several else judge_words(column.judge)


def _cell(column: SourceColumn, model: str, label: str) -> str:
    cell = column.cells(label).get(model)
    if cell is None or cell.value is None:
        return NOTHING
    sign = SIGNS["untested" if model in column.alone else cell.mark]
    return f"{sign}\u00a0{with_interval(cell.value, cell.ci)}"


def _downloads(found: AcrossSources, label: str) -> None:
    table, name = across_table(found, label), f"models-across-{found.dataset}-{label}"
    with st.container(horizontal=True):
        download_file(table.csv(), f"{name}.csv", "text/csv", "Download CSV", detail_help.ACROSS_FILE)
        download_file(table.tex(), f"{name}.tex", "application/x-tex", "Download LaTeX", detail_help.ACROSS_FILE)
        text = json.dumps(found.as_json(), indent=1).encode()
        download_file(text, f"{name}.json", "application/json", "Download JSON", detail_help.ACROSS_FILE)
