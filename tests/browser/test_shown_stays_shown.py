"""What is shown stays what is shown, and every button acts on it: while runs end, models vanish, sources are renamed."""

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest, wait_for

from cxr_core.runs import service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FAKE_KINDS = Path(__file__).parents[1] / "runs" / "fake_kinds"


@pytest.fixture
def quick_runs(own_demo, monkeypatch):
    """Runs that work until they are told to finish, in the processes of this test; none of them stays behind."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE_KINDS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CXR_HEARTBEAT", "0.2")
    monkeypatch.setenv("CXR_CANCEL_GRACE", "1")
    yield own_demo
    for run in service.list_runs():
        if run.is_active:
            service.cancel(run.run)
            service.wait(run.run, timeout=20)


def started(name):
    return service.submit("until-told", name, "demo", {}, resumable=True)


def finish(run):
    (service.folder_of(run.run) / "finish").touch()
    service.wait(run.run, timeout=30)


def shown(page, run):
    """Wait until the page shows a run, in its heading and in its address."""
    expect(page.get_by_role("heading", level=2, name=f"Until-told: {run.name}")).to_be_visible()
    page.wait_for_url(re.compile(rf"[?&]run={run.run}\b"))


def press(page, name):
    page.get_by_role("button", name=name).click()


def test_the_shown_run_ends_by_itself_and_every_button_still_acts_on_it(page, dashboard, quick_runs, cxr_process):
    first, stopped, newest = started("first"), started("stopped"), started("newest")
    dashboard.start()
    page.goto(f"{dashboard.url}/runs?run={first.run}")
    shown(page, first)
    expect(page.get_by_role("button", name="Cancel run")).to_be_visible()
    finish(first)
    expect(page.get_by_role("button", name="Delete run")).to_be_visible()
    shown(page, first)
    press(page, "Delete run")
    expect(page.get_by_role("dialog")).to_contain_text(first.run)
    press(page, "Delete for good")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert {run.run for run in service.list_runs()} == {stopped.run, newest.run}

    page.goto(f"{dashboard.url}/runs?run={stopped.run}")
    shown(page, stopped)
    assert cxr_process("runs", "cancel", stopped.run).returncode == 0
    expect(page.get_by_role("button", name="Resume run")).to_be_visible()
    shown(page, stopped)
    press(page, "Resume run")
    expect(page.get_by_role("button", name="Cancel run")).to_be_visible()
    shown(page, stopped)
    assert service.get(stopped.run).is_active
    press(page, "Cancel run")
    press(page, "Cancel it now")
    expect(page.get_by_role("button", name="Resume run")).to_be_visible()
    shown(page, stopped)
    assert service.get(newest.run).is_active

    page.get_by_role("tab", name="Notes").click()
    page.get_by_role("textbox", name="Notes").fill("stopped on purpose")
    press(page, "Save notes and tags")
    wait_for(lambda: service.get(stopped.run).notes == "stopped on purpose", 30, "the notes are kept with the run")
    assert service.get(newest.run).notes == ""
    shown(page, stopped)


def test_a_run_that_is_deleted_elsewhere_is_named_and_no_other_one_takes_its_place(
    page, dashboard, quick_runs, cxr_process
):
    gone, newest = started("gone"), started("newest")
    finish(gone)
    dashboard.start()
    page.goto(f"{dashboard.url}/runs?run={gone.run}")
    shown(page, gone)
    assert cxr_process("runs", "delete", gone.run).returncode == 0
    press(page, "Delete run")
    expect(page.get_by_text(f"There is no run '{gone.run}'").first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel run")).to_have_count(0)
    assert [run.run for run in service.list_runs()] == [newest.run]


def of_data_set(page, words):
    """The choice of the data set that is judged; the cut has one of its own."""
    at_rest(page)  # while a page is drawn anew, the old choice stands beside the new one
    return page.get_by_role("radiogroup", name="Data set").get_by_role("radio", name=words)


def test_a_model_that_is_deleted_while_it_is_shown_is_named_and_no_other_one_takes_its_place(page, dashboard, own_demo):
    model = "densenet_frontal_u1_0__w1_0"
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate?model={model}&label=fracture&dataset=test")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fracture: AUC")
    expect(page.get_by_text(model).first).to_be_visible()
    (own_demo / "sources" / "demo" / "predictions" / f"{model}_predictions.parquet").unlink()
    of_data_set(page, "Valid").click()
    expect(page.get_by_text(f"There is no model '{model}'").first).to_be_visible()
    assert f"model={model}" in page.url
    expect(page.locator(".js-plotly-plot")).to_have_count(0)


def test_a_source_that_is_renamed_while_it_is_shown_is_named_and_no_other_one_takes_its_place(
    page, dashboard, own_demo
):
    sources = own_demo / "sources"
    mine = sources / "mine"
    mine.mkdir()
    shutil.copy(sources / "demo" / "labels_valid.parquet", mine / "labels.parquet")
    (mine / "source.toml").write_text('kind = "local"\n')
    dashboard.start()
    page.goto(f"{dashboard.url}/?source=mine")
    expect(page.get_by_text("Source: mine")).to_be_visible()
    mine.rename(sources / "ours")
    page.get_by_role("radio", name="Lateral").click()
    expect(page.get_by_text("Unknown source 'mine'").first).to_be_visible()
    expect(page.get_by_text("Source: demo")).to_have_count(0)
    assert "source=mine" in page.url


def test_back_undoes_the_last_choice_of_label_model_and_tab(page, dashboard, own_demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate?label=fracture&dataset=test")
    heading = page.get_by_role("heading", level=1)
    expect(heading.filter(has_text="Fracture")).to_be_visible()
    expect(of_data_set(page, "Test")).to_be_checked()

    page.get_by_role("combobox", name="Label").click()
    page.get_by_role("option", name="Pleural effusion").click()
    expect(heading.filter(has_text="Pleural effusion")).to_be_visible()
    page.wait_for_url(re.compile("label=pleural_effusion"))
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="densenet_lateral_u0_0__w0_0").click()
    page.wait_for_url(re.compile("model=densenet_lateral_u0_0__w0_0"))

    page.go_back()
    expect(page.get_by_text("densenet_frontal_u0_0__w0_0").first).to_be_visible()
    expect(heading.filter(has_text="Pleural effusion")).to_be_visible()
    assert "model=" not in page.url
    page.go_back()
    expect(heading.filter(has_text="Fracture")).to_be_visible()
    expect(of_data_set(page, "Test")).to_be_checked()
    page.go_forward()
    expect(heading.filter(has_text="Pleural effusion")).to_be_visible()

    page.goto(f"{dashboard.url}/")
    expect(page.get_by_role("tab", name="Table")).to_be_visible()
    page.get_by_role("tab", name="SQL and cost").click()
    page.wait_for_url(re.compile("labels-tab="))
    page.go_back()
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")


def test_back_leads_to_where_one_was_in_one_step(page, dashboard, own_demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/compare?dataset=test")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{dashboard.url}/runs?source=demo")
    page.wait_for_url(re.compile("/runs$"))  # the page itself leaves out what goes without saying
    page.get_by_role("button", name="Train a model").click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Train a model")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/compare"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
