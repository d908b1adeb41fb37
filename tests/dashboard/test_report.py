"""A report is one file that opens offline, carries the page's figures, and shows every name as text."""

import datetime
import html.parser
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.tasks.compare import compare
from cxr_core.tasks.evaluate import evaluate, label_curves
from cxr_core.tasks.grid import model_grid
from cxr_core.tasks.models import models
from cxr_core.tasks.provenance import provenance
from dashboard.evaluate.judged import Judged
from dashboard.reports.document import Report, Section, report_html
from dashboard.reports.of_label import Subject, label_report
from dashboard.reports.of_models import models_report
from dashboard.shared.figure_tables import WHY_MISSING

FIRST, SECOND, LATERAL = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0", "densenet_lateral_u0_0__w0_0"
NOW = datetime.datetime(2026, 11, 24, 12, 30, tzinfo=datetime.UTC)


class Reader(html.parser.HTMLParser):
    """Collects what a browser would fetch, the texts outside scripts and styles, and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data):
        if self.tags and self.tags[-1] not in ("script", "style"):
            self.texts.append(data)

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode())
    return reader


@pytest.fixture
def judged(small_demo):
    entry = next(entry for entry in models("demo") if entry.name == FIRST)
    return Judged(get_source("demo"), entry, "valid", None)


def subject(judged):
    return Subject(judged.source, judged.model, judged.view, judged.choice_note())


def test_the_report_of_a_label_says_its_figures_and_how_they_came_about(judged, page):
    result, curves = evaluate("demo", FIRST), label_curves("demo", FIRST, "pleural_effusion")
    point = curves.operating_point(curves.youden_threshold())
    made = report_html(label_report(subject(judged), result, curves, point, 5.0), NOW)
    said = " ".join(read(made).texts)
    figures = result.labels["pleural_effusion"]
    for wanted in (
        f"Pleural effusion by {FIRST}: AUC {figures.roc_auc:.3f}",
        "ignore (u 0, w 0)",
        f"{figures.n:,} certain images of {figures.n_patients:,} patients",
        f"{point.sensitivity.value:.3f}",
        f"{point.at_prevalence(0.05).ppv.value:.3f}",
        f"{settings().resamples:,} resamples of whole patients (cluster bootstrap, seed 2019)",
        "2026-11-24 12:30 UTC by CXR Lab",
        "Synthetic demo data",
        "Not a medical device",
    ):
        assert wanted in said, wanted
    for one in result.labels.values():
        assert f"{100 * one.prevalence:.1f} %" in said, "a share has one form, in the table of all labels too"
    assert made.count(b"js-plotly-plot") >= 1
    assert len(re.findall(rb"Plotly\.newPlot\(", made)) == 4


def test_the_report_of_models_holds_the_grid_the_curves_and_the_difference(small_demo):
    policies = {entry.name: entry.policy_words() for entry in models("demo")}
    grids = model_grid("demo", [FIRST, SECOND, LATERAL])
    curves = [label_curves("demo", model, "edema") for model in (FIRST, SECOND)]
    report = models_report(grids, policies, True, curves, set(), compare("demo", FIRST, SECOND), None)
    said = " ".join(read(report_html(report, NOW)).texts)
    assert f"{evaluate('demo', FIRST).labels['edema'].roc_auc:.3f}" in said
    assert "each view is a family of its own" in said
    assert "Holm over" in said
    assert f"A is {FIRST}, B is {SECOND}." in said
    assert "*" not in said
    digest = provenance("demo", [FIRST], "valid", None, []).data[FIRST]
    for wanted in (
        digest,
        f"numpy {np.__version__}",
        f"python -m cxr_core compare {FIRST} {SECOND} --grid roc_auc --source demo --dataset valid --json",
        f"python -m cxr_core compare {FIRST} {SECOND} --source demo --dataset valid --json",
        f"python -m cxr_core evaluate {FIRST} --source demo --dataset valid --json",
    ):
        assert wanted in said, wanted


def test_reasons_stand_below_a_table_in_full_width_and_emphasis_is_no_asterisk():
    why = "only 3 patients with a positive label"
    table = pd.DataFrame(
        {"AUC": ["0.800", "–", "–"], WHY_MISSING: ["", why, why]}, index=["*Edema*", "Fracture", "Mass"]
    )
    page = report_html(Report("A", {}, [Section("1", tables=[table.rename_axis("Label")])], False), NOW).decode()
    said = " ".join(read(page.encode()).texts)
    assert f"Fracture, Mass: {why}." in said
    assert WHY_MISSING not in said
    assert "*" not in said


def test_a_report_fetches_nothing_and_carries_plotly_once():
    chart = go.Figure(go.Scatter(x=[0, 1], y=[0, 1]))
    made = report_html(Report("A", {}, [Section("1", charts=[chart, chart]), Section("2", charts=[chart])], False), NOW)
    assert read(made).fetched == []
    assert made.count(b"plotly.js v") == 1
    assert 3_000_000 < len(made) < 8_000_000


def test_names_with_markup_are_text_in_a_report():
    evil = "<script>alert(1)</script>"
    table = pd.DataFrame({evil: [evil, "**bold**"]}, index=[evil, "b"])
    report = Report(evil, {evil: evil}, [Section(evil, evil, tables=[table], notes=[evil])], False, [evil])
    reader = read(report_html(report, NOW))
    assert "script" not in reader.tags
    assert " ".join(reader.texts).count("alert(1)") == 11
    assert "bold" in reader.texts


def test_a_report_says_why_a_curve_or_a_calibration_is_missing(judged):
    result = evaluate("demo", FIRST)
    curves = replace(
        label_curves("demo", FIRST, "edema"),
        scale="score",
        roc=None,
        pr=None,
        why={"roc_auc": "there are no positives"},
    )
    said = " ".join(read(report_html(label_report(subject(judged), result, curves, None, None), NOW)).texts)
    assert "The curves are undefined: there are no positives." in said
    assert "There is no calibration: scores are ranks" in said


def test_a_report_says_how_many_patients_stand_in_two_data_sets(own_small_demo, page):
    folder = own_small_demo / "sources" / "demo"
    valid, train = (pd.read_parquet(folder / f"labels_{name}.parquet") for name in ("valid", "train"))
    entry = next(entry for entry in models("demo") if entry.name == FIRST)
    judged = Judged(get_source("demo"), entry, "valid", None)

    def told():
        result, curves = evaluate("demo", FIRST), label_curves("demo", FIRST, "edema")
        of_label = report_html(label_report(subject(judged), result, curves, None, None), NOW)
        grids = model_grid("demo", [FIRST, SECOND])
        of_models = report_html(models_report(grids, {FIRST: "p", SECOND: "p"}, False, [], set(), None, None), NOW)
        return [" ".join(read(made).texts) for made in (of_label, of_models)]

    assert all("Patients in two data sets none" in " ".join(text.split()) for text in told())
    moved = valid["patient"].isin(valid["patient"].unique()[:2])
    patients = dict(zip(valid["patient"].unique()[:2], train["patient"].unique()[:2], strict=True))
    valid.assign(patient=valid["patient"].where(~moved, valid["patient"].map(patients)).astype("int64")).to_parquet(
        folder / "labels_valid.parquet", index=False
    )
    assert all("2 patients stand in more than one data set" in " ".join(text.split()) for text in told())
