"""Offer and acceptance between two instances: the right party, this very offer, in time, and nothing that was not agreed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tenure.errors import TenureError
from tenure.lifecycle import handover
from tenure.lifecycle.envelope import sealed
from tenure.lifecycle.handover import Offer, acceptance_file, offer_file, read_acceptance, read_offer, read_own_offer
from tests.lifecycle.parties import (
    DEVICE,
    GIVER,
    GIVING,
    OFFER,
    RECEIVER,
    RECEIVING,
    STRANGER,
    T0,
    acceptance,
)

DAY = timedelta(days=1)


def digest_of(offer: Offer = OFFER) -> bytes:
    return read_offer(offer_file(offer, GIVER), GIVING, RECEIVING, T0).digest


def test_an_offer_reads_back_as_it_was_made() -> None:
    read = read_offer(offer_file(OFFER, GIVER), GIVING, RECEIVING, T0 + DAY)
    assert read.statement == OFFER


def test_an_acceptance_reads_back_and_counts_however_late_it_arrives() -> None:
    made = acceptance(digest_of())
    assert read_acceptance(acceptance_file(made, RECEIVER), OFFER, digest_of(), T0 + 90 * DAY).statement == made


def test_the_same_offer_has_the_same_bytes() -> None:
    assert offer_file(OFFER, GIVER) == offer_file(replace(OFFER), GIVER)


def test_the_receiver_learns_this_and_no_more() -> None:
    payload = json.loads(base64.b64decode(json.loads(offer_file(OFFER, GIVER))["payload"]))
    assert payload.keys() == {"transfer", "giver", "receiver", "offered_at", "until", "devices"}
    assert payload["devices"][0].keys() == {"roots", "maker", "model", "serial", "former_keys", "custody"}


def test_the_giver_learns_this_and_no_more() -> None:
    payload = json.loads(base64.b64decode(json.loads(acceptance_file(acceptance(digest_of()), RECEIVER))["payload"]))
    assert payload.keys() == {"transfer", "offer", "receiver", "accepted_at"}


@pytest.mark.parametrize(
    ("offer", "problem"),
    [
        (replace(OFFER, giver=replace(GIVING, key=STRANGER.public_key)), "another key"),
        (replace(OFFER, devices=()), "1 to 10000"),
        (replace(OFFER, devices=(DEVICE,) * 10_001), "1 to 10000"),
        (replace(OFFER, until=T0), "ends before it begins"),
        (replace(OFFER, devices=(DEVICE, replace(DEVICE, roots=()))), "hardware root"),
    ],
)
def test_an_offer_nobody_could_use_is_not_signed(offer: Offer, problem: str) -> None:
    with pytest.raises(TenureError, match=problem):
        offer_file(offer, GIVER)


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (lambda f: read_offer(f, replace(GIVING, key=STRANGER.public_key), RECEIVING, T0), "did not sign"),
        (lambda f: read_offer(f, replace(GIVING, instance=UUID(int=5)), RECEIVING, T0), "another giver"),
        (lambda f: read_offer(f, GIVING, replace(RECEIVING, key=STRANGER.public_key), T0), "somebody else"),
        (lambda f: read_offer(f, GIVING, replace(RECEIVING, instance=UUID(int=5)), T0), "somebody else"),
        (lambda f: read_offer(f, GIVING, RECEIVING, OFFER.until), "ended 2026-11-08"),
        (lambda f: read_offer(f, GIVING, RECEIVING, T0 - timedelta(microseconds=1)), "in the future"),
    ],
)
def test_an_offer_is_refused(read: Callable[[bytes], object], problem: str) -> None:
    with pytest.raises(TenureError, match=problem):
        read(offer_file(OFFER, GIVER))


def test_an_offer_holds_to_its_last_moment() -> None:
    last = OFFER.until - timedelta(microseconds=1)
    assert read_offer(offer_file(OFFER, GIVER), GIVING, RECEIVING, last).statement == OFFER
    late = acceptance(digest_of(), last)
    assert read_acceptance(acceptance_file(late, RECEIVER), OFFER, digest_of(), last).statement == late


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"transfer": UUID(int=8)}, "another offer"),
        ({"offer": b"x" * 32}, "another offer"),
        ({"receiver": replace(RECEIVING, instance=UUID(int=5))}, "another offer"),
        ({"accepted_at": OFFER.until}, "outside"),
        ({"accepted_at": T0 - timedelta(microseconds=1)}, "outside"),
        ({"accepted_at": T0 + 3 * DAY}, "in the future"),
    ],
)
def test_an_acceptance_is_refused(fields: dict[str, Any], problem: str) -> None:
    file = acceptance_file(replace(acceptance(digest_of()), **fields), RECEIVER)
    with pytest.raises(TenureError, match=problem):
        read_acceptance(file, OFFER, digest_of(), T0 + 2 * DAY)


def test_only_the_receiver_accepts() -> None:
    with pytest.raises(TenureError, match="another key"):
        acceptance_file(acceptance(digest_of()), STRANGER)
    forged = replace(acceptance(digest_of()), receiver=replace(RECEIVING, key=STRANGER.public_key))
    with pytest.raises(TenureError, match="did not sign"):
        read_acceptance(acceptance_file(forged, STRANGER), OFFER, digest_of(), T0 + 2 * DAY)


def test_an_offer_is_no_acceptance() -> None:
    with pytest.raises(TenureError, match="not of type"):
        read_acceptance(offer_file(OFFER, GIVER), OFFER, digest_of(), T0 + DAY)


HEALTHY = json.loads(base64.b64decode(json.loads(offer_file(OFFER, GIVER))["payload"]))


def device(**fields: Any) -> dict[str, Any]:
    return {"devices": [HEALTHY["devices"][0] | fields]}


@pytest.mark.parametrize(
    "fields",
    [
        {"devices": None},
        {"devices": [7]},
        {"transfer": "7"},
        {"until": "tomorrow"},
        {"giver": {"instance": str(UUID(int=1)), "key": "00"}},
        device(roots=[{"kind": "idevid", "key": "zz"}]),
        device(roots=[{"kind": 7, "key": "00" * 32}]),
        device(former_keys=["00" * 31]),
        device(serial=None),
    ],
)
def test_what_is_signed_and_yet_no_offer_is_refused(fields: dict[str, Any]) -> None:
    file = sealed(handover.OFFER, json.dumps(HEALTHY | fields).encode(), GIVER)
    with pytest.raises(TenureError, match="cannot be read"):
        read_offer(file, GIVING, RECEIVING, T0)


@pytest.mark.parametrize("fields", [{"devices": []}, device(roots=[])])
def test_a_signed_offer_without_proof_of_what_is_offered_is_refused(fields: dict[str, Any]) -> None:
    file = sealed(handover.OFFER, json.dumps(HEALTHY | fields).encode(), GIVER)
    with pytest.raises(TenureError, match="hardware root"):
        read_offer(file, GIVING, RECEIVING, T0)


def test_ten_thousand_devices_are_not_too_many() -> None:
    full = replace(OFFER, devices=(DEVICE,) * 10_000)
    assert len(read_offer(offer_file(full, GIVER), GIVING, RECEIVING, T0).statement.devices) == 10_000


def test_accepted_in_the_moment_of_the_offer() -> None:
    at_once = acceptance(digest_of(), T0)
    assert read_acceptance(acceptance_file(at_once, RECEIVER), OFFER, digest_of(), T0).statement == at_once


def test_our_own_offer_is_read_after_its_end_too_and_nobody_elses_is_ours() -> None:
    file = offer_file(OFFER, GIVER)
    own = read_own_offer(file, GIVING)
    assert (own.statement, own.digest) == (OFFER, digest_of())
    for other, problem in ((replace(GIVING, instance=UUID(int=5)), "not ours"), (RECEIVING, "did not sign")):
        with pytest.raises(TenureError, match=problem):
            read_own_offer(file, other)
