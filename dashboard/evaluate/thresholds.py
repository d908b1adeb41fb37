"""Thresholds that travel: chosen on one set, judged on this one and others, with what they alarm in a day."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.schema import label_words
from cxr_core.tasks.card_choice import JudgedPlace, other_sources
from cxr_core.tasks.threshold_cards import Card, JudgedCut
from cxr_core.words import counted, with_minus
from dashboard.evaluate.card_input import ShownCard, card_input, keep_button
from dashboard.evaluate.judged import Judged
from dashboard.shared import card_answers, detail_help, engine, help_texts
from dashboard.shared.choices import Options, select_several
from dashboard.shared.downloads import download_file, download_table
from dashboard.shared.formatting import NOTHING, plain, three_digits, with_interval


def thresholds_section(judged: Judged) -> None:
    """Show what one card does to all labels on every data set of the source, and on other sources."""
    shown = card_input(judged)
    volume = st.number_input(
        "Images a day",
        1,
        1_000_000,
        100,
        key="images-a-day",
        bind="query-params",
        help=help_texts.IMAGES_A_DAY,
        width=160,
    )
    places = [one for place in _places(judged) if (one := _judged(judged, shown, place)) is not None]
    st.markdown(
        f"**Thresholds of {plain(shown.words)}, judged beside each other, at {counted(volume, 'image')} a day**"
    )
    st.table(card_table(places, volume), border="horizontal", alt="What the thresholds of all labels do on each set")
    st.caption(help_texts.CARD_CAPTION)
    recalibrated = recalibration_table(places)
    if not recalibrated.empty:
        st.markdown("**Calibration before and after the recalibration**")
        st.table(recalibrated, border="horizontal", alt="Calibration of each label before and after, on each set")
        st.caption(detail_help.RECALIBRATED)
    reasons = missing_words(places)
    if reasons:
        with st.expander(f"What is missing, and why ({counted(len(reasons), 'figure')})"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in reasons))
    with st.container(horizontal=True):
        keep_button(judged, shown)
        name = f"{judged.model.name}-thresholds"
        download_table(flat_cuts(places, volume), f"{name}.csv")
        card = card_answers.card(judged.source.name, judged.model.name, shown.choice, judged.judge)
        text = json.dumps(cuts_document(card, places), indent=1).encode()
        download_file(text, f"{name}.json", "application/json", "Download JSON", help_texts.CARD_JSON)


def _places(judged: Judged) -> list[tuple[str, str]]:
    """Return where the card is judged: on each data set of this source, and on those of others that are chosen."""
    own = [(judged.source.name, dataset) for dataset in judged.model.predictions]
    others = other_sources(judged.source.name, judged.model.name)
    if not others:
        return own
    options = Options(others, "card-sources", what="source")
    chosen = select_several("Judge on other sources too", options, [], help_texts.CARD_SOURCES)
    models = {name: next(m for m in engine.models(name) if m.name == judged.model.name) for name in chosen}
    return [*own, *((name, dataset) for name, model in models.items() for dataset in model.predictions)]


def _judged(judged: Judged, shown: ShownCard, place: tuple[str, str]) -> JudgedPlace | None:
    """Return what the card does at a place; where it cannot be judged there, that is said."""
    try:
        return card_answers.judged_place(
            judged.source.name, judged.model.name, shown.choice, place, judged.view, judged.judge
        )
    except CxrError as error:
        st.info(f"{plain(place[1])} of {plain(place[0])}: {plain(error)}", icon=":material/info:")
        return None


def card_table(places: list[JudgedPlace], volume: int) -> pd.DataFrame:
    """Return what the threshold of each label does at each place, in words, the places side by side."""
    rows = []
    for label in dict.fromkeys(label for place in places for label in place.cuts):
        cuts = {_words(place, places): place.cuts[label] for place in places if label in place.cuts}
        threshold = next(iter(cuts.values())).threshold
        written = NOTHING if threshold is None else with_minus(f"{threshold:.3g}")
        row = {"Label": label_words(label), "Threshold": written}
        for where, cut in cuts.items():
            row |= {f"{name}, {plain(where)}": text for name, text in _cells(cut, volume).items()}
        rows.append(row)
    return pd.DataFrame(rows).fillna(NOTHING).set_index("Label") if rows else pd.DataFrame()


def _cells(cut: JudgedCut, volume: int) -> dict[str, str]:
    one = cut.as_json() | cut.alarms_a_day(volume)
    return {
        "Sensitivity": with_interval(one["sensitivity"], one["sensitivity_ci"]),
        "Specificity": with_interval(one["specificity"], one["specificity_ci"]),
        "Alarms per 100": _count_of(one, "alarms_per_100"),
        "False alarms a day": _count_of(one, "false_alarms_a_day"),
        "Scores moved by": three_digits(cut.moved),
    }


def _count_of(cut: Mapping[str, Any], name: str) -> str:
    """Return a number of alarms with its interval, to a tenth."""
    value, ends = cut[name], cut[f"{name}_ci"]
    if value is None:
        return NOTHING
    return f"{value:.1f}" + (f" ({ends[0]:.1f}–{ends[1]:.1f})" if ends else "")


def recalibration_table(places: list[JudgedPlace]) -> pd.DataFrame:
    """Return slope, O:E and Brier score of each label before and after its recalibration, the places side by side."""
    rows: dict[str, dict[str, str]] = {}
    for place in places:
        for label, cut in place.cuts.items():
            one = cut.recalibrated
            if one is not None:
                cells = {name: f"{_value(one.before, key)} → {_value(one.after, key)}" for name, key in _RIGHT.items()}
                where = plain(_words(place, places))
                row = {f"{name}, {where}": text for name, text in cells.items()}
                rows[label_words(label)] = rows.get(label_words(label), {}) | row
    return pd.DataFrame.from_dict(rows, orient="index").fillna(NOTHING)


_RIGHT = {"Slope": "slope", "O:E": "observed_to_expected", "Brier": "brier"}


def _value(figures: Mapping[str, tuple[float | None, Any]], key: str) -> str:
    value, _ = figures.get(key, (None, None))
    return three_digits(value)


def flat_cuts(places: list[JudgedPlace], volume: int) -> pd.DataFrame:
    """Return what the thresholds do as numbers, one row a label and place."""
    rows: list[dict[str, Any]] = []
    for place in places:
        for label, cut in place.cuts.items():
            row: dict[str, Any] = {"label": label, "source": place.source, "dataset": place.dataset}
            row |= cut.as_json() | cut.alarms_a_day(volume)
            for name in [name for name in row if name.endswith("_ci")]:
                row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
            why = "; ".join(f"{name}: {reason}" for name, reason in row.pop("why").items())
            for side, figures in row.pop("recalibrated", {}).items():
                if side in ("before", "after"):
                    row |= {f"{key}_{side}": value for key, value in figures.items() if not key.endswith("_ci")}
            rows.append(row | {"why": why})
    return pd.DataFrame(rows)


def cuts_document(card: Card, places: list[JudgedPlace]) -> dict[str, Any]:
    """Return how the card came about and what it does at each place under the names of the command line."""
    made = {name: value for name, value in card.as_json().items() if name != "labels"}
    judged = [
        {
            "source": place.source,
            "dataset": place.dataset,
            "judge": place.judge,
            "labels": {label: cut.as_json() for label, cut in place.cuts.items()},
        }
        for place in places
    ]
    return made | {"card": card.card or None, "judged": judged}


def missing_words(places: list[JudgedPlace]) -> list[str]:
    """Say why figures are missing, by label and place."""
    return [
        f"{label_words(label)}, {name.removesuffix('_ci')} on {_words(place, places)}: {reason}."
        for place in places
        for label, cut in place.cuts.items()
        for name, reason in cut.as_json()["why"].items()
    ]


def _words(place: JudgedPlace, places: list[JudgedPlace]) -> str:
    """Return what a place is called: its data set, with the source where there are several."""
    several = len({one.source for one in places}) > 1
    return f"{place.dataset} of {place.source}" if several else place.dataset
