"""The report of the Compare page: models beside labels, the curves of one label, and the paired difference of two."""

from collections.abc import Mapping, Sequence

import pandas as pd

from cxr_core.evaluation.effects import Effects
from cxr_core.schema import REPORT, label_words
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.distribution import shared_patients
from cxr_core.tasks.evaluate import LabelCurves
from cxr_core.tasks.grid import ModelGrid
from cxr_core.tasks.provenance import provenance
from dashboard.charts.curves import pr_chart, roc_chart
from dashboard.charts.details import difference_chart
from dashboard.charts.effects import shift_chart, spread_chart
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.charts.model_grid import grid_html, legend_words
from dashboard.charts.palette import LIGHT
from dashboard.reports.document import Report, Section
from dashboard.shared import help_texts
from dashboard.shared.comparison_tables import answer, difference_answer, difference_notes, difference_table, grid_notes
from dashboard.shared.effects_tables import effects_answer, placement_table
from dashboard.shared.formatting import count, with_interval
from dashboard.shared.judge_input import judge_words
from dashboard.shared.leak import leak_words
from dashboard.shared.model_curves import model_curves
from dashboard.shared.short_names import short_names


def models_report(
    grids: ModelGrid,
    policies: Mapping[str, str],
    synthetic: bool,
    curves: list[LabelCurves],
    ensembles: set[str],
    comparison: Comparison | None,
    effects: Effects | None,
) -> Report:
    """Return what the Compare page shows.

    Args:
        grids: the models beside the labels.
        policies: what uncertain labels meant in the training of each model, in words.
        synthetic: whether the source's images are made up.
        curves: of one label, of the models that have it.
        ensembles: which of the models are ensembles.
        comparison: the paired difference of two models, where two are chosen.
        effects: what u and w did, where it was looked at.
    """
    facts = {
        "Source": grids.source,
        "Data set": grids.dataset,
        "Figure": FIGURE_WORDS[grids.figure],
        "Judge": "the report's labels" if grids.judge == REPORT else judge_words(grids.judge),
        "Patients in two data sets": leak_words(shared_patients(grids.source)),
        "Models": "; ".join(f"{model}: {policies[model]}" for grid in grids.grids.values() for model in grid.models),
    }
    sections = [*_grids(grids, policies), *_curves(curves, ensembles)]
    if comparison is not None:
        sections.append(_difference(comparison))
    if effects is not None:
        sections.append(_effects(effects))
    models = [model for grid in grids.grids.values() for model in grid.models]
    commands = _commands(grids, [one.model for one in curves], comparison)
    made_of = provenance(grids.source, models, grids.dataset, grids.view, commands)
    return Report(answer(grids), facts, sections, synthetic, provenance=made_of)


def _commands(grids: ModelGrid, drawn: Sequence[str], comparison: Comparison | None) -> list[list[str]]:
    """Return the commands that give the figures: the grids, the pair, and those of the models with curves."""
    judge = [] if grids.judge == REPORT else ["--judge", grids.judge]
    several = [list(grid.models) for grid in grids.grids.values() if len(grid.models) > 1]
    pair = [["compare", comparison.a, comparison.b, *judge]] if comparison else []
    return [
        *(["compare", *models, "--grid", grids.figure, *judge] for models in several),
        *pair,
        *(["evaluate", model, *judge] for model in drawn),
    ]


def _grids(grids: ModelGrid, policies: Mapping[str, str]) -> list[Section]:
    words = help_texts.SEVERAL_VIEWS if len(grids.grids) > 1 else ""
    return [
        Section(
            f"{FIGURE_WORDS[grids.figure]} of all labels: {views}",
            words,
            markup=[grid_html(grid, short_names(grid.models), policies)],
            notes=[f"Signs: {legend_words()}.", *grid_notes(grids, grid, short_names(grid.models))],
        )
        for views, grid in grids.grids.items()
    ]


def _curves(curves: list[LabelCurves], ensembles: set[str]) -> list[Section]:
    roc, pr, prevalence = model_curves(curves, ensembles, LIGHT)
    if not roc:
        return []
    words = label_words(curves[0].label)
    rows = {one.model: _exact(one) for one in curves}
    table = pd.DataFrame.from_dict(rows, orient="index")
    charts = [roc_chart(f"ROC · {words}", roc, LIGHT), pr_chart(f"Precision-recall · {words}", pr, prevalence, LIGHT)]
    return [Section(f"Curves of {words.lower()}", charts=charts, tables=[table])]


def _exact(curves: LabelCurves) -> dict[str, str]:
    return {
        "AUC": with_interval(curves.roc_auc, None),
        "Average precision": with_interval(curves.average_precision, None),
        "n (certain)": count(curves.rows.n),
        "Positive": count(curves.rows.positives),
    }


def _difference(found: Comparison) -> Section:
    words = f"A is {found.a}, B is {found.b}. {difference_answer(found)}"
    chart = difference_chart(list(found.labels.values()), "A", "B", LIGHT)
    return Section("Is the difference real?", words, [chart], [difference_table(found)], notes=difference_notes(found))


def _effects(found: Effects) -> Section:
    charts = [spread_chart(found, LIGHT), shift_chart(found, LIGHT)]
    heading = f"What u and w did to {label_words(found.label).lower()}"
    return Section(heading, effects_answer(found), charts, [placement_table(found)], [help_texts.EFFECTS_CAPTION])
