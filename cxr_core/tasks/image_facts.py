"""All that a source says of one image: the report, the readers, the truth, the models, and its study's other images."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from cxr_core.errors import CxrError, UsageError, brief
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, READER_COLUMN, REPORT, VALUES, Verdict
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.image_keys import ImageKeys, named_keys, view_name
from cxr_core.tasks.images import Join
from cxr_core.tasks.judging import joined_predictions
from cxr_core.warehouse.readings import STUDY

#: How a caller that keeps label rows hands them over: source, data set.
Rows = Callable[[str, str | None], pd.DataFrame]


@dataclass(frozen=True)
class ModelSays:
    """What a model predicts of a label: its score as stored, and the probability where it has one."""

    score: float
    probability: float | None


@dataclass(frozen=True)
class ImageFacts(ImageKeys):
    """What is known of one image.

    `values` are the report's by label, None where it says nothing; `verdicts` what each reader says by label, a reader
    being named with the set, `of_study` those who read the study as a whole; `truth` is None where nobody knows it.
    `models` has each model's predictions by label, and `others` the paths and views of the study's other images.
    """

    values: dict[str, str | None]
    verdicts: dict[tuple[str, str], dict[str, str]]
    of_study: frozenset[tuple[str, str]]
    truth: dict[str, bool] | None
    models: dict[str, dict[str, ModelSays]]
    others: tuple[tuple[str, str | None], ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `show --json` prints of an image."""
        keys = {name: getattr(self, name) for name in ("path", "dataset", "view", "patient", "study", "image")}
        readers = [
            {"set": who[0], "reader": who[1], "of_study": who in self.of_study, "verdicts": said}
            for who, said in self.verdicts.items()
        ]
        models = {model: {label: asdict(one) for label, one in said.items()} for model, said in self.models.items()}
        others = [{"path": path, "view": view} for path, view in self.others]
        said = {"report": self.values, "truth": self.truth, "readers": readers, "models": models}
        return keys | said | {"others": others}


def label_rows(source_name: str, dataset: str | None = None) -> pd.DataFrame:
    """Return the label rows of a data set, or of all, as the warehouse has them."""
    return ready_source(source_name).warehouse().labels(dataset)


def image_facts(
    source_name: str,
    path: str,
    models: Sequence[str] = (),
    dataset: str | None = None,
    join: Join = joined_predictions,
    rows: Rows = label_rows,
) -> ImageFacts:
    """Return what is known of an image.

    Args:
        source_name: the source.
        path: of the image, as its label tables have it.
        models: whose predictions are wanted; one without any of this image says nothing.
        dataset: where the image is looked for; None for everywhere.
        join: as `judging.joined_predictions`; for whoever has its answer already.
        rows: as `label_rows`; for whoever has its answer already.

    Raises:
        UnknownNameError: there is no such source or data set.
        UsageError: no image has the path.
        TableError, WarehouseError: a table is damaged, or the warehouse could not answer.
    """
    frame = rows(source_name, dataset)
    found = np.flatnonzero(frame["path"] == path)
    if not found.size:
        raise UsageError(f"No image of {source_name} has the path {brief(path)}. Give one that `images` lists.")
    row = frame.iloc[found[0]]
    keys = {name: int(row[name]) for name in KEY_COLUMNS if name != "path"}
    verdicts, of_study = _verdicts(source_name, path, keys)
    where = DATASETS[keys["dataset"]]
    return ImageFacts(
        **named_keys(where, path, keys["view"], keys["patient"], keys["study"], keys["image"]),
        values={label: VALUES[row[label]] if row[label] >= 0 else None for label in LABELS},
        verdicts=verdicts,
        of_study=of_study,
        truth=_truth(source_name, path),
        models={model: said for model in models if (said := _predicted(join, source_name, model, where, path))},
        others=_others(frame, path, keys),
    )


def _verdicts(
    source_name: str, path: str, keys: dict[str, int]
) -> tuple[dict[tuple[str, str], dict[str, str]], frozenset[tuple[str, str]]]:
    """Return what readers say of the image, or of its study where they did not read the image itself."""
    warehouse = ready_source(source_name).warehouse()
    said, of_study = dict[tuple[str, str], dict[str, str]](), set[tuple[str, str]]()
    for name in warehouse.reading_sets():
        table = warehouse.readings(name)
        same_study = (table[list(STUDY)] == [keys[name] for name in STUDY]).all(axis=1)
        for whole, chosen in ((False, table["path"] == path), (True, same_study & (table["image"] == 0))):
            for row in table[chosen].to_dict("records"):
                who = (name, str(row[READER_COLUMN]))
                if who not in said:
                    said[who] = {label: Verdict(row[label]).name for label in LABELS if row[label]}
                    of_study |= {who} if whole else set()
    return said, frozenset(of_study)


def _truth(source_name: str, path: str) -> dict[str, bool] | None:
    truth = ready_source(source_name).warehouse().truth()
    rows = None if truth is None else truth[truth["path"] == path]
    if rows is None or rows.empty:
        return None
    return {label: bool(rows.iloc[0][label] == 1) for label in LABELS}


def _predicted(join: Join, source_name: str, model: str, dataset: str, path: str) -> dict[str, ModelSays]:
    try:
        joined = join(source_name, model, dataset, None, REPORT)
    except CxrError:
        return {}
    found = np.flatnonzero(joined.frame["path"] == path)
    if not found.size:
        return {}
    row = joined.frame.iloc[found[0]]
    scores = {label: float(row[f"predicted_{label}"]) for label in joined.labels}
    return {label: _says(score, joined.scale) for label, score in scores.items() if np.isfinite(score)}


def _says(score: float, scale: str) -> ModelSays:
    return ModelSays(score, None if scale == "score" else float(expit(score)) if scale == "logit" else score)


def _others(frame: pd.DataFrame, path: str, keys: dict[str, int]) -> tuple[tuple[str, str | None], ...]:
    same = (frame["patient"] == keys["patient"]) & (frame["study"] == keys["study"])
    same &= (frame["dataset"] == keys["dataset"]) & (frame["path"] != path) & (frame["image"] != 0)
    return tuple(
        (str(one), view_name(int(view))) for one, view in frame.loc[same, ["path", "view"]].itertuples(index=False)
    )
