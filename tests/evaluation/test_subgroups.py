import numpy as np
import pytest
from brute_force import patient_rows, values_of

from cxr_core.evaluation.labels import evaluate_labels
from cxr_core.evaluation.operating import operating_point
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.subgroups import evaluate_subgroups, group_names, groups_of


def test_each_group_is_judged_as_if_its_rows_were_all():
    y, scores, patients = patient_rows(1, n=300, patients=120)
    values, sex = values_of(y), np.where(patients % 2 == 0, "F", "M")
    found = evaluate_subgroups(values, scores, patients, list(sex), 0.4, "edema", 200, 10)
    assert [one.group for one in found] == ["F", "M"]
    for one in found:
        rows = sex == one.group
        alone = evaluate_labels({"edema": values[rows]}, {"edema": scores[rows]}, patients[rows], 200, 10)
        assert one.evaluation == alone.labels["edema"]
        point = operating_point(y[rows], scores[rows], 0.4, patient_clusters(patients[rows])[0], 10)
        assert one.point == point
        assert one.point.ppv.ci == point.ppv.ci is not None
    assert sum(one.evaluation.n for one in found) == 300


def test_auc_and_sensitivity_of_a_group_have_intervals_by_one_rule():
    y, scores, patients = patient_rows(2, n=300, patients=300)
    for minimum, given in ((10, True), (len(set(patients[y == 1])) + 1, False)):
        (found,) = evaluate_subgroups(values_of(y), scores, patients, ["all"] * 300, 0.4, "edema", 200, minimum)
        assert (found.evaluation.roc_auc_ci is not None) == (found.point.sensitivity.ci is not None) == given
        assert found.evaluation.why.get("roc_auc_ci") == found.point.sensitivity.why_no_ci


def test_a_group_without_certain_rows_has_no_point_and_a_reason():
    found = evaluate_subgroups(
        [3, 0, 2, 2], [1.0, 0.0, 1.0, 0.5], [1, 2, 3, 4], ["AP", "AP", "PA", "PA"], 0.5, "edema", 100, 2
    )
    assert found[1].point is None
    assert found[1].evaluation.why["roc_auc"] == "there are no certain rows"


def test_ages_are_cut_into_bands_of_twenty_years():
    ages = [3, 20, 39.5, 40, 79, 80, 91, None, float("nan"), 61]
    assert groups_of(ages, "patient_age") == [
        *("0 to below 20", "20 to below 40", "20 to below 40", "40 to below 60", "60 to below 80"),
        *("80 and more", "80 and more", "not stated", "not stated", "60 to below 80"),
    ]
    assert group_names(groups_of(ages, "age")) == [
        *("0 to below 20", "20 to below 40", "40 to below 60", "60 to below 80", "80 and more", "not stated")
    ]


def test_other_numbers_are_cut_at_their_quartiles_and_few_numbers_are_names():
    groups = groups_of(list(range(100)), "kilovolts")
    assert [groups.count(name) for name in group_names(groups)] == [24, 25, 25, 26]
    assert set(groups_of([1, 2, 2, 1], "scanner")) == {"1", "2"}
    assert groups_of([1.0, 2.0], "scanner") == ["1", "2"]


def test_names_stay_names_and_the_rare_ones_of_many_are_put_together():
    assert groups_of(["AP", "PA", "", None, "AP"], "position") == ["AP", "PA", "not stated", "not stated", "AP"]
    many = [f"ward {i}" for i in range(30) for _ in range(30 - i)]
    groups = groups_of(many, "ward")
    assert len(set(groups)) == 20
    assert groups.count("others") == sum(range(1, 12))
    assert group_names(groups)[-1] == "others"


@pytest.mark.parametrize("name", ["age", "Age", "patient_age", "age-at-exam"])
def test_a_column_is_an_age_by_its_name(name):
    assert "0 to below 20" in groups_of(list(range(30)), name)


def test_a_word_that_only_contains_age_is_none():
    assert "0 to below 20" not in groups_of(list(range(30)), "voltage")
