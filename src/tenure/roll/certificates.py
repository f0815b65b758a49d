"""Step 2 of linking: certificates once each, and who signed them.

1. A certificate shown by many sources is one credential; the reading that tells most stands for it.
2. CA certificates give issuers, one per key; a name nobody has a certificate for is an issuer known by name only.
3. Name and key identifiers give candidates, the signature decides (invariant 9). Signatures that were checked at
   collection, or in an earlier run (``edge_cache``), are not checked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tenure.pki import signatures
from tenure.roll.intake import forget, publish

VERIFY_BATCH = 20_000
ALONE = 5_000
"""Up to so many open signatures one process checks them all: starting a second takes longer."""

EDGE_FILE = "signature-edges.parquet"

_EDGE_COLUMNS: dict[str, pa.DataType] = {"sha256": pa.binary(32), "issuer_sha256": pa.binary(32), "verified": pa.bool_()}
_EDGE_SCHEMA = pa.schema(_EDGE_COLUMNS)


def link_certificates(con: duckdb.DuckDBPyConnection, edge_cache: Path | None) -> None:
    """Table edge; temp tables t_pick (sha256 -> credential_key), t_ca, t_ca_issuer, t_ca_parent, t_issuer, t_cert_issuer; view t_cert."""
    con.execute(_CERTIFICATES)
    con.execute(_NAMES)
    con.execute(_AUTHORITIES)
    con.execute(_ISSUERS)
    _check_signatures(con, edge_cache)
    con.execute(_EDGES)
    con.execute(_ISSUER_OF)
    publish(con, "edge", "SELECT credential_key, issuer_key, ca_key AS issuer_credential_key, state FROM t_edge_state")
    con.execute(_PARENTS)
    forget(con, "t_known", "t_candidate", "t_open", "t_edge_state")


# Most certificates are shown once. Of those whose hash is met again, all readings but the best are left out. What they say
# stays in the snapshots' files and is read from there, a few columns at a time: it would fill the memory several times over.
_CERTIFICATES = """
CREATE OR REPLACE TEMP VIEW t_reading AS
SELECT f.certificates_before + e.row_in_source + 1 AS credential_key, e.* FROM e_certificate e JOIN t_first f USING (source_key);
CREATE OR REPLACE TEMP TABLE t_left_out AS
SELECT credential_key FROM (
    SELECT r.credential_key, row_number() OVER (
        PARTITION BY r.sha256 ORDER BY CASE r.reader WHEN 'full' THEN 0 WHEN 'partial' THEN 1 ELSE 2 END, r.credential_key) AS place
    FROM t_reading r SEMI JOIN (SELECT hash(sha256) AS h FROM e_certificate GROUP BY 1 HAVING count(*) > 1) s ON s.h = hash(r.sha256)
) WHERE place > 1;
CREATE OR REPLACE TEMP VIEW t_cert AS
SELECT r.* EXCLUDE (der, issuer_sha256, subject_sha256, key_usage, subject_alt_names, path_length)
FROM t_reading r ANTI JOIN t_left_out USING (credential_key);
CREATE OR REPLACE TEMP TABLE t_pick AS SELECT credential_key, sha256, source_key, row_in_source FROM t_cert
"""

_NAMES = """
CREATE OR REPLACE TEMP TABLE t_name AS
SELECT row_number() OVER (ORDER BY name) AS name_key, name FROM (SELECT DISTINCT issuer AS name FROM t_cert WHERE issuer IS NOT NULL)
"""

_PARENTS = """
CREATE OR REPLACE TEMP TABLE t_ca_parent AS  -- CA certificates and who signed them, verified only
SELECT DISTINCT ci.issuer_key AS child, e.issuer_key AS parent, ci.ca_key
FROM t_ca_issuer ci JOIN edge e ON e.credential_key = ci.ca_key AND e.state = 'verified'
"""

_AUTHORITIES = """
CREATE OR REPLACE TEMP TABLE t_ca AS
SELECT c.credential_key, c.sha256, c.subject, c.issuer, c.subject_key_id, c.spki_sha256, c.not_before, c.not_after,
    c.self_issued, c.subject_o, c.reader, n.name_key
FROM t_cert c LEFT JOIN t_name n ON n.name = c.subject
WHERE c.is_ca OR (c.self_issued AND c.version < 3)
    OR c.sha256 IN (SELECT sha256 FROM e_anchor)
    OR c.sha256 IN (SELECT sha256 FROM e_authority WHERE sha256 IS NOT NULL)
    OR (c.subject IN (SELECT name FROM t_name) AND c.is_ca IS NOT FALSE)
"""

_ISSUERS = """
CREATE OR REPLACE TEMP TABLE t_issuer AS
WITH keyed AS (
    SELECT spki_sha256, arg_max(credential_key, (not_after, -credential_key)) AS credential_key FROM t_ca
    WHERE spki_sha256 IS NOT NULL GROUP BY spki_sha256
),
named AS (
    SELECT n.name FROM t_name n WHERE n.name NOT IN (SELECT subject FROM t_ca WHERE subject IS NOT NULL AND spki_sha256 IS NOT NULL)
),
logged AS (  -- names that only an issuer's log tells
    SELECT DISTINCT a.name FROM e_authority a WHERE a.sha256 IS NULL AND a.name IS NOT NULL
        AND a.name NOT IN (SELECT name FROM named) AND a.name NOT IN (SELECT subject FROM t_ca WHERE subject IS NOT NULL)
)
SELECT row_number() OVER (ORDER BY name, spki_sha256) AS issuer_key, * FROM (
    SELECT ca.subject AS name, ca.subject_o AS organisation, k.spki_sha256, k.credential_key
    FROM keyed k JOIN t_ca ca ON ca.credential_key = k.credential_key
    UNION ALL SELECT name, NULL, NULL, NULL FROM named
    UNION ALL SELECT name, NULL, NULL, NULL FROM logged
);
CREATE OR REPLACE TEMP TABLE t_ca_issuer AS
SELECT ca.credential_key AS ca_key, i.issuer_key FROM t_ca ca JOIN t_issuer i ON i.spki_sha256 = ca.spki_sha256;
CREATE OR REPLACE TEMP TABLE t_candidate AS
SELECT c.credential_key, ca.credential_key AS ca_key,
    c.authority_key_id IS NOT NULL AND ca.subject_key_id IS NOT NULL AND c.authority_key_id = ca.subject_key_id AS by_key_id
FROM t_cert c JOIN t_name n ON n.name = c.issuer JOIN t_ca ca ON ca.name_key = n.name_key AND ca.spki_sha256 IS NOT NULL
WHERE c.authority_key_id IS NULL OR ca.subject_key_id IS NULL OR c.authority_key_id = ca.subject_key_id
"""

# A signature is checked against a key, so every certificate of that key shares the verdict.
_EDGES = """
CREATE OR REPLACE TEMP TABLE t_edge_state AS
WITH checked AS (
    SELECT credential_key, issuer_key, min(ca_key) AS ca_key, bool_or(verified) AS verified FROM t_known
    WHERE issuer_key IS NOT NULL GROUP BY credential_key, issuer_key
),
claimed AS (
    SELECT c.credential_key, ci.issuer_key, min(c.ca_key) AS ca_key, bool_or(c.by_key_id) AS by_key_id
    FROM t_candidate c JOIN t_ca_issuer ci USING (ca_key)
    ANTI JOIN (SELECT credential_key FROM checked WHERE verified) v USING (credential_key)
    GROUP BY c.credential_key, ci.issuer_key
)
SELECT credential_key, issuer_key, ca_key, CASE WHEN verified THEN 'verified' ELSE 'refuted' END AS state, true AS by_key_id FROM checked
UNION ALL
SELECT c.credential_key, c.issuer_key, c.ca_key, 'claimed', c.by_key_id FROM claimed c
ANTI JOIN checked k ON k.credential_key = c.credential_key AND k.issuer_key = c.issuer_key
"""

_ISSUER_OF = """
CREATE OR REPLACE TEMP TABLE t_cert_issuer AS
WITH best AS (
    SELECT credential_key, min(CASE state WHEN 'verified' THEN 0 ELSE CASE WHEN by_key_id THEN 1 ELSE 2 END END * 4294967296 + issuer_key)
        AS best
    FROM t_edge_state WHERE state <> 'refuted' GROUP BY credential_key
)
SELECT credential_key, best % 4294967296 AS issuer_key, best < 4294967296 AS verified FROM best
UNION ALL
SELECT c.credential_key, min(i.issuer_key), false FROM t_cert c ANTI JOIN best b ON b.credential_key = c.credential_key
JOIN t_issuer i ON i.name = c.issuer AND i.spki_sha256 IS NULL GROUP BY c.credential_key
"""


def _check_signatures(con: duckdb.DuckDBPyConnection, cache: Path | None) -> None:
    """``t_known``: what collection and earlier runs checked, and what is checked now because the issuer turned up elsewhere."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE t_known AS {_KNOWN.format('e_signature_edge')}")
    if cache is not None and (cache / EDGE_FILE).is_file():
        con.execute(f"INSERT INTO t_known {_KNOWN.format('read_parquet(?)')}", [str(cache / EDGE_FILE)])
    con.execute(_OPEN_PAIRS)
    fresh = list(_checked(con))
    if fresh:
        table = pa.concat_tables(fresh)
        con.register("fresh_edge", table)
        con.execute(f"INSERT INTO t_known {_KNOWN.format('fresh_edge')}")
        con.unregister("fresh_edge")
        _remember(cache, table)


_KNOWN = """
SELECT p.credential_key, i.ca_key, i.issuer_key, k.verified FROM {} k JOIN t_pick p USING (sha256)
LEFT JOIN (SELECT p.sha256, ci.* FROM t_ca_issuer ci JOIN t_pick p ON p.credential_key = ci.ca_key) i ON i.sha256 = k.issuer_sha256
"""


def _checked(con: duckdb.DuckDBPyConnection) -> Iterator[pa.Table]:
    """Verdicts on the open pairs, in batches; what cannot be checked (an unknown algorithm) stays claimed."""
    issuers: dict[int, tuple[bytes, bytes]] = {key: (sha, der) for key, sha, der in con.execute(_OPEN_ISSUERS).fetchall()}
    ((pairs,),) = con.execute("SELECT count(*) FROM t_open").fetchall()
    if not issuers:
        return
    reader = con.sql(_OPEN_CERTIFICATES).to_arrow_reader(VERIFY_BATCH)
    with ProcessPoolExecutor(2, get_context("spawn")) if pairs > ALONE else nullcontext() as pool:
        for batch in reader:
            shas, ders, keys = (cast("list[Any]", batch.column(n).to_pylist()) for n in ("sha256", "der", "ca_key"))
            jobs = [(der, issuers[key][1]) for der, key in zip(ders, keys, strict=True)]
            if pool is None:
                verdicts = _verdicts(jobs)
            else:
                half = len(jobs) // 2
                verdicts = [v for part in pool.map(_verdicts, (jobs[:half], jobs[half:])) for v in part]
            decided = [(sha, issuers[key][0], v) for sha, key, v in zip(shas, keys, verdicts, strict=True) if v is not None]
            if decided:
                columns = zip(*decided, strict=True)
                yield pa.table([pa.array(c, f.type) for c, f in zip(columns, _EDGE_SCHEMA, strict=True)], schema=_EDGE_SCHEMA)


def _verdicts(pairs: list[tuple[bytes, bytes]]) -> list[bool | None]:
    return [v.verified if v.decided else None for v in (signatures.verify(certificate, issuer) for certificate, issuer in pairs)]


# One candidate per key is enough, and a certificate whose issuer is verified needs no further check.
_OPEN_PAIRS = """
CREATE OR REPLACE TEMP TABLE t_open AS
SELECT c.credential_key, min(c.ca_key) AS ca_key
FROM t_candidate c JOIN t_ca_issuer ci USING (ca_key)
ANTI JOIN (SELECT credential_key FROM t_known WHERE verified) s ON s.credential_key = c.credential_key
ANTI JOIN t_known k ON k.credential_key = c.credential_key AND k.issuer_key = ci.issuer_key
GROUP BY c.credential_key, ci.issuer_key
"""

_OPEN_ISSUERS = """
SELECT p.credential_key, p.sha256, e.der FROM t_pick p JOIN e_certificate e ON e.source_key = p.source_key AND e.row_in_source = p.row_in_source
WHERE e.der IS NOT NULL AND p.credential_key IN (SELECT ca_key FROM t_open)
"""

_OPEN_CERTIFICATES = """
SELECT p.sha256, e.der, o.ca_key FROM t_open o JOIN t_pick p USING (credential_key)
JOIN e_certificate e ON e.source_key = p.source_key AND e.row_in_source = p.row_in_source
WHERE e.der IS NOT NULL AND o.ca_key IN (SELECT p.credential_key FROM t_pick p JOIN e_certificate i
    ON i.source_key = p.source_key AND i.row_in_source = p.row_in_source WHERE i.der IS NOT NULL
    AND p.credential_key IN (SELECT ca_key FROM t_open))
ORDER BY o.credential_key, o.ca_key
"""


def _remember(cache: Path | None, table: pa.Table) -> None:
    """Keep verdicts for the next run. The file is replaced whole: dying before the rename loses a cache, nothing else."""
    if cache is None:
        return
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / EDGE_FILE
    if target.is_file():
        table = pa.concat_tables([pq.read_table(target).cast(_EDGE_SCHEMA), table])
    draft = target.with_name(f".{EDGE_FILE}.draft")
    pq.write_table(table, draft, compression="zstd")
    draft.replace(target)
