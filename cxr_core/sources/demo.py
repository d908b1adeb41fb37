"""The demo source: synthetic chest radiographs with labels, what readers say of them, and the truth behind both."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_core.atomic import disk_errors, write_text
from cxr_core.errors import CxrError
from cxr_core.records.index import build_index
from cxr_core.records.tfrecord import write_shards
from cxr_core.schema import DATASETS, INTEGER_KEYS, LABELS, TRAINING_VIEWS, View, dataset_code, view_code
from cxr_core.sources.demo_images import drawing_workers, drawn, image_keys
from cxr_core.sources.phantoms.cohort import Study, draw_cohort
from cxr_core.sources.phantoms.radiologists import readings
from cxr_core.sources.phantoms.reading import read_studies
from cxr_core.sources.rebuilt_folder import only_builder, replacement
from cxr_core.warehouse.parquet import write_readings, write_table, write_truth

Progress = Callable[[float, str], None]

#: Raise it when any pixel or label changes: a demo of another version is built anew.
VERSION = 2
SEED = 2019
STUDIES = (1500, 500, 500)
SHARDS = 4
#: The set of readings of the valid and test studies that comes with the demo.
READINGS = "radiologists"
#: Generous, for the check before the start: tables, records and the file system's own needs for one image.
BYTES_PER_IMAGE = 30_000

#: What is shipped; what other people trained on the demo, and what they predicted with it, survives a rebuild.
SHIPPED_FOLDERS = ("models", "predictions")
#: And so does what they brought in or chose.
KEPT_FOLDERS = (*SHIPPED_FOLDERS, "readings", "groups", "thresholds")
SHIPPED = Path(__file__).parent / "shipped"


def is_current(folder: Path) -> bool:
    """Say whether the whole demo of this version is in `folder`, so that building it would change nothing."""
    return _stamp_of(folder) == _stamp(SEED, STUDIES)


def build_demo(
    folder: Path,
    progress: Progress,
    seed: int = SEED,
    studies: tuple[int, int, int] = STUDIES,
    anew: bool = False,
) -> None:
    """Build the demo source in `folder`, unless it is there already and `anew` is not asked for.

    It is made in a temporary folder beside `folder`, which takes its place when all is done: a build that is
    killed leaves nothing half written. Two builds at once wait for each other.

    Args:
        folder: becomes source.toml, labels_*.parquet, truth.parquet, readings/, records/, models/ and predictions/.
        progress: called about every percent with the share that is done (0 to 1) and what is going on.
        seed: of everything random; equal seeds give equal bytes.
        studies: how many in train, valid and test.
        anew: whether a demo that is there and up to date is built once more.

    Raises:
        CxrError: there is too little space, no permission, or a worker process died.
    """
    stamp = _stamp(seed, studies)
    with disk_errors(folder), only_builder(folder):
        if _stamp_of(folder) == stamp and not anew:
            progress(1.0, "The demo is built already.")
            return
        with replacement(folder, KEPT_FOLDERS) as building:
            _fill(building, progress, seed, studies)
            if (seed, studies) == (SEED, STUDIES):
                _copy_shipped(building)
            write_text(building / "source.toml", stamp + "\n" + SOURCE_TOML)
    progress(1.0, "The demo is built.")


SOURCE_TOML = """\
kind        = "local"
synthetic   = true
labels      = ["labels_train.parquet", "labels_valid.parquet", "labels_test.parquet"]
truth       = "truth.parquet"
predictions = "predictions/{model}_predictions.parquet"
models      = "models/{model}.h5"
records     = "records/{dataset}/{view}*"
"""


def _fill(folder: Path, progress: Progress, seed: int, studies: tuple[int, int, int]) -> None:
    """Write tables, readings and records."""
    progress(0.0, "Drawing patients and reading their studies.")
    cohort = draw_cohort(seed, studies)
    read_studies(seed, cohort)
    _check_space(folder, sum(len(study.images) for study in cohort))
    _write_tables(folder, cohort)
    write_readings(folder / "readings" / f"{READINGS}.parquet", readings(seed, cohort))
    _write_records(folder, cohort, seed, progress)


def _write_tables(folder: Path, cohort: list[Study]) -> None:
    for dataset in DATASETS:
        rows = [row for study in cohort if study.dataset == dataset for row in _label_rows(study)]
        write_table(folder / f"labels_{dataset}.parquet", pd.DataFrame(rows, columns=_COLUMNS))
    truth = [{"path": image_keys(study, *image)[0]} | study.truth for study in cohort for image in study.images]
    write_truth(folder / "truth.parquet", pd.DataFrame(truth))


_COLUMNS = ["path", *INTEGER_KEYS, *LABELS, "age", "sex", "position"]


def _label_rows(study: Study) -> Iterator[dict[str, object]]:
    for image, view in study.images:
        path, keys = image_keys(study, image, view)
        position = "LL" if view == View.lateral.name else "AP" if study.ap or view == View.other.name else "PA"
        person = {"age": study.age, "sex": "F" if study.female else "M", "position": position}
        yield {"path": path, **keys, **study.labels, **person}


def _write_records(folder: Path, cohort: list[Study], seed: int, progress: Progress) -> None:
    """Draw all images of the training views and write them in an order that says nothing of patients."""
    groups = [(dataset, view) for dataset in DATASETS for view in TRAINING_VIEWS]
    images = {group: _shuffled(cohort, *group, seed) for group in groups}
    total = sum(map(len, images.values()))
    done = 0
    with drawing_workers(total) as executor:
        for dataset, view in groups:
            payloads: dict[int, bytes] = {}
            for part in drawn(executor, seed, images[dataset, view]):
                payloads |= part
                progress(0.98 * (done + len(payloads)) / total, f"Drew {done + len(payloads)} of {total} images.")
            done += len(payloads)
            ordered = [payloads[index] for index in range(len(payloads))]
            shards = min(SHARDS, max(1, len(ordered)))
            for file in write_shards(folder / "records" / dataset, view, ordered, shards):
                build_index(str(file), beside=True)


def _shuffled(cohort: list[Study], dataset: str, view: str, seed: int) -> list[tuple[Study, int]]:
    """Return the (study, image number) of one data set and view in random order."""
    found = [(s, image) for s in cohort if s.dataset == dataset for image, seen in s.images if seen == view]
    order = np.random.default_rng((seed, 3, dataset_code(dataset), view_code(view))).permutation(len(found))
    return [found[index] for index in order]


def _copy_shipped(folder: Path) -> None:
    for name in SHIPPED_FOLDERS:
        if (SHIPPED / name).is_dir():
            shutil.copytree(SHIPPED / name, folder / name, ignore=shutil.ignore_patterns(".*"))


def _stamp(seed: int, studies: tuple[int, int, int]) -> str:
    return f"# Demo version {VERSION}, seed {seed}, studies {' '.join(map(str, studies))}"


def _stamp_of(folder: Path) -> str | None:
    """Return the first line of the source.toml, which says what was built; None when there is none."""
    file = folder / "source.toml"
    return file.read_text().split("\n", 1)[0] if file.is_file() else None


def _check_space(folder: Path, images: int) -> None:
    needed, free = images * BYTES_PER_IMAGE, shutil.disk_usage(folder).free
    if free < needed:
        raise CxrError(
            f"The demo needs {needed / 1e6:.0f} MB of free disk space at {folder.parent}. Received: "
            f"{free / 1e6:.0f} MB. Free some space, or set CXR_HOME to a larger disk."
        )
