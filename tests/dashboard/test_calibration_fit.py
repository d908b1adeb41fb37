import json

import numpy as np
import pandas as pd
from scipy.special import expit
from test_pages import metrics, texts

from cxr_core.tasks.details import all_details
from cxr_core.tasks.evaluate import label_curves
from cxr_core.warehouse.parquet import write_table

MODEL = "densenet_frontal_u0_0__w0_0"


def test_slope_intercept_and_o_to_e_are_those_of_the_command_line(small_demo, page):
    fit = all_details("demo", MODEL, "valid", None, "report")["support_devices"].calibration
    shown = metrics(page("evaluate", model=MODEL, label="support_devices", **{"point-tab": "Calibration"}))
    assert shown["Calibration slope"] == f"{fit.slope:.3f}".replace("-", "−")
    assert shown["Calibration intercept"] == f"{fit.intercept:.3f}".replace("-", "−")
    assert shown["Observed : expected"] == f"{fit.observed_to_expected:.3f}".replace("-", "−")


def test_net_benefit_and_the_part_of_the_roc_curve_are_those_of_the_command_line(small_demo, page):
    found = all_details("demo", MODEL, "valid", None, "report", 0.8)["support_devices"]
    app = page(
        "evaluate", model=MODEL, label="support_devices", **{"point-tab": "Decisions", "least-specificity": "0.8"}
    )
    part, shown = found.roc_part, metrics(app)
    assert shown["Partial AUC"] == f"{part.partial_auc:.3f}".replace("-", "−")
    assert shown["Partial AUC, standardised"] == f"{part.standardised:.3f}".replace("-", "−")
    assert shown["Sensitivity there"] == f"{part.sensitivity:.3f}".replace("-", "−")
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    (drawn,) = [spec for spec in specs if "Net benefit" in spec["layout"]["title"]["text"]]
    lines = {trace["name"]: trace["y"] for trace in drawn["data"]}
    assert lines["The model"] == [one.model for one in found.net_benefit]
    assert lines["Acting on all"] == [one.treat_all for one in found.net_benefit]


def test_a_model_without_probabilities_has_no_decision_curve_but_a_partial_area(own_small_demo, page):
    path = own_small_demo / f"sources/demo/predictions/{MODEL}_predictions.parquet"
    table = pd.read_parquet(path)
    path.unlink()
    write_table(path, table, "score")
    app = page("evaluate", model=MODEL, **{"point-tab": "Decisions"})
    assert "There is no decision curve: scores are ranks, not probabilities" in texts(app)
    assert metrics(app)["Partial AUC"] != "–"


def test_the_histogram_counts_every_certain_image(small_demo):
    rows = label_curves("demo", MODEL, "edema").rows
    histogram = all_details("demo", MODEL, "valid", None, "report")["edema"].as_json()["reliability"]["histogram"]
    places = np.minimum((expit(rows.scores) * 20).astype(int), 19)
    assert histogram == np.bincount(places, minlength=20).tolist()
    assert sum(histogram) == rows.n
