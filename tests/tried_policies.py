"""A search for policies without TensorFlow: the features are made of the pictures' true labels and noise."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd

from cxr_core.records.example import decode
from cxr_core.records.tfrecord import read_payloads
from cxr_core.runs import service
from cxr_core.schema import LABELS
from cxr_core.tasks import policy_search as task
from cxr_core.training.weights_file import ModelInfo, write_layers
from cxr_core.uncertainty import named_policy

SIZE = 20
MODELS = {"densenet_frontal_u0_0__w0_0": "ignore", "densenet_frontal_u1_0__w1_0": "positive"}


def add_model(file, policy):
    file.parent.mkdir(exist_ok=True)
    write_layers([], file, ModelInfo("densenet-small", 32, "frontal", named_policy(policy).as_dict(), run="a-run"))


def made_up_embeddings(home):
    """The ids of the demo's images, without their endings, and an embedding of each that tells some labels."""
    folder = home / "sources" / "demo"
    rows = pd.concat([pd.read_parquet(file) for file in sorted(folder.glob("labels*.parquet"))], ignore_index=True)
    rows = rows[(rows["dataset"] <= 1) & (rows["view"] == 0)]
    vectors = np.random.default_rng(0).normal(0, 1, (len(rows), SIZE)).astype(np.float32)
    vectors[:, : len(LABELS)] += rows[list(LABELS)].to_numpy() == 3
    return [path.removesuffix(".jpg") for path in rows["path"]], vectors


class Searching:
    """Stands in for the run and for the network; `taken` counts how often features were taken."""

    def __init__(self, monkeypatch, home):
        for model, policy in MODELS.items():
            add_model(home / "sources" / "demo" / "models" / f"{model}.h5", policy)
        self.taken, self.said, self.stopped_at, self.scale = 0, [], None, 1.0
        module = ModuleType("cxr_core.models.predict")
        module.record_features = self._features
        monkeypatch.setitem(sys.modules, "cxr_core.models.predict", module)
        monkeypatch.setattr(task, "import_tensorflow", lambda: None)
        monkeypatch.setattr(service, "submit", self._submit)

    def _features(self, model, paths, labels, accelerator, progress):
        self.taken += 1
        records = [decode(payload, "") for path in paths for payload in read_payloads(Path(path))]
        progress(len(records))
        codes = np.array([[record.labels[label] for label in LABELS] for record in records])
        noise = np.random.default_rng(0).normal(0, 1, (len(records), SIZE))
        noise[:, : len(LABELS)] += codes == 3
        frame = pd.DataFrame([{"path": record.path} | record.keys for record in records])
        return frame, (self.scale * noise).astype(np.float32)

    def _submit(self, kind, name, source, config, device=None, need=None):
        result = []
        self.name = name
        task.work(
            SimpleNamespace(
                run="the-run",
                source=source,
                config=config,
                progress=self._tell,
                stop_if_cancelled=self._stop,
                result=result.append,
            )
        )
        return result[0]

    def _tell(self, step, steps, message=""):
        self.said.append((message, step, steps))

    def _stop(self):
        if self.stopped_at is not None and self.said and self.said[-1][0] == self.stopped_at:
            from cxr_core.runs.step import Cancelled

            raise Cancelled
