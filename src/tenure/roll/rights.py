"""Step 7 of linking: policies evaluated (model.policies), what they are attached to, and what other tools found."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.model import policies
from tenure.roll.intake import lend, publish


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
    con.execute(
        "CREATE OR REPLACE TEMP TABLE t_grant AS SELECT DISTINCT p.policy_key, t.credential_key, g.source_key FROM e_policy_grant g "
        "JOIN policy p ON p.name = g.policy AND p.scope IS NOT DISTINCT FROM g.scope JOIN t_pick t USING (sha256)"
    )
    _undone(con, {key: row[3] or "" for key, row in enumerate(rows, 1)})
    publish(
        con,
        "policy_grant",
        "SELECT g.*, u.policy_key IS NULL AS effective FROM t_grant g LEFT JOIN t_undone u USING (policy_key, credential_key)",
    )
    publish(con, "external_finding", "SELECT f.*, t.credential_key FROM e_external_finding f LEFT JOIN t_pick t USING (sha256)")


def _undone(con: duckdb.DuckDBPyConnection, documents: dict[int, str]) -> None:
    """``t_undone``: grants of wide policies that the credential's other policies take back. Sets of policies are few."""
    sets = con.execute(
        "SELECT credential_key, list(DISTINCT policy_key ORDER BY policy_key) FROM t_grant GROUP BY 1 HAVING count(DISTINCT policy_key) > 1 "
        "AND bool_or(policy_key IN (SELECT policy_key FROM policy WHERE allows_all_actions OR allows_all_topics))"
    ).fetchall()
    together: dict[tuple[int, ...], policies.PolicyRights] = {}
    undone: list[tuple[int, int]] = []
    for credential, keys in sets:
        chosen = tuple(keys)
        if chosen not in together:
            together[chosen] = policies.evaluate(*(documents[k] for k in chosen))
        rights = together[chosen]
        if rights.readable and not (rights.allows_all_actions or rights.allows_all_topics):
            undone += [(key, credential) for key in chosen]
    lend(con, "t_undone", policy_key=(pa.int64(), [p for p, _ in undone]), credential_key=(pa.int64(), [c for _, c in undone]))
