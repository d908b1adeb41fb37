"""A small demo source with prediction tables whose quality is known."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kept_folders import ROOT, code_of, kept_folder

from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.demo import SHIPPED, build_demo
from cxr_core.sources.registry import get_source
from cxr_core.warehouse.parquet import write_table

MODELS = ["densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0", "densenet_lateral_u0_0__w0_0"]


def whole_small_demo(config: pytest.Config) -> Path:
    made_by = code_of(ROOT / "cxr_core" / "sources" / "demo.py") | {Path(__file__)}
    return kept_folder(config, "small-demo", made_by, build_small_demo)


def give_weights(model: str) -> None:
    """Give the current workspace's small demo the shipped weights of a model; it has none of its own."""
    weights = get_source("demo").model_path(model)
    weights.parent.mkdir(exist_ok=True)
    shutil.copy(SHIPPED / "models" / weights.name, weights)


def build_small_demo(home: Path) -> None:
    folder = home / "sources" / "demo"
    build_demo(folder, lambda share, message: None, studies=(60, 40, 40))
    for made in ("predictions", "readings"):
        shutil.rmtree(folder / made, ignore_errors=True)
    labels = pd.concat(pd.read_parquet(folder / f"labels_{name}.parquet") for name in ("valid", "test"))
    for number, model in enumerate(MODELS):
        rows = labels[labels["view"] == ("lateral" in model)]
        table = rows[list(KEY_COLUMNS)].assign(**logits(rows, number))
        write_table(folder / "predictions" / f"{model}_predictions.parquet", table, "logit")


def logits(rows: pd.DataFrame, number: int) -> dict[str, np.ndarray]:
    """Noise that rises with the label; the second model has more of it than the others."""
    random = np.random.default_rng(number)
    noise = 2.0 if number == 1 else 0.7
    return {label: (rows[label] == 3).to_numpy() * 1.5 + random.normal(0, noise, len(rows)) for label in LABELS}
