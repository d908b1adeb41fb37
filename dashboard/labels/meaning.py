"""The tab "What they mean": readers beside the report, and the policy that follows from them."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.shares import FEWEST_READ, PresentShare
from cxr_core.schema import LABELS, VALUES, label_words
from cxr_core.tasks.distribution import LabelOverview
from cxr_core.tasks.meaning import Meaning, policy_text
from cxr_core.uncertainty import Policy
from dashboard.charts.frame import CONFIG
from dashboard.charts.meaning import meaning_chart
from dashboard.labels.image_links import leads_of
from dashboard.labels.uncertain_meaning import uncertain_section
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one, select_one
from dashboard.shared.downloads import download_file, download_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import NOTHING, count, percent, plain, with_interval
from dashboard.shared.navigation import afterwards, go_button, open_filled
from dashboard.shared.policy_input import DEFAULT_W
from dashboard.shared.policy_table import PER_LABEL, table_text
from dashboard.shared.theme import colors

ALL = "all"
#: How many labels the title names at either end.
NAMED = 2
_SET_ASIDE = (
    "Set aside: read because of what is said of the film, or with that in sight. Such verdicts are counted, and are no "
    "part of a share."
)

_CLICKS = "Of one data set, a click on a point opens its images."
_CLICKS_HERE = "A click on a point opens the images of its label and value."


def meaning_section(overview: LabelOverview) -> None:
    """Show which share of each label value the readers call present, and offer the policy that follows."""
    with errors_as_sentences(retry="meaning"):
        sets = engine.reading_sets(overview.source)
        if not sets:
            st.info(help_texts.NO_READINGS, icon=":material/info:")
            with st.container(horizontal=True):
                go_button("sources", "Import readings")
                go_button("images", "Read films", mode="read")
            uncertain_section(overview, None, None)
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = select_one(
                "Readings", Options(sets, "readings", what="set of readings"), sets[0], help_texts.READINGS
            )
            datasets = Options((ALL, *overview.datasets), "meaning-dataset", label_words, "dataset")
            dataset = pick_one("Data set", datasets, ALL, help_texts.DATASET)
        found = engine.meaning(overview.source, chosen, None if dataset == ALL else dataset, overview.view)
        st.header(plain(meaning_answer(found)), anchor=False)
        leads = None if dataset == ALL else leads_of(overview, dataset)
        chart = meaning_chart(found.labels, colors(), leads)
        st.plotly_chart(chart, config=CONFIG, key="meaning", alt="Share present of each label value, by the readers")
        st.caption(_CLICKS if leads is None else _CLICKS_HERE)
        st.table(meaning_table(found), border="horizontal", alt="Share present of each label value, with counts")
        st.caption(plain(_caption(found)))
        download_table(flat_meaning(found), f"{found.source}-{found.set}-meaning.csv")
        uncertain_section(overview, found, None if dataset == ALL else dataset)
        _policy(found)


def meaning_answer(found: Meaning) -> str:
    """Return in a sentence what the uncertain images of the clearest labels are.

    Those named are the ones that are surely often or surely seldom present: by the ends of the intervals, since a share
    of 0 of 11 says less than one of 7 of 205.
    """
    shares = {label: values["uncertain"] for label, values in found.labels.items()}
    ends = {label: one.ci for label, one in shares.items() if one.ci is not None}
    if not ends:
        return f"Of no label have {FEWEST_READ} uncertain images been read yet"
    often = sorted(ends, key=lambda label: ends[label][0], reverse=True)[:NAMED]
    seldom = sorted(ends, key=lambda label: ends[label][1])[:NAMED][::-1]
    named = dict.fromkeys([*often, *seldom])
    words = ", ".join(f"{percent(shares[label].share or 0.0)} are {label_words(label).lower()}" for label in named)
    return f"Of the uncertain, {words}"


def meaning_table(found: Meaning) -> pd.DataFrame:
    """Return the shares in words, one row a label, and how far the readers agree."""
    rows = {}
    for label, values in found.labels.items():
        agreed = found.agreement[label]
        kappa = f"{NOTHING} ({agreed.why})" if agreed.kappa is None else with_interval(agreed.kappa, agreed.ci)
        rows[label_words(label)] = {label_words(value): _cell(values[value]) for value in VALUES} | {
            "Agreement (kappa)": plain(kappa)
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "Label"
    return table


def flat_meaning(found: Meaning) -> pd.DataFrame:
    """Return the shares as numbers, one row for each label and value, an interval in two columns."""
    rows = []
    for label, values in found.labels.items():
        for value, share in values.items():
            low, high = share.ci or (None, None)
            counts = {
                "n": share.n,
                "n_read": share.n_read,
                "n_present": share.n_present,
                "n_patients": share.n_patients,
                "n_set_aside": share.n_set_aside,
                "n_present_set_aside": share.n_present_set_aside,
            }
            row = {"label": label, "value": value, **counts, "share": share.share, "low": low, "high": high}
            rows.append(row | {"more_to_read": share.more_to_read, "why": share.why or ""})
    return pd.DataFrame(rows)


def _cell(share: PresentShare) -> str:
    aside = f", {count(share.n_set_aside)} set aside" if share.n_set_aside else ""
    counted = f"{count(share.n_present)} of {count(share.n_read)} read{aside}, of {count(share.n)}"
    if share.share is None:
        return f"{NOTHING} ({counted}; read {count(share.more_to_read)} more for ± 10 points)"
    return f"{with_interval(share.share, share.ci)} ({counted})"


def _caption(found: Meaning) -> str:
    words = [f"Read by {', '.join(found.readers)}", help_texts.MEANING_CAPTION]
    if found.rows_by_study:
        words.append(f"{count(found.rows_by_study)} images were judged by a reading of their study.")
    if any(share.n_set_aside for values in found.labels.values() for share in values.values()):
        words.append(_SET_ASIDE)
    return " · ".join(words)


def _policy(found: Meaning) -> None:
    """Offer the policy whose u is the share present among the uncertain."""
    if not any(values["uncertain"].counted[0] for values in found.labels.values()):
        return
    w = st.slider("Weight w of the uncertain", 0.0, 1.0, DEFAULT_W, 0.05, key="meaning-w", help=help_texts.W)
    read = any(values["not_mentioned"].counted[0] for values in found.labels.values())
    blanks = read and st.toggle("Blanks too", key="meaning-blanks", help=help_texts.BLANKS_TOO)
    policy = found.policy(w, f"from-{found.set}", blanks)
    st.caption(help_texts.POLICY_OF_READINGS)
    st.table(_policy_table(found, policy), border="horizontal", alt="The policy that the readings give")
    with st.container(horizontal=True):
        values = {"train-strategy": PER_LABEL, "train-table-start": table_text(policy)}
        st.button(
            "Train with it",
            type="primary",
            icon=":material/model_training:",
            key="train-with-readings",
            help="Opens the Train page with this policy.",
            on_click=afterwards,
            args=(open_filled, "train", values),
        )
        text = policy_text(found, policy)
        download_file(text.encode(), f"from-{found.set}.toml", "text/plain", "Download policy", help_texts.POLICY_FILE)


def _policy_table(found: Meaning, policy: Policy) -> pd.DataFrame:
    rows: dict[str, dict[str, str]] = {label_words(label): {} for label in LABELS}
    for name, value, targets in (("u", "uncertain", policy.u), ("blank u", "not_mentioned", policy.blank_u)):
        if name == "u" or policy.says_of_blanks:
            for label, target in zip(LABELS, targets, strict=True):
                read, present = found.labels[label][value].counted
                counted = f"{count(present)} of {count(read)}"
                rows[label_words(label)] |= {name: f"{target:.2f}", f"Counted, {label_words(value).lower()}": counted}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Label").T
