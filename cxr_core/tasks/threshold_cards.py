"""Threshold cards: where to cut a model's scores on each label, chosen on one data set, kept, and judged on others."""

import json

from cxr_core.atomic import write_text
from cxr_core.caller import RESEARCHER, require
from cxr_core.errors import ExistsError, UsageError
from cxr_core.evaluation.score_shift import percentiles, score_shift
from cxr_core.schema import REPORT, check_name
from cxr_core.tasks.judged_cut import JudgedCut
from cxr_core.tasks.judging import joined_predictions
from cxr_core.tasks.kept_cards import Card, card_file, cards, read_card, unmet_of
from cxr_core.tasks.label_curves import LabelCurves, curves_of
from cxr_core.tasks.recalibrated import fitted_recalibration, judged_recalibration
from cxr_core.tasks.threshold_rules import Rule, parse_rule
from cxr_core.warehouse.answers import Joined

__all__ = [
    "Card", "JudgedCut", "Rule", "card_file", "cards", "choose_thresholds", "judged_at", "made_card", "parse_rule",
    "read_card", "rows_for_card",
]  # fmt: skip


def choose_thresholds(
    source_name: str,
    model: str,
    rule: Rule,
    on: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
    card: str | None = None,
    replace: bool = False,
    recalibrate: str | None = None,
) -> Card:
    """Choose a threshold for each label of a model on one data set, and keep them as a card of the source.

    The figures of the card are of the rows that it was chosen on, and so optimistic: judge it on others.

    Args:
        source_name: the source.
        model: a model with predictions.
        rule: how to choose.
        on: the data set.
        view: only images of this view, or all that are predicted.
        judge: who says what is positive.
        card: the card's name; made of model and rule where it is not given.
        replace: whether a card of that name is replaced.
        recalibrate: `platt` or `isotonic`, fitted to the same rows and kept beside the thresholds; None for neither.

    Raises:
        ExistsError, UsageError: there is a card of that name, or the name is not legal; all that `evaluate` raises.
    """
    require(RESEARCHER, "keep thresholds")
    name = check_name("card", card or f"{model}-{str(rule).replace('=', '-')}")
    file = card_file(source_name, name)
    if file.exists() and not replace:
        raise ExistsError(f"There is a card {name} already. Use --replace to replace it, or another --name.")
    made = made_card(source_name, model, rule, on, view, judge, name, recalibrate)
    write_text(file, json.dumps(made.as_json(), indent=1) + "\n")
    return made


def made_card(
    source_name: str,
    model: str,
    rule: Rule,
    on: str,
    view: str | None,
    judge: str = REPORT,
    name: str = "",
    recalibrate: str | None = None,
) -> Card:
    """Return the card that `choose_thresholds` keeps, without keeping it."""
    joined = joined_predictions(source_name, model, on, view, judge)
    each = {label: curves_of(joined, model, label) for label in joined.labels}
    cuts = {label: _chosen(curves, rule) for label, curves in each.items()}
    thresholds = {label: cut.threshold for label, cut in cuts.items()}
    fitted = {label: fitted_recalibration(one, recalibrate)[0] for label, one in each.items()} if recalibrate else {}
    kept = {label: one for label, one in fitted.items() if one is not None}
    steps = {label: percentiles(one.rows.scores) for label, one in each.items()}
    unmet = {label: why for label, cut in cuts.items() if (why := unmet_of(cut.why))}
    return Card(name, model, source_name, joined.scale, rule, on, view, judge, thresholds, cuts, kept, steps, unmet)


def judged_at(
    card: Card, source_name: str, model: str, dataset: str, view: str | None, judge: str
) -> dict[str, JudgedCut]:
    """Return what a card's thresholds do on other images, by label.

    Raises:
        UsageError: the card is of another model, or of scores on another scale.
    """
    joined = rows_for_card(card, source_name, model, dataset, view, judge)
    return {label: _at(curves_of(joined, model, label), card) for label in joined.labels}


def rows_for_card(card: Card, source_name: str, model: str, dataset: str, view: str | None, judge: str) -> Joined:
    """Return the rows on which a card's thresholds are judged.

    Raises:
        UsageError: the card is of another model, or of scores on another scale.
    """
    _check_model(card, model)
    joined = joined_predictions(source_name, model, dataset, view, judge)
    check_fits(card, model, joined)
    return joined


def check_fits(card: Card, model: str, joined: Joined) -> None:
    """Raise `UsageError` when a card is of another model than the rows, or of scores on another scale."""
    _check_model(card, model)
    if joined.scale != card.scale:
        raise UsageError(
            f"The card {card.card} cuts {card.scale}s, but the predictions of {model} are {joined.scale}s now. "
            "Choose the thresholds anew."
        )


def _check_model(card: Card, model: str) -> None:
    if card.model != model:
        raise UsageError(f"The card {card.card} is of the model {card.model}. Received: {model}.")


def _chosen(curves: LabelCurves, rule: Rule) -> JudgedCut:
    threshold = curves.threshold(rule.name, rule.wanted)
    if threshold is None:
        return JudgedCut(None, None, {"threshold": curves.why.get("roc_auc", "only one class is there")})
    point = curves.operating_point(threshold)
    nothing = (
        {} if point.tp + point.fp else {"rule": f"no threshold at a score has {rule}, so nothing is called positive"}
    )
    return JudgedCut(threshold, point, nothing)


def _at(curves: LabelCurves, card: Card) -> JudgedCut:
    threshold, fitted = card.thresholds.get(curves.label), card.recalibrations.get(curves.label)
    recalibrated = None if fitted is None else judged_recalibration(curves, fitted)
    if threshold is None:
        return JudgedCut(None, None, {"threshold": card.why_no_threshold(curves.label)}, recalibrated)
    if curves.left_out.why:
        return JudgedCut(threshold, None, {"threshold": curves.left_out.why}, recalibrated)
    point, called = curves.operating_point(threshold), curves.shares_above(threshold)
    moved = score_shift(card.percentiles.get(curves.label, []), curves.rows.scores)
    unmet = {"rule": f"{card.unmet[curves.label]} in {card.on}"} if curves.label in card.unmet else {}
    return JudgedCut(threshold, point, unmet, recalibrated, called, moved)
