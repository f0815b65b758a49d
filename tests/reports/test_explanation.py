"""The explanation of a device: all of it as text and as JSON, and no export writes to the terminal past us."""

from __future__ import annotations

import json

from tenure.model.explanation import DeviceExplanation, Held, RecordClaim, Tie
from tenure.reports.explanation import device_text, to_json

PUMP = DeviceExplanation(
    device_id="device-1a2b",
    name="pump-1",
    state="active",
    state_decided_by="cmdb.csv",
    records=(
        RecordClaim("cmdb.csv", "r1", "cmdb.csv#2", True, {"name": "pump-1", "owner": "Ops"}),
        RecordClaim("aws", "t1", "things.json#1", False, {"owner": "IT"}),
    ),
    ties=(
        Tie("serial", "SN1", "acme", True, None, ("cmdb.csv#2", "things.json#1")),
        Tie("mac", "020000000001", None, True, None, ("cmdb.csv#2",)),
        Tie("serial", "NONE", None, False, "a filler", ("cmdb.csv#2",)),
        Tie("name", "pump-1", None, False, None, ("cmdb.csv#2",)),
    ),
    conflicts={"owner": ("Ops (cmdb.csv)", "IT (aws)")},
    credentials=(
        Held("certificate", "operational", "pump-1", "ab" * 32, "principal", True, "aws", True, "2027-01-01T00:00:00Z",
             ("valid by cloud (aws)",)),
        Held("token", "operational", "tok-1", None, "holder", False, "keys", False, None, ()),
    ),
    sessions=(
        {"started_at": "2026-10-01T00:00:00Z", "relying_party": "broker", "outcome": "accepted", "address": "10.0.0.1",
         "user_name": "pump-1", "client_id": None, "link": "common-name", "certificate": None, "origin": "broker.log#1"},
    ),
)  # fmt: skip


def test_people_read_all_of_it() -> None:
    lines = [line.strip() for line in device_text(PUMP).splitlines()]
    for line in (
        "pump-1  device-1a2b",
        "state: active, by cmdb.csv",
        "linked from 2 records:",
        "cmdb.csv: r1 (cmdb.csv#2) - decides state and owner",
        "aws: t1 (things.json#1)",
        "owner: IT",
        "serial SN1 of acme - joins (cmdb.csv#2, things.json#1)",
        "mac 020000000001 - strong (cmdb.csv#2)",
        "serial NONE - joins nothing: a filler (cmdb.csv#2)",
        "name pump-1 - joins nothing: weak by kind (cmdb.csv#2)",
        "owner: Ops (cmdb.csv) | IT (aws)",
        "usable: certificate pump-1 (operational) abababababababab until 2027-01-01T00:00:00Z",
        "held: principal in aws",
        "valid by cloud (aws)",
        "not usable: token tok-1 (operational) without an end",
        "held: holder in keys, by a name only",
        "2026-10-01T00:00:00Z broker accepted from 10.0.0.1 as pump-1 (by common-name; broker.log#1)",
    ):
        assert line in lines


def test_programs_read_all_of_it() -> None:
    told = json.loads(to_json(PUMP))
    assert told["ties"][0]["records"] == ["cmdb.csv#2", "things.json#1"]
    assert told["sessions"][0]["client_id"] is None


def test_nothing_known_is_said_to_be_nothing() -> None:
    text = device_text(DeviceExplanation("device-1", None, "unknown", None, (), (), {}, (), ()))
    for words in ("(no name)  device-1", "linked from 0 records", "credentials: none", "sessions: none seen"):
        assert words in text


def test_what_an_export_says_cannot_move_the_cursor_or_add_a_line() -> None:
    bad = "pump\x1b[2J\nstate: active, by nobody\u202e"
    record = RecordClaim(bad, bad, bad, True, {"name": bad})
    held = Held("token", bad, bad, bad, bad, True, bad, True, bad, (bad,))
    seen: dict[str, str | None] = dict.fromkeys(PUMP.sessions[0], bad)
    told = DeviceExplanation(
        bad, bad, bad, bad, (record,), (Tie(bad, bad, bad, False, bad, (bad,)),), {bad: (bad,)}, (held,), (seen,)
    )
    text = device_text(told)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not [line for line in text.splitlines() if line.startswith("state: active, by nobody")]
