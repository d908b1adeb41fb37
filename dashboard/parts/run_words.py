"""A run in words: its status, how far it is, how long it takes."""

import time
from datetime import datetime

from cxr_core.errors import CxrError
from cxr_core.runs.store import Run
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import CUSTOM, Policy
from dashboard.parts.formatting import NOTHING, count, duration, three_digits

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
}


def kind_words(run: Run) -> str:
    """Return what kind of work the run does."""
    return KIND_WORDS.get(run.kind, run.kind.capitalize())


def run_words(run: Run) -> str:
    """Return how a list names a run: "tour · Training · completed · 20261123-052837-b5a451"."""
    return f"{run.name} · {kind_words(run)} · {run.status} · {run.run}"


def status_badge(run: Run) -> str:
    """Return the status as a Markdown badge with its icon."""
    return f":{STATUS_COLORS[run.status]}-badge[{STATUS_ICONS[run.status]} {run.status}]"


def share_done(run: Run) -> float:
    """Return how much of the work is done, 0 to 1."""
    if run.status == "completed":
        return 1.0
    return min(1.0, run.step / run.steps) if run.step and run.steps else 0.0


def progress_words(run: Run) -> str:
    """Return how far an active run is: message, step of steps, time left."""
    parts = [run.message or ("waiting for its turn" if run.status == "queued" else "starting")]
    if run.steps:
        parts.append(f"{count(run.step or 0)} of {count(run.steps)}")
    return " · ".join(parts + [f"about {duration(run.eta_seconds)} left"] * _has_time_left(run))


def _has_time_left(run: Run) -> bool:
    """Say whether a time left is known; at the last step it is 0, though saving may still take some seconds."""
    return run.eta_seconds is not None and run.eta_seconds >= 1


def took(run: Run) -> str:
    """Return how long the run has worked."""
    return NOTHING if run.started is None else duration((run.ended or time.time()) - run.started)


def began(run: Run) -> str:
    """Return the local time at which the run was asked for."""
    return datetime.fromtimestamp(run.created).strftime("%d %b %Y, %H:%M")


def best_auc(run: Run) -> str:
    """Return the best validation AUC of a training run, the latest while it works."""
    best = (run.result or {}).get("val_auc", run.val_auc)
    return three_digits(best) if isinstance(best, int | float) else NOTHING


def runs_answer(runs: list[Run]) -> str:
    """Return the title of the Runs page: what is going on now."""
    working = [run for run in runs if run.status == "running"]
    waiting = sum(run.status == "queued" for run in runs)
    queue = f", {waiting} waiting" if waiting else ""
    if working:
        left = [run.eta_seconds or 0.0 for run in working if _has_time_left(run)]
        time_left = f", about {duration(max(left))} left" if left else ""
        return f"{len(working)} {'run is' if len(working) == 1 else 'runs are'} working{time_left}{queue}"
    if waiting:
        return f"{waiting} {'run is' if waiting == 1 else 'runs are'} waiting"
    return f"Nothing is running; {len(runs)} {'run' if len(runs) == 1 else 'runs'} so far" if runs else "No runs yet"


def policy_of(run: Run) -> Policy | None:
    """Return the (u, w) policy that a training run was started with; None for other work."""
    if run.kind != "train":
        return None
    try:
        return TrainOptions.from_dict(run.config["options"]).label_policy()
    except (CxrError, KeyError, TypeError):  # written by another version
        return None


def policy_words(run: Run) -> str:
    """Return the policy of a run: "ignore", "u 0.4, w 0.75" or, where labels differ, its name."""
    policy = policy_of(run)
    if policy is None:
        return NOTHING
    if policy.name != CUSTOM:
        return policy.name
    if policy.u_scalar is None or policy.w_scalar is None:
        return "per label"
    return f"u {policy.u_scalar:g}, w {policy.w_scalar:g}"


def have_one_policy(runs: list[Run]) -> bool:
    """Say whether the losses of training runs are on one scale: all have the same u and w for every label."""
    return len({(p.name == "learned", p.u, p.w) if (p := policy_of(run)) else None for run in runs}) <= 1
