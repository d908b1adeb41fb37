"""The tables of groups of a pack: AUC and calibration of each group, and the gaps at the thresholds of a card."""

from collections.abc import Iterator, Mapping
from typing import Any

from cxr_core.pack.document import Document
from cxr_core.pack.table import COUNT, FIGURE, SIGNED, Column, P, Table
from cxr_core.schema import label_words

SHARES = ("sensitivity", "specificity")


def group_tables(document: Document) -> Iterator[Table]:
    """Return the tables of groups; of a pack without groups they have no rows."""
    yield _areas(document)
    yield _gaps(document)


def models_by_group(document: Document, at_card: bool = False) -> list[Mapping[str, Any]]:
    """Return the models of which groups are told, on demand only those with thresholds."""
    return [model for model in document["models"] if model.get("gaps") and (model["card"] or not at_card)]


def columns_words(document: Document) -> str:
    """Return by which columns the images are split."""
    by = dict.fromkeys(one for model in models_by_group(document) for one in model["gaps"]["by"].split(","))
    return " and ".join(by)


def _areas(document: Document) -> Table:
    rows = []
    for model, label, group, one in _cells(document, at_card=False):
        area, fit = one["area"], one["calibration"]
        figures = [(area["roc_auc"], area["roc_auc_ci"]), (area["gap"], area["gap_ci_corrected"] or area["gap_ci"])]
        right = (fit["observed_to_expected"], fit["observed_to_expected_ci"])
        rows.append([*_head(document, model, label, group), one["n"], one["n_positive"], *figures,
                     area["p_corrected"], right])  # fmt: skip
    columns = [*_heads(document), Column("n", COUNT), Column("Positive", COUNT), Column("AUC", FIGURE)]
    columns += [Column("Minus all other images (corrected interval)", SIGNED), Column("p, corrected", P)]
    caption = f"AUC of each group beside all other images, on {document['dataset']}"
    return Table("groups", caption, [*columns, Column("O:E", FIGURE)], rows, _notes(document, at_card=False))


def _gaps(document: Document) -> Table:
    rows = []
    for model, label, group, one in _cells(document, at_card=True):
        row = [*_head(document, model, label, group)]
        for share in SHARES:
            ends = one["gap_ci_corrected"][share] or one["gap_ci"][share]
            row += [(one[share], one[f"{share}_ci"]), (one["gap"][share], ends), one["p_corrected"][share]]
        rows.append(row)
    columns = [*_heads(document)]
    for share in SHARES:
        columns += [Column(share.capitalize(), FIGURE), Column(f"{share.capitalize()} gap", SIGNED)]
        columns.append(Column(f"p, {share}", P))
    caption = f"Gaps between groups at the thresholds of cards, on {document['dataset']}"
    return Table("gaps", caption, columns, rows, _notes(document, at_card=True))


def _cells(document: Document, at_card: bool) -> Iterator[tuple[Mapping[str, Any], str, str, Mapping[str, Any]]]:
    for model in models_by_group(document, at_card):
        for label, cells in model["gaps"]["labels"].items():
            for group, one in cells.items():
                yield model, label, group, one


def _heads(document: Document) -> list[Column]:
    return [Column("Label"), *([Column("Model")] if len(document["models"]) > 1 else []), Column("Group")]


def _head(document: Document, model: Mapping[str, Any], label: str, group: str) -> list[Any]:
    return [label_words(label), *([model["name"]] if len(document["models"]) > 1 else []), group]


def _notes(document: Document, at_card: bool) -> list[str]:
    models = models_by_group(document, at_card)
    if not at_card:
        return ["p and corrected intervals: Holm over all labels and groups of a model."] if models else []
    return [f"{m['name']}: p and corrected intervals by Holm over {m['gaps']['tests']} tests." for m in models]
