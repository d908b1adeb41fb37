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
from dashboard.reports.document import report_html
from dashboard.reports.of_models import models_report
from dashboard.shared import engine
from dashboard.shared.downloads import download_report
from dashboard.shared.model_input import DEFAULT_LABEL


def report_button(source: Source, grids: ModelGrid, policies: Mapping[str, str]) -> None:
    """Offer the report of the models, with what was chosen in the tabs."""
    chosen = {key: st.session_state.get(key) for key in ("compared-label", "model-a", "model-b")}
    chosen |= {key: st.session_state.get(key) for key in ("effects-label", "baseline")}
    download_report(lambda: _made(source, grids, policies, chosen), f"models-{grids.dataset}.html")


def _made(source: Source, grids: ModelGrid, policies: Mapping[str, str], chosen: Mapping[str, Any]) -> bytes:
    """Make the report; it runs when the button is pressed, outside the page's script."""
    models = [model for grid in grids.grids.values() for model in grid.models]
    curves = _curves(source.name, models, chosen["compared-label"] or DEFAULT_LABEL, grids.dataset)
    pair = _pair(grids, chosen)
    comparison = _comparison(source.name, pair, grids.dataset)
    effects = _effects(source.name, models, chosen, grids.dataset) if chosen["baseline"] in models else None
    ensembles = engine.ensemble_names(source.name)
    return report_html(models_report(grids, policies, source.synthetic, curves, ensembles, comparison, effects))


def _curves(source: str, models: list[str], label: str, dataset: str) -> list[LabelCurves]:
    having = [model for model in models if label in engine.evaluation(source, model, dataset, None).labels]
    return [engine.label_curves(source, model, label, dataset, None) for model in having]


def _pair(grids: ModelGrid, chosen: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the pair that was chosen, or else the first two models of the largest group, as the page offers them."""
    models = [model for grid in grids.grids.values() for model in grid.models]
    pair = (chosen["model-a"], chosen["model-b"])
    if all(model in models for model in pair) and pair[0] != pair[1]:
        return pair
    first = max(grids.grids.values(), key=lambda grid: len(grid.models)).models
    return (first[0], first[1]) if len(first) > 1 else None


def _comparison(source: str, pair: tuple[str, str] | None, dataset: str) -> Comparison | None:
    try:
        return engine.comparison(source, *pair, dataset, None) if pair else None
    except CxrError:
        return None  # models that cannot be compared: the page says why


def _effects(source: str, models: list[str], chosen: Mapping[str, Any], dataset: str) -> Effects | None:
    label = chosen["effects-label"] or DEFAULT_LABEL
    try:
        return engine.effects(source, tuple(models), chosen["baseline"], label, dataset, None)
    except CxrError:
        return None
