import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_core.errors import TableError
from cxr_core.progress import telling
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, VALUES
from cxr_core.warehouse import local
from cxr_core.warehouse.parquet import write_table
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import open_warehouse


def test_new_and_replaced_files_are_seen_at_once(local_tables, label_rows, prediction_rows, tmp_path):
    warehouse = open_warehouse(local_tables)
    before = warehouse.distribution(None)
    write_table(tmp_path / "tables" / "labels_b.parquet", label_rows[-1:].assign(edema=3))
    after = warehouse.distribution(None)
    assert before["images"].sum() == 14 * len(label_rows)
    assert after["images"].sum() == 14 * (len(label_rows) // 2 + 1)

    write_table(tmp_path / "tables" / "second_predictions.parquet", prediction_rows, scale="probability")
    assert warehouse.prediction_tables() == ["net", "second"]
    assert warehouse.joined("second").scale == "probability"


def test_the_first_pattern_that_has_a_model_wins(local_tables, prediction_rows, tmp_path):
    own = tmp_path / "own" / "net_predictions.parquet"
    write_table(own, prediction_rows, scale="score")
    patterns = (*local_tables.predictions, str(own.parent / "{model}_predictions.parquet"))
    tables = TableSet("local", local_tables.labels, patterns, allowed=(*local_tables.allowed, own.parent))
    assert open_warehouse(tables).prediction_table("net").scale == "logit"


def test_only_the_folders_of_the_source_can_be_read(local_tables, tmp_path, label_rows):
    outside = tmp_path / "outside" / "labels.parquet"
    write_table(outside, label_rows)
    tables = TableSet("local", (str(outside),), (), allowed=local_tables.allowed)
    with pytest.raises(TableError, match="could not answer"):
        open_warehouse(tables).counts()
    for place in ["tables/../outside/labels.parquet", "tables/labels_a.parquet"]:
        tables = TableSet("local", (str(tmp_path / place),), (), allowed=local_tables.allowed)
        if ".." in place:
            with pytest.raises(TableError, match="could not answer"):
                open_warehouse(tables).counts()
        else:
            assert len(open_warehouse(tables).counts())


@pytest.mark.parametrize("is_large", [False, True])
def test_the_connection_is_locked(local_tables, is_large):
    open_warehouse(local_tables).counts()
    cursor = local._connection(local.LocalRunner(local_tables.allowed).allowed, is_large=is_large).cursor()
    for statement in ["SET enable_external_access = true", "INSTALL httpfs", "COPY (SELECT 1) TO '/tmp/x.csv'"]:
        with pytest.raises(duckdb.Error):
            cursor.execute(statement)
    cursor.close()


def test_a_large_question_that_nobody_waits_for_any_more_is_given_up(local_tables):
    """It would count to a hundred thousand million."""
    runner, told = local.LocalRunner(local_tables.allowed), []
    counting = "SELECT COUNTIF(MOD(a, 7) = MOD(b, 5)) AS n FROM UNNEST(GENERATE_ARRAY(1, 300000)) AS a"
    query = Query("long", f"{counting} CROSS JOIN UNNEST(GENERATE_ARRAY(1, 300000)) AS b", is_large=True)

    def give_up(progress):
        told.append(progress.words)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), telling(give_up):
        runner.run(query, [])
    assert told[0].startswith("Percent of the rows: ")
    assert runner.run(Query("short", "SELECT 1 AS n", is_large=True), [])[0].to_pylist() == [{"n": 1}]


def test_quotes_in_a_folder_are_no_sql(tmp_path, label_rows):
    folder = tmp_path / "it's; --"
    write_table(folder / "labels.parquet", label_rows)
    warehouse = open_warehouse(TableSet("local", (str(folder / "labels.parquet"),), (), allowed=(folder,)))
    assert warehouse.distribution(None)["images"].sum() == 14 * len(label_rows)


def test_threads_ask_at_the_same_time(local_tables):
    warehouse = open_warehouse(local_tables)
    expected = {view: warehouse.distribution(view) for view in ("frontal", "lateral")}
    with ThreadPoolExecutor(4) as pool:
        views = ["frontal", "lateral"] * 6
        for view, frame in zip(views, pool.map(warehouse.distribution, views), strict=True):
            pd.testing.assert_frame_equal(frame, expected[view])
        assert pool.submit(warehouse.last_answer, "counts").result() is None


def test_damaged_files_are_named(local_tables, tmp_path):
    file = tmp_path / "tables" / "labels_b.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    warehouse = open_warehouse(local_tables)
    with pytest.raises(TableError, match=r"labels_b.parquet must be a readable Parquet file"):
        warehouse.distribution()
    assert len(warehouse.check()) == 1
    file.unlink()
    with pytest.raises(TableError, match=r"labels_b.parquet does not exist"):
        warehouse.distribution()


def test_a_missing_column_is_named(local_tables, tmp_path):
    file = tmp_path / "tables" / "labels_b.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["edema"]), file)
    warehouse = open_warehouse(local_tables)
    with pytest.raises(TableError, match="must have the column edema"):
        warehouse.distribution()
    assert warehouse.check() == [f"The label table {file} lacks edema. Write or import it again."]


def test_a_local_warehouse_loads_nothing_of_google(local_tables):
    code = (
        "import sys; before = {*sys.modules}; from pathlib import Path; from cxr_core.warehouse.warehouse import open_warehouse;"
        "from cxr_core.warehouse.tables import TableSet;"
        f"t = TableSet('local', {local_tables.labels!r}, {local_tables.predictions!r}, allowed=(Path({str(local_tables.allowed[0])!r}),));"
        "w = open_warehouse(t); w.distribution(); w.joined('net');"
        "print([m for m in sys.modules.keys() - before if m.startswith(('google.cloud', 'google.auth', 'google.api_core'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


cells = st.one_of(st.none(), st.integers(0, 3))
images = st.tuples(st.integers(0, 12), st.integers(0, 2), st.sampled_from([None, 0, 1, 2]), cells, cells)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(images, min_size=1, max_size=40), view=st.sampled_from([None, "frontal", "other"]))
def test_distribution_equals_pandas_on_any_table(tmp_path, rows, view):
    """Paths repeat with other values, in other data sets; labels and views are NULL; values never occur."""
    frame = pd.DataFrame(rows, columns=["number", "dataset", "view", "edema", "fracture"])
    frame = frame.astype({"view": "Int64", "edema": "Int64", "fracture": "Int64"})
    frame = frame.assign(path=frame.pop("number").map("p{}".format), patient=1, study=1, image=1)
    others = {label: 0 for label in LABELS if label not in frame}
    file = tmp_path / "labels.parquet"
    frame.assign(**others)[[*KEY_COLUMNS, *LABELS]].to_parquet(file, index=False)

    warehouse = open_warehouse(TableSet("local", (str(file),), (), allowed=(tmp_path,)))
    found = warehouse.distribution(view).set_index(["label", "value", "dataset"])["images"]

    chosen = frame if view is None else frame[frame["view"] == {"frontal": 0, "other": 2}[view]]
    present = [name for code, name in enumerate(DATASETS) if (chosen["dataset"] == code).any()]
    assert len(found) == 14 * 4 * len(present)
    for label in ("edema", "fracture"):
        for code, value in enumerate(VALUES):
            for dataset in present:
                same = chosen[(chosen[label] == code).fillna(False) & (chosen["dataset"] == DATASETS.index(dataset))]
                assert found[label, value, dataset] == same["path"].nunique()
