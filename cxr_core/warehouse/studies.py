"""Study rows: predictions of whole studies beside the labels of the studies.

A study's labels are those of its own label row (image 0) where there is one, else the largest code among its images:
one image with the finding makes the study positive.
"""

from collections.abc import Sequence

import pandas as pd

from cxr_core.errors import TableError
from cxr_core.warehouse.answers import Joined
from cxr_core.words import counted

#: What names a study within a data set.
STUDY_KEYS: tuple[str, ...] = ("patient", "study")


def study_labels(labels: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the labels of each study of one data set, with `disagree`.

    Args:
        labels: label rows of one data set: `patient`, `study`, `image` and the labels as codes (-1: not said).
        names: the labels that are wanted.

    Returns:
        One row a study: `patient`, `study`, the labels, and whether its images state different codes of one of them
        (False for a study with a row of its own).
    """
    of_study = labels["image"] == 0
    own = labels.loc[of_study, [*STUDY_KEYS, *names]].groupby(list(STUDY_KEYS), sort=True)[list(names)].max()
    images = labels.loc[~of_study, [*STUDY_KEYS, *names]]
    grouped = images.groupby(list(STUDY_KEYS), sort=True)[list(names)]
    largest = grouped.max()
    stated = images.assign(**{name: images[name].where(images[name] >= 0) for name in names})
    smallest = stated.groupby(list(STUDY_KEYS), sort=True)[list(names)].min()
    disagree = (smallest.notna() & (smallest != largest)).any(axis=1)
    from_images = largest[~largest.index.isin(own.index)].assign(disagree=disagree)
    return pd.concat([own.assign(disagree=False), from_images]).sort_index().reset_index()


def join_studies(predictions: pd.DataFrame, labels: pd.DataFrame, names: Sequence[str], scale: str) -> Joined:
    """Return study predictions beside the labels of the same studies, all of one data set.

    Args:
        predictions: study rows: the keys and the labels `names` as stored; the index does not matter.
        labels: the label rows of the data set.
        names: the labels of the model.
        scale: the scale of the predictions.

    Raises:
        TableError: a study has more than one row of predictions.
    """
    twice = predictions.duplicated(list(STUDY_KEYS)).sum()
    if twice:
        raise TableError(
            f"A prediction table must have each study once. Received {counted(twice, 'study')} more than once. "
            "Remove the repeated rows from the table and try again."
        )
    keys = predictions[["path", *STUDY_KEYS, "image", "view"]]
    predicted = predictions[list(names)].add_prefix("predicted_")
    true = study_labels(labels, names).rename(columns={name: f"true_{name}" for name in names})
    both = pd.concat([keys, predicted], axis=1).merge(true, on=list(STUDY_KEYS), how="inner")
    return Joined(
        frame=both.drop(columns="disagree").sort_values("path", kind="stable", ignore_index=True),
        scale=scale,
        labels=tuple(names),
        n_predictions=len(predictions),
        unmatched=len(predictions) - len(both),
        duplicated=0,
        disagreeing=int(both["disagree"].sum()),
    )
