"""Whether a rule's query keeps to the contract: one SELECT over the roll's tables, the same answer each time it is asked.

Read from DuckDB's own syntax tree, so that nothing hides behind a comment or a quoted name. It is the first of three
walls (the connection is the second, the process the third) and the one that can tell the author what to change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from tenure.errors import RuleError
from tenure.roll.tables import TABLES_BY_NAME

_UNSTEADY = frozenset(
    {
        "now", "today", "current_date", "current_time", "current_timestamp", "current_localtime", "current_localtimestamp",
        "get_current_time", "get_current_timestamp", "transaction_timestamp", "localtime", "localtimestamp",
        "random", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "currval", "txid_current",
        "first", "last", "any_value", "arbitrary", "approx_quantile", "reservoir_quantile", "approx_top_k",
    }
)  # fmt: skip
_BARE = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
_ORDERED = frozenset({"string_agg", "group_concat", "listagg"})
_INWARD = frozenset(
    {"current_setting", "getenv", "getvariable", "version", "pg_sleep", "sleep", "write_log", "query", "query_table"}
)
_UNCARRIED = re.compile(
    r"json.*|.*_json|row_to_json|regexp.*|.*regex.*|list|list_.*|array_.*|struct_.*|row|map|map_.*|unnest|generate_series|range|->>?"
)
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE"})
_PLACES = frozenset({"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST"})
_TAKING_APART = frozenset({"ARRAY_EXTRACT", "ARRAY_SLICE", "STRUCT_EXTRACT", "ARRAY_CONSTRUCTOR", "LAMBDA"})


def check(query: str, connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The names of the query's parameters. Raises RuleError with what the query must not do."""
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise RuleError(f"the query cannot be read: {' '.join(str(error).split())}", "mend the SQL") from error
    if len(statements) != 1:
        raise RuleError(f"the file holds {len(statements)} statements", "a rule is one SELECT; WITH may name its steps")
    if statements[0].type is not duckdb.StatementType.SELECT:
        raise RuleError(f"the query is a {statements[0].type.name}, no SELECT", "a rule only reads")
    _check_tree(_tree(query, connection))
    return frozenset(statements[0].named_parameters)


def _tree(query: str, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    rows = connection.execute("SELECT json_serialize_sql($1)", [query]).fetchall()
    tree: dict[str, Any] = json.loads(rows[0][0])
    if tree.get("error", True):
        raise RuleError(f"the query cannot be taken apart: {tree.get('error_message', '')}", "a rule is one SELECT")
    return tree


def _check_tree(tree: dict[str, Any]) -> None:
    nodes = list(_nodes(tree["statements"]))
    steps = {entry["key"].casefold() for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())}
    for node in nodes:
        kind = node.get("type")
        if node.get("sample"):
            raise RuleError("the query takes a sample, which is not the same twice", "a rule looks at all rows")
        if "class" in node:
            _check_expression(node)
        elif "cte_map" in node and kind not in _QUERIES:
            raise RuleError(f"the query holds a {kind}", "no recursion: what needs it is a table of the roll, or none")
        elif "sample" in node and "cte_map" not in node:
            _check_place(node, steps)


def _check_place(node: dict[str, Any], steps: set[str]) -> None:
    """One thing in a FROM clause."""
    kind = node["type"]
    if kind not in _PLACES or node.get("ref_type") in ("ASOF", "POSITIONAL"):
        what = node["ref_type"] if kind == "JOIN" else kind
        raise RuleError(f"the query selects from a {what}", "a rule selects from the roll's tables (docs/roll.md)")
    if kind != "BASE_TABLE":
        return
    name = node["table_name"]
    if node.get("catalog_name") or node.get("schema_name"):
        raise RuleError(f"the query reads {node['schema_name']}.{name}", "name the roll's tables without a schema (docs/roll.md)")
    if name.casefold() not in steps and name.casefold() not in TABLES_BY_NAME:
        raise RuleError(f"the query reads {name}, no table of the roll", "see docs/roll.md for its tables")


def _check_expression(node: dict[str, Any]) -> None:
    if node["type"] in _TAKING_APART:
        raise RuleError("the query takes lists or structures apart", "columns of the roll are plain values")
    words: list[str] = node.get("column_names") or []  # current_date without parentheses is still a column to the parser
    name = str(node.get("function_name") or (words[0] if len(words) == 1 and words[0].casefold() in _BARE else "")).casefold()
    if name in _UNSTEADY or (name in _ORDERED and not (node.get("order_bys") or {}).get("orders")):
        raise RuleError(
            f"the query calls {name}(), which is not the same twice",
            "the time of judgement is $as_of; of several values take min() or max(); texts are joined with ORDER BY",
        )
    if name in _INWARD:
        raise RuleError(f"the query calls {name}(), which looks at something else than the roll", "a rule reads the roll only")
    if _UNCARRIED.fullmatch(name):
        raise RuleError(
            f"the query calls {name}(): no JSON, regular expressions, lists or structures in a rule",
            "return plain columns, evidence is packed by the engine",
        )


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree, without recursion: a stranger's query may be nested deeply."""
    waiting = [value]
    while waiting:
        at = waiting.pop()
        if isinstance(at, dict):
            yield at
            waiting.extend(at.values())
        elif isinstance(at, list):
            waiting.extend(at)
