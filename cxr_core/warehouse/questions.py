"""The questions that a warehouse is asked, each written once, in BigQuery's dialect.

Values are bound as parameters. Names of tables and columns cannot be bound: tables are checked by `tables.check_table`
or made by the local warehouse, columns come from the schema (or pass `tables.check_column`), and tables stand between
backticks. Codes are cast because other tools store them as FLOAT64 or even STRING, which BigQuery compares with no
number; patients and studies are identified, never compared with a number, and stay as they are. How a table is to be
filtered, and what its NULL labels are, it says itself (`NamedTable`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cxr_core.schema import INTEGER_KEYS, KEY_COLUMNS, LABELS, READER_COLUMN, SET_ASIDE_COLUMN, Value
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.sql_parts import as_codes, bound_to, key_parts, union
from cxr_core.warehouse.tables import check_column


@dataclass(frozen=True)
class Query:
    """A question: its name, its SQL in BigQuery's dialect, and the integers bound to its @parameters.

    `counted` says how images are counted where that is a choice. `is_large`: it is asked of tables of any size, and may
    take no more memory for that.
    """

    question: str
    sql: str
    parameters: dict[str, int] = field(default_factory=dict)
    counted: str = ""
    is_large: bool = False


#: How images are counted: the definition, and what gives the same number where no path stands twice.
DISTINCT_PATHS, ROWS = "COUNT(DISTINCT path)", "COUNT(*)"
#: Ends the name of a column that holds a value which is no code, or the number of NULLs.
STRANGE, NULLS = "_strange", "_nulls"
#: Begins the name of a column that counts the rows of one of several label tables, by its place.
ROWS_OF_TABLE = "rows_of_table_"


def distribution(tables: Sequence[NamedTable], view: str | None, unique: bool = False) -> Query:
    """Count the images of each label, value and data set, in one scan; a value may be NULL.

    Where no path of a data set and view stands twice (`unique`), rows are counted, and `path` is not even read. Then
    there is one row a data set, with the counts `<label>_0` to `<label>_3`, and in `<label>_strange` a value that is
    none of these, if there is one, in `<label>_nulls` the number of NULLs: counting so needs no hashing, and half the
    time of taking the labels apart first.
    """
    parameters = bound_to(view=view)
    if unique:
        labels = union(tables, as_codes(["dataset"]), LABELS, parameters)
        counts = ",\n  ".join(_counts_of(label) for label in LABELS)
        sql = f"SELECT dataset,\n  {counts}\nFROM (\n{labels}\n)\nGROUP BY dataset"
        return Query("distribution", sql, parameters, ROWS)
    labels = union(tables, ["path", *as_codes(["dataset"])], LABELS, parameters)
    sql = f"""SELECT label, value, dataset, {DISTINCT_PATHS} AS images
FROM (
{labels}
) UNPIVOT INCLUDE NULLS (value FOR label IN ({", ".join(LABELS)}))
GROUP BY label, value, dataset"""
    return Query("distribution", sql, parameters, DISTINCT_PATHS)


def _counts_of(label: str) -> str:
    counts = [f"COUNTIF({label} = {value.value}) AS {label}_{value.value}" for value in Value]
    known = ", ".join(str(value.value) for value in Value)
    strange = f"MAX(IF({label} NOT IN ({known}), {label}, NULL)) AS {label}{STRANGE}"
    return ", ".join([*counts, strange, f"COUNTIF({label} IS NULL) AS {label}{NULLS}"])


def grouped_distribution(tables: Sequence[NamedTable], view: str | None, group: Sequence[str], question: str) -> Query:
    """Count groups of images (studies, patients) of each label, value and data set, in one scan.

    A group's value is the largest code among its images: one image with the finding makes the study positive.
    """
    parameters = bound_to(view=view)
    keys = ", ".join(group)
    largest = ",\n    ".join(f"MAX({name}) AS {name}" for name in LABELS)
    sql = f"""SELECT label, value, dataset, COUNT(*) AS images
FROM (
  SELECT dataset, {keys},
    {largest}
  FROM (
{union(tables, [*group, *as_codes(["dataset"])], LABELS, parameters)}
  )
  GROUP BY dataset, {keys}
) UNPIVOT INCLUDE NULLS (value FOR label IN ({", ".join(LABELS)}))
GROUP BY label, value, dataset"""
    return Query(question, sql, parameters)


def counts(tables: Sequence[NamedTable]) -> Query:
    """Count images, studies and patients per data set and view, and per data set (`every_view` = 1).

    `label_rows` are all rows: where they are as many as the images, no path stands twice. Of several tables it counts
    the rows of each, as `rows_of_table_0` and so on.
    """
    several = len(tables) > 1
    labels = union(tables, ["path", *key_parts()], numbered=several)
    of_each = [f"COUNTIF(label_table = {place}) AS {ROWS_OF_TABLE}{place}" for place in range(len(tables) * several)]
    rows = ",\n  ".join(["COUNT(*) AS label_rows", *of_each])
    sql = f"""SELECT dataset, view, GROUPING(view) AS every_view,
  COUNT(DISTINCT IF(image = 0, NULL, path)) AS images,
  COUNT(DISTINCT CONCAT(CAST(patient AS STRING), '/', CAST(study AS STRING))) AS studies,
  COUNT(DISTINCT patient) AS patients, {rows}
FROM (
{labels}
)
GROUP BY GROUPING SETS ((dataset, view), (dataset))"""
    return Query("counts", sql)


def shared_patients(tables: Sequence[NamedTable]) -> Query:
    """Count the patients that stand in more than one data set."""
    labels = union(tables, ["patient", "dataset"])
    sql = f"""SELECT COUNT(*) AS patients FROM (
SELECT patient FROM (
{labels}
)
GROUP BY patient HAVING COUNT(DISTINCT dataset) > 1
)"""
    return Query("shared_patients", sql)


def cooccurrence(tables: Sequence[NamedTable], value: str, view: str | None, dataset: str | None) -> Query:
    """Count the images on which two labels both have `value`; pairs without one are left out."""
    parameters = bound_to(view=view, dataset=dataset)
    labels = union(tables, ["path"], LABELS, parameters)
    sql = f"""WITH found AS (
  SELECT DISTINCT path, label
  FROM (
{labels}
  ) UNPIVOT (value FOR label IN ({", ".join(LABELS)}))
  WHERE value = @value
)
SELECT a.label AS label, b.label AS other, COUNT(*) AS images
FROM found AS a INNER JOIN found AS b ON a.path = b.path
GROUP BY a.label, b.label"""
    return Query("cooccurrence", sql, {**parameters, "value": Value[value].value})


def labels(tables: Sequence[NamedTable], dataset: str | None, view: str | None, extra: Sequence[str] = ()) -> Query:
    """Return the label rows: the keys, the 14 labels and further columns."""
    parameters = bound_to(view=view, dataset=dataset)
    further = [f"`{check_column(name)}`" for name in extra if name not in (*KEY_COLUMNS, *LABELS)]
    return Query("labels", union(tables, ["path", *key_parts(), *further], LABELS, parameters), parameters)


def label_keys(tables: Sequence[NamedTable]) -> Query:
    """Return the keys of all label rows."""
    return Query("label_keys", union(tables, ["path", *key_parts()]))


def joined(
    table: NamedTable, tables: Sequence[NamedTable], names: Sequence[str], dataset: str, view: str | None
) -> Query:
    """Return each prediction of a data set with its labels by path, as the notebook's join does.

    The join keeps predictions without labels (`label_rows` is NULL there), so that one scan also counts them; how
    often a path stands in either table is in `prediction_rows` and `label_rows`. `predicted_image` is 0 where a row of
    predictions stands for a whole study.
    """
    parameters = bound_to(view=view, dataset=dataset)
    keys = [key for key in INTEGER_KEYS if key != "dataset"]
    keys_of_labels = ["path", "patient", "study", *as_codes(["image", "view"])]
    true = union(tables, keys_of_labels, names, parameters, "true_")
    predicted = ",\n    ".join(f"CAST({name} AS FLOAT64) AS predicted_{name}" for name in names)
    columns = ", ".join([*keys, *(f"predicted_{name}" for name in names), *(f"true_{name}" for name in names)])
    sql = f"""SELECT path, prediction_rows, label_rows, predicted_image, {columns}
FROM (
  SELECT path, COUNT(*) OVER (PARTITION BY path) AS prediction_rows, CAST(image AS FLOAT64) AS predicted_image,
    {predicted}
  FROM `{table.name}`{table.where(parameters)}
)
LEFT JOIN (
  SELECT *, COUNT(*) OVER (PARTITION BY path) AS label_rows
  FROM (
{true}
  )
)
USING (path)"""
    return Query("joined", sql, parameters)


def predictions(table: NamedTable, names: Sequence[str]) -> Query:
    """Return every prediction of a table: the keys and its labels, as stored."""
    columns = ", ".join(["path", *key_parts(), *as_codes(names)])
    return Query("predictions", f"SELECT {columns} FROM `{table.name}`{table.where(())}")


def prediction_counts(table: NamedTable) -> Query:
    """Count the images of each data set in a prediction table."""
    rows = union([table], ["path", *as_codes(["dataset"])])
    sql = f"SELECT dataset, COUNT(DISTINCT path) AS images\nFROM (\n{rows}\n)\nGROUP BY dataset"
    return Query("prediction_counts", sql)


def prediction_rows(table: NamedTable) -> Query:
    """Count the rows of each data set in a prediction table, which reads no path."""
    sql = f"SELECT dataset, COUNT(*) AS images\nFROM (\n{union([table], as_codes(['dataset']))}\n)\nGROUP BY dataset"
    return Query("prediction_rows", sql)


def readings(table: NamedTable, names: Sequence[str], has_set_aside: bool = False) -> Query:
    """Return what each reader says of each row: the keys, the reader and the labels that the table has."""
    further = [SET_ASIDE_COLUMN] if has_set_aside else []
    columns = ", ".join(["path", *key_parts(), READER_COLUMN, *as_codes(names), *further])
    return Query("readings", f"SELECT {columns} FROM `{table.name}`{table.where(())}")


def groups(table: NamedTable, columns: Sequence[str]) -> Query:
    """Return further columns of the label rows, by path."""
    names = ", ".join(["path", *(f"`{check_column(name)}`" for name in columns)])
    return Query("groups", f"SELECT {names} FROM `{table.name}`")


def truth(table: NamedTable) -> Query:
    """Return what was really there."""
    return Query("truth", f"SELECT {', '.join(['path', *LABELS])} FROM `{table.name}`")
