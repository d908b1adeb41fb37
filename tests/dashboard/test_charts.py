"""What the figures show: values, orders, axes, styles; no picture is compared."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxr_core.evaluation.calibration import ReliabilityBin
from cxr_core.evaluation.curves import pr_curve, roc_curve
from cxr_core.evaluation.decision import NetBenefit
from cxr_core.evaluation.results import LabelComparison
from cxr_core.evaluation.shares import PresentShare
from cxr_core.schema import LABELS, VALUES, label_words
from cxr_core.uncertainty import uniform_policy
from dashboard.charts.calibration import calibration_chart
from dashboard.charts.curves import DrawnCurve, Point, drawn_error, drawn_pr, pr_chart, roc_chart
from dashboard.charts.decision import decision_chart
from dashboard.charts.details import difference_chart, score_chart, target_chart
from dashboard.charts.distribution import distribution_chart, sorted_labels
from dashboard.charts.heatmap import cooccurrence_chart
from dashboard.charts.meaning import meaning_chart
from dashboard.charts.palette import DARK, LIGHT, LineStyle, model_style

WORDS = [label_words(label) for label in LABELS]
STYLE = LineStyle("#000000", "solid", 2)


@pytest.fixture
def counts():
    """70 images: the label at place i has i uncertain, 10 positive, 20 negative, the rest not mentioned."""
    rows = [
        {"label": label, "value": value, "dataset": "train", "images": images}
        for place, label in enumerate(LABELS)
        for value, images in zip(VALUES, (40 - place, 20, place, 10), strict=True)
    ]
    return pd.DataFrame(rows)


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_have_a_contrast_of_3_and_texts_of_4_5(colors):
    for mark in (*colors.values.values(), *colors.models, colors.gain, colors.loss):
        assert contrast(mark, colors.background) >= 3, mark
    for text in (colors.ink, colors.faint):
        assert contrast(text, colors.background) >= 4.5, text
    for step in colors.sequential:
        assert contrast(colors.ink, step) >= 4.5, step


@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_the_four_pretrained_models_of_a_view_have_four_colours(view):
    names = [f"densenet_{view}_{end}" for end in ("u0_0__w0_0", "u0_0__w1_0", "u1_0__w1_0", "u0_5__w0_25")]
    assert len({model_style(name, False, LIGHT).color for name in names}) == 4
    assert len({model_style(name, False, LIGHT).dash for name in names} - {"dot"}) == 4, "dots are the line of chance"


def test_a_models_style_depends_on_its_name_alone_and_an_ensemble_is_ink_and_thicker():
    assert model_style("mine", False, LIGHT) == model_style("mine", False, LIGHT)
    own, ensemble = model_style("mine", False, DARK), model_style("mine", True, DARK)
    assert ensemble.color == DARK.ink
    assert ensemble.width > own.width


def test_a_models_place_among_the_colours_is_the_same_in_light_and_dark():
    for name in ("mine", "densenet_frontal_u1_0__w1_0", "another"):
        light, dark = model_style(name, False, LIGHT), model_style(name, False, DARK)
        assert LIGHT.models.index(light.color) == DARK.models.index(dark.color)
        assert light.dash == dark.dash


def test_shares_of_each_label_add_up_to_100(counts):
    chart = distribution_chart(counts, "train", list(LABELS), "share", "linear", LIGHT)
    assert [trace.name for trace in chart.data] == ["Not mentioned", "Negative", "Uncertain", "Positive"]
    assert np.allclose(np.sum([trace.x for trace in chart.data], axis=0), 100)
    assert list(chart.data[0].y) == WORDS
    assert chart.data[2].x[7] == pytest.approx(10)
    assert "n = 70" in chart.layout.title.text


def test_counts_are_points_that_differ_in_shape_too(counts):
    chart = distribution_chart(counts, "train", list(LABELS), "count", "log", LIGHT)
    assert len({trace.marker.symbol for trace in chart.data}) == 4
    assert list(chart.data[2].x) == list(range(14))
    assert chart.layout.xaxis.type == "log"


def test_labels_can_be_sorted_by_uncertain_per_positive(counts):
    assert sorted_labels(counts, "train", "ratio") == list(reversed(LABELS))
    assert sorted_labels(counts, "train", "fixed") == list(LABELS)


def test_cooccurrence_is_a_share_of_the_rows_images_and_leaves_the_diagonal_empty():
    images = pd.DataFrame([[10, 5], [5, 0]], index=["edema", "fracture"], columns=["edema", "fracture"])
    shown = cooccurrence_chart(images, "positive", "share", LIGHT).data[0].z
    assert shown[0][1] == 50
    assert np.isnan(shown[0][0])
    assert np.isnan(shown[1][0]), "no image of the row: no share"


def test_a_name_with_markup_is_shown_as_text_in_every_legend_and_hover():
    name = "<script>alert(1)</script>"
    line = replace(curve([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8]), name=name)
    for chart in (
        roc_chart("ROC", [line], LIGHT),
        pr_chart("PR", [line], 0.5, LIGHT),
    ):
        assert "<script" not in chart.to_json()
        assert "&lt;script&gt;" in chart.to_json()


@pytest.mark.parametrize("models", [1, 2, 8, 20])
def test_a_chart_of_curves_stays_under_100_kb_however_many_images_there_are(models):
    random = np.random.default_rng(0)
    roc = roc_curve(random.integers(0, 2, 370_000), random.normal(size=370_000))
    lines = [DrawnCurve(f"model {n}", roc.fpr, roc.tpr, roc.thresholds, STYLE) for n in range(models)]
    for chart in (roc_chart("ROC", lines, LIGHT), pr_chart("PR", lines, 0.5, LIGHT)):
        assert len(chart.to_json()) < 100_000


def test_a_drawn_curve_is_off_by_no_more_than_is_stated():
    random = np.random.default_rng(1)
    roc = roc_curve(random.integers(0, 2, 20_000), random.normal(size=20_000))
    line = DrawnCurve("m", roc.fpr, roc.tpr, roc.thresholds, STYLE)
    drawn = roc_chart("ROC", [line] * 4, LIGHT).data[1]
    error = drawn_error([line] * 4)
    assert 0 < error <= 0.005
    # The curve rises, so a line that is off by `error` to the side lies between the curve moved left and moved right.
    there = np.interp(roc.fpr, drawn.x, drawn.y)
    assert np.all(there <= np.interp(roc.fpr + error, roc.fpr, roc.tpr) + 1e-6)
    assert np.all(there >= np.interp(roc.fpr - error, roc.fpr, roc.tpr) - 1e-6)
    assert drawn_error([curve([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])]) == 0


def curve(y: list[int], scores: list[float]) -> DrawnCurve:
    roc = roc_curve(y, scores)
    return DrawnCurve("m", roc.fpr, roc.tpr, roc.thresholds, STYLE)


def test_roc_and_pr_have_equal_axes_from_0_to_1_and_the_point_on_both():
    drawn = curve([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])
    for chart in (
        roc_chart("ROC", [drawn], LIGHT, Point(0.5, 1.0, "here")),
        pr_chart("PR", [drawn], 0.5, LIGHT, Point(1.0, 0.67, "here")),
    ):
        assert chart.layout.yaxis.scaleanchor == "x"
        assert chart.layout.xaxis.range == chart.layout.yaxis.range
        assert chart.data[-1].name == "Operating point"


def test_the_pr_baseline_is_the_prevalence():
    baseline = pr_chart("PR", [], 0.3, LIGHT).data[0]
    assert list(baseline.y) == [0.3] * 3


def test_the_pr_line_ends_at_a_measured_precision():
    class Curves:
        model = "m"

    pr = pr_curve([1, 0, 1, 0], [0.1, 0.9, 0.5, 0.2])
    assert drawn_pr(Curves(), pr, STYLE).y[-1] == 0, "the highest score is a negative"
    assert pr.precision[-1] == 1, "the convention that is not drawn"


def test_calibration_shows_each_bins_interval():
    bins = [ReliabilityBin(0.0, 0.2, 50, 0.1, 0.2, (0.1, 0.35))]
    drawn = calibration_chart(bins, STYLE, LIGHT).data[1]
    assert (drawn.x[0], drawn.y[0]) == (0.1, 0.2)
    assert (drawn.error_y.array[0], drawn.error_y.arrayminus[0]) == pytest.approx((0.15, 0.1))


def test_the_histogram_of_the_probabilities_stands_at_the_foot_of_the_calibration():
    bins = [ReliabilityBin(0.0, 0.2, 50, 0.1, 0.2)]
    bars = calibration_chart(bins, STYLE, LIGHT, [10, 0, 30, 0]).data[0]
    assert bars.type == "bar" and list(bars.x) == [0.125, 0.375, 0.625, 0.875]
    assert [n for _, _, n in bars.customdata] == [10, 0, 30, 0] and max(bars.y) < 0.25


def test_on_the_logit_axis_bins_stand_at_their_log_odds_and_those_of_one_class_are_left_out():
    bins = [ReliabilityBin(0.0, 0.1, 9, 0.05, 0.0), ReliabilityBin(0.1, 0.9, 9, 0.5, 0.8, (0.5, 0.9))]
    chart = calibration_chart(bins, STYLE, LIGHT, [3, 4], on_logit=True)
    drawn = chart.data[-1]
    assert len(chart.data) == 2, "no bars"
    assert (list(drawn.x), list(drawn.y)) == (pytest.approx([0]), pytest.approx([np.log(4)]))
    assert drawn.error_y.array[0] == pytest.approx(np.log(9) - np.log(4))
    ticks = dict(zip(chart.layout.xaxis.ticktext, chart.layout.xaxis.tickvals, strict=True))
    assert ticks["0.5"] == 0 and ticks["0.8"] == pytest.approx(np.log(4))


def test_the_decision_curve_has_the_model_its_interval_and_acting_on_all():
    points = [NetBenefit(0.1, 0.2, (0.1, 0.3), 0.15), NetBenefit(0.2, 0.1, None, -0.05)]
    traces = {trace.name: trace for trace in decision_chart(points, STYLE, LIGHT).data}
    assert list(traces["The model"].y) == [0.2, 0.1] and list(traces["Acting on all"].y) == [0.15, -0.05]
    assert list(traces["95 % interval"].y) == [0.3, 0.1]
    assert set(traces["Acting on none"].y) == {0}


def test_scores_are_shares_of_each_values_own_images():
    scores = {"not_mentioned": np.zeros(0), "uncertain": np.array([0.0, 1.0]), "positive": np.array([1.0] * 4)}
    traces = {trace.name: trace for trace in score_chart(scores, 0.5, "logit", 2, LIGHT).data}
    assert list(traces["Uncertain (n = 2)"].y) == [0.5, 0.5]
    assert list(traces["Positive (n = 4)"].y) == [0, 1]
    assert len(traces) == 2


def test_a_difference_is_filled_where_its_corrected_interval_leaves_out_zero_and_crossed_where_it_is_not_tested():
    few = {"p": "only 12 patients with a positive label"}
    rows = [
        LabelComparison("edema", 100, 0.05, (0.01, 0.09), 0.01, 0.04, 0.02, {}, (0.005, 0.095)),
        LabelComparison("fracture", 100, -0.05, (-0.09, -0.01), 0.04, 0.2, 0.03, {}, (-0.11, 0.01)),
        LabelComparison("lung_lesion", 100, 0.2, None, None, None, None, few),
        LabelComparison("pneumonia", 0, None, None, None, None, None),
    ]
    chart = difference_chart(rows, "A", "B", LIGHT)
    tested, untested = chart.data
    assert list(tested.y) == ["Edema", "Fracture"]
    assert list(tested.marker.symbol) == ["circle", "circle-open"]
    assert list(tested.error_x.array) == pytest.approx([0.045, 0.06])
    assert list(tested.error_x.arrayminus) == pytest.approx([0.045, 0.06])
    assert (list(untested.y), list(untested.marker.symbol)) == (["Lung lesion"], ["x-thin-open"])
    assert untested.error_x.array is None, "no bar of no length"
    assert "only 12 patients" in untested.text[0]
    assert list(chart.layout.yaxis.categoryarray) == ["Edema", "Fracture", "Lung lesion"]


def test_counting_uncertain_as_positive_raises_the_rate_that_the_loss_sees(counts):
    _, certain, seen = target_chart(counts, uniform_policy(1, 1), "train", LIGHT).data
    assert certain.x[13] == pytest.approx(10 / 57)
    assert seen.x[13] == pytest.approx(23 / 70)


def test_a_point_of_what_labels_mean_ends_in_the_address_of_its_label_and_value(counts):
    read, unread = PresentShare(30, 20, 5, 18, 0.25, (0.1, 0.45)), PresentShare(9, 2, 1, 2, None, None, "too few")
    labels = {"edema": dict.fromkeys(VALUES, read), "fracture": dict.fromkeys(VALUES, unread) | {"positive": read}}
    chart = meaning_chart(labels, LIGHT, lambda label, value: f"images?{label}={value}")
    ends = {trace.name: [told[-1] for told in trace.customdata] for trace in chart.data}
    assert ends["Uncertain"] == ["images?edema=uncertain"]
    assert ends["Positive"] == ["images?edema=positive", "images?fracture=positive"]
    assert {told[-1] for trace in meaning_chart(labels, LIGHT).data for told in trace.customdata} == {""}


def test_a_point_of_what_the_loss_sees_ends_in_the_address_of_the_uncertain_of_its_label(counts):
    chart = target_chart(counts, uniform_policy(1, 1), "train", LIGHT, lambda label, value: f"images?{label}={value}")
    having = set(counts.query("dataset == 'train' and value == 'uncertain' and images > 0")["label"])
    assert 0 < len(having) < len(LABELS), "some labels have no uncertain image"
    for trace in chart.data[1:]:
        assert [told[-1] for told in trace.customdata] == [
            f"images?{label}=uncertain" if label in having else "" for label in LABELS
        ]
