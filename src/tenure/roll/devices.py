"""Step 1b of linking: device records -> devices.

1. Connected components over (record, strong identifier) are the devices.
2. A device's id is a hash of its best identifier (hardware key, serial, MAC, thing name; then smallest), so it stays
   from run to run; when a later identifier merges two devices, the merged one keeps the id of the better identifier.
3. What the records claim is kept side by side; what the authoritative one says becomes the device's.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from tenure.roll import notations
from tenure.roll.intake import lend, publish


def link_devices(con: duckdb.DuckDBPyConnection) -> None:
    """Tables device_record, device_identifier, identifier; temp tables t_merged, t_found, t_identity, t_device_base."""
    _components(con)
    _carriers(con)
    publish(con, "device_record", _DEVICE_RECORD)
    con.execute(_IDENTITY)
    _chosen(con)


def small_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Tables site, owner, domain, device_class: what devices refer to."""
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


def _components(con: duckdb.DuckDBPyConnection) -> None:
    """``t_merged``: node -> device_key of devices with several nodes; every other device is its one node. Only shared identifiers make edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = con.execute(
        "SELECT l.node, l.identifier_key FROM t_shared_link l "
        "ANTI JOIN t_lost x USING (kind, value, scope) WHERE l.strong_kind AND l.several"
    ).fetchnumpy()
    nodes, node_at = np.unique(np.asarray(edges["node"], dtype=np.int64), return_inverse=True)
    values, value_at = np.unique(np.asarray(edges["identifier_key"], dtype=np.int64), return_inverse=True)
    size = len(nodes) + len(values)
    graph = coo_array((np.ones(len(node_at), dtype=np.int8), (node_at, len(nodes) + value_at)), shape=(size, size))
    _, label = connected_components(graph, directed=False) if size else (0, np.array([], dtype=np.int64))
    con.register("merged", pa.table({"node": pa.array(nodes), "label": pa.array(label[: len(nodes)])}))
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE t_merged AS
        SELECT m.node, f.first AS device_key FROM merged m
        JOIN (SELECT label, min(node) AS first FROM merged GROUP BY label HAVING count(*) > 1) f USING (label)
        """
    )
    con.unregister("merged")


def _carriers(con: duckdb.DuckDBPyConnection) -> None:
    """Who carries what. ``t_found`` finds devices by an identifier: whoever asks must see that it gives one device only."""
    publish(
        con,
        "device_identifier",
        "SELECT coalesce(h.identifier_key, l.link) AS identifier_key, l.node AS record_key, coalesce(m.device_key, l.node) AS device_key, l.source_key "
        "FROM t_link l LEFT JOIN t_merged m USING (node) LEFT JOIN t_shared_link h USING (link) WHERE l.told",
    )
    publish(con, "identifier", _IDENTIFIER)
    con.execute(_FOUND)
    con.execute(_EXACT)


_FOUND = """
CREATE OR REPLACE TEMP TABLE t_inferred_maker AS SELECT node, min(scope) AS maker FROM t_link WHERE kind = 'serial' AND inferred GROUP BY node;
CREATE OR REPLACE TEMP TABLE t_found AS
SELECT l.kind, l.value, l.scope, coalesce(m.device_key, l.node) AS device_key, l.strong_kind AS strong FROM t_link l LEFT JOIN t_merged m USING (node)
ANTI JOIN t_lost x ON x.kind = l.kind AND x.value = l.value AND x.scope = l.scope;
DROP TABLE t_link
"""

_EXACT = f"UPDATE t_found SET kind = '{notations.SERIAL_EXACT}' WHERE kind = 'serial' AND scope IN (SELECT maker FROM t_zeros)"  # noqa: S608 - a constant of ours

_DEVICE_RECORD = """
SELECT e.record_key, coalesce(t.device_key, w.node, e.record_key) AS device_key, e.source_key, e.record_id, s.kind, s.decides_device_state AS decides,
    e.name, e.serial, coalesce(e.maker, sc.maker) AS maker, e.maker IS NULL AND sc.maker IS NOT NULL AS maker_inferred,
    e.model, e.mac, e.thing_name, e.state, e.state_text, o.text AS owner, p.text AS site, e.trust_domain,
    e.firmware, e.hardware_security, m.text AS managed_by, e.gateway_serial, e.installed_at, e.discovered_at, e.owner_changed_at,
    date_trunc('day', e.left_service_at) + INTERVAL 1 DAY AS left_service_at, e.origin
FROM (SELECT e.*, f.records_before + e.row_in_source + 1 AS record_key FROM e_device_record e JOIN t_first f USING (source_key)) e
JOIN source s ON s.source_key = e.source_key LEFT JOIN t_twice w ON w.record_key = e.record_key
LEFT JOIN t_merged t ON t.node = coalesce(w.node, e.record_key)
LEFT JOIN e_description o ON o.source_key = e.source_key AND o.ref = e.owner_ref
LEFT JOIN e_description p ON p.source_key = e.source_key AND p.ref = e.site_ref
LEFT JOIN e_description m ON m.source_key = e.source_key AND m.ref = e.managed_by_ref
LEFT JOIN t_inferred_maker sc ON sc.node = coalesce(w.node, e.record_key)
"""


_IDENTIFIER = """
WITH met AS (
    SELECT l.identifier_key, count(DISTINCT l.node) AS records, count(DISTINCT coalesce(m.device_key, l.node)) AS devices
    FROM t_shared_link l LEFT JOIN t_merged m USING (node) GROUP BY l.identifier_key
),
every AS (
    SELECT s.identifier_key, s.kind, s.value, s.scope, s.strong_kind, n.records, n.devices, x.reason
    FROM t_shared s JOIN met n USING (identifier_key) LEFT JOIN t_lost x ON x.kind = s.kind AND x.value = s.value AND x.scope = s.scope
    UNION ALL
    SELECT l.link, l.kind, l.value, l.scope, l.strong_kind, 1, 1, x.reason FROM t_link l ANTI JOIN t_shared_link h USING (link)
    LEFT JOIN t_lost x ON x.kind = l.kind AND x.value = l.value AND x.scope = l.scope WHERE l.told
)
SELECT identifier_key, kind, value, nullif(scope, '') AS scope, strong_kind AND reason IS NULL AS strong, reason IS NOT NULL AS non_identifying,
    records, devices, 0 AS credentials, reason
FROM every
"""

_IDENTITY = """
CREATE OR REPLACE TEMP TABLE t_identity AS
WITH strong AS (
    SELECT device_key, CASE WHEN kind = 'serial-exact' THEN 'serial' ELSE kind::VARCHAR END AS kind, scope, value FROM t_found WHERE strong
),
by_hardware AS (SELECT device_key, min('hardware-key  ' || value) AS best FROM strong WHERE kind = 'hardware-key' GROUP BY 1),
by_serial AS (SELECT device_key, min('serial ' || scope || ' ' || value) AS best FROM strong WHERE kind = 'serial' GROUP BY 1),
by_other AS (  -- only where no better kind speaks
    SELECT s.device_key, min(CASE kind WHEN 'mac' THEN '1' WHEN 'thing-name' THEN '2' ELSE '3' END || kind || ' ' || scope || ' ' || value) AS best
    FROM strong s ANTI JOIN by_serial USING (device_key) ANTI JOIN by_hardware USING (device_key) WHERE kind NOT IN ('hardware-key', 'serial') GROUP BY 1
),
identity AS (
    SELECT device_key, best FROM by_hardware UNION ALL SELECT s.device_key, s.best FROM by_serial s ANTI JOIN by_hardware USING (device_key)
    UNION ALL SELECT device_key, best FROM by_other
),
record AS (
    SELECT r.device_key, min(s.kind || ' ' || s.name || ' ' || r.record_id) AS best FROM device_record r
    JOIN source s USING (source_key) ANTI JOIN identity USING (device_key) GROUP BY r.device_key
)
SELECT device_key, 'device-' || substr(sha256('identifier ' || best), 1, 26) AS device_id FROM identity
UNION ALL SELECT device_key, 'device-' || substr(sha256('record ' || best), 1, 26) FROM record
"""


def _chosen(con: duckdb.DuckDBPyConnection) -> None:
    """``t_device_base``: one row per device; per field what the most authoritative record that speaks says.

    Of several records of one authority the newest speaks, and at equal age the one in service: a device is not called
    retired because an old record of it still says so (the contradiction is a finding of its own).
    """
    con.execute(_RANKED)
    serials = con.execute("SELECT DISTINCT gateway_serial FROM device_record WHERE gateway_serial IS NOT NULL").fetchall()
    texts = [t for (t,) in serials]
    lend(con, "t_gateway_text", text=(pa.string(), texts))
    con.execute(_DEVICE_BASE)


# Most devices are one record told once: they need no ranking, so only the others are sorted and folded.
_RANKED = """
CREATE OR REPLACE TEMP VIEW t_ranked AS
SELECT r.*, t.node IS NULL AND w.node IS NULL AS alone, o.owner_key, p.site_key, d.domain_key
FROM device_record r LEFT JOIN t_merged t ON t.node = r.record_key LEFT JOIN t_twice w USING (record_key)
LEFT JOIN owner o ON o.name = r.owner LEFT JOIN site p ON p.name = r.site LEFT JOIN domain d ON d.name = r.trust_domain
"""

_PER_DEVICE = (
    "name", "serial", "maker", "model", "mac", "owner_key", "site_key", "domain_key", "managed_by", "gateway_serial",
    "hardware_security", "firmware", "installed_at", "discovered_at", "owner_changed_at",
)  # fmt: skip

_DEVICE_BASE = f"""
CREATE OR REPLACE TEMP TABLE t_device_base AS
WITH inventory AS (SELECT bool_or(decides) AS decides, bool_or(decides AND state IS NOT NULL) AS tells_state FROM device_record),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY device_key ORDER BY decides DESC,
        greatest(discovered_at, installed_at, left_service_at) DESC NULLS LAST,
        coalesce(state IN ('active', 'claimed', 'quarantined', 'transferring'), false) DESC, record_key) AS rank
    FROM t_ranked WHERE NOT alone
),
folded AS (
    SELECT device_key, count(*) AS records, bool_or(decides) AS decided,
        {", ".join(f"arg_min({c}, rank) AS {c}" for c in _PER_DEVICE)},
        arg_min(state, rank) FILTER (decides) AS said_state, arg_min(state_text, rank) FILTER (decides) AS said_text,
        arg_min(source_key, rank) FILTER (decides AND state IS NOT NULL) AS said_by,
        arg_min(left_service_at, rank) FILTER (decides AND state IN ('retired', 'lost')) AS left_service_at
    FROM ranked GROUP BY device_key
    UNION ALL
    SELECT device_key, 1, decides, {", ".join(_PER_DEVICE)}, CASE WHEN decides THEN state END, CASE WHEN decides THEN state_text END,
        CASE WHEN decides AND state IS NOT NULL THEN source_key END, CASE WHEN decides AND state IN ('retired', 'lost') THEN left_service_at END
    FROM t_ranked WHERE alone
),
gateway AS (
    SELECT t.text, min(g.device_key) AS device_key FROM (
        SELECT text, 'serial' AS kind, {notations.serial("text")} AS value FROM t_gateway_text
        UNION ALL SELECT text, '{notations.SERIAL_EXACT}', {notations.serial_exact("text")} FROM t_gateway_text
    ) t JOIN t_found g ON g.kind = t.kind AND g.value = t.value GROUP BY t.text HAVING min(g.device_key) = max(g.device_key)
)
SELECT f.* EXCLUDE (gateway_serial), f.gateway_serial IS NOT NULL AS behind_gateway, g.device_key AS gateway_key,
    CASE WHEN said_state IS NOT NULL THEN said_state WHEN NOT inventory.tells_state THEN 'active' ELSE 'unknown' END AS state,
    decided OR NOT inventory.decides AS registered
FROM folded f CROSS JOIN inventory LEFT JOIN gateway g ON g.text = f.gateway_serial
"""  # noqa: S608 - columns are ours
