"""All files of a pack, made of its document and nothing else: the same document makes the same bytes."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cxr_core.errors import UsageError, brief
from cxr_core.pack import forest, panels
from cxr_core.pack.checklist import Checklist, checklists
from cxr_core.pack.document import check_document
from cxr_core.pack.figures import drawn
from cxr_core.pack.flow_figure import flow
from cxr_core.pack.gap_figure import gap_matrices
from cxr_core.pack.group_tables import columns_words, models_by_group
from cxr_core.pack.page import page
from cxr_core.pack.said import methods, title
from cxr_core.pack.spreadsheet import defused
from cxr_core.pack.table import Table
from cxr_core.pack.tables import tables_of
from cxr_core.pack.tex import escaped

DOCUMENT, PAGE = "pack.json", "index.html"
_TEX = r"""\documentclass{article}
\usepackage[a4paper,landscape,margin=12mm]{geometry}
\usepackage[T1]{fontenc}
\usepackage{booktabs,longtable}
\begin{document}
"""


def pack_files(document: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a pack by their names within its folder, sorted.

    Args:
        document: as `pack_document` makes it, or a file of it that was read.

    Raises:
        UsageError: it is no document of a pack, or one of another version.
    """
    check_document(document)
    try:
        return dict(sorted(_made(document).items()))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration) as error:
        raise UsageError(
            f"The document of the pack is damaged: {brief(str(error) or type(error).__name__)}."
        ) from error


def _made(document: Mapping[str, Any]) -> dict[str, bytes]:
    tables, lists = tables_of(document), checklists(document)
    figures = {name: (words, drawn(make)) for name, (words, make) in _figures(document).items()}
    found = {DOCUMENT: (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()}
    found[PAGE] = page(
        document, tables, {name: (words, kinds["svg"]) for name, (words, kinds) in figures.items()}, lists
    )
    for name, (_, kinds) in figures.items():
        found |= {f"figures/{name}.{kind}": content for kind, content in kinds.items()}
    for table in tables:
        found |= {f"tables/{table.name}.csv": table.csv(), f"tables/{table.name}.tex": table.tex()}
    found["tables.tex"] = _tex(document, tables)
    found["methods.txt"] = ("\n\n".join(methods(document)) + "\n").encode()
    found["checklists.csv"] = _checklists_csv(lists)
    return found


def _figures(document: Mapping[str, Any]) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return what each figure shows, and what draws it; only those of which there is something to draw."""
    dataset, models = document["dataset"], document["models"]
    made: dict[str, tuple[str, Callable[[], Any]]] = {}
    for place, (steps, names) in enumerate(_flows(models)):
        words = f"The way to the judged images of {dataset}: {', '.join(names)}."
        made["flow" if not place else f"flow-{place + 1}"] = (words, lambda steps=steps: flow(steps, dataset))  # type: ignore[misc]
    made["auc"] = (f"Area under the ROC curve by label on {dataset}, with 95 % intervals by patient.",
                   lambda: forest.areas(document))  # fmt: skip
    if any(one["curves"] for model in models for one in model["labels"].values()):
        made["roc"] = (f"ROC curves on {dataset}; dotted: chance.", lambda: panels.roc(document))
        made["precision-recall"] = (f"Precision-recall curves on {dataset}; dotted: the prevalence.",
                                    lambda: panels.precision_recall(document))  # fmt: skip
    details = [one["details"] for model in models for one in model["labels"].values()]
    if any(one["reliability"]["bins"] for one in details):
        words = (
            f"Calibration on {dataset}: bins of equal count with 95 % intervals; marks at the foot show where they are."
        )
        made["calibration"] = (words, lambda: panels.calibration(document))
    if any(one["decision_curve"] for one in details):
        words = f"Decision curves on {dataset}: net benefit with its 95 % interval, of acting on all, and on nobody."
        made["decision"] = (words, lambda: panels.decision(document))
    if any(model["card"] for model in models):
        words = f"Sensitivity and specificity at the thresholds of the cards, on {dataset}."
        made["thresholds"] = (words, lambda: forest.shares(document))
    for number, model in enumerate(models_by_group(document, at_card=True), 1):
        split = f"Gaps of {model['name']} between groups by {columns_words(document)}, on {dataset}"
        words = f"{split}; a star: corrected p below .05."
        made[f"gaps-{number}"] = (words, lambda model=model: gap_matrices(model["gaps"]))  # type: ignore[misc]
    for number, pair in enumerate((pair for pair in document["differences"] if "labels" in pair), 1):
        words = f"Differences in AUC, {pair['a']} minus {pair['b']}, on {dataset}; intervals corrected for all labels."
        made[f"difference-{number}"] = (words, lambda pair=pair: forest.differences(pair))  # type: ignore[misc]
    return made


def _flows(models: Sequence[Mapping[str, Any]]) -> list[tuple[Any, list[str]]]:
    """Return each flow that there is with the models that have it."""
    found: list[tuple[Any, list[str]]] = []
    for model in models:
        same = next((names for steps, names in found if steps == model["flow"]), None)
        if same is None:
            found.append((model["flow"], [model["name"]]))
        else:
            same.append(model["name"])
    return found


def _tex(document: Mapping[str, Any], tables: Sequence[Table]) -> bytes:
    parts = [rf"\input{{tables/{table.name}}}" for table in tables]
    heading = rf"\section*{{{escaped(title(document))}}}"
    said = [escaped(text) + "\n" for text in methods(document)]
    return (_TEX + "\n".join([heading, *said, *parts, r"\end{document}"]) + "\n").encode()


def _checklists_csv(lists: Sequence[Checklist]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["list", "item", "asks", "state", "answer"])
    for one in lists:
        for item in one.items:
            writer.writerow(map(defused, (one.name, item.number, item.asks, item.status, item.answer)))
    return out.getvalue().encode()
