"""Audits are kept: findings open, resolve and reopen as rows, each with its event, and nobody sees another's."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tenure.flows.findings.keep import NotKeptError, Tally, keep
from tenure.lifecycle.findings import FindingState
from tenure.model.access import EVERYTHING, NOTHING, Area, Scope
from tenure.model.credentials import Credential, KeyState
from tenure.model.declarations import Declarations, SourceDeclaration
from tenure.model.devices import HardwareRoot, RootKind
from tenure.model.events import value_digest
from tenure.model.findings import Finding, Subject
from tenure.model.vocabulary import CredentialKind, CredentialRole, RuleStatus, Severity
from tenure.registry import credentials, findings
from tenure.registry.finding_places import roll_id
from tenure.registry.findings import Wanted
from tenure.registry.registry import Registry
from tenure.registry.retention import Retention, prune
from tenure.registry.tables.findings import audit_run
from tenure.registry.tables.ledger import event
from tenure.registry.work import counted
from tests.flows.findings.audits import clock, digest, kept, shown, the, verbs
from tests.flows.plant import audited, plant
from tests.lifecycle.test_findings import audit, day, finding, outcome, source
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, Tenant, a_device, a_root, a_tenant, change, new_id, put


def test_a_finding_opens_is_resolved_and_reopens_with_an_event_for_each(registry: Registry) -> None:
    assert kept(registry, audit(1, finding())) == Tally(opened=1)
    assert the(registry).finding.opened_at == day(1)
    assert kept(registry, audit(2, finding(severity=Severity.CRITICAL))) == Tally(seen_again=1)
    assert (the(registry).finding.severity, the(registry).finding.last_seen_at) == (Severity.CRITICAL, day(2))
    assert kept(registry, audit(3)) == Tally(resolved=1)
    assert (the(registry).finding.state, the(registry).finding.resolved_at) == (FindingState.RESOLVED, day(3))
    assert kept(registry, audit(4)) == Tally()
    assert kept(registry, audit(5, finding())) == Tally(reopened=1)
    assert (the(registry).finding.state, the(registry).finding.opened_at) == (FindingState.REOPENED, day(5))
    assert verbs(registry, "finding") == ["open", "resolve", "reopen"]
    assert verbs(registry, "audit-run") == ["keep"] * 5


def test_what_is_read_back_is_what_was_kept(registry: Registry) -> None:
    subject = Subject("certificate", "a" * 64, "0A1B", "a" * 64, "b" * 64, "pump")
    kept(registry, audit(1, replace(finding(), subjects=(subject, Subject("client", "c-1")))))
    one = the(registry).finding
    assert one.subjects == (subject, Subject("client", "c-1"))
    assert {s.kind: (s.number, s.until) for s in one.basis.sources} == {"cmdb": (1, day(1)), "mosquitto-log": (1, day(1))}
    assert [(w.relying_party, w.until) for w in one.basis.watched] == [("broker", day(1))]


@pytest.mark.parametrize("status", [RuleStatus.UNKNOWN, RuleStatus.NOT_ASSESSED, RuleStatus.SWITCHED_OFF])
def test_only_a_rule_that_was_assessed_again_over_the_same_resolves(registry: Registry, status: RuleStatus) -> None:
    kept(registry, audit(1, finding()))
    later = audit(2)
    assert kept(registry, replace(later, rules=outcome(later, status=status))).why == {f"its rule is {status}": 1}
    assert kept(registry, audit(3, sources=(source("cmdb", 3),))).not_looked_at == 1
    assert kept(registry, audit(4), "another plant").not_looked_at == 1
    assert the(registry).finding.state is FindingState.OPEN
    assert verbs(registry, "finding") == ["open"]
    assert kept(registry, audit(5)).resolved == 1


def test_events_vouch_for_the_row_and_name_the_report(registry: Registry) -> None:
    for result in (audit(1, finding()), audit(2)):
        kept(registry, result)
    one = the(registry).finding
    told = findings.Finding(one.id, one.rule, one.state, one.opened_at, one.resolved_at)
    with registry.read() as reading:
        events = reading.rows(select(event).where(event.c.subject_kind == "finding").order_by(event.c.sequence))
        (run, *_) = reading.rows(select(audit_run).order_by(audit_run.c.as_of))
    assert [e.evidence for e in events] == [digest(audit(1)), digest(audit(2))]
    assert events[0].before is None
    assert events[1].before == events[0].after
    assert events[1].after == value_digest(b"", told)
    assert (run.audit, run.as_of, run.snapshots, run.rules["another"]) == ("fleet", day(1), ["00" * 32], "assessed")


def test_kept_twice_changes_nothing(registry: Registry) -> None:
    kept(registry, audit(1, finding(1), finding(2)))
    before = shown(registry)
    assert kept(registry, audit(1, finding(1), finding(2))) == Tally(seen_again=2)
    assert [s.finding for s in shown(registry)] == [s.finding for s in before]
    assert verbs(registry, "finding") == ["open", "open"]


def test_a_report_of_a_time_to_come_is_refused_whole(registry: Registry) -> None:
    clock(registry).at = day(1)
    with pytest.raises(NotKeptError):
        keep(registry, OPERATOR, audit(2, finding()), "fleet", bytes(32))
    assert shown(registry) == ()
    with registry.read() as reading:
        assert counted(reading, audit_run) == 0


def test_two_who_keep_at_once_open_a_finding_once(registry: Registry) -> None:
    clock(registry).at = day(2)
    result = audit(1, *(finding(n) for n in range(50)))
    with ThreadPoolExecutor(2) as both:
        tallies = list(both.map(lambda _: keep(registry, OPERATOR, result, "fleet", bytes(32)), range(2)))
    assert sorted((t.opened, t.seen_again) for t in tallies) == [(0, 50), (50, 0)]
    assert verbs(registry, "finding") == ["open"] * 50


def about(number: int, *subjects: Subject) -> Finding:
    return replace(finding(number), subjects=subjects)


def seen(registry: Registry, scope: Scope) -> list[int]:
    return [int(s.finding.id, 16) for s in shown(registry, scope)]


def test_an_owner_sees_what_is_about_one_device_of_theirs_and_nothing_else(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    roots = [a_root(), a_root(RootKind.EK_ECC)]
    mine = a_device(owner=ours.owner, trust_domain=ours.domain, maker="Acme", serial="SN 7", roots=tuple(roots))
    alien = a_device(owner=theirs.owner, trust_domain=theirs.domain, maker="Acme", serial="SN 7", roots=(a_root(),))
    put(registry, mine, alien)
    spki, fingerprint = os.urandom(32), os.urandom(32)
    held = Credential(
        new_id(), CredentialKind.CERTIFICATE, CredentialRole.OPERATIONAL, KeyState.ACTIVE, THEN,
        device=mine.id, spki=spki, fingerprint=fingerprint,
    )  # fmt: skip
    with registry.change(OPERATOR) as work:
        credentials.record(work, held, BECAUSE)
    known = Subject("device", roll_id(roots[1].spki), serial="sn7")
    certificate = Subject("certificate", fingerprint.hex(), sha256=fingerprint.hex(), spki_sha256=spki.hex())
    kept(
        registry,
        audit(
            1,
            about(1, known),
            about(2, known, certificate),
            about(3, Subject("key", spki.hex(), spki_sha256=spki.hex())),
            about(4, Subject("key", roots[0].spki.hex(), spki_sha256=roots[0].spki.hex())),
            about(5, known, Subject("client", "c-1")),  # whose client that is, nobody knows
            about(6, known, Subject("device", roll_id(alien.roots[0].spki), serial="SN7")),
            about(7, Subject("device", "device-" + "0" * 26, serial="SN7")),  # found by its serial alone: a claim
            about(8, Subject("certificate", "ff" * 32, sha256="ff" * 32)),
            about(9, Subject("certificate", "no hash", sha256="no hash")),
            about(10),
        ),
    )
    assert seen(registry, ours.scope) == [1, 2, 3, 4]
    assert seen(registry, theirs.scope) == []
    assert seen(registry, Scope(frozenset({Area(trust_domain=ours.domain)}))) == [1, 2, 3, 4]
    assert seen(registry, NOTHING) == []
    assert len(seen(registry, EVERYTHING)) == 10


def test_who_gave_a_device_away_sees_no_more_of_it_and_who_got_it_nothing_of_before(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    device = a_device(owner=ours.owner, trust_domain=ours.domain, serial="SN1", roots=(a_root(),))
    put(registry, device)
    one = about(1, Subject("device", roll_id(device.roots[0].spki), serial="SN1"))
    kept(registry, audit(1, one))
    assert seen(registry, ours.scope) == [1]
    change(registry, device.id, owner=theirs.owner, trust_domain=theirs.domain)
    assert (seen(registry, ours.scope), seen(registry, theirs.scope)) == ([], [])
    kept(registry, audit(2, one))
    assert (seen(registry, ours.scope), seen(registry, theirs.scope)) == ([], [1])


def test_the_roll_gives_a_device_known_by_its_hardware_key_the_id_that_is_looked_up(registry: Registry, tmp_path: Path) -> None:
    tenant: Tenant = a_tenant(registry, "ours")
    root = HardwareRoot(RootKind.IDEVID, bytes(range(32)))
    put(registry, a_device(owner=tenant.owner, trust_domain=tenant.domain, serial="SN100002", roots=(root,)))
    folder = plant(tmp_path / "exports")
    head, *rows = (folder / "cmdb.csv").read_text().splitlines()
    marked = [f"{row},{root.spki.hex() if 'SN100002' in row else ''}" for row in rows]
    (folder / "cmdb.csv").write_text("\n".join([f"{head},idevid", *marked]))
    inventory = SourceDeclaration(path="cmdb.csv", mapping="own.toml")
    (folder / "own.toml").write_text(
        'kind = "cmdb"\ntitle = "Own"\nextends = "cmdb-servicenow"\n[columns]\nhardware_key = ["idevid"]\n'
    )
    result = audited(folder, tmp_path / "store", Declarations(source=(inventory,)))
    clock(registry).at = result.as_of + timedelta(hours=1)
    kept(registry, result)
    ours = shown(registry, tenant.scope)
    assert {s.serial for each in ours for s in each.finding.subjects} == {"SN100002"}
    assert len(shown(registry, EVERYTHING, Wanted())) > len(ours)


def test_resolved_findings_go_after_their_time_and_open_ones_never(registry: Registry) -> None:
    kept(registry, audit(1, finding(1), finding(2)))
    kept(registry, audit(2, finding(2)))
    kept_for = Retention(audits=timedelta(days=10))
    for on, left in ((12, [1, 2]), (13, [2]), (10_000, [2])):
        with registry.change(OPERATOR) as work:
            prune(work, kept_for, day(on))
        assert seen(registry, EVERYTHING) == left
