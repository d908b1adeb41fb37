"""The same Start button on a cluster: a real Slurm and, with `--whole`, a real Ray, in a real Chromium."""

import os
import re
import signal

import pytest
from described_places import describe_cluster
from playwright.sync_api import expect
from processes_of_runs import steps_there
from ray_head import running_ray
from served_dashboard import at_rest, type_in, wait_for
from slurm_cluster import running_slurm
from trained_weights import losses, same_weights

from cxr_core.runs import service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SMALL = {"image-size": "32", "batch-size": "8", "seed": "5"}
EPOCHS = 6


@pytest.fixture(scope="module")
def offline():
    """On the machine's own network: Slurm resolves no name, not even 127.0.0.1, where there is nothing but loopback."""
    return False


@pytest.fixture
def on_slurm(tmp_path_factory, tmp_path, monkeypatch):
    with running_slurm(tmp_path_factory.mktemp("slurm")) as slurm:
        monkeypatch.setenv("SLURM_CONF", str(slurm.configuration))
        describe_cluster(tmp_path, kind='"slurm"')
        yield


@pytest.fixture
def on_ray(tmp_path):
    with running_ray() as head:
        describe_cluster(tmp_path, kind='"ray"', address=f'"{head.address}"')
        yield


@pytest.fixture(params=["on_slurm", "on_ray"])
def cluster(request):
    if request.param != "on_slurm" and not request.config.getoption("--whole"):
        pytest.skip("the same again elsewhere takes a minute: pytest --whole, as `make prove` does")
    return request.getfixturevalue(request.param)


def test_a_training_is_started_there_stopped_resumed_and_completed(page, dashboard, own_small_demo, cluster, cxr):
    """The step is held while it is looked at and told to stop, so that it cannot be through before."""
    dashboard.start()
    page.goto(f"{dashboard.url}/sources")
    page.get_by_role("button", name="Ask whether they are ready").click()
    expect(page.get_by_text("Ready: it answers, has this version")).to_be_visible(timeout=60_000)

    page.goto(f"{dashboard.url}/train?" + "&".join(f"train-{name}={text}" for name, text in SMALL.items()))
    page.get_by_role("radio", name="cluster").click()
    page.wait_for_url(re.compile("train-place=cluster"))
    expect(page.get_by_text("it works at cluster, whose memory and accelerators are not known here")).to_be_visible()
    type_in(page.get_by_role("spinbutton", name="Epochs"), str(EPOCHS), "train-epochs")
    at_rest(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"/runs\?.*run="))
    run = re.search(r"run=([\w-]+)", page.url)[1]
    assert service.get(run).place == "cluster"

    wait_for(lambda: losses(run), 150, "losses come while it works")
    (step,) = steps_there(run)
    os.kill(step, signal.SIGSTOP)
    expect(page.get_by_text("at cluster").first).to_be_visible()
    shown = page.get_by_test_id("stMetric").filter(has=page.get_by_text("Training loss", exact=True))
    expect(shown.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"\d\.\d+"), timeout=60_000)
    assert service.get(run).status == "running"
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("button", name="Cancel it now").click()
    wait_for(lambda: service.get(run).cancel_requested, 30, "it is told to stop")
    os.kill(step, signal.SIGCONT)
    expect(page.get_by_text("Cancelled by the user.")).to_be_visible(timeout=90_000)
    before = losses(run)

    page.get_by_role("button", name="Resume run").click()
    wait_for(lambda: len(losses(run)) > len(before), 150, "the resumed run goes on")
    done = service.wait(run, timeout=400)
    assert (done.status, done.leg) == ("completed", 2), done.reason
    expect(page.get_by_role("button", name="Predict", exact=True)).to_be_visible(timeout=60_000)

    here = [f"--{name}={text}" for name, text in SMALL.items()]
    assert cxr("train", "--name", "here", f"--epochs={EPOCHS}", *here).returncode == 0
    (alone,) = [one for one in service.list_runs() if one.name == "here"]
    assert 0 < len(before) < len(losses(alone.run))
    assert losses(run) == losses(alone.run)
    assert same_weights(own_small_demo, "here", done.name)
