"""A sweep or a repetition as a whole: what its trainings came to, and which (u, w) was best."""

import pandas as pd
import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.family_results import (
    REPEAT,
    SWEEP,
    PlannedTraining,
    SeedSpread,
    SweepCell,
    family_auc,
    members_of,
    sweep_cells,
)
from dashboard.charts.frame import CONFIG
from dashboard.charts.policies import policy_chart, policy_points, sweep_heatmap
from dashboard.charts.run_figures import AUC, CERTAIN
from dashboard.charts.seed_curves import seed_points, seeds_chart
from dashboard.runs.family_steps import next_steps, repeat_words, seed_words
from dashboard.runs.words import best_auc, policy_words, status_badge
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, select_one
from dashboard.shared.formatting import NOTHING, plain, three_digits
from dashboard.shared.theme import colors

MEAN = "mean of the labels"


def family_section(run: Run) -> None:
    """Show what the trainings of a sweep or a repetition came to so far; nothing for a run of another kind."""
    members = members_of(run)
    if not members:
        return
    children = {child.run: child for child in service.children(run.run)}
    if run.kind == REPEAT:
        spread = family_auc(run)
        _spread(spread)
        st.caption(repeat_words(spread))
        _seed_curves(run, [(member.seed, member.run) for member in members if member.run in children])
    elif run.kind == SWEEP:
        _sweep(sweep_cells(run), run)
    rows = [_row(member, children.get(member.run)) for member in members]
    st.table(pd.DataFrame(rows).set_index("Training"), border="horizontal", alt=f"Trainings of {run.name}")
    next_steps(run, children)


def learned_section(run: Run) -> None:
    """Show how a learned policy moved; nothing for a run that learns none."""
    points = policy_points(service.metric_columns(run.run))
    if not points.empty:
        st.altair_chart(
            policy_chart(points, colors()),
            key=f"learned-{run.run}",
            alt=f"How u and w of each label moved while {run.name} learned them",
        )


def spread_words(spread: SeedSpread) -> str:
    """Return a mean with its standard deviation: "0.812 ± 0.006 (n = 5)"."""
    if spread.mean is None:
        return NOTHING
    deviation = "" if spread.sd is None else f" ± {spread.sd:.3f}"
    return f"{three_digits(spread.mean)}{deviation} (n = {spread.n})"


def _seed_curves(run: Run, seeds: list[tuple[int, str]]) -> None:
    """Draw how validation went with each seed, and on average."""
    read = [(seed, service.metric_columns(training)) for seed, training in seeds]
    for column, figure in zip(st.columns(2), (AUC, CERTAIN), strict=True):
        points = seed_points(read, figure)
        if not points.empty:
            with column:
                st.altair_chart(
                    seeds_chart(points, figure, colors().models[0], colors()),
                    key=f"seeds-{figure.unit}-{run.run}",
                    alt=f"{figure.title} of each seed of {run.name}, and their mean, by epoch",
                )


def _spread(spread: SeedSpread) -> None:
    st.metric(
        "Best validation AUC over the seeds, mean ± standard deviation",
        spread_words(spread),
        help=help_texts.SEED_SPREAD,
        border=True,
        width="content",
    )


def _sweep(cells: list[SweepCell], run: Run) -> None:
    labels = Options([MEAN, *LABELS], "sweep-label", _label_words, "label", former=("sweep-label",))
    label = select_one("AUC of", labels, MEAN, help_texts.SWEEP_LABEL)
    shown = {(cell.u, cell.w): cell.mean if label == MEAN else cell.labels[label] for cell in cells}
    if all(spread.mean is None for spread in shown.values()):
        st.info("The first cell fills when the first training has been validated.", icon=":material/schedule:")
        return
    words = _label_words(label)
    figures = {place: (spread.mean, spread.sd, spread.n) for place, spread in shown.items()}
    chart = sweep_heatmap(figures, words, colors())
    st.plotly_chart(chart, config=CONFIG, key=f"sweep-{run.run}", theme=None, alt=f"{words}: AUC by u and w")
    st.caption(seed_words(shown.values()))


def _label_words(label: str) -> str:
    return MEAN.capitalize() if label == MEAN else label_words(label)


def _row(member: PlannedTraining, child: Run | None) -> dict[str, str]:
    auc = None if child is None else best_auc(child)
    return {
        "Training": plain(member.name),
        "Policy": NOTHING if child is None else plain(policy_words(child)),
        "Seed": str(member.seed),
        "Status": "not queued yet" if child is None else status_badge(child),
        "Best validation AUC": NOTHING if auc is None else three_digits(auc) + _so_far(child),
        "Run": member.run,
    }


def _so_far(child: Run | None) -> str:
    return "" if child is None or child.status == COMPLETED else " so far"
