"""A table that is written anew, also into the file that is there, changes the page at its next drawing and for others."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bigquery_server.demo import DATASET, SOURCE, configuration, serve_demo
from sklearn.metrics import roc_auc_score
from test_pages import FIRST, metrics, texts

from cxr_core.cache.answers import ANSWERS
from cxr_core.tasks.state import SourceState
from dashboard.shared.as_of import as_of_words


def write_in_place(path, change):
    """Let `change` alter the rows of a table and write them into the very file, as pandas, R and `cp` do."""
    inode, table = path.stat().st_ino, pq.read_table(path)
    changed = pa.Table.from_pandas(change(table.to_pandas()), table.schema, preserve_index=False)
    with path.open("wb") as file:
        pq.write_table(changed, file)
    assert path.stat().st_ino == inode


def noise(frame):
    return frame.assign(edema=np.random.default_rng(3).normal(size=len(frame)))


def auc_of(demo):
    """The AUC of edema on valid, by scikit-learn on the files."""
    predictions = pd.read_parquet(demo / f"sources/demo/predictions/{FIRST}_predictions.parquet")
    labels = pd.read_parquet(demo / "sources/demo/labels_valid.parquet")
    both = predictions.merge(labels[["path", "edema"]], on="path", suffixes=("", "_true"))
    certain = both[both["edema_true"] != 2]
    return f"{roc_auc_score(certain['edema_true'] == 3, certain['edema']):.3f}"


def test_predictions_written_in_place_change_the_page_at_once_and_in_new_sessions(own_small_demo, page):
    asked = {"model": FIRST, "label": "edema"}
    app = page("evaluate", **asked)
    before = auc_of(own_small_demo)
    assert metrics(app)["ROC AUC"] == before
    write_in_place(own_small_demo / f"sources/demo/predictions/{FIRST}_predictions.parquet", noise)
    after = auc_of(own_small_demo)
    assert after != before
    assert metrics(app.run())["ROC AUC"] == after
    assert metrics(page("evaluate", **asked))["ROC AUC"] == after


def test_labels_written_in_place_change_the_pages_at_once(own_small_demo, page):
    labels, judged = page("labels"), page("evaluate", model=FIRST, label="edema")
    path = own_small_demo / "sources/demo/labels_valid.parquet"
    images = metrics(labels)["Valid images"]
    write_in_place(path, lambda frame: frame.assign(edema=frame["edema"].sample(frac=1, random_state=1).to_numpy()))
    assert metrics(judged.run())["ROC AUC"] == auc_of(own_small_demo)
    write_in_place(path, lambda frame: frame[10:])
    assert metrics(labels.run())["Valid images"] != images


def test_a_new_table_of_another_model_leaves_what_was_computed(own_small_demo, page):
    app = page("evaluate", model=FIRST, label="edema")
    kept = ANSWERS.bytes
    write_in_place(own_small_demo / "sources/demo/predictions/densenet_lateral_u0_0__w0_0_predictions.parquet", noise)
    app.run()
    assert ANSWERS.bytes - kept < kept / 10


@pytest.mark.parametrize("name", ["labels", "evaluate", "compare"])
def test_pages_with_tables_say_as_of_when(own_small_demo, page, name):
    app = page(name)
    assert "Tables as of " in texts(app)
    for path in (own_small_demo / "sources/demo").rglob("*.parquet"):
        write_in_place(path, lambda frame: frame)
    assert "Tables as of " in texts(app.run())


def test_the_words_say_when_a_table_could_not_be_asked():
    state = SourceState((), None, ())
    assert as_of_words(state) == "Tables as they were found"
    assert "whether 2 of them have changed since could not be asked just now" in as_of_words(
        SourceState((), 1.6e9, ("a", "b"))
    )


def test_a_replaced_table_of_bigquery_changes_the_page_at_its_next_drawing(small_demo, page, tmp_path, monkeypatch):
    folder = small_demo / "sources" / "demo"
    with serve_demo(folder) as server:
        (tmp_path / "cxr.toml").write_text(configuration(server.endpoint, folder))
        monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "20")
        app = page("labels", source=SOURCE)
        before, billed = metrics(app)["Train images"], len(server.billed())
        asked = len(server.requests)
        app.run()
        assert (metrics(app)["Train images"], len(server.billed())) == (before, billed)
        looks = [request for request in server.requests[asked:] if "/tables/" in request]
        assert len(looks) == len(set(looks))
        name = f"{DATASET}.labels_train"
        server.add(name, server.tables[name].rows.slice(7))
        assert metrics(app.run())["Train images"] != before
        assert len(server.billed()) > billed
