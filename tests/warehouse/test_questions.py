"""Every SQL text that the product can emit is BigQuery's language, and the distribution is the notebook's."""

import inspect
from itertools import product

import pandas as pd
import pyarrow as pa
import pytest
from bigquery_server import googlesql
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notebook_query import notebook_query

from cxr_core.schema import DATASETS, INTEGER_KEYS, LABELS, VALUES, VIEWS
from cxr_core.sources.registry import get_source
from cxr_core.warehouse import binned_questions, questions
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import open_warehouse

A, B, P = "data-project.cxr.labels_a", "data-project.cxr.labels_b", "data-project.cxr.net-1_predictions"
#: A table of which nothing is known, one that is compared without casts, filters its partitions and has blanks as NULL.
PLAIN = NamedTable(A)
KNOWN = NamedTable(B, frozenset({"view", "dataset"}), "(`age` >= -9 OR `age` IS NULL)", null_label=0)
NET = NamedTable(P)
SOME = ("edema", "support_devices")

#: Every question with every choice that changes its text.
EMITTED: dict[str, list[questions.Query]] = {
    "distribution": [
        questions.distribution(tables, view, unique)
        for tables, view, unique in product([[PLAIN], [PLAIN, KNOWN]], [None, "frontal"], [False, True])
    ],
    "grouped_distribution": [
        questions.grouped_distribution(tables, view, group, "q")
        for tables, view, group in product(
            [[PLAIN], [PLAIN, KNOWN]], [None, "lateral"], [("patient", "study"), ("patient",)]
        )
    ],
    "counts": [questions.counts([PLAIN]), questions.counts([PLAIN, KNOWN])],
    "shared_patients": [questions.shared_patients([PLAIN]), questions.shared_patients([PLAIN, KNOWN])],
    "cooccurrence": [
        questions.cooccurrence([PLAIN, KNOWN], value, view, dataset)
        for value, view, dataset in product(VALUES, [None, "other"], [None, "test"])
    ],
    "label_keys": [questions.label_keys([PLAIN]), questions.label_keys([PLAIN, KNOWN])],
    "labels": [
        questions.labels([PLAIN, KNOWN], dataset, view, extra)
        for dataset, view, extra in product([None, "valid"], [None, "frontal"], [(), ("age", "sex")])
    ],
    "joined": [
        questions.joined(NET, tables, names, "valid", view)
        for tables, names, view in product([[PLAIN], [PLAIN, KNOWN]], [SOME, LABELS], [None, "frontal"])
    ],
    "predictions": [questions.predictions(NET, names) for names in (SOME, LABELS)],
    "prediction_counts": [questions.prediction_counts(NET)],
    "prediction_rows": [questions.prediction_rows(NET)],
    "readings": [
        questions.readings(NamedTable("data-project.cxr.doctors_readings"), names) for names in (SOME, LABELS)
    ],
    "groups": [
        questions.groups(NamedTable("data-project.cxr.groups"), names) for names in (("race",), ("race", "insurance"))
    ],
    "rows_of_dataset": [binned_questions.rows_of_dataset(table, "test", None) for table in (NET, KNOWN)],
    "knots": [
        binned_questions.knots(NET, names, "test", None, share) for names in (SOME, LABELS) for share in (1, 0.5)
    ],
    "cells": [
        binned_questions.cells(NET, tables, dict.fromkeys(names, (-1.5, 0.0, 2.0)), "valid", view)
        for tables, names, view in (([PLAIN], SOME[:1], None), ([PLAIN, KNOWN], SOME, "frontal"))
    ],
    "truth": [questions.truth(NamedTable("data-project.cxr.truth"))],
}


def public_questions():
    made = [
        (name, module)
        for module in (questions, binned_questions)
        for name, _ in inspect.getmembers(module, inspect.isfunction)
    ]
    return {
        name
        for name, module in made
        if not name.startswith("_") and getattr(module, name).__module__ == module.__name__
    }


def schema(label_type, key_type=pa.int64(), further=()):  # noqa: B008
    keys = [
        ("path", pa.string()),
        *((key, key_type if key not in ("patient", "study") else pa.int64()) for key in INTEGER_KEYS),
    ]
    return pa.schema([*keys, *((label, label_type) for label in LABELS), *further])


def test_no_question_is_missing_here():
    assert set(EMITTED) == public_questions()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label_type", "key_type"),
    [(pa.int64(), pa.int64()), (pa.float64(), pa.float64()), (pa.string(), pa.string())],
    ids=["as DESIGN says", "as FLOAT64", "as STRING"],
)
@pytest.mark.parametrize("question", sorted(EMITTED))
def test_every_sql_text_is_accepted_by_googlesql(question, label_type, key_type):
    age = ("age", pa.int64()), ("sex", pa.string())
    tables = dict.fromkeys((A, B), schema(label_type, key_type, age))
    tables |= {P: schema(pa.float64(), key_type), "data-project.cxr.truth": schema(pa.int64())}
    tables |= {"data-project.cxr.doctors_readings": schema(label_type, key_type, (("reader", pa.string()),))}
    groups = ("race", pa.string()), ("insurance", pa.string())
    tables |= {"data-project.cxr.groups": schema(label_type, key_type, groups)}
    queries = EMITTED[question]
    assert len({query.sql + str(query.parameters) for query in queries}) == len(queries)
    for sql, names in {query.sql: tuple(query.parameters) for query in queries}.items():
        if key_type == pa.string() and KNOWN.name in sql:
            continue  # a text is never compared with a number
        found = googlesql.analyse(sql, tables, dict.fromkeys(names, "INT64"))
        assert found.read.keys() <= {*googlesql.table_names(sql)} <= tables.keys()


def test_the_referee_refuses_what_bigquery_would_refuse():
    """A guard against a referee that says yes to everything."""
    from bigquery_server import RefusedError

    good = questions.distribution([PLAIN], "frontal").sql
    for wrong in (
        good.replace("edema", "oedema", 1),
        good.replace("COUNT(DISTINCT path)", "COUNT_IF(path)"),
        good.replace("@view", "@nothing"),
        good.replace("INCLUDE NULLS", "INCLUDE NAN"),
        good.replace("GROUP BY label, value, dataset", "GROUP BY label, value"),
    ):
        with pytest.raises(RefusedError):
            googlesql.analyse(wrong, {A: schema(pa.int64())}, {"view": "INT64"})


def by_the_notebook(server, view):
    """The notebook's own query through the same client, as {(label, value, dataset): images}."""
    options = ClientOptions(api_endpoint=server.endpoint)
    with bigquery.Client("paying-project", AnonymousCredentials(), client_options=options) as client:
        rows = list(client.query(notebook_query(A, B, VIEWS.index(view))).result())
    known = [row for row in rows if row.label_value is not None]
    return {(row.label, VALUES[row.label_value], DATASETS[row.dataset]): row.cnt for row in known}


def by_the_product(server, view):
    tables = TableSet("bigquery", (A, B), (), project="paying-project", null_is="no_value")
    warehouse = open_warehouse(tables)
    warehouse.refresh()
    frame = warehouse.distribution(view)
    assert warehouse.last_answer("distribution").sql.count("SELECT") == 3  # one scan of each of the two tables
    found = frame.set_index(["label", "value", "dataset"])["images"].to_dict()
    return {key: images for key, images in found.items() if images}


def test_the_distribution_is_the_notebooks_on_the_demo(demo, bigquery_server):
    labels = [pd.read_parquet(file) for file in get_source("demo").tables.labels]
    rows = pd.concat(labels, ignore_index=True)
    bigquery_server.add(A, rows[rows["dataset"] == 0])
    bigquery_server.add(B, rows[rows["dataset"] != 0])
    for view in ("frontal", "lateral"):
        expected = by_the_notebook(bigquery_server, view)
        assert by_the_product(bigquery_server, view) == expected
        assert len(expected) > 14 * 4
    assert {statement.engine for statement in bigquery_server.billed()} == {"duckdb"}


codes = st.one_of(st.none(), st.integers(0, 3))
row = st.fixed_dictionaries(
    {
        "path": st.sampled_from([f"p{number}" for number in range(6)]),
        "view": st.integers(0, 2),
        "dataset": st.integers(0, 2),
        **{key: st.integers(1, 3) for key in ("patient", "study", "image")},
        "codes": st.lists(codes, min_size=14, max_size=14),
    }
)


def table_of(rows):
    columns = {key: [one[key] for one in rows] for key in ("path", *INTEGER_KEYS)}
    columns |= {label: [one["codes"][place] for one in rows] for place, label in enumerate(LABELS)}
    return pa.table({name: pa.array(values, schema(pa.int64()).field(name).type) for name, values in columns.items()})


def test_the_distribution_is_the_notebooks_on_any_table(bigquery_server, pytestconfig):
    @settings(
        max_examples=12 if pytestconfig.getoption("whole") else 4,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(train=st.lists(row, max_size=12), valid=st.lists(row, max_size=8))
    def holds(train, valid):
        bigquery_server.add(A, table_of(train))
        bigquery_server.add(B, table_of(valid))
        before = len(bigquery_server.billed())
        assert by_the_product(bigquery_server, "frontal") == by_the_notebook(bigquery_server, "frontal")
        assert {statement.engine for statement in bigquery_server.billed()[before:]} <= {"googlesql"}

    holds()
