"""Markup in names, notes, cells, errors and links is shown as text, and the browser fetches nothing for it."""

import http.server
import threading
from urllib.parse import quote, urljoin

import pandas as pd
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect
from served_dashboard import wait_in_page

from cxr_core.runs import service
from cxr_core.runs.store import RunStore
from cxr_core.warehouse.parquet import read_metadata, write_table

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

MODEL = "www.models.example"
PAGES = ("", "train", "runs", "evaluate", "compare", "images", "sources")


@pytest.fixture
def foreign(offline):
    """Another server of this machine, and what it was asked for."""
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def markup(at, what):
    """A text that would fetch a picture, or show a link, a formula, an icon or a colour if it were read as markup."""
    return (
        f'![i]({at}/{what}) <img src="{at}/{what}-html"> [a]({at}/{what}-link) {at}/{what}-bare '
        f"$x^{{{what}}}$ :material/home: :red[{what}] **{what}** <script>fetch('{at}/{what}-script')</script>"
    )


def write_hostile_things(home, at, monkeypatch):
    """A run, a model, a group of images and a file of labels whose every text is markup."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    store = RunStore(home)
    for status in ("failed", "completed"):
        options = {"epochs": 2, "records": markup(at, "option")}
        run = service.submit("train", f"[{MODEL}]({at}/name)", "demo", {"options": options}, "cpu", resumable=True)
        store.start(run.run)
        store.end(run.run, status, markup(at, "reason"), run.supervisor)
        (store.run_folder(run.run) / "log.txt").write_text(markup(at, "log"))
        service.set_notes(run.run, markup(at, "notes"))
        service.set_tags(run.run, [f"![t]({at}/t)"])
    predictions = home / "sources" / "demo" / "predictions"
    table = next(predictions.glob("densenet_frontal*.parquet"))
    told = read_metadata(table).model | {"policy": markup(at, "policy"), "u": None, "w": None, "run": None}
    write_table(predictions / f"{MODEL}_predictions.parquet", pq.read_table(table).to_pandas(), "logit", told)
    labels = home / "sources" / "demo" / "labels_valid.parquet"
    frame = pq.read_table(labels).to_pandas()
    labels.unlink()
    write_table(labels, frame.assign(sex=[markup(at, f"group{n % 2}") for n in range(len(frame))]))


def hostile_csv(folder, at):
    name = "![n](x).csv"
    columns = {
        "Path": ["valid/patient1/study1/view1_frontal.jpg"],
        "Edema": [markup(at, "cell")],
        markup(at, "column"): ["1"],
    }
    pd.DataFrame(columns).to_csv(folder / name, index=False)
    return folder / name


def test_markup_anywhere_is_text_and_nothing_is_fetched(page, dashboard, own_demo, tmp_path, monkeypatch, foreign):
    at, asked = foreign
    write_hostile_things(own_demo, at, monkeypatch)
    dashboard.start()
    for name in PAGES:
        look_at(page, f"{dashboard.url}/{name}", at)
    sources_import(page, tmp_path, at)
    in_every_parameter = "&".join(f"{key}={quote(markup(at, key))}" for key in PARAMETERS)
    for name in PAGES:
        look_at(page, f"{dashboard.url}/{name}?{in_every_parameter}", at)
    look_at(page, f"{dashboard.url}/evaluate?model={MODEL}&label=edema&point-tab=groups&dataset=valid", at)
    look_at(page, f"{dashboard.url}/compare", at)
    for tab in ("Configuration", "Notes", "Log", "Files"):
        look_at(page, f"{dashboard.url}/runs?run-tab={tab}", at)
    assert asked == []
    assert [url for url in page.asked if url.startswith(at)] == []


PARAMETERS = ("train-records", "train-init-from", "train-name", "train-save-to", "train-tensorboard", "source", "model",
              "label", "run", "search", "tag", "nonsense")  # fmt: skip


def look_at(page, url, at):
    """Open a page, wait until it is drawn, and see that no text on it became anything else."""
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settle(page)
    nothing_of(page, at, url)


def settle(page):
    wait_in_page(
        page, "() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')", timeout=60_000
    )


def nothing_of(page, at, where):
    # a link within the page carries the page's own address, with what was asked of it
    links = page.eval_on_selector_all(
        "a[href]:not([href^='#']), img[src]", "found => found.map(one => one.href || one.src)"
    )
    # our own links to images name models and sources in their query
    foreign = [link for link in links if not link.startswith(urljoin(page.url, "/images?"))]
    assert [link for link in foreign if at in link or "models.example" in link] == [], where


def sources_import(page, folder, at):
    page.get_by_role("textbox", name="Source").first.fill("mine")
    page.locator("input[type=file]").first.set_input_files(hostile_csv(folder, at))
    expect(page.get_by_text("1 rows, 3 columns").or_(page.get_by_text("1 row, 3 columns"))).to_be_visible()
    settle(page)
    nothing_of(page, at, "the preview")
    page.get_by_role("button", name="Import labels").click()
    expect(page.get_by_role("alert").filter(has_text="Edema")).to_be_visible()
    nothing_of(page, at, "the error")
