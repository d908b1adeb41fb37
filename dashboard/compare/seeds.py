"""Would another seed change the answer? Two trainings over their seeds, below the difference of their models."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.seeds import ASKED_DIFFERENCE, SeedDifference
from cxr_core.schema import label_words
from cxr_core.tasks.seed_words import seed_answer, seed_notes
from cxr_core.tasks.seeds import SeedComparison
from dashboard.shared.formatting import NOTHING, plain, three_digits
from dashboard.shared.seed_answers import seed_comparison

_HELP = (
    "The interval above is of these two models: it knows other patients, and not that the same training with another "
    "seed gives another model. This one counts both, by Obuchowski and Rockette (1995), with seeds as readers."
)


def seeds_section(source: str, a: str, b: str, dataset: str, judge: str) -> None:
    """Show whether two trainings can be told apart over their seeds."""
    found = seed_comparison(source, a, b, dataset, judge)
    with st.container(border=True):
        st.markdown("**Over seeds**", help=_HELP)
        st.markdown(plain(seed_answer(found)))
        for words in seed_notes(found):
            st.caption(plain(words))
        if found.mean.ci is not None:
            st.table(_table(found), border="horizontal", alt="Differences of the two trainings over seeds and patients")


def _table(found: SeedComparison) -> pd.DataFrame:
    each = {"Mean of the labels": found.mean} | {label_words(label): one for label, one in found.labels.items()}
    return pd.DataFrame([{"Label": name} | _cells(one) for name, one in each.items()]).set_index("Label")


def _cells(one: SeedDifference) -> dict[str, str]:
    ends = NOTHING if one.ci is None else f"{one.ci[0]:+.3f} to {one.ci[1]:+.3f}"
    return {
        "AUC(A) - AUC(B)": f"{one.value:+.3f}",
        "95 % interval, not corrected": ends,
        "Seeds alone, ± sd": NOTHING if one.floor is None else three_digits(one.floor.sd),
        f"Seeds of each for {ASKED_DIFFERENCE:g}": NOTHING if one.seeds_needed is None else str(one.seeds_needed),
    }
