"""How the same training went with several seeds: a thin line each, and their mean in front of them."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from cxr_core.runs.columns import MetricColumns
from dashboard.charts.palette import Palette
from dashboard.charts.run_figures import VALIDATION, Figure

SEED, MEAN = "One seed", "Mean of the seeds"


def seed_points(seeds: Sequence[tuple[int, MetricColumns]], figure: Figure) -> pd.DataFrame:
    """Return `line, part, x, y` of a validation figure by epoch: each seed, and the mean where all of them have one.

    Args:
        seeds: the seed of each training, and its metric rows.
        figure: what is drawn; its validation part.
    """
    column = figure.parts[VALIDATION]
    lines = []
    for seed, metrics in seeds:
        places = metrics.measured(column)
        x, y = metrics.column("epoch")[places], metrics.column(column)[places]
        lines.append(pd.DataFrame({"line": f"seed {seed}", "part": SEED, "x": x, "y": y}))
    together = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=["line", "part", "x", "y"])
    by_epoch = together.groupby("x")["y"]
    whole = by_epoch.mean()[by_epoch.count() == len(seeds)]
    if len(seeds) < 2 or whole.empty:
        return together
    mean = pd.DataFrame(
        {"line": MEAN.lower(), "part": MEAN, "x": whole.index.to_numpy(np.float64), "y": whole.to_numpy()}
    )
    return pd.concat([together, mean], ignore_index=True)


def seeds_chart(points: pd.DataFrame, figure: Figure, color: str, colors: Palette, height: int = 240) -> alt.LayerChart:
    """Draw the seeds as thin lines behind their mean, with a point where a line has one value alone."""
    base = alt.Chart(points).encode(
        x=alt.X("x:Q", title="epoch", axis=alt.Axis(grid=False, format=",d", tickMinStep=1)),
        y=alt.Y("y:Q", title=figure.unit, scale=alt.Scale(zero=False, nice=True)),
        detail="line:N",
        tooltip=[
            alt.Tooltip("line:N", title="of"),
            alt.Tooltip("x:Q", title="epoch", format=",d"),
            alt.Tooltip("y:Q", title=figure.unit, format=figure.format),
        ],
    )
    layers = []
    for part, width, opacity in ((SEED, 1.0, 0.4), (MEAN, 3.0, 1.0)):
        if (points["part"] == part).any():
            of_part = base.transform_filter(alt.datum.part == part)
            point = alt.OverlayMarkDef(size=14 * width, color=color, opacity=opacity)
            layers.append(of_part.mark_line(strokeWidth=width, color=color, opacity=opacity, point=point))
    title = [f"{figure.title}, by epoch", "thin: one seed each; thick: their mean"]
    return (
        alt.layer(*layers)
        .properties(height=height, title=title)
        .configure_axis(labelColor=colors.faint, titleColor=colors.faint, gridColor=colors.grid)
    )
