"""Step 1 of linking: device records -> devices, by strong identifiers only.

1. Give each record a number, and each serial the maker it is unique within; a maker that a record does not name may follow
   from its model's class, from its MAC prefix, or from the serial itself where only one maker has it.
2. Take the power from identifiers that do not identify: known fillers, and values that records of one source carry
   although something stronger tells them apart.
3. Connected components over (record, identifier) are the devices.
4. A device's id is a hash of its best identifier (hardware key, serial, MAC, thing name; then smallest), so it stays
   from run to run; when a later identifier merges two devices, the merged one keeps the id of the better identifier.
5. What the records claim is kept side by side; what the authoritative one says becomes the device's.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from tenure.model import identifiers
from tenure.model.declarations import Declarations
from tenure.roll.intake import lend, publish

STRONG_KINDS = ("hardware-key", "serial", "mac", "thing-name")
SERIAL_ALONE_LENGTH = 8
"""A serial without a maker may adopt the one maker that has it only from this many characters on."""

UNRELATED_NAMES = 3
"""So many differently named records of one source under one identifier are not one device."""


def link_devices(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """Tables site, owner, domain, device_class, device_record, identifier, device_identifier; temp tables for later steps."""
    _small_tables(con)
    _records(con)
    _carried(con, declarations)
    _judge_identifiers(con, declarations)
    _components(con)
    _publish_carriers(con)
    _publish_records(con)
    _chosen(con)


def _small_tables(con: duckdb.DuckDBPyConnection) -> None:
    for table, kind in (("site", "site"), ("owner", "owner")):
        publish(
            con,
            table,
            f"SELECT row_number() OVER (ORDER BY text) AS {table}_key, text AS name "  # noqa: S608
            f"FROM (SELECT DISTINCT text FROM e_description WHERE kind = '{kind}')",
        )
    publish(
        con,
        "domain",
        "SELECT row_number() OVER (ORDER BY name) AS domain_key, name FROM (SELECT DISTINCT trust_domain AS name "
        "FROM e_device_record WHERE trust_domain IS NOT NULL)",
    )
    publish(
        con,
        "device_class",
        "SELECT row_number() OVER (ORDER BY model) AS class_key, model, min(device_class) AS device_class, min(maker) AS maker, "
        "min(rotation) AS rotation FROM e_device_class GROUP BY model",
    )


def _records(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_record AS SELECT row_number() OVER (ORDER BY source_key, row_in_source) AS record_key, "
        "source_key, row_in_source, record_id FROM e_device_record"
    )
    # A record id that stands twice in one source is one record told twice: its first row stands for both when linking.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_node AS SELECT source_key, record_id, min(record_key) AS node FROM t_record "
        "GROUP BY source_key, record_id"
    )


def _carried(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """``t_carried``: (node, source_key, kind, value, scope, strong_kind), the maker inferred where it can be."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_carried AS SELECT DISTINCT n.node, i.source_key, i.kind, i.value, i.scope, "
        "false AS inferred FROM e_identifier i JOIN t_node n USING (source_key, record_id)"
    )
    _rename_makers(con, declarations)
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
        "UPDATE t_carried c SET scope = m.maker, inferred = true FROM t_inferred m "
        "WHERE c.kind = 'serial' AND c.scope IS NULL AND c.node = m.node AND m.maker IS NOT NULL"
    )
    # What neither class nor MAC tells: the serial itself, where one maker alone has it and it is long enough to mean that.
    con.execute(
        "UPDATE t_carried c SET scope = s.scope, inferred = true FROM (SELECT value, min(scope) AS scope FROM t_carried "
        "WHERE kind = 'serial' AND scope IS NOT NULL GROUP BY value HAVING count(DISTINCT scope) = 1) s "
        f"WHERE c.kind = 'serial' AND c.scope IS NULL AND c.value = s.value AND length(c.value) >= {SERIAL_ALONE_LENGTH}"
    )


_INFER_MAKERS = """
CREATE OR REPLACE TEMP TABLE t_inferred AS
WITH missing AS (SELECT DISTINCT node FROM t_carried WHERE kind = 'serial' AND scope IS NULL),
by_class AS (
    SELECT m.node, c.maker
    FROM missing m JOIN t_record r ON r.record_key = m.node
    JOIN e_device_record d ON d.source_key = r.source_key AND d.row_in_source = r.row_in_source
    JOIN t_class_maker c ON c.model = d.model
),
prefix AS (
    SELECT prefix, min(maker) AS maker FROM (
        SELECT substr(mac.value, 1, 6) AS prefix, s.scope AS maker
        FROM t_carried mac JOIN t_carried s ON s.node = mac.node AND s.kind = 'serial' AND s.scope IS NOT NULL
        WHERE mac.kind = 'mac'
        UNION ALL SELECT prefix, maker FROM t_declared_prefix
    ) GROUP BY prefix HAVING count(DISTINCT maker) = 1
),
by_prefix AS (
    SELECT m.node, p.maker FROM missing m
    JOIN t_carried mac ON mac.node = m.node AND mac.kind = 'mac'
    JOIN prefix p ON p.prefix = substr(mac.value, 1, 6)
)
SELECT m.node, coalesce(min(c.maker), min(p.maker)) AS maker
FROM missing m LEFT JOIN by_class c USING (node) LEFT JOIN by_prefix p USING (node)
GROUP BY m.node
"""


def _rename_makers(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    for name, maker in declarations.maker.items():
        canonical = identifiers.maker(name)
        for alias in maker.aliases:
            con.execute(
                "UPDATE t_carried SET scope = ? WHERE kind = 'serial' AND scope = ?", [canonical, identifiers.maker(alias)]
            )


def _judge_identifiers(con: duckdb.DuckDBPyConnection, declarations: Declarations) -> None:
    """``t_identifier``: one row per (kind, value, scope), with whether it links and, if not, why it lost its power."""
    # Kinds that are weak by nature link only records of sources for which somebody declared them strong.
    declared = [(s.path.strip("/"), k.value) for s in declarations.source for k in s.strong_identifiers if k not in STRONG_KINDS]
    lend(con, "t_declared_strong", path=(pa.string(), [p for p, _ in declared]), kind=(pa.string(), [k for _, k in declared]))
    kinds = ", ".join(f"'{k}'" for k in STRONG_KINDS)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE t_links AS
        SELECT c.node, c.source_key, c.kind, c.value, coalesce(c.scope, '') AS scope,
            (c.kind IN ({kinds}) AND (c.kind <> 'serial' OR c.scope IS NOT NULL)) OR d.kind IS NOT NULL AS strong_kind
        FROM t_carried c JOIN source s USING (source_key)
        LEFT JOIN (SELECT DISTINCT path, kind FROM t_declared_strong) d
            ON d.kind = c.kind AND (s.name = d.path OR starts_with(s.name, d.path || '/') OR d.path IN ('', '.'))
        """  # noqa: S608 - kinds are ours
    )
    con.execute(_IDENTIFIERS)
    values = con.execute("SELECT DISTINCT value FROM t_identifier WHERE kind = 'serial' AND length(value) <= 20").fetchnumpy()[
        "value"
    ]
    fillers = [v for v in values if identifiers.placeholder_serial(v)]
    lend(con, "t_filler", value=(pa.string(), fillers))
    con.execute(
        "UPDATE t_identifier SET reason = 'a filler that makers and importers leave in place of a serial' "
        "WHERE kind = 'serial' AND value IN (SELECT value FROM t_filler)"
    )
    con.execute(_CONFLICTS, {"names": UNRELATED_NAMES})


_IDENTIFIERS = """
CREATE OR REPLACE TEMP TABLE t_identifier AS
SELECT row_number() OVER (ORDER BY kind, value, scope) AS identifier_key, kind, value, scope, records, strong_kind,
    NULL::VARCHAR AS reason
FROM (
    SELECT kind, value, scope, count(*) AS records, bool_or(strong_kind) AS strong_kind
    FROM t_links WHERE kind <> 'record-id' GROUP BY kind, value, scope
)
"""

_CONFLICTS = """
UPDATE t_identifier i SET reason = c.reason FROM (
    WITH shared AS (
        SELECT l.kind, l.value, l.scope, l.source_key, l.node FROM t_links l
        JOIN (
            SELECT kind, value, scope, source_key FROM t_links WHERE strong_kind
            GROUP BY kind, value, scope, source_key HAVING count(DISTINCT node) > 1
        ) USING (kind, value, scope, source_key)
    ),
    others AS (
        SELECT s.kind, s.value, s.scope, s.source_key,
            count(DISTINCT CASE WHEN o.kind = 'mac' AND s.kind <> 'mac' THEN o.value END) AS macs,
            count(DISTINCT CASE WHEN o.kind = 'serial' AND s.kind <> 'serial' THEN o.scope || '/' || o.value END) AS serials,
            count(DISTINCT CASE WHEN o.kind = 'name' THEN o.value END) AS names
        FROM shared s LEFT JOIN t_links o ON o.node = s.node AND o.kind IN ('mac', 'serial', 'name')
        GROUP BY s.kind, s.value, s.scope, s.source_key
    )
    SELECT kind, value, scope, min(CASE
        WHEN macs > 1 THEN 'records of one source carry it with different MAC addresses'
        WHEN serials > 1 THEN 'records of one source carry it with different serials'
        ELSE 'differently named records of one source carry it' END) AS reason
    FROM others WHERE macs > 1 OR serials > 1 OR names >= $names GROUP BY kind, value, scope
) c
WHERE i.reason IS NULL AND i.strong_kind AND i.kind = c.kind AND i.value = c.value AND i.scope = c.scope
"""


def _components(con: duckdb.DuckDBPyConnection) -> None:
    """``t_device``: node -> device_key. Only identifiers that at least two records carry make edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_edge AS SELECT l.node, i.identifier_key FROM t_links l JOIN t_identifier i "
        "USING (kind, value, scope) WHERE l.strong_kind AND i.reason IS NULL AND i.records > 1"
    )
    edges = con.execute("SELECT node, identifier_key FROM t_edge").fetchnumpy()
    nodes, node_at = np.unique(np.asarray(edges["node"], dtype=np.int64), return_inverse=True)
    values, value_at = np.unique(np.asarray(edges["identifier_key"], dtype=np.int64), return_inverse=True)
    size = len(nodes) + len(values)
    graph = coo_array((np.ones(len(node_at), dtype=np.int8), (node_at, len(nodes) + value_at)), shape=(size, size))
    _, label = connected_components(graph, directed=False) if size else (0, np.array([], dtype=np.int64))
    con.register("merged", pa.table({"node": pa.array(nodes), "label": pa.array(label[: len(nodes)])}))
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE t_device AS
        WITH first AS (SELECT label, min(node) AS first FROM merged GROUP BY label)
        SELECT n.node, dense_rank() OVER (ORDER BY coalesce(f.first, n.node)) AS device_key
        FROM t_node n LEFT JOIN merged m USING (node) LEFT JOIN first f USING (label)
        """
    )


def _publish_carriers(con: duckdb.DuckDBPyConnection) -> None:
    publish(
        con,
        "device_identifier",
        "SELECT i.identifier_key, l.node AS record_key, d.device_key, l.source_key FROM t_links l "
        "JOIN t_identifier i USING (kind, value, scope) JOIN t_device d USING (node)",
    )
    # ``names`` may find a device (sessions, holders), never merge two: one row per (kind, value) that means one device.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_found_by AS SELECT i.kind, i.value, i.scope, min(d.device_key) AS device_key, "
        "bool_and(i.strong_kind) AS strong FROM t_identifier i JOIN device_identifier d USING (identifier_key) "
        "WHERE i.reason IS NULL GROUP BY i.kind, i.value, i.scope HAVING count(DISTINCT d.device_key) = 1"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_found_one AS SELECT kind, value, min(device_key) AS device_key, bool_and(strong) AS strong "
        "FROM t_found_by GROUP BY kind, value HAVING count(DISTINCT device_key) = 1"
    )


def _publish_records(con: duckdb.DuckDBPyConnection) -> None:
    publish(
        con,
        "device_record",
        """
        SELECT r.record_key, t.device_key, r.source_key, r.record_id, s.kind, s.decides_device_state AS decides,
            e.name, e.serial, coalesce(e.maker, sc.maker) AS maker, e.maker IS NULL AND sc.maker IS NOT NULL AS maker_inferred,
            e.model, e.mac, e.thing_name, e.state, e.state_text, o.text AS owner, p.text AS site, e.trust_domain,
            date_trunc('day', e.left_service_at) + INTERVAL 1 DAY AS left_service_at, e.origin
        FROM t_record r JOIN t_node n USING (source_key, record_id) JOIN t_device t USING (node)
        JOIN e_device_record e ON e.source_key = r.source_key AND e.row_in_source = r.row_in_source
        JOIN source s ON s.source_key = r.source_key
        LEFT JOIN e_description o ON o.source_key = r.source_key AND o.ref = e.owner_ref
        LEFT JOIN e_description p ON p.source_key = r.source_key AND p.ref = e.site_ref
        LEFT JOIN (SELECT node, min(scope) AS maker FROM t_carried WHERE kind = 'serial' AND inferred GROUP BY node) sc
            ON sc.node = n.node
        """,
    )


def _chosen(con: duckdb.DuckDBPyConnection) -> None:
    """``t_device_base``: one row per device; per field what the most authoritative record that speaks says.

    Of several records of one authority the newest speaks, and at equal age the one in service: a device is not called
    retired because an old record of it still says so (the contradiction is a finding of its own).
    """
    con.execute(_RANKED)
    serials = con.execute("SELECT DISTINCT gateway_serial FROM t_ranked WHERE gateway_serial IS NOT NULL").fetchall()
    texts = [t for (t,) in serials]
    lend(con, "t_gateway_text", text=(pa.string(), texts), value=(pa.string(), [identifiers.serial(t) for t in texts]))
    con.execute(_DEVICE_BASE)


_RANKED = """
CREATE OR REPLACE TEMP TABLE t_ranked AS
SELECT r.device_key, r.source_key, r.decides, r.name, r.serial, r.maker, r.model, r.mac, r.state, r.state_text, r.left_service_at,
    o.owner_key, p.site_key, d.domain_key, m.text AS managed_by, e.gateway_serial, e.hardware_security, e.firmware, e.installed_at,
    e.discovered_at, e.owner_changed_at,
    row_number() OVER (PARTITION BY r.device_key ORDER BY r.decides DESC,
        greatest(e.discovered_at, e.installed_at, e.left_service_at) DESC NULLS LAST,
        r.state IN ('active', 'claimed', 'quarantined', 'transferring') DESC NULLS LAST, r.record_key) AS rank
FROM device_record r JOIN t_record t USING (record_key)
JOIN e_device_record e ON e.source_key = t.source_key AND e.row_in_source = t.row_in_source
LEFT JOIN owner o ON o.name = r.owner LEFT JOIN site p ON p.name = r.site LEFT JOIN domain d ON d.name = r.trust_domain
LEFT JOIN e_description m ON m.source_key = e.source_key AND m.ref = e.managed_by_ref
"""

_PER_DEVICE = (
    "name", "serial", "maker", "model", "mac", "owner_key", "site_key", "domain_key", "managed_by", "gateway_serial",
    "hardware_security", "firmware", "installed_at", "discovered_at", "owner_changed_at",
)  # fmt: skip

_DEVICE_BASE = f"""
CREATE OR REPLACE TEMP TABLE t_device_base AS
WITH decided AS (SELECT bool_or(decides_device_state) AS any_decides FROM source WHERE kind IN (SELECT DISTINCT kind FROM device_record)),
folded AS (
    SELECT device_key, count(*) AS records, bool_or(decides) AS decided,
        {", ".join(f"arg_min({c}, rank) AS {c}" for c in _PER_DEVICE)},
        arg_min(state, rank) FILTER (decides) AS said_state, arg_min(state_text, rank) FILTER (decides) AS said_text,
        arg_min(source_key, rank) FILTER (decides AND state IS NOT NULL) AS said_by,
        arg_min(left_service_at, rank) FILTER (decides AND state IN ('retired', 'lost')) AS left_service_at
    FROM t_ranked GROUP BY device_key
)
SELECT f.* EXCLUDE (gateway_serial), f.gateway_serial IS NOT NULL AS behind_gateway, g.device_key AS gateway_key,
    CASE WHEN said_state IS NOT NULL THEN said_state WHEN NOT any_decides THEN 'active' ELSE 'unknown' END AS state,
    decided OR NOT any_decides AS registered
FROM folded f CROSS JOIN decided LEFT JOIN t_gateway_text t ON t.text = f.gateway_serial
LEFT JOIN t_found_one g ON g.kind = 'serial' AND g.value = t.value
"""  # noqa: S608 - columns are ours
