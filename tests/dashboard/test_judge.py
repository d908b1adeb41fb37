from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_pages import metrics, texts

from cxr_core.evaluation.label_agreement import LabelAgreement
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.across_sources import across_sources
from cxr_core.tasks.evaluate import evaluate, label_curves
from cxr_core.tasks.grid import model_grid
from cxr_core.tasks.models import models
from cxr_core.tasks.reader_differences import reader_differences
from cxr_core.tasks.two_judges import two_judges
from cxr_core.warehouse.parquet import write_readings
from dashboard.compare.judges import flat_agreement, flat_judges
from dashboard.reports.document import report_html
from dashboard.reports.of_label import Subject, label_report
from dashboard.reports.of_models import models_report
from dashboard.shared.formatting import plain
from dashboard.shared.judges_words import agreement_answer, difference_words, judges_answer

MODEL = "densenet_frontal_u0_0__w0_0"
JUDGED = {"model": MODEL, "label": "edema"}


@pytest.fixture
def read(own_small_demo):
    """A small demo whose valid and test images three readers have read, each with errors of his own."""
    source = get_source("demo")
    rows = source.warehouse().labels()
    rows = rows[rows["dataset"] != 0].reset_index(drop=True)
    truth = source.warehouse().truth().set_index("path").loc[rows["path"]]
    random = np.random.default_rng(9)
    frames = []
    for reader in ("ann", "bob", "cyd"):
        wrong = random.random((len(rows), len(LABELS))) < 0.1
        said = np.where((truth[[*LABELS]].to_numpy() == 1) ^ wrong, 3, 1)
        frames.append(pd.concat([rows[[*KEY_COLUMNS]], pd.DataFrame(said, columns=list(LABELS))], axis=1))
        frames[-1]["reader"] = reader
    write_readings(source.readings_path("doctors"), pd.concat(frames))
    return own_small_demo


@pytest.mark.parametrize(("judge", "words"), [("doctors", "Readers: doctors"), ("truth", "Truth")])
def test_the_figures_of_a_judge_are_the_command_lines(read, page, judge, words):
    shown = page("evaluate", **JUDGED, judge=judge)
    figures = evaluate("demo", MODEL, judge=judge).labels["edema"]
    assert metrics(shown)["ROC AUC"] == f"{figures.roc_auc:.3f}"
    assert f"Judged by: {words}" in texts(shown)
    assert "No verdict" in metrics(shown)


def test_readers_are_points_on_both_curves_and_counted_under_the_roc(read, page):
    shown = page("evaluate", **JUDGED, judge="doctors")
    points = evaluate("demo", MODEL, judge="doctors").readers["edema"]
    under = sum(bool(point.under_roc) for point in points)
    assert f"{under} of 3 readers lie under the ROC curve" in texts(shown)
    specs = [chart.proto.spec for chart in shown.get("plotly_chart")[:2]]
    assert all('"name":"Readers"' in spec and "ann (doctors): sensitivity" in spec for spec in specs)


def test_the_model_beside_each_reader_is_shown_on_demand_with_its_interval(read, page):
    shown = page("evaluate", **JUDGED, judge="doctors")
    shown.session_state["beside-readers"] = True
    shown.run()
    assert not shown.exception
    table = next(one.value for one in shown.table if "Model's sensitivity there" in one.value.columns)
    assert list(table.index) == ["ann (doctors)", "bob (doctors)", "cyd (doctors)"]


def test_the_report_of_a_label_has_the_judge_and_the_model_beside_each_reader(read):
    source = get_source("demo")
    (model,) = [entry for entry in models("demo") if entry.name == MODEL]
    result = evaluate("demo", MODEL, judge="doctors")
    curves = label_curves("demo", MODEL, "edema", judge="doctors")
    beside = reader_differences("demo", MODEL, "valid", None, "doctors", "edema")["edema"]
    report = label_report(Subject(source, model, None, ""), result, curves, None, None, "", beside)
    html = report_html(report).decode()
    assert "The model beside each reader" in html and "ann (doctors)" in html
    assert "<td>doctors</td>" in html and "--judge doctors" in html


def test_compare_judges_by_who_is_named_in_the_link_and_its_report_says_so(read, page):
    shown = page("compare", judge="doctors")
    chosen = next(one for one in shown.multiselect if one.label == "Models").value
    grid = model_grid("demo", chosen, judge="doctors")
    mean = grid.grids["frontal"].cells["mean"][chosen[0]]
    assert f"{mean.value:.3f}" in " ".join(one.proto.body for one in shown.get("html"))
    assert "Judged by: Readers: doctors" in texts(shown)
    html = report_html(models_report(grid, dict.fromkeys(chosen, "x"), True, [], set(), None, None)).decode()
    assert "Readers: doctors" in html and "--judge doctors" in html


def test_two_judges_are_one_chart_with_the_rank_correlation(read, page):
    shown = page("compare", **{"compare-tab": "Two judges"}, judge="truth", beside="doctors")
    assert not shown.exception
    chosen = next(one for one in shown.multiselect if one.label == "Models").value
    found = two_judges("demo", chosen, ("truth", "doctors"))
    assert plain(judges_answer(found, found.groups["frontal"])) in texts(shown)
    assert '"Both alike"' in " ".join(chart.proto.spec for chart in shown.get("plotly_chart"))
    table = next(
        one.value
        for one in shown.table
        if "ROC AUC by Truth" in one.value.columns or "AUC by Truth" in one.value.columns
    )
    assert len(table) == len(chosen)
    told = found.groups["frontal"].differences[chosen[0]]
    assert table.iloc[0]["Difference (corrected interval)"] == difference_words(told.value, told.ci_corrected)
    agreement = found.agreement["frontal"]
    assert plain(agreement_answer(found, agreement)) in texts(shown)
    said = next(one.value for one in shown.table if "Kappa (95 % interval)" in one.value.columns)
    assert said.loc["Edema", "Present by Readers: doctors"] == f"{agreement['edema'].present[1]:,}"
    assert said.loc["Edema", "Kappa (95 % interval)"].startswith(f"{agreement['edema'].kappa:.3f}")
    flat = flat_agreement(found).set_index("label").loc["edema"]
    assert (flat["present_second"], flat["kappa"]) == (agreement["edema"].present[1], agreement["edema"].kappa)
    assert {"ci_corrected_low", "agree_ci_high", "p_corrected"} <= set(flat.index)
    assert {"difference_ci_corrected_low", "difference_p_corrected"} <= set(flat_judges(found).columns)


def test_the_answer_on_two_judges_counts_the_labels_on_which_either_calls_more_present(read):
    found = two_judges("demo", [MODEL], ("truth", "doctors"))
    one = LabelAgreement(9, 9, (5, 2))
    said = {
        "edema": replace(one, difference=0.3, p_corrected=0.01),
        "fracture": replace(one, difference=-0.3, p_corrected=0.02),
        "pneumonia": replace(one, difference=-0.1, p_corrected=0.2),
    }
    expected = "Of 3 tested labels, Truth calls more images present on 1 beyond chance, Readers: doctors on 1"
    assert agreement_answer(found, said) == expected
    assert "too few patients" in agreement_answer(found, {"edema": one})


def test_several_sources_is_a_table_of_models_by_judge_with_the_marks_of_all_columns(read, page):
    shown = page("compare", **{"compare-tab": "Several sources", "across-label": "edema"})
    assert not shown.exception
    chosen = next(one for one in shown.multiselect if one.label == "Models").value
    found = across_sources("demo", chosen, ["report", "truth", "doctors"])
    table = next(one.value for one in shown.table if "Readers: doctors" in one.value.columns)
    assert list(table.index) == [plain(model) for model in chosen]
    for column, head in zip(found.columns, ("Report", "Truth", "Readers: doctors"), strict=True):
        for model, cell in column.cells("edema").items():
            assert f"{cell.value:.3f}" in table.loc[plain(model), head]
    assert "doctors:" in texts(shown) and "images (frontal)" in texts(shown)


def test_without_readers_and_truth_nobody_is_asked_who_judges(own_small_demo, page):
    (own_small_demo / "sources" / "demo" / "source.toml").write_text('kind = "local"\nsynthetic = true\n')
    shown = page("evaluate", **JUDGED)
    assert "Judge" not in {group.label for group in shown.button_group}
