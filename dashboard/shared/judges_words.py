"""Models by two judges in words, as the Compare page and its report show them."""

import pandas as pd

from cxr_core.evaluation.judge_agreement import METHOD, JudgedTwice
from cxr_core.tasks.two_judges import TwoJudges
from cxr_core.words import counted
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.shared.formatting import signed, with_interval
from dashboard.shared.judge_input import judge_words


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
        | {"Labels": str(group.first[model].labels)}
        for model in group.first
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Model")
