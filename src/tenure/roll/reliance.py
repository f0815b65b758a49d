"""Step 6d of linking: issuers and anchors with what hangs under them, and the chains that were shown on the wire.

It comes last, since it counts usable credentials.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.roll.anchors import cloud_roots_in_use
from tenure.roll.intake import lend, publish


def publish_authorities(con: duckdb.DuckDBPyConnection) -> None:
    """issuer, anchor, presented; counts what is usable under each."""
    con.execute(_UNDER)
    publish(con, "issuer", _ISSUER)
    roots = cloud_roots_in_use(con)
    lend(con, "t_cloud_root", issuer_key=(pa.int64(), sorted(roots)))
    publish(con, "anchor", _ANCHOR)
    publish(con, "presented", _PRESENTED)


_UNDER = """
CREATE OR REPLACE TEMP TABLE t_direct AS
SELECT i.issuer_key, count(*) FILTER (u.usable) AS usable, count(*) AS seen
FROM t_cert_issuer i JOIN t_credential u USING (credential_key) JOIN t_cert c USING (credential_key)
WHERE c.self_issued IS NOT TRUE AND c.is_ca IS NOT TRUE GROUP BY i.issuer_key;
CREATE OR REPLACE TEMP TABLE t_under AS
SELECT a.ancestor AS issuer_key, sum(d.usable) AS usable, sum(d.seen) AS seen FROM t_direct d JOIN t_above a USING (issuer_key) GROUP BY 1
"""

_ISSUER = """
SELECT i.issuer_key, i.name, i.organisation, k.key_key, i.credential_key, o.issuer_key IS NOT NULL AS ours,
    coalesce(a.registered, false) AS registered, coalesce(a.issuance_collected, false) AS issuance_collected, a.issuance_since,
    coalesce(a.revocation_collected, false) OR i.issuer_key IN (FROM t_crl_issuer UNION ALL FROM t_list_issuer) AS revocation_collected,
    n.issuer_key IS NOT NULL AS anchored, coalesce(u.usable, 0) AS usable_credentials
FROM t_issuer i LEFT JOIN (SELECT credential_key, key_key FROM t_credential) k ON k.credential_key = i.credential_key LEFT JOIN t_ours o USING (issuer_key)
LEFT JOIN (
    SELECT issuer_key, bool_or(role = 'registered' AND coalesce(status, 'valid') = 'valid') AS registered, bool_or(issuance_collected) AS issuance_collected,
        max(issuance_since) AS issuance_since, bool_or(revocation_collected) AS revocation_collected FROM t_authority GROUP BY issuer_key
) a USING (issuer_key)
LEFT JOIN t_anchored n USING (issuer_key) LEFT JOIN t_under u USING (issuer_key)
ORDER BY i.issuer_key
"""

_ANCHOR = """
WITH longest AS (
    SELECT c.subject, c.spki_sha256, max(c.not_after) AS not_after FROM e_anchor a JOIN t_pick p USING (sha256) JOIN t_cert c USING (credential_key) GROUP BY 1, 2
)
SELECT row_number() OVER (ORDER BY p.credential_key, a.relying_party, a.bundle, a.source_key, a.row_in_source) AS anchor_key, p.credential_key, ci.issuer_key,
    r.relying_party_key, a.purpose, a.bundle, a.source_key, coalesce(u.usable, 0) AS usable_under,
    coalesce(u.seen, 0) + CASE WHEN w.issuer_key IS NOT NULL THEN 1 ELSE 0 END AS seen_under, x.by_key AS replaced_by_key,
    coalesce(e.ended, false) AS revoked, CASE WHEN year(l.not_after) >= 9999 THEN NULL ELSE l.not_after END AS longest_not_after
FROM e_anchor a JOIN t_pick p USING (sha256) JOIN t_cert c USING (credential_key) JOIN t_party r ON r.name = a.relying_party
LEFT JOIN t_ca_issuer ci ON ci.ca_key = p.credential_key LEFT JOIN t_under u ON u.issuer_key = ci.issuer_key
LEFT JOIN t_cloud_root w ON w.issuer_key = ci.issuer_key LEFT JOIN t_replaced x ON x.credential_key = p.credential_key
LEFT JOIN t_ended e ON e.credential_key = p.credential_key
LEFT JOIN longest l ON l.subject IS NOT DISTINCT FROM c.subject AND l.spki_sha256 IS NOT DISTINCT FROM c.spki_sha256
"""

_PRESENTED = """
WITH shown AS (
    SELECT credential_key, 'client' AS side, count(*) AS sessions, count(*) FILTER (accepted) AS accepted, min(started_at) AS first_at, max(started_at) AS last_at
    FROM t_session WHERE credential_key IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT p.credential_key, 'server', count(*), NULL, NULL, NULL FROM e_chain c JOIN t_pick p ON p.sha256 = c.leaf_sha256
    WHERE c.side = 'server' AND c.position = 0 GROUP BY 1
)
SELECT s.*, coalesce(t.issuer_key IS NOT NULL, false) OR a.credential_key IS NOT NULL AS resolved
FROM shown s LEFT JOIN t_cert_issuer i USING (credential_key) LEFT JOIN t_collected_issuer t USING (issuer_key)
LEFT JOIN (SELECT DISTINCT p.credential_key FROM e_anchor e JOIN t_pick p USING (sha256)) a ON a.credential_key = s.credential_key
"""
