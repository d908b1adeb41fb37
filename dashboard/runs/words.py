"""A run in words: its status, how far it is, how long it takes."""

import time
from datetime import datetime

from cxr_core.errors import CxrError
from cxr_core.runs import service
from cxr_core.runs.identity import Standing
from cxr_core.runs.reconcile import supervisor_standing
from cxr_core.runs.run import NOT_HEARD, Run
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import Policy
from cxr_core.words import percent
from dashboard.shared.formatting import NOTHING, count, duration, plain

STATUS_COLORS = {"queued": "gray", "running": "blue", "completed": "green", "failed": "red", "cancelled": "orange"}
STATUS_ICONS = {
    "queued": ":material/schedule:",
    "running": ":material/autorenew:",
    "completed": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/cancel:",
}
KIND_WORDS = {
    "train": "Training",
    "sweep": "Sweep",
    "repeat": "Repetition",
    "predict": "Prediction",
    "demo": "Building the demo",
    "import": "Import",
    "index": "Index of images",
    "policies": "Search for policies",
}

_BAR_LENGTH = 10


def kind_words(run: Run) -> str:
    """Return what kind of work the run does."""
    return KIND_WORDS.get(run.kind, run.kind.capitalize())


def run_words(run: Run) -> str:
    """Return how a list names a run: "tour · Training · 20261123-052837-b5a451"; nothing in it ever changes."""
    return f"{run.name} · {kind_words(run)} · {run.run}"


def status_badge(run: Run) -> str:
    """Return the status as a Markdown badge with its icon; of a run that nobody has heard from, that."""
    if run.is_active and run.is_unheard:
        return f":gray-badge[:material/signal_disconnected: {NOT_HEARD}]"
    return f":{STATUS_COLORS[run.status]}-badge[{STATUS_ICONS[run.status]} {run.status}]"


def progress_words(run: Run) -> str:
    """Return how far an active run is: message, step of steps, time left."""
    parts = [run.message or ("waiting for its turn" if run.status == "queued" else "starting")]
    if run.steps:
        parts.append(f"{count(run.step or 0)} of {count(run.steps)}")
    return " · ".join(parts + [f"about {duration(run.eta_seconds)} left"] * has_time_left(run))


def has_time_left(run: Run) -> bool:
    """Say whether a time left is known; at the last step it is 0, though saving may still take some seconds."""
    return run.eta_seconds is not None and run.eta_seconds >= 1


def took(run: Run) -> str:
    """Return how long the run has worked, before a resume too."""
    return duration(run.seconds_worked(time.time()))


def asked_at(run: Run) -> str:
    """Return the local day and time at which the run was asked for."""
    return said_at(datetime.fromtimestamp(run.created))


def said_at(moment: datetime) -> str:
    """Return a day and time in words: "27 Nov 2026, 10:44:16"."""
    return f"{moment:%d %b %Y, %H:%M:%S}"


def began(run: Run) -> str:
    """Return the local time at which the run was asked for; the day, and the year, where they are not today's."""
    asked, now = datetime.fromtimestamp(run.created), datetime.now()
    if asked.date() == now.date():
        return f"{asked:%H:%M}"
    return f"{asked:%d %b, %H:%M}" if asked.year == now.year else f"{asked:%d %b %Y, %H:%M}"


def best_auc(run: Run) -> float | None:
    """Return the best validation AUC of a training run, so far while it works, or what its trainings came to.

    None where none was measured.
    """
    told = (run.result or {}).get("val_auc")
    if isinstance(told, int | float):
        return float(told)
    if run.kind != "train" or run.val_auc is None:
        return None
    metrics = service.metric_columns(run.run)  # the store knows the latest validation only
    place = metrics.best("val_auc")
    return run.val_auc if place is None else float(metrics.column("val_auc")[place])


def policy_of(run: Run) -> Policy | None:
    """Return the (u, w) policy that a training run was started with; None for other work."""
    if run.kind != "train":
        return None
    try:
        return TrainOptions.from_dict(run.config["options"]).policy
    except (CxrError, KeyError, TypeError):  # written by another version
        return None


def policy_words(run: Run) -> str:
    """Return the policy of a run: "ignore (u 0, w 0)", "u 0.4, w 0.75", "mine (policy 3f2a91c0)"."""
    policy = policy_of(run)
    return NOTHING if policy is None else policy.words()


def have_one_scale(run: Run, other: Run) -> bool:
    """Say whether the losses of two training runs compare: one fixed policy; what is learned differs in the end."""
    first, second = policy_of(run), policy_of(other)
    if run.run == other.run:
        return True
    return first is not None and second is not None and first.digest == second.digest and not first.is_learned


def progress_bar(run: Run) -> str:
    """Return how much is done as a bar of text in Markdown, with the percentage."""
    done = run.share_done
    full = round(done * _BAR_LENGTH)
    bar = "".join(
        f":{color}[{'━' * length}]"
        for color, length in ((STATUS_COLORS[run.status], full), ("gray", _BAR_LENGTH - full))
        if length
    )
    return f"{bar} {percent(done, 0)}"


def is_elsewhere(run: Run) -> bool:
    """Say whether an active run belongs to another machine or container, which alone can judge it."""
    return run.is_active and supervisor_standing(run) is Standing.ELSEWHERE


def place_words(run: Run) -> str:
    """Return who started a run and where; of a run elsewhere also when it last gave a sign of life."""
    if is_elsewhere(run):
        seen = duration(max(0.0, time.time() - run.heartbeat))
        return f"{run.user}, {run.status} on {run.host}, last seen {seen} ago"
    return f"{run.user} at {run.place}" if run.is_away else f"{run.user} on {run.host}"


def device_words(run: Run) -> str:
    """Return what a run has, or had, for itself: its GPUs by name, else the accelerator that it waits for.

    Of a run at another place it is the accelerator that it asked for there.
    """
    asked = run.config.get("options", run.config).get("accelerator") if run.is_away else None
    return ", ".join(run.devices) or run.device or asked or NOTHING


def tag_badges(run: Run) -> str:
    """Return the tags of a run as Markdown badges."""
    return " ".join(f":gray-badge[{plain(tag)}]" for tag in run.tags)
