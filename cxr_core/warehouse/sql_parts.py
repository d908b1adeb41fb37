"""Parts that questions have in common: columns, label tables beside each other, and what columns have to equal."""

from collections.abc import Iterable, Sequence

from cxr_core.schema import dataset_code, view_code
from cxr_core.warehouse.named_table import NamedTable


def key_parts() -> list[str]:
    """Return the keys beside `path`, in the order of the schema."""
    return ["patient", "study", *as_codes(["image", "view", "dataset"])]


def as_codes(names: Sequence[str]) -> list[str]:
    """Return the SQL of columns of codes.

    They are FLOAT64, since a cast to INT64 would round what is no code, and BigQuery refuses it for the text '3.0'.
    """
    return [f"CAST({name} AS FLOAT64) AS {name}" for name in names]


def union(
    tables: Sequence[NamedTable],
    columns: Sequence[str],
    labels: Sequence[str] = (),
    parameters: Iterable[str] = (),
    prefix: str = "",
    numbered: bool = False,
) -> str:
    """Select the same columns, by name, and labels from several tables, and with `numbered` the place of the table."""
    parts = []
    for place, table in enumerate(tables):
        of_table = [*columns, *(table.label(name, prefix) for name in labels)]
        selected = ",\n    ".join([*of_table, *([f"{place} AS label_table"] if numbered else [])])
        parts.append(f"  SELECT\n    {selected}\n  FROM `{table.name}`{table.where(parameters)}")
    return "\n  UNION ALL\n".join(parts)


def bound_to(view: str | None = None, dataset: str | None = None) -> dict[str, int]:
    """Return what the columns of these names have to equal."""
    parameters = {} if dataset is None else {"dataset": dataset_code(dataset)}
    return parameters if view is None else {**parameters, "view": view_code(view)}
