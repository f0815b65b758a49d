"""Exports of a plant of four devices as people would lay them into a folder, and what auditing them needs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tenure.evidence.digests import SecretDigest
from tenure.flows.audit import Progress, Questions, Workplace, audit
from tenure.flows.observe import Bench
from tenure.model.decisions import Decision
from tenure.model.declarations import Declarations
from tenure.model.findings import AuditResult
from tenure.roll.link import Limits
from tenure.roll.rules import builtin_controls_folder, builtin_folder, load_controls, load_rules
from tenure.wiring import TREES, sources

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)

CMDB = """\
sys_id,name,serial_number,mac_address,manufacturer,model_id,install_status,owned_by,location,installed_on,last_discovered,retired_on
r1,pump-1,SN100001,02:00:00:00:00:01,Acme,P1,Installed,Plant Operations,north,2025-01-10,2026-10-30 08:00:00,
r2,pump-2,SN100002,02:00:00:00:00:02,Acme,P1,Installed,,north,2025-01-10,2026-10-30 08:00:00,
r3,pump-3,SN100003,02:00:00:00:00:03,Acme,P1,Retired,Plant Operations,north,2025-01-10,2026-05-30 08:00:00,2026-06-01
r4,pump-4,SN100004,02:00:00:00:00:04,Acme,P1,Installed,Plant Operations,south,2025-01-10,2026-10-30 08:00:00,
"""

TOKENS = f"""\
token_id,sha256_of_token,device_serial,created_on,expires_on,last_used_on,scopes
tok-1,{"1" * 64},SN100001,2026-02-21T00:00:00Z,2027-02-21T00:00:00Z,2026-10-30T09:00:00Z,telemetry:write
tok-2,{"2" * 64},SN100002,2026-02-21T00:00:00Z,2027-02-21T00:00:00Z,2026-10-30T09:00:00Z,telemetry:write
tok-3,{"3" * 64},SN100003,2026-02-21T00:00:00Z,2027-02-21T00:00:00Z,2026-05-30T09:00:00Z,telemetry:write
tok-4,{"4" * 64},SN100004,2026-02-21T00:00:00Z,2027-02-21T00:00:00Z,2026-10-30T09:00:00Z,telemetry:write
"""

LOG = """\
2026-10-01T08:00:00: mosquitto version 2.0.18 running
2026-10-01T08:00:01: New connection from 10.0.0.1:40001 on port 8883.
2026-10-01T08:00:01: New client connected from 10.0.0.1:40001 as pump-1 (p2, c1, k60, u'pump-1').
2026-10-30T08:00:01: New connection from 10.0.0.4:40002 on port 8883.
2026-10-30T08:00:01: New client connected from 10.0.0.4:40002 as pump-4 (p2, c1, k60, u'pump-4').
2026-10-31T08:00:01: Client pump-4 disconnected.
"""


def plant(folder: Path) -> Path:
    """A retired device with a token that still opens (critical), a device without an owner (medium)."""
    (folder / "keys").mkdir(parents=True)
    (folder / "cmdb.csv").write_text(CMDB)
    (folder / "keys" / "tokens.csv").write_text(TOKENS)
    (folder / "broker.log").write_text(LOG)
    return folder


def bench(store: Path, base: Path) -> Bench:
    return Bench(store / "evidence", SecretDigest(b"k" * 32), base, (), AS_OF)


def workplace(store: Path, base: Path) -> Workplace:
    return Workplace(bench(store, base), store / "rolls" / "roll.duckdb", store / "edges", Limits(memory="1GB"))


def questions(*decisions: Decision) -> Questions:
    return Questions(load_rules(builtin_folder()), load_controls(builtin_controls_folder()), decisions)


def audited(
    root: Path,
    store: Path,
    declarations: Declarations | None = None,
    asked: Questions | None = None,
    progress: Progress | None = None,
) -> AuditResult:
    base = root if root.is_dir() else root.parent
    place = workplace(store, base)
    return audit(root, sources(), declarations or Declarations(), place, asked or questions(), AS_OF, progress, TREES)


def found(result: AuditResult) -> dict[str, list[str]]:
    """Rule -> names of the first subject of each finding."""
    by_rule: dict[str, list[str]] = {}
    for finding in result.findings:
        by_rule.setdefault(finding.rule, []).append(finding.subjects[0].name or finding.subjects[0].id)
    return by_rule
