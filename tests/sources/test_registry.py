import pytest

from cxr_core.errors import SettingsError, UnknownNameError, UsageError
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source, problems, ready_source, record_files, source_folder, source_names
from cxr_core.tasks.sources import source_reports

BIGQUERY = """
[sources.mimic-cxr]
kind        = "bigquery"
project     = "your-analysis-project"
labels      = ["physionet-data.mimic_cxr_derived.labels_train",
               "physionet-data.mimic_cxr_derived.labels_valid"]
predictions = "physionet-data.mimic_cxr_derived.{model}_predictions"
models      = "gs://mimic_cxr_derived/models/{model}.h5"
records     = "gs://mimic_cxr_derived/tfrecords/{dataset}/{view}*"
maximum_bytes_billed = 5_000_000
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Write a cxr.toml that lies elsewhere than the working directory."""
    file = tmp_path / "configuration" / "cxr.toml"
    file.parent.mkdir()
    monkeypatch.setenv("CXR_CONFIG", str(file))

    def write(text):
        file.write_text(text)
        return file.parent

    write("")
    return write


def test_the_demo_is_listed_before_it_is_built():
    assert source_names() == ["demo"]
    assert get_source("demo").synthetic
    assert problems(get_source("demo")) == ["The demo is not built yet: run `python -m cxr_core demo`."]
    with pytest.raises(UsageError, match="python -m cxr_core demo"):
        ready_source("demo")


def test_a_bigquery_source_keeps_its_names_and_gains_the_workspace(config, workspace):
    config(BIGQUERY)
    source = get_source("mimic-cxr")
    own = workspace / "sources" / "mimic-cxr"
    assert source.labels[1] == "physionet-data.mimic_cxr_derived.labels_valid"
    assert source.predictions == (
        "physionet-data.mimic_cxr_derived.{model}_predictions",
        str(own / "predictions" / "{model}_predictions.parquet"),
    )
    assert source.models == ("gs://mimic_cxr_derived/models/{model}.h5", str(own / "models" / "{model}.h5"))
    assert source.records == "gs://mimic_cxr_derived/tfrecords/{dataset}/{view}*"
    assert (source.project, source.maximum_bytes_billed) == ("your-analysis-project", 5_000_000)
    assert set(source.tables.allowed) == {own, own / "predictions", own / "readings"}
    assert not source.synthetic


def test_paths_start_at_the_configuration_or_at_home(config, workspace, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    folder = config(
        '[sources.ours]\nkind = "local"\nlabels = ["a.parquet", "~/b.parquet", "/c.parquet"]\nrecords = "r/{view}*"'
    )
    source = get_source("ours")
    assert source.labels == (str(folder / "a.parquet"), str(tmp_path / "me" / "b.parquet"), "/c.parquet")
    assert source.records == str(folder / "r" / "{view}*")
    assert source.predictions == (str(workspace / "sources" / "ours" / "predictions" / "{model}_predictions.parquet"),)


def test_every_key_but_kind_is_optional(config, workspace):
    config('[sources.bare]\nkind = "local"')
    source = get_source("bare")
    assert source.labels == (str(workspace / "sources" / "bare" / "labels*.parquet"),)
    assert source.records == str(workspace / "sources" / "bare" / "records" / "{dataset}" / "{view}*")
    assert source.tables.labels == ()
    assert [problem.split(" ")[0:3] for problem in problems(source)] == [
        ["No", "label", "table"],
        ["No", "prediction", "table"],
        ["No", "TFRecords", "match"],
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[sources.x]\nlabels = "a.parquet"', "kind of source 'x' must be one of local, bigquery. Received: None"),
        ('[sources.x]\nkind = "spanner"', "kind .* Received: 'spanner'"),
        ('[sources.x]\nkind = "local"\nlabel = "a.parquet"', "unknown key 'label' in source 'x'"),
        ('[sources.x]\nkind = "local"\nlabels = 3', "labels must be a text or a list of texts. Received: 3"),
        ('[sources.x]\nkind = "local"\nlabels = "a.csv"', "labels must name Parquet files"),
        ('[sources.x]\nkind = "local"\npredictions = "p.parquet"', "predictions must have {model} once"),
        ('[sources.x]\nkind = "local"\nmodels = "{model}/m.h5"', "models must have {model} once"),
        ('[sources.x]\nkind = "local"\nrecords = ["a", "b"]', "records must be one text"),
        ('[sources.x]\nkind = "local"\nsynthetic = "yes"', "synthetic must be true or false"),
        ('[sources.x]\nkind = "bigquery"\nmaximum_bytes_billed = -1', "maximum_bytes_billed must be a whole number"),
        ('[sources.x]\nkind = "bigquery"\nlabels = "a.b"', "labels: A BigQuery table must be written"),
        ('[sources.x]\nkind = "bigquery"\npredictions = "abcdef.b.c"', "predictions: .* {model} once"),
        ('[sources.x]\nkind = "bigquery"\nproject = "No Project"', "project: A project ID"),
        ("[sources]\nx = 3", "must be a table"),
    ],
)
def test_mistakes_name_the_file_and_the_key(config, text, words):
    folder = config(text)
    with pytest.raises(SettingsError, match=words) as caught:
        get_source("x")
    assert str(caught.value).startswith(str(folder / "cxr.toml"))


def test_a_wrong_source_is_listed_with_its_problem_and_spoils_no_other(config):
    folder = config(
        '[sources.good]\nkind = "local"\n[sources.bad]\nkind = "spanner"\n'
        '[sources."a b"]\nkind = "local"\n[sources.demo]\nkind = "bigquery"'
    )
    assert get_source("good").kind == "local"
    assert get_source("demo").synthetic
    found = {report.source: report for report in source_reports()}
    assert list(found) == ["demo", "a b", "bad", "good"]
    assert [found[name].kind for name in found] == ["local", "unknown", "unknown", "local"]
    for name, words in (("a b", "A source name must be"), ("bad", "'spanner'"), ("demo", "reserved")):
        assert found[name].problems[0].startswith(str(folder / "cxr.toml"))
        assert words in found[name].problems[0]
    for name in ("a b", "bad"):
        with pytest.raises(SettingsError):
            get_source(name)


def test_unknown_sources_name_the_known_ones(config):
    config(BIGQUERY)
    for name in ("mimic", "../demo", ""):
        with pytest.raises(UnknownNameError, match="Choose one of: demo, mimic-cxr"):
            get_source(name)


def test_sources_of_the_workspace_register_themselves(workspace, config):
    for name in ("imported", ".hidden"):
        source_folder("imported").parent.mkdir(parents=True, exist_ok=True)
        (source_folder("imported").parent / name).mkdir()
        (source_folder("imported").parent / name / "source.toml").write_text('kind = "local"\nlabels = "l.parquet"')
    assert source_names() == ["demo", "imported"]
    assert get_source("imported").labels == (str(workspace / "sources" / "imported" / "l.parquet"),)
    config('[sources.imported]\nkind = "bigquery"')
    assert get_source("imported").kind == "bigquery"


def test_a_damaged_source_file_is_named(workspace):
    folder = source_folder("imported")
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text("kind = local")
    with pytest.raises(SettingsError, match="source.toml is no valid TOML"):
        get_source("imported")


def test_problems_say_what_is_missing(config, tmp_path):
    folder = config('[sources.ours]\nkind = "local"\nlabels = ["a.parquet", "b.parquet"]')
    (folder / "b.parquet").write_text("no table")
    found = problems(get_source("ours"))
    assert f"{folder / 'a.parquet'} does not exist" in found[0]
    assert f"{folder / 'b.parquet'} must be a readable Parquet file" in found[1]


def test_what_a_source_has_is_counted_by_files(workspace):
    folder = source_folder("imported")
    for file in ["records/train/frontal-00000-of-00002", "records/train/frontal-00001-of-00002",
                 "records/valid/lateral-00000-of-00001", "models/net.h5"]:  # fmt: skip
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    (folder / "source.toml").write_text('kind = "local"')

    source = get_source("imported")
    assert record_files(source) == {"train": {"frontal": 2}, "valid": {"lateral": 1}}
    assert source.weights() == {"net": str(folder / "models" / "net.h5")}
    assert source.model_path("net") == folder / "models" / "net.h5"
    report = source_reports()[1].as_json()
    assert list(report) == ["source", "kind", "labels", "predictions", "records", "models", "problems"]
    assert (report["source"], report["models"], report["records"]) == ("imported", ["net"], record_files(source))
    with pytest.raises(UsageError):
        source.predictions_path("../net")
    assert settings().home == workspace
