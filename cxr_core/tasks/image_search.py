"""The images that a typed text names: a path or its end, a patient, a study, or a patient and a study."""

import re

import numpy as np
import pandas as pd

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.errors import NothingNamedError, UsageError, brief
from cxr_core.evaluation.image_groups import Picked
from cxr_core.schema import DATASETS, REPORT, check_label
from cxr_core.sources.importing.identifiers import load_identifiers
from cxr_core.sources.registry import ready_source
from cxr_core.sources.source import Source
from cxr_core.tasks.image_facts import Rows, label_rows
from cxr_core.tasks.images import ImageGroup, ImageQuery, Join
from cxr_core.tasks.judging import joined_predictions

#: A patient and a study, as in `p10000032/s01`, `p10000032 s50414267` or `10000032, 50414267`.
_BOTH = re.compile(r"(?P<patient>[^\s/,]+)[\s/,]+(?P<study>[^\s/,]+)")
#: A number as MIMIC-CXR writes patients and studies, its letter before it or not.
_NUMBER = re.compile(r"[ps]?0*(?P<number>[0-9]{1,18})", re.IGNORECASE)
#: More than anybody types who names one image.
_LONGEST = 1024


def named_images(query: ImageQuery, text: str, join: Join = joined_predictions, rows: Rows = label_rows) -> ImageGroup:
    """Return the images that a text names, in all data sets and views, with the report's values.

    Args:
        query: its source; its label, whose values are told; its model, whose scores are told where it has any. It has
            no group, and what else it says is left aside.
        text: as in `rows_named`.
        join: as `judging.joined_predictions`; for whoever has its answer already.
        rows: as `image_facts.label_rows`; for whoever has its answer already.

    Raises:
        NothingNamedError: the text names nothing.
        UsageError: the query has a group or a cut, or a model without a label.
        UnknownNameError: there is no such source, label or model.
        TableError, WarehouseError: the label tables cannot be read.
    """
    if any(one is not None for one in (query.group, query.card, query.threshold, query.beside)):
        raise UsageError("A text that names images stands in place of a group and its cut. Give one or the other.")
    if query.model and query.label is None:
        raise UsageError("A model's scores are of one label. Name it with --label.")
    frame = rows(query.source, None)
    places = rows_named(query.source, frame, text)
    named = frame.iloc[places].reset_index(drop=True)
    values = np.full(len(named), -1) if query.label is None else named[check_label(query.label)].to_numpy(np.int64)
    scores, scale = _scores(query, named, join)
    picked = Picked(np.arange(len(named)), [f"named by {brief(text.strip())}"] * len(named))
    return ImageGroup(query, named, picked, values, scores, scale)


def _scores(query: ImageQuery, named: pd.DataFrame, join: Join) -> tuple[FloatArray, str | None]:
    """Return the model's scores (n,), nan where it has none, and their scale."""
    scores, scale = np.full(len(named), np.nan), None
    for code in named["dataset"].unique() if query.model and query.label else ():
        joined = join(query.source, str(query.model), DATASETS[code], None, REPORT)
        if query.label in joined.labels:
            said = joined.frame.drop_duplicates("path").set_index("path")[f"predicted_{query.label}"]
            here = named["dataset"].to_numpy() == code
            scores[here], scale = said.reindex(named.loc[here, "path"]).to_numpy(np.float64), joined.scale
    return scores, scale


def rows_named(source_name: str, frame: pd.DataFrame, text: str) -> IntArray:
    """Return the rows (m,) of label rows that a text names, study by study of each patient.

    What fits first is taken: a path; the end of one from a `/` on; a folder that a path begins with; a patient and a
    study; a patient; a study. Patients and studies are called by their numbers, as MIMIC-CXR writes them (`p10000032`,
    `s50414267`), or by the names that an imported file had for them.

    Args:
        source_name: the source, whose imported names are known.
        frame: rows with `path`, `patient`, `study` and `image`.
        text: what was typed.

    Raises:
        UnknownNameError: there is no such source.
        NothingNamedError: the text names nothing.
        DataError: the names of an import cannot be read.
    """
    wanted = text.strip()
    found = _first_fit(ready_source(source_name), frame, wanted) if 0 < len(wanted) <= _LONGEST else None
    if found is None:
        raise NothingNamedError(
            f"Nothing in {source_name} is named {brief(wanted)}. Give a patient (p10000032), a study (s50414267), "
            "both (p10000032/s01), or a path or its end."
        )
    rows = np.flatnonzero(found)
    order = frame.iloc[rows].reset_index(drop=True).sort_values(["patient", "study", "image"], kind="stable").index
    return np.asarray(rows[order.to_numpy()], np.int64)


def _first_fit(source: Source, frame: pd.DataFrame, text: str) -> BoolArray | None:
    paths = frame["path"]
    tail, folder = "/" + text.lstrip("/"), text.rstrip("/") + "/"
    for found in (paths == text, paths.str.endswith(tail), paths.str.startswith(folder)):
        if found.any():
            return np.asarray(found, bool)
    return _by_numbers(source, frame, text)


def _by_numbers(source: Source, frame: pd.DataFrame, text: str) -> BoolArray | None:
    tries = [{"patient": text}, {"study": text}]
    if both := _BOTH.fullmatch(text):
        tries.insert(0, both.groupdict())
    for names in tries:
        found = np.ones(len(frame), bool)
        for kind, name in names.items():
            number = _number(source, kind, name)
            found &= np.zeros(len(frame), bool) if number is None else frame[kind].to_numpy() == number
        if found.any():
            return found
    return None


def _number(source: Source, kind: str, name: str) -> int | None:
    """Return the number of a patient or study; a letter before it must be that of the kind."""
    known = load_identifiers(source.folder).number(kind, name)
    if known is not None:
        return known
    match = _NUMBER.fullmatch(name)
    is_other = name[:1].isalpha() and name[:1].lower() != kind[0]
    return None if match is None or is_other else int(match["number"])
