import numpy as np
import pandas as pd
import pytest

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import DATASETS, LABELS, VALUES, VIEWS, image_path
from cxr_core.sources.registry import get_source, source_folder
from cxr_core.tasks.distribution import (
    cooccurrence,
    distribution,
    label_overview,
    positive_rates,
    shared_patients,
    uncertain_outnumbers_positive,
    value_counts,
)
from cxr_core.tasks.sources import source_reports
from cxr_core.warehouse.parquet import write_table


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    count = 300
    frame = pd.DataFrame({label: rng.choice(4, count, p=[0.5, 0.2, 0.1, 0.2]) for label in LABELS})
    frame["edema"] = rng.choice(4, count, p=[0.1, 0.1, 0.7, 0.1])
    patient, view = np.arange(count) // 3, rng.integers(0, 3, count)
    dataset = np.where(patient < 70, 0, 1)
    keys = {"patient": patient, "study": 1, "image": np.arange(count) % 3 + 1, "view": view, "dataset": dataset}
    frame = pd.DataFrame({**keys, **frame})
    frame["path"] = [image_path(DATASETS[d], p, 1, i % 3 + 1, VIEWS[v]) for i, (d, p, v) in enumerate(zip(dataset, patient, view, strict=True))]  # fmt: skip
    return frame


@pytest.fixture
def imported(rows, workspace):
    """A source in the workspace with one label table of train and valid."""
    folder = source_folder("imported")
    write_table(folder / "labels.parquet", rows)
    (folder / "source.toml").write_text('kind = "local"')
    return "imported"


def test_the_overview_answers_the_page(imported, rows):
    overview = label_overview(imported, "frontal")
    frontal_train = rows[(rows["view"] == 0) & (rows["dataset"] == 0)]
    more = [label for label in LABELS if (frontal_train[label] == 2).sum() > (frontal_train[label] == 3).sum()]
    assert overview.more_uncertain == tuple(more) and "edema" in more
    assert overview.datasets == ("train", "valid")
    assert not overview.synthetic
    of_train = overview.counts.set_index(["dataset", "view"]).loc[("train", "all")]
    assert of_train.tolist() == [(rows["dataset"] == 0).sum(), 70, 70]
    assert [answer.question for answer in overview.answers] == ["distribution", "counts"]
    assert all("labels.parquet" in answer.sql for answer in overview.answers)
    pd.testing.assert_frame_equal(overview.distribution, distribution(imported, "frontal"))


def test_cooccurrence_of_a_source(imported, rows):
    chosen = rows[(rows["view"] == 1) & (rows["dataset"] == 1)]
    both = ((chosen["edema"] == 2) & (chosen["fracture"] == 2)).sum()
    assert cooccurrence(imported, "lateral", "uncertain", "valid").loc["edema", "fracture"] == both


@pytest.mark.parametrize(("u", "w"), [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.25), (0.4, 0.75)])
def test_positive_rates_are_what_the_loss_sees(imported, rows, u, w):
    rates = positive_rates(distribution(imported, "frontal"), u, w)
    train = rows[(rows["view"] == 0) & (rows["dataset"] == 0)]
    targets, weights = np.array([0, 0, u, 1])[train[list(LABELS)]], np.array([1, 1, w, 1])[train[list(LABELS)]]
    np.testing.assert_allclose(rates, (targets * weights).sum(0) / weights.sum(0), rtol=1e-12)
    assert list(rates.index) == list(LABELS)


def test_positive_rates_take_one_policy_a_label(imported):
    frame = distribution(imported, "frontal")
    u, w = np.linspace(0, 1, 14), np.linspace(1, 0, 14)
    rates = positive_rates(frame, u, w)
    for index, label in enumerate(LABELS):
        assert rates[label] == positive_rates(frame, u[index], w[index])[label]


def test_positive_rates_count_blanks_as_the_loss_does(imported, rows):
    u, w, blank_u, blank_w = np.random.default_rng(3).random((4, 14))
    rates = positive_rates(distribution(imported, "frontal"), u, w, "train", blank_u, blank_w)
    train = rows[(rows["view"] == 0) & (rows["dataset"] == 0)]
    for index, label in enumerate(LABELS):
        targets = np.array([blank_u[index], 0, u[index], 1])[train[label]]
        weights = np.array([blank_w[index], 1, w[index], 1])[train[label]]
        assert rates[label] == pytest.approx((targets * weights).sum() / weights.sum(), rel=1e-12)


def test_labels_without_any_weight_have_no_rate():
    only_uncertain = pd.DataFrame({"label": ["edema"], "value": ["uncertain"], "dataset": ["train"], "images": [5]})
    rates = positive_rates(only_uncertain, 1.0, 0.0)
    assert rates.isna().all()
    assert positive_rates(only_uncertain, 0.3, 0.5)["edema"] == pytest.approx(0.3)
    assert uncertain_outnumbers_positive(only_uncertain, "train") == ("edema",)
    assert value_counts(only_uncertain, "test").shape == (14, 4)
    assert list(value_counts(only_uncertain, "test").columns) == list(VALUES)


@pytest.mark.parametrize(("u", "w"), [(1.5, 0.5), (0.5, -0.1), (float("nan"), 0.5)])
def test_policies_outside_zero_to_one_are_refused(imported, u, w):
    with pytest.raises(UsageError, match="must be between 0 and 1"):
        positive_rates(distribution(imported), u, w)


def test_what_does_not_exist_is_refused(imported):
    for question in [lambda: distribution("mimic"), lambda: distribution(imported, "oblique"),
                     lambda: cooccurrence(imported, dataset="holdout"), lambda: label_overview("demo", "x")]:  # fmt: skip
        with pytest.raises(UnknownNameError):
            question()
    with pytest.raises(UsageError, match="not built yet"):
        label_overview("demo")


def test_a_view_without_images_is_an_empty_answer(rows, workspace):
    folder = source_folder("frontal-only")
    write_table(folder / "labels.parquet", rows[rows["view"] == 0])
    (folder / "source.toml").write_text('kind = "local"')
    overview = label_overview("frontal-only", "lateral")
    assert (len(overview.distribution), overview.datasets, overview.more_uncertain) == (0, (), ())
    assert list(overview.distribution.columns) == ["label", "value", "dataset", "images"]


def test_the_built_demo_has_labels_and_records_and_matches_pandas(demo):
    report = source_reports()[0]
    assert [problem for problem in report.problems if not problem.startswith("No prediction table")] == []
    assert {view for views in report.records.values() for view in views} == {"frontal", "lateral"}
    tables = pd.concat([pd.read_parquet(file) for file in get_source("demo").tables.labels])
    frontal = tables[tables["view"] == 0]
    frame = distribution("demo", "frontal")
    assert len(frame) == 14 * 4 * 3
    for label, value, dataset, images in frame.itertuples(index=False):
        same = (frontal[label] == VALUES.index(value)) & (frontal["dataset"] == DATASETS.index(dataset))
        assert images == frontal[same]["path"].nunique()
    assert len(label_overview("demo").more_uncertain) >= 4


def test_patients_that_stand_in_two_data_sets_are_counted(imported, rows):
    assert shared_patients("imported") == 0
    moved = rows.assign(dataset=np.where(np.arange(len(rows)) % 3 == 0, 2, rows["dataset"]))
    write_table(source_folder(imported) / "labels.parquet", moved)
    assert shared_patients("imported") == int((moved.groupby("patient")["dataset"].nunique() > 1).sum())
