"""The same Start button on a cluster: a real Slurm, in a real Chromium."""

import json
import re

import pytest
from described_places import describe_cluster
from playwright.sync_api import expect
from served_dashboard import at_rest, type_in, wait_for
from slurm_cluster import SlurmCluster, why_not

from cxr_core.runs import service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def offline():
    """On the machine's own network: Slurm resolves no name, not even 127.0.0.1, where there is nothing but loopback."""
    return False


@pytest.fixture
def cluster(tmp_path_factory, tmp_path, monkeypatch):
    if reason := why_not():
        pytest.skip(reason)
    slurm = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    monkeypatch.setenv("SLURM_CONF", str(slurm.configuration))
    describe_cluster(tmp_path, kind='"slurm"')
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


def losses(run):
    return [row for row in service.read_metrics(run) if "loss" in row]


def test_a_training_is_started_there_stopped_resumed_and_completed(page, dashboard, own_small_demo, cluster):
    dashboard.start()
    page.goto(f"{dashboard.url}/sources")
    page.get_by_role("button", name="Ask whether they are ready").click()
    expect(page.get_by_text("Ready: it answers, has this version")).to_be_visible()

    page.goto(f"{dashboard.url}/train")
    page.get_by_role("radio", name="cluster").click()
    page.wait_for_url(re.compile("train-place=cluster"))
    expect(page.get_by_text("it works at cluster, whose memory and accelerators are not known here")).to_be_visible()
    type_in(page.get_by_role("spinbutton", name="Epochs"), "15", "train-epochs")
    at_rest(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"/runs\?.*run="))
    run = re.search(r"run=([\w-]+)", page.url)[1]
    assert service.get(run).place == "cluster"

    expect(page.get_by_text("at cluster").first).to_be_visible()
    shown = page.get_by_test_id("stMetric").filter(has=page.get_by_text("Training loss", exact=True))
    expect(shown.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"\d\.\d+"), timeout=150_000)
    assert service.get(run).status == "running"

    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("button", name="Cancel it now").click()
    expect(page.get_by_text("Cancelled by the user.")).to_be_visible(timeout=90_000)
    before = len(losses(run))
    assert 0 < before < 15 * json.loads((own_small_demo / "runs" / run / "config.json").read_text())["steps_per_epoch"]

    page.get_by_role("button", name="Resume run").click()
    wait_for(lambda: len(losses(run)) > before, 150, "the resumed run goes on")
    done = service.wait(run, timeout=400)
    assert (done.status, done.leg) == ("completed", 2), done.reason
    assert [row["step"] for row in losses(run)] == sorted({row["step"] for row in losses(run)})
    expect(page.get_by_role("button", name="Predict")).to_be_visible(timeout=60_000)
