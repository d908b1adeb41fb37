"""The button that makes the report of the Compare page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.evaluation.effects import Effects
from cxr_core.sources.source import Source
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.evaluate import LabelCurves
from cxr_core.tasks.grid import ModelGrid
from dashboard.compare.pair import pair_of_session
from dashboard.reports.document import report_html
from dashboard.reports.of_models import models_report
from dashboard.shared import engine
from dashboard.shared.downloads import download_report
from dashboard.shared.label_answers import label_curves
from dashboard.shared.model_input import DEFAULT_LABEL


def report_button(source: Source, grids: ModelGrid, policies: Mapping[str, str]) -> None:
    """Offer the report of the models, with what was chosen in the tabs."""
    chosen = {key: st.session_state.get(key) for key in ("compared-label", "effects-label", "baseline")}
    pair = pair_of_session(grids)
    download_report(lambda: _made(source, grids, policies, chosen, pair), f"models-{grids.dataset}.html")


def _made(
    source: Source,
    grids: ModelGrid,
    policies: Mapping[str, str],
    chosen: Mapping[str, Any],
    pair: tuple[str, str] | None,
) -> bytes:
    """Make the report; it runs when the button is pressed, outside the page's script."""
    models = [model for grid in grids.grids.values() for model in grid.models]
    curves = _curves(source.name, models, chosen["compared-label"] or DEFAULT_LABEL, grids)
    comparison = _comparison(source.name, pair, grids)
    effects = _effects(source.name, models, chosen, grids.dataset) if chosen["baseline"] in models else None
    ensembles = engine.ensemble_names(source.name)
    return report_html(models_report(grids, policies, source.synthetic, curves, ensembles, comparison, effects))


def _curves(source: str, models: list[str], label: str, grids: ModelGrid) -> list[LabelCurves]:
    where = (grids.dataset, None, grids.judge)
    having = [model for model in models if label in engine.evaluation_of_label(source, model, label, *where).labels]
    return [label_curves(source, model, label, *where) for model in having]


def _comparison(source: str, pair: tuple[str, str] | None, grids: ModelGrid) -> Comparison | None:
    try:
        return engine.comparison(source, *pair, grids.dataset, None, grids.judge) if pair else None
    except CxrError:
        return None  # models that cannot be compared: the page says why


def _effects(source: str, models: list[str], chosen: Mapping[str, Any], dataset: str) -> Effects | None:
    label = chosen["effects-label"] or DEFAULT_LABEL
    try:
        return engine.effects(source, tuple(models), chosen["baseline"], label, dataset, None)
    except CxrError:
        return None
