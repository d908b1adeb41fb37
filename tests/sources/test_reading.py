"""Who is in the demo, what they have, and what the reports say: properties of the default cohort."""

import numpy as np
import pandas as pd
import pytest

from cxr_core.schema import DATASETS, LABELS, TRAINING_VIEWS, Value
from cxr_core.sources.phantoms.cohort import draw_cohort
from cxr_core.sources.phantoms.reading import DOUBTED, HABITS, likeness, read_studies

FINDINGS = LABELS[1:]


def read_cohort(seed, studies):
    cohort = draw_cohort(seed, studies)
    read_studies(seed, cohort)
    return cohort


def images_of(cohort):
    rows = [
        {"dataset": s.dataset, "patient": s.patient, "study": s.study, "image": image, "view": view}
        | {f"true_{label}": value for label, value in s.truth.items()}
        | s.labels
        for s in cohort
        for image, view in s.images
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(2019, (1500, 500, 500))


@pytest.fixture(scope="module")
def images(cohort):
    return images_of(cohort)


def test_the_same_seed_gives_the_same_cohort(cohort):
    assert read_cohort(2019, (1500, 500, 500)) == cohort


def test_another_seed_gives_other_labels():
    assert [s.labels for s in read_cohort(1, (20, 5, 5))] != [s.labels for s in read_cohort(2, (20, 5, 5))]


def test_data_sets_have_the_studies_that_were_asked_for(cohort):
    assert [sum(s.dataset == name for s in cohort) for name in DATASETS] == [1500, 500, 500]


def test_no_patient_is_in_two_data_sets(images):
    assert (images.groupby("patient").dataset.nunique() == 1).all()


def test_patient_ids_have_eight_digits(images):
    assert images.patient.between(10_000_000, 19_999_999).all()


def test_a_patient_has_one_to_four_studies_numbered_from_one(images):
    for numbers in images.groupby("patient").study.unique():
        assert list(numbers) == list(range(1, len(numbers) + 1))
        assert len(numbers) <= 4


def test_images_are_numbered_from_one_within_their_study(images):
    for numbers in images.groupby(["patient", "study"]).image.apply(list):
        assert numbers == list(range(1, len(numbers) + 1))


def test_each_study_has_a_frontal_image_and_most_a_lateral_one(images):
    views = images.groupby(["patient", "study"]).view.agg(list)
    assert views.map(lambda seen: "frontal" in seen).all()
    assert 0.8 < views.map(lambda seen: "lateral" in seen).mean() < 0.95
    assert views.map(lambda seen: seen.count("frontal") == 2).any()
    assert views.map(lambda seen: seen.count("lateral") == 2).any()
    assert views.map(lambda seen: "other" in seen).any()


def test_no_finding_is_true_exactly_when_nothing_but_devices_is_there(images):
    others = images[[f"true_{label}" for label in FINDINGS if label != "support_devices"]].sum(axis=1)
    assert ((others == 0) == (images.true_no_finding == 1)).all()


def test_not_mentioned_is_the_majority_for_every_label(images):
    for label in LABELS:
        assert (images[label] == Value.not_mentioned).mean() > 0.5, label


@pytest.mark.parametrize("view", TRAINING_VIEWS)
def test_uncertain_outnumbers_positive_for_exactly_the_four_doubted_labels(images, view):
    train = images[(images.dataset == "train") & (images.view == view)]
    doubted = {
        label for label in LABELS if (train[label] == Value.uncertain).sum() > (train[label] == Value.positive).sum()
    }
    assert doubted == set(DOUBTED)


@pytest.mark.parametrize("dataset", ["valid", "test"])
@pytest.mark.parametrize("view", TRAINING_VIEWS)
def test_every_label_has_enough_certain_positives(images, dataset, view):
    part = images[(images.dataset == dataset) & (images.view == view)]
    assert min((part[label] == Value.positive).sum() for label in LABELS) >= 24


@pytest.mark.parametrize("seed", [0, 1])
def test_other_seeds_have_enough_certain_positives_too(seed):
    images = images_of(read_cohort(seed, (10, 500, 500)))
    for _, part in images[images.view.isin(TRAINING_VIEWS) & (images.dataset != "train")].groupby(["dataset", "view"]):
        assert min((part[label] == Value.positive).sum() for label in LABELS) >= 20


def test_faint_findings_are_left_out_and_plain_ones_are_reported(cohort):
    for name in FINDINGS:
        strengths = {value: [] for value in Value}
        for study in cohort:
            if name in study.strengths:
                strengths[study.labels[name]].append(study.strengths[name])
        positive, uncertain, blank = (
            np.mean(strengths[value]) if len(strengths[value]) > 10 else None
            for value in (Value.positive, Value.uncertain, Value.not_mentioned)
        )
        if uncertain is not None:
            assert positive > uncertain + 0.05, name
        if blank is not None:
            assert positive > blank + 0.2, name


def test_what_is_reported_wrongly_looks_like_something_that_is_there(cohort):
    for name in FINDINGS:
        absent = [study for study in cohort if name not in study.strengths]
        alike = np.array([likeness(study, HABITS[name].alike) for study in absent])
        said = np.isin([study.labels[name] for study in absent], (Value.positive, Value.uncertain))
        assert alike[said].mean() > alike[~said].mean() + 0.1, name


def test_findings_occur_together_as_in_patients(images):
    def risk(of, given):
        return images[images[f"true_{given}"] == 1][f"true_{of}"].mean() / images[f"true_{of}"].mean()

    assert risk("edema", "cardiomegaly") > 1.5
    assert risk("pleural_effusion", "edema") > 1.5
    assert risk("airspace_opacity", "pneumonia") > 1.5
    assert risk("consolidation", "pneumonia") > 1.5
