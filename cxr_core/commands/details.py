"""The details of an evaluation as text: calibration fit and the part of the ROC curve that matters."""

from collections.abc import Mapping

from cxr_core.commands.output import as_table, interval
from cxr_core.commands.output import reasons as reason_lines
from cxr_core.tasks.details import SPECIFICITY, LabelDetails


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
