"""What a training run would be: its records, steps and expected time, with everything checked before it starts."""

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from cxr_core.cloud_user import user_location
from cxr_core.errors import UsageError
from cxr_core.file_patterns import Limits, nobody_leaves
from cxr_core.locations import is_remote
from cxr_core.records.foreign import in_own_form
from cxr_core.records.layout import RecordsSummary, check_records, equalised, find_records, stated_labels
from cxr_core.runs.places.registry import get_place
from cxr_core.runs.run import HERE
from cxr_core.schema import LABELS, label_words
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source, ready_source
from cxr_core.tasks.allowed_places import check_input, check_output, page_limits
from cxr_core.tasks.away import check_reads, records_at
from cxr_core.tasks.expected_time import expected_seconds
from cxr_core.tasks.image_targets import check_image_targets
from cxr_core.tasks.machine_devices import check_known, check_one_worker
from cxr_core.tasks.named_model import absolute, check_start_model, is_path, located
from cxr_core.tasks.self_training import check_two_stages
from cxr_core.training.architectures import ARCHITECTURES
from cxr_core.training.options import TrainOptions, default_options
from cxr_core.training.tpu_address import check_tpu_reads
from cxr_core.words import counted

#: Copies of the weights that a run keeps: checkpoints with two moments of Adam, and models.
_WEIGHT_COPIES = 12
#: Bytes that TensorFlow itself takes.
_TENSORFLOW_BYTES = 1_200_000_000


@dataclass(frozen=True)
class Check:
    """One thing that was looked at before the start; what did not pass is a warning."""

    text: str
    passed: bool


@dataclass(frozen=True)
class TrainingPlan:
    """A training run before it starts.

    `options` are complete, with absolute paths; `steps` counts all epochs, of both stages where there are two;
    `seconds` is about how long it will take, or None where nothing like it was measured.
    """

    source: str
    options: TrainOptions
    files_train: tuple[str, ...]
    files_valid: tuple[str, ...]
    n_train: int
    n_valid: int
    steps_per_epoch: int
    steps: int
    seconds: float | None
    checks: tuple[Check, ...]


def training_defaults(source_name: str) -> TrainOptions:
    """Return the form's defaults for a source, with a seed that is drawn anew at each call."""
    return replace(default_options(get_source(source_name).synthetic), seed=secrets.randbelow(2**31))


def plan_training(
    source_name: str,
    options: TrainOptions,
    confined: bool = True,
    going_on: Callable[[], object] = nobody_leaves,
    place: str = HERE,
) -> TrainingPlan:
    """Find and check everything that a training run needs, and say what it will be.

    Args:
        source_name: the source whose records are used.
        options: the choices.
        confined: whether the run may read and write only where pages may (`tasks.allowed_places`); the command line is
            not confined.
        going_on: called now and then while files are looked at; raises when nobody waits for the plan any more.
        place: where the run is to work; of another place than here neither devices nor memory are known.

    Raises:
        UnknownNameError: there is no such source, view, architecture, accelerator or model to start from.
        UsageError: an option is out of its range, a place is none that pages may use, no records match,
            there are fewer images than one batch, the accelerator is known to be missing, or the disk is too full.
        RecordError: a record file is damaged or holds another view or image size.
        ModelFileError: the model to start from holds another network.
    """
    source = ready_source(source_name)
    options = _with_absolute_paths(options.validated())
    if confined:
        _check_places(options)
    options = replace(options, tensorboard=_own(options.tensorboard), save_to=_own(options.save_to))
    check_start_model(source, options)
    check_image_targets(source, options.policy)
    if place == HERE:
        check_one_worker(options.workers)
        check_known(options.accelerator, options.device)
    limits = page_limits(going_on) if confined else None
    files_train, files_valid = _record_files(records_at(place, source), options, limits)
    check_reads(place, [*files_train, *files_valid])
    if options.stages > 1:
        check_two_stages(options, files_train)
    if options.accelerator == "tpu":
        check_tpu_reads([*files_train, *files_valid], os.environ)
    equalised([*files_train, *files_valid])
    train, valid = (check_records(files, options.view, going_on=going_on) for files in (files_train, files_valid))
    if train.images < options.batch_size:
        raise UsageError(
            f"A batch must not be larger than the {counted(train.images, 'training image')}. "
            f"Received: {options.batch_size}. Choose a smaller batch size."
        )
    steps_per_epoch = train.images // options.batch_size
    return TrainingPlan(
        source=source_name,
        options=options,
        files_train=tuple(files_train),
        files_valid=tuple(files_valid),
        n_train=train.images,
        n_valid=valid.images,
        steps_per_epoch=steps_per_epoch,
        steps=steps_per_epoch * options.epochs * options.stages,
        seconds=expected_seconds(options, train.images, valid.images) if place == HERE else None,
        checks=(
            *_record_checks(options, train, valid),
            *_label_checks(files_train),
            *_repetition_checks(options),
            _disk_check(options),
            *((_memory_check(options),) if place == HERE else _place_checks(place)),
        ),
    )


def _with_absolute_paths(options: TrainOptions) -> TrainOptions:
    """Make local paths absolute: the run works in another process, maybe after the working directory has changed."""
    return replace(
        options,
        init_from=located(options.init_from),
        records=absolute(options.records),
        tensorboard=absolute(options.tensorboard),
        save_to=absolute(options.save_to),
    )


def _check_places(options: TrainOptions) -> None:
    check_output("folder for a copy of the model", options.save_to)
    check_output("TensorBoard folder", options.tensorboard)
    check_input("pattern of the records", options.records)
    if is_path(options.init_from):
        check_input("model to start from", options.init_from)


def _own(folder: str) -> str:
    """Return the user's own folder of a gs:// folder, as in the 2019 notebook; a local one is the user's anyway."""
    return user_location(folder) if is_remote(folder) else folder


def _record_files(own: str, options: TrainOptions, limits: Limits | None) -> tuple[list[str], list[str]]:
    """Return training and validation files; a pattern without {dataset} names the training files alone.

    Limits hold for a pattern that somebody gave; `own`, that of the source or of the place, is trusted.
    """
    limits = limits if options.records else None
    pattern = options.records or own
    pattern_valid = pattern if "{dataset}" in pattern else own
    valid_limits = limits if pattern_valid is pattern else None
    return (
        in_own_form(find_records(pattern, "train", options.view, limits)),
        in_own_form(find_records(pattern_valid, "valid", options.view, valid_limits)),
    )


def _record_checks(options: TrainOptions, train: RecordsSummary, valid: RecordsSummary) -> tuple[Check, ...]:
    found = (
        f"{counted(train.images, 'training image')} in {counted(train.files, 'file')}, "
        f"{counted(valid.images, 'validation image')} in {counted(valid.files, 'file')}"
    )
    return Check(found, True), Check(f"training and validation images are both {options.view}", True)


def _label_checks(files: Sequence[str]) -> tuple[Check, ...]:
    """Say which outputs will learn nothing, because no training image has a value of their label."""
    stated = stated_labels(files)
    lacking = [label_words(label) for label in LABELS if label not in stated]
    if not lacking:
        return ()
    return (Check(f"no training image has a value of {', '.join(lacking)}: these outputs stay untrained", True),)


def _repetition_checks(options: TrainOptions) -> tuple[Check, ...]:
    """Say what is not promised elsewhere than on a CPU."""
    if options.repeats_to_the_bit:
        return ()
    here = "with XLA" if options.xla == "on" else f"on the accelerator {options.accelerator}"
    way = " or with --deterministic" if options.accelerator in ("gpu", "multi-gpu") else ""
    text = (
        f"{here}, the last digits may differ from run to run and after a resume: "
        f"the same bits are promised on a CPU{way}, without XLA"
    )
    return (Check(text, True),)


def _disk_check(options: TrainOptions) -> Check:
    needed = _WEIGHT_COPIES * ARCHITECTURES[options.architecture].weight_bytes
    free = shutil.disk_usage(_existing(settings().home)).free
    if free < needed:
        raise UsageError(
            f"The run needs about {_bytes(needed)} of disk at {settings().home}, where {_bytes(free)} are free. "
            "Free some space, or set CXR_HOME to a larger disk."
        )
    return Check(f"{_bytes(free)} of disk are free, about {_bytes(needed)} are needed", True)


def _memory_check(options: TrainOptions) -> Check:
    pixels = options.batch_size * options.image_size**2
    needed = _TENSORFLOW_BYTES + pixels * ARCHITECTURES[options.architecture].activation_bytes
    free = psutil.virtual_memory().available
    text = f"{_bytes(free)} of memory are free, about {_bytes(needed)} are needed on a CPU"
    return Check(text, free >= needed or options.accelerator != "cpu")


def _place_checks(place: str) -> tuple[Check, ...]:
    cost = get_place(place).terms().cost
    there = Check(f"it works at {place}, whose memory and accelerators are not known here", True)
    return (there, Check(f"it costs: {cost}", True)) if cost else (there,)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
