"""Questions that are answered by sums: how good a model is, of tables whose rows are too many to be fetched.

Scores are cut into at most `MOST_BINS` bins, at `KNOTS` by quantile and evenly in between, finer towards the largest
scores, where an average precision is made. The rows of both tables are joined once, paths being compared by a
fingerprint of 64 bits; each is a *cell* from then on: label, bin and code in one whole number. Cells are counted; from
the counts of a bin follow what each of its rows adds to AUC and average precision (`evaluation.influence`, the bin
being one tie), which is summed by patient. What is returned does not grow with the tables.
"""

from collections.abc import Mapping, Sequence

from cxr_core.schema import VALUES, Value
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.sql_parts import as_codes, bound_to, union

#: Scores are ranked between such many quantiles, of which those at `KNOTS` are looked at.
QUANTILES = 1024
KNOTS = (0, 16, 64, 192, 320, 448, 576, 704, 832, 928, 968, 992, 1008, 1016, 1020, 1022, 1024)
#: Between two knots, bins of even width.
EVEN_BINS = 4096 // (len(KNOTS) - 1)
MOST_BINS = EVEN_BINS * (len(KNOTS) - 1)
#: The bin of a row without a prediction; codes of a row without a label value, and of one whose value is no code.
NO_PREDICTION, NO_LABEL, STRANGE_LABEL = MOST_BINS, len(VALUES), len(VALUES) + 1
CODES = len(VALUES) + 2
#: Cells of a label; those below 0 are rows of one table only, which stand at the first label.
CELLS = CODES * (MOST_BINS + 1)
ONLY_PREDICTED, ONLY_LABELLED = -1, -2

#: A patient's positives count so many times, so that one sum tells them and the negatives.
MANY = 2**24

_POSITIVE, _NEGATIVE = f"MOD(cell, {CODES}) = {Value.positive.value}", f"MOD(cell, {CODES}) < {Value.uncertain.value}"
_SUMS = """SUM(positives) OVER (PARTITION BY label) AS of_positives,
    SUM(negatives) OVER (PARTITION BY label) AS of_negatives,
    SUM(positives) OVER (PARTITION BY label ORDER BY bin DESC) AS tp,
    SUM(negatives) OVER (PARTITION BY label ORDER BY bin DESC) AS fp"""


def rows_of_dataset(table: NamedTable, dataset: str, view: str | None) -> Query:
    """Count the predictions of a data set."""
    parameters = bound_to(view, dataset)
    return Query("rows_of_dataset", f"SELECT COUNT(*) AS n FROM `{table.name}`{table.where(parameters)}", parameters)


def knots(table: NamedTable, names: Sequence[str], dataset: str, view: str | None, share: float = 1) -> Query:
    """Return about the quantiles of each label's predictions at `KNOTS`, in columns `<label>_<knot>`.

    Args:
        table: the predictions.
        names: the labels.
        dataset: of the predictions.
        view: of the predictions; None for all.
        share: the share of the table that is looked at, above 0 and at most 1.
    """
    sample = f" TABLESAMPLE SYSTEM ({100 * share:.4f} PERCENT)" if share < 1 else ""
    parameters = bound_to(view, dataset)
    found = (f"quantiles_of_{name}[OFFSET({knot})] AS {name}_{knot}" for name in names for knot in KNOTS)
    finite = (
        f"APPROX_QUANTILES(IF({_is_number(name)}, {name}, NULL), {QUANTILES}) AS quantiles_of_{name}" for name in names
    )
    sql = f"""SELECT {", ".join(found)}
FROM (
  SELECT {", ".join(finite)}
  FROM (
    SELECT {", ".join(as_codes(names))} FROM `{table.name}`{sample}{table.where(parameters)}
  )
)"""
    return Query("knots", sql, parameters)


def cells(
    table: NamedTable,
    tables: Sequence[NamedTable],
    cuts: Mapping[str, Sequence[float]],
    dataset: str,
    view: str | None,
) -> Query:
    """Count the cells of labels, and sum by patient what their rows add to the figures.

    Args:
        table: the predictions.
        tables: the label tables.
        cuts: label -> rising knots, two or more; scores beyond the outer ones are in the outer bins.
        dataset: of both sides.
        view: of both sides; None for all.

    Returns:
        One row a `cell` with its number of rows `n`; beside it what was summed of its label (NULL where it lacks a
        class), see `_patient_sums`, and the rows of either table, `prediction_rows` and `label_rows`.
    """
    parameters, names = bound_to(view, dataset), list(cuts)
    where = table.where(parameters)
    predicted = ",\n    ".join(f"{_cut(name, place, cuts[name])} AS c{place}" for place, name in enumerate(names))
    codes = ",\n    ".join(f"{_code(name)} AS k{place}" for place, name in enumerate(names))
    labels = union(tables, ["path", "patient"], names, parameters)
    each = _each_cell(len(names))
    of_label = f"DIV(cell, {CELLS})" if len(names) > 1 else "0"
    sql = f"""WITH predicted AS (
  SELECT FARM_FINGERPRINT(path) AS path, {predicted}
  FROM (SELECT path, {", ".join(as_codes(names))} FROM `{table.name}`{where})
), labelled AS (
  SELECT FARM_FINGERPRINT(path) AS path, patient, {codes}
  FROM (
{labels}
  )
), judged AS (
  SELECT patient, {_both_sides(len(names))}
  FROM predicted FULL JOIN labelled USING (path)
), cells AS (
  SELECT cell, COUNT(*) AS n FROM {each} GROUP BY cell
), {_bins()}, {_influences()}, patients AS (
  SELECT {of_label} AS label, patient, SUM(u) AS u, SUM(v) AS v, SUM(ap) AS ap, SUM(row_of_class) AS rows_of_classes
  FROM {each} LEFT JOIN influences USING (cell)
  WHERE cell >= 0
  GROUP BY {"label, patient" if len(names) > 1 else "patient"}
), {_patient_sums()}
SELECT cells.cell, cells.n, sums.*, (SELECT COUNT(*) FROM `{table.name}`{where}) AS prediction_rows,
  (SELECT COUNT(*) FROM (
{union(tables, ["path"], (), parameters)}
  )) AS label_rows
FROM cells LEFT JOIN sums ON sums.label = IF(cells.cell < 0, -1, DIV(cells.cell, {CELLS}))"""
    return Query("cells", sql, parameters, is_large=True)


def _cut(name: str, place: int, cuts: Sequence[float]) -> str:
    """Return the SQL of the cell of a score, its code being 0: rising with the score whatever rounding does."""
    last, inside = (len(cuts) - 1) * EVEN_BINS - 1, f"{name} >= {cuts[0]!r} AND {name} < {cuts[-1]!r}"
    return (
        f"IF({_is_number(name)}, CASE WHEN {inside} "
        f"THEN {CODES} * CAST(FLOOR({_halved(name, cuts, 0, len(cuts) - 1)}) AS INT64) "
        f"WHEN {name} < {cuts[0]!r} THEN 0 ELSE {CODES * last} END, {CODES * NO_PREDICTION}) + {place * CELLS}"
    )


def _is_number(name: str) -> str:
    # True of finite numbers alone. DuckDB answers IS_NAN, and comparisons, by a file's statistics, which leave NaN out.
    return f"{name} - {name} = 0"


def _halved(name: str, cuts: Sequence[float], low: int, high: int) -> str:
    if high - low > 1:
        middle = (low + high) // 2
        below, above = _halved(name, cuts, low, middle), _halved(name, cuts, middle, high)
        return f"IF({name} < {cuts[middle]!r}, {below}, {above})"
    factor = EVEN_BINS / (cuts[high] - cuts[low])
    return f"({name} - {cuts[low]!r}) * {factor!r} + {low * EVEN_BINS}"


def _code(name: str) -> str:
    known = ", ".join(str(value.value) for value in Value)
    return f"CASE WHEN {name} IN ({known}) THEN CAST({name} AS INT64) WHEN {name} IS NULL THEN 4 ELSE 5 END"


def _both_sides(labels: int) -> str:
    first = f"CASE WHEN c0 IS NULL THEN {ONLY_LABELLED} WHEN k0 IS NULL THEN {ONLY_PREDICTED} ELSE c0 + k0 END AS cell0"
    return ", ".join([first, *(f"c{place} + k{place} AS cell{place}" for place in range(1, labels))])


def _each_cell(labels: int) -> str:
    if labels == 1:
        return "(SELECT patient, cell0 AS cell FROM judged)"
    columns = ", ".join(f"cell{place}" for place in range(labels))
    return f"(SELECT patient, cell FROM judged UNPIVOT (cell FOR label IN ({columns})))"


def _bins() -> str:
    """Return the positives and negatives of each bin, and their counts in it and above."""
    return f"""bins AS (
  SELECT DIV(cell, {CELLS}) AS label, DIV(MOD(cell, {CELLS}), {CODES}) AS bin,
    SUM(IF({_POSITIVE}, n, 0)) AS positives, SUM(IF({_NEGATIVE}, n, 0)) AS negatives
  FROM cells
  WHERE cell >= 0 AND MOD(cell, {CELLS}) < {CODES * NO_PREDICTION} AND ({_POSITIVE} OR {_NEGATIVE})
  GROUP BY label, bin
), ranked AS (
  SELECT label, bin, positives, negatives,
    {_SUMS}
  FROM bins
)"""


def _influences() -> str:
    """Return what a row of each cell adds to AUC and AP, see `evaluation.influence`; a bin is one tie."""
    over, label = "OVER (PARTITION BY label ORDER BY bin)", "OVER (PARTITION BY label)"
    return f"""placed AS (
  SELECT *, (of_negatives - fp + negatives / 2) / of_negatives AS below, (tp - positives / 2) / of_positives AS above,
    tp / (tp + fp) AS precise, positives / (tp + fp) AS gained
  FROM ranked WHERE of_positives > 0 AND of_negatives > 0
), added AS (
  SELECT *, SUM(gained) {over} AS gain, SUM(gained * precise) {over} AS loss,
    SUM(positives * below) {label} / of_positives AS auc,
    SUM(positives * precise) {label} / of_positives AS mean_precise
  FROM placed
), influences AS (
  SELECT cell, IF({_POSITIVE}, (below - auc) / of_positives, 0) AS u,
    IF({_POSITIVE}, 0, (above - auc) / of_negatives) AS v,
    (IF({_POSITIVE}, precise + gain - mean_precise, 0) - loss) / of_positives AS ap,
    CAST(IF({_POSITIVE}, {MANY}, 1) AS FLOAT64) AS row_of_class
  FROM cells INNER JOIN added ON DIV(cell, {CELLS}) = added.label AND DIV(MOD(cell, {CELLS}), {CODES}) = added.bin
  WHERE cell >= 0 AND ({_POSITIVE} OR {_NEGATIVE})
)"""


def _patient_sums() -> str:
    """Return sums over all patients of a label's rows.

    `m` and `k` count a patient's positives and negatives, `u` and `v` are what these add to the AUC; `patients` are
    all, the other numbers of patients those of a class.
    """
    return f"""sums AS (
  SELECT label, COUNT(*) AS patients, COUNTIF(m > 0) AS positive_patients, COUNTIF(k > 0) AS negative_patients,
    COUNTIF(m + k > 0) AS certain_patients, SUM(m * m) AS squared_positives, SUM(k * k) AS squared_negatives,
    SUM(m * k) AS both_classes,
    SUM(u * u) AS uu, SUM(v * v) AS vv, SUM(u * v) AS uv, SUM(POW(u + v, 4)) AS fourth,
    SUM(ap * ap) AS ap, SUM(POW(ap, 4)) AS ap_fourth
  FROM (
    SELECT *, FLOOR(rows_of_classes / {MANY}) AS m,
      rows_of_classes - {MANY} * FLOOR(rows_of_classes / {MANY}) AS k
    FROM patients
  )
  GROUP BY label
)"""
