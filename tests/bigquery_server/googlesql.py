"""GoogleSQL's own analyser and reference engine (zetasql, as WebAssembly): the referee of every statement.

Compiling the module takes tens of seconds, so wasmtime keeps the compiled one in the user's cache folder, and of several
processes one compiles it while the others wait. One instance serves the whole process, one statement at a time.
"""

import contextlib
import ctypes
import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import wasmtime
from zetasql import types
from zetasql.core import ServerError, wasm_client
from zetasql.core.local_service import ZetaSqlLocalService

from bigquery_server.refusals import RefusedError
from bigquery_server.storing import arrow_type, bigquery_type

_KINDS = {
    "BOOLEAN": types.TypeKind.TYPE_BOOL,
    "INTEGER": types.TypeKind.TYPE_INT64,
    "FLOAT": types.TypeKind.TYPE_DOUBLE,
    "STRING": types.TypeKind.TYPE_STRING,
    "BYTES": types.TypeKind.TYPE_BYTES,
    "DATE": types.TypeKind.TYPE_DATE,
    "TIMESTAMP": types.TypeKind.TYPE_TIMESTAMP,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_FIELDS = {"BOOLEAN": "bool_value", "INTEGER": "int64_value", "FLOAT": "double_value", "STRING": "string_value"}
_PARAMETERS = {"BOOL": "BOOLEAN", "INT64": "INTEGER", "FLOAT64": "FLOAT", "STRING": "STRING"}

_lock = threading.RLock()

#: The numbers of an instance's catalogs, by their tables: to list GoogleSQL's functions anew takes longer than a query.
_registered: dict[tuple[Any, ...], tuple[int, Any]] = {}
MOST_REGISTERED = 8


class TooLargeError(Exception):
    """The reference engine cannot hold the rows (an array value is at most 1 MiB)."""


@dataclass(frozen=True)
class Analysis:
    """What the analyser found: the columns of the result, and those that are read of each table."""

    schema: pa.Schema
    read: dict[str, frozenset[str]]


class _CachedConfig(wasmtime.Config):
    def __init__(self) -> None:
        super().__init__()
        with contextlib.suppress(wasmtime.WasmtimeError):  # no folder to keep it in
            self.cache = True


wasm_client.Config = _CachedConfig


@lru_cache(maxsize=1)
def _client() -> wasm_client.WasmClient:
    with (Path(tempfile.gettempdir()) / f"cxr-googlesql-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = ZetaSqlLocalService.get_instance().wasm_client
    # The package copies byte by byte in Python, which takes longer than the queries.
    address = lambda: ctypes.cast(client.memory.data_ptr(), ctypes.c_void_p).value  # noqa: E731
    client.write_bytes = lambda at, data: ctypes.memmove(address() + at, data, len(data))
    client.read_bytes = lambda at, size: ctypes.string_at(address() + at, size)
    return client


def _call(name: str, request: Any, answer: type) -> Any:
    try:
        return _client().call_grpc_func(f"ZetaSqlLocalService_{name}", request, answer._PROTO_CLASS)
    except wasmtime.Trap:
        # The instance is broken; the next statement gets a new one.
        del ZetaSqlLocalService._instance
        _client.cache_clear()
        _registered.clear()
        raise


def analyse(sql: str, tables: Mapping[str, pa.Schema], parameters: Mapping[str, str]) -> Analysis:
    """Return what a statement reads and returns, or refuse it as BigQuery would.

    Args:
        sql: one statement.
        tables: the schemas that there are, by full name.
        parameters: the type (INT64, …) of each named parameter.

    Raises:
        RefusedError: 400 invalidQuery.
    """
    return _analyse(sql, _Schemas(tables), tuple(parameters.items()))


class _Schemas(dict[str, pa.Schema]):
    """The schemas of tables, as something that answers are kept for."""

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))


@lru_cache(maxsize=256)
def _analyse(sql: str, tables: _Schemas, parameters: tuple[tuple[str, str], ...]) -> Analysis:
    with _lock:
        catalog = _catalog(tables)
        asked = types.AnalyzeRequest(
            sql_statement=sql, options=_options(dict(parameters)), registered_catalog_id=catalog
        )
        try:
            answer = _call("Analyze", asked.to_proto(), types.AnalyzeResponse)
        except ServerError as error:
            raise RefusedError(400, "invalidQuery", error.message) from error
    query = answer.resolved_statement.resolved_query_stmt_node
    columns = [(column.name, _arrow(column.column.type)) for column in query.output_column_list]
    return Analysis(pa.schema(columns), _read_columns(query))


def execute(sql: str, tables: Mapping[str, pa.Table], parameters: Mapping[str, tuple[str, Any]]) -> pa.Table:
    """Return what a statement gives over rows; `parameters` are (type, value).

    Raises:
        RefusedError: 400 invalidQuery, as for a cast that fails.
        TooLargeError: there are too many rows for the reference engine.
    """
    options = _options({name: kind for name, (kind, _) in parameters.items()})
    prepare = types.PrepareQueryRequest(sql=sql, options=options).to_proto()
    evaluate = types.EvaluateQueryRequest._PROTO_CLASS()
    for name, (kind, value) in parameters.items():
        parameter = evaluate.params.add()
        parameter.name = name
        _set(parameter.value, _PARAMETERS[kind], value)
    with _lock:
        try:
            prepare.registered_catalog_id = _catalog(tables)
            prepared = _call("PrepareQuery", prepare, types.PrepareQueryResponse).prepared
            evaluate.prepared_query_id = prepared.prepared_query_id
            rows = _call("EvaluateQuery", evaluate, types.EvaluateQueryResponse).content.table_data.row
        except ServerError as error:
            if "RESOURCE_EXHAUSTED" in str(error) or "exceeds" in error.message or "too large" in error.message:
                raise TooLargeError(error.message) from error
            raise RefusedError(400, "invalidQuery", error.message) from error
        finally:
            if evaluate.prepared_query_id:
                done = types.UnprepareQueryRequest(prepared_query_id=evaluate.prepared_query_id).to_proto()
                _client().call_grpc_func("ZetaSqlLocalService_UnprepareQuery", done)
    columns = {}
    for number, column in enumerate(prepared.columns):
        kind = _arrow(column.type)
        columns[column.name] = pa.array([_get(row.cell[number]) for row in rows], kind)
    return pa.table(columns)


@lru_cache(maxsize=256)
def table_names(sql: str) -> tuple[str, ...]:
    """Return the full names of the tables that a statement names, or refuse it for its syntax."""
    request = types.ExtractTableNamesFromStatementRequest(sql_statement=sql, options=_language()).to_proto()
    with _lock:
        try:
            answer = _call("ExtractTableNamesFromStatement", request, types.ExtractTableNamesFromStatementResponse)
        except ServerError as error:
            raise RefusedError(400, "invalidQuery", error.message) from error
    return tuple(".".join(found.table_name_segment) for found in answer.table_name)


@lru_cache(maxsize=1)
def _language() -> types.LanguageOptions:
    language = types.LanguageOptions.maximum_features()
    language.product_mode = types.ProductMode.PRODUCT_EXTERNAL  # as BigQuery, without the types of Google's inside
    language.supported_statement_kinds = [types.ResolvedNodeKind.RESOLVED_QUERY_STMT]
    return language


def _options(parameters: Mapping[str, str]) -> types.AnalyzerOptions:
    declared = [
        types.AnalyzerOptions.QueryParameter(name=name, type=types.Type(type_kind=_KINDS[_PARAMETERS[kind]]))
        for name, kind in parameters.items()
    ]
    return types.AnalyzerOptions(language_options=_language(), prune_unused_columns=True, query_parameters=declared)


def _catalog(tables: Mapping[str, pa.Schema] | Mapping[str, pa.Table]) -> int:
    """Return the number under which the engine knows these tables, with their rows if given, and all functions."""
    key = tuple((name, _identity(table)) for name, table in sorted(tables.items(), key=lambda named: named[0]))
    if key not in _registered:
        if len(_registered) == MOST_REGISTERED:
            number, _ = _registered.pop(next(iter(_registered)))
            request = types.UnregisterRequest(registered_id=number).to_proto()
            _client().call_grpc_func("ZetaSqlLocalService_UnregisterCatalog", request)
        number = _call("RegisterCatalog", _registration(tables), types.RegisterResponse).registered_id
        _registered[key] = number, tables  # as long as they are held, no others have their identities
    return _registered[key][0]


def _identity(table: pa.Schema | pa.Table) -> pa.Schema | int:
    return table.remove_metadata() if isinstance(table, pa.Schema) else id(table)


def _registration(tables: Mapping[str, pa.Schema] | Mapping[str, pa.Table]) -> Any:
    rows = {name: table for name, table in tables.items() if isinstance(table, pa.Table)}
    schemas = {name: table.schema if name in rows else table for name, table in tables.items()}
    request = types.RegisterCatalogRequest(simple_catalog=_simple_catalog(schemas)).to_proto()
    for name, table in rows.items():
        _fill(request.table_content[name].table_data, table)
    return request


def _simple_catalog(tables: Mapping[str, pa.Schema]) -> types.SimpleCatalog:
    listed = []
    for name, schema in tables.items():
        columns = [
            types.SimpleColumn(name=column.name, type=types.Type(type_kind=_KINDS[bigquery_type(column.type)]))
            for column in schema
        ]
        listed.append(types.SimpleTable(name=name, column=columns))
    builtin = types.ZetaSQLBuiltinFunctionOptions(language_options=_language())
    return types.SimpleCatalog(name="bigquery", table=listed, builtin_function_options=builtin)


def _read_columns(query: Any) -> dict[str, frozenset[str]]:
    """Return the columns of each stored table that a resolved query needs, as BigQuery charges for them.

    The analyser's own pruning stops at a `SELECT *`; here a column that only passes through one, or through a union
    whose column nobody uses, is not counted.
    """
    messages = list(_messages(query))
    used = {column.column_id for message in messages for column in _uses(message)}
    unions = [message for message in messages if message.DESCRIPTOR.name == "ResolvedSetOperationScanProto"]
    before = -1
    while before != len(used):
        before = len(used)
        for union in unions:
            wanted = [number for number, column in enumerate(union.parent.column_list) if column.column_id in used]
            used |= {item.output_column_list[n].column_id for item in union.input_item_list for n in wanted}
    read: dict[str, set[str]] = {}
    for scan in messages:
        if scan.DESCRIPTOR.name == "ResolvedTableScanProto":
            names = {column.name for column in scan.parent.column_list if column.column_id in used}
            read.setdefault(scan.table.name, set()).update(names)
    return {name: frozenset(found) for name, found in read.items()}


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                yield from _messages(one)


def _uses(message: Any) -> Iterator[Any]:
    """Yield the columns that a node of a resolved query uses itself; what a scan merely offers is no use."""
    if message.DESCRIPTOR.name in ("ResolvedScanProto", "ResolvedSetOperationItemProto"):
        return
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.name == "ResolvedColumnProto":
            yield from value if field.is_repeated else (value,)


def _fill(data: Any, table: pa.Table) -> None:
    data.SetInParent()  # a table without rows has content all the same
    kinds = [bigquery_type(column.type) for column in table.schema]
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        added = data.row.add()
        for kind, value in zip(kinds, row, strict=True):
            _set(added.cell.add(), kind, value)


def _set(cell: Any, kind: str, value: Any) -> None:
    if value is None:
        return
    match kind:
        case "DATE":
            cell.date_value = (value - type(value)(1970, 1, 1)).days
        case "TIMESTAMP":
            cell.timestamp_value.FromDatetime(value)
        case "BYTES":
            cell.bytes_value = value
        case _:
            setattr(cell, _FIELDS[kind], value)


def _get(cell: Any) -> Any:
    kind = cell.WhichOneof("value")
    if kind == "timestamp_value":
        return cell.timestamp_value.ToDatetime()
    return None if kind is None else getattr(cell, kind)


def _arrow(kind: Any) -> pa.DataType:
    if kind.type_kind not in _NAMES:
        raise RefusedError(400, "invalidQuery", f"This server does not serve results of type {kind.type_kind}")
    return arrow_type(_NAMES[kind.type_kind])
