"""Mosquitto logs: every time stamp style and line form, whose end is whose, and what becomes of lines nobody understands.

Long because the forms of six versions of one log stand side by side, in sections; the tree of tests mirrors the code.
"""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tenure.errors import DeclarationError
from tenure.model.declarations import Declarations
from tenure.sources import _mosquitto_sessions, mosquitto_log
from tenure.sources.mosquitto_log import SOURCE, LineCounts, collect_log
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.log_reading import Reading, reading

T0 = 1_777_939_200  # 2026-05-05T00:00:00Z


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(T0 + seconds, UTC)


def log(*lines: str | tuple[int, str]) -> str:
    """Lines in the epoch style; a plain text is one second after the line before it."""
    out, time = [], 0
    for line in lines:
        if isinstance(line, tuple):
            time, message = line
        else:
            time, message = time + 1, line
        out.append(f"{T0 + time}: {message}\n")
    return "".join(out)


def told(folder: Path, *lines: str | tuple[int, str], **declared: Any) -> Reading:
    return reading(collect_log, folder, log(*lines), **declared)


def arrival(peer: str) -> str:
    return f"New connection from {peer} on port 8883."


def accepted(peer: str, client: str, user: str | None = None) -> str:
    return f"New client connected from {peer} as {client} (p2, c1, k60{'' if user is None else f', u{chr(39)}{user}{chr(39)}'})."


# --- the corpus -------------------------------------------------------------------------------------------------------


def test_the_sample_fleets_broker(corpus: Path) -> None:
    path = corpus / "fleet-sample" / "mosquitto.log"
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.rows == {"log_span": 1, "session": 923, "takeover": 11}
    assert snapshot.manifest.partial is False
    text = path.read_text()
    sessions = rows(snapshot, "session")
    taken = [s for s in sessions if s["outcome"] == "accepted"]
    assert len(taken) == text.count("New client connected from") == 914
    ends = Counter(s["end_reason"] for s in taken)
    assert ends == {
        "closed its connection": text.count("closed its connection."),
        "disconnected": text.count(" disconnected.\n"),
        "has exceeded timeout": text.count("has exceeded timeout"),
        "already connected, closing old connection": 11,
        None: 914 - 327 - 275 - 245 - 11,
    }
    refused = [s for s in sessions if s["outcome"] == "refused"]
    assert len(refused) == text.count("OpenSSL Error[0]") == 9
    assert all(s["address"] and s["port"] and s["subject_kind"] == "none" for s in refused)
    assert Counter(s["subject_kind"] for s in taken) == {"name": 895, "client-id": 19}
    (span,) = rows(snapshot, "log_span")
    assert (span["entries"], span["sensor"], span["kind"]) == (2896, False, "broker")
    assert span["first_at"] == datetime(2026, 5, 5, tzinfo=UTC)
    assert snapshot.manifest.speaks_as_of == span["last_at"] == datetime(2026, 10, 31, 23, 36, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mosquitto_connect_variants.log", {"log_span": 1, "session": 4}),
        ("mosquitto_custom_timestamp.log", {"log_span": 1, "problem": 1, "session": 1}),
        ("mosquitto_no_client_cert.log", {"log_span": 1, "session": 2}),
        ("mosquitto_scan_owntracks132.log", {"log_span": 1, "session": 6}),
        ("mosquitto_syslog_prefix.log", {"log_span": 1, "problem": 2, "session": 2}),
        ("mosquitto_tls_errors_ha2350.log", {"log_span": 1, "session": 2}),
    ],
)
def test_excerpts_of_real_logs(corpus: Path, name: str, expected: dict[str, int]) -> None:
    snapshot = collect(SOURCE, corpus / "log-excerpts" / name)
    assert snapshot.manifest.rows == expected
    assert set(codes(snapshot)) <= {"address-unreadable"}  # their owners masked them


def test_a_log_that_no_certificate_was_shown_in(corpus: Path) -> None:
    """1.x writes OpenSSL's words without a time before the end they explain."""
    first, second = rows(collect(SOURCE, corpus / "log-excerpts" / "mosquitto_no_client_cert.log"), "session")
    assert (first["outcome"], first["address"]) == ("refused", None)
    assert "peer did not return a certificate" in first["outcome_text"]
    assert (second["outcome"], second["address"], second["port"]) == ("refused", "127.0.0.1", None)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stamp",
    [
        "1777939207: ",
        "2026-05-05T00:00:07: ",
        "2026-05-05 00:00:07: ",
        "2026-05-05|00:00:07: ",
        "2026-05-05T00:00:07Z: ",
        "2026-05-05T02:00:07+0200: ",
        "2026-05-05T02:00:07+02:00 server mosquitto[30638]: 1777939207: ",
        "2026-05-05T02:00:07.000000+02:00 server mosquitto[30638]: ",
        "2026-05-05T02:00:07+0200 server mosquitto[30638]: 2026-05-05T02:00:07: ",
        "May  5 07:07:07 host mosquitto[1]: 1777939207: ",
        "<30>May  5 07:07:07 host mosquitto[1]: 1777939207: ",
        "<30>1 2026-05-05T00:00:07.000Z host mosquitto 1 - - 1777939207: ",
        "1777939207.000000 host mosquitto[1]: ",
        "Tue 2026-05-05 00:00:07 UTC host mosquitto[1]: ",
        "2026-05-05T00:00:07.000000000Z ",
        "mosquitto  | 1777939207: ",
    ],
)
def test_every_style_of_time_stamp_tells_the_same_moment(tmp_path: Path, stamp: str) -> None:
    text = f"{stamp}{accepted('10.0.0.1:4711', 'pump 7')}\n{stamp}Client pump 7 disconnected: Protocol error.\n"
    found = reading(collect_log, tmp_path, text)
    (session,) = found.sessions
    assert session["started_at"] == session["ended_at"] == at(7)
    assert (session["client_id"], session["end_reason"]) == ("pump 7", "disconnected: Protocol error")
    assert found.counts == LineCounts(2, 2, first=(T0 + 7) * 10**6, last=(T0 + 7) * 10**6)


def test_local_times_use_the_declared_zone_and_say_so_where_none_is(tmp_path: Path) -> None:
    text = f"2026-05-05T02:00:07: {accepted('10.0.0.1:4711', 'x')}\n"
    declared = reading(collect_log, tmp_path, text, time_zone="Europe/Berlin")
    assert declared.sessions[0]["started_at"] == at(7)
    assert declared.snapshot.manifest.notes == ()
    silent = reading(collect_log, tmp_path, text)
    assert silent.sessions[0]["started_at"] == at(7 + 7200)
    assert any("time_zone" in note for note in silent.snapshot.manifest.notes)
    assert reading(collect_log, tmp_path, log(arrival("10.0.0.1:1"))).snapshot.manifest.notes == ()  # names its zone


def test_the_hour_that_comes_twice_and_the_one_that_is_left_out(tmp_path: Path) -> None:
    lines = ["01:59:59", "02:30:00", "02:59:00", "02:10:00", "02:59:00", "03:00:01"]
    text = "".join(f"2026-10-25T{t}: {accepted(f'10.0.0.{n}:1', f'c{n}')}\n" for n, t in enumerate(lines))
    starts = [s["started_at"] for s in reading(collect_log, tmp_path, text, time_zone="Europe/Berlin").sessions]
    first = datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC)
    after = [timedelta(), timedelta(minutes=30, seconds=1), timedelta(minutes=59, seconds=1), timedelta(minutes=70, seconds=1)]
    assert starts == [first + a for a in [*after, timedelta(minutes=119, seconds=1), timedelta(minutes=120, seconds=2)]]
    gap = f"2026-03-29T02:30:00: {accepted('10.0.0.1:1', 'x')}\n"
    (session,) = reading(collect_log, tmp_path, gap, time_zone="Europe/Berlin").sessions
    assert session["started_at"] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_year_that_no_line_names_is_counted_back_from_the_declared_moment(tmp_path: Path) -> None:
    days = ["Nov 30", "Dec 31", "Jan  1", "Dec 31", "Jan  2"]  # the fourth was written late
    text = "".join(f"{d} 10:13:47 h mosquitto[1]: {accepted(f'10.0.0.{n}:1', f'c{n}')}\n" for n, d in enumerate(days))
    for chunk_bytes in (64, 200, 1 << 20):
        found = reading(
            collect_log, tmp_path, text, chunk_bytes=chunk_bytes, as_of=datetime(2026, 2, 1, tzinfo=UTC), time_zone="UTC"
        )
        assert [s["started_at"].year for s in found.sessions] == [2025, 2025, 2026, 2025, 2026]
    undeclared = reading(collect_log, tmp_path, text)
    assert undeclared.snapshot.manifest.partial
    assert codes(undeclared.snapshot) == {"year-unknown": 1}
    assert "session" not in undeclared.snapshot.manifest.rows


def test_a_declared_format(tmp_path: Path) -> None:
    text = f"05/04/2026 10.11.12: {accepted('10.0.0.1:1', 'x')}\n"
    (session,) = reading(collect_log, tmp_path, text, timestamp_format="%d/%m/%Y %H.%M.%S").sessions
    assert session["started_at"] == datetime(2026, 4, 5, 10, 11, 12, tzinfo=UTC)
    named = f"Apr 05 26 10:11 +0200: {accepted('10.0.0.1:1', 'x')}\n"
    (session,) = reading(collect_log, tmp_path, named, timestamp_format="%b %d %y %H:%M %z").sessions
    assert session["started_at"] == datetime(2026, 4, 5, 8, 11, tzinfo=UTC)
    assert codes(reading(collect_log, tmp_path, text).snapshot) == {"no-time": 1}


@pytest.mark.parametrize("declared", [{"time_zone": "Europe/Atlantis"}, {"time_zone": "Europe"}, {"timestamp_format": "%c"}])
def test_a_declaration_that_cannot_be_followed(tmp_path: Path, declared: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="fix: write an IANA zone"):
        reading(collect_log, tmp_path, log(arrival("10.0.0.1:1")), **declared)


def test_times_that_do_not_exist_are_problems(tmp_path: Path) -> None:
    text = "".join(
        f"{stamp}: {accepted('10.0.0.1:1', 'x')}\n"
        for stamp in ("2026-13-05T00:00:00", "2026-01-05T25:00:00", "0001-01-01T00:00:00")
    )
    found = reading(collect_log, tmp_path, text, time_zone="Asia/Tokyo")
    assert codes(found.snapshot) == {"bad-time": 3}
    assert found.counts.problems == found.counts.lines == 3


# --- names ------------------------------------------------------------------------------------------------------------

NASTY = [
    "plain", "with space", "(p2)", "a (b", "quo\"te'", "gw-ä-Ω-漢", "u'x'", ", u'x", " as ", "x) (y", "disconnected",
    "a disconnected", "a closed its connection", "[10.0.0.9:80]", "x [10.0.0.9:80]",
    "x.", "Client y disconnected", "<unknown>x", "1777939207: x",
]  # fmt: skip


@pytest.mark.parametrize("client", NASTY)
@pytest.mark.parametrize("user", [None, "alice", "CN=a,O=b (c)", "o'brien", "a (x'), u'b"])
def test_client_ids_and_user_names_of_any_text(tmp_path: Path, client: str, user: str | None) -> None:
    found = told(
        tmp_path, arrival("10.0.0.1:4711"), accepted("10.0.0.1:4711", client, user), f"Client {client} closed its connection."
    )
    (session,) = found.sessions
    assert (session["client_id"], session["user_name"]) == (client, user)
    assert session["subject_kind"] == ("name" if user else "client-id")
    assert (session["end_reason"], session["outcome"]) == ("closed its connection", "accepted")
    assert (session["address"], session["port"]) == ("10.0.0.1", 4711)
    assert found.problems == []


@pytest.mark.parametrize("client", [c for c in NASTY if not c.endswith(".")])
def test_ends_with_a_reason_of_any_client_id(tmp_path: Path, client: str) -> None:
    (session,) = told(tmp_path, accepted("10.0.0.1:1", client), f"Client {client} disconnected: Protocol error.").sessions
    assert (session["client_id"], session["end_reason"]) == (client, "disconnected: Protocol error")


def test_a_name_that_imitates_the_end_of_the_line_is_not_believed(tmp_path: Path) -> None:
    found = told(tmp_path, accepted("10.0.0.1:1", "evil (p2, c1, k60, u'admin')", "mallory"))
    (session,) = found.sessions
    assert (session["client_id"], session["user_name"], session["subject_kind"]) == (None, None, "none")
    assert (session["outcome"], session["address"]) == ("accepted", "10.0.0.1")
    assert codes(found.snapshot) == {"ambiguous-line": 1}


def test_an_end_that_several_open_sessions_could_mean(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        accepted("10.0.0.1:1", "a"),
        accepted("10.0.0.2:1", "a disconnected: b"),
        "Client a disconnected: b disconnected: c.",
    )
    assert [s["ended_at"] for s in found.sessions] == [None, None]
    assert codes(found.snapshot) == {"ambiguous-line": 1}


# --- forms of other versions ------------------------------------------------------------------------------------------


def test_lines_of_version_1(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "New connection from 192.168.1.2 on port 1883.",
        "New client connected from 192.168.1.2 as old.",
        "New connection from 192.168.1.3 on port 1883.",
        "New client connected from 192.168.1.3 as newer (c1, k15, u'bob').",
        "Client newer has exceeded timeout, disconnecting.",
        "Socket error on client newer, disconnecting.",
        "Socket error on client old, disconnecting.",
    )
    newer, old = found.sessions
    assert (newer["address"], newer["port"], newer["user_name"]) == ("192.168.1.3", None, "bob")
    assert (newer["end_reason"], old["end_reason"]) == ("has exceeded timeout", "socket error")
    assert found.snapshot.manifest.notes == ()  # the second line of an end is no end of another session


def test_a_time_out_that_version_1_tells_twice_is_one_end(tmp_path: Path) -> None:
    """Neither the second line of a client's end nor that of a stranger's is an end of anything else."""
    found = told(
        tmp_path,
        "mosquitto version 1.6.12 starting",
        accepted("10.0.0.1", "x"),
        "New connection from 10.0.0.2 on port 1883.",
        "Client x has exceeded timeout, disconnecting.",
        "Socket error on client x, disconnecting.",
        "New connection from 10.0.0.3 on port 1883.",
        "Client <unknown> has exceeded timeout, disconnecting.",
        "Socket error on client <unknown>, disconnecting.",
        accepted("10.0.0.2", "y"),
    )
    assert [(s["client_id"], s["outcome"], s["end_reason"] or s["outcome_text"]) for s in found.sessions] == [
        ("x", "accepted", "has exceeded timeout"), (None, "unknown", "has exceeded timeout"), ("y", "accepted", None),
    ]  # fmt: skip
    assert found.snapshot.manifest.notes == ()


def test_lines_of_version_2_1(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "mosquitto version 2.1.2 starting",
        arrival("10.0.0.1:1000"),
        accepted("10.0.0.1:1000", "twin", "a"),
        "Client twin negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
        arrival("10.0.0.2:2000"),
        "Client twin [10.0.0.1:1000] disconnected: session taken over.",
        accepted("10.0.0.2:2000", "twin", "b"),
        "Client twin [10.0.0.2:2000] disconnected: exceeded timeout.",
        arrival("10.0.0.3:3000"),
        arrival("10.0.0.4:4000"),
        "Client 10.0.0.3 [10.0.0.3:3000] disconnected: connection closed by client.",
        "Client guess [10.0.0.4:4000] disconnected: not authorised.",
    )
    first, second, third, fourth = found.sessions
    assert (first["end_reason"], second["end_reason"]) == ("disconnected: session taken over", "disconnected: exceeded timeout")
    assert (third["outcome"], third["address"], third["port"], third["client_id"]) == ("unknown", "10.0.0.3", 3000, None)
    assert (fourth["outcome"], fourth["address"], fourth["client_id"]) == ("refused", "10.0.0.4", "guess")
    (takeover,) = found.takeovers
    assert (takeover["old_address"], takeover["new_address"]) == ("10.0.0.1", "10.0.0.2")
    assert (takeover["old_user_name"], takeover["new_user_name"]) == ("a", "b")
    assert found.counts.known == 1


def test_bridges_are_clients(tmp_path: Path) -> None:
    (session,) = told(tmp_path, "New bridge connected from 10.0.0.1:1 as edge.bridge (p2, c0, k60, u'edge').").sessions
    assert (session["client_id"], session["user_name"], session["ended_at"]) == ("edge.bridge", "edge", None)


@pytest.mark.parametrize(
    ("peer", "before", "address", "port"),
    [
        ("::1:38688", [], "::1", 38688),
        ("fe80::1:2:3:4:55000", [], "fe80::1:2:3:4", 55000),
        ("2001:db8::7:1883", ["mosquitto version 2.0.18 starting"], "2001:db8::7", 1883),
        ("2001:db8::7:1883", [accepted("10.0.0.9:1", "y")], "2001:db8::7", 1883),
        ("2001:db8::7:1883", ["mosquitto version 1.6.12 starting"], "2001:db8::7:1883", None),
        ("2001:db8::7:1883", [], None, None),
        ("::ffff:10.0.0.1:5000", [], "10.0.0.1", 5000),
        ("10.0.0.300:5000", [], None, None),
    ],
)
def test_peers(tmp_path: Path, peer: str, before: list[str], address: str | None, port: int | None) -> None:
    found = told(tmp_path, *before, accepted(peer, "x"))
    session = next(s for s in found.sessions if s["client_id"] == "x")
    assert (session["address"], session["port"]) == (address, port)
    assert codes(found.snapshot) == ({} if address else {"address-unreadable": 1})


# --- ends, take-overs, refusals ---------------------------------------------------------------------------------------


def test_take_overs_tell_both_sides(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        accepted("10.0.0.1:1", "x", "a"),
        "Client x already connected, closing old connection.",
        accepted("10.0.0.2:2", "x", "b"),
        "Client x already connected, closing old connection.",
    )
    assert [s["ended_at"] for s in found.sessions] == [at(2), at(4)]
    told_by_broker, without_successor = found.takeovers
    assert told_by_broker == {
        "relying_party": "broker", "happened_at": at(2), "client_id": "x", "old_address": "10.0.0.1",
        "new_address": "10.0.0.2", "old_user_name": "a", "new_user_name": "b", "origin": "broker.log#2",
    }  # fmt: skip
    assert (without_successor["old_address"], without_successor["new_address"]) == ("10.0.0.2", None)


def test_a_session_whose_end_is_missing_ends_where_the_next_of_its_client_id_begins(tmp_path: Path) -> None:
    first, second = told(tmp_path, accepted("10.0.0.1:1", "x"), accepted("10.0.0.2:2", "x")).sessions
    assert (first["ended_at"], first["end_reason"]) == (at(2), _mosquitto_sessions.SUPERSEDED)
    assert (second["ended_at"], second["end_reason"]) == (None, None)


def test_a_restart_and_a_stop_end_all_that_is_open(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        accepted("10.0.0.1:1", "x"),
        "mosquitto version 2.0.18 starting",
        accepted("10.0.0.2:2", "y"),
        "mosquitto version 2.0.18 terminating",
        accepted("10.0.0.3:3", "z"),
    )
    assert [(s["client_id"], s["ended_at"], s["end_reason"]) for s in found.sessions] == [
        ("x", at(2), "broker restarted"), ("y", at(4), "broker terminated"), ("z", None, None),
    ]  # fmt: skip


def test_ends_of_sessions_from_before_the_log_are_counted(tmp_path: Path) -> None:
    found = told(tmp_path, "Client x closed its connection.", "Client y disconnected.")
    assert found.sessions == []
    assert any("2 ends of sessions that began before the log" in note for note in found.snapshot.manifest.notes)


def test_a_refusal_belongs_to_an_address_only_where_one_can_be_meant(tmp_path: Path) -> None:
    refusal = [
        "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed",
        "Client <unknown> disconnected: Protocol error.",
    ]
    (alone,) = told(tmp_path, arrival("10.0.0.1:1"), *refusal).sessions
    assert (alone["address"], alone["port"], alone["started_at"], alone["ended_at"]) == ("10.0.0.1", 1, at(1), at(3))
    assert (alone["outcome"], alone["subject_kind"]) == ("refused", "none")
    assert "certificate verify failed" in alone["outcome_text"]
    (either,) = told(tmp_path, arrival("10.0.0.1:1"), arrival("10.0.0.2:2"), *refusal).sessions
    assert (either["address"], either["port"]) == (None, None)
    settled = told(tmp_path, arrival("10.0.0.1:1"), arrival("10.0.0.2:2"), accepted("10.0.0.1:1", "x"), *refusal).sessions
    assert [(s["address"], s["outcome"]) for s in settled] == [("10.0.0.2", "refused"), ("10.0.0.1", "accepted")]
    still_unsure = told(
        tmp_path, arrival("10.0.0.1:1"), arrival("10.0.0.2:2"), *refusal, arrival("10.0.0.3:3"), *refusal
    ).sessions  # one of the first two may still be there
    assert [s["address"] for s in still_unsure] == [None, None]
    long_ago = told(tmp_path, arrival("10.0.0.1:1"), (600, arrival("10.0.0.2:2")), *refusal).sessions
    assert [s["address"] for s in long_ago] == ["10.0.0.2"]  # the broker has dropped the first after 90 s at the latest


def test_a_refused_password_names_what_the_broker_names(tmp_path: Path) -> None:
    before_2_0_13 = told(
        tmp_path, arrival("10.0.0.1:1"), arrival("10.0.0.2:2"), "Sending CONNACK to 10.0.0.1 (0, 5)",
        "Client <unknown> disconnected, not authorised.",
    ).sessions  # fmt: skip
    assert [(s["address"], s["port"], s["client_id"]) for s in before_2_0_13] == [("10.0.0.1", 1, None)]
    assert before_2_0_13[0]["outcome_text"] == "CONNACK 5; disconnected, not authorised"
    named = told(tmp_path, arrival("10.0.0.1:1"), "Client pump disconnected, not authorised.").sessions
    assert [(s["address"], s["client_id"], s["outcome"], s["subject_kind"]) for s in named] == [
        ("10.0.0.1", "pump", "refused", "client-id")
    ]
    without_end = told(tmp_path, arrival("10.0.0.1:1"), "Sending CONNACK to pump (0, 4)", arrival("10.0.0.2:2")).sessions
    assert [(s["client_id"], s["outcome_text"]) for s in without_end] == [("pump", "CONNACK 4")]


def test_a_refused_twin_does_not_end_the_session_of_its_client_id(tmp_path: Path) -> None:
    found = told(
        tmp_path, accepted("10.0.0.1:1", "pump", "pump"), arrival("10.6.6.6:6"), "Client pump disconnected, not authorised.",
        "Client pump closed its connection.",
    ).sessions  # fmt: skip
    refused, session = found
    assert (refused["address"], refused["outcome"], refused["client_id"]) == ("10.6.6.6", "refused", "pump")
    assert (session["address"], session["end_reason"]) == ("10.0.0.1", "closed its connection")


@pytest.mark.parametrize(
    "message",
    [
        "Client connection from 10.0.0.1 failed: error:1417D09F:SSL routines:tls_process_client_hello:length mismatch.",
        "Client connection from 10.0.0.1 denied access by tcpd.",
        "Client connection from 10.0.0.1 denied: max_connections exceeded.",
    ],
)
def test_connections_turned_away(tmp_path: Path, message: str) -> None:
    (session,) = told(tmp_path, message).sessions
    assert (session["outcome"], session["address"], session["subject_kind"]) == ("refused", "10.0.0.1", "none")
    assert session["outcome_text"] in message


# --- lines without sessions, and lines that nobody understands --------------------------------------------------------


def test_lines_of_other_things_are_read_and_counted(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "Config loaded from /etc/mosquitto/mosquitto.conf.",
        "Saving in-memory database to /var/lib/mosquitto//mosquitto.db.",
        accepted("10.0.0.1:1", "x y"),
        "Sending CONNACK to x y (0, 0)",
        "Received SUBSCRIBE from x y",
        "\tsensors/# (QoS 0)",
        "x y 0 sensors/#",
        "x y sensors/#",
        "Received PUBLISH from x y (d0, q0, r0, m0, 'a', ... (1 bytes))",
    )
    assert (found.counts.lines, found.counts.sessions, found.counts.known) == (9, 1, 8)
    assert found.problems == []
    stranger = told(tmp_path, accepted("10.0.0.1:1", "x"), "z 0 sensors/#")
    assert codes(stranger.snapshot) == {"unknown-line": 1}
    assert (stranger.counts.known, stranger.counts.problems) == (0, 1)


def test_other_programs_in_a_syslog_are_no_problem(tmp_path: Path) -> None:
    text = "2026-05-05T00:00:07Z h sshd[9]: Accepted publickey\n2026-05-05T00:00:08Z h mosquitto[1]: " + accepted(
        "10.0.0.1:1", "x"
    )
    found = reading(collect_log, tmp_path, text + "\n")
    assert found.counts == LineCounts(2, 1, others=1, first=(T0 + 8) * 10**6, last=(T0 + 8) * 10**6)


def test_problems_of_one_shape_are_bounded_and_none_goes_uncounted(tmp_path: Path) -> None:
    found = told(tmp_path, *[(5, f"gremlin {n} ate packet {n * 7}") for n in range(1500)], (6, "something else"))
    assert codes(found.snapshot) == {"unknown-line": 1002}
    summary = next(p for p in found.problems if "more lines" in p["reason"])
    assert summary["place"] == "line 1001"
    assert "500 more lines of this shape" in summary["reason"]
    assert found.counts.problems == 1501


def test_a_last_line_cut_in_the_middle(tmp_path: Path) -> None:
    whole = log(accepted("10.0.0.1:1", "x"), "Client x closed its connection.")
    cut = reading(collect_log, tmp_path, whole[:-12])
    assert codes(cut.snapshot) == {"truncated-line": 1}
    assert cut.problems[0]["place"] == "line 2"
    assert not cut.snapshot.manifest.partial
    complete = reading(collect_log, tmp_path, whole[:-1])  # only the line feed is missing
    assert complete.problems == []
    assert complete.sessions[0]["end_reason"] == "closed its connection"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    good, bad = log(accepted("10.0.0.1:1", "gw-ä")).encode(), log(accepted("10.0.0.2:2", "gw-ä")).encode("latin-1")
    found = reading(collect_log, tmp_path, good + bad + b"\0" * 40 + b"\n")
    assert [s["client_id"] for s in found.sessions] == ["gw-ä"]
    assert codes(found.snapshot) == {"not-utf8": 1, "unknown-line": 1}


def test_windows_line_ends(tmp_path: Path) -> None:
    text = log(accepted("10.0.0.1:1", "x"), "Client x disconnected.").replace("\n", "\r\n")
    (session,) = reading(collect_log, tmp_path, text).sessions
    assert (session["client_id"], session["end_reason"]) == ("x", "disconnected")


# --- files ------------------------------------------------------------------------------------------------------------


def test_rotated_files_are_one_log_from_old_to_new(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "mosquitto.log").write_text(log((300, "Client x closed its connection.")))
    (folder / "mosquitto.log.1").write_text(log((200, accepted("10.0.0.1:1", "x"))))
    (folder / "mosquitto.log.10.gz").write_bytes(gzip.compress(log((100, accepted("10.0.0.2:2", "y"))).encode()))
    assert SOURCE.recognise(place_of(folder)) is not None
    snapshot = collect(SOURCE, folder)
    x, y = rows(snapshot, "session")
    assert (x["client_id"], x["started_at"], x["ended_at"], x["origin"]) == ("x", at(200), at(300), "mosquitto.log.1#1")
    assert (y["client_id"], y["started_at"], y["ended_at"], y["origin"]) == ("y", at(100), None, "mosquitto.log.10.gz#1")
    (span,) = rows(snapshot, "log_span")
    assert (span["relying_party"], span["entries"]) == ("mosquitto", 3)


def test_a_gzip_file_that_ends_too_soon_is_partial(tmp_path: Path) -> None:
    lines = [accepted(f"10.0.{n % 256}.{n * 7 % 256}:{n + 1}", f"client {n * n}") for n in range(20_000)]
    path = tmp_path / "mosquitto.log.gz"
    packed = gzip.compress(log(*lines).encode())
    path.write_bytes(packed[: len(packed) // 2])
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.partial
    assert codes(snapshot)["gzip-damaged"] == 1
    assert 0 < snapshot.manifest.rows["session"] < 20_000
    path.write_bytes(packed[:1000] + b"\xff" * 500 + packed[1500:])
    assert collect(SOURCE, path).manifest.partial
    path.write_bytes(packed + gzip.compress(log((40_000, accepted("10.0.0.1:1", "last"))).encode()))
    assert collect(SOURCE, path).manifest.rows["session"] == 20_001  # several members are one file


def test_helpers_and_chunk_sizes_change_nothing(tmp_path: Path) -> None:
    lines: list[str | tuple[int, str]] = []
    for n in range(3000):
        peer = f"10.0.{n % 256}.1:{n + 1000}"
        lines += [arrival(peer), accepted(peer, f"c{n % 700}", "u" if n % 3 else None)]
        lines += [f"Client c{n * 31 % 700} closed its connection.", f"odd {n}", arrival(f"10.1.{n % 256}.1:{n + 1000}")]
        lines += ["OpenSSL Error[0]: error:1", "Client <unknown> disconnected: Protocol error."] if n % 5 == 0 else []
    text = log(*lines)
    whole = reading(collect_log, tmp_path, text)
    assert whole.counts.lines == len(lines)
    for helpers, chunk_bytes in ((0, 100), (0, 4096), (2, 50_000)):
        other = reading(collect_log, tmp_path, text, helpers=helpers, chunk_bytes=chunk_bytes)
        assert other.snapshot.manifest.content_id == whole.snapshot.manifest.content_id
        assert other.counts == whole.counts


def test_very_many_open_sessions_are_given_up_from_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mosquitto_sessions, "OPEN_AT_ONCE", 10)
    monkeypatch.setattr(mosquitto_log, "OPEN_AT_ONCE", 10)
    found = told(tmp_path, *[accepted(f"10.0.0.{n}:1", f"c{n}") for n in range(25)], "Client c24 disconnected.")
    assert [s["client_id"] for s in found.sessions][:15] == [f"c{n}" for n in range(15)]
    assert sum(s["ended_at"] is not None for s in found.sessions) == 1
    assert any("15 of them are told without their end" in n for n in found.snapshot.manifest.notes)


def test_the_declared_relying_party(tmp_path: Path) -> None:
    path = tmp_path / "b.log"
    path.write_text(log(accepted("10.0.0.1:1", "x")))
    said = Declarations.model_validate(
        {"source": [{"path": "b.log", "relying_party": "mqtt.example", "relying_party_kind": "gateway"}]}
    )
    snapshot = collect(SOURCE, path, said)
    assert rows(snapshot, "session")[0]["relying_party"] == "mqtt.example"
    assert (rows(snapshot, "log_span")[0]["relying_party"], rows(snapshot, "log_span")[0]["kind"]) == ("mqtt.example", "gateway")


def test_what_is_taken_for_a_log_of_mosquitto(tmp_path: Path) -> None:
    def sureness(name: str, text: str) -> int:
        (tmp_path / name).write_text(text)
        found = SOURCE.recognise(place_of(tmp_path / name))
        return found.sureness if found else 0

    assert sureness("x.log", log(arrival("10.0.0.1:1"))) == 95
    assert sureness("syslog", "May  5 00:00:00 h cron[1]: x\n" * 100 + "May  5 00:00:00 h mosquitto[1]: 1: x\n") == 60
    assert sureness("y.log", log("Client x disconnected.")) == 50
    assert sureness("mosquitto.log", "") == 30
    assert sureness("cmdb.csv", "sys_id,name\n1,x\n") == 0
    assert SOURCE.recognise(place_of(tmp_path)) is None  # a folder with other things in it


# --- anything at all --------------------------------------------------------------------------------------------------

_MESSAGES = st.sampled_from(
    [
        arrival("10.0.0.1:1"), arrival("::1:2"), accepted("10.0.0.1:1", "x"), accepted("10.0.0.1", "x y", "u'"),
        "Client x disconnected.", "Client x [10.0.0.1:1] disconnected: session taken over.",
        "Client <unknown> closed its connection.", "Client x already connected, closing old connection.",
        "Sending CONNACK to x (0, 5)", "Sending CONNACK to 10.0.0.1 (0, 5)", "OpenSSL Error[0]: e",
        "mosquitto version 2.0.1 starting", "mosquitto version 2.0.1 terminating",
        "Socket error on client x, disconnecting.", "Client connection from 10.0.0.1 failed: error:1.",
        "Bad socket read/write on client x: y", "Client x disconnected, not authorised.",
        "Client x disconnected disconnected: y.", "x 0 topic", "\ttopic", "Received PUBLISH from x", "gremlins", "",
    ]
)  # fmt: skip
_STAMPS = st.sampled_from(
    ["1777939207: ", "2026-05-05T00:00:07: ", "2026-10-25T02:30:00: ", "May  5 00:00:07 h mosquitto[1]: ", "x ", ""]
)
_LINES = st.lists(
    st.one_of(
        st.tuples(_STAMPS, _MESSAGES).map("".join),
        st.text(max_size=60).map(lambda t: t.replace("\n", " ")),
        st.tuples(_STAMPS, _MESSAGES, st.integers(0, 80), st.characters(exclude_characters="\n")).map(
            lambda p: (p[0] + p[1])[: p[2]] + p[3] + (p[0] + p[1])[p[2] + 1 :]
        ),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=_LINES, ending=st.sampled_from(["\n", "", "\r\n"]), junk=st.binary(max_size=12), chunk_bytes=st.integers(1, 300))
def test_any_lines_are_read_without_a_crash_and_each_is_counted_once(
    tmp_path: Path, lines: list[str], ending: str, junk: bytes, chunk_bytes: int
) -> None:
    data = "\n".join(lines).encode("utf-8", "surrogatepass") + junk + ending.encode()
    assume(not data.startswith(b"\x1f\x8b"))  # a gzip file: its lines are inside
    declared: dict[str, Any] = {"time_zone": "Europe/Berlin", "as_of": datetime(2026, 12, 1, tzinfo=UTC)}
    found = reading(collect_log, tmp_path, data, **declared)
    counts = found.counts
    assert counts.lines == len(data.split(b"\n")) - (data.endswith(b"\n") or not data)
    assert counts.lines == counts.sessions + counts.known + counts.others + counts.problems
    other = reading(collect_log, tmp_path, data, chunk_bytes=chunk_bytes, **declared)
    assert other.counts == counts
    assert other.snapshot.manifest.content_id == found.snapshot.manifest.content_id
