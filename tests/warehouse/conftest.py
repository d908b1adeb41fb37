import numpy as np
import pandas as pd
import pytest
from bigquery_server import BigQueryServer

from cxr_core.schema import DATASETS, LABELS, VALUES, VIEWS, image_path
from cxr_core.warehouse.google_client import forget_clients
from cxr_core.warehouse.parquet import write_table
from cxr_core.warehouse.tables import TableSet


@pytest.fixture(scope="session")
def label_rows():
    """900 images of 200 patients in all views and data sets; fractures are never uncertain."""
    rng = np.random.default_rng(7)
    rows = []
    for patient in range(1, 201):
        dataset = int(rng.integers(len(DATASETS)))
        for study in range(1, int(rng.integers(1, 4)) + 1):
            codes = dict(zip(LABELS, rng.integers(len(VALUES), size=len(LABELS)).tolist(), strict=True))
            codes["fracture"] = 0 if codes["fracture"] == 2 else codes["fracture"]
            for image, view in enumerate(rng.permutation(len(VIEWS))[: rng.integers(1, 4)].tolist(), start=1):
                path = image_path(DATASETS[dataset], patient, study, image, VIEWS[view])
                keys = {"path": path, "patient": patient, "study": study, "image": image, "view": view}
                rows.append({**keys, "dataset": dataset, **codes})
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def prediction_rows(label_rows):
    """Logits of two labels for every image, plus one image that no label table knows."""
    rng = np.random.default_rng(8)
    keys = label_rows.iloc[:, :6]
    stranger = keys.iloc[:1].assign(path="valid/p9/s01/view1_frontal.jpg", dataset=1)
    rows = pd.concat([keys, stranger], ignore_index=True)
    return rows.assign(edema=rng.normal(size=len(rows)), support_devices=rng.normal(size=len(rows)))


@pytest.fixture
def local_tables(tmp_path, label_rows, prediction_rows):
    """The rows as Parquet files, the labels in two of them, and one model called `net`."""
    folder = tmp_path / "tables"
    half = len(label_rows) // 2
    write_table(folder / "labels_a.parquet", label_rows[:half])
    write_table(folder / "labels_b.parquet", label_rows[half:])
    write_table(folder / "net_predictions.parquet", prediction_rows, scale="logit", model={"view": "frontal"})
    return TableSet(
        kind="local",
        labels=(str(folder / "labels_a.parquet"), str(folder / "labels_b.parquet")),
        predictions=(str(folder / "{model}_predictions.parquet"),),
        allowed=(folder,),
    )


@pytest.fixture
def bigquery_server(monkeypatch):
    """An empty BigQuery on loopback that the settings point to."""
    server = BigQueryServer()
    monkeypatch.setenv("CXR_BIGQUERY_ENDPOINT", server.endpoint)
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "60")
    yield server
    forget_clients()
    server.stop()


@pytest.fixture
def bigquery_tables(bigquery_server, label_rows, prediction_rows):
    """The same rows as tables of BigQuery."""
    half = len(label_rows) // 2
    bigquery_server.add("data-project.cxr.labels_a", label_rows[:half])
    bigquery_server.add("data-project.cxr.labels_b", label_rows[half:])
    bigquery_server.add("data-project.cxr.net_predictions", prediction_rows, labels={"cxr_scale": "logit"})
    return TableSet(
        kind="bigquery",
        labels=("data-project.cxr.labels_a", "data-project.cxr.labels_b"),
        predictions=("data-project.cxr.{model}_predictions",),
        project="paying-project",
    )
