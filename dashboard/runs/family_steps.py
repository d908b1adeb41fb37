"""What a sweep or a repetition tells of chance, and what one does with its trainings next."""

from collections.abc import Iterable, Mapping

import streamlit as st

from cxr_core.evaluation.seeds import Floor, pooled, seeds_needed
from cxr_core.runs import service
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.sources.registry import get_source
from cxr_core.tasks.family_results import SWEEP, SeedSpread
from cxr_core.tasks.predict import start_prediction
from cxr_core.tasks.seed_groups import floor_of_run
from cxr_core.tasks.seed_words import needed_words
from cxr_core.training.options import TrainOptions
from cxr_core.words import counted
from dashboard.runs.actions import predicting_device
from dashboard.runs.words import best_auc
from dashboard.shared.actions import action_button, tell
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.filled_in import filled_in
from dashboard.shared.navigation import afterwards, go_button, open_filled


def seed_words(spreads: Iterable[SeedSpread]) -> str:
    """Return in a sentence what seeds alone do to the AUC of a pair of u and w: the pooled standard deviation."""
    several = [(spread.n - 1, (spread.n - 1) * spread.sd**2) for spread in spreads if spread.sd is not None]
    floor = pooled(several)
    if floor is None:
        return (
            "One seed a pair: what seeds alone do is not known. Pairs that differ by a few thousandths may differ by "
            "chance; repeat the best over seeds to see."
        )
    return (
        f"Seeds alone move an AUC by ± {floor.sd:.3f} (standard deviation within a pair, over "
        f"{counted(len(several), 'pair')} of several seeds): smaller differences between pairs may be chance."
    )


def repeat_words(spread: SeedSpread) -> str:
    """Return in a sentence what the seeds of one training tell: the floor, and how many would tell a difference."""
    if spread.sd is None:
        return "One seed so far: how far another one moves the AUC is not known yet."
    needed = needed_words(seeds_needed(Floor(spread.sd, spread.n - 1)))
    return f"The seed alone moves this AUC by ± {spread.sd:.3f}. {needed}"


def floor_words(run: Run) -> str:
    """Return in a sentence what the seed alone does to a training of one seed, as far as similar trainings tell."""
    found = floor_of_run(run)
    if found is None:
        return (
            "One seed, and no similar training was repeated: how far another seed moves this AUC is not known. "
            "Repeat it over seeds on Train."
        )
    whose = "the same training" if found.same else f"trainings like it ({found.models[0]} and others)"
    moves = f"± {found.floor.sd:.3f} (standard deviation, {found.floor.freedom:g} degrees of freedom)"
    needed = needed_words(seeds_needed(found.floor))
    return f"The seed alone moved the best validation AUC of {whose} by {moves}. {needed}"


def next_steps(run: Run, children: Mapping[str, Run]) -> None:
    """Offer what one does with the trainings of a family that has ended."""
    completed = [child for child in children.values() if child.status == COMPLETED]
    if run.is_active or not completed:
        return
    with errors_as_sentences(), st.container(horizontal=True):
        predicted = set(get_source(run.source).warehouse().prediction_tables())
        judged = [child.name for child in completed if child.name in predicted]
        if len(judged) < len(completed):
            text = "Predicts the validation and test images with each of these models, one after the other."
            icon = ":material/batch_prediction:"
            action_button("Predict all", run.run, "predict-all", _predict_all, text, type="primary", icon=icon)
        if len(judged) > 1:
            go_button("compare", "Compare these", source=run.source, models=judged, view="all")
        if run.kind == SWEEP:
            text = "Opens the Train page with the best u and w of this sweep, to be repeated over seeds."
            icon = ":material/repeat:"
            action_button("Repeat the best over seeds", run.run, "repeat-best", _repeat_best, text, icon=icon)


def _predict_all(run_id: str) -> None:
    predicted = set(get_source(service.get(run_id).source).warehouse().prediction_tables())
    lacking = [c for c in service.children(run_id) if c.status == COMPLETED and c.name not in predicted]
    for child in lacking:
        start_prediction(child.source, child.run, accelerator=predicting_device(child))
    tell(f"Started {counted(len(lacking), 'prediction')}. They stand in the list of runs and follow each other.")


def _repeat_best(run_id: str) -> None:
    judged = [(auc, child) for child in service.children(run_id) if (auc := best_auc(child)) is not None]
    best = max(judged, key=lambda pair: pair[0])[1]
    options = TrainOptions.from_dict(best.config["options"])
    afterwards(open_filled, "train", {"source": best.source, "train-several": "repeat"} | filled_in(options))
