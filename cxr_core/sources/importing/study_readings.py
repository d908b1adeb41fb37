"""Studies that were labelled by hand beside the report's labels -> a table of readings of the source."""

from pathlib import Path

import pandas as pd

from cxr_core.errors import TableError
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, study_path
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.warehouse.parquet import write_table
from cxr_core.words import counted

SET = "radiologist"


def write_readings(folder: Path, readings: pd.DataFrame, rows: pd.DataFrame, identifiers: Identifiers) -> str:
    """Join readings by their study to a source's label rows, write them as study rows, and say what came of it.

    Args:
        folder: of the source.
        readings: `study` as the file names it, `reader` and label codes: 1 absent, 2 unsure, 3 present, NULL not read.
        rows: all label rows of the source.
        identifiers: the source's integers.

    Raises:
        TableError: a study is of two patients, or none of them is in the label table.
    """
    numbers = [identifiers.number("study", name) for name in readings["study"]]
    studies = rows[["patient", "study", "dataset"]].drop_duplicates()
    known = studies[studies["study"].isin([number for number in numbers if number is not None])]
    if known["study"].duplicated().any():
        twice = int(known.loc[known["study"].duplicated(), "study"].iloc[0])
        raise TableError(f"The study {twice} is of two patients, so that nobody knows whose the readings are.")
    joined = readings.assign(study=pd.array(numbers, dtype="Int64")).merge(known, on="study", how="inner")
    if joined.empty:
        raise TableError("None of the studies that were labelled by hand is in the label table. Check the files.")
    keys = zip(joined["dataset"], joined["patient"], joined["study"], strict=True)
    paths = [study_path(DATASETS[int(dataset)], int(patient), int(study)) for dataset, patient, study in keys]
    frame = joined.assign(path=paths, image=0, view=pd.array([pd.NA] * len(joined), dtype="Int64"))
    write_table(folder / "readings" / f"{SET}.parquet", frame[[*KEY_COLUMNS, *LABELS, "reader"]], unstated=True)
    lost = len(readings) - len(joined)
    left = f"; {counted(lost, 'is', 'are')} not in the label table and left out" if lost else ""
    kept = counted(len(joined), "study labelled by hand is", "studies labelled by hand are")
    return f"{kept} kept as the readings {SET!r}, beside the report's labels{left}."
