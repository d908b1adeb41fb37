"""Which images the page shows: the group of a label, of a model where there is one, and where its score is cut."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cxr_core.evaluation.image_groups import CUT_GROUPS, MODEL_GROUPS, PAIR_GROUPS, UNJUDGED_GROUPS
from cxr_core.models.listing import ModelEntry
from cxr_core.schema import DATASETS, REPORT, TRAINING_VIEWS, VIEWS
from cxr_core.sources.source import Source
from cxr_core.tasks.card_choice import cards_of
from cxr_core.tasks.images import ImageQuery
from cxr_core.tasks.threshold_cards import parse_rule
from dashboard.shared.choices import Options, pick_one, select_one
from dashboard.shared.image_links import NO_MODEL
from dashboard.shared.judge_input import judge_input
from dashboard.shared.label_answers import label_curves
from dashboard.shared.model_input import dataset_input, label_input, view_input

#: The group that is none: all that the data set has, or the model predicts.
ALL_IMAGES = "all"
GROUP_WORDS = {
    "false-positive": "False positives",
    "false-negative": "False negatives",
    "true-positive": "True positives",
    "true-negative": "True negatives",
    "uncertain-highest": "Uncertain, highest scores",
    "uncertain-lowest": "Uncertain, lowest scores",
    "uncertain": "Uncertain, both ends",
    "blank": "Not mentioned",
    "negative": "Negative",
    "positive": "Positive",
    "blank-called-positive": "Not mentioned, called positive",
    "positive-called-negative": "Positive, called negative",
    "doubtful": "Label in doubt",
    "models-differ": "Two models differ",
    "study-contradicts": "Study contradicts itself",
    ALL_IMAGES: "All images",
}
RULES = {
    "sensitivity=0.9": "Sensitivity of 90 %",
    "specificity=0.9": "Specificity of 90 %",
    "youden": "Youden",
    "f1": "Largest F1",
}
_MODEL_HELP = "Whose scores make the group or put it in order; without a model, the labels alone do."
_HELP = "Which images are shown; the most telling come first."
_FIND_HELP = "In place of a group: a patient (p10000032), a study (s50414267), both (p10000032/s01), or a path."
_CUT_HELP = "Where the score is cut: what scores as high or higher is called positive."


@dataclass(frozen=True)
class ImageChoice:
    """What is shown: the query, the model's entry where there is one, why nothing can be, and what was typed."""

    query: ImageQuery
    model: ModelEntry | None
    why: str = ""
    find: str = ""


def chosen_images(source: Source, entries: list[ModelEntry], finds: bool = True) -> ImageChoice:
    """Show the inputs and return what they choose; `finds` tells whether single images can be asked for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        find = _find_input() if finds else ""
        model = _model_input(entries) if entries else None
        label = label_input("label")
        if find:
            return ImageChoice(ImageQuery(source.name, label, model=model.name if model else None), model, "", find)
        dataset = dataset_input(model.predictions if model else DATASETS, "dataset")
        view = view_input("judged-view", TRAINING_VIEWS if model else VIEWS, of_predictions=bool(model))
        names = [name for name in GROUP_WORDS if model or name not in MODEL_GROUPS]
        group = select_one("Group", Options(names, "group", GROUP_WORDS.__getitem__), names[0], _HELP)
        judge = judge_input(source.name) if model and group not in UNJUDGED_GROUPS else REPORT
        asked = None if group == ALL_IMAGES else group
        query = ImageQuery(source.name, label, asked, model.name if model else None, None, None, dataset, view, judge)
        if model is None:
            return ImageChoice(query, None)
        if group in PAIR_GROUPS:
            return _beside(query, model, entries)
        return _cut(query, model) if group in CUT_GROUPS else ImageChoice(query, model)


def _find_input() -> str:
    """Show the search, and return what was typed."""
    text = st.text_input(
        "Find",
        max_chars=1024,
        key="find",
        type="search",
        bind="query-params",
        placeholder="Patient, study or path",
        help=_FIND_HELP,
        width=260,
    )
    return str(text).strip()


def _model_input(entries: list[ModelEntry]) -> ModelEntry | None:
    """Show the models, and that none is asked; return the one that was chosen."""
    by_name = {entry.name: entry for entry in entries}
    words = {NO_MODEL: "No model"}
    options = Options(
        [*by_name, NO_MODEL], "model", lambda one: words.get(one, one), what="model", where=" with predictions here"
    )
    return by_name.get(select_one("Model", options, entries[0].name, _MODEL_HELP))


def _beside(query: ImageQuery, model: ModelEntry, entries: list[ModelEntry]) -> ImageChoice:
    others = [entry.name for entry in entries if entry.name != model.name and query.dataset in entry.predictions]
    if not others:
        return ImageChoice(query, model, "there is no second model with predictions of these images")
    options = Options(others, "beside", what="model", where=" beside this one")
    other = select_one("Other model", options, others[0], "The model that this one is held against.")
    return ImageChoice(_with(query, beside=other), model)


def _cut(query: ImageQuery, model: ModelEntry) -> ImageChoice:
    kept = cards_of(query.source, model.name)
    ways = {"rule": "Rule", "number": "Number"} | ({"card": "Card"} if kept else {})
    way = pick_one("Cut by", Options(list(ways), "cut-by", ways.__getitem__), "rule", _CUT_HELP)
    if way == "card":
        card = select_one("Card", Options(kept, "card", what="card", where=f" of {model.name}"), kept[0], _CUT_HELP)
        return ImageChoice(_with(query, card=card), model)
    if way == "number":
        cut = st.number_input(
            "Cut", value=0.0, step=0.05, format="%.15g", key="cut", bind="query-params", help=_CUT_HELP, width=200
        )
        return ImageChoice(_with(query, threshold=float(cut)), model)
    rule = select_one("Rule", Options(list(RULES), "cut-rule", RULES.__getitem__), "sensitivity=0.9", _CUT_HELP)
    parsed = parse_rule(rule)
    curves = label_curves(query.source, model.name, str(query.label), query.dataset, query.view, query.judge)
    threshold = curves.threshold(parsed.name, parsed.wanted)
    if threshold is None:
        return ImageChoice(query, model, curves.why.get("roc_auc", "there is no threshold"))
    return ImageChoice(_with(query, threshold=threshold), model)


def _with(query: ImageQuery, **changes: Any) -> ImageQuery:
    return replace(query, **changes)
