"""Frontal with lateral, study by study: what does an ensemble across views gain on the demo?

For each treatment of uncertain labels the frontal and the lateral model are combined by every method, and all eight
models together. Judged on the test studies, each against the label of the study; fitted weights were fitted on valid,
so on other patients. The same is done on valid, where each patient is predicted by weights fitted on the others. The
table goes into docs/measurements.md whatever it shows.

    python benchmarks/ensembles_by_study.py [HOME]
"""

import os
import sys
from pathlib import Path
from typing import Any

from measured import keep

from cxr_core.evaluation.results import MeanFigure
from cxr_core.sources.demo import build_demo, is_current
from cxr_core.sources.registry import DEMO, source_folder
from cxr_core.tasks.ensemble import METHOD_NAMES, EnsemblePreview, preview_ensemble

POLICIES = {"ignore": "u0_0__w0_0", "negative": "u0_0__w1_0", "positive": "u1_0__w1_0", "hybrid": "u0_5__w0_25"}
DATASETS = ("test", "valid")


def figure(mean: MeanFigure) -> dict[str, Any]:
    """Return a mean over labels with its interval."""
    return {"value": mean.value, "ci": mean.ci}


def result(preview: EnsemblePreview) -> dict[str, Any]:
    """Return what the table needs of one ensemble."""
    return {
        "studies": preview.n_images,
        "auc": figure(preview.figures.mean_roc_auc),
        "members": {model: figure(figures.mean_roc_auc) for model, figures in preview.members.items()},
        "best": preview.best,
        "gain": figure(preview.mean_gain),
        "fitted_on": preview.recipe.get("fitted_on"),
        "not_fitted": preview.recipe.get("not_fitted"),
    }


def table(found: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the page's table: single views, then methods; mean AUC, and the gain over the better view."""
    lines = [f"| mean AUC of the 14, by study | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
    for place, view in enumerate(("frontal alone", "lateral alone")):
        cells = []
        for of_group in found.values():
            members = list(of_group["mean-logit"]["members"].values())
            cells.append(f"{members[place]['value']:.3f}" if len(members) == 2 else "-")
        lines.append(f"| {view} | {' | '.join(cells)} |")
    for method in METHOD_NAMES:
        cells = []
        for of_group in found.values():
            one = of_group[method]
            low, high = one["gain"]["ci"]
            cells.append(f"{one['auc']['value']:.3f} ({one['gain']['value']:+.3f}, {low:+.3f} to {high:+.3f})")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines).replace("-0.", "−0.")


def main() -> None:
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "workspace").absolute()
    os.environ["CXR_HOME"] = str(home)
    if not is_current(source_folder(DEMO)):
        build_demo(source_folder(DEMO), lambda share, message: None)
    groups = {
        policy: [f"densenet_{view}_{name}" for view in ("frontal", "lateral")] for policy, name in POLICIES.items()
    }
    groups["all eight"] = [model for members in groups.values() for model in members]
    every: dict[str, Any] = {}
    for dataset in DATASETS:
        every[dataset] = {
            group: {
                method: result(preview_ensemble("demo", members, method, dataset, by="study"))
                for method in METHOD_NAMES
            }
            for group, members in groups.items()
        }
        print(f"{dataset}, {every[dataset]['hybrid']['max']['studies']} studies\n\n{table(every[dataset])}\n")
    print(f"kept in {keep('ensembles_by_study', every)}")


if __name__ == "__main__":
    main()
