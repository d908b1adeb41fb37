"""The eight shipped models: their weights still give the shipped predictions.

Of one model of each view a quarter of the images of each data set is predicted; `--whole` predicts all of all.
"""

import numpy as np
import pandas as pd
import pytest

from cxr_core.models.predict import predict_records
from cxr_core.schema import LABELS
from cxr_core.sources.demo import SHIPPED

pytestmark = pytest.mark.tensorflow

NAMES = sorted(path.stem for path in (SHIPPED / "models").glob("*.h5"))
TRIED = ("densenet_frontal_u0_5__w0_25", "densenet_lateral_u1_0__w1_0")


def test_two_views_and_four_policies_are_shipped_in_less_than_20_mb():
    policies = ("u0_0__w0_0", "u0_0__w1_0", "u0_5__w0_25", "u1_0__w1_0")
    assert [f"densenet_{view}_{policy}" for view in ("frontal", "lateral") for policy in policies] == NAMES
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 20_000_000


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.whole] * (name not in TRIED)) for name in NAMES]
)
def test_the_stored_weights_give_the_stored_predictions(demo, name, pytestconfig):
    stored = pd.read_parquet(SHIPPED / "predictions" / f"{name}_predictions.parquet").set_index("path")
    view = name.split("_")[1]
    folder = demo / "sources/demo/records"
    shard = "*" if pytestconfig.getoption("whole") else f"0000{NAMES.index(name) % 4}-of-00004"
    files = [path for dataset in ("valid", "test") for path in sorted((folder / dataset).glob(f"{view}-{shard}"))]
    found = predict_records(SHIPPED / "models" / f"{name}.h5", files).set_index("path")
    assert found.index.isin(stored.index).all()
    assert len(found) > len(stored) / 5 if shard != "*" else sorted(found.index) == sorted(stored.index)
    difference = found[list(LABELS)] - stored.loc[found.index, list(LABELS)]
    assert np.abs(difference.to_numpy()).max() < 1e-3
    assert stored[list(LABELS)].to_numpy().std() > 0.1
