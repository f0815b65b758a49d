"""The log of the example fleet's broker, as Mosquitto 2.0 writes it, from what the broker would have seen."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta

from tenure.demo.fleet import FAR_SITE, LOG_DAYS
from tenure.demo.life import BROKER, PLAIN_PORT, TLS_PORT, Session, World

LOG = f"logs/{BROKER}.log"
LAST = 0.01  # the log's last line, days before the as-of time
TORN_AT = 63.7


def files(world: World) -> Iterator[tuple[str, bytes]]:
    lines = heapq.merge(_housekeeping(world), _connections(world), key=lambda line: line[0])
    yield LOG, "".join(f"{at:%Y-%m-%dT%H:%M:%S}: {text}\n" for at, text in lines).encode()


def _housekeeping(world: World) -> Iterator[tuple[datetime, str]]:
    start = world.moment(LOG_DAYS)
    yield start, "mosquitto version 2.0.22 starting"
    yield start, "Config loaded from /etc/mosquitto/mosquitto.conf."
    yield start, f"Opening ipv4 listen socket on port {TLS_PORT}."
    yield start, f"Opening ipv4 listen socket on port {PLAIN_PORT}."
    yield start, "mosquitto version 2.0.22 running"
    for days in range(int(LOG_DAYS), 0, -10):
        ago = days - 0.5
        if ago < TORN_AT < ago + 10:
            yield world.moment(TORN_AT), "New client conn"  # the disk was full
        yield world.moment(ago), "Saving in-memory database to /var/lib/mosquitto/mosquitto.db."
    yield world.moment(LAST), "Saving in-memory database to /var/lib/mosquitto/mosquitto.db."


def _connections(world: World) -> Iterator[tuple[datetime, str]]:
    """Beginnings and ends in order of time. A second connection of a client id closes the first, whose own end is not written."""
    last = world.moment(LAST)
    sessions = (s for s in world.broker if s.device.site != FAR_SITE)
    events = [(s.started, 1, number, s) for number, s in enumerate(sessions)]
    events += [(s.ended, 0, number, s) for _, _, number, s in events if s.ended is not None and not s.refusal]
    open_: dict[str, int] = {}
    for at, begins, number, session in sorted(events, key=lambda event: event[:3]):
        if at >= last:
            return
        if begins:
            yield from ((at, line) for line in _beginning(session, taking_over=session.client in open_))
            if session.refusal:
                yield at + timedelta(seconds=1), f"Client {session.client} disconnected, {session.refusal}."
            else:
                open_[session.client] = number
        elif open_.get(session.client) == number:
            del open_[session.client]
            yield at, f"Client {session.client} disconnected."


def _beginning(session: Session, *, taking_over: bool) -> Iterator[str]:
    peer = f"{session.address}:{session.port}"
    yield f"New connection from {peer} on port {TLS_PORT if session.certificate else PLAIN_PORT}."
    if session.refusal:
        return
    if taking_over:
        yield f"Client {session.client} already connected, closing old connection."
    user = f", u'{session.user}'" if session.user else ""
    yield f"New client connected from {peer} as {session.client} (p2, c1, k60{user})."
