"""`compare --beside` as text: models by two judges, and how far the judges agree on each label."""

from collections.abc import Mapping
from typing import Any

from cxr_core.commands.output import as_table, difference, interval, p_value, reasons, shown
from cxr_core.tasks.two_judges import TwoJudges
from cxr_core.words import counted


def beside_text(found: TwoJudges) -> str:
    """Return the models of each group by both judges, how alike the judges rank them, and what they say of labels."""
    return "\n\n".join(_group(found, group) for group in found.as_json()["groups"])


def _group(found: TwoJudges, group: Mapping[str, Any]) -> str:
    headers = ("model", *(words for judge in found.judges for words in (judge, "95 % interval")))
    rows = []
    for model, by in group["models"].items():
        between = group["differences"][model]
        figures = [cell for judge in found.judges for cell in (by[judge]["value"], interval(by[judge]["ci"]))]
        rows.append(
            [model, *figures, *difference(between["value"], between["ci_corrected"]), p_value(between["p_corrected"])]
        )
    ranks, images = group["rank_correlation"], counted(group["n"], "image")
    alike = f"{ranks['method']} {shown(ranks['value'])} ({interval(ranks['ci'])})"
    said = ranks["why"] if ranks["value"] is None else alike
    head = f"Mean {found.figure} over {counted(len(group['labels']), 'label')}, {images} ({group['images']})"
    table = as_table((*headers, "difference", "corrected interval", "p corrected"), rows)
    corrected = "p and intervals of differences corrected by Holm, over the models and over the labels"
    parts = [f"{head} of {found.dataset}", table, f"Ranks: {said}", _labels(found, group["agreement"]), corrected]
    return "\n\n".join(parts)


def _labels(found: TwoJudges, agreement: Mapping[str, Any]) -> str:
    headers = ["label", "n", *(f"present, {judge}" for judge in found.judges), "difference", "corrected interval"]
    headers += ["p corrected", "kappa", "95 % interval", "agree", "95 % interval"]
    rows = [
        [
            *(label, one["n"], *one["present"], *difference(one["difference"], one["ci_corrected"])),
            *(p_value(one["p_corrected"]), one["kappa"], interval(one["kappa_ci"]), one["agree"]),
            interval(one["agree_ci"]),
        ]
        for label, one in agreement.items()
    ]
    return f"{as_table(headers, rows)}{reasons({label: one['why'] for label, one in agreement.items()})}"
