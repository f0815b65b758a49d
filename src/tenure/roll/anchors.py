"""Step 5 of linking: which issuers lead to a collected anchor, which roots were replaced, and what hangs under each.

There are few CAs where there are many certificates, so the graph of issuing keys is walked in memory and certificates
are joined to its result. A path counts when every signature on it was verified and every CA certificate on it is in
force; path length and name constraints are not judged here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime

import duckdb
import pyarrow as pa

from tenure.roll.intake import lend

CLOUD_ROOTS = {"aws-iot": re.compile(r"(^|,)CN=Amazon Root CA [1-4](,|$)")}
"""Roots that a cloud's own endpoints chain to by its documentation: devices that connect there use them."""

_TEST_WORDS = re.compile(
    r"\b(tests?|testing|demo|debug|dummy|sample|snake[ -]?oil|playground|fake|dev|development|"
    r"do not trust|do not ship|internet widgits|acme co|changeme)\b",
    re.IGNORECASE,
)
_GENERATION = re.compile(r"\s*\b(?:g|r|v|gen|generation|version|root)?[ -]?(\d{1,4}|i{1,3}|iv|v)\b\s*$", re.IGNORECASE)


def judge_anchors(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables t_anchored (issuer_key, operation), t_above (issuer_key, ancestor), t_replaced, t_test_issuer, t_collected_issuer."""
    parents = _parents(con)
    _anchored(con, parents)
    _above(con, parents)
    _replaced(con)
    _test_issuers(con, parents)
    _collected(con)


def _parents(con: duckdb.DuckDBPyConnection) -> dict[int, list[tuple[int, int]]]:
    """Issuer key -> (issuer that signed one of its certificates, that certificate), verified only, itself left out."""
    parents: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for child, parent, ca in con.execute(
        "SELECT child, parent, ca_key FROM t_ca_parent WHERE child <> parent ORDER BY ALL"
    ).fetchall():
        parents[child].append((parent, ca))
    return parents


def _anchored(con: duckdb.DuckDBPyConnection, parents: dict[int, list[tuple[int, int]]]) -> None:
    dead = {
        key
        for (key,) in con.execute(
            "SELECT credential_key FROM t_ca WHERE not_after < (SELECT as_of FROM roll) UNION "
            "SELECT credential_key FROM status WHERE status IN ('revoked', 'suspended', 'deactivated') "
            "AND authority IN ('crl', 'ca-index', 'issuance-log')"
        ).fetchall()
    }
    # value: whether one of the anchors may be used for operation (a purpose nobody declared may)
    anchored: dict[int, bool] = {}
    rows = con.execute(
        "SELECT ci.issuer_key, ci.ca_key, a.purpose FROM e_anchor a JOIN t_pick p USING (sha256) JOIN t_ca_issuer ci ON ci.ca_key = p.credential_key"
    ).fetchall()
    for issuer, ca, purpose in rows:
        if ca not in dead:
            anchored[issuer] = anchored.get(issuer, False) or purpose in (None, "operation")
    grown = True
    while grown:
        grown = False
        for child, above in parents.items():
            for parent, ca in above:
                if (parent in anchored and ca not in dead and anchored[parent] > anchored.get(child, False)) or (
                    parent in anchored and ca not in dead and child not in anchored
                ):
                    anchored[child], grown = anchored[parent], True
    keys = sorted(anchored)
    lend(con, "t_anchored", issuer_key=(pa.int64(), keys), operation=(pa.bool_(), [anchored[k] for k in keys]))


def _above(con: duckdb.DuckDBPyConnection, parents: dict[int, list[tuple[int, int]]]) -> None:
    """``t_above``: every issuer with each of its ancestors and itself."""
    pairs: list[tuple[int, int]] = []
    for (issuer,) in con.execute("SELECT issuer_key FROM t_issuer ORDER BY issuer_key").fetchall():
        seen, open_ = {issuer}, [issuer]
        while open_:
            for parent, _ in parents.get(open_.pop(), ()):
                if parent not in seen:
                    seen.add(parent)
                    open_.append(parent)
        pairs += [(issuer, above) for above in sorted(seen)]
    lend(con, "t_above", issuer_key=(pa.int64(), [i for i, _ in pairs]), ancestor=(pa.int64(), [a for _, a in pairs]))


def _replaced(con: duckdb.DuckDBPyConnection) -> None:
    """``t_replaced``: a self-issued CA with another key, of the same organisation and line of names, that began later."""
    rows = con.execute(
        "SELECT credential_key, subject, subject_o, spki_sha256, not_before FROM t_ca WHERE self_issued AND subject IS NOT NULL "
        "AND spki_sha256 IS NOT NULL AND not_before IS NOT NULL ORDER BY not_before, credential_key"
    ).fetchall()
    lines: dict[tuple[str, str], list[tuple[int, str, bytes, datetime]]] = defaultdict(list)
    for key, subject, organisation, spki, begins in rows:
        cn = next((p[3:] for p in subject.split(",") if p.startswith("CN=")), subject)
        lines[(organisation or "", _GENERATION.sub("", cn).casefold())].append((key, cn, spki, begins))
    replaced: dict[int, int] = {}
    for line in lines.values():
        for position, (key, _, spki, begins) in enumerate(line):
            later = [
                other
                for other, _, other_spki, other_begins in line[position + 1 :]
                if other_spki != spki and other_begins > begins
            ]
            if later:
                replaced[key] = later[-1]
    lend(con, "t_replaced", credential_key=(pa.int64(), replaced), by_key=(pa.int64(), replaced.values()))


def _test_issuers(con: duckdb.DuckDBPyConnection, parents: dict[int, list[tuple[int, int]]]) -> None:
    names = dict(con.execute("SELECT issuer_key, name FROM t_issuer WHERE name IS NOT NULL").fetchall())
    reasons: dict[int, str] = {}
    for issuer in names:
        seen, open_ = {issuer}, [issuer]
        while open_:
            at = open_.pop()
            if (found := _TEST_WORDS.search(names.get(at, ""))) is not None:
                reasons[issuer] = f"{'its issuer' if at == issuer else 'a CA above it'} is named {names[at]} ({found[0].lower()})"
                break
            open_ += [p for p, _ in parents.get(at, ()) if p not in seen]
            seen |= set(open_)
    lend(con, "t_test_issuer", issuer_key=(pa.int64(), reasons), reason=(pa.string(), reasons.values()))


def _collected(con: duckdb.DuckDBPyConnection) -> None:
    """``t_collected_issuer``: issuers whose chain ends in a CA that was collected (read from a file, not only told by a log).

    By signature where the certificates are there, by name where a log only tells names.
    """
    collected = {
        k for (k,) in con.execute(
            "SELECT ci.issuer_key FROM t_ca_issuer ci JOIN t_ca ca ON ca.credential_key = ci.ca_key WHERE ca.reader <> 'log' "
            "UNION SELECT issuer_key FROM t_authority"
        ).fetchall()
    }  # fmt: skip
    upwards = con.execute(
        "SELECT i.issuer_key, u.issuer_key FROM t_issuer i JOIN t_ca ca ON ca.subject = i.name AND ca.reader = 'log' "
        "JOIN t_issuer u ON u.name = ca.issuer WHERE i.issuer_key <> u.issuer_key"
    ).fetchall()
    while grown := {c for c, p in upwards if p in collected and c not in collected}:
        collected |= grown
    lend(con, "t_collected_issuer", issuer_key=(pa.int64(), sorted(collected)))


def cloud_roots_in_use(con: duckdb.DuckDBPyConnection) -> set[int]:
    """Issuer keys of roots that a cloud's endpoints chain to, for clouds whose sessions were collected."""
    kinds = {k for (k,) in con.execute("SELECT DISTINCT kind FROM source").fetchall()}
    roots = [pattern for cloud, pattern in CLOUD_ROOTS.items() if any(k.startswith(cloud) for k in kinds)]
    names = con.execute("SELECT issuer_key, name FROM t_issuer WHERE name IS NOT NULL").fetchall()
    return {key for key, name in names if any(p.search(name) for p in roots)}
