"""A number that counts images leads to exactly those images."""

import html
import re
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
from as_read import links_to_images, wall_of, without_links

from cxr_core.evaluation.image_groups import CUT_GROUPS, GROUPS, LABEL_GROUPS, PAIR_GROUPS
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.distribution import label_overview
from cxr_core.tasks.evaluate import label_curves
from dashboard.charts.details import score_chart
from dashboard.charts.distribution import distribution_chart
from dashboard.charts.palette import LIGHT
from dashboard.evaluate.image_links import leads_of
from dashboard.labels import image_links as labels_links
from dashboard.shared.image_links import group_parameters

FRONTAL = "densenet_frontal_u0_0__w0_0"
#: Where the uncertain fall at a cut that calls positive some images of every value.
AT_A_LOW_CUT = {"point-tab": "Where the uncertain fall", "point-by": "Number", "cut": "-1"}


def asked_by(address):
    page, _, parameters = address.partition("?")
    assert page == "images"
    return dict(parse_qsl(parameters))


def page_text(app, start):
    (text,) = (one.value for one in app.markdown if one.value.startswith(start))
    return text


def confusion_links(app):
    return links_to_images(page_text(app, "| Cut at"))


@pytest.mark.parametrize("place", [1, 2])
def test_each_count_of_the_confusion_table_leads_to_as_many_images(small_demo, page, place):
    app = page("evaluate", model=FRONTAL, label="fracture", dataset="test", judge="truth", sensitivity="0.7")
    links = confusion_links(app)
    assert [parameters["group"] for _, parameters in links] == [
        *("true-positive", "false-negative"),
        *("false-positive", "true-negative"),
    ]
    number, parameters = links[place]
    assert float(parameters["cut"]) < label_curves("demo", FRONTAL, "fracture", "test", judge="truth").threshold(
        "sensitivity", 0.5
    )
    assert page("images", **parameters).title[0].value.endswith(f"for fracture: {number}")


def test_a_count_of_nothing_leads_nowhere(small_demo, page):
    app = page("evaluate", model=FRONTAL, label="edema", **{"point-by": "Number", "cut": "99"})
    shown = page_text(app, "| Cut at")
    assert [row.split("|")[2].strip() for row in shown.splitlines()[2:]] == ["0", "0"], "above 99 scores nobody"
    assert [parameters["group"] for _, parameters in links_to_images(shown)] == ["false-negative", "true-negative"]


def test_a_link_asks_for_what_is_usual_too(small_demo, page):
    app = page("evaluate", model=FRONTAL, label="edema")
    _, parameters = confusion_links(app)[0]
    assert {"view": "all", "judge": "report", "dataset": "valid", "source": "demo"}.items() <= parameters.items()


def test_the_counts_of_labels_lead_to_as_many_images_without_a_model(small_demo, page):
    app = page("labels", view="lateral", dataset="valid")
    (table,) = (one.value for one in app.table if "Uncertain per positive" in one.value)
    for column in ("Not mentioned", "Negative", "Uncertain", "Positive"):
        title = {"Uncertain": "Uncertain, both ends"}.get(column, column)
        ((number, parameters),) = links_to_images(table.loc["Edema", column])
        assert parameters["model"] == "-"
        assert page("images", **parameters).title[0].value == f"{title} for edema: {number}"


@pytest.mark.parametrize("value", ["not_mentioned", "negative", "uncertain", "positive"])
def test_a_point_of_the_spread_of_scores_leads_to_the_page_where_its_images_begin(small_demo, page, value):
    named = SimpleNamespace
    judged = named(source=named(name="demo"), model=named(name=FRONTAL), dataset="valid", view=None)
    judged.judge, judged.label = "report", "edema"
    curves = label_curves("demo", FRONTAL, "edema", "valid")
    scores = curves.scores_by_value()
    low, high = min(map(min, scores.values())), max(map(max, scores.values()))
    chart = score_chart(scores, None, "logit", 24, LIGHT, leads_of(judged, scores))
    (line,) = (one for one in chart.data if one.name.startswith(label_words(value)))
    seen = 0
    for x, (words, address) in zip(line.x, line.customdata, strict=True):
        in_bin = [one for one in scores[value] if abs(one - x) <= (high - low) / 48 + 1e-9]
        assert words.startswith(f"{len(in_bin)} ")
        assert bool(address) == bool(in_bin)
        if in_bin:
            app = page("images", **asked_by(address))
            shown = [float(re.search(r"logit (−?[\d.]+)", tile)[1].replace("−", "-")) for tile, _ in wall_of(app)]
            first = min(in_bin) if value == "positive" else max(in_bin)
            assert any(abs(one - first) < 0.001 for one in shown)
            assert app.title[0].value.endswith(f"for edema: {len(scores[value])}")
            seen += len(in_bin)
    assert seen == len(scores[value])


def test_each_bar_of_labels_leads_to_as_many_images_as_it_counts(small_demo, page):
    overview = label_overview("demo", "lateral")
    leads = labels_links.leads_of(overview, "valid")
    chart = distribution_chart(overview.distribution, "valid", list(LABELS), "share", "linear", LIGHT, leads)
    for bar in chart.data:
        number, _, address = bar.customdata[LABELS.index("edema")]
        assert page("images", **asked_by(address)).title[0].value.endswith(f"for edema: {number:,}")


def test_the_uncertain_of_an_operating_point_lead_to_the_highest_scored(small_demo, page):
    app = page("evaluate", model=FRONTAL, label="edema", **AT_A_LOW_CUT)
    (table,) = (one.value for one in app.table if "Called positive" in one.value)
    for row, column, title in (
        ("Uncertain", "Images", "Uncertain, highest scores"),
        ("Not mentioned", "Called positive", "Not mentioned, called positive"),
    ):
        ((number, parameters),) = links_to_images(table.loc[row, column])
        assert page("images", **parameters).title[0].value == f"{title} for edema: {number}"


def test_a_cell_of_compare_leads_to_the_mistakes_of_its_model(small_demo, page):
    app = page("compare", on="test")
    (address,) = re.findall(rf'images[?]([^"]*model={FRONTAL}&amp;label=edema&[^"]*)"', app.get("html")[0].proto.body)
    parameters = dict(parse_qsl(html.unescape(address)))
    assert parameters["dataset"] == "test"
    assert page("images", **parameters).title[0].value.startswith("False positives for edema")


@pytest.mark.parametrize("model", [None, FRONTAL])
def test_a_link_to_a_group_says_nothing_that_the_page_does_not_ask(small_demo, page, model):
    for group in GROUPS if model else LABEL_GROUPS:
        if group not in PAIR_GROUPS:
            cut = 0.5 if group in CUT_GROUPS else None
            app = page("images", **group_parameters("demo", "edema", group, model, cut))
            assert not app.warning, group


def test_a_table_without_its_links_is_read_as_before():
    assert without_links("| a | [1,234](images?label=edema&cut=-1.5) |") == "| a | 1,234 |"
