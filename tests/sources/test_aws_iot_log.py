"""AWS IoT's log in every shape of a CloudWatch export: sessions, take-overs, torn records, and the fast path beside JSON.

Long because every shape of export is held against one reading, in sections; the tree of tests mirrors the code.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.model.declarations import Declarations
from tenure.sources import _cloud_sessions, _cloudwatch_lines, aws_iot_log
from tenure.sources._cloudwatch_lines import parse
from tenure.sources.aws_iot_log import SOURCE, collect_log
from tests.sources.collected import codes, collect, place_of, rows
from tests.sources.log_reading import Reading, reading

CERTIFICATE = "ab76f7edb250828163aedcd8d8dbc1a1373cdcf7fa20311950dee2c255e6814e"
OTHER = "5d576e93677400d60520738418f51893c41ffdd75a8793ee02a7f4cdca92043e"
BEGIN = datetime(2026, 5, 5, tzinfo=UTC)


def record(second: float, kind: str, client: str = "c", port: int | None = 4711, **more: Any) -> dict[str, Any]:
    """A record as the log has it; ``more`` adds or replaces fields, None takes one away."""
    stamp = (BEGIN + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    fields: dict[str, Any] = {
        "timestamp": stamp, "logLevel": "INFO", "traceId": "5554b6ad-d70d-4c58-50ca-ffbde5104122", "accountId": "471112345678",
        "status": "Success", "eventType": kind, "protocol": "MQTT", "clientId": client, "principalId": CERTIFICATE,
        "sourceIp": "203.0.113.7", "sourcePort": port,
    }  # fmt: skip
    return {k: v for k, v in (fields | more).items() if v is not None}


def connect(second: float, client: str = "c", port: int | None = 4711, **more: Any) -> dict[str, Any]:
    return record(second, "Connect", client, port, **more)


def disconnect(second: float, why: str, client: str = "c", port: int | None = 4711, **more: Any) -> dict[str, Any]:
    return record(second, "Disconnect", client, port, disconnectReason=why, **more)


def jsonl(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(r) + "\n" for r in records)


def told(folder: Path, *records: dict[str, Any], **options: Any) -> Reading:
    return reading(collect_log, folder, jsonl(records), name="log.jsonl", **options)


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


# --- the corpus -------------------------------------------------------------------------------------------------------


def test_the_sample_fleets_cloud(corpus: Path) -> None:
    path = corpus / "fleet-sample" / "cloudwatch.jsonl"
    snapshot = collect(SOURCE, path)
    assert snapshot.manifest.rows == {"log_span": 1, "problem": 1, "session": 1213, "takeover": 8}
    text = path.read_text()
    sessions = rows(snapshot, "session")
    assert text.count('"eventType": "Connect"') == 1213
    assert {s["relying_party"] for s in sessions} == {"aws-iot:471112345678"}
    assert {s["subject_kind"] for s in sessions} == {"certificate"}
    assert all(s["sha256"].hex() == s["principal"] for s in sessions)
    assert Counter(s["end_reason"] for s in sessions) == {
        "CONNECTION_LOST": text.count("CONNECTION_LOST"),
        "CLIENT_INITIATED_DISCONNECT": text.count("CLIENT_INITIATED_DISCONNECT"),
        "MQTT_KEEP_ALIVE_TIMEOUT": text.count("MQTT_KEEP_ALIVE_TIMEOUT"),
        "DUPLICATE_CLIENTID": 8,
        None: 1213 - 457 - 364 - 294 - 8,
    }
    assert all(s["ended_at"] is None or s["ended_at"] >= s["started_at"] for s in sessions)
    (torn,) = rows(snapshot, "problem")
    assert (torn["code"], torn["place"]) == ("torn-record", "line 779")
    assert not snapshot.manifest.partial
    assert {t["client_id"] for t in rows(snapshot, "takeover")} == {"thermo-0082243889"}
    (span,) = rows(snapshot, "log_span")
    assert (span["kind"], span["entries"], span["sensor"]) == ("cloud", 2336, False)
    assert snapshot.manifest.speaks_as_of == span["last_at"]
    assert snapshot.manifest.notes == ()


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_from_connect_to_its_disconnect(tmp_path: Path) -> None:
    found = told(tmp_path, connect(1), disconnect(61.5, "CONNECTION_LOST"))
    (session,) = found.sessions
    assert session == {
        "relying_party": "aws-iot:471112345678", "started_at": at(1), "ended_at": at(61.5), "end_reason": "CONNECTION_LOST",
        "address": "203.0.113.7", "port": 4711, "server_address": None, "server_port": None, "outcome": "accepted",
        "outcome_text": None, "subject_kind": "certificate", "sha256": bytes.fromhex(CERTIFICATE), "principal": CERTIFICATE,
        "user_name": None, "client_id": "c", "protocol": "mqtt", "resumed": None, "origin": "log.jsonl#1",
    }  # fmt: skip


def test_the_disconnect_is_that_of_the_connection_it_names(tmp_path: Path) -> None:
    """The end of a replaced connection comes after the Connect that replaced it, and with a time before it."""
    found = told(
        tmp_path, connect(10, port=1), connect(20.5, port=2), disconnect(20.3, "DUPLICATE_CLIENTID", port=1),
        disconnect(30, "CLIENT_INITIATED_DISCONNECT", port=2),
    )  # fmt: skip
    assert [(s["port"], s["started_at"], s["ended_at"]) for s in found.sessions] == [
        (1, at(10), at(20.3)), (2, at(20.5), at(30)),
    ]  # fmt: skip
    (takeover,) = found.takeovers
    assert (takeover["happened_at"], takeover["client_id"]) == (at(20.3), "c")


@pytest.mark.parametrize("late", [False, True])
def test_a_take_over_tells_both_sides_in_either_order(tmp_path: Path, late: bool) -> None:
    new = connect(20, port=2, sourceIp="203.0.113.8", principalId=OTHER)
    old_ends = disconnect(20, "DUPLICATE_CLIENTID", port=1)
    found = told(tmp_path, connect(10, port=1), *((new, old_ends) if late else (old_ends, new)))
    (takeover,) = found.takeovers
    assert (takeover["old_address"], takeover["new_address"]) == ("203.0.113.7", "203.0.113.8")
    assert (takeover["old_user_name"], takeover["new_user_name"]) == (CERTIFICATE, OTHER)
    assert {(s["port"], s["end_reason"]) for s in found.sessions} == {(1, "DUPLICATE_CLIENTID"), (2, None)}


def test_a_take_over_whose_successor_is_not_in_the_log(tmp_path: Path) -> None:
    (takeover,) = told(tmp_path, disconnect(20, "DUPLICATE_CLIENTID")).takeovers
    assert (takeover["old_address"], takeover["new_address"]) == ("203.0.113.7", None)


def test_connections_whose_ends_the_log_lost(tmp_path: Path) -> None:
    found = told(tmp_path, *[connect(n, port=n) for n in range(1, 6)])
    assert [(s["port"], s["ended_at"]) for s in found.sessions] == [(n, at(n + 1) if n < 5 else None) for n in range(1, 6)]
    assert {s["end_reason"] for s in found.sessions} == {_cloud_sessions.SUPERSEDED, None}


def test_refused_connects(tmp_path: Path) -> None:
    found = told(
        tmp_path, connect(1, status="Failure", reason="AUTHORIZATION_FAILURE", details="Authorization Failure"),
        connect(2, status="Throttled"),
    )  # fmt: skip
    refused, unknown = found.sessions
    assert (refused["outcome"], refused["outcome_text"]) == ("refused", "AUTHORIZATION_FAILURE; Authorization Failure")
    assert (refused["subject_kind"], refused["ended_at"]) == ("certificate", at(1))
    assert (unknown["outcome"], unknown["outcome_text"]) == ("unknown", "Throttled")


def test_connections_that_failed_to_authenticate_are_refused(tmp_path: Path) -> None:
    """An event type of its own (2026): it is where a revoked or switched-off certificate that still tries leaves a trace."""
    failed = record(1, "Connection.AuthNError", status="Failure", logLevel="ERROR", reason="DEVICE_CERTIFICATE_REVOKED",
                    details="The device certificate is revoked", authenticationType="AWS_X509")  # fmt: skip
    (session,) = told(tmp_path, failed, record(2, "Connection.AuthNError", status="Failure") | {"eventType": "Ping"}).sessions
    assert (session["outcome"], session["sha256"].hex()) == ("refused", CERTIFICATE)
    assert session["outcome_text"] == "DEVICE_CERTIFICATE_REVOKED; The device certificate is revoked"


def test_a_duplicate_by_either_spelling(tmp_path: Path) -> None:
    documented = disconnect(
        2, "DUPLICATE_CLIENTID", reason="DUPLICATE_CLIENT_ID", details="A new connection was established with the same client ID"
    )
    for ended in (documented, {k: v for k, v in documented.items() if k != "disconnectReason"}):
        found = told(tmp_path, connect(1), ended, connect(3, port=2))
        assert len(found.takeovers) == 1
        assert {s["end_reason"] for s in found.sessions} == {ended.get("disconnectReason", "DUPLICATE_CLIENT_ID"), None}


@pytest.mark.parametrize(
    ("principal", "kind", "user"),
    [
        ("AROAJEXAMPLE:session", "name", "AROAJEXAMPLE:session"),
        (CERTIFICATE.upper(), "name", CERTIFICATE.upper()),
        ("Anonymous", "client-id", None),
        (None, "client-id", None),
    ],
)
def test_principals_that_are_no_certificate(tmp_path: Path, principal: str | None, kind: str, user: str | None) -> None:
    (session,) = told(tmp_path, connect(1, principalId=principal)).sessions
    assert (session["subject_kind"], session["user_name"], session["sha256"]) == (kind, user, None)
    assert session["principal"] == principal


def test_a_connection_without_address_is_found_by_its_principal(tmp_path: Path) -> None:
    found = told(
        tmp_path, connect(1, port=None, sourceIp=None, principalId=OTHER), connect(2, port=None, sourceIp=None),
        disconnect(3, "CONNECTION_LOST", port=None, sourceIp=None),
    )  # fmt: skip
    assert {(s["principal"], s["ended_at"]) for s in found.sessions} == {(CERTIFICATE, at(3)), (OTHER, at(2))}


def test_ends_from_before_the_log_and_other_records_are_counted(tmp_path: Path) -> None:
    found = told(
        tmp_path, disconnect(1, "CONNECTION_LOST"), record(2, "Publish-In", topicName="a"),
        record(3, "Publish-In", status="Failure", reason="AUTHORIZATION_FAILURE"), record(4, "Subscribe"),
    )  # fmt: skip
    assert found.sessions == []
    notes = " ".join(found.snapshot.manifest.notes)
    assert "1 Disconnect records of sessions that began before the log" in notes
    assert "Publish-In Failure 1, Publish-In Success 1, Subscribe Success 1" in notes
    (span,) = found.snapshot.rows("log_span")
    assert (span["first_at"], span["last_at"], span["entries"]) == (at(1), at(4), 4)


def test_accounts_are_relying_parties_of_their_own_unless_one_is_declared(tmp_path: Path) -> None:
    records = [connect(1), connect(2, accountId="999900001111"), disconnect(3, "CONNECTION_LOST", accountId="999900001111")]
    found = told(tmp_path, *records)
    assert {(s["relying_party"], s["ended_at"]) for s in found.sessions} == {
        ("aws-iot:471112345678", None), ("aws-iot:999900001111", at(3)),
    }  # fmt: skip
    assert [s["entries"] for s in found.snapshot.rows("log_span")] == [1, 2]
    declared = told(tmp_path, *records, relying_party="cloud", relying_party_kind="broker")
    assert {s["relying_party"] for s in declared.sessions} == {"cloud"}
    assert {s["kind"] for s in declared.snapshot.rows("log_span")} == {"broker"}


def test_very_many_open_connections_are_given_up_from_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cloud_sessions, "OPEN_AT_ONCE", 10)
    found = told(tmp_path, *[connect(n, client=f"c{n}") for n in range(25)])
    assert [s["client_id"] for s in found.sessions] == [f"c{n}" for n in range(25)]
    assert any("15 are told without their end" in n for n in found.snapshot.manifest.notes)


# --- shapes of exports ------------------------------------------------------------------------------------------------

RECORDS = [
    connect(1),
    record(2, "Publish-In", topicName='a "quoted" ünïcode'),
    disconnect(3, "CONNECTION_LOST"),
    connect(4, client="ö"),
]


def _events() -> list[dict[str, Any]]:
    return [
        {"logStreamName": "s_471112345678_0", "timestamp": 1_777_939_200_000 + n, "message": json.dumps(r), "ingestionTime": 1,
         "eventId": str(n)}
        for n, r in enumerate(RECORDS)
    ]  # fmt: skip


def _shapes() -> dict[str, str]:
    compact = [json.dumps(r, separators=(",", ":"), ensure_ascii=False) for r in RECORDS]
    return {
        "records": jsonl(RECORDS),
        "compact records": "\n".join(compact),
        "windows": jsonl(RECORDS).replace("\n", "\r\n"),
        "array of records, one a line": "[\n" + ",\n".join(json.dumps(r) for r in RECORDS) + "\n]\n",
        "S3 export": "".join(f"2026-05-05T00:00:0{n}.000Z {text}\n" for n, text in enumerate(compact)),
        "aws logs tail": "".join(f"2026-05-05T00:00:0{n}+00:00 s_471112345678_0 {text}\n" for n, text in enumerate(compact)),
        "filter-log-events": json.dumps({"events": _events(), "searchedLogStreams": []}, indent=4),
        "filter-log-events, tabs": json.dumps({"events": _events()}, indent="\t", ensure_ascii=False),
        "one event a line": jsonl(_events()),
        "insights rows": jsonl({"@timestamp": "2026-05-05 00:00:01.000", "@message": e["message"]} for e in _events()),
        "one document on one line": json.dumps({"events": _events()}),
    }


@pytest.mark.parametrize("shape", _shapes())
def test_every_shape_of_an_export_says_the_same(tmp_path: Path, shape: str) -> None:
    found = reading(collect_log, tmp_path, _shapes()[shape], name="log.jsonl")
    assert [(s["client_id"], s["started_at"], s["ended_at"]) for s in found.sessions] == [("c", at(1), at(3)), ("ö", at(4), None)]
    assert found.problems == []
    assert found.counts["others"] == 1
    assert not found.snapshot.manifest.partial
    path = tmp_path / "log.jsonl"
    recognised = SOURCE.recognise(place_of(path))
    assert recognised is not None
    assert recognised.sureness == 90


def test_an_export_with_further_pages_is_partial(tmp_path: Path) -> None:
    text = json.dumps({"events": _events(), "nextToken": "abc"}, indent=4)
    assert reading(collect_log, tmp_path, text, name="log.json").snapshot.manifest.partial


def test_streams_of_an_s3_export_are_merged_by_time(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    streams = {
        "s-a": [connect(1), connect(50, client="d", port=2), connect(90, client="e", port=3)],
        "s-b": [disconnect(40, "CONNECTION_LOST"), disconnect(60, "CONNECTION_LOST", client="d", port=2)],
        "s-c": [disconnect(95, "CONNECTION_LOST", client="e", port=3)],
    }
    for name, records in streams.items():
        (folder / name).mkdir(parents=True)
        lines = "".join(f"{r['timestamp'].replace(' ', 'T')}Z {json.dumps(r)}\n" for r in records)
        (folder / name / "000000.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "aws-logs-write-test").write_text("Permission Check Successful")
    assert SOURCE.recognise(place_of(folder)) is not None
    snapshot = collect(SOURCE, folder)
    assert [(s["client_id"], s["ended_at"], s["origin"]) for s in rows(snapshot, "session")] == [
        ("c", at(40), "s-a/000000.gz#1"), ("d", at(60), "s-a/000000.gz#2"), ("e", at(95), "s-a/000000.gz#3"),
    ]  # fmt: skip
    assert "problem" not in snapshot.manifest.rows
    assert snapshot.manifest.notes == ()


def test_a_gzip_file_that_ends_too_soon_is_partial(tmp_path: Path) -> None:
    packed = gzip.compress(jsonl(connect(n, client=f"{n * n}", port=n) for n in range(5000)).encode())
    (tmp_path / "log.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    snapshot = collect(SOURCE, tmp_path / "log.jsonl.gz")
    assert snapshot.manifest.partial
    assert codes(snapshot)["gzip-damaged"] == 1


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"timestamp": "2026-07-04 22:37:56.610", "logLevel": "INFO", "cl', "torn-record"),
        ('{"a": }', "torn-record"),
        ("gremlins", "unknown-line"),
        ('{"some": "json"}', "unknown-line"),
        (json.dumps(connect(1) | {"timestamp": "2026-13-04 22:37:56.610"}), "bad-time"),
        (json.dumps(connect(1) | {"timestamp": "2026-12-04 22:97:56.610"}), "bad-time"),
        (json.dumps(connect(1) | {"timestamp": 5.5}), "bad-time"),
        (json.dumps(connect(1) | {"clientId": 7}), "bad-record"),
        (json.dumps(connect(1) | {"clientId": "\ud800"}), "bad-record"),
        (json.dumps(connect(1) | {"sourcePort": "high"}), "bad-record"),
        ('"message": "x"', "torn-record"),
        ("[" * 100_000, "unknown-line"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "torn-record"),
    ],
)
def test_records_that_cannot_be_read_are_problems_and_the_rest_goes_on(tmp_path: Path, line: str, code: str) -> None:
    text = jsonl([connect(1)]) + line + "\n" + jsonl([disconnect(2, "CONNECTION_LOST")])
    found = reading(collect_log, tmp_path, text, name="log.jsonl")
    (problem,) = found.problems
    assert (problem["code"], problem["place"]) == (code, "line 2")
    assert [s["ended_at"] for s in found.sessions] == [at(2)]


def test_the_last_record_cut_in_the_middle_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    whole = jsonl([connect(1), connect(2, client="d")])
    assert codes(reading(collect_log, tmp_path, whole[:-40], name="log.jsonl").snapshot) == {"truncated-line": 1}
    latin = json.dumps(connect(1, client="ö"), ensure_ascii=False).encode("latin-1") + b"\n"
    assert codes(reading(collect_log, tmp_path, latin, name="log.jsonl").snapshot) == {"not-utf8": 1}


def test_what_is_not_taken_for_it(tmp_path: Path) -> None:
    for name, text in {"things.json": '{"things": []}', "x.jsonl": '{"eventType": "x"}\n', "mosquitto.log": "1: x\n"}.items():
        (tmp_path / name).write_text(text)
        assert SOURCE.recognise(place_of(tmp_path / name)) is None
    assert SOURCE.recognise(place_of(tmp_path)) is None


# --- one reading for every way ----------------------------------------------------------------------------------------


def test_helpers_and_chunk_sizes_change_nothing(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = []
    for n in range(3000):
        kind = n % 7
        client, port = f"c{n % 90}", 1000 + n % 200
        records.append(connect(n, client, port) if kind < 4 else disconnect(n, ("DUPLICATE_CLIENTID", "X")[n % 2], client, port))
    whole = told(tmp_path, *records)
    for helpers, chunk_bytes in ((0, 100), (0, 4096), (2, 100_000)):
        other = told(tmp_path, *records, helpers=helpers, chunk_bytes=chunk_bytes)
        assert other.snapshot.manifest.content_id == whole.snapshot.manifest.content_id
        assert other.counts == whole.counts


_TEXTS = st.text(max_size=12) | st.sampled_from(["", "c", "ä", '"', "\\", "\x00", "\x7f", "}", '", "clientId": "x'])
_RECORDS = st.builds(
    lambda kind, client, principal, address, port, status, reason, more: record(
        1, kind, client, port, principalId=principal, sourceIp=address, status=status, disconnectReason=reason, **more
    ),
    st.sampled_from(["Connect", "Disconnect", "Publish-In", "Connection.AuthNError"]),
    _TEXTS,
    _TEXTS | st.none(),
    _TEXTS,
    st.integers(0, 99_999) | st.none(),
    st.sampled_from(["Success", "Failure", ""]),
    _TEXTS | st.none(),
    st.dictionaries(
        st.sampled_from(["reason", "details", "protocol", "accountId", "timestamp"]), _TEXTS | st.integers(), max_size=1
    ),
)


@settings(max_examples=400, deadline=None)
@given(fields=_RECORDS, ascii_only=st.booleans(), spaced=st.booleans())
def test_the_fast_path_agrees_with_the_json_parser(fields: dict[str, Any], ascii_only: bool, spaced: bool) -> None:
    line = json.dumps(fields, ensure_ascii=ascii_only, separators=(", ", ": ") if spaced else (",", ":"))
    data = line.encode("utf-8", "surrogatepass") + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        fast = parse(data, True, None)
        patch.setattr(_cloudwatch_lines, "_USUAL", re.compile(r"(?!)"))
        slow = parse(data, True, None)
    assert fast[:-1] == slow[:-1]
    assert [s[:2] for s in fast[-1]] == [s[:2] for s in slow[-1]]


def test_the_fast_path_is_taken() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_cloudwatch_lines, "json", None)
        assert len(parse(jsonl([connect(1), disconnect(2, "X")]).encode(), True, None)[5]) == 2


_FRAMING = st.sampled_from(
    ["", "{", "]", '"events": [', '"nextToken": "x",', '"message": "{\\"eventType\\": 1}",', "2026-05-05T00:00:01Z {}", "x"]
)
_TORN = st.tuples(_RECORDS.map(json.dumps), st.integers(0, 300), st.text(max_size=3)).map(
    lambda p: p[0][: p[1]] + p[2] + p[0][p[1] + 1 :]
)
_LINES = st.lists(
    st.one_of(_RECORDS.map(json.dumps), _TORN, _FRAMING, st.text(max_size=30)).map(lambda t: t.replace("\n", " ")), max_size=12
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=_LINES, chunk_bytes=st.integers(1, 400))
def test_any_lines_are_read_without_a_crash_and_each_is_counted_once(tmp_path: Path, lines: list[str], chunk_bytes: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    found = reading(collect_log, tmp_path, data, name="log.jsonl")
    counts = Counter(found.counts)
    assert counts["lines"] == len(lines)
    assert counts["lines"] == counts["sessions"] + counts["others"] + counts["framing"] + counts["problems"]
    other = reading(collect_log, tmp_path, data, chunk_bytes=chunk_bytes, name="log.jsonl")
    assert other.snapshot.manifest.content_id == found.snapshot.manifest.content_id


def test_a_declared_relying_party_of_a_whole_audit(tmp_path: Path) -> None:
    (tmp_path / "iot.jsonl").write_text(jsonl([connect(1)]))
    said = Declarations.model_validate({"source": [{"path": "iot.jsonl", "relying_party": "cloud"}]})
    assert rows(collect(aws_iot_log.SOURCE, tmp_path / "iot.jsonl", said), "session")[0]["relying_party"] == "cloud"
