"""Importing images in the background: a folder or tar of pictures and the source's labels -> its TFRecords."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.caller import ADMIN, require
from cxr_core.errors import ExistsError, RunError, UnknownNameError, UsageError
from cxr_core.pack.spreadsheet import defused
from cxr_core.records.index import build_index
from cxr_core.records.index_file import index_place
from cxr_core.records.layout import find_records
from cxr_core.runs import service
from cxr_core.runs.run import Run
from cxr_core.runs.step import StepContext
from cxr_core.schema import dataset_code, view_code
from cxr_core.sources.importing.choices import DEFAULT_MOST_SKIPPED
from cxr_core.sources.importing.image_parts import Outcome, image_readers, join_parts, write_parts
from cxr_core.sources.importing.image_plan import ImagePlan, image_plan
from cxr_core.sources.importing.pictures import ASPECTS, DEFAULT_ASPECT, Preparation
from cxr_core.sources.registry import DEMO, get_source, source_with_labels
from cxr_core.sources.source import Source, own_records
from cxr_core.tasks.allowed_places import check_input
from cxr_core.tasks.named_model import absolute
from cxr_core.words import counted
from cxr_core.workspace import make_folder

__all__ = ["ASPECTS", "DEFAULT_ASPECT", "DEFAULT_MOST_SKIPPED", "KIND", "start_image_import", "work"]

KIND = "import-images"
SKIPPED_FILE = "skipped.csv"
#: A 320x320 JPEG of quality 95 with its record, generously.
_BYTES_PER_IMAGE = 60_000


def start_image_import(
    source_name: str,
    place: str,
    view: str | None = None,
    dataset: str | None = None,
    aspect: str = DEFAULT_ASPECT,
    most_skipped: int = DEFAULT_MOST_SKIPPED,
    replace: bool = False,
    confined: bool = True,
    equalise: bool = False,
) -> Run:
    """Check everything, then start an import and return its run; its `result` says what came of it.

    Args:
        source_name: a source with a label table, which gets the records.
        place: a folder or an uncompressed tar of JPEG, PNG or DICOM files.
        view: import only the images of this view, by the label table.
        dataset: import only the images of this data set, by the label table.
        aspect: how a picture that is not square becomes one: pad, crop or stretch.
        most_skipped: how many images may be bad before the import is given up.
        replace: whether records of the same data sets and views are replaced.
        equalise: whether the histogram of each picture is made flat; the records say so, and so does what is trained on
            them.
        confined: whether the pictures must lie where pages may read; the command line is not confined.

    Raises:
        UnknownNameError: there is no such source, view, data set or aspect.
        UsageError: there are no images, no labels, or none that belong together, or pages may not read the place.
        ExistsError: the source has records of a data set and view already.
    """
    require(ADMIN, "import images")
    pictures = absolute(place)
    config = {
        "place": pictures,
        "view": view,
        "dataset": dataset,
        "aspect": aspect,
        "most_skipped": most_skipped,
        "replace": replace,
        "equalise": equalise,
    }
    source = _checked_source(source_name, config)
    if confined:
        check_input("folder or tar of the images", pictures)
    plan = image_plan(source, config)
    _check_free(source, plan, replace)
    _check_space(source.folder, plan.images)
    config["images"] = plan.images
    return service.submit(KIND, f"images of {source_name}", source_name, config, resumable=True)


def work(context: StepContext) -> None:
    """Import in the process of the run; what an earlier try has done already is not done again."""
    config, source = context.config, get_source(context.source)
    with image_readers() as readers:
        plan = image_plan(source, config)
        staging = source.folder / "records" / f".importing-{plan.digest(config)}"
        make_folder(staging)
        context.progress(0, plan.images, message="reading images")
        how = Preparation(config["aspect"], bool(config.get("equalise")))
        outcomes = write_parts(readers, plan.parts, Path(config["place"]), staging, how)
        written, skipped = _read_all(context, plan, outcomes)
    list_skipped(context.folder, skipped)
    _take_place(plan, staging, source.folder / "records")
    context.result(
        {"written": written, "skipped": len(skipped), "unmatched": plan.unmatched, "missing": plan.missing}
        | {"matched": plan.matched, "unmatched_examples": list(plan.unmatched_examples), "notes": list(plan.notes)}
        | {"records": own_records(source.folder), "list_of_skipped": str(context.folder / SKIPPED_FILE)}
    )


def _read_all(context: StepContext, plan: ImagePlan, outcomes: Iterable[Outcome]) -> tuple[int, list[tuple[str, str]]]:
    """Follow the reading to its end and return the images written, and name and reason of each that was skipped."""
    written, skipped = 0, list[tuple[str, str]]()
    for outcome in outcomes:
        written += outcome.written
        skipped += outcome.skipped
        context.stop_if_cancelled()
        context.progress(written + len(skipped), plan.images, message="reading images")
        most = context.config["most_skipped"]
        if len(skipped) > most:
            list_skipped(context.folder, skipped)
            raise RunError(_too_many(skipped, most))
    return written, skipped


def _checked_source(name: str, config: dict[str, Any]) -> Source:
    source = source_with_labels(name, "images") if name != DEMO else get_source(name)
    if name == DEMO:
        raise UsageError("Images cannot be imported into the demo, which is built. Name another --source.")
    if config["view"] is not None:
        view_code(config["view"])
    if config["dataset"] is not None:
        dataset_code(config["dataset"])
    if config["aspect"] not in ASPECTS:
        raise UnknownNameError("aspect", config["aspect"], ASPECTS)
    if config["most_skipped"] < 0:
        raise UsageError(f"The most images to skip must be 0 or more. Received: {config['most_skipped']}.")
    if source.records != own_records(source.folder):
        raise UsageError(
            f"The records of {name} are named in its configuration ({source.records}); take that out first."
        )
    if not source.tables.labels:
        raise UsageError(f"The source {name} has no label table to go with the images. Import its labels first.")
    return source


def _check_free(source: Source, plan: ImagePlan, replace: bool) -> None:
    for dataset, view in plan.groups:
        if not replace and _has_records(source, dataset, view):
            raise ExistsError(
                f"The source {source.name} has records of {dataset} {view} already. Use --replace to make them anew."
            )


def _has_records(source: Source, dataset: str, view: str) -> bool:
    try:
        return bool(find_records(source.records, dataset, view))
    except UsageError:
        return False


def _check_space(folder: Path, images: int) -> None:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    needed, free = 2 * images * _BYTES_PER_IMAGE, shutil.disk_usage(there).free
    if free < needed:
        raise UsageError(
            f"{counted(images, 'image needs', 'images need')} {needed / 1e6:,.0f} MB of free disk space at {there}. "
            f"Received: {free / 1e6:,.0f} MB. Free some space."
        )


def _too_many(skipped: list[tuple[str, str]], most: int) -> str:
    name, reason = skipped[0]
    return (
        f"More than {counted(most, 'image is', 'images are')} bad, the first {name}: {reason}. "
        f"All are listed in {SKIPPED_FILE} of the run. Mend them, or allow more with --most-skipped."
    )


def list_skipped(folder: Path, skipped: list[tuple[str, str]]) -> None:
    """Write which images were skipped, and why, into the folder of a run; safe in a spreadsheet."""
    safe = [(defused(name), defused(reason)) for name, reason in skipped]
    pd.DataFrame(safe, columns=["image", "reason"]).to_csv(folder / SKIPPED_FILE, index=False)


def _take_place(plan: ImagePlan, staging: Path, records: Path) -> None:
    """Put the finished records where readers look, with their indexes, in place of former ones; drop the parts."""
    joined = staging / "joined"
    shutil.rmtree(joined, ignore_errors=True)
    join_parts(plan.parts, staging, joined)
    for dataset, view in plan.groups:
        make_folder(records / dataset)
        made = {file.name for file in (joined / dataset).glob(f"{view}-*")}
        for file in sorted((joined / dataset).glob(f"{view}-*")):
            file.replace(records / dataset / file.name)
        for former in (records / dataset).glob(f"{view}-*"):
            if former.name not in made:
                former.unlink()
                index_place(str(former)).unlink(missing_ok=True)
        for name in sorted(made):
            build_index(str(records / dataset / name))
    shutil.rmtree(staging)
