import numpy as np
import pytest
from brute_force import area_bounds, influences, patient_rows, rarer_patients, values_of, weighted_ap, weighted_auc
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.labels import evaluate_labels, evaluate_models


def evaluated(values, scores, patients, label="edema", method="formula"):
    return evaluate_labels({label: values}, {label: scores}, patients, 200, 10, method).labels[label]


def test_figures_and_intervals_equal_a_plain_bootstrap_over_patients():
    y, scores, patients = patient_rows(4)
    values = values_of(y)
    values[::7] = 2
    certain = values != 2
    found = evaluated(values, scores, patients, method="bootstrap")
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
    rows = y[certain], scores[certain], patients[certain]
    rarer = rarer_patients(rows[0], rows[2])
    for figure, weighted, replicates, ci in (
        (found.roc_auc, weighted_auc, aucs, found.roc_auc_ci),
        (found.average_precision, weighted_ap, aps, found.average_precision_ci),
    ):
        assert ci == pytest.approx(area_bounds(figure, replicates, influences(weighted, *rows), rarer), abs=1e-8)
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


def test_with_positives_only_neither_figure_is_defined_and_neither_enters_the_mean():
    y, scores, patients = patient_rows(7)
    found = evaluate_labels(
        {"edema": np.full(80, 3), "fracture": values_of(y)},
        dict.fromkeys(("edema", "fracture"), scores),
        patients,
        50,
        10,
    )
    edema = found.labels["edema"]
    assert (edema.roc_auc, edema.average_precision, edema.average_precision_ci) == (None, None, None)
    assert set(edema.why.values()) == {"there are no negatives"}
    assert found.mean_average_precision.labels == found.mean_roc_auc.labels == 1
    assert found.mean_average_precision.value == found.labels["fracture"].average_precision


def test_a_perfect_and_a_constant_model_have_no_interval_of_no_width():
    y, _, patients = patient_rows(8, n=200, patients=100)
    perfect, reversed_, constant = (evaluated(values_of(y), s, patients) for s in (y + 0.0, -y - 0.0, np.ones(200)))
    assert (perfect.roc_auc, perfect.average_precision) == (1.0, 1.0)
    assert (perfect.roc_auc_ci, perfect.average_precision_ci) == (None, None)
    assert "separate the two classes completely" in perfect.why["roc_auc_ci"]
    assert "separate the two classes completely" in perfect.why["average_precision_ci"]
    assert (reversed_.roc_auc, reversed_.roc_auc_ci) == (0.0, None)
    assert (constant.roc_auc, constant.roc_auc_ci) == (0.5, None)
    assert constant.why == {"roc_auc_ci": "all predictions are equal, so nothing is ranked"}
    # The average precision of a constant is the prevalence, which these patients do leave uncertain.
    low, high = constant.average_precision_ci
    assert low < constant.average_precision == y.mean() < high


def test_an_interval_near_the_end_stays_inside_and_reaches_further_down_than_up():
    rng = np.random.default_rng(0)
    y, patients = np.repeat([1, 0], [60, 140]), np.arange(200)
    found = evaluated(values_of(y), rng.normal(size=200) + 3 * y, patients)
    low, high = found.roc_auc_ci
    assert 0.9 < low < found.roc_auc < high < 1
    assert found.roc_auc - low > 1.5 * (high - found.roc_auc)


def test_rows_without_a_prediction_are_left_out_and_counted():
    y, scores, patients = patient_rows(7)
    values, holed = values_of(y), scores.copy()
    holed[[5, 3]] = np.nan, np.inf
    values[9] = -1
    kept = np.delete(np.arange(80), [3, 5, 9])
    found = evaluated(values, holed, patients)
    assert (found.n, found.n_missing, found.first_missing) == (77, 3, 3)
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(y[kept], scores[kept]), abs=1e-12)
    assert found.why == {}


def test_a_label_that_lacks_more_than_a_twentieth_is_refused_with_the_count():
    y, scores, patients = patient_rows(7)
    scores[:4] = np.nan
    assert evaluated(values_of(y), scores, patients).roc_auc is not None
    scores[4] = np.nan
    found = evaluated(values_of(y), scores, patients)
    assert (found.roc_auc, found.roc_auc_ci, found.average_precision, found.average_precision_ci) == (None,) * 4
    assert set(found.why.values()) == {"5 of 80 predictions are missing, NaN or infinite; at most 5 % may be left out"}


def test_a_row_that_one_model_lacks_is_left_out_for_all_but_a_refused_model_takes_none():
    y, scores, patients = patient_rows(7)
    holed, broken = scores.copy(), scores.copy()
    holed[3], broken[10:50] = np.nan, np.nan
    models = {name: {"edema": s} for name, s in (("whole", scores), ("holed", holed), ("broken", broken))}
    found = evaluate_models({"edema": values_of(y)}, models, patients, 50, 10)
    assert found["whole"].labels["edema"].n == found["holed"].labels["edema"].n == 79
    assert found["whole"].labels["edema"].roc_auc == found["holed"].labels["edema"].roc_auc
    assert found["whole"].labels["edema"].n_missing == 0
    assert found["broken"].labels["edema"].roc_auc is None


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
    found = evaluated(values_of(y), np.arange(80.0)[::-1], patients, method="bootstrap")
    assert found.roc_auc == 1.0
    assert found.roc_auc_ci is None
    assert found.n_positive_patients == 1
    assert found.why["roc_auc_ci"].startswith("only 1 patient with a positive label")
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
    # The two AUCs mirror each other whoever is drawn, so their mean never varies.
    assert (figures.mean_roc_auc.ci, figures.mean_roc_auc.why) == (None, "it is the same whichever patients are drawn")


def test_the_mean_of_nothing_and_of_a_single_patient_say_why():
    nothing = evaluate_labels({"edema": np.zeros(5)}, {"edema": np.zeros(5)}, np.arange(5), 50, 10)
    assert nothing.mean_roc_auc.value is None
    assert nothing.mean_roc_auc.why == "it is defined on no label"
    few = evaluate_labels({"edema": [3, 0]}, {"edema": [1.0, 0.0]}, [1, 2], 50, 10)
    assert (few.mean_roc_auc.value, few.mean_roc_auc.ci) == (1.0, None)
    assert few.mean_roc_auc.why == "on one of these labels a class is of a single patient"


def test_a_mean_over_labels_of_which_none_has_an_interval_has_none_either():
    y, scores, patients = patient_rows(8)
    values, models = (
        {"edema": values_of(y), "fracture": values_of(1 - y)},
        {"edema": scores, "fracture": scores**3 - patients % 5},
    )
    for minimum, said in ((2, None), (1_000, "none of these labels has 1000 patients of each class")):
        found = evaluate_labels(values, models, patients, 50, minimum)
        assert (found.labels["edema"].roc_auc_ci is None) == (found.mean_roc_auc.ci is None) == (said is not None)
        assert (said or "") in (found.mean_roc_auc.why or "")
        compared = compare_labels(
            values, models, {label: -one + patients % 3 for label, one in models.items()}, patients, minimum
        )
        assert (compared.labels["edema"].ci is None) == (compared.mean.ci is None) == (said is not None)


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
        "prevalence",
        "n_uncertain_dropped",
        "n_patients",
        "roc_auc",
        "roc_auc_ci",
        "average_precision",
        "average_precision_ci",
        "n_missing",
        "missing_example",
        "why",
        "ci_method",
    ]
    assert isinstance(found["roc_auc_ci"], list)


def test_the_formula_takes_over_where_both_classes_have_enough_patients():
    rng = np.random.default_rng(3)
    y, patients = np.repeat([1, 0], [100, 300]), np.arange(400)
    scores = rng.normal(size=400) + y
    assert evaluated(values_of(y), scores, patients, method="auto").ci_method == "formula"
    fewer = np.arange(400) > 0
    found = evaluated(values_of(y)[fewer], scores[fewer], patients[fewer], method="auto")
    assert found.ci_method == "bootstrap"
    assert found == evaluated(values_of(y)[fewer], scores[fewer], patients[fewer], method="bootstrap")


def test_the_interval_of_a_mean_is_that_of_the_mean_of_the_influences():
    y, scores, patients = patient_rows(15, n=300, patients=120)
    values = {"edema": values_of(y), "fracture": values_of(np.roll(y, 1))}
    models = {"edema": scores, "fracture": np.roll(scores, 1) / 2}
    found = evaluate_labels(values, models, patients, 200, 10, "formula").mean_roc_auc
    each = [influences(weighted_auc, y, scores, patients)]
    each.append(influences(weighted_auc, np.roll(y, 1), np.roll(scores, 1), patients))
    rarer = np.array([rarer_patients(y, patients), rarer_patients(np.roll(y, 1), patients)])
    variances = np.array([(u @ u) * n / (n - 1) for u, n in zip(each, rarer, strict=True)])
    freedom = variances.sum() ** 2 / (variances**2 / (rarer - 1)).sum()
    mean = np.mean(each, axis=0)
    error = np.sqrt(mean @ mean * (freedom + 1) / freedom) / (found.value * (1 - found.value))
    expected = expit(logit(found.value) + stats.t.ppf([0.025, 0.975], freedom) * error)
    assert found.ci == pytest.approx(expected, abs=1e-8)
    assert found.ci_method == "formula"


def test_formula_and_bootstrap_agree_on_many_patients():
    y, scores, patients = patient_rows(16, n=1200, patients=400)
    by = {
        method: evaluate_labels({"": values_of(y)}, {"": scores}, patients, 1000, 10, method)
        for method in ("formula", "bootstrap")
    }
    for figure in ("roc_auc", "average_precision"):
        one, other = (getattr(by[method].labels[""], f"{figure}_ci") for method in by)
        assert one == pytest.approx(other, abs=0.05 * (other[1] - other[0]))
        one, other = (by[method].mean(figure).ci for method in by)
        assert one == pytest.approx(other, abs=0.05 * (other[1] - other[0]))
