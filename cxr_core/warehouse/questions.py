"""The questions that a warehouse is asked, each written once, in BigQuery's dialect.

Values are bound as parameters. Names of tables and columns cannot be bound: tables are checked by `tables.check_table`
or made by the local warehouse, columns come from the schema (or pass `tables.check_column`), and tables stand between
backticks. Codes are cast because other tools store them as FLOAT64 or even STRING, which BigQuery compares with no
number; patients and studies are identified, never compared with a number, and stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cxr_core.schema import INTEGER_KEYS, KEY_COLUMNS, LABELS, READER_COLUMN, Value, dataset_code, view_code
from cxr_core.warehouse.tables import check_column


@dataclass(frozen=True)
class Query:
    """A question: its name, its SQL in BigQuery's dialect, and the integers bound to its @parameters.

    `counted` says how images are counted where that is a choice.
    """

    question: str
    sql: str
    parameters: dict[str, int] = field(default_factory=dict)
    counted: str = ""


#: How images are counted: the definition, and what gives the same number where no path stands twice.
DISTINCT_PATHS, ROWS = "COUNT(DISTINCT path)", "COUNT(*)"
#: Ends the name of a column that holds a value which is no code.
STRANGE = "_strange"


def distribution(tables: Sequence[str], view: str | None, unique: bool = False) -> Query:
    """Count the images of each label, value and data set, in one scan; a value may be NULL.

    Where no path of a data set and view stands twice (`unique`), rows are counted, and `path` is not even read. Then
    there is one row a data set, with the counts `<label>_0` to `<label>_3`, and in `<label>_strange` a value that is
    none of these, if there is one: counting so needs no hashing, and half the time of taking the labels apart first.
    """
    where, parameters = _where(view=view)
    if unique:
        labels = _union(tables, _codes(["dataset", *LABELS]), where)
        counts = ",\n  ".join(_counts_of(label) for label in LABELS)
        sql = f"SELECT dataset,\n  {counts}\nFROM (\n{labels}\n)\nGROUP BY dataset"
        return Query("distribution", sql, parameters, ROWS)
    labels = _union(tables, ["path", *_codes(["dataset", *LABELS])], where)
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
    return ", ".join([*counts, strange])


def grouped_distribution(tables: Sequence[str], view: str | None, group: Sequence[str], question: str) -> Query:
    """Count groups of images (studies, patients) of each label, value and data set, in one scan.

    A group's value is the largest code among its images: one image with the finding makes the study positive.
    """
    where, parameters = _where(view=view)
    keys = ", ".join(group)
    largest = ",\n    ".join(f"MAX({name}) AS {name}" for name in LABELS)
    sql = f"""SELECT label, value, dataset, COUNT(*) AS images
FROM (
  SELECT dataset, {keys},
    {largest}
  FROM (
{_union(tables, [*group, *_codes(["dataset", *LABELS])], where)}
  )
  GROUP BY dataset, {keys}
) UNPIVOT INCLUDE NULLS (value FOR label IN ({", ".join(LABELS)}))
GROUP BY label, value, dataset"""
    return Query(question, sql, parameters)


def counts(tables: Sequence[str]) -> Query:
    """Count images, studies and patients per data set and view, and per data set (`every_view` = 1).

    `label_rows` are all rows: where they are as many as the images, no path stands twice.
    """
    labels = _union(tables, ["path", *_keys()], "")
    sql = f"""SELECT dataset, view, GROUPING(view) AS every_view,
  COUNT(DISTINCT IF(image = 0, NULL, path)) AS images,
  COUNT(DISTINCT CONCAT(CAST(patient AS STRING), '/', CAST(study AS STRING))) AS studies,
  COUNT(DISTINCT patient) AS patients, COUNT(*) AS label_rows
FROM (
{labels}
)
GROUP BY GROUPING SETS ((dataset, view), (dataset))"""
    return Query("counts", sql)


def shared_patients(tables: Sequence[str]) -> Query:
    """Count the patients that stand in more than one data set."""
    labels = _union(tables, ["patient", "dataset"], "")
    sql = f"""SELECT COUNT(*) AS patients FROM (
SELECT patient FROM (
{labels}
)
GROUP BY patient HAVING COUNT(DISTINCT dataset) > 1
)"""
    return Query("shared_patients", sql)


def cooccurrence(tables: Sequence[str], value: str, view: str | None, dataset: str | None) -> Query:
    """Count the images on which two labels both have `value`; pairs without one are left out."""
    where, parameters = _where(view=view, dataset=dataset)
    labels = _union(tables, ["path", *_codes(LABELS)], where)
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


def labels(tables: Sequence[str], dataset: str | None, view: str | None, extra: Sequence[str] = ()) -> Query:
    """Return the label rows: the keys, the 14 labels and further columns."""
    where, parameters = _where(view=view, dataset=dataset)
    further = [f"`{check_column(name)}`" for name in extra if name not in (*KEY_COLUMNS, *LABELS)]
    return Query("labels", _union(tables, ["path", *_keys(), *_codes(LABELS), *further], where), parameters)


def joined(table: str, tables: Sequence[str], names: Sequence[str], dataset: str, view: str | None) -> Query:
    """Return each prediction of a data set with its labels by path, as the notebook's join does.

    The join keeps predictions without labels (`label_rows` is NULL there), so that one scan also counts them; how
    often a path stands in either table is in `prediction_rows` and `label_rows`.
    """
    where, parameters = _where(view=view, dataset=dataset)
    keys = [key for key in INTEGER_KEYS if key != "dataset"]
    true = _union(tables, ["path", "patient", "study", *_codes(["image", "view"]), *_codes(names, "true_")], where)
    predicted = ",\n    ".join(f"CAST({name} AS FLOAT64) AS predicted_{name}" for name in names)
    columns = ", ".join([*keys, *(f"predicted_{name}" for name in names), *(f"true_{name}" for name in names)])
    sql = f"""SELECT path, prediction_rows, label_rows, {columns}
FROM (
  SELECT path, COUNT(*) OVER (PARTITION BY path) AS prediction_rows,
    {predicted}
  FROM `{table}`{where}
)
LEFT JOIN (
  SELECT *, COUNT(*) OVER (PARTITION BY path) AS label_rows
  FROM (
{true}
  )
)
USING (path)"""
    return Query("joined", sql, parameters)


def predictions(table: str, names: Sequence[str]) -> Query:
    """Return every prediction of a table: the keys and its labels, as stored."""
    columns = ", ".join(["path", *_keys(), *_codes(names)])
    return Query("predictions", f"SELECT {columns} FROM `{table}`")


def prediction_counts(table: str) -> Query:
    """Count the images of each data set in a prediction table."""
    rows = _union([table], ["path", *_codes(["dataset"])], "")
    sql = f"SELECT dataset, COUNT(DISTINCT path) AS images\nFROM (\n{rows}\n)\nGROUP BY dataset"
    return Query("prediction_counts", sql)


def study_rows(table: str, dataset: str) -> Query:
    """Count the rows of a prediction table that stand for whole studies of a data set."""
    where, parameters = _where(dataset=dataset)
    image, *_ = _codes(["image"])
    sql = f"SELECT COUNTIF(image = 0) AS studies FROM (SELECT {image} FROM `{table}`{where})"
    return Query("study_rows", sql, parameters)


def readings(table: str, names: Sequence[str]) -> Query:
    """Return what each reader says of each row: the keys, the reader and the labels that the table has."""
    columns = ", ".join(["path", *_keys(), READER_COLUMN, *_codes(names)])
    return Query("readings", f"SELECT {columns} FROM `{table}`")


def groups(table: str, columns: Sequence[str]) -> Query:
    """Return further columns of the label rows, by path."""
    names = ", ".join(["path", *(f"`{check_column(name)}`" for name in columns)])
    return Query("groups", f"SELECT {names} FROM `{table}`")


def truth(table: str) -> Query:
    """Return what was really there."""
    return Query("truth", f"SELECT {', '.join(['path', *LABELS])} FROM `{table}`")


def _keys() -> list[str]:
    """Return the keys beside `path`, in the order of the schema."""
    return ["patient", "study", *_codes(["image", "view", "dataset"])]


def _codes(names: Sequence[str], prefix: str = "") -> list[str]:
    # FLOAT64, because a cast to INT64 would round what is no code, and BigQuery refuses it for the text '3.0'.
    return [f"CAST({name} AS FLOAT64) AS {prefix}{name}" for name in names]


def _union(tables: Sequence[str], columns: Sequence[str], where: str) -> str:
    """Select the same columns, by name, from several tables."""
    selected = ",\n    ".join(columns)
    return "\n  UNION ALL\n".join(f"  SELECT\n    {selected}\n  FROM `{table}`{where}" for table in tables)


def _where(view: str | None = None, dataset: str | None = None) -> tuple[str, dict[str, int]]:
    parameters = {}
    if dataset is not None:
        parameters["dataset"] = dataset_code(dataset)
    if view is not None:
        parameters["view"] = view_code(view)
    conditions = " AND ".join(f"CAST({name} AS FLOAT64) = @{name}" for name in parameters)
    return (f" WHERE {conditions}" if conditions else ""), parameters
