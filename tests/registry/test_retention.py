"""Retention: what is over goes, what bars, proves or is still needed stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Table

from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Tombstone, TombstoneKind
from tenure.model.obligations import EvidenceKind, Obligation, ObligationEvidence, ObligationKind, ObligationState
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState
from tenure.registry import credentials, obligations, repeated, tombstones
from tenure.registry.registry import Registry
from tenure.registry.retention import Retention, prune
from tenure.registry.tables.access import idempotency
from tenure.registry.tables.credentials import credential
from tenure.registry.tables.devices import device as device_table
from tenure.registry.tables.devices import hardware_root, tombstone
from tenure.registry.tables.enforcement import obligation, obligation_evidence
from tenure.registry.tables.ledger import event, event_text, ledger_record
from tenure.registry.work import counted
from tests.registry.healthy import BECAUSE, OPERATOR, THEN, a_device, a_root, new_id, put

MUCH_LATER = THEN + timedelta(days=20_000)


def a_history(registry: Registry, state: ObligationState) -> None:
    """A retired device with an ended credential, a tombstone, an obligation with evidence, and a repeated request."""
    given = a_device(state=DeviceState.RETIRED, roots=(a_root(),))
    put(registry, given)
    ended = Credential(
        new_id(),
        CredentialKind.CERTIFICATE,
        CredentialRole.OPERATIONAL,
        KeyState.DEACTIVATED,
        THEN,
        given.id,
        not_after=THEN,
        ended_at=THEN,
    )
    settled = None if state is ObligationState.OPEN else THEN
    closers = frozenset({frozenset({EvidenceKind.EXPIRED})})
    owed = Obligation(new_id(), given.id, 1, ObligationKind.END_CREDENTIAL, new_id(), THEN, closers, "credential", ended.id)
    with registry.change(OPERATOR) as work:
        credentials.record(work, ended, BECAUSE)
        obligations.open_all(work, [owed], BECAUSE)
        obligations.add_evidence(
            work, ObligationEvidence(new_id(), owed.id, EvidenceKind.EXPIRED, THEN, b"\1" * 32, "us"), BECAUSE
        )
        if settled:
            work.write(obligation.update().values(state=state, settled_at=settled))
        tombstones.bury(work, [Tombstone(b"\7" * 32, TombstoneKind.ROOT, given.id, 1, given.state, THEN)], BECAUSE)
        repeated.begin(work, "token:1", "key-of-a-request", b"\1" * 32)


def pruned(registry: Registry, kept: Retention) -> int:
    total = 0
    while True:
        with registry.change(OPERATOR) as work:
            if not (went := prune(work, kept, MUCH_LATER)):
                return total
            total += went


def counts(registry: Registry, *tables: Table) -> list[int]:
    with registry.read() as reading:
        return [counted(reading, table) for table in tables]


STAYS = (device_table, hardware_root, tombstone, event, ledger_record)


def test_what_is_over_goes_and_what_bars_or_proves_stays(registry: Registry) -> None:
    a_history(registry, ObligationState.CLOSED)
    before = counts(registry, *STAYS)
    assert min(before) > 0
    assert pruned(registry, Retention()) > 0
    assert counts(registry, *STAYS) == before
    assert counts(registry, credential, obligation, obligation_evidence, idempotency, event_text) == [0, 0, 0, 0, 0]


def test_what_an_open_obligation_needs_stays(registry: Registry) -> None:
    a_history(registry, ObligationState.OPEN)
    pruned(registry, Retention())
    assert counts(registry, credential, obligation, obligation_evidence) == [1, 1, 1]


def test_what_is_not_over_stays(registry: Registry) -> None:
    a_history(registry, ObligationState.CLOSED)
    long = timedelta(days=30_000)
    assert pruned(registry, Retention(long, long, long, long, long, long, long, long)) == 0
