"""The commands that judge models: evaluate, compare."""

import argparse
from typing import Any

from cxr_core.commands.across_sources import across, across_arguments, asked_label, asks_across
from cxr_core.commands.beside import beside_text
from cxr_core.commands.details import details_text, effects_text, groups_text
from cxr_core.commands.output import as_table, interval, p_value, reasons, shown
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.commands.thresholds import alarms, cuts_text
from cxr_core.schema import REPORT
from cxr_core.tasks.compare import Comparison, compare
from cxr_core.tasks.details import SPECIFICITY, all_details
from cxr_core.tasks.effects import treatment_effects
from cxr_core.tasks.evaluate import SUMS, Evaluation, evaluate
from cxr_core.tasks.grid import ModelGrid, model_grid
from cxr_core.tasks.reader_differences import reader_differences
from cxr_core.tasks.subgroups import subgroups
from cxr_core.tasks.threshold_cards import judged_at, read_card
from cxr_core.tasks.two_judges import two_judges
from cxr_core.words import counted

#: How the marks of a grid are written.
_SIGNS = {"best": "*", "alike": "*", "behind": "<", "untested": "?"}
_SIGNS_WORDS = "* the best, or not told from it; < told from it; ? not tested"


def _which_images(parser: Parser) -> None:
    parser.add_argument("--dataset", default="valid", help="train, valid or test (default %(default)s)")
    parser.add_argument("--view", help="only images of this view; without it, all that are predicted")
    parser.add_argument(
        "--judge",
        default=REPORT,
        metavar="WHO",
        help="who says what is positive: report, truth, or a set of readings (default %(default)s)",
    )


def _evaluate_arguments(parser: Parser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model with predictions")
    _which_images(parser)
    parser.add_argument("--at", metavar="CARD", help="also what the thresholds of this card do on these images")
    parser.add_argument(
        "--images-a-day",
        type=int,
        metavar="N",
        help="with --at: also the alarms, and the false ones, in a day of so many images like these",
    )
    parser.add_argument("--by", metavar="COLUMN", help="also each label in groups of images, as by sex, cut by --at")
    parser.add_argument(
        "--details",
        action="store_true",
        help="also calibration slope, intercept, O:E, decision curve, partial AUC and sensitivity at a specificity",
    )
    parser.add_argument(
        "--specificity",
        type=float,
        default=SPECIFICITY,
        metavar="X",
        help="with --details: where the part of the ROC curve begins (default %(default)s)",
    )


def _evaluate(arguments: argparse.Namespace) -> Answer:
    found = evaluate(arguments.source, arguments.model, arguments.dataset, arguments.view, arguments.judge)
    document, texts = found.as_json(), [lambda: _evaluation_text(found)]
    if found.readers:
        _add_differences(document, arguments)
    where = (arguments.source, arguments.model, arguments.dataset, arguments.view, arguments.judge)
    if arguments.at:
        card = read_card(arguments.source, arguments.at)
        cuts = judged_at(card, *where)
        for label, cut in cuts.items():
            document["labels"][label]["at"] = cut.as_json() | alarms(cut, arguments.images_a_day)
        document["card"] = card.card
        texts.append(lambda: cuts_text(card, cuts, arguments.images_a_day))
    if arguments.by:
        for label, groups in _groups(arguments, list(document["labels"])).items():
            document["labels"][label]["groups"] = groups
        texts.append(lambda: groups_text(document["labels"], arguments.by))
    if arguments.details:
        details = all_details(*where, arguments.specificity)
        for label, one in details.items():
            document["labels"][label]["details"] = one.as_json()
        texts.append(lambda: details_text(details))
    return Answer(document, lambda: "\n\n".join(text() for text in texts))


def _groups(arguments: argparse.Namespace, labels: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of each label in groups of images, cut where the card cuts."""
    card = read_card(arguments.source, arguments.at) if arguments.at else None
    found = {}
    for label in labels:
        cut = card.thresholds.get(label) if card else None
        where = (arguments.by, arguments.dataset, arguments.view, cut, arguments.judge)
        found[label] = [one.as_json() for one in subgroups(arguments.source, arguments.model, label, *where).groups]
    return found


def _add_differences(document: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Add to each reader's point how much more the model finds at the reader's specificity."""
    where = (arguments.source, arguments.model, arguments.dataset, arguments.view, arguments.judge)
    for label, of_readers in reader_differences(*where).items():
        for point in document["labels"][label]["readers"]:
            point.update(of_readers[point["set"], point["reader"]].as_json())


def _evaluation_text(found: Evaluation) -> str:
    headers = ("label", "n", "positive", "uncertain", "patients", "AUC", "95 % interval", "AP", "95 % interval")
    rows = [
        (
            *(label, row.n, row.n_positive, row.n_uncertain_dropped, row.n_patients),
            *(row.roc_auc, interval(row.roc_auc_ci), row.average_precision, interval(row.average_precision_ci)),
        )
        for label, row in found.labels.items()
    ]
    images = counted(found.n_images, "image")
    head = f"{found.model} on {found.dataset} of {found.source}: {images}, values are {found.scale}"
    if found.disagreeing:
        head += f"\nIn {counted(found.disagreeing, 'study')} the images disagree on a label; the largest code counts."
    if found.computed_from == SUMS:
        head += "\nThe rows are too many to be fetched: figures come from sums in bins of the scores."
    if found.doubt:
        head += f"\n{found.doubt}"
    for label, row in found.labels.items():
        if row.bound_words:
            head += f"\n{label}: right within {row.bound_words}"
        if row.n_missing:
            head += f"\n{label}: {row.missing_words}"
    return f"{head}\n\n{as_table(headers, rows)}{reasons({label: row.why for label, row in found.labels.items()})}"


def _compare_arguments(parser: Parser) -> None:
    parser.add_argument("a", metavar="A", help="a model with predictions")
    parser.add_argument("b", metavar="B", help="the model to compare it with")
    parser.add_argument("more", nargs="*", metavar="MORE", help="further models: all on each label, as on the page")
    _which_images(parser)
    parser.add_argument(
        "--grid", metavar="FIGURE", help="all on each label by roc_auc or average_precision, also for two models"
    )
    parser.add_argument(
        "--beside",
        metavar="WHO",
        help="each model's mean figure by --judge beside that by another judge",
    )
    parser.add_argument(
        "--effects", metavar="LABEL", help="how the models moved the images of this label from the --baseline"
    )
    parser.add_argument("--baseline", metavar="M", help="with --effects: the model that others are set against; else A")
    across_arguments(parser)


def _compare(arguments: argparse.Namespace) -> Answer:
    models, figure = [arguments.a, arguments.b, *arguments.more], arguments.grid or "roc_auc"
    if asks_across(arguments):
        return across(arguments, models, figure)
    if arguments.beside:
        judges = (arguments.judge, arguments.beside)
        asked = (arguments.dataset, arguments.view, figure, asked_label(arguments))
        beside = two_judges(arguments.source, models, judges, *asked)
        return Answer(beside.as_json(), lambda: beside_text(beside))
    if arguments.effects:
        where = (arguments.effects, arguments.dataset, arguments.view)
        effects = treatment_effects(arguments.source, models, arguments.baseline or arguments.a, *where)
        return Answer(effects.as_json(), lambda: effects_text(effects))
    if arguments.more or arguments.grid:
        grid = model_grid(arguments.source, models, arguments.dataset, arguments.view, figure, arguments.judge)
        return Answer(grid.as_json(), lambda: "\n\n".join(_grid_text(grid, views) for views in grid.grids))
    found = compare(arguments.source, arguments.a, arguments.b, arguments.dataset, arguments.view, arguments.judge)
    return Answer(found.as_json(), lambda: _comparison_text(found))


def _comparison_text(found: Comparison) -> str:
    headers = ("label", "n", "difference", "95 % interval", "p", "p corrected", "interval corrected", "", "p DeLong")
    rows = [
        (
            *(label, row.n, row.difference, interval(row.ci), p_value(row.p), p_value(row.p_corrected)),
            *(interval(row.ci_corrected), row.state, p_value(row.p_delong)),
        )
        for label, row in found.labels.items()
    ]
    untested = [f"{label}: not tested, {row.why_untested}" for label, row in found.labels.items() if row.why_untested]
    head = f"AUC of {found.a} minus AUC of {found.b}; {found.family}"
    return "\n\n".join([head, as_table(headers, rows), *(["\n".join(untested)] if untested else [])])


def _grid_text(found: ModelGrid, views: str) -> str:
    """Return the grid of one group of models as text, a sign before each figure."""
    grid = found.grids[views]
    rows = [(label, *(f"{_SIGNS[c.mark]} {shown(c.value)}" for c in row.values())) for label, row in grid.cells.items()]
    untested = [f"{label}: not tested, {why}" for label, why in grid.untested.items()]
    head = f"{found.figure} on {counted(grid.n_rows, 'image')} ({views}) of {found.dataset}: {_SIGNS_WORDS}"
    parts = [head, as_table(("label", *grid.models), rows), "\n".join(untested), f"{grid.family}."]
    return "\n\n".join(filter(None, parts))


EVALUATE = Command("evaluate", "Say how good a model is, label by label.", _evaluate_arguments, _evaluate)
COMPARE = Command(
    "compare",
    "Say whether one model is better than another, or which of several are best.",
    _compare_arguments,
    _compare,
)
