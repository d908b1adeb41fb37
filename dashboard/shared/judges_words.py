"""Models by two judges, and how far the judges agree, in words."""

from collections.abc import Mapping

import pandas as pd

from cxr_core.evaluation.judge_agreement import METHOD, JudgedTwice
from cxr_core.evaluation.label_agreement import LabelAgreement
from cxr_core.evaluation.results import LEVEL, Bounds
from cxr_core.schema import label_words
from cxr_core.tasks.two_judges import TwoJudges
from cxr_core.words import counted
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.shared.formatting import NOTHING, count, p_value, signed, with_interval
from dashboard.shared.judge_input import judge_words

_DIFFERENCE, _P = "Difference (corrected interval)", "p, corrected"


def judges_answer(found: TwoJudges, group: JudgedTwice) -> str:
    """Return in a sentence how alike the two judges rank the models."""
    first, second = (judge_words(judge) for judge in found.judges)
    ranks = group.correlation
    if ranks.value is None:
        return f"{first} beside {second}: {ranks.why}"
    interval = f" (95 % interval {signed(ranks.ci[0])} to {signed(ranks.ci[1])})" if ranks.ci else f" ({ranks.why})"
    how = "alike" if ranks.ci and ranks.ci[0] > 0 else "otherwise" if ranks.ci and ranks.ci[1] < 0 else ""
    said = f"rank {counted(ranks.models, 'model')} {how}" if how else "cannot be told to rank the models alike"
    return f"{first} and {second} {said}: {METHOD} {signed(ranks.value)}{interval}"


def judges_table(found: TwoJudges, group: JudgedTwice) -> pd.DataFrame:
    """Return each model's figure by both judges in words."""
    figure = FIGURE_WORDS[found.figure]
    rows = {
        model: {
            f"{figure} by {judge_words(judge)}": with_interval(mean.value, mean.ci)
            for judge, mean in zip(found.judges, (group.first[model], group.second[model]), strict=True)
        }
        | {_DIFFERENCE: difference_words(one.value, one.ci_corrected), _P: p_value(one.p_corrected)}
        | {"Labels": str(group.first[model].labels)}
        for model, one in group.differences.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Model")


def agreement_answer(found: TwoJudges, agreement: Mapping[str, LabelAgreement]) -> str:
    """Return in a sentence on how many labels one judge calls more images present beyond chance."""
    first, second = (judge_words(judge) for judge in found.judges)
    tested = [one for one in agreement.values() if one.p_corrected is not None]
    if not tested:
        return f"{first} and {second} differ on too few patients to test any label"
    beyond = [one.difference or 0.0 for one in tested if one.p_corrected is not None and one.p_corrected < LEVEL]
    more = sum(difference > 0 for difference in beyond)
    tests = counted(len(tested), "tested label")
    return f"Of {tests}, {first} calls more images present on {more} beyond chance, {second} on {len(beyond) - more}"


def agreement_table(found: TwoJudges, agreement: Mapping[str, LabelAgreement]) -> pd.DataFrame:
    """Return what the judges say of each label in words."""
    rows = {
        label_words(label): {
            f"Present by {judge_words(judge)}": count(present)
            for judge, present in zip(found.judges, one.present, strict=True)
        }
        | {_DIFFERENCE: difference_words(one.difference, one.ci_corrected), _P: p_value(one.p_corrected)}
        | {"Kappa (95 % interval)": with_interval(one.kappa, one.kappa_ci)}
        | {"Say the same (95 % interval)": with_interval(one.agree, one.agree_ci), "n (both certain)": count(one.n)}
        for label, one in agreement.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Label")


def difference_words(value: float | None, ends: Bounds | None) -> str:
    """Return a difference with the interval that belongs to its corrected p."""
    if value is None:
        return NOTHING
    return signed(value) + (f" ({signed(ends[0])} to {signed(ends[1])})" if ends else "")
