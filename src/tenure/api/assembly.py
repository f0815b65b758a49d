"""From settings to a whole service: the app, what it works on, and its duties. Nothing listens yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TextIO

from fastapi import FastAPI
from structlog.typing import FilteringBoundLogger

from tenure.api.app import create_app
from tenure.api.authentication import CertificateDoor, Door, TokenDoor
from tenure.api.duties import Duties, Duty
from tenure.api.faults import TOLD
from tenure.api.health import Readiness
from tenure.api.limits import Rate, Sizes
from tenure.api.logging import make_logger
from tenure.api.metrics import Metrics, Reading
from tenure.api.paging import Cursors
from tenure.api.parts import Frame, Parts
from tenure.api.remembered import Noted, RegistryCallers, RegistryKeys, Uses
from tenure.flows import tokens
from tenure.flows.devices.approvals import lapse
from tenure.flows.prune_registry import prune_registry
from tenure.flows.restore.standing import look, require_latest
from tenure.flows.sequence import Sequencing, sequence
from tenure.flows.ship import Shipping, Window, ship, window
from tenure.flows.tokens import DigestKeys
from tenure.lifecycle.finding_decisions import Targets
from tenure.registry import people
from tenure.registry.registry import Registry
from tenure.settings import Limits, Settings
from tenure.wiring.ledger import Ledger, NoShelf, ledger_of
from tenure.wiring.own_keys import cursor_keys, custody_of, digest_keys, handover_signer, published_in
from tenure.wiring.registry import made, retention_of
from tenure.wiring.webhooks import Telling

HOUR = 3600.0
MINUTE = 60.0
UNMETERED = Rate(1e6, 1_000_000)


@dataclass(frozen=True, slots=True)
class Service:
    """What listens and what works, ready to start; ``close`` when both have stopped."""

    app: FastAPI
    duties: Duties
    registry: Registry
    first_token: str | None  # the first administrator's, at the first start alone: shown once, kept nowhere
    log: FilteringBoundLogger

    def close(self) -> None:
        self.registry.close()


def assembled(settings: Settings, out: TextIO, own: Door | None = None) -> Service:
    """The service of these settings. Raises TenureError when registry or keys cannot be used; nothing is left open then.

    ``own``: one more door, for a process that serves nobody but itself. It has no rates then, and makes no first token.
    """
    log = make_logger(out, settings.log_level)
    with ExitStack() as opened:
        registry = made(settings.database)
        opened.callback(registry.close)
        custody = custody_of(registry, settings)
        digests = digest_keys(custody)
        ledger = ledger_of(registry, settings)
        if ledger.shelf is not None:  # a restored database is found out before anything is written, and before anybody asks
            look(registry, ledger.store, ledger.shelf, ledger.identity)
        uses = Uses(registry)
        duties = Duties([*duties_of(settings, registry, ledger), Duty("uses", uses.write, MINUTE, uses.write)], log)
        frame = frame_of(settings, registry, ledger, digests, log, duties, uses)
        if own is not None:
            frame = replace(frame, doors=(*frame.doors, own), per_address=UNMETERED, per_caller=UNMETERED)
        most, waits = settings.approvals.devices, timedelta(hours=settings.approvals.hours)
        life, longest = timedelta(days=settings.token_days), timedelta(days=settings.token_days_most)
        published = partial(published_in, custody)
        signer = partial(handover_signer, custody)
        works = (ledger.store, ledger.identity, digests, life, longest, most, waits, signer, published)
        app = create_app(Parts(frame, registry, *works, Targets.parse(settings.finding_targets)))
        first = tokens.first(registry, digests, life) if own is None else None
        opened.pop_all()  # the service closes it from here on
    return Service(app, duties, registry, first.text if first else None, log)


def frame_of(
    settings: Settings,
    registry: Registry,
    ledger: Ledger,
    digests: DigestKeys,
    log: FilteringBoundLogger,
    duties: Duties,
    uses: Uses,
) -> Frame:
    callers, limits = RegistryCallers(registry), settings.limits
    checks = {"database": lambda: _answers(registry), "restore": lambda: _settled(registry), "duties": duties.trouble}
    figures: Mapping[str, tuple[str, Reading]] = {}
    if ledger.shelf is not None:
        shipped = Shipping(registry, ledger.store, ledger.shelf, ledger.identity, registry.world.now)
        checks["ledger"] = lambda: _late(window(shipped), settings.ledger.lag_seconds)
        figures = gauges(lambda: window(shipped))
    return Frame(
        doors=(Noted(TokenDoor(callers, digests.keys), uses), Noted(CertificateDoor(callers), uses)),
        keys_seen=RegistryKeys(registry),
        cursors=Cursors(*cursor_keys(custody_of(registry, settings))),
        clock=registry.world.now,
        monotonic=time.monotonic,
        ids=registry.world.ids,
        log=log,
        metrics=Metrics(figures),
        readiness=Readiness(checks),
        told=TOLD,
        sizes=_sizes(limits),
        per_address=Rate(limits.address_per_second, limits.address_burst),
        per_caller=Rate(limits.caller_per_second, limits.caller_burst),
    )


def gauges(window: Callable[[], Window]) -> Mapping[str, tuple[str, Reading]]:
    """What nothing outside the database vouches for yet."""
    return {
        "ledger_unshipped_events": ("Events nothing outside the database vouches for.", lambda: window().events),
        "ledger_unshipped_seconds": ("Age of the oldest of them.", lambda: window().seconds),
    }


def _late(window: Window, longest: float) -> str:
    return f"the oldest event not shipped is {window.seconds:.0f} s old" if window.seconds > longest else ""


def duties_of(settings: Settings, registry: Registry, ledger: Ledger) -> list[Duty]:
    """Sequencing, shipping where there is a shelf, telling webhooks, pruning. Each takes care of several processes itself."""
    now = registry.world.now
    sequencer = ledger.sequencer()
    placing = Sequencing(registry, ledger.store, ledger.shelf or NoShelf(), ledger.identity, sequencer, now)

    def sequencing() -> bool:
        return sequence(placing) > 0

    def last_sequencing() -> bool:
        sequence(placing)
        sequencer.stop(now())  # the next process need not wait for the end of our lease
        return False

    def shipping() -> bool:
        if ledger.shelf is not None:
            ship(Shipping(registry, ledger.store, ledger.shelf, ledger.identity, now))
        return False

    def pruning() -> bool:
        return lapse(registry) + prune_registry(registry, retention_of(settings)) > 0

    duties = [Duty("sequencing", sequencing, settings.ledger.sequence_seconds, last_sequencing)]
    if ledger.shelf is not None:
        duties.append(Duty("shipping", shipping, settings.ledger.ship_seconds, shipping))
    telling = Telling(registry, settings)
    return [*duties, Duty("webhooks", telling.step, settings.webhooks.seconds, telling.end), Duty("pruning", pruning, HOUR)]


def _settled(registry: Registry) -> str:
    require_latest(registry)  # its refusal is the reason
    return ""


def _answers(registry: Registry) -> str:
    with registry.read() as reading:
        people.any_token(reading)
    return ""


def _sizes(limits: Limits) -> Sizes:
    return Sizes(limits.body_bytes, limits.header_count, limits.header_bytes, limits.target_bytes)
