"""What one operating point does, in tables of words, as the page and the report show them."""

import pandas as pd

from cxr_core.evaluation.operating import OperatingPoint, Share
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import LabelCurves
from cxr_core.words import with_minus
from dashboard.shared.formatting import NOTHING, count, percent, with_interval

#: Bins of the chart of scores.
SCORE_BINS = 24
LEAST_DECIMALS = 2
SHARES = {"Sensitivity": "sensitivity", "Specificity": "specificity", "PPV": "ppv", "NPV": "npv", "F1": "f1"}
AT_PREVALENCE = ("ppv", "npv", "f1")


def as_markdown(table: pd.DataFrame) -> str:
    """Return a small table of words as one Markdown text, its index first.

    `st.table` draws every cell as a Markdown text of its own, which a slider would have to wait for.
    """
    rows = [[table.index.name or "", *table.columns], ["---"] * (len(table.columns) + 1)]
    rows += [[name, *cells] for name, cells in zip(table.index, table.to_numpy(), strict=True)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def confusion_table(point: OperatingPoint, scale: str) -> pd.DataFrame:
    """Return the confusion matrix."""
    matrix = pd.DataFrame(
        {
            "Called positive": [count(point.tp), count(point.fp)],
            "Called negative": [count(point.fn), count(point.tn)],
        },
        index=["Finding present", "Finding absent"],
    )
    matrix.index.name = f"Cut at {scale} ≥ {cut_in_words(point.threshold)}"
    return matrix


def cut_in_words(threshold: float) -> str:
    """Return a threshold with all its digits, two decimals at least: typed in again, it is the same number."""
    words = repr(float(threshold))
    if "e" not in words and len(words.partition(".")[2]) < LEAST_DECIMALS:
        words = f"{threshold:.{LEAST_DECIMALS}f}"
    return with_minus(words)


def why_no_intervals(point: OperatingPoint) -> str:
    """Say which shares have no interval and why; nothing where all that are defined have one."""
    names: dict[str, list[str]] = {}
    for name, attribute in SHARES.items():
        share = getattr(point, attribute)
        if share.value is not None and share.why_no_ci:
            names.setdefault(share.why_no_ci, []).append(name)
    return " ".join(f"No interval for {', '.join(of_reason)}: {reason}." for reason, of_reason in names.items())


def shares_table(point: OperatingPoint, elsewhere: float | None) -> pd.DataFrame:
    """Return sensitivity to F1 in words; where a prevalence in per cent is given, also as they are at it."""
    here = f"At {percent(point.prevalence)} prevalence (95 % interval)"
    table = {here: {name: _share(getattr(point, attribute)) for name, attribute in SHARES.items()}}
    if elsewhere is not None:
        values = point.at_prevalence(elsewhere / 100)
        shares = {
            name: _share(getattr(values if attribute in AT_PREVALENCE else point, attribute))
            for name, attribute in SHARES.items()
        }
        table[f"At {elsewhere:g} %"] = shares
    frame = pd.DataFrame(table)
    frame.index.name = "Figure"
    return frame


def _share(share: Share) -> str:
    return with_interval(share.value, share.ci) if share.value is not None else f"{NOTHING} ({share.why})"


def uncertain_table(curves: LabelCurves, point: OperatingPoint) -> pd.DataFrame:
    """Return how many images of each label value the operating point calls positive."""
    rows = [
        {
            "Label value": label_words(s.value),
            "Images": count(s.n),
            "Called positive": count(s.n_above),
            "Share (95 % interval)": with_interval(s.share, s.ci),
        }
        for s in curves.shares_above(point.threshold).values()
    ]
    return pd.DataFrame(rows).set_index("Label value")
