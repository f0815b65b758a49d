"""Step 1a of linking: the identifiers that device records carry, and which of them still identify.

1. Give each record a number, and each serial the maker it is unique within; a maker that a record does not name may follow
   from its model's class, from its MAC prefix, or from the serial itself where only one maker has it.
2. Take the power from identifiers that do not identify: known fillers, and values that records of one source carry
   although something stronger tells them apart.

Most identifiers stand on one record only. Nothing is grouped by text but the few that a 64-bit hash says are shared.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.model import identifiers
from tenure.model.declarations import Declarations
from tenure.model.vocabulary import IdentifierKind
from tenure.roll import notations
from tenure.roll.intake import lend

STRONG_KINDS = ("hardware-key", "serial", "mac", "thing-name")
SERIAL_ALONE_LENGTH = 8
"""A serial without a maker may adopt the one maker that has it only from this many characters on."""

UNRELATED_NAMES = 3
"""So many differently named records of one source under one identifier are not one device."""

ROW = 1 << 40
"""Keys that follow from a row: source_key * ROW + row_in_source."""


def link_identifiers(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """Temp tables t_record, t_link (one row per record and identifier), t_shared (identifiers on several records), t_lost."""
    con.execute(_RECORDS)
    _links(con, declarations)
    if declarations.equal_thing_names:
        con.execute("UPDATE t_link SET scope = '' WHERE kind = 'thing-name'")
    zeros = [identifiers.maker(name) for name, m in declarations.maker.items() if m.leading_zeros == "significant"]
    lend(con, "t_zeros", maker=(pa.string(), zeros))
    _makers(con, declarations)
    _shared(con)
    _lost(con)


# A record id that stands twice in one source is one record told twice: its first row stands for both when linking (``node``).
_RECORDS = """
CREATE OR REPLACE TEMP TABLE t_row AS
SELECT f.records_before + e.row_in_source + 1 AS record_key, e.source_key, e.record_id FROM e_device_record e JOIN t_first f USING (source_key);
CREATE OR REPLACE TEMP TABLE t_twice AS
SELECT r.record_key, min(r.record_key) OVER (PARTITION BY r.source_key, r.record_id) AS node,
    count(*) OVER (PARTITION BY r.source_key, r.record_id) > 1 AS told_twice FROM t_row r
SEMI JOIN (SELECT hash(source_key, record_id) AS h FROM t_row GROUP BY 1 HAVING count(*) > 1) s ON s.h = hash(r.source_key, r.record_id);
DELETE FROM t_twice WHERE NOT told_twice;
CREATE OR REPLACE TEMP TABLE t_record AS
SELECT r.record_key, r.source_key, r.record_id, coalesce(t.node, r.record_key) AS node FROM t_row r LEFT JOIN t_twice t USING (record_key);
DROP TABLE t_row
"""


def _links(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    # Kinds that are weak by nature link only records of sources for which somebody declared them strong.
    declared = [
        (s.path.strip("/").removeprefix("./"), k.value)
        for s in declarations.source
        for k in s.strong_identifiers
        if k not in STRONG_KINDS
    ]
    lend(con, "t_declared_strong", path=(pa.string(), [p for p, _ in declared]), kind=(pa.string(), [k for _, k in declared]))
    kinds = ", ".join(f"'{k}'" for k in STRONG_KINDS)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TYPE t_identifier_kind AS ENUM ({", ".join(f"'{k.value}'" for k in IdentifierKind)}, '{notations.SERIAL_EXACT}');
        CREATE OR REPLACE TEMP TABLE t_strong_here AS
        SELECT DISTINCT s.source_key, d.kind FROM source s JOIN t_declared_strong d
            ON s.name = d.path OR starts_with(s.name, d.path || '/') OR d.path IN ('', '.');
        CREATE OR REPLACE TEMP TABLE t_link AS
        SELECT i.source_key * {ROW} + i.row_in_source AS link, n.node, i.source_key, i.kind::t_identifier_kind AS kind, i.value, coalesce(i.scope, '') AS scope,
            i.kind IN ({kinds}) OR d.kind IS NOT NULL AS strong_kind, i.kind <> 'name' OR d.kind IS NOT NULL AS told, false AS inferred
        FROM e_identifier i JOIN t_record n USING (source_key, record_id)
        LEFT JOIN t_strong_here d ON d.source_key = i.source_key AND d.kind = i.kind
        WHERE i.kind <> 'record-id'
        """  # noqa: S608 - kinds are ours
    )


def _makers(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    for name, declared_maker in declarations.maker.items():
        for alias in declared_maker.aliases:
            con.execute(
                "UPDATE t_link SET scope = ? WHERE kind = 'serial' AND scope = ?",
                [identifiers.maker(name), identifiers.maker(alias)],
            )
    ((missing,),) = con.execute("SELECT count(*) FROM t_link WHERE kind = 'serial' AND scope = ''").fetchall()
    if not missing:
        return
    makers = {
        model: maker
        for model, text in con.execute("SELECT model, maker FROM device_class").fetchall()
        if (maker := identifiers.maker(text)) is not None
    }
    lend(con, "t_class_maker", model=(pa.string(), makers), maker=(pa.string(), makers.values()))
    declared = {p.lower(): identifiers.maker(name) for name, m in declarations.maker.items() for p in m.mac_prefixes}
    lend(con, "t_declared_prefix", prefix=(pa.string(), declared), maker=(pa.string(), declared.values()))
    con.execute(_INFER_MAKERS)
    con.execute(
        "UPDATE t_link c SET scope = m.maker, inferred = true FROM t_inferred m "
        "WHERE c.kind = 'serial' AND c.scope = '' AND c.node = m.node AND m.maker IS NOT NULL"
    )
    # What neither class nor MAC tells: the serial itself, where one maker alone has it and it is long enough to mean that.
    con.execute(_ONE_MAKER, [SERIAL_ALONE_LENGTH])
    con.execute("UPDATE t_link SET strong_kind = false WHERE kind = 'serial' AND scope = ''")


_INFER_MAKERS = """
CREATE OR REPLACE TEMP TABLE t_inferred AS
WITH missing AS (SELECT DISTINCT node FROM t_link WHERE kind = 'serial' AND scope = ''),
by_class AS (
    SELECT m.node, c.maker
    FROM missing m JOIN (
        SELECT f.records_before + e.row_in_source + 1 AS record_key, e.model FROM e_device_record e JOIN t_first f USING (source_key)
    ) d ON d.record_key = m.node
    JOIN t_class_maker c ON c.model = d.model
),
prefix AS (
    SELECT prefix, min(maker) AS maker FROM (
        SELECT DISTINCT substr(mac.value, 1, 6) AS prefix, s.scope AS maker
        FROM t_link mac JOIN t_link s ON s.node = mac.node AND s.kind = 'serial' AND s.scope <> ''
        WHERE mac.kind = 'mac'
        UNION ALL SELECT prefix, maker FROM t_declared_prefix
    ) GROUP BY prefix HAVING count(DISTINCT maker) = 1
),
by_prefix AS (
    SELECT m.node, p.maker FROM missing m
    JOIN t_link mac ON mac.node = m.node AND mac.kind = 'mac'
    JOIN prefix p ON p.prefix = substr(mac.value, 1, 6)
)
SELECT m.node, coalesce(min(c.maker), min(p.maker)) AS maker
FROM missing m LEFT JOIN by_class c USING (node) LEFT JOIN by_prefix p USING (node)
GROUP BY m.node
"""

_ONE_MAKER = """
UPDATE t_link c SET scope = s.scope, inferred = true FROM (
    SELECT l.value, min(l.scope) AS scope FROM t_link l
    SEMI JOIN (SELECT DISTINCT value FROM t_link WHERE kind = 'serial' AND scope = '') m USING (value)
    WHERE l.kind = 'serial' AND l.scope <> '' GROUP BY l.value HAVING count(DISTINCT l.scope) = 1
) s
WHERE c.kind = 'serial' AND c.scope = '' AND c.value = s.value AND length(c.value) >= ?
"""


def _shared(con: duckdb.DuckDBPyConnection) -> None:
    """``t_shared`` and ``t_shared_link``: identifiers that more than one row carries; equal hashes are held against the text."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE t_alike AS
        SELECT l.link, l.node, l.source_key, l.kind, l.value, l.scope, l.strong_kind FROM t_link l
        SEMI JOIN (SELECT hash(kind, value, scope) AS h FROM t_link WHERE told GROUP BY 1 HAVING count(*) > 1) s
            ON s.h = hash(l.kind, l.value, l.scope) WHERE l.told;
        CREATE OR REPLACE TEMP TABLE t_shared AS
        SELECT min(link) AS identifier_key, kind, value, scope, bool_or(strong_kind) AS strong_kind, min(node) <> max(node) AS several
        FROM t_alike GROUP BY kind, value, scope;
        CREATE OR REPLACE TEMP TABLE t_shared_link AS
        SELECT a.*, s.identifier_key, s.several FROM t_alike a JOIN t_shared s USING (kind, value, scope);
        DROP TABLE t_alike
        """
    )


def _lost(con: duckdb.DuckDBPyConnection) -> None:
    """``t_lost``: identifiers that lost their power to identify, and why."""
    lend(con, "t_filler", value=(pa.string(), sorted(identifiers.PLACEHOLDER_SERIALS)))
    con.execute(_FILLERS)
    con.execute(_CONFLICTS, {"names": UNRELATED_NAMES})


_FILLERS = f"""
CREATE OR REPLACE TEMP TABLE t_lost AS
SELECT DISTINCT kind, value, scope, 'a filler that makers and importers leave in place of a serial' AS reason FROM t_link
WHERE kind = 'serial' AND {notations.filler("value")}
"""  # noqa: S608 - a notation of ours

_CONFLICTS = """
INSERT INTO t_lost
WITH shared AS (
    SELECT l.* FROM t_shared_link l
    JOIN (
        SELECT kind, value, scope, source_key FROM t_shared_link WHERE strong_kind
        GROUP BY kind, value, scope, source_key HAVING min(node) <> max(node)
    ) s USING (kind, value, scope, source_key)
    ANTI JOIN t_lost x ON x.kind = l.kind AND x.value = l.value AND x.scope = l.scope
),
others AS (
    SELECT s.kind, s.value, s.scope, s.source_key,
        count(DISTINCT CASE WHEN o.kind = 'mac' AND s.kind <> 'mac' THEN o.value END) AS macs,
        count(DISTINCT CASE WHEN o.kind = 'serial' AND s.kind <> 'serial' THEN o.scope || '/' || o.value END) AS serials,
        count(DISTINCT CASE WHEN o.kind = 'name' THEN o.value END) AS names
    FROM shared s LEFT JOIN t_link o ON o.node = s.node AND o.kind IN ('mac', 'serial', 'name')
    GROUP BY s.kind, s.value, s.scope, s.source_key
)
SELECT kind, value, scope, min(CASE
    WHEN macs > 1 THEN 'records of one source carry it with different MAC addresses'
    WHEN serials > 1 THEN 'records of one source carry it with different serials'
    ELSE 'differently named records of one source carry it' END)
FROM others WHERE macs > 1 OR serials > 1 OR names >= $names GROUP BY kind, value, scope
"""
