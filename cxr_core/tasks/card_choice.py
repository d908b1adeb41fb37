"""Which thresholds cut: those of a card that is kept, or those that a rule chooses now."""

from dataclasses import dataclass

from cxr_core.errors import UsageError
from cxr_core.schema import REPORT
from cxr_core.sources.registry import get_source, source_names
from cxr_core.stamps import Stamp, file_stamp
from cxr_core.tasks.threshold_cards import (
    Card,
    JudgedCut,
    card_file,
    cards,
    check_fits,
    judged_at,
    made_card,
    parse_rule,
    read_card,
)
from cxr_core.warehouse.answers import Joined


@dataclass(frozen=True)
class CardChoice:
    """A card by its name, or, where `card` is None, what a rule chooses on a data set, as `parse_rule` reads it.

    `stamp` is another one when the kept card is, so that what was made of it can be told from what is to be made.
    `recalibrate` is the method that makes probabilities right on the same images, or None.
    """

    card: str | None
    rule: str = "sensitivity=0.9"
    on: str = "valid"
    stamp: Stamp = ()
    recalibrate: str | None = None


@dataclass(frozen=True)
class JudgedPlace:
    """What the thresholds of a card do on the images of one place, by label, as `judge` says."""

    source: str
    dataset: str
    judge: str
    cuts: dict[str, JudgedCut]


def chosen_card(source_name: str, model: str, choice: CardChoice, judge: str = REPORT) -> Card:
    """Return the card of a choice; what a rule chooses is chosen on all views, and not kept.

    Raises:
        UnknownNameError, UsageError, TableError, WarehouseError: as `read_card` and `choose_thresholds` raise.
    """
    if choice.card is not None:
        return read_card(source_name, choice.card)
    return made_card(
        source_name, model, parse_rule(choice.rule), choice.on, None, judge, recalibrate=choice.recalibrate
    )


def kept_choice(source_name: str, card: str) -> CardChoice:
    """Return the choice of a card that is kept."""
    return CardChoice(card, stamp=file_stamp(card_file(source_name, card)))


def cards_of(source_name: str, model: str) -> list[str]:
    """Return the names of a model's cards, sorted."""
    return [name for name in cards(source_name) if read_card(source_name, name).model == model]


def other_sources(source_name: str, model: str) -> list[str]:
    """Return the other sources that have predictions of a model of this name."""
    return [name for name in source_names() if name != source_name and get_source(name).has_predictions(model)]


def judged_on(
    source_name: str, model: str, choice: CardChoice, place: tuple[str, str], view: str | None, judge: str
) -> JudgedPlace:
    """Return what chosen thresholds do on the images of a place, a source and a data set of it."""
    card = chosen_card(source_name, model, choice, judge)
    there = judge if place[0] == source_name else REPORT
    return JudgedPlace(*place, there, judged_at(card, place[0], model, place[1], view, there))


def card_threshold(source_name: str, card_name: str, model: str, label: str, joined: Joined) -> float:
    """Return where a card of a source cuts the scores of a label in a model's rows.

    Raises:
        UnknownNameError: there is no such card.
        UsageError: the card is of another model or scale, or has no threshold for the label.
    """
    card = read_card(source_name, card_name)
    check_fits(card, model, joined)
    threshold = card.thresholds.get(label)
    if threshold is None:
        why = card.why_no_threshold(label)
        raise UsageError(f"The card {card_name} does not cut {label}: {why}. Give --threshold T.")
    return threshold
