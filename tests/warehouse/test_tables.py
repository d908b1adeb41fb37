import pytest

from cxr_core.errors import UsageError
from cxr_core.warehouse.tables import check_column, check_pattern, check_project, check_table, files_by_model


@pytest.mark.parametrize("name", ["physionet-data.mimic_cxr_derived.labels_train", "abcdef.d.t-1"])
def test_legal_table_names_pass(name):
    assert check_table(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "labels",
        "data.labels",
        "physionet-data.mimic.labels`; DROP TABLE x; --",
        "physionet-data.mimic.labels.more",
        "Physionet.mimic.labels",
        "short.mimic.labels",
        "physionet-data.mi-mic.labels",
        "physionet-data.mimic.labels\n",
        "physionet-data.mimic." + "x" * 1025,
    ],
)
def test_other_table_names_never_reach_sql(name):
    with pytest.raises(UsageError, match="project.dataset.table"):
        check_table(name)


@pytest.mark.parametrize("pattern", ["abcdef.d.predictions", "abcdef.{model}.x", "abcdef.d.{model}{model}", "{model}"])
def test_a_pattern_has_the_model_once_in_the_table(pattern):
    with pytest.raises(UsageError, match="project.dataset.table"):
        check_pattern(pattern)


def test_projects_and_columns_are_checked():
    assert check_project("your-analysis-project") == "your-analysis-project"
    assert check_column("age") == "age"
    for check, name in [(check_project, "x`"), (check_column, "age, path"), (check_column, "`")]:
        with pytest.raises(UsageError):
            check(name)


def test_models_are_found_by_their_files(tmp_path):
    for name in [
        "net.1_predictions.parquet",
        ".hidden_predictions.parquet",
        "net_predictions.parquet.tmp",
        "x.parquet",
    ]:
        (tmp_path / name).touch()
    pattern = str(tmp_path / "{model}_predictions.parquet")
    assert files_by_model(pattern) == {"net.1": str(tmp_path / "net.1_predictions.parquet")}
    assert files_by_model(str(tmp_path / "missing" / "{model}.h5")) == {}
