"""Step 2b of linking: revocation lists that were collected by themselves: whose they are, and what they then say.

1. The issuer's name and key identifier give candidates, the signature decides (invariant 9), as for certificates.
2. What nobody collected signed says nothing: a list from a stranger must not pass a trusted credential for revoked.
3. A revocation is for good, whichever list has it. A hold, or its end, is for the newest complete list of its signer to say.

Lists in CA folders were checked when those were collected, and are among ``e_credential_status`` already.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tenure.pki import crls
from tenure.roll.intake import forget, lend

MOST_TRIED = 64
"""CA certificates of a list's name that its signature is checked against; more share one name only in hostile collections."""


def link_revocations(con: duckdb.DuckDBPyConnection) -> None:
    """View t_status: what every source and every verified list says; adds to the table problem; temp table t_list_issuer (issuers
    a verified list is of)."""
    con.execute(_LISTS)
    signers = _signers(con)
    lend(con, "t_list_signer", sha256=(pa.binary(32), list(signers)), ca_key=(pa.int64(), list(signers.values())))
    con.execute(_SIGNED)
    con.execute(_UNVERIFIED)
    con.execute(_SUPERSEDED)
    con.execute(_SAID)
    forget(con, "t_list_signer")


def _signers(con: duckdb.DuckDBPyConnection) -> dict[bytes, int]:
    """List -> CA certificate whose key signed it; lists that none here signed are left out."""
    signers: dict[bytes, int] = {}
    for (sha256,) in con.execute("SELECT sha256 FROM t_list ORDER BY sha256").fetchall():
        candidates = con.execute(_CANDIDATES, [sha256, MOST_TRIED]).fetchall()
        if candidates:
            ((encoded,),) = con.execute(_ENCODED, [sha256]).fetchall()
            verified = (key for key, issuer in candidates if crls.verify(encoded, issuer).verified)
            if (key := next(verified, None)) is not None:
                signers[sha256] = key
    return signers


_LISTS = """
CREATE OR REPLACE TEMP TABLE t_list AS  -- each once, by the first source that has it
SELECT * EXCLUDE (der) FROM e_revocation_list QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY source_key, row_in_source) = 1
"""

_CANDIDATES = """
SELECT ca.credential_key, e.der FROM t_list l
JOIN t_ca ca ON ca.subject = l.issuer
    AND (l.authority_key_id IS NULL OR ca.subject_key_id IS NULL OR l.authority_key_id = ca.subject_key_id)
JOIN t_pick p ON p.credential_key = ca.credential_key
JOIN e_certificate e ON e.source_key = p.source_key AND e.row_in_source = p.row_in_source
WHERE l.sha256 = $1 AND e.der IS NOT NULL AND ca.credential_key IN (SELECT ca_key FROM t_ca_issuer)
ORDER BY ca.subject_key_id = l.authority_key_id DESC NULLS LAST, ca.credential_key LIMIT $2
"""

_ENCODED = """
SELECT e.der FROM t_list l JOIN e_revocation_list e ON e.source_key = l.source_key AND e.row_in_source = l.row_in_source
WHERE l.sha256 = $1
"""

# ``newest``: when the newest complete list of the same key was made.
_SIGNED = """
CREATE OR REPLACE TEMP TABLE t_signed_list AS
SELECT l.sha256, l.source_key, l.origin, l.this_update, l.authority_key_id, i.issuer_key, ca.subject, ca.sha256 AS ca_sha256,
    coalesce(l.this_update < max(l.this_update) FILTER (NOT l.delta) OVER (PARTITION BY i.issuer_key), false) AS outdated
FROM t_list l JOIN t_list_signer s USING (sha256) JOIN t_ca_issuer i USING (ca_key) JOIN t_ca ca ON ca.credential_key = s.ca_key;
CREATE OR REPLACE TEMP TABLE t_list_issuer AS SELECT DISTINCT issuer_key FROM t_signed_list
"""

# A problem names its file as the source does, without the place that the source has among the exports.
_FILE = """CASE WHEN starts_with(l.origin, s.name || '/') THEN substr(l.origin, length(s.name) + 2) ELSE l.origin END"""

_UNVERIFIED = f"""
INSERT INTO problem
SELECT l.source_key, split_part({_FILE}, '#', 1), 'list',
    'no collected CA certificate verifies this list of ' || coalesce(nullif(l.issuer, ''), 'an issuer that cannot be read') || '; its ' || l.entries
        || ' entries are left out',
    'crl-unverified', lower(hex(l.sha256))
FROM t_list l JOIN source s USING (source_key) ANTI JOIN t_list_signer v ON v.sha256 = l.sha256 ORDER BY l.source_key, l.row_in_source
"""  # noqa: S608 - an expression of ours

_SUPERSEDED = f"""
INSERT INTO problem
SELECT l.source_key, split_part({_FILE}, '#', 1), 'list',
    count(*) || ' certificates on hold or released: a newer list of the same CA decides on them', 'superseded-crl', lower(hex(l.sha256))
FROM t_signed_list l JOIN source s USING (source_key)
JOIN e_revocation r ON r.list_sha256 = l.sha256 AND r.source_key = l.source_key AND r.status <> 'revoked'
WHERE l.outdated GROUP BY l.source_key, l.origin, s.name, l.sha256 ORDER BY l.source_key, l.origin
"""  # noqa: S608 - an expression of ours

_SAID = """
CREATE OR REPLACE TEMP VIEW t_status AS
SELECT * FROM e_credential_status
UNION ALL BY NAME
SELECT r.source_key, r.row_in_source, coalesce(r.issuer, l.subject) AS issuer, CASE WHEN r.issuer IS NULL THEN l.ca_sha256 END AS issuer_sha256,
    CASE WHEN r.issuer IS NULL THEN l.authority_key_id END AS issuer_key_id, r.serial_hex, r.status, r.status_text, 'crl' AS authority,
    r.effective_at, l.this_update AS stated_at, r.origin
FROM e_revocation r JOIN t_signed_list l ON l.sha256 = r.list_sha256 AND l.source_key = r.source_key
WHERE r.status = 'revoked' OR NOT l.outdated
"""
