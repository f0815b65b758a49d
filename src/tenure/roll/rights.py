"""Step 7 of linking: policies evaluated (model.policies), what they are attached to, and what other tools found."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.model import policies
from tenure.roll.intake import publish


def publish_rights(con: duckdb.DuckDBPyConnection) -> None:
    """policy, policy_grant, external_finding. A policy told twice in one scope is one; its newest document counts."""
    rows = con.execute(
        "SELECT min(source_key), name, scope, arg_max(document, (source_key, row_in_source)), min(origin) FROM e_policy "
        "GROUP BY name, scope ORDER BY name, scope"
    ).fetchall()
    rights = [policies.evaluate(document or "") for _, _, _, document, _ in rows]
    con.register(
        "evaluated",
        pa.table(
            {
                "policy_key": pa.array(range(1, len(rows) + 1), pa.int64()),
                "source_key": pa.array([r[0] for r in rows], pa.int64()),
                "name": pa.array([r[1] for r in rows], pa.string()),
                "scope": pa.array([r[2] for r in rows], pa.string()),
                "allows_all_actions": pa.array([r.allows_all_actions for r in rights], pa.bool_()),
                "allows_all_topics": pa.array([r.allows_all_topics for r in rights], pa.bool_()),
                "why": pa.array([r.why for r in rights], pa.string()),
                "readable": pa.array([r.readable for r in rights], pa.bool_()),
                "origin": pa.array([r[4] for r in rows], pa.string()),
            }
        ),
    )
    publish(con, "policy", "SELECT * FROM evaluated")
    publish(
        con,
        "policy_grant",
        "SELECT DISTINCT p.policy_key, t.credential_key, g.source_key FROM e_policy_grant g "
        "JOIN policy p ON p.name = g.policy AND p.scope IS NOT DISTINCT FROM g.scope JOIN t_pick t USING (sha256)",
    )
    publish(con, "external_finding", "SELECT f.*, t.credential_key FROM e_external_finding f LEFT JOIN t_pick t USING (sha256)")
