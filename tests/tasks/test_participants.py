"""The way from the labelled images to the judged ones, counted with pandas."""

import numpy as np
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source

from cxr_core.tasks.characteristics import characteristics
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.participants import participants
from cxr_core.warehouse.parquet import write_table

UNITS = ("images", "studies", "patients")


def counts(rows):
    return {
        "images": len(rows),
        "studies": rows.groupby(["patient", "study"]).ngroups,
        "patients": rows["patient"].nunique(),
    }


@pytest.fixture
def labels(workspace):
    frame = write_source(workspace)
    return frame[frame["dataset"] == 1]


def test_views_and_images_without_a_prediction_are_left_out_with_their_reason(workspace, labels):
    frontal = of_view(labels, "frontal")
    write_predictions(workspace, "net", scores_for(frontal.iloc[7:], 1))
    first, last = (step.as_json() for step in participants(NAME, "net"))
    assert {unit: first[unit] for unit in UNITS} == counts(labels)
    assert first["left_out"] == [
        {"why": "Lateral view"} | counts(of_view(labels, "lateral")),
        {"why": "No prediction"} | counts(frontal.iloc[:7]),
    ]
    assert {unit: last[unit] for unit in UNITS} == counts(frontal.iloc[7:])


def test_a_view_that_is_not_asked_for_is_left_out_although_it_is_predicted(workspace, labels):
    write_predictions(workspace, "both", scores_for(labels, 1))
    (first, last) = participants(NAME, "both", view="lateral")
    assert [why for why, _ in first.left_out] == ["Frontal view"]
    assert last.there.as_json() == counts(of_view(labels, "lateral"))


def test_images_on_which_the_judge_says_nothing_are_left_out(small_demo):
    model = "densenet_frontal_u0_0__w0_0"
    predicted, judged = participants("demo", model, judge="truth")[1:]
    found = evaluate("demo", model, judge="truth")
    assert predicted.there.images - judged.there.images == found.n_no_verdict
    assert judged.there.images == found.n_images - found.n_no_verdict


def test_a_model_of_whole_studies_is_counted_by_their_images(workspace, labels):
    studies = labels.drop_duplicates(["patient", "study"]).iloc[5:]
    rows = scores_for(studies.assign(path=[f"valid/p{p}/s01" for p in studies["patient"]], image=0), 1)
    write_predictions(workspace, "studies", rows)
    first, last = participants(NAME, "studies")
    kept = labels[labels["patient"].isin(studies["patient"])]
    assert last.there.as_json() == counts(kept)
    assert sum(left.images for _, left in first.left_out) == len(labels) - len(kept)


def test_characteristics_count_each_group_and_describe_numbers_by_quartiles(workspace, labels):
    random = np.random.default_rng(0)
    more = labels.assign(sex=random.choice(["F", "M"], len(labels)), age=random.integers(20, 90, len(labels)))
    more = more.assign(age=more["age"].astype("Float64").where(np.arange(len(more)) >= 3))
    for dataset, code in (("valid", 1), ("test", 2)):
        write_table(workspace / "sources" / NAME / f"labels_{dataset}.parquet", more.assign(dataset=code))
    rows = {(row["what"], row["of"]): row.get("counts", row.get("texts")) for row in characteristics(NAME)}
    assert rows["Images", ""]["valid"] == len(labels)
    assert rows["Sex", "F"]["valid"] == (more["sex"] == "F").sum()
    low, middle, high = more["age"].dropna().quantile([0.25, 0.5, 0.75])
    assert rows["Age", "median (quartiles) of the images"]["valid"] == f"{middle:.4g} ({low:.4g} to {high:.4g})"
    assert rows["Age", "not stated"]["valid"] == 3
