"""A researcher's first half hour in a real Chromium: look, train, follow, predict, evaluate, compare, combine."""

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from served_dashboard import COMMAND, type_in, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

PRETRAINED = "densenet_lateral_u0_0__w0_0"


def open_page(page, dashboard, path, **query):
    page.goto(f"{dashboard.url}/{path}?" + "&".join(f"{key}={value}" for key, value in query.items()))
    expect(page.get_by_text("Synthetic demo data")).to_be_visible()
    return page.get_by_role("heading", level=1)


def metric_value(page, label):
    shown = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return shown.get_by_test_id("stMetricValue")


def metric(page, label):
    """The figure on the screen, or ""; while the page is drawn anew the former one may stand there too."""
    return next(reversed(metric_value(page, label).all_inner_texts()), "")


def metric_rows(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def shown_losses(page, run, until):
    """Read the live training loss until `until(values)`; every value must be one of the run's metric rows."""
    values = []

    def look():
        shown = metric(page, "Training loss")
        if shown not in ("", "–", *values[-1:]):
            values.append(shown)
        return until(values)

    wait_for(look, 150, "the Runs page shows losses")
    written = {f"{row['loss']:.4f}" for row in metric_rows(run) if "loss" in row}
    assert set(values) <= written
    return [float(value) for value in values]


def test_from_the_labels_to_an_ensemble(page, browser, dashboard, own_demo, cxr, offline):
    dashboard.command, dashboard.machine = COMMAND, None  # as a person who comes to it for the first time
    dashboard.start()
    heading = open_page(page, dashboard, "")
    expect(heading).to_have_text("Uncertain outnumbers positive in 4 of 14 labels")
    expect(page.get_by_text("Pleural effusion").first).to_be_visible()

    run = start_training(page, dashboard, own_demo)
    before = shown_losses(page, run, lambda values: len(values) >= 1)
    page.locator(".marks").first.evaluate("chart => { chart.stays = true }")
    before += shown_losses(page, run, lambda values: len(set(values) - {f"{before[0]:.4f}"}) >= 1)
    assert page.locator(".marks").first.evaluate("chart => chart.stays"), "the chart is redrawn in place, not anew"
    dashboard.kill()
    assert json.loads(cxr("runs", "show", run.name, "--json").stdout)["status"] == "running"
    dashboard.start()
    open_page(page, dashboard, "runs", run=run.name)
    after = shown_losses(page, run, lambda _: page.get_by_role("button", name="Predict").is_visible())
    trained = metric_rows(run)
    # not the first that was shown: on a busy machine the page may come to it when most of it has fallen
    assert after[-1] < trained[0]["loss"], "the loss falls"
    expect(metric_value(page, "Validation AUC")).to_have_text(f"{trained[-1]['val_auc']:.3f}")
    expect(metric_value(page, "Validation loss")).to_have_text(f"{trained[-1]['val_loss']:.4f}")

    type_in(page.get_by_role("textbox", name="Search"), "tour", "search")
    expect(page.get_by_role("table", name="Runs, newest first").get_by_role("row")).to_have_count(2)

    page.get_by_role("button", name="Predict").click()
    page.get_by_role("button", name="Evaluate tour").click(timeout=120_000)
    figures = evaluated(cxr, "tour")["edema"]
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Edema: AUC {figures['roc_auc']:.3f}")
    titles = page.locator(".js-plotly-plot .gtitle")
    expect(titles).to_have_count(2)
    expect(titles.nth(0)).to_contain_text(f"ROC · AUC {figures['roc_auc']:.3f}")
    expect(titles.nth(1)).to_contain_text(f"AP {figures['average_precision']:.3f}")
    click_on_the_roc_curve(page)
    open_report_offline(page, browser, own_demo, f"AUC {figures['roc_auc']:.3f}")

    open_page(page, dashboard, "compare", **{"models-view": "Lateral"})
    table = page.get_by_role("table").first
    expect(table).to_contain_text("tour")
    expect(table).to_contain_text(PRETRAINED.removeprefix("densenet_lateral_"))  # names as short as tells them apart
    save_ensemble(page)
    page.get_by_role("button", name="Evaluate pair").click()
    figures = evaluated(cxr, "pair")["edema"]
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Edema: AUC {figures['roc_auc']:.3f}")

    expect(open_page(page, dashboard, "sources")).to_contain_text("source")
    assert "tensorflow" not in dashboard.mapped_files()
    hosts = {urlsplit(address).hostname for address in page.asked if not address.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def click_on_the_roc_curve(page):
    """A click on a vertex cuts there, for good: the positives called positive are the vertex's sensitivity."""
    x, y, sensitivity, positives = page.evaluate("""() => {
      const plot = document.querySelector('.js-plotly-plot'), vertices = plot.calcdata[1];
      const vertex = vertices[Math.floor(vertices.length / 2)], place = plot.getBoundingClientRect();
      const axes = plot._fullLayout;
      return [place.left + axes.xaxis._offset + axes.xaxis.c2p(vertex.x),
              place.top + axes.yaxis._offset + axes.yaxis.c2p(vertex.y), vertex.y,
              Number([...document.querySelectorAll('[data-testid=stMetric]')].map((m) => m.innerText)
                .join(' ').match(/([0-9,]+) positive/)[1])];
    }""")
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page.get_by_role("spinbutton", name="Call positive at a logit of at least")).to_be_visible()
    row = page.get_by_role("row", name="Finding present")
    expect(row.get_by_role("cell").nth(1)).to_have_text(str(round(sensitivity * positives)))
    page.wait_for_url(re.compile(r"point-by=Number.*cut=|cut=.*point-by=Number"))
    page.reload()  # whoever is sent the URL sees the same point
    expect(row.get_by_role("cell").nth(1)).to_have_text(str(round(sensitivity * positives)))


def open_report_offline(page, browser, home, said):
    """The report of the page opens without a network and draws its figures."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download report").click()
    file = home / "report.html"
    download.value.save_as(file)
    context = browser.new_context(offline=True)
    report = context.new_page()
    report.goto(file.as_uri())
    expect(report.get_by_role("heading", level=1)).to_contain_text(said)
    expect(report.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    context.close()


def start_training(page, dashboard, home):
    open_page(page, dashboard, "train")
    page.get_by_role("radio", name="Lateral").click()
    page.wait_for_url(re.compile("train-view=Lateral"))  # the form is drawn anew; two stand there meanwhile
    type_in(page.get_by_role("spinbutton", name="Epochs"), "1", "train-epochs")
    type_in(page.get_by_role("textbox", name="Model name"), "tour", "train-name")
    expect(metric_value(page, "N_train")).to_have_text("1,416")
    expect(metric_value(page, "N_valid")).to_have_text("472")
    expect(metric_value(page, "Steps per epoch")).to_have_text("44")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"/runs\?.*run="))
    run = home / "runs" / re.search(r"run=([\w-]+)", page.url)[1]
    options = json.loads((run / "config.json").read_text())["options"]
    policy = options["policy"]
    assert (options["view"], options["accelerator"]) == ("lateral", "cpu")
    assert (policy["u"], policy["w"]) == ([0.4] * 14, [0.75] * 14)
    assert (options["epochs"], options["architecture"], options["name"]) == (1, "densenet-small", "tour")
    return run


def save_ensemble(page):
    page.get_by_role("tab", name="Build an ensemble").click()
    expect(page.get_by_text("The ensemble", exact=True)).to_be_visible()
    name = page.get_by_role("textbox", name="Name of the ensemble")
    type_in(name, "pair")
    page.get_by_role("button", name="Save ensemble").click()
    expect(page.get_by_text("Saved pair with predictions for")).to_be_visible()


def evaluated(cxr, model):
    return json.loads(cxr("evaluate", model, "--json").stdout)["labels"]
