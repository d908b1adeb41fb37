"""The cut on the Evaluate page: kept when other images are looked at, and the same when what is shown is typed in."""

import pandas as pd
import pytest
from test_pages import FIRST, point_tables, texts

from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.evaluate import label_curves
from cxr_core.warehouse.parquet import write_table

LABEL = "pleural_effusion"


def on_evaluate(page, **query):
    return page("evaluate", **{"model": FIRST, "label": label_words(LABEL)} | query)


def shown_cut(app):
    """The cut as it stands over the confusion matrix, and the matrix."""
    (text,) = (one.value.splitlines() for one in app.markdown if one.value.startswith("| Cut at"))
    return text[0].split("≥")[1].split("|")[0].strip(), point_tables(app)[0]


def matrix(point):
    return [f"{n:,}" for n in (point.tp, point.fn, point.fp, point.tn)]


def test_a_cut_that_was_chosen_on_valid_is_kept_on_test_until_it_is_chosen_anew(small_demo, page):
    valid, test = (label_curves("demo", FIRST, LABEL, dataset) for dataset in ("valid", "test"))
    app = on_evaluate(page, sensitivity="0.95")
    chosen, _ = shown_cut(app)
    assert "Cut kept" not in texts(app)
    app.segmented_control(key="dataset").set_value("test").run()
    kept, table = shown_cut(app)
    assert kept == chosen
    assert "Cut kept from valid." in texts(app)
    cut = float(kept.replace("−", "-"))
    assert table.to_numpy().ravel().tolist() == matrix(test.operating_point(cut))
    assert valid.operating_point(cut).tp == valid.operating_point(valid.threshold("sensitivity", 0.95)).tp
    app.segmented_control(key="cut-from").set_value("test").run()
    anew, table = shown_cut(app)
    assert table.to_numpy().ravel().tolist() == matrix(test.operating_point(test.threshold("sensitivity", 0.95)))
    assert anew != chosen
    assert "Cut kept" not in texts(app)


def test_another_label_is_cut_on_the_same_images_as_before(small_demo, page):
    app = on_evaluate(page)
    app.segmented_control(key="dataset").set_value("test").run()
    app.selectbox(key="label").set_value("edema").run()
    valid = label_curves("demo", FIRST, "edema", "valid")
    assert float(shown_cut(app)[0].replace("−", "-")) == valid.written_threshold(valid.threshold("sensitivity", 0.8))
    assert "Cut kept from valid." in texts(app)


@pytest.mark.parametrize(
    ("query", "dataset"), [({}, "valid"), ({"cut-from": "test"}, "test"), ({"cut-from": "x"}, "valid")]
)
def test_a_link_gives_the_same_cut_whatever_is_judged(small_demo, page, query, dataset):
    chosen = label_curves("demo", FIRST, LABEL, dataset)
    expected = chosen.written_threshold(chosen.threshold("sensitivity", 0.8))
    for judged in ("Valid", "Test"):
        shown, _ = shown_cut(on_evaluate(page, dataset=judged, **query))
        assert float(shown.replace("−", "-")) == expected


def test_a_view_that_is_picked_keeps_the_cut(small_demo, page):
    app = on_evaluate(page)
    before, _ = shown_cut(app)
    app.segmented_control(key="judged-view").set_value("frontal").run()
    assert shown_cut(app)[0] == before


@pytest.mark.parametrize("way", ["Threshold", "Number"])
def test_a_cut_of_the_readers_own_is_kept_on_other_images(small_demo, page, way):
    app = on_evaluate(page, **{"point-by": way})
    key = "threshold" if way == "Threshold" else "cut"
    widget = app.slider(key=key) if way == "Threshold" else app.number_input(key=key)
    widget.set_value(widget.max if way == "Threshold" else 1.23456).run()
    before = (app.slider(key=key) if way == "Threshold" else app.number_input(key=key)).value
    app.segmented_control(key="dataset").set_value("test").run()
    assert (app.slider(key=key) if way == "Threshold" else app.number_input(key=key)).value == before


def test_the_cut_that_is_shown_gives_the_same_matrix_when_it_is_typed_in_on_every_label(small_demo, page):
    app = on_evaluate(page, sensitivity="0.95")
    typed = on_evaluate(page, **{"point-by": "Number"})
    for label in LABELS:
        app.selectbox(key="label").set_value(label).run()
        if not any(one.value.startswith("| Cut at") for one in app.markdown):
            continue
        cut, table = shown_cut(app)
        typed.selectbox(key="label").set_value(label).run()
        typed.number_input(key="cut").set_value(float(cut.replace("−", "-"))).run()
        assert (shown_cut(typed)[0], shown_cut(typed)[1].to_numpy().tolist()) == (cut, table.to_numpy().tolist())


@pytest.mark.parametrize("tab", ["At this point", "Where the uncertain fall"])
def test_the_tabs_say_why_where_there_is_no_operating_point(own_small_demo, page, tab):
    folder = own_small_demo / "sources/demo"
    table = pd.read_parquet(folder / "labels_valid.parquet")
    (folder / "labels_valid.parquet").unlink()
    write_table(folder / "labels_valid.parquet", table.assign(**{LABEL: table[LABEL].replace(3, 0)}))
    shown = texts(on_evaluate(page, **{"point-tab": tab}))
    assert "There is no operating point: there are no positives." in shown


def test_missing_predictions_are_counted_and_named_on_the_page(own_small_demo, page):
    path = own_small_demo / f"sources/demo/predictions/{FIRST}_predictions.parquet"
    table = pd.read_parquet(path)
    labels = pd.read_parquet(own_small_demo / "sources/demo/labels_valid.parquet").set_index("path")[LABEL]
    certain = table["path"][table["path"].map(labels).isin([0, 1, 3])].iloc[0]
    path.unlink()
    write_table(path, table.assign(**{LABEL: table[LABEL].where(table["path"] != certain)}), "logit")
    shown = texts(on_evaluate(page))
    assert f"1 row left out for want of a prediction or a label value, such as {certain}." in shown
