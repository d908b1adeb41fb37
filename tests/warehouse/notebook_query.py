"""The query of the 2019 notebook, word for word: fourteen counts, each over its own scan of both tables."""

from cxr_core.schema import LABELS


def notebook_query(train: str, valid: str, view: int) -> str:
    queries = [
        f"""
SELECT
"{label}" AS label,
{label} AS label_value,
COUNT(DISTINCT path) AS cnt,
dataset
FROM
(SELECT * FROM `{train}`
UNION ALL
SELECT * FROM `{valid}`)
WHERE view = {view}
GROUP BY {label}, dataset
"""
        for label in LABELS
    ]
    return "UNION ALL".join(queries)
