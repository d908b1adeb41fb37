"""The tables of a pack, from its document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cxr_core.pack.document import Document
from cxr_core.pack.group_tables import group_tables
from cxr_core.pack.table import COUNT, FIGURE, PLAIN, RATE, SHARE, SIGNED, TEXT, Column, P, Table
from cxr_core.schema import REPORT, label_words

#: Where the table of net benefits looks; the figure shows every percent.
_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)


def tables_of(document: Document) -> list[Table]:
    """Return all tables of a pack, in the order of a paper."""
    made = [_characteristics(document), _participants(document), *_labels(document), _discrimination(document)]
    made += [_calibration(document), _part(document), _net_benefit(document), *_cuts(document)]
    made += [_recalibration(document), *group_tables(document), *_differences(document)]
    return [table for table in made if table.rows]


def _model_and_label(document: Document) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each model on each of its labels, the models of a label together."""
    labels = dict.fromkeys(label for model in document["models"] for label in model["labels"])
    for label in labels:
        for model in document["models"]:
            if label in model["labels"]:
                yield model, label


def _head(document: Document, model: Mapping[str, Any], label: str) -> list[str]:
    """Return the first cells of a row: the label, and the model where there are several."""
    return [label_words(label), *([model["name"]] if len(document["models"]) > 1 else [])]


def _columns(document: Document, *columns: Column) -> list[Column]:
    return [Column("Label"), *([Column("Model")] if len(document["models"]) > 1 else []), *columns]


def _characteristics(document: Document) -> Table:
    rows = document["characteristics"]
    datasets = list(dict.fromkeys(name for row in rows for name in row.get("counts", row.get("texts", {}))))
    cells = []
    for row in rows:
        values = row["texts"] if "texts" in row else {name: f"{n:,}" for name, n in row["counts"].items()}
        cells.append([row["what"], row["of"], *(values.get(name) for name in datasets)])
    columns = [Column("Characteristic"), Column("Group"), *(Column(label_words(name)) for name in datasets)]
    notes = ("Groups are counted in images.",)
    return Table("characteristics", "What the data sets are like", columns, cells, notes)


def _participants(document: Document) -> Table:
    rows = []
    for model in document["models"]:
        for step in model["flow"]:
            rows.append([model["name"], step["what"], None, *_counts(step)])
            rows += [[model["name"], "Left out", one["why"], *_counts(one)] for one in step["left_out"]]
    columns = [Column("Model"), Column("Step"), Column("Why"), *(_count(unit) for unit in _UNITS)]
    return Table("participants", f"The way to the judged images of {document['dataset']}", columns, rows)


_UNITS = ("images", "studies", "patients")


def _count(unit: str) -> Column:
    return Column(unit.capitalize(), COUNT)


def _counts(step: Mapping[str, Any]) -> list[int]:
    return [step[unit] for unit in _UNITS]


def _labels(document: Document) -> Iterator[Table]:
    left_out = "Uncertain, left out" if document["judge"] == REPORT else "No verdict, left out"
    heads = ("Certain images", "Patients", "Positive", left_out, "Value missing")
    columns = _columns(document, *(Column(head, COUNT) for head in heads), Column("Prevalence", SHARE))
    rows = []
    for model, label in _model_and_label(document):
        one = model["evaluation"]["labels"][label]
        unclear = one["n_uncertain_dropped"] if document["judge"] == REPORT else one["n_no_verdict"]
        share = one["n_positive"] / one["n"] if one["n"] else None
        counts = [one["n"], one["n_patients"], one["n_positive"], unclear, one["n_missing"], share]
        rows.append([*_head(document, model, label), *counts])
    yield Table("labels", f"What is judged on {document['dataset']}, label by label", columns, rows)


def _discrimination(document: Document) -> Table:
    rows: list[list[Any]] = []
    notes: dict[str, None] = {}
    for model, label in _model_and_label(document):
        one = model["evaluation"]["labels"][label]
        figures = [(one[name], one[f"{name}_ci"]) for name in ("roc_auc", "average_precision")]
        rows.append([*_head(document, model, label), one["n"], one["n_positive"], *figures])
        notes |= _reasons(_head(document, model, label), one["why"])
    columns = _columns(
        *(document, Column("n", COUNT), Column("Positive", COUNT)), Column("AUC", FIGURE), Column("AP", FIGURE)
    )
    return Table("discrimination", "Area under the ROC curve and average precision", columns, rows, list(notes))


def _calibration(document: Document) -> Table:
    rows: list[list[Any]] = []
    notes: dict[str, None] = {}
    for model, label in _model_and_label(document):
        details = model["labels"][label]["details"]
        fit, reliability = details["calibration"], details["reliability"]
        figures = [(fit[name], fit[f"{name}_ci"]) for name in ("slope", "intercept", "observed_to_expected")]
        figures += [(reliability[name], reliability[f"{name}_ci"]) for name in ("brier", "ece")]
        rows.append([*_head(document, model, label), *figures])
        notes |= _reasons(_head(document, model, label), fit["why"])
    heads = ("Slope", "Intercept", "O:E", "Brier score", "Calibration error")
    columns = _columns(document, *(Column(head, FIGURE) for head in heads))
    return Table("calibration", "Calibration of the probabilities", columns, rows, list(notes))


def _part(document: Document) -> Table:
    rows: list[list[Any]] = []
    notes: dict[str, None] = {}
    for model, label in _model_and_label(document):
        part = model["labels"][label]["details"]["roc_part"]
        figures = [(part[name], part[f"{name}_ci"]) for name in ("partial_auc", "sensitivity")]
        rows.append([*_head(document, model, label), *figures, part["partial_auc_standardised"]])
        notes |= _reasons(_head(document, model, label), {"partial AUC": part["why"]} if part["why"] else {})
    at = f"{document['specificity']:g}"
    columns = _columns(
        *(document, Column("Partial AUC", FIGURE), Column(f"Sensitivity at {at}", FIGURE)),
        Column("Partial AUC, standardised", PLAIN),
    )
    caption = f"The ROC curve at specificities of {at} and more"
    return Table("roc-part", caption, columns, rows, list(notes))


def _net_benefit(document: Document) -> Table:
    rows = []
    for model, label in _model_and_label(document):
        for one in model["labels"][label]["details"]["decision_curve"]:
            if one["threshold"] in _THRESHOLDS:
                figure = (one["net_benefit"], one["net_benefit_ci"])
                rows.append([*_head(document, model, label), one["threshold"], figure, (one["treat_all"], None)])
    columns = _columns(
        *(document, Column("Threshold", PLAIN)), Column("Net benefit", SIGNED), Column("Acting on all", SIGNED)
    )
    return Table("net-benefit", "Net benefit of acting on the probabilities; acting on nobody has 0", columns, rows)


def _cuts(document: Document) -> Iterator[Table]:
    shares = ("sensitivity", "specificity", "ppv", "npv")
    rows: list[list[Any]] = []
    notes: dict[str, None] = {}
    chosen: list[str] = []
    for model, label in _model_and_label(document):
        card = model["card"]
        if card is None or label not in card["labels"]:
            continue
        one = card["labels"][label]
        figures = [(one[name], one[f"{name}_ci"]) for name in shares]
        counts = [one.get(name) for name in ("tp", "fp", "fn", "tn")]
        alarms = (one["alarms_per_100"], one.get("alarms_per_100_ci"))
        rows.append([*_head(document, model, label), one["threshold"], *figures, *counts, alarms])
        notes |= _reasons(_head(document, model, label), one["why"])
        judged = "the report" if card["judge"] == REPORT else card["judge"]
        chosen.append(f"{model['name']}: {card['rule']}, chosen on {card['on']} as judged by {judged} ({card['card']})")
    columns = _columns(
        *(document, Column("Threshold", PLAIN), Column("Sensitivity", FIGURE), Column("Specificity", FIGURE)),
        *(Column("PPV", FIGURE), Column("NPV", FIGURE), *(Column(name, COUNT) for name in ("TP", "FP", "FN", "TN"))),
        Column("Alarms per 100", RATE),
    )
    said = [*dict.fromkeys(chosen), *notes]
    yield Table("thresholds", f"At the thresholds of cards, on {document['dataset']}", columns, rows, said)


def _recalibration(document: Document) -> Table:
    rows = []
    for model, label in _model_and_label(document):
        one = (model["card"] or {"labels": {}})["labels"].get(label, {}).get("recalibrated")
        if one and not one["why"]:
            figures = [(one[side][key], one[side][f"{key}_ci"]) for key in _RIGHT for side in ("before", "after")]
            rows.append([*_head(document, model, label), one["method"], *figures])
    heads = [f"{name}, {side}" for name in _RIGHT.values() for side in ("before", "after")]
    columns = _columns(document, Column("Method"), *(Column(head, FIGURE) for head in heads))
    caption = f"Calibration before and after a recalibration on other images, on {document['dataset']}"
    return Table("recalibration", caption, columns, rows)


_RIGHT = {"slope": "Slope", "observed_to_expected": "O:E", "brier": "Brier score"}


def _differences(document: Document) -> Iterator[Table]:
    rows, notes = [], []
    for pair in document["differences"]:
        if "labels" not in pair:
            notes.append(f"{pair['a']} and {pair['b']}: {pair['why']}")
            continue
        notes.append(f"{pair['family']}.")
        for label, one in pair["labels"].items():
            cells = [(one["difference"], one["ci_corrected"]), one["p_corrected"], (one["difference"], one["ci"])]
            rows.append([pair["a"], pair["b"], label_words(label), one["n"], *cells, one["p"]])
    columns = [Column("A"), Column("B"), Column("Label", TEXT), Column("n", COUNT)]
    columns += [Column("A minus B (corrected interval)", SIGNED), Column("p, corrected", P)]
    columns += [Column("A minus B (this label alone)", SIGNED), Column("p", P)]
    yield Table("differences", f"Differences in AUC on {document['dataset']}", columns, rows, notes)


def _reasons(head: Sequence[str], why: Mapping[str, str]) -> dict[str, None]:
    """Return the sentences on what is missing in a row, as keys, each once."""
    return {f"{', '.join(head)}: {reason}.": None for reason in dict.fromkeys(why.values())}
