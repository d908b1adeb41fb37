"""Thresholds that travel and gaps between groups on Evaluate: the figures of the command line, in text and in the link."""

import shutil

from html_tables import html_tables
from test_pages import texts

from cxr_core.evaluation.gaps import Gap, GapMatrix, GroupGap
from cxr_core.schema import label_words
from cxr_core.tasks.card_choice import CardChoice, chosen_card, judged_on
from cxr_core.tasks.gaps import Gaps, gaps_at
from cxr_core.tasks.slices import slices_at
from cxr_core.tasks.threshold_cards import JudgedCut, cards, judged_at
from dashboard.charts.gap_matrix import cell_words, gap_matrix_html, gap_sign
from dashboard.evaluate.gaps import flat_gaps, gaps_answer, ranked_table
from dashboard.evaluate.slices import flat_slices, slices_answer
from dashboard.evaluate.thresholds import cuts_document
from dashboard.shared.formatting import plain

MODEL = "densenet_frontal_u0_0__w0_0"
RULE = CardChoice(None, "sensitivity=0.9", "valid")


def judged_at_the_rule(dataset):
    return judged_at(chosen_card("demo", MODEL, RULE), "demo", MODEL, dataset, None, "report")


def test_thresholds_are_judged_side_by_side_with_alarms_a_day(small_demo, page):
    app = page("evaluate", model=MODEL, **{"evaluate-tab": "Thresholds", "images-a-day": "250"})
    shown = app.table[-1].value
    for dataset in ("valid", "test"):
        cut = judged_at_the_rule(dataset)["edema"].as_json()
        assert shown.loc["Edema", f"Sensitivity, {dataset}"].startswith(f"{cut['sensitivity']:.3f}")
        assert (
            shown.loc["Edema", f"False alarms a day, {dataset}"].split(" (")[0] == f"{250 * cut['fp'] / cut['n']:.1f}"
        )
        ends = cut["alarms_per_100_ci"]
        between = f" ({ends[0]:.1f}–{ends[1]:.1f})" if ends else ""
        assert shown.loc["Edema", f"Alarms per 100, {dataset}"] == f"{cut['alarms_per_100']:.1f}{between}"
    assert "Thresholds of sensitivity of at least 90 %, chosen on valid" in texts(app)


def test_what_a_rule_chose_is_kept_as_a_card_and_judged_by_its_name(own_small_demo, page):
    app = page("evaluate", model=MODEL, **{"evaluate-tab": "Thresholds", "card-rule": "youden"})
    next(button for button in app.button if button.label == "Keep as a card").click().run()
    (card,) = cards("demo")
    assert f"Kept as the card {card}." in texts(app).replace("\\", "")
    by_name = page("evaluate", model=MODEL, **{"evaluate-tab": "Thresholds", "card": card})
    assert by_name.table[-1].value.equals(app.table[-1].value)


def test_another_source_with_the_same_model_is_judged_beside(own_small_demo, page):
    shutil.copytree(own_small_demo / "sources/demo", own_small_demo / "sources/ward")
    app = page("evaluate", model=MODEL, **{"evaluate-tab": "Thresholds", "card-sources": "ward"})
    shown = app.table[-1].value
    assert shown.loc["Edema", "Specificity, test of ward"] == shown.loc["Edema", "Specificity, test of demo"]


def test_the_matrix_of_the_link_has_the_gaps_of_the_command_line(small_demo, page):
    query = {"evaluate-tab": "Groups", "gaps-by": "sex", "gap-figure": "specificity", "dataset": "test"}
    app = page("evaluate", model=MODEL, **query)
    found = gaps_at(chosen_card("demo", MODEL, RULE), "demo", MODEL, ["sex"], "test", None, "report")
    (html,) = [one.proto.body for one in app.get("html") if "Gap in specificity" in one.proto.body]
    (table,) = html_tables(html)
    assert list(table.columns) == ["F", "M"]
    cell = found.matrix.labels["edema"]["F"]
    assert f"{cell.gaps['specificity'].value:+.3f}".replace("-", "−") in table.loc["Edema", "F"]
    assert gaps_answer(found) in texts(app).replace("\\", "")
    flat = flat_gaps(found).set_index(["label", "group"]).loc[("edema", "F")]
    assert flat["specificity_gap"] == cell.gaps["specificity"].value
    assert (flat["n"], flat["n_positive"]) == (cell.n, cell.n_positive)
    assert {"specificity_gap_ci_low", "sensitivity_p_corrected", "sensitivity_ci_high", "why"} <= set(flat.index)


def test_signs_follow_the_corrected_p_and_what_is_not_tested_says_so(small_demo):
    found = gaps_at(chosen_card("demo", MODEL, RULE), "demo", MODEL, ["sex"], "test", None, "report")
    cells = [cell for of_label in found.matrix.labels.values() for cell in of_label.values()]
    for cell in cells:
        for figure, gap in cell.gaps.items():
            expected = "?" if gap.p_corrected is None else "·" if gap.p_corrected >= 0.05 else "▼▲"[gap.value > 0]
            assert gap_sign(cell, figure) == expected
    assert "<script" not in gap_matrix_html(found.matrix, "sensitivity")


def test_beside_a_corrected_p_stands_the_corrected_interval_and_says_so(small_demo, monkeypatch):
    monkeypatch.setenv("CXR_MINIMUM_POSITIVES", "3")
    found = gaps_at(chosen_card("demo", MODEL, RULE), "demo", MODEL, ["sex", "age"], "test", None, "report")
    told = 0
    for label, cells in found.areas.items():
        shown = ranked_table(found).loc[label_words(label)].set_index("Group")
        for group, area in cells.items():
            if area.gap_ci_corrected:
                ends = " to ".join(f"{end:+.3f}".replace("-", "−") for end in area.gap_ci_corrected)
                assert shown.loc[plain(group), "Gap to the rest (corrected interval)"].endswith(f"({ends})")
                told += area.gap_ci_corrected != area.gap_ci
    assert told, "somewhere the two intervals differ"
    cell = next(cell for of in found.matrix.labels.values() for cell in of.values() if cell.gaps["specificity"].ci)
    low, _ = cell.gaps["specificity"].ci_corrected
    assert f"corrected interval {low:+.3f} to".replace("-", "−") in cell_words(cell, "specificity")


def test_the_answer_tells_the_largest_gap_with_its_corrected_interval():
    gap = Gap(-0.2, (-0.3, -0.1), 0.001, 0.02, (-0.38, -0.02))
    cell = GroupGap("F", 9, 4, 9, None, {"sensitivity": gap})
    found = Gaps(
        "demo", MODEL, ("sex",), "card", "test", None, "report", GapMatrix(("F",), {"edema": {"F": cell}}, 1), {}, {}
    )
    assert "edema in F: −0.200 (corrected interval −0.380 to −0.020)." in gaps_answer(found)


def test_alarms_are_those_of_images_like_the_judged_and_none_without_a_point():
    assert set(JudgedCut(None, None).alarms_a_day(100).values()) == {None}


def test_at_most_so_many_alarms_are_a_rule_of_the_page_and_the_json_says_how_the_thresholds_came_about(
    small_demo, page
):
    app = page("evaluate", model=MODEL, **{"evaluate-tab": "Thresholds", "card-rule": "alarms", "card-alarms": "15"})
    card = chosen_card("demo", MODEL, CardChoice(None, "alarms=15", "valid"))
    assert "Thresholds of alarms of at most 15 per 100 images, chosen on valid" in texts(app)
    cut = judged_at(card, "demo", MODEL, "test", None, "report")["edema"].as_json()
    assert app.table[-1].value.loc["Edema", "Alarms per 100, test"].startswith(f"{cut['alarms_per_100']:.1f}")
    document = cuts_document(
        card, [judged_on("demo", MODEL, CardChoice(None, "alarms=15"), ("demo", "test"), None, "report")]
    )
    made = {name: document[name] for name in ("model", "source", "rule", "on", "judge", "card")}
    assert made == {
        "model": MODEL,
        "source": "demo",
        "rule": "alarms=15",
        "on": "valid",
        "judge": "report",
        "card": None,
    }
    assert document["judged"][0]["labels"]["edema"] == cut and document["judged"][0]["judge"] == "report"


def test_a_recalibration_is_shown_before_and_after_on_each_set(small_demo, page):
    app = page("evaluate", model=MODEL, **{"evaluate-tab": "Thresholds", "recalibrate": "platt"})
    card = chosen_card("demo", MODEL, CardChoice(None, "sensitivity=0.9", "valid", recalibrate="platt"))
    shown, label = app.table[-1].value, next(iter(card.recalibrations))
    for dataset in ("valid", "test"):
        one = judged_at(card, "demo", MODEL, dataset, None, "report")[label].recalibrated
        before, after = (f"{side['slope'][0]:.3f}" for side in (one.before, one.after))
        assert shown.loc[label_words(label), f"Slope, {dataset}"] == f"{before} → {after}"
    assert shown.loc[label_words(label), "O:E, valid"].endswith("→ 1.000")
    assert len(shown) == len(card.recalibrations), "labels without a fit are not there"


def test_the_auc_and_the_calibration_of_each_group_stand_below_the_matrix(small_demo, page):
    app = page("evaluate", model=MODEL, **{"evaluate-tab": "Groups", "gaps-by": "sex", "dataset": "test"})
    area = gaps_at(chosen_card("demo", MODEL, RULE), "demo", MODEL, ["sex"], "test", None, "report").areas["edema"]["F"]
    shown = app.table[-1].value
    row = shown[shown["Group"] == "F"].loc["Edema"]
    assert row["AUC"].startswith(f"{area.roc_auc:.3f}")


def test_slices_nobody_asked_for_are_looked_through_on_demand(small_demo, page, monkeypatch):
    monkeypatch.setenv("CXR_MINIMUM_POSITIVES", "3")
    where = {"evaluate-tab": "Groups", "gaps-by": "sex", "dataset": "test"}
    assert not any(one.label == "Slices nobody asked for" and one.value for one in page("evaluate", **where).toggle)
    app = page("evaluate", model=MODEL, slices="true", **where)
    found = slices_at(chosen_card("demo", MODEL, RULE), "demo", MODEL, (), "test", None, "report")
    assert slices_answer(found) in texts(app).replace("\\", "")
    first, shown = found.found[0], app.table[-1].value
    assert shown.index[0] == plain(first.group)
    assert f"{first.gap.value:+.3f}" in shown.iloc[0]["Gap to the rest (corrected interval)"].replace("−", "-")
    assert len(flat_slices(found)) == len(found.found)
