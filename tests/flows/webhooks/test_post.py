"""What leaves: its signature, where it may go, and how long we wait. Pure, but for sockets on the loopback."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from tenure.flows.webhooks.address import WebhookError, check_url, is_local
from tenure.flows.webhooks.patience import Patience
from tenure.flows.webhooks.post import Failed, HttpPost, Taken
from tenure.flows.webhooks.signing import Message, message, sign
from tenure.model.webhooks import Delivery, DeliveryState, Webhook
from tests.flows.webhooks.outside import KEY
from tests.flows.webhooks.receivers import documented, receiving
from tests.registry.healthy import THEN, new_id

LEAF = b'{"id":"x","instance":"i","sequence":7,"verb":"retire"}'


def a_message(url: str = "https://receiver.example/hook", at: datetime | None = None) -> Message:
    to = Webhook(new_id(), url, THEN)
    made = message(to, Delivery(to.id, 41, new_id(), DeliveryState.WAITING, 0, THEN, ""), LEAF)
    sign(made, KEY, at or datetime.now(UTC))
    return made


def verified(signed: Message) -> Any:
    """By the library alone, with what RFC 9421 asks of a verifier."""
    resolver = MappingKeyResolver(public_keys={KEY.id: KEY.private.public_key()}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=resolver)
    return verifier.verify(signed, body=signed.body, expect_tag="tenure-webhook", max_age=timedelta(minutes=5))[0]


def test_the_signature_covers_method_target_body_and_event_and_names_key_and_time() -> None:
    result = verified(a_message())
    covered = {name.strip('"') for name in result.covered_components}
    assert covered - {"@signature-params"} == {"@method", "@target-uri", "content-type", "content-digest", "tenure-event"}
    assert result.parameters["keyid"] == KEY.id
    assert result.parameters["alg"] == "ed25519"
    assert abs(result.parameters["created"] - time.time()) < 60
    assert result.parameters["expires"] - result.parameters["created"] == 300
    assert result.body == b'{"event":' + LEAF + b',"position":41}'


@pytest.mark.parametrize("turn", ["body", "url", "method", "event", "old"])
def test_what_was_changed_or_is_old_does_not_verify(turn: str) -> None:
    signed = a_message(at=datetime.now(UTC) - timedelta(minutes=10) if turn == "old" else None)
    match turn:
        case "body":
            signed.body = signed.body.replace(b"retire", b"return")
        case "url":
            signed.url = "https://receiver.example/other"
        case "method":
            signed.method = "PUT"
        case "event":
            signed.headers["Tenure-Event"] = str(new_id())
    with pytest.raises(HTTPMessageSignaturesException):
        verified(signed)


def test_the_documented_receiver_refuses_what_is_not_signed_by_us() -> None:
    with receiving({}) as receiver:  # it knows no key
        assert asyncio.run(HttpPost(local=True)(a_message(receiver.url))) == Failed("HTTP 401")
        assert not receiver.acted
    with receiving({KEY.id: KEY.private.public_key()}) as receiver:
        assert asyncio.run(HttpPost(local=True)(a_message(receiver.url))) == Taken(204)
        forged = a_message(receiver.url)
        forged.body = forged.body.replace(b"41", b"42")
        assert asyncio.run(HttpPost(local=True)(forged)) == Failed("HTTP 401")
        assert len(receiver.acted) == 1
    assert documented().had == set()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%lo",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_local_addresses_are_known(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.1", "192.0.2.1", "fd00::1", "2001:db8::1"])
def test_addresses_of_a_plant_are_not_local(address: str) -> None:
    assert not is_local(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "0x7f000001", "169.254.169.254"]
)
def test_no_connection_is_made_to_this_machine_however_it_is_written(host: str) -> None:
    with listening(lambda _: None) as (port, met):
        answer = asyncio.run(HttpPost()(a_message(f"http://{host}:{port}/")))
        assert isinstance(answer, Failed)
        assert "webhooks.local" in answer.why
        assert not met


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    answers = iter(["127.0.0.1", "127.0.0.2"])
    real = socket.getaddrinfo

    def changing(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        if host != "turncoat.example":
            return real(host, port, *rest, **named)
        looked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    with listening(lambda c: c.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")) as (port, met):
        assert asyncio.run(HttpPost(local=True)(a_message(f"http://turncoat.example:{port}/"))) == Taken(204)
        assert met == ["127.0.0.1"]
    assert looked == ["turncoat.example"]


def test_a_receiver_that_drips_gets_no_more_time_than_any() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            connection.sendall(b"X: y\r\n")
            time.sleep(0.05)

    with listening(drip) as (port, _):
        began = time.monotonic()
        answer = asyncio.run(HttpPost(local=True, seconds=0.3)(a_message(f"http://127.0.0.1:{port}/")))
        assert answer == Failed("no answer within 0.3 s")
        assert time.monotonic() - began < 2


def test_of_an_endless_answer_only_the_status_is_read_and_of_a_strange_one_little_is_kept() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100_000):
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    with listening(endless) as (port, _):
        assert asyncio.run(HttpPost(local=True)(a_message(f"http://127.0.0.1:{port}/"))) == Failed("HTTP 500")
    with listening(lambda c: c.sendall(b"SSH-2.0-" + b"secret" * 1000 + b"\r\n\r\n")) as (port, _):
        answer = asyncio.run(HttpPost(local=True)(a_message(f"http://127.0.0.1:{port}/")))
        assert isinstance(answer, Failed)
        assert len(answer.why) <= 200


@contextmanager
def listening(speak: Any) -> Iterator[tuple[int, list[str]]]:
    """A listener on every loopback address that speaks to whoever comes; which address they came to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        met: list[str] = []

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # closed
            with connection:
                met.append(connection.getsockname()[0])
                try:
                    connection.recv(65536)
                    speak(connection)
                except OSError:
                    return  # they left

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], met
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "ftp://receiver.example/",
        "https://user:secret@receiver.example/",
        "https:///path",
        "https://receiver.example/#part",
        "https://receiver.example/a b",
        "https://receiver.example:port/",
        "https://[::1/",
        "https://empf\u00e4nger.example/",
        "https://receiver.example/\r\nHost: other",
        "https://receiver.example/" + "x" * 2000,
        "receiver.example",
    ],
)
def test_urls_that_no_webhook_may_have(url: str) -> None:
    with pytest.raises(WebhookError) as refused:
        check_url(url)
    assert "secret" not in str(refused.value)


def test_waits_grow_spread_and_end() -> None:
    patience = Patience()
    longest = [patience.wait(n, 0.999999) or timedelta() for n in range(1, patience.attempts)]
    shortest = [patience.wait(n, 0.0) or timedelta() for n in range(1, patience.attempts)]
    assert longest == sorted(longest)
    assert all(timedelta() < low < high <= patience.longest for low, high in zip(shortest, longest, strict=True))
    assert patience.wait(patience.attempts, 0.5) is None
    assert patience.wait(patience.attempts + 1, 0.5) is None
    assert timedelta(hours=24) < sum(longest, timedelta()) < timedelta(hours=48)
