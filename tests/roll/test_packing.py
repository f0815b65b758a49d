"""From rows to findings: which rows are one finding, who it is about, and what it rests on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.errors import RuleError
from tenure.model.findings import Finding, Subject
from tenure.model.vocabulary import Severity
from tenure.roll.cells import scalars
from tenure.roll.packing import Packed, finding_id, pack, subject_columns
from tenure.roll.rules import GRAINS
from tenure.roll.subjects import SUBJECT_COLUMNS, look_up
from tests.roll.written_roll import EACH_DEVICE, SHA, fleet, rule, write_roll

ROLL = fleet(
    key=[
        {"key_key": 1, "kind": "public-key", "digest": SHA["a"]},
        {"key_key": 2, "kind": "secret", "digest": SHA["b"]},
        {"key_key": 3, "kind": "public-key", "digest": SHA["c"]},
    ],
    issuer=[
        {"issuer_key": 1, "name": "CN=Root", "key_key": 3, "credential_key": 6},
        {"issuer_key": 2, "name": "CN=Only a name"},
        {"issuer_key": 3, "name": "CN=Key", "key_key": 1},
    ],
    credential=[
        {"credential_key": 1, "kind": "certificate", "name": "leaf", "sha256": SHA["d"], "serial_hex": "0a", "key_key": 1, "issuer_key": 1},
        {"credential_key": 2, "kind": "certificate", "name": "log only", "serial_hex": "0b", "issuer_key": 1},
        {"credential_key": 3, "kind": "ssh-key", "name": "host", "key_key": 1},
        {"credential_key": 8, "kind": "ssh-key", "name": "attic", "key_key": 1},
        {"credential_key": 4, "kind": "token", "name": "tok-7", "key_key": 2},
        {"credential_key": 5, "kind": "psk", "name": "meter", "key_key": 2},
        {"credential_key": 6, "kind": "certificate", "name": "Root", "sha256": SHA["e"], "serial_hex": "01", "key_key": 3},
        {"credential_key": 7, "kind": "certificate", "name": "nobody's", "serial_hex": "0c"},
    ],
    relying_party=[{"relying_party_key": 1, "name": "broker"}],
    anchor=[
        {"anchor_key": 1, "credential_key": 6, "relying_party_key": 1, "bundle": "ca.pem"},
        {"anchor_key": 2, "credential_key": 6, "bundle": "ca.pem"},
    ],
    policy=[{"policy_key": 1, "name": "AllowAll", "scope": "123/eu-west-1"}],
    domain=[{"domain_key": 1, "name": "plant"}],
)  # fmt: skip


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = write_roll(tmp_path_factory.mktemp("roll") / "roll.duckdb", ROLL)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def packed(roll: duckdb.DuckDBPyConnection, columns: Any, grain: str = "device") -> Packed:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    wanted: dict[str, list[Any]] = {}
    for name, kind in subject_columns(table).items():
        wanted.setdefault(kind, []).append(table.column(name))
    return pack(rule("odd", EACH_DEVICE, grain=grain), table, look_up(roll, wanted), ("f:C1",))


def one(roll: duckdb.DuckDBPyConnection, columns: dict[str, Any], grain: str = "device") -> Finding:
    found = packed(roll, columns, grain)
    assert found.trouble == ()
    (finding,) = found.findings
    return finding


SUBJECTS = [
    ("device", 1, Subject("device", "dev-1", serial="S1", name="sensor 1")),
    ("credential", 1, Subject("certificate", SHA["d"], "0a", SHA["d"], SHA["a"], "leaf")),
    ("credential", 2, Subject("certificate", f"{SHA['c']}/0b", "0b", name="log only")),
    ("credential", 7, Subject("certificate", "unknown issuer/0c", "0c", name="nobody's")),
    ("credential", 3, Subject("key", SHA["a"], spki_sha256=SHA["a"], name="host")),
    ("credential", 4, Subject("token", "token:tok-7", name="tok-7")),
    ("credential", 5, Subject("token", "psk:meter", name="meter")),
    ("key", 1, Subject("key", SHA["a"], spki_sha256=SHA["a"])),
    ("key", 2, Subject("key", f"secret:{SHA['b']}")),
    ("anchor", 1, Subject("anchor", f"{SHA['e']}@broker", "01", SHA["e"], SHA["c"], "Root")),
    ("anchor", 2, Subject("anchor", f"{SHA['e']}@ca.pem", "01", SHA["e"], SHA["c"], "Root")),
    ("policy", 1, Subject("policy", "123/eu-west-1/AllowAll", name="AllowAll")),
    ("domain", 1, Subject("domain", "plant", name="plant")),
    ("issuer", 1, Subject("certificate", SHA["e"], "01", SHA["e"], SHA["c"], "CN=Root")),
    ("issuer", 2, Subject("certificate", "issuer:CN=Only a name", name="CN=Only a name")),
    ("issuer", 3, Subject("key", SHA["a"], spki_sha256=SHA["a"], name="CN=Key")),
    ("source", 2, Subject("file", "broker/mosquitto.log", name="broker/mosquitto.log")),
    ("client", "meter-7", Subject("client", "meter-7", name="meter-7")),
]


@pytest.mark.parametrize(("kind", "key", "subject"), SUBJECTS)
def test_a_key_of_the_roll_becomes_a_subject_with_a_strong_id(
    kind: str, key: int | str, subject: Subject, roll: duckdb.DuckDBPyConnection
) -> None:
    assert one(roll, {"finding": [1], f"subject_{kind}": [key]}).subjects == (subject,)


def test_every_kind_of_subject_is_tried_above_and_every_grain_names_one() -> None:
    assert {f"subject_{kind}" for kind, _, _ in SUBJECTS} == SUBJECT_COLUMNS
    named = {column for columns in GRAINS.values() for column in columns}
    assert named - {"identifier_kind", "value", "maker_or_account"} == SUBJECT_COLUMNS


def test_one_row_is_a_finding_with_plain_evidence(roll: duckdb.DuckDBPyConnection) -> None:
    columns = {
        "finding": [7],
        "subject_device": [1],
        "since": [datetime(2026, 1, 2, 3)],
        "sessions": [4],
        "left_service_at": [datetime(2026, 1, 1)],
        "why": [None],
    }
    found = one(roll, columns)
    assert found.evidence == {"sessions": 4, "left_service_at": datetime(2026, 1, 1, tzinfo=UTC), "why": None}
    assert found.since == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert (found.rule, found.title, found.severity, found.grain) == ("odd", "Device is odd", Severity.HIGH, "device")
    assert found.controls == ("f:C1",)
    assert len(found.id) == 32


def test_rows_of_one_finding_share_what_is_the_same_and_keep_the_rest_by_row(roll: duckdb.DuckDBPyConnection) -> None:
    columns = {
        "finding": [1, 1, 1, 1],
        "subject_device": [1, 1, 1, 1],
        "subject_credential": [1, 3, 3, None],
        "since": [datetime(2026, 3, 1), None, None, datetime(2026, 2, 1)],
        "state": ["retired"] * 4,
        "uses": [5, 2, 2, None],
    }
    found = one(roll, columns)
    assert found.evidence == {
        "state": "retired",
        "members": [{"credential": SHA["a"], "uses": 2}, {"credential": SHA["d"], "uses": 5}, {"credential": None, "uses": None}],
    }
    assert [s.kind for s in found.subjects] == ["device", "certificate", "key"]
    assert found.since == datetime(2026, 2, 1, tzinfo=UTC)


def test_a_column_of_evidence_keeps_its_name_beside_a_subject_of_the_same(roll: duckdb.DuckDBPyConnection) -> None:
    found = one(roll, {"finding": [1, 1], "subject_device": [1, 2], "device": ["x", "y"]}, "identifier")
    assert found.evidence["members"] == [{"subject_device": "dev-1", "device": "x"}, {"subject_device": "dev-2", "device": "y"}]


def test_two_subjects_of_one_kind_stand_in_numbered_columns(roll: duckdb.DuckDBPyConnection) -> None:
    found = one(roll, {"finding": [1, 1], "subject_device": [1, 1], "subject_device_2": [2, 3]})
    assert [s.id for s in found.subjects] == ["dev-1", "dev-2", "dev-3"]
    assert found.id == one(roll, {"finding": [1], "subject_device": [1]}).id
    assert found.evidence == {"members": [{"device_2": "dev-2"}, {"device_2": "dev-3"}]}


def test_the_id_rests_on_what_the_grain_names_and_not_on_evidence_or_what_hangs_on_it(roll: duckdb.DuckDBPyConnection) -> None:
    alone = one(roll, {"finding": [1], "subject_device": [1], "subject_credential": [1], "n": [1]})
    later = one(roll, {"finding": [9, 9], "subject_device": [1, 1], "subject_credential": [3, 4], "n": [1, 2]})
    other = one(roll, {"finding": [1], "subject_device": [2], "subject_credential": [1], "n": [1]})
    of_credential = one(roll, {"finding": [1], "subject_device": [1], "subject_credential": [1], "n": [1]}, "certificate")
    assert alone.id == later.id
    assert len({alone.id, other.id, of_credential.id}) == 3
    assert alone.id == finding_id("odd", {"device\x1fdev-1"}) != finding_id("even", {"device\x1fdev-1"})


def test_without_a_subject_of_its_grain_all_subjects_name_a_finding(roll: duckdb.DuckDBPyConnection) -> None:
    columns = {"finding": [1, 2], "subject_device": pa.array([None, None], pa.int64()), "subject_credential": [1, 2]}
    found = packed(roll, columns)
    assert {f.subjects[0].name for f in found.findings} == {"leaf", "log only"}
    assert len({f.id for f in found.findings}) == 2


def test_what_is_no_subject_is_named_by_its_evidence(roll: duckdb.DuckDBPyConnection) -> None:
    kind = {"identifier_kind": ["serial"], "value": ["NONE"]}
    alone = one(roll, {"finding": [1], "subject_device": [1], **kind}, "identifier")
    more = {
        "finding": [7, 7],
        "subject_device": [1, 2],
        "identifier_kind": ["serial"] * 2,
        "value": ["NONE"] * 2,
        "devices": [2, 2],
    }
    assert one(roll, more, "identifier").id == alone.id
    other = {"finding": [1], "subject_device": [1], "identifier_kind": ["serial"], "value": ["TBD"]}
    assert one(roll, other, "identifier").id != alone.id
    assert packed(roll, {"finding": [1], "subject_device": pa.array([None], pa.int64()), **kind}, "identifier").findings == ()


def test_two_numbers_for_one_thing_are_one_finding_since_the_grain_says_so(roll: duckdb.DuckDBPyConnection) -> None:
    found = one(roll, {"finding": [1, 2], "subject_device": [1, 1], "subject_credential": [1, 2], "n": [1, 1]})
    assert found.evidence == {"n": 1, "members": [{"credential": f"{SHA['c']}/0b"}, {"credential": SHA["d"]}]}
    assert found.id == one(roll, {"finding": [1], "subject_device": [1], "subject_credential": [1], "n": [1]}).id


def test_two_credentials_that_are_one_key_are_one_subject_whoever_comes_first(roll: duckdb.DuckDBPyConnection) -> None:
    columns = {"finding": [1, 1], "subject_key": [1, 1], "subject_credential": [3, 8], "n": [1, 2]}
    found = one(roll, columns, "key")
    assert found.subjects == (Subject("key", SHA["a"], spki_sha256=SHA["a"], name="attic"),)
    assert found.evidence == {"members": [{"n": 1}, {"n": 2}]}


def test_a_row_may_give_a_severity_of_its_own_and_the_gravest_counts(roll: duckdb.DuckDBPyConnection) -> None:
    columns = {
        "finding": [1, 1, 2, 3],
        "subject_device": [1, 1, 2, 3],
        "finding_severity": ["low", "critical", None, "low"],
    }
    found = {f.subjects[0].id: f.severity for f in packed(roll, columns).findings}
    assert found == {"dev-1": Severity.CRITICAL, "dev-2": Severity.HIGH, "dev-3": Severity.LOW}


def test_what_cannot_be_a_finding_is_told_and_the_rest_is_kept(roll: duckdb.DuckDBPyConnection) -> None:
    columns = {
        "finding": [1, None, 3, 4, 5],
        "subject_device": [1, 2, None, 99, 3],
        "finding_severity": ["high", None, None, None, "awful"],
    }
    found = packed(roll, columns)
    assert {f.subjects[0].id for f in found.findings} == {"dev-1", "dev-3"}
    assert set(found.trouble) == {
        "1 rows have no finding number and were left out",
        "2 findings name no subject of the roll and were left out",
        "it calls a severity 'awful', which is none",
        "1 subjects it names are not in the roll",
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"subject_device": [1]}, "no integer column called finding"),
        ({"finding": ["a"], "subject_device": [1]}, "no integer column called finding"),
        ({"finding": pa.array([1], pa.uint64()), "subject_device": [1]}, "no integer column called finding"),
        ({"finding": [1]}, "no subject column"),
        ({"finding": [1], "subject_gadget": [1]}, "subject_gadget is no subject"),
        ({"finding": [1], "subject_device_1": [1]}, "subject_device_1 is no subject"),
        ({"finding": [1], "subject_device": ["dev-1"]}, "subject_device is a string"),
        ({"finding": [1], "subject_client": [1]}, "subject_client is a int64"),
        ({"finding": [1], "subject_device": [1], "since": ["today"]}, "since is a string"),
        ({"finding": [1], "subject_device": [1], "members": [1]}, "called members"),
    ],
)
def test_columns_that_break_the_contract_are_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError) as caught:
        subject_columns(pa.table(table))
    assert said in caught.value.problem
    assert caught.value.fix


CELLS = [
    (pa.array([datetime(2026, 1, 1), None], pa.timestamp("us")), [datetime(2026, 1, 1, tzinfo=UTC), None]),
    (pa.array([datetime(2026, 1, 1)], pa.timestamp("ns")), [datetime(2026, 1, 1, tzinfo=UTC)]),
    (pa.array([0], pa.int64()).cast(pa.timestamp("us", tz="Europe/Berlin")), [datetime(1970, 1, 1, tzinfo=UTC)]),
    (pa.array([2**63 - 1, 1 - 2**63]).cast(pa.timestamp("us")), ["infinity", "-infinity"]),
    (pa.array([date(2026, 1, 1), None]), ["2026-01-01", None]),
    (pa.array([Decimal(3), None], pa.decimal128(38, 0)), [3, None]),
    (pa.array([Decimal("2.50"), Decimal("2.00")], pa.decimal128(10, 2)), [2.5, 2]),
    (pa.array([1.5, float("nan"), float("inf"), None]), [1.5, None, None, None]),
    (pa.array([True, None]), [True, None]),
    (pa.array([1], pa.uint8()), [1]),
    (pa.array(["é", None]), ["é", None]),
    (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
    (pa.nulls(2), [None, None]),
]


@pytest.mark.parametrize(("column", "values"), CELLS)
def test_cells_are_plain_values(column: Any, values: list[object]) -> None:
    found = scalars(pa.chunked_array([column]))
    assert found == values
    assert [type(v) for v in found] == [type(v) for v in values]


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 4), st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3, 4, None]), st.sampled_from([0, 1, None])
        ),
        min_size=1,
        max_size=12,
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(
    roll: duckdb.DuckDBPyConnection, rows: list[tuple[int, int, int | None, int | None]], order: random.Random
) -> None:
    names = ["finding", "subject_device", "subject_credential", "uses"]

    def answer(of: list[tuple[int, int, int | None, int | None]]) -> Packed:
        return packed(roll, pa.table({name: pa.array([row[i] for row in of], pa.int64()) for i, name in enumerate(names)}))

    assert answer(rows) == answer(order.sample(rows, len(rows)))
