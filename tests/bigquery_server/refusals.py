"""Errors as BigQuery words them."""

from typing import Any

#: The HTTP status of a failed job's reason, as BigQuery gives it when the results are asked for.
STATUS = {
    "accessDenied": 403,
    "backendError": 503,
    "bytesBilledLimitExceeded": 400,
    "duplicate": 409,
    "invalid": 400,
    "invalidQuery": 400,
    "notFound": 404,
    "stopped": 499,
}


class RefusedError(Exception):
    """An error as BigQuery words it: an HTTP status, a reason and a message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"reason": reason, "message": message, "domain": "global"}

    def body(self) -> dict[str, Any]:
        return {"error": {"code": self.status, "message": str(self), "errors": [self.error], "status": _word(self)}}


def table_not_found(full: str) -> RefusedError:
    return RefusedError(404, "notFound", f"Not found: Table {colon(full)} was not found in location US")


def table_denied(full: str, doing: str = "bigquery.tables.getData") -> RefusedError:
    return RefusedError(
        403,
        "accessDenied",
        f"Access Denied: Table {colon(full)}: Permission {doing} denied on table {colon(full)} (or it may not exist).",
    )


def colon(full: str) -> str:
    """Return a table's name as BigQuery's messages have it: `project:dataset.table`."""
    project, dataset, table = full.rsplit(".", 2)
    return f"{project}:{dataset}.{table}"


def _word(refusal: RefusedError) -> str:
    words = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
    return words.get(refusal.status, "ABORTED")
