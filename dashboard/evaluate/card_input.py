"""Which thresholds cut all labels: those of a card that was kept, or those of a rule on one data set."""

from dataclasses import dataclass

import streamlit as st

from cxr_core.evaluation.recalibration import ISOTONIC, PLATT
from cxr_core.schema import label_words
from cxr_core.tasks.card_choice import CardChoice, cards_of, kept_choice
from cxr_core.tasks.threshold_cards import choose_thresholds, parse_rule
from dashboard.evaluate.judged import Judged
from dashboard.shared import detail_help, help_texts
from dashboard.shared.actions import action_button
from dashboard.shared.choices import Options, pick_one, select_one
from dashboard.shared.formatting import plain

RULES = {
    "sensitivity": "Sensitivity of at least",
    "specificity": "Specificity of at least",
    "youden": "Youden",
    "f1": "Largest F1",
    "alarms": "Alarms of at most",
}
_A_RULE = "a rule"
_HOW = {"no": "No", PLATT: "Platt", ISOTONIC: "Isotonic"}
_USUAL = {"sensitivity": 90, "specificity": 90, "alarms": 10}


@dataclass(frozen=True)
class ShownCard:
    """A choice of thresholds, and what it is called."""

    choice: CardChoice
    words: str


def card_input(judged: Judged) -> ShownCard:
    """Show which thresholds cut, and return them; a rule's can be kept as a card."""
    source, model = judged.source.name, judged.model.name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kept = cards_of(source, model)
        options = Options([_A_RULE, *kept], "card", what="card", where=f" of {model}")
        card = select_one("Thresholds of", options, _A_RULE, help_texts.CARD, width=220) if kept else _A_RULE
        if card != _A_RULE:
            return ShownCard(kept_choice(source, card), f"the card {card}")
        rule = pick_one(
            "Rule", Options(list(RULES), "card-rule", RULES.__getitem__), "sensitivity", help_texts.CARD_RULE
        )
        text = rule
        if rule in _USUAL:
            in_100 = rule == "alarms"
            wanted = st.number_input(
                "… per 100 images" if in_100 else "… percent",
                1,
                100,
                _USUAL[rule],
                key="card-alarms" if in_100 else "card-percent",
                bind="query-params",
                help=help_texts.CARD_RULE,
                width=140 if in_100 else 120,
            )
            text = f"{rule}={wanted if in_100 else wanted / 100:g}"
        datasets = judged.model.predictions
        usual = "valid" if "valid" in datasets else datasets[0]
        on = pick_one("Chosen on", Options(datasets, "card-on", label_words), usual, help_texts.CHOSEN_ON)
        ways = Options(list(_HOW), "recalibrate", _HOW.__getitem__)
        how = pick_one("Recalibrate", ways, "no", detail_help.RECALIBRATE)
    recalibrate = None if how == "no" else how
    said = RULES[rule].lower()
    if rule in _USUAL:
        said += f" {wanted} per 100 images" if rule == "alarms" else f" {wanted} %"
    return ShownCard(CardChoice(None, text, on, recalibrate=recalibrate), f"{said}, chosen on {on}")


def keep_button(judged: Judged, shown: ShownCard) -> None:
    """Offer to keep what a rule chose as a card of the source."""
    choice = shown.choice
    if choice.card is not None:
        return
    fitted = f"-{choice.recalibrate}" if choice.recalibrate else ""
    name = f"{judged.model.name}-{choice.rule.replace('=', '-')}-{choice.on}{fitted}"
    if name in cards_of(judged.source.name, judged.model.name):
        st.caption(f"Kept as the card {plain(name)}.")
        return

    def keep(_thing: str) -> None:
        rule = parse_rule(choice.rule)
        choose_thresholds(
            *(judged.source.name, judged.model.name, rule, choice.on, None, judged.judge, name),
            recalibrate=choice.recalibrate,
        )

    action_button("Keep as a card", name, "keep-card", keep, help_texts.KEEP_CARD, icon=":material/bookmark:")
