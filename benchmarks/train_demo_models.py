"""Trains the eight models that the demo source ships: two views, four policies, one seed.

Their weights are stored as float16, and their prediction tables are made from the stored weights.

    python benchmarks/train_demo_models.py [FOLDER]
"""

import json
import sys
from pathlib import Path

from measured import keep
from training_grid import EPOCHS, POLICIES, Cell, Trained, cxr, train_grid

from cxr_core.models.model_file import load_network
from cxr_core.training.weights_file import read_info, write_weights
from cxr_core.uncertainty import named_policy

SHIPPED = Path(__file__).parents[1] / "cxr_core/sources/shipped"
SEED = 0
VIEWS = ("frontal", "lateral")


def ship(trained: Trained) -> tuple[str, dict[str, float]]:
    """Store one model's weights, predict from them, and return its name and its AUC per label on valid."""
    cell, home = trained.cell, trained.home
    name = f"densenet_{cell.view}_{named_policy(cell.policy).suffix()}"
    stored = home / "sources/demo/models" / f"{name}.h5"
    network, info = load_network(trained.weights)
    write_weights(network, stored, info, dtype="float16")
    cxr(home, "predict", "--model", name, "--replace")
    table = home / "sources/demo/predictions" / f"{name}_predictions.parquet"
    for path, folder in ((stored, SHIPPED / "models"), (table, SHIPPED / "predictions")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    labels = cxr(home, "evaluate", name)["labels"]
    return name, {label: round(figures["roc_auc"], 4) for label, figures in labels.items()}


def shipped_cells() -> list[Cell]:
    """Return the eight models, the first one first."""
    return [Cell(view, policy, SEED) for view in VIEWS for policy in POLICIES]


def main() -> None:
    """Train what is missing, ship, keep the figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "workspace/policies").absolute()
    trained = train_grid(shipped_cells(), folder)
    keep_figures(trained, dict(ship(one) for one in trained))


def keep_figures(trained: list[Trained], shipped: dict[str, dict[str, float]]) -> None:
    """Keep the AUCs of the shipped models by label, and what their training took."""
    seconds = {one.cell.name: round(one.seconds) for one in trained}
    info = read_info(trained[0].weights)
    settings = {"epochs": EPOCHS, "seed": SEED, "architecture": info.architecture, "image_size": info.image_size}
    print(keep("demo_models", {"settings": settings, "training_seconds": seconds, "roc_auc_valid": shipped}))
    print(json.dumps({name: sum(auc.values()) / len(auc) for name, auc in shipped.items()}, indent=1))


if __name__ == "__main__":
    main()
