"""What the Runs page answers: what works now, which training was best, and which others cannot be told from it."""

from cxr_core.runs.run import Run
from cxr_core.tasks.seed_groups import differ_in_seed_alone, floor_of_run
from cxr_core.words import counted
from dashboard.runs.words import best_auc, has_time_left
from dashboard.shared.formatting import duration, signed, three_digits

#: Groups of runs that were judged on the same images, of which the title names the best.
MOST_GROUPS = 2
BESIDE = (
    "One training with one seed each. Of two seeds of the same training, 95 of 100 pairs differ by less than the "
    "figure named, as far as trainings tell that were repeated. Each pair is asked for itself."
)


def runs_answer(runs: list[Run]) -> str:
    """Return the title of the Runs page: what is going on now."""
    working = [run for run in runs if run.status == "running"]
    waiting = sum(run.status == "queued" for run in runs)
    queue = f", {waiting} waiting" if waiting else ""
    if working:
        left = [run.eta_seconds or 0.0 for run in working if has_time_left(run)]
        time_left = f", about {duration(max(left))} left" if left else ""
        return f"{counted(len(working), 'run is', 'runs are')} working{time_left}{queue}"
    if waiting:
        return f"{counted(waiting, 'run is', 'runs are')} waiting"
    return _best_answer(runs) if runs else "No runs yet"


def _best_answer(runs: list[Run]) -> str:
    """Return what a reader asks of runs that have ended: which was best of those judged on the same images."""
    groups: dict[tuple[str, ...], list[tuple[float, Run]]] = {}
    for run in runs:
        auc = best_auc(run) if run.kind == "train" else None
        if auc is not None:
            groups.setdefault(judged_on(run), []).append((auc, run))
    if not groups:
        return f"Nothing is running; {counted(len(runs), 'run')} so far"
    best = [max(group, key=lambda pair: pair[0]) for group in groups.values()]
    if len(best) == 1:
        alike = _alike_words(best[0], next(iter(groups.values())))
        return f"Nothing is running; best validation AUC {three_digits(best[0][0])} by {best[0][1].name}{alike}"
    told = [f"{three_digits(auc)} by {run.name} ({_judged_words(run)})" for auc, run in best[:MOST_GROUPS]]
    more = f"; and {len(best) - MOST_GROUPS} more" if len(best) > MOST_GROUPS else ""
    return f"Nothing is running; best validation AUC {'; '.join(told)}{more}"


def _alike_words(best: tuple[float, Run], group: list[tuple[float, Run]]) -> str:
    """Return how many other trainings cannot be told from the best by what seeds do; nothing where nobody knows."""
    others = [auc for auc, run in group if not differ_in_seed_alone(run, best[1])]
    found = floor_of_run(best[1]) if others else None
    alike = 0 if found is None else sum(best[0] - auc < found.floor.by_chance for auc in others)
    return f", which cannot be told from {alike} of {counted(len(others), 'other')}" if alike else ""


def beside_words(run: Run, others: list[Run]) -> str:
    """Return how the best validation AUC of a run stands to those of others that were judged on the same images.

    Nothing is said of other seeds of the same training, and where what the seed alone does is not known.
    """
    auc, found = best_auc(run), floor_of_run(run)
    judged = [
        (other, best_auc(other))
        for other in others
        if judged_on(other) == judged_on(run) and not differ_in_seed_alone(other, run)
    ]
    if auc is None or found is None:
        return ""
    told = [_beside(auc - known, other, found.floor.by_chance) for other, known in judged if known is not None]
    least = f"two seeds of one training may differ by {found.floor.by_chance:.3f}"
    return f"{run.name} {' and '.join(told)} in validation AUC: {least}." if told else ""


def _beside(difference: float, other: Run, by_chance: float) -> str:
    if abs(difference) < by_chance:
        return f"cannot be told apart from {other.name} ({signed(difference)})"
    return f"is {'above' if difference > 0 else 'below'} {other.name} by more than seeds do ({signed(difference)})"


def judged_on(run: Run) -> tuple[str, ...]:
    """Return what the validation AUC of a training run is of: its source, view and validation files."""
    return (run.source, _view(run), *map(str, run.config.get("files_valid", [])))


def _judged_words(run: Run) -> str:
    images = run.config.get("n_valid")
    of_images = f", {counted(images, 'image')}" if isinstance(images, int) else ""
    return f"{run.source}, {_view(run)}{of_images}"


def _view(run: Run) -> str:
    return str(run.config.get("options", {}).get("view", "view not known"))
