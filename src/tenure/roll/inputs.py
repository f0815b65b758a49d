"""What was collected, as far as rules need it: which tables have rows, which kinds of source are there, which were cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from tenure.roll.rules import Rule
from tenure.roll.tables import ROLL_TABLES

COLLECT: Mapping[str, str] = {
    "device": "an inventory of devices (cmdb, aws-iot)",
    "device_record": "an inventory of devices (cmdb, aws-iot)",
    "device_class": "device-classes",
    "identifier": "an inventory of devices (cmdb, aws-iot)",
    "device_identifier": "an inventory of devices (cmdb, aws-iot)",
    "owner": "an inventory that names owners (cmdb)",
    "domain": "an inventory that names trust domains (cmdb)",
    "site": "an inventory that names places (cmdb)",
    "credential": "credentials (certificates, aws-iot, openssl-ca, issuance-log, secrets)",
    "key": "credentials (certificates, aws-iot, openssl-ca, secrets)",
    "binding": "devices and their credentials (cmdb with aws-iot, openssl-ca or secrets)",
    "status": "what issuers say of credentials (openssl-ca, aws-iot, issuance-log; certificates, where CRLs lie among them)",
    "issuer": "certificates of authorities (certificates, openssl-ca, trust-anchors)",
    "edge": "certificates and their issuers (certificates, openssl-ca, trust-anchors)",
    "issuance": "an issuer's records (openssl-ca, issuance-log)",
    "anchor": "trust-anchors",
    "relying_party": "logs or anchors of a relying party (mosquitto-log, aws-iot-log, trust-anchors)",
    "coverage": "logs of a relying party (mosquitto-log, aws-iot-log, zeek)",
    "presented": "chains seen on the wire (zeek)",
    "session": "logs of sessions (mosquitto-log, aws-iot-log, zeek)",
    "sighting": "logs of sessions (mosquitto-log, aws-iot-log, zeek)",
    "takeover": "logs that tell of take-overs (mosquitto-log, aws-iot-log)",
    "policy": "policies (aws-iot)",
    "policy_grant": "policies and what they are attached to (aws-iot)",
    "external_finding": "findings of other tools (aws-iot)",
}
"""What to collect so that a table has rows, for people."""

_STANDS_ON: Mapping[str, tuple[str, ...]] = {
    "device": ("device_record",),
    "identifier": ("device_identifier",),
    "key": ("credential",),
    "credential": ("credential", "status"),
    "issuer": ("issuance", "credential"),
    "edge": ("credential",),
    "presented": ("session",),
    "sighting": ("session",),
    "coverage": ("session",),
}
"""Tables whose rows are made from those of others: these have a source_key and tell whether a source cut short is in them."""


@dataclass(frozen=True, slots=True)
class Partial:
    """A source that was cut short, and the tables that hold rows of it."""

    name: str
    kind: str
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one roll was linked from."""

    tables: frozenset[str]  # that have rows
    kinds: frozenset[str]  # of sources
    partial: tuple[Partial, ...] = ()

    def missing(self, rule: Rule) -> str:
        """What a rule needs and was not collected, beginning with "needs"; empty when all is there."""
        lacks = [f"{table}: collect {COLLECT.get(table, table)}" for table in rule.needs if table not in self.tables]
        for group in rule.needs_sources:
            if not self.kinds & set(group):
                lacks.append(f"a source of kind {' or '.join(group)}")
        if rule.needs_coverage and "coverage" not in self.tables:
            lacks.append("coverage: collect the log of a relying party, or declare [[relying_party]] in audit.toml")
        return f"needs {'; '.join(lacks)}" if lacks else ""

    def cut_short(self, rule: Rule) -> tuple[str, ...]:
        """Names of sources that a rule needs and that were cut short.

        Those of the kinds it names; and, since not every rule names kinds, those with rows in the tables it needs.
        """
        kinds = {kind for group in rule.needs_sources for kind in group}
        needed = {table for name in rule.needs for table in _STANDS_ON.get(name, (name,))}
        return tuple(p.name for p in self.partial if p.kind in kinds or p.tables & needed)


def read_inputs(roll: duckdb.DuckDBPyConnection) -> Inputs:
    """The inputs of a linked roll."""
    filled = [t.name for t in ROLL_TABLES if roll.execute(f"SELECT EXISTS (SELECT 1 FROM {t.name})").fetchall() == [(True,)]]  # noqa: S608 - our own names
    sources = roll.execute("SELECT source_key, name, kind, partial FROM source ORDER BY name, source_key").fetchall()
    partial = tuple(Partial(name, kind, _tables_of(roll, key, filled)) for key, name, kind, short in sources if short)
    return Inputs(frozenset(filled), frozenset(row[2] for row in sources), partial)


def _tables_of(roll: duckdb.DuckDBPyConnection, source: int, filled: Sequence[str]) -> frozenset[str]:
    found = set()
    for table in ROLL_TABLES:
        if table.name in filled and table.name != "source" and any(column[0] == "source_key" for column in table.columns):
            query = f"SELECT EXISTS (SELECT 1 FROM {table.name} WHERE source_key = $1)"  # noqa: S608 - our own names
            if roll.execute(query, [source]).fetchall() == [(True,)]:
                found.add(table.name)
    return frozenset(found)
