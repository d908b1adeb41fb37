"""At 90 % sensitivity, how many false alarms a day are there on test, and is it worse for women? In six clicks."""

import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

from cxr_core.evaluation.proportions import share_interval
from cxr_core.schema import REPORT
from cxr_core.tasks.gaps import gaps_at
from cxr_core.tasks.threshold_cards import made_card, parse_rule

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MODEL, IMAGES_A_DAY, MOST_CLICKS = "densenet_frontal_u0_0__w0_0", 100, 6
LABELS = {"airspace_opacity": "Airspace opacity", "edema": "Edema", "support_devices": "Support devices"}


def certain(home, dataset, label):
    """The certain test or valid images of a label: whether it is positive, the model's score, sex and patient."""
    columns = ["path", "patient", "sex", label]
    labels = pd.read_parquet(home / f"sources/demo/labels_{dataset}.parquet", columns=columns)
    scores = pd.read_parquet(home / f"sources/demo/predictions/{MODEL}_predictions.parquet", columns=["path", label])
    rows = labels.merge(scores, on="path", suffixes=("", "_score"))
    rows = rows[rows[label] != 2]
    known = {"positive": rows[label] == 3, "score": rows[f"{label}_score"]}
    return pd.DataFrame(known).assign(sex=rows["sex"], patient=rows["patient"])


def cut_for(rows, sensitivity):
    """The highest score at which so large a share of the positives is called positive."""
    falling = np.sort(rows["score"][rows["positive"]])[::-1]
    return falling[int(np.ceil(sensitivity * falling.size)) - 1]


def signed(gap):
    return f"{gap:+.3f}".replace("-", "−")


def test_false_alarms_a_day_and_whether_women_have_more_in_six_clicks(page, dashboard, own_demo):
    card = made_card("demo", MODEL, parse_rule("sensitivity=.9"), "valid", None)
    tested = gaps_at(card, "demo", MODEL, ["sex"], "test", None, REPORT).as_json()
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate")
    expect(page.get_by_text("Synthetic demo data")).to_be_visible()
    clicks = []

    def click(shown):
        at_rest(page)
        shown.click()
        clicks.append(shown)
        at_rest(page)

    click(page.get_by_role("radiogroup", name="Data set").get_by_role("radio", name="Test"))
    click(page.get_by_role("tab", name="Thresholds"))
    table = page.get_by_role("table").filter(has_text="False alarms a day, test")
    expect(table).to_be_visible()
    heads = [head.strip() for head in table.get_by_role("columnheader").all_inner_texts()]

    alarms = {}
    for label, words in LABELS.items():
        row = table.get_by_role("row", name=re.compile(f"^{words}"))
        expect(row).to_be_visible()
        cells = row.get_by_role("cell").all_inner_texts()
        alarms[label] = cells[heads.index("False alarms a day, test") - (len(heads) - len(cells))]
    click(page.get_by_role("tab", name="Groups", exact=True))
    click(page.get_by_role("radiogroup", name="Figure").get_by_role("radio", name="Specificity"))
    matrix = page.get_by_role("region", name="Gap in specificity of each group on each label")
    expect(matrix).to_be_visible()
    for label, words in LABELS.items():
        cut, rows = cut_for(certain(own_demo, "valid", label), 0.9), certain(own_demo, "test", label)
        false = ~rows["positive"] & (rows["score"] >= cut)
        counted = rows.assign(false=false, all=1).groupby("patient")[["false", "all"]].sum()
        low, high = (IMAGES_A_DAY * end for end in share_interval(*counted.to_numpy(float).T).ci)
        assert alarms[label] == f"{IMAGES_A_DAY * false.sum() / len(rows):.1f} ({low:.1f}–{high:.1f})"
        women, negative = rows["sex"] == "F", ~rows["positive"]
        of_women, of_others = (1 - false[who & negative].mean() for who in (women, ~women))
        cell = matrix.get_by_role("row", name=re.compile(f"^{words}")).get_by_role("cell").first
        expect(cell).to_contain_text(f"{signed(of_women - of_others)}{of_women:.3f}")
        p = tested["labels"][label]["F"]["p_corrected"]["specificity"]
        sign = "·" if p >= 0.05 else "▼" if of_women < of_others else "▲"
        expect(cell).to_contain_text(re.compile(f"^{sign} "))
        expect(cell).to_have_attribute("title", re.compile(f"p corrected {p:.3f}"))
    assert len(clicks) <= MOST_CLICKS
