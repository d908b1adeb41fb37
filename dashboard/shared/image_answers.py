"""What the pages ask of single images: joined rows and label rows are kept once, for Evaluate as for Images."""

import pandas as pd

from cxr_core.schema import REPORT
from cxr_core.tasks.doubts import Doubts
from cxr_core.tasks.doubts import doubts as doubts_of
from cxr_core.tasks.evaluate import joined_predictions
from cxr_core.tasks.image_facts import ImageFacts, image_facts, label_rows
from cxr_core.tasks.image_search import named_images
from cxr_core.tasks.images import ImageGroup, ImageQuery, Joined, image_group
from dashboard.shared.asked import asked, computed


def joined(source: str, model: str, dataset: str, view: str | None, judge: str = REPORT) -> Joined:
    """Return a model's predictions beside what the judge says."""
    return computed(joined_predictions, source, model, dataset, view, judge, of=(model,))


def rows(source: str, dataset: str | None = None) -> pd.DataFrame:
    """Return the label rows of a data set."""
    return asked(label_rows, source, dataset)


def group(query: ImageQuery, find: str = "") -> ImageGroup:
    """Return the images of a group, or those that a text names."""
    if find:
        return named_images(query, find, joined, rows)
    if query.card:  # a card is no table: nothing tells that it was chosen anew
        return image_group(query, joined)
    return computed(_group, query.source, query, of=tuple(name for name in (query.model, query.beside) if name))


def _group(_source: str, query: ImageQuery) -> ImageGroup:
    return image_group(query, joined)


def doubts(source: str, model: str, dataset: str, view: str | None) -> Doubts:
    """Return which labels of the report are in doubt, and how right that is where somebody knows."""
    return computed(doubts_of, source, model, dataset, view, of=(model,))


def facts(source: str, path: str, models: tuple[str, ...], dataset: str | None) -> ImageFacts:
    """Return what is known of an image."""
    return image_facts(source, path, models, dataset, joined, rows)
