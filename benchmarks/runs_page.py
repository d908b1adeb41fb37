"""How long a run's page takes to open with 200 and with 200,000 metric rows, in a real Chromium.

Each round starts the dashboard anew, so that nothing of the two runs is in its memory, opens the page of a third run,
so that no round pays for imports, and then opens both pages, the order changing with the round: in a new browser
profile, from the address to the last chart drawn. Then both once more: the second time nothing is parsed again. The
figures and charts that are shown come from all rows.

    python benchmarks/runs_page.py [--rounds 7] [--rows 200000]

The median of the rounds with 200,000 rows must be under twice that with 200.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from measured import keep
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from served_dashboard import Dashboard

SHORT, STEPS_PER_EPOCH = 200, 100
MOST_RATIO = 2.0
CHARTS = 3
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cxr-runs-page-") as folder:
        os.environ["CXR_HOME"] = str(Path(folder) / "workspace")
        runs = {"warm-up": made_run("warm-up", SHORT), "short": made_run("short", SHORT)}
        runs["long"] = made_run("long", arguments.rows)
        seconds = measured_rounds(Path(folder), runs, arguments.rounds)
    medians = {name: round(median(values), 3) for name, values in seconds.items()}
    first, again = medians["long first"] / medians["short first"], medians["long again"] / medians["short again"]
    result: dict[str, Any] = {"rows": {"short": SHORT, "long": arguments.rows}, "rounds": arguments.rounds}
    result |= {"median_seconds": medians, "ratio_first": round(first, 3), "ratio_again": round(again, 3)}
    result |= {"must_be_under": MOST_RATIO, "holds": max(first, again) < MOST_RATIO, "seconds": seconds}
    path = keep("runs_page", result)
    print(json.dumps(result | {"seconds": "in the file"}, indent=1), f"\nkept in {path}")
    sys.exit(0 if result["holds"] else 1)


def made_run(name: str, rows: int) -> str:
    """Leave a training run as its process would and return its ID."""
    from cxr_core.runs import service
    from cxr_core.runs.store import RunStore
    from cxr_core.settings import settings

    service._launch = lambda store, run: run
    options = {"epochs": max(1, rows // STEPS_PER_EPOCH), "name": name}
    config = {"options": options, "steps_per_epoch": STEPS_PER_EPOCH}
    run = service.submit("train", name, "demo", config, "cpu", resumable=True)
    store = RunStore(settings().home)
    store.start(run.run)
    with (store.run_folder(run.run) / "metrics.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in metric_rows(rows))
    store.end(run.run, "cancelled", "Made for a measurement.", run.supervisor)
    return run.run


def metric_rows(rows: int) -> Iterator[dict[str, Any]]:
    """Yield as many rows as training writes: one a step, and a validation after each epoch."""
    written = step = 0
    while written < rows:
        step += 1
        epoch, now = 1 + (step - 1) // STEPS_PER_EPOCH, round(1.7e9 + 0.6 * step, 3)
        loss = 0.3 + 0.4 / (1 + step / 1000) + 0.05 * ((step * 7919) % 101 / 101 - 0.5)
        place = {"step": step, "epoch": epoch, "time": now}
        yield place | {"loss": loss, "images_per_second": 140.0 + step % 13, "data_wait": 0.02}
        written += 1
        if step % STEPS_PER_EPOCH == 0 and written < rows:
            auc = 0.85 - 0.2 / (1 + epoch / 5)
            figures = {"val_loss": loss + 0.05, "val_loss_certain": loss, "val_auc": auc, "val_auc_labels": [auc] * 14}
            yield place | figures
            written += 1


def measured_rounds(folder: Path, runs: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each opening: short and long, first and again."""
    seconds: dict[str, list[float]] = {}
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for number in range(rounds):
            dashboard = Dashboard(folder)
            try:
                dashboard.start()
                opened(browser, dashboard, runs["warm-up"])
                order = ["short", "long"] if number % 2 == 0 else ["long", "short"]
                for when in ("first", "again"):
                    for name in order:
                        took = opened(browser, dashboard, runs[name])
                        seconds.setdefault(f"{name} {when}", []).append(round(took, 3))
            finally:
                dashboard.kill()
            print(f"round {number + 1} of {rounds}", {name: values[-1] for name, values in seconds.items()}, flush=True)
        browser.close()
    return seconds


def opened(browser: Browser, dashboard: Dashboard, run: str) -> float:
    """Return the seconds from the address to the last chart drawn, in a new profile."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(90_000)
    began = time.perf_counter()
    page.goto(f"{dashboard.url}/runs?run={run}")
    marks = '[data-testid="stVegaLiteChart"] svg.marks, [data-testid="stVegaLiteChart"] canvas.marks'
    page.wait_for_function("([marks, n]) => document.querySelectorAll(marks).length >= n", arg=[marks, CHARTS])
    took = time.perf_counter() - began
    context.close()
    return took


if __name__ == "__main__":
    main()
