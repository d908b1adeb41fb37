import numpy as np
import pytest
from brute_force import expanded_levels, patient_rows, values_of
from sklearn import metrics

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.labels import evaluate_labels, evaluate_models


def evaluated(values, scores, patients, label="edema"):
    return evaluate_labels({label: values}, {label: scores}, patients, resamples=200, minimum=10).labels[label]


def test_figures_and_intervals_equal_a_plain_bootstrap_over_patients():
    y, scores, patients = patient_rows(4)
    values = values_of(y)
    values[::7] = 2
    certain = values != 2
    found = evaluated(values, scores, patients)
    assert found.n == certain.sum()
    assert found.n_positive == y[certain].sum()
    assert found.n_uncertain_dropped == 12
    assert found.n_patients == len(set(patients[certain]))
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(y[certain], scores[certain]), abs=1e-12)
    assert found.average_precision == pytest.approx(
        metrics.average_precision_score(y[certain], scores[certain]), abs=1e-12
    )
    names = np.unique(patients)
    aucs, aps = [], []
    for drawn in names[np.random.default_rng(2019).integers(names.size, size=(200, names.size))]:
        picked = np.concatenate([np.flatnonzero((patients == patient) & certain) for patient in drawn])
        aucs.append(metrics.roc_auc_score(y[picked], scores[picked]))
        aps.append(metrics.average_precision_score(y[picked], scores[picked]))
    levels = expanded_levels(y[certain], patients[certain])
    assert found.roc_auc_ci == pytest.approx(np.quantile(aucs, levels), abs=1e-12)
    assert found.average_precision_ci == pytest.approx(np.quantile(aps, levels), abs=1e-12)
    assert found.why == {}


def test_the_same_question_gets_the_same_answer():
    y, scores, patients = patient_rows(5)
    assert evaluated(values_of(y), scores, patients) == evaluated(values_of(y), scores, patients)


def test_only_the_order_of_the_scores_matters():
    y, scores, patients = patient_rows(6)
    assert evaluated(values_of(y), scores, patients) == evaluated(values_of(y), np.exp(scores / 3) - 7, patients)


@pytest.mark.parametrize(
    ("values", "reason_auc", "reason_ap"),
    [
        ([0] * 20, "there are no positives", "there are no positives"),
        ([2] * 20, "there are no certain rows", "there are no certain rows"),
        ([], "there are no certain rows", "there are no certain rows"),
    ],
)
def test_undefined_figures_are_none_with_their_reason(values, reason_auc, reason_ap):
    found = evaluated(np.array(values), np.arange(len(values), dtype=float), np.arange(len(values)))
    assert (found.roc_auc, found.roc_auc_ci, found.average_precision, found.average_precision_ci) == (None,) * 4
    assert found.why["roc_auc"] == found.why["roc_auc_ci"] == reason_auc
    assert found.why["average_precision"] == found.why["average_precision_ci"] == reason_ap


def test_with_positives_only_the_auc_is_undefined_and_no_interval_is_given():
    found = evaluated(np.full(20, 3), np.arange(20.0), np.arange(20))
    assert (found.roc_auc, found.average_precision) == (None, 1.0)
    assert found.why["roc_auc"] == "there are no negatives"
    assert "only 0 patients with a negative label" in found.why["average_precision_ci"]
    assert found.average_precision_ci is None


def test_predictions_that_are_no_numbers_give_no_figure_but_their_count():
    y, scores, patients = patient_rows(7)
    scores[:3] = np.nan
    found = evaluated(values_of(y), scores, patients)
    assert (found.roc_auc, found.roc_auc_ci, found.average_precision, found.average_precision_ci) == (None,) * 4
    assert set(found.why.values()) == {"3 of 80 predictions are missing, NaN or infinite"}
    assert found.n == 80


def test_below_the_minimum_there_is_a_figure_but_no_interval():
    y = np.zeros(60, dtype=int)
    y[:9] = 1
    found = evaluated(values_of(y), np.arange(60.0), np.arange(60))
    assert found.roc_auc == 0.0
    assert found.roc_auc_ci is None
    assert found.why == dict.fromkeys(
        ("roc_auc_ci", "average_precision_ci"), "only 9 patients with a positive label; an interval needs at least 10"
    )


def test_many_positives_of_few_patients_give_no_interval():
    y = np.repeat([1, 0], [20, 60])
    patients = np.concatenate([np.zeros(20), np.arange(1, 61)])
    found = evaluated(values_of(y), np.arange(80.0)[::-1], patients)
    assert found.roc_auc == 1.0
    assert found.roc_auc_ci is None
    assert found.n_positive_patients == 1
    assert found.why["roc_auc_ci"].startswith("only 1 patients with a positive label")
    assert found.unusable_resamples > 50


def test_only_the_labels_of_the_model_are_evaluated():
    y, scores, patients = patient_rows(8)
    values = {"edema": values_of(y), "fracture": values_of(y)}
    assert list(evaluate_labels(values, {"edema": scores}, patients, 50, 10).labels) == ["edema"]


def test_the_mean_is_over_the_labels_on_which_the_figure_is_defined():
    y, scores, patients = patient_rows(9)
    values = {"edema": values_of(y), "fracture": values_of(1 - y), "pneumonia": np.zeros(80)}
    figures = evaluate_labels(values, dict.fromkeys(values, scores), patients, 200, 10)
    auc = metrics.roc_auc_score(y, scores)
    assert figures.mean_roc_auc.value == pytest.approx((auc + 1 - auc) / 2)
    assert figures.mean_roc_auc.labels == 2
    # The two AUCs mirror each other in every resample, so their mean never varies.
    assert figures.mean_roc_auc.ci == pytest.approx((0.5, 0.5))


def test_the_mean_of_nothing_and_of_a_single_patient_say_why():
    nothing = evaluate_labels({"edema": np.zeros(5)}, {"edema": np.zeros(5)}, np.arange(5), 50, 10)
    assert nothing.mean_roc_auc.value is None
    assert nothing.mean_roc_auc.why == "it is defined on no label"
    few = evaluate_labels({"edema": [3, 0]}, {"edema": [1.0, 0.0]}, [1, 2], 50, 10)
    assert (few.mean_roc_auc.value, few.mean_roc_auc.ci) == (1.0, None)
    assert few.mean_roc_auc.why == "a class of one of these labels is of a single patient"


def test_the_mean_of_chosen_labels_equals_that_of_a_model_with_these_labels_only():
    y, scores, patients = patient_rows(11)
    values = {"edema": values_of(y), "fracture": values_of(1 - y), "pneumonia": values_of(y)}
    models = {"edema": scores, "fracture": -scores, "pneumonia": scores + patient_rows(12, shift=0.0)[1]}
    chosen = evaluate_labels(values, models, patients, 200, 10).mean("average_precision", ["edema", "pneumonia"])
    del models["fracture"]
    assert chosen == evaluate_labels(values, models, patients, 200, 10).mean_average_precision
    with pytest.raises(UnknownNameError, match="Unknown label of this model 'fracture'"):
        evaluate_labels(values, models, patients, 200, 10).mean(labels=["fracture"])


def test_models_of_the_same_rows_are_judged_as_each_alone():
    y, scores, patients = patient_rows(13)
    values, other = {"edema": values_of(y)}, patient_rows(14, shift=0.3)[1]
    both = evaluate_models(values, {"a": {"edema": scores}, "b": {"edema": other}}, patients, 200, 10)
    assert both["a"] == evaluate_labels(values, {"edema": scores}, patients, 200, 10)
    assert both["b"] == evaluate_labels(values, {"edema": other}, patients, 200, 10)


def test_the_json_has_the_names_that_scripts_rely_on():
    y, scores, patients = patient_rows(10)
    found = evaluated(values_of(y), scores, patients).as_json()
    assert list(found) == [
        "n",
        "n_positive",
        "n_uncertain_dropped",
        "n_patients",
        "roc_auc",
        "roc_auc_ci",
        "average_precision",
        "average_precision_ci",
        "why",
    ]
    assert isinstance(found["roc_auc_ci"], list)
