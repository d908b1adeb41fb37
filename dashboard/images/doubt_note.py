"""How right the list of labels in doubt is where somebody knows, and the most doubtful of all labels."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from cxr_core.evaluation.doubt import Precision
from cxr_core.schema import REPORT, label_words
from cxr_core.tasks.doubts import Doubts
from cxr_core.tasks.images import ImageQuery
from dashboard.shared import image_answers
from dashboard.shared.downloads import download_table
from dashboard.shared.formatting import NOTHING, count, percent, plain

_MOST = 24
_RULE = (
    "The report's value against what the model's scores make probable, by heads that have not seen this patient "
    "(confident learning, cross-fitted by patient). A ranking, not a verdict: look at the images."
)
_WRONG = (
    "Wrong by {judge}: a finding that is called positive and is absent, or that is negative or not mentioned and is "
    "present. Intervals of 95 % by patient. In any order: of all that say present or absent."
)


def doubt_note(query: ImageQuery) -> None:
    """Say how right the list is, if it is that of labels in doubt."""
    if query.group != "doubtful" or query.model is None or query.judge != REPORT:
        return
    found = image_answers.doubts(query.source, query.model, query.dataset, query.view)
    st.caption(_RULE)
    with st.expander("How many of these labels are wrong, and the most doubtful of all labels"):
        if found.right.base is None:
            st.caption("Nobody knows here which labels are wrong: neither a truth nor the default judge says.")
        else:
            st.table(precision_table(found, str(query.label)), border="horizontal", alt="How many are wrong")
            st.caption(plain(_WRONG.format(judge=found.judge)))
        st.dataframe(
            all_labels_table(found, query),
            hide_index=True,
            column_config={"Open": st.column_config.LinkColumn(display_text="Open", help="Shows the film.")},
        )
        download_table(pd.DataFrame(map(vars, found.listed)), f"{found.source}-{found.model}-doubts.csv")


def precision_table(found: Doubts, label: str) -> pd.DataFrame:
    """Return how many of the first k are wrong, of the label's list and of that over all labels."""
    of_label = found.labels[label].right
    each = {label_words(label): of_label, "All labels": found.right}
    rows = []
    for name, right in each.items():
        listed = [(f"First {count(one.k)}", one) for one in right.precision]
        every = [] if right.base is None else [("In any order", right.base)]
        rows += [{"List": name, "How far": far, **_cells(one)} for far, one in [*listed, *every]]
    return pd.DataFrame(rows).set_index("List")


def _cells(one: Precision) -> dict[str, str]:
    between = NOTHING if one.ci is None else f"{percent(one.ci[0])} to {percent(one.ci[1])}"
    return {
        "Wrong": f"{count(one.n_wrong)} of {count(one.n_judged)}",
        "Share": percent(one.precision),
        "95 % interval": between if one.ci else f"{NOTHING} ({one.why['precision_ci']})",
    }


def all_labels_table(found: Doubts, query: ImageQuery) -> pd.DataFrame:
    """Return the most doubtful labels of all, each with the address of its film."""
    rows = []
    for one in found.listed[:_MOST]:
        wrong = {} if found.judge is None else {f"Wrong by {found.judge}": _word(one.wrong)}
        told = {"Label": label_words(one.label), "Value": label_words(one.value), "Expected": label_words(one.expected)}
        asked = {"source": query.source, "model": found.model, "dataset": found.dataset, "label": one.label}
        address = f"images?{urlencode(asked | {'group': 'doubtful', 'image': one.path})}"
        rows.append(told | {"Chance of the value": percent(one.probability)} | wrong | {"Open": address})
    return pd.DataFrame(rows)


def _word(wrong: bool | None) -> str:
    return NOTHING if wrong is None else "Yes" if wrong else "No"
