"""No name that was not checked reaches SQL: not from cxr.toml, not from the command line, not from a caller."""

import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from cxr_core.cli import main
from cxr_core.errors import CxrError, UsageError
from cxr_core.schema import DATASETS, LABELS, VALUES, VIEWS
from cxr_core.sources.registry import get_source
from cxr_core.warehouse import questions, tables
from cxr_core.warehouse.bigquery import BigQueryRunner
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import Warehouse

HOSTILE = [
    "a.b.c; DROP TABLE x",
    "`",
    "\\",
    "../",
    "physionet-data.mimic.labels`; DROP TABLE x; --",
    "physionet-data.mimic.labels\\",
    "physionet-data.mimic.../labels",
    "physionet-data.mimic.labels\n",
    "physionet-data.mimic.läbels",
    "physionet-data.mimic.labels -- x",
    "example.com:`.mimic.labels",
    "example.com:a:data-project.mimic.labels",
    "physionet-data.mimic." + "x" * 2000,
    "x" * 2000,
    "",
    " ",
]
GOOD = "data-project.cxr.labels"
SAFE = re.compile(r"[A-Za-z0-9_-]+")
#: Near a legal name, which random text never is.
near = st.lists(
    st.sampled_from(
        ["data-project", "cxr", "labels", ".", "-", "_", "`", "\\", ";", " ", "'", '"', "\n", "é", "{model}"]
    ),
    max_size=8,
).map("".join)
names = st.one_of(st.text(max_size=60), near, st.text(alphabet="abc-_.`\\{}", max_size=40), st.sampled_from(HOSTILE))


def one_sentence(error):
    told = str(error)
    return "\n" not in told and len(told) < 320


class Captured(Exception):  # noqa: N818
    pass


def sql_of(monkeypatch_free_tables):
    """Return the SQL that a warehouse over these tables would send, None where a name is refused."""
    sent = []

    def insert(self, query, left, dry_run=False):
        sent.append(query.sql)
        raise Captured

    original = BigQueryRunner._insert
    BigQueryRunner._insert = insert
    try:
        Warehouse(monkeypatch_free_tables).distribution("frontal")
    except Captured:
        return sent[0]
    except UsageError as error:
        assert one_sentence(error)
        assert sent == []
        return None
    finally:
        BigQueryRunner._insert = original


@settings(max_examples=400, deadline=None)
@given(name=names)
@example("data-project.cxr.labels")
@example("data-project.cxr.labels-1")
@example("example.com:data-project.cxr.labels")
@example("data-project.cxr.`labels`")
def test_a_table_name_reaches_sql_checked_or_not_at_all(name):
    sent = sql_of(TableSet("bigquery", (name,), (), project="paying-project"))
    if sent is None:
        return
    assert all(SAFE.fullmatch(part) for part in name.removeprefix("example.com:").split("."))
    assert sent.split("`")[1::2] == [name]
    assert sent.replace(name, GOOD) == questions.distribution([NamedTable(GOOD)], "frontal").sql


@settings(max_examples=300, deadline=None)
@given(name=names)
@example("data-project.cxr.{model}_predictions")
def test_patterns_projects_data_sets_regions_and_columns_are_checked(name):
    for check in (
        tables.check_pattern,
        tables.check_project,
        tables.check_dataset,
        tables.check_region,
        tables.check_column,
    ):
        try:
            passed = check(name)
        except UsageError as error:
            assert one_sentence(error)
            continue
        assert passed == name
        assert all(SAFE.fullmatch(part) for part in name.replace("{model}", "model").split("."))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names)
def test_other_names_are_looked_up_and_never_sent(local_tables, name):
    assume(name not in (*VIEWS, *VALUES, *DATASETS, *LABELS, "net"))
    warehouse = Warehouse(local_tables)
    for ask in (
        lambda: warehouse.distribution(name),
        lambda: warehouse.cooccurrence(name),
        lambda: warehouse.labels(name),
        lambda: warehouse.joined(name),
        lambda: warehouse.predictions(name),
        lambda: warehouse.grouped_distribution(name),
    ):
        with pytest.raises(CxrError) as caught:
            ask()
        assert one_sentence(caught.value)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        with pytest.raises(UsageError):
            warehouse.labels(extra=[name])


def quoted(text):
    """Return a text as TOML has it."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


@pytest.mark.parametrize("name", HOSTILE[:-2])
@pytest.mark.parametrize("key", ["labels", "predictions", "project", "write", "location"])
def test_hostile_names_in_the_configuration_are_one_sentence(tmp_path, capsys, key, name):
    (tmp_path / "cxr.toml").write_text(f'[sources.ours]\nkind = "bigquery"\n{key} = {quoted(name)}\n', encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        get_source("ours")
    assert one_sentence(str(caught.value).replace(str(tmp_path), ""))
    assert str(caught.value).startswith(f"{tmp_path / 'cxr.toml'}: {key}")
    assert main(["distribution", "--source", "ours"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_on_the_command_line_are_one_sentence(tmp_path, capsys, name):
    (tmp_path / "cxr.toml").write_text(
        '[sources.ours]\nkind = "bigquery"\nlabels = "data-project.cxr.labels"\nwrite = "data-project.cxr"\n'
    )
    for command in (
        ["distribution", f"--source={name}"],
        ["distribution", "--source=ours", f"--view={name}"],
        ["export", "predictions", "--source=ours", "--model=net", f"--to={name or ' '}"],
        ["evaluate", "--source=ours", "--dataset=" + name, "net"],
    ):
        assert main(command) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert one_sentence(told.err.strip())


def test_label_names_are_legal_columns():
    assert all(tables.check_column(label) == label for label in LABELS)
