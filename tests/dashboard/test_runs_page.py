"""The Runs page: what a person reads of runs, and that a run of days opens as fast as one of minutes."""

import json

import pytest

from cxr_core.runs import columns, service
from cxr_core.runs.store import RunStore

LARGEST_CHART = 100_000  # bytes that one chart may send to the browser


@pytest.fixture
def submitted(own_small_demo, monkeypatch):
    """Add a training run as its process would leave it."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)

    def submit(name="mine", status="completed", rows=(), options=None, kind="train", **more):
        config = {"options": {"epochs": 2} | (options or {}), "steps_per_epoch": 100}
        run = service.submit(kind, name, "demo", config, "cpu", resumable=True, **more)
        store = RunStore(own_small_demo)
        store.start(run.run)
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (store.run_folder(run.run) / "metrics.jsonl").write_text(content)
        if status != "running":
            store.end(run.run, status, None, run.supervisor)
        return run

    return submit


def rows(n):
    """A row each step, and a validation each hundred."""
    for step in range(1, n + 1):
        row = {"step": step, "epoch": 1 + step // 100, "time": 1e9 + step, "loss": 1 / step, "images_per_second": 50.0}
        yield row
        if step % 100 == 0:
            figures = {"val_loss": 0.5 + 1 / step, "val_loss_certain": 0.4, "val_auc": 0.6 + (step == 300) / 10}
            yield {"step": step, "epoch": step // 100, "time": 1e9 + step} | figures


def charts(app):
    return app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")


def test_200000_rows_are_parsed_once_and_each_chart_stays_small(submitted, page, monkeypatch):
    parsed = []
    real = columns.parse_columns
    monkeypatch.setattr(columns, "parse_columns", lambda content: parsed.append(len(content)) or real(content))
    run = submitted(rows=rows(200_000))
    size = (service.folder_of(run.run) / "metrics.jsonl").stat().st_size
    app = page("runs", run=run.run)
    app.run()
    assert parsed == [size], "a second look parses nothing"
    assert {metric.label: metric.value for metric in app.metric}["Best validation AUC"] == "0.700 (epoch 3)"
    assert len(charts(app)) == 3
    assert max(len(chart.proto.SerializeToString()) for chart in charts(app)) < LARGEST_CHART
    assert len(app.table[1].value) == 11, "the best and the last ten validations"
