"""Readers from their file to the verdict on a model: upload, meaning, policy, run, and the run by three judges."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect
from served_dashboard import type_in

from cxr_core.schema import LABELS
from cxr_core.tasks.meaning import meaning

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

JUDGES = {"report": "Report", "truth": "Truth", "doctors": "Readers: doctors"}


def write_readings(home, folder):
    """Write what two readers say of the valid and test images: the truth, with errors of their own."""
    demo = home / "sources" / "demo"
    truth = pd.read_parquet(demo / "truth.parquet").set_index("path")
    paths = pd.concat(pd.read_parquet(demo / f"labels_{name}.parquet", columns=["path"]) for name in ("valid", "test"))
    random = np.random.default_rng(5)
    for reader in ("ann", "bob"):
        wrong = random.random((len(paths), len(LABELS))) < 0.1
        said = truth.loc[paths["path"], list(LABELS)].to_numpy() ^ wrong
        pd.DataFrame(said, columns=list(LABELS)).assign(Path=paths["path"].tolist()).to_csv(
            folder / f"{reader}.csv", index=False
        )
    return [folder / "ann.csv", folder / "bob.csv"]


def test_a_file_of_readings_becomes_a_policy_a_run_and_a_judge(page, dashboard, own_demo, cxr, tmp_path):
    files = write_readings(own_demo, tmp_path)
    dashboard.start()
    page.goto(f"{dashboard.url}/sources")
    page.get_by_role("tab", name="Readings").click()
    form = page.get_by_role("tabpanel", name="Readings")
    form.locator("input[type=file]").set_input_files(files)
    form.get_by_role("textbox", name="Set").fill("doctors")
    page.get_by_role("button", name="Import readings").click()
    expect(page.get_by_text(re.compile("readings by 2 readers into the set doctors"))).to_be_visible()

    told = json.loads(cxr("meaning", "--set", "doctors", "--view", "frontal", "--json").stdout)
    sure = {label: values["uncertain"]["share_ci"] or [-1] for label, values in told["labels"].items()}
    most = max(sure, key=lambda label: sure[label][0])
    page.goto(f"{dashboard.url}/?labels-tab=What they mean&readings=doctors")
    heading = page.get_by_role("heading", name=re.compile("Of the uncertain"))
    expect(heading).to_contain_text(f"are {most.replace('_', ' ')}")
    page.get_by_role("button", name="Train with it").click()
    page.wait_for_url(re.compile(r"/train\b"))  # Labels has a choice of views, too
    expect(page.get_by_role("spinbutton", name="Epochs")).to_be_visible()

    page.get_by_role("radio", name="Lateral").click()
    page.wait_for_url(re.compile("train-view=Lateral"))  # the form is drawn anew; two stand there meanwhile
    type_in(page.get_by_role("spinbutton", name="Epochs"), "1", "train-epochs")
    type_in(page.get_by_role("textbox", name="Model name"), "read", "train-name")
    size = page.get_by_role("combobox", name="Image size (pixels)")  # how good the model becomes is of no matter here
    type_in(size, "32", "train-image-size")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"/runs\?.*run="))
    run = own_demo / "runs" / re.search(r"run=([\w-]+)", page.url)[1]
    policy = json.loads((run / "config.json").read_text())["options"]["policy"]
    assert policy["w"] == [0.75] * 14
    given = meaning("demo", "doctors", None, "frontal").policy(0.75, "given")
    assert policy["u"] == pytest.approx(given.u, abs=1e-3)

    page.get_by_role("button", name="Predict").click(timeout=180_000)
    page.get_by_role("button", name="Evaluate read").click(timeout=120_000)
    for judge, words in JUDGES.items():
        page.get_by_role("radio", name=words, exact=True).click()
        figures = json.loads(cxr("evaluate", "read", "--judge", judge, "--json").stdout)["labels"]["edema"]
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Edema: AUC {figures['roc_auc']:.3f}")
    page.reload()
    expect(page.get_by_text("Judged by: Readers: doctors")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Edema: AUC {figures['roc_auc']:.3f}")
    under, readers = sum(reader["under_roc"] for reader in figures["readers"]), len(figures["readers"])
    expect(page.get_by_text(f"{under} of {readers} readers lie under the ROC curve")).to_be_visible()
