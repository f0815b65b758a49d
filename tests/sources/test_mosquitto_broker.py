"""The log of a real Mosquitto, read back: what its clients did is what the sessions say."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tenure.model.declarations import Declarations
from tenure.sources.mosquitto_log import SOURCE
from tests.sources import mosquitto_broker
from tests.sources.collected import collect, place_of, rows
from tests.sources.mosquitto_broker import Broker

EPOCH_AND_LITTLE = ("log_type error", "log_type warning", "log_type notice", "log_type information")
ISO_AND_ALL = ("log_type all", "log_timestamp_format %Y-%m-%dT%H:%M:%S")


@pytest.fixture(params=[EPOCH_AND_LITTLE, ISO_AND_ALL], ids=["defaults", "log_type all"])
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Broker]:
    running = mosquitto_broker.start(tmp_path, *request.param)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def sessions_of(broker: Broker) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Sessions and take-overs of the broker's log."""
    said = Declarations.model_validate({"source": [{"path": "mosquitto.log", "time_zone": "UTC"}]})
    found = SOURCE.recognise(place_of(broker.log))
    assert found is not None
    assert found.sureness == 95
    snapshot = collect(SOURCE, broker.log, said)
    assert rows(snapshot, "problem") == []
    assert snapshot.manifest.notes == ()
    (span,) = rows(snapshot, "log_span")
    assert span["entries"] == broker.log.read_text().count("\n")
    now = datetime.now(UTC)
    assert now - timedelta(minutes=5) < span["first_at"] <= span["last_at"] <= now
    return rows(snapshot, "session"), rows(snapshot, "takeover")


def test_what_clients_did(broker: Broker) -> None:
    assert broker.publish(broker.anonymous, "-i", "anon x (p2) u'ä'") == 0
    assert broker.publish(broker.password, "-i", 'al"ice', "-u", "alice", "-P", "secret") == 0
    assert broker.publish(broker.tls, "-i", "gateway", *broker.tls_options("device")) == 0
    assert broker.publish(broker.password, "-i", "thief", "-u", "alice", "-P", "wrong") != 0
    assert broker.publish(broker.password, "-i", "thief5", "-V", "5", "-u", "alice", "-P", "wrong") != 0
    assert broker.publish(broker.tls, "-i", "bare", *broker.tls_options(None)) != 0
    assert broker.publish(broker.tls, "-i", "rogue", *broker.tls_options("rogue")) != 0
    with socket.create_connection(("127.0.0.1", broker.anonymous)) as stranger:
        stranger.sendall(b"\x10\x00")
        stranger.settimeout(20)
        assert stranger.recv(1) == b""
    broker.stop()
    sessions, takeovers = sessions_of(broker)
    accepted = [s for s in sessions if s["outcome"] == "accepted"]
    assert [(s["client_id"], s["user_name"], s["subject_kind"]) for s in accepted] == [
        ("anon x (p2) u'ä'", None, "client-id"), ('al"ice', "alice", "name"), ("gateway", "gw-00007", "name"),
    ]  # fmt: skip
    assert {s["end_reason"] for s in accepted} == {"disconnected"}
    refused = [s for s in sessions if s["outcome"] == "refused"]
    assert len(refused) == 5
    assert all(s["address"] == "127.0.0.1" and s["port"] for s in sessions)
    assert all(
        word in s["outcome_text"] for s, word in zip(refused, ("not authorised", "not authorised", "TLS", "TLS"), strict=False)
    )
    assert len({s["port"] for s in sessions}) == len(sessions) == 8
    assert takeovers == []


def test_take_over_time_out_and_the_end_of_the_broker(broker: Broker) -> None:
    with broker.subscriber(broker.anonymous, "-i", "twin") as first:
        first.send_signal(signal.SIGSTOP)  # or it would come back at once and take over in turn
        with broker.subscriber(broker.password, "-i", "twin", "-u", "alice", "-P", "secret", "-k", "5") as second:
            second.send_signal(signal.SIGSTOP)
            with broker.subscriber(broker.tls, "-i", "stays", *broker.tls_options("device")):
                broker.wait_for("timeout")
                broker.stop()
    sessions, takeovers = sessions_of(broker)
    first_session, second_session, stays = sessions
    assert (first_session["client_id"], first_session["user_name"]) == ("twin", None)
    assert "already connected" in first_session["end_reason"] or "taken over" in first_session["end_reason"]
    assert (second_session["client_id"], second_session["user_name"]) == ("twin", "alice")
    assert "exceeded timeout" in second_session["end_reason"]
    assert second_session["ended_at"] - second_session["started_at"] >= timedelta(seconds=7)
    assert (stays["client_id"], stays["end_reason"], stays["user_name"]) == ("stays", "broker terminated", "gw-00007")
    (takeover,) = takeovers
    assert (takeover["client_id"], takeover["old_user_name"], takeover["new_user_name"]) == ("twin", None, "alice")
    assert takeover["old_address"] == takeover["new_address"] == "127.0.0.1"
