"""What the pages ask of thresholds that travel; kept as what `engine` keeps, under the stamp of what it came from."""

from cxr_core.tasks.card_choice import CardChoice, JudgedPlace, chosen_card, judged_on
from cxr_core.tasks.gaps import Gaps, gaps_at
from cxr_core.tasks.kept_cards import Card
from cxr_core.tasks.slices import Slices, slices_at
from dashboard.shared.asked import computed


def card(source: str, model: str, choice: CardChoice, judge: str) -> Card:
    """Return the card of a choice."""
    return computed(chosen_card, source, model, choice, judge, of=(model,))


def gaps(
    source: str, model: str, by: tuple[str, ...], choice: CardChoice, dataset: str, view: str | None, judge: str
) -> Gaps:
    """Return the figures of every label in groups of images, and the gap of each to all others."""
    return computed(_gaps, source, model, by, choice, dataset, view, judge, of=(model,))


def judged_place(
    source: str, model: str, choice: CardChoice, place: tuple[str, str], view: str | None, judge: str
) -> JudgedPlace:
    """Return what chosen thresholds do on the images of a source and data set."""
    if place[0] != source:  # its tables have a stamp of their own, which nobody asks here: it is not kept
        return judged_on(source, model, choice, place, view, judge)
    return computed(judged_on, source, model, choice, place, view, judge, of=(model,))


def slices(source: str, model: str, choice: CardChoice, dataset: str, view: str | None, judge: str) -> Slices:
    """Return the slices of images by one or two columns, those that the model serves worse beyond chance first."""
    return computed(_slices, source, model, choice, dataset, view, judge, of=(model,))


def _gaps(
    source: str, model: str, by: tuple[str, ...], choice: CardChoice, dataset: str, view: str | None, judge: str
) -> Gaps:
    return gaps_at(chosen_card(source, model, choice, judge), source, model, by, dataset, view, judge)


def _slices(source: str, model: str, choice: CardChoice, dataset: str, view: str | None, judge: str) -> Slices:
    return slices_at(chosen_card(source, model, choice, judge), source, model, (), dataset, view, judge)
