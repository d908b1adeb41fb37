"""The details of an evaluation and a comparison as text: calibration, groups, effects of u and w."""

from collections.abc import Mapping
from typing import Any

from cxr_core.commands.output import as_table, interval
from cxr_core.commands.output import reasons as reason_lines
from cxr_core.tasks.details import SPECIFICITY, LabelDetails
from cxr_core.tasks.effects import Effects
from cxr_core.words import signed


def details_text(details: Mapping[str, LabelDetails]) -> str:
    """Return the details of each label as a table."""
    headers = ("label", "slope", "95 % interval", "intercept", "95 % interval", "O:E", "95 % interval", "partial AUC")
    rows, reasons = [], {}
    for label, one in details.items():
        fit, part = one.calibration, one.roc_part
        rows.append(
            (
                *(label, fit.slope, interval(fit.slope_ci), fit.intercept, interval(fit.intercept_ci)),
                *(fit.observed_to_expected, interval(fit.observed_to_expected_ci), part.partial_auc),
                *(interval(part.partial_auc_ci), part.sensitivity, interval(part.sensitivity_ci)),
            )
        )
        reasons[label] = fit.why | ({"partial_auc": part.why} if part.why else {})
    specificity = next(iter(details.values())).roc_part.specificity if details else SPECIFICITY
    more = ("95 % interval", f"sensitivity at {specificity:g}", "95 % interval")
    return f"{as_table((*headers, *more), rows)}{reason_lines(reasons)}"


def groups_text(labels: Mapping[str, Mapping[str, Any]], by: str) -> str:
    """Return the figures of each label in groups as a table."""
    headers = ("label", by, "n", "positive", "AUC", "95 % interval", "AP", "95 % interval")
    rows = [
        (
            *(label, one["group"], one["n"], one["n_positive"], one["roc_auc"], interval(one["roc_auc_ci"])),
            *(one["average_precision"], interval(one["average_precision_ci"]), one["sensitivity"], one["specificity"]),
        )
        for label, found in labels.items()
        for one in found["groups"]
    ]
    return as_table((*headers, "sensitivity", "specificity"), rows)


def effects_text(found: Effects) -> str:
    """Return how far each model moved each group from the baseline as a table."""
    rows = [
        (model, group, shift.n, "-" if shift.mean is None else signed(shift.mean), interval(shift.ci), shift.above)
        for group, moved in found.groups.items()
        for model, shift in moved.shifts.items()
    ]
    head = f"{found.label}: change of the {found.scale} from {found.baseline}"
    return f"{head}\n\n{as_table(('model', 'images', 'n', 'mean change', '95 % interval', 'moved up'), rows)}"
