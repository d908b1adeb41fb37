"""`gaps`: whom a model serves worse."""

import argparse

from cxr_core.commands.output import as_table, difference, interval, p_value, reasons
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.schema import REPORT
from cxr_core.tasks.gaps import FIGURES, Gaps, gaps
from cxr_core.tasks.slices import Slices, slices
from cxr_core.words import counted


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model with predictions")
    add(
        "--by",
        action="append",
        default=[],
        metavar="COLUMN",
        help="the groups: sex, age, view or another column, as `import groups` brings; several times for several, "
        "A+B for two crossed",
    )
    add("--at", required=True, metavar="CARD", help="the card whose thresholds cut, as `thresholds` makes one")
    add("--dataset", default="valid", help="train, valid or test (default %(default)s)")
    add("--view", help="only images of this view; without it, all that are predicted")
    add("--judge", default=REPORT, metavar="WHO", help="report, truth, or a set of readings (default %(default)s)")
    add(
        "--slices",
        action="store_true",
        help="look through the groups of all columns (or of those named by --by) and of each two of them crossed",
    )
    add("--limit", type=int, default=50, metavar="N", help="with --slices: the first so many (default %(default)s)")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.slices:
        return _slices(arguments)
    if not arguments.by:
        raise UsageError("Name the groups by --by COLUMN, or look through all columns by --slices.")
    found = gaps(
        arguments.source,
        arguments.model,
        arguments.by,
        arguments.at,
        arguments.dataset,
        arguments.view,
        arguments.judge,
    )
    return Answer(found.as_json(), lambda: _text(found))


def _text(found: Gaps) -> str:
    headers = ["label", "group", "n", "positive"]
    headers += [word for name in FIGURES for word in (name, "gap to the rest", "corrected interval", "p corrected")]
    rows, why = [], {}
    for label, cells in found.matrix.labels.items():
        for group, cell in cells.items():
            one = cell.as_json()
            row = [label, group, cell.n, cell.n_positive]
            for name in FIGURES:
                gap = difference(one["gap"][name], one["gap_ci_corrected"][name])
                row += [one[name], *gap, p_value(one["p_corrected"][name])]
            rows.append(row)
            why[f"{label}, {group}"] = one["why"]
    heads = ("label", "group", "AUC", "95 % interval", "gap to the rest", "corrected interval", "p corrected")
    ranked = []
    for label, of_groups in found.areas.items():
        for group, area in of_groups.items():
            fit = found.calibration[label][group]
            figures = (area.roc_auc, interval(area.roc_auc_ci), *difference(area.gap, area.gap_ci_corrected))
            ranked.append([label, group, *figures, p_value(area.p_corrected), fit.observed_to_expected, fit.slope])
    by = ", ".join(found.by)
    head = f"{found.model} on {found.dataset} by {by}, cut by {found.card}: each group minus all other images"
    tail = f"p and intervals of gaps corrected by Holm for {counted(found.matrix.tests, 'test')}"
    last = as_table((*heads, "O:E", "slope"), ranked)
    return f"{head}\n\n{as_table(headers, rows)}{reasons(why)}\n\n{tail}\n\n{last}"


def _slices(arguments: argparse.Namespace) -> Answer:
    if arguments.limit < 1:
        raise UsageError(f"--limit must be 1 or more. Received: {arguments.limit}.")
    where = (arguments.dataset, arguments.view, arguments.judge)
    found = slices(arguments.source, arguments.model, arguments.at, arguments.by, *where)
    return Answer(found.as_json(arguments.limit), lambda: _slices_text(found, arguments.limit))


def _slices_text(found: Slices, limit: int) -> str:
    headers = ("label", "figure", "slice", "n", "value", "gap to the rest", "corrected interval", "p corrected")
    rows = []
    for one in found.found[:limit]:
        gap, value = difference(one.gap.value, one.gap.ci_corrected), one.as_json()["value"]
        rows.append((one.label, one.figure, one.group, one.cell.n, value, *gap, p_value(one.gap.p_corrected)))
    looked = f"{counted(found.looked_at, 'slice')} of {', '.join(found.columns)}, {found.too_small} too small"
    head = f"{found.model} on {found.dataset}, cut by {found.card}: {looked}; served worse: {len(found.worse)}"
    tail = f"p and intervals corrected by Holm for {counted(found.tests, 'test')}"
    return f"{head}\n\n{as_table(headers, rows)}\n\n{tail}"


GAPS = Command("gaps", "Say whom a model serves worse.", _arguments, _execute)
