from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxr_core.schema import LABELS


@pytest.fixture
def made(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import look_alike

    return look_alike, look_alike.make(tmp_path, models=2, images=6000)


def test_the_look_alike_has_the_shape_of_the_real_tables(made):
    module, folder = made
    labels = pd.read_parquet(folder / "labels.parquet")
    assert len(labels) == 6000
    assert labels["study"].nunique() == 6000 * module.STUDIES // module.IMAGES
    assert labels["patient"].nunique() == 6000 * module.PATIENTS // module.IMAGES
    assert (labels.groupby("patient")["dataset"].nunique() == 1).all()
    for label, prevalence in zip(LABELS, module.PREVALENCES, strict=True):
        assert np.mean(labels[label] == 3) == pytest.approx(prevalence, abs=0.02)


def test_findings_of_a_patient_and_scores_of_two_models_are_alike(made):
    _, folder = made
    labels = pd.read_parquet(folder / "labels.parquet")
    positive = labels.assign(positive=labels["edema"] == 3).groupby("patient")["positive"].agg(["mean", "count"])
    several = positive[positive["count"] > 3]["mean"]
    assert several.std() > 1.5 * np.sqrt(0.12 * 0.88 / 10)
    one, other = (
        pd.read_parquet(folder / "predictions" / f"model{number}_predictions.parquet")["edema"] for number in (1, 2)
    )
    assert 0.5 < np.corrcoef(one, other)[0, 1] < 0.95
