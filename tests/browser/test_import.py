"""Own data without a command line: upload labels and predictions on Sources, read the AUC on Evaluate."""

import numpy as np
import pandas as pd
import psutil
import pytest
from huge_files import newlines
from playwright.sync_api import expect
from served_dashboard import at_rest, wait_in_page
from sklearn.metrics import roc_auc_score

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]


def made_up_files(folder):
    """A CheXpert `valid.csv`, and the predictions of somebody's model for it."""
    rng = np.random.default_rng(0)
    edema = rng.choice([np.nan, 0.0, -1.0, 1.0], 300)
    paths = [f"CheXpert-v1.0/valid/patient{number:05d}/study1/view1_frontal.jpg" for number in range(1, 301)]
    labels = pd.DataFrame({"Path": paths, "Frontal/Lateral": "Frontal", "Edema": edema, "Fracture": edema[::-1]})
    labels.to_csv(folder / "valid.csv", index=False)
    scores = rng.normal(size=300) + 1.5 * (edema == 1.0)
    pd.DataFrame({"Edema": scores, "Path": paths}).to_csv(folder / "theirs.csv", index=False)
    certain = edema != -1.0
    return roc_auc_score(edema[certain] == 1.0, scores[certain])


def choose_labels(page, dashboard, file):
    page.goto(f"{dashboard.url}/sources")
    page.get_by_role("textbox", name="Source").fill("mine")
    page.locator("input[type=file]").set_input_files(file)


def choose_predictions(page, file):
    page.get_by_role("tab", name="Predictions").click()
    form = page.get_by_role("tabpanel", name="Predictions")
    at_rest(page)  # a list that is open while the page is drawn anew is closed
    form.get_by_role("combobox", name="Source").click()
    page.get_by_role("option", name="mine").click()
    form.locator("input[type=file]").set_input_files(file)
    form.get_by_role("textbox", name="Model").fill("theirs")
    return form


def test_labels_and_predictions_are_uploaded_and_the_auc_is_read(page, dashboard, own_demo, tmp_path):
    auc = made_up_files(tmp_path)
    dashboard.start()
    choose_labels(page, dashboard, tmp_path / "valid.csv")
    expect(page.get_by_text("300 rows, 4 columns, 2 of 14 findings recognised")).to_be_visible()
    page.get_by_role("button", name="Import labels").click()
    expect(page.get_by_text("Imported 300 rows of labels into mine.")).to_be_visible()

    choose_predictions(page, tmp_path / "theirs.csv")
    page.get_by_role("button", name="Import predictions").click()
    expect(page.get_by_text("Imported 300 predictions of theirs (logit).")).to_be_visible()

    page.get_by_role("button", name="Evaluate theirs").click()
    expect(page.get_by_text(f"{auc:.3f}").first).to_be_visible()


def test_an_unknown_file_is_mapped_from_its_upload_to_evaluate(page, dashboard, own_demo, tmp_path):
    rng = np.random.default_rng(1)
    words, names = rng.choice(["ja", "nein"], 300), [f"IM{number:04d}" for number in range(300)]
    labels = pd.DataFrame({"Bild": names, "Person": range(1, 301), "Projektion": "pa", "Stauung": words})
    labels.to_csv(tmp_path / "valid.csv", index=False, sep=";")
    scores = rng.normal(size=300) + (words == "ja")
    pd.DataFrame({"Bild": names, "Stauung": scores}).to_csv(tmp_path / "p.csv", index=False, sep=";", decimal=",")
    dashboard.start()
    choose_labels(page, dashboard, tmp_path / "valid.csv")
    expect(page.get_by_text("300 rows, 4 columns, 0 of 14 findings recognised")).to_be_visible()
    page.get_by_text("Which column is which").click()
    for row, words_of in enumerate(("Path of the image", "Patient", "View", "Edema")):
        choose(page, "import-labels-columns", row, 2, words_of)
    page.get_by_text("What the cells mean").click()
    for row, word in enumerate(labels["Stauung"].drop_duplicates()):
        choose(page, "import-labels-values", row, 1, "Positive" if word == "ja" else "Negative")
    expect(page.get_by_text("Of the first 300 rows; nothing is written yet.")).to_be_visible()
    page.get_by_role("button", name="Import labels").click()
    expect(page.get_by_text("Imported 300 rows of labels into mine.")).to_be_visible()

    form = choose_predictions(page, tmp_path / "p.csv")
    form.get_by_text("Which column is which").click()
    for row, words_of in enumerate(("Path of the image", "Edema")):
        choose(page, "import-predictions-columns", row, 2, words_of)
    page.get_by_role("button", name="Import predictions").click()
    expect(page.get_by_text("Imported 300 predictions of theirs (logit).")).to_be_visible()
    page.get_by_role("button", name="Evaluate theirs").click()
    auc = roc_auc_score(labels["Stauung"] == "ja", scores)
    expect(page.get_by_text(f"{auc:.3f}").first).to_be_visible()


def choose(page, key, row, column, words):
    """Choose the words in a cell of an editor, which is a canvas: by keyboard, from its first cell."""
    # the canvas itself lies below what scrolls
    page.locator(f"[class*='st-key-{key}'] .dvn-scroller").click(position={"x": 60, "y": 35 + 18})
    for _ in range(row):
        page.keyboard.press("ArrowDown")
    for _ in range(column):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_in_page(page, "document.activeElement.tagName === 'INPUT'")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    # the editor itself waits a moment before it tells the server
    page.wait_for_timeout(300)
    at_rest(page)


def test_a_small_file_that_is_huge_is_refused_on_the_page_and_takes_none_of_its_memory(
    page, dashboard, own_demo, tmp_path
):
    dashboard.start()
    page.goto(f"{dashboard.url}/sources")
    page.get_by_role("textbox", name="Source").fill("mine")
    before = psutil.Process(dashboard.process.pid).memory_info().rss
    # a row of a table, then 1 GB of line breaks in 1 MB
    page.locator("input[type=file]").set_input_files(newlines(tmp_path))
    page.get_by_role("button", name="Import labels").click()
    expect(
        page.get_by_text("newlines.csv.gz has more than 5,000,000 rows, the most that one import takes.")
    ).to_be_visible()
    grown = psutil.Process(dashboard.process.pid).memory_info().rss - before
    assert grown < 300_000_000, "what pages keep of any look at a file"
    assert not (own_demo / "sources" / "mine").exists()

    page.get_by_role("tab", name="Readings").click()
    form = page.get_by_role("tabpanel", name="Readings")
    paths = pd.read_parquet(own_demo / "sources/demo/labels_valid.parquet", columns=["path"])["path"].head(5)
    pd.DataFrame({"Path": paths, "Edema": [1, 0, 1, 0, 1]}).to_csv(tmp_path / "anna.csv", index=False)
    form.locator("input[type=file]").set_input_files(tmp_path / "anna.csv")
    form.get_by_role("textbox", name="Set").fill("panel")
    page.get_by_role("button", name="Import readings").click()
    expect(page.get_by_text("Imported 5 readings by 1 reader into the set panel.")).to_be_visible()
