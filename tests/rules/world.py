"""A small healthy fleet as a roll, and the verbs that spoil it: what every rule's tests begin with.

``healthy_world(as_of)`` holds devices in every state with certificates, secrets, anchors, sessions and coverage, and no
rule fires on it (test_every_rule). A test adds or changes a row and runs its rule. Adders make a thing as healthy as can
be; every column of the roll can be given by name, and what is not given is settled by ``roll_rows.settle``.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

from tenure.roll.rules import Parameter, Rule, builtin_folder, parse_rule
from tests.rules.roll_rows import RollRows
from tests.rules.roll_rows import Row as Row  # tests of rules take both from here

RULES = builtin_folder()


def rule_text(rule: str) -> Rule:
    """A rule as it stands in its file."""
    path = builtin_folder() / f"{rule}.sql"
    return parse_rule(path.read_text("utf-8"), str(path))


class World(RollRows):
    """A roll to spoil. Adders return dense keys; times are aware and in UTC."""

    def ago(self, days: float = 0, **units: float) -> datetime:
        return self.as_of - timedelta(days=days, **units)

    def ahead(self, days: float = 0, **units: float) -> datetime:
        return self.as_of + timedelta(days=days, **units)

    def run(self, rule: str, **parameters: Parameter) -> list[Row]:
        """The rows a rule returns on this world, in order of finding; TIMESTAMPs as aware datetimes."""
        text = rule_text(rule)
        given = {"as_of": self.as_of.astimezone(UTC).replace(tzinfo=None), **text.bound(parameters)}
        with self.connect() as connection:
            result = connection.execute(text.query, {k: v for k, v in given.items() if re.search(rf"\${k}\b", text.query)})
            names = [column[0] for column in result.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        rows.sort(key=lambda row: [str(row[name]) for name in names])
        return [{k: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for k, v in row.items()} for row in rows]

    # -- sources and places

    def source(self, kind: str, **columns: object) -> int:
        decides = {"decides_device_state": kind == "cmdb", "decides_credential_state": kind in ("openssl-ca", "aws-iot")}
        age = {"speaks_as_of": self.ago(1), "collected_at": self.as_of, "max_age_days": 30.0, "age_days": 1.0}
        return self.add("source", **{"kind": kind, "name": kind, "content_id": _hex(kind), **decides, **age, **columns})

    def relying_party(self, name: str, kind: str = "broker", **columns: object) -> int:
        return self.add("relying_party", **{"name": name, "kind": kind, "collected": True, **columns})

    # -- devices

    def device(self, name: str = "", *, state: str = "active", **columns: object) -> int:
        """A registered, owned, covered device of an online class, seen by nobody yet and without credentials."""
        n = len(self.tables["device"]) + 1
        default: Row = {
            "device_id": _hex(f"device {n}")[:32], "name": name or f"device-{n}", "serial": f"SN{n:06d}",
            "maker": "Example Devices", "model": "T-100", "mac": f"02005e{n:06x}", "class_key": 1,
            "device_class": "thermostat", "rotation": "online", "site_key": 1, "domain_key": 1, "owner_key": 1,
            "managed_by": "operations", "hardware_security": "software", "state": state, "state_text": state,
            "state_source_key": 1, "registered": True, "installed_at": self.ago(400), "discovered_at": self.ago(1),
            "covered": True, "covered_since": self.ago(180), "covered_until": self.as_of,
        }  # fmt: skip
        device = self.add("device", **{**default, **columns})
        row = self.row("device", device)
        if row.get("registered"):
            self.record(device)
        return device

    def gone_device(self, name: str = "", *, left: datetime | None = None, state: str = "retired", **columns: object) -> int:
        """A device that left service, by default 60 days ago at the end of the day."""
        return self.device(name, state=state, left_service_at=left or self.ago(60), **columns)

    def record(self, device: int, source: int = 1, **columns: object) -> int:
        """What a source claims of a device; by default the inventory says the same as the device's row."""
        row = self.row("device", device)
        n = len(self.tables["device_record"]) + 1
        same = {name: row.get(name) for name in ("name", "serial", "maker", "model", "mac", "state", "state_text")}
        left = {"left_service_at": row.get("left_service_at"), "owner": "owner 1" if row.get("owner_key") else None}
        kind = self.row("source", source)["kind"]
        default = {"record_id": f"rec-{n}", "kind": kind, "decides": kind == "cmdb", "origin": f"{kind}#{n}"}
        return self.add("device_record", **{"device_key": device, "source_key": source, **default, **same, **left, **columns})

    def identifier(self, kind: str, value: str, *records: int, **columns: object) -> int:
        """An identifier value carried by these device records."""
        devices = {self.row("device_record", r)["device_key"] for r in records}
        default = {"kind": kind, "value": value, "strong": True, "records": len(records), "devices": len(devices)}
        identifier = self.add("identifier", **{**default, "credentials": 0, **columns})
        for r in records:
            row = self.row("device_record", r)
            self.add(
                "device_identifier",
                identifier_key=identifier, record_key=r, device_key=row["device_key"], source_key=row["source_key"],
            )  # fmt: skip
        return identifier

    # -- credentials

    def key(self, digest: str = "", **columns: object) -> int:
        n = len(self.tables["key"]) + 1
        default = {"kind": "public-key", "digest": digest or _hex(f"key {n}"), "algorithm": "ec", "bits": 256}
        row = {**default, "curve": "secp256r1", **columns}
        return self.add("key", **{"prefix": int(str(row["digest"])[:15], 16), **row})

    def certificate(self, *devices: int, **columns: object) -> int:
        """A certificate of our issuing CA, 100 of its 365 days old, bound to these devices by their CMDB or cloud.

        ``issuance`` and ``status`` rows of the CA come with it where our own CA issued it (issuer 1 or as given).
        """
        n = len(self.tables["credential"]) + 1
        default: Row = {
            "kind": "certificate", "role": "operational", "name": f"cert-{n}", "sha256": _hex(f"certificate {n}"),
            "serial_hex": f"{n:X}", "subject": f"CN=cert-{n}", "subject_o": "Example", "issuer_key": 1,
            "issuer_verified": True, "signature_hash": "sha256", "not_before": self.ago(100),
            "not_after": self.ahead(265), "crl_url": True, "anchored": True, "anchored_for_operation": True,
            "active_at_issuer": True, "source_key": 2, "origin": f"newcerts/{n:X}.pem",
        }  # fmt: skip
        row: Row = {**default, **columns}
        row.setdefault("key_key", self.key())
        credential = self.add("credential", **row)
        if row["issuer_key"] is not None:
            issuer = self.row("issuer", row["issuer_key"])
            self.add("edge", credential_key=credential, issuer_key=row["issuer_key"],
                     issuer_credential_key=issuer.get("credential_key"),
                     state="verified" if row["issuer_verified"] else "claimed")  # fmt: skip
            if issuer.get("issuance_collected"):
                self.issuance(credential)
                self.status(credential, "revoked" if row.get("revoked_at") else "valid", effective_at=row.get("revoked_at"))
        for device in devices:
            self.bind(device, credential)
        return credential

    def birth_certificate(self, *devices: int, **columns: object) -> int:
        """A factory certificate (IDevID) without end under the maker's CA, anchored for enrolment only."""
        birth = {"role": "birth", "issuer_key": 2, "not_before": self.ago(500), "not_after": None, "crl_url": False}
        trust = {"anchored_for_operation": False, "active_at_issuer": False, "source_key": 3}
        return self.certificate(*devices, **{**birth, **trust, **columns})

    def secret(self, *devices: int, kind: str = "token", **columns: object) -> int:
        """A token (or PSK, password) made 100 days ago for 300 days, used yesterday."""
        n = len(self.tables["credential"]) + 1
        default: Row = {
            "kind": kind, "role": "operational", "name": f"{kind}-{n}", "not_before": self.ago(100),
            "not_after": self.ahead(200), "active_at_issuer": True, "last_used_at": self.ago(1),
            "scopes": "telemetry:write", "source_key": 5, "origin": f"tokens.csv#{n}",
        }  # fmt: skip
        row: Row = {**default, **columns}
        row.setdefault("key_key", self.key(kind="secret", algorithm=None, bits=None, curve=None))
        credential = self.add("credential", **row)
        for device in devices:
            self.bind(device, credential, how="holder", source_key=5)
        return credential

    def ssh_key(self, *devices: int, **columns: object) -> int:
        """An SSH host key from known_hosts: bound by host name, so not strongly; no issuer, no dates."""
        n = len(self.tables["credential"]) + 1
        default: Row = {"kind": "ssh-key", "role": "operational", "name": f"host-{n}", "source_key": 5, "usable": False}
        row: Row = {**default, "origin": f"known_hosts#{n}", **columns}
        row.setdefault("key_key", self.key(algorithm="ed25519", bits=256, curve=None))
        credential = self.add("credential", **row)
        for device in devices:
            self.bind(device, credential, how="subject-name", strong=False, source_key=5)
        return credential

    def bind(self, device: int, credential: int, **columns: object) -> None:
        default = {"source_key": 1, "how": "principal", "strong": True}
        self.add("binding", **{"device_key": device, "credential_key": credential, **default, **columns})

    def status(self, credential: int, status: str, **columns: object) -> None:
        default = {"source_key": 2, "status_text": status, "authority": "ca-index", "decides": True, "stated_at": self.ago(1)}
        ends = {"ends_trust": status in ("revoked", "suspended", "deactivated"), "origin": "index.txt"}
        self.add("status", **{"credential_key": credential, "status": status, **default, **ends, **columns})

    def issuance(self, credential: int | None, **columns: object) -> None:
        row: Row = self.row("credential", credential) if credential is not None else {}
        same = {name: row.get(name) for name in ("issuer_key", "serial_hex", "not_after", "subject")}
        self.add("issuance", **{"credential_key": credential, "issued_at": row.get("not_before"), "source_key": 2,
                                "origin": "index.txt", **same, **columns})  # fmt: skip

    # -- trust

    def authority(self, name: str, **columns: object) -> int:
        """A CA of ours with its certificate (20 years) and the record of all it issued; returns the issuer's key."""
        key = self.key()
        dates = {"not_before": self.ago(2000), "not_after": self.ahead(5300)}
        certificate = self.add(
            "credential", kind="certificate", role="authority", ca=True, self_signed=True, name=name, subject=f"CN={name}",
            sha256=_hex(f"ca {name}"), serial_hex="1", subject_o="Example", key_key=key, issuer_verified=True,
            signature_hash="sha256", anchored=True, anchored_for_operation=True, crl_url=True, source_key=2,
            origin=f"{name}.pem", **dates,
        )  # fmt: skip
        default = {"ours": True, "issuance_collected": True, "revocation_collected": True, "anchored": True}
        names = {"name": f"CN={name}", "organisation": "Example"}
        issuer = self.add("issuer", **{**names, "key_key": key, "credential_key": certificate, **default, **columns})
        self.change("credential", certificate, issuer_key=issuer)
        return issuer

    def anchor(self, issuer: int, relying_party: int = 1, **columns: object) -> int:
        """The issuer's certificate in a relying party's bundle."""
        certificate = self.row("issuer", issuer)["credential_key"]
        default = {"credential_key": certificate, "issuer_key": issuer, "relying_party_key": relying_party}
        return self.add("anchor", **{**default, "purpose": "operation", "bundle": "trust.pem", "source_key": 3, **columns})

    def policy(self, name: str, *credentials: int, **columns: object) -> int:
        """A narrow policy attached to these credentials."""
        default = {"name": name, "scope": "1234/eu-west-1", "readable": True, "origin": f"{name}.json", "source_key": 6}
        policy = self.add("policy", **{**default, **columns})
        for credential in credentials:
            self.add("policy_grant", policy_key=policy, credential_key=credential, source_key=6, effective=True)
        return policy

    # -- use

    def session(
        self, started_at: datetime, *, device: int | None = None, credential: int | None = None, **columns: object
    ) -> int:
        """An accepted session of ten minutes; with a credential it is proved, else the common name alone links it."""
        holder = device
        if credential is not None and holder is None:
            holders = [b["device_key"] for b in self.tables["binding"] if b["credential_key"] == credential]
            holder = holders[0] if len(holders) == 1 else None
        link = "certificate" if credential is not None else "common-name"
        default: Row = {
            "relying_party_key": 1, "source_key": 4, "started_at": started_at, "ended_at": started_at + timedelta(minutes=10),
            "address": "192.0.2.10", "port": 40000, "outcome": "accepted", "credential_key": credential,
            "device_key": holder, "subject_kind": "certificate" if credential is not None else "name",
            "link": link if holder is not None else None,
            "linked_by": "user-name" if holder is not None and credential is None else None,
            "client_id": None if holder is None else f"client-{holder}",
            "user_name": None if holder is None else f"user-{holder}", "origin": "mosquitto.log",
        }  # fmt: skip
        row: Row = {**default, **columns}
        row.setdefault("accepted", row["outcome"] == "accepted")
        row.setdefault("client_key", None if row["client_id"] is None else int(_hex(str(row["client_id"]))[:8], 16))
        return self.add("session", **row)

    def takeover(self, happened_at: datetime, client_id: str, old_address: str, new_address: str, **columns: object) -> None:
        default = {"relying_party_key": 1, "source_key": 4, "origin": "mosquitto.log", "client_key": int(_hex(client_id)[:8], 16)}
        addresses = {"client_id": client_id, "old_address": old_address, "new_address": new_address}
        self.add("takeover", **{"happened_at": happened_at, **default, **addresses, **columns})


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def healthy_world(as_of: datetime) -> World:
    """A fleet in which nothing is wrong: every state of a device, every kind of credential, every place covered.

    Keys that tests may rely on: sources 1 cmdb, 2 openssl-ca, 3 trust-anchors, 4 mosquitto-log, 5 secrets, 6 aws-iot,
    7 device-classes; site, owner and domain 1; relying party 1 the broker, 2 the enrolment service; issuers 1 our
    issuing CA, 2 the maker's CA. Everything else is found by ``world.key_of(table, name)``.
    """
    world = World(as_of)
    for kind in ("cmdb", "openssl-ca", "trust-anchors", "mosquitto-log", "secrets", "aws-iot", "device-classes"):
        world.source(kind)
    world.add("site", name="plant")
    world.add("owner", name="owner 1")
    world.add("domain", name="plant.example")
    for model, word in (("T-100", "thermostat"), ("G-10", "gateway"), ("M-5", "meter")):
        world.add("device_class", model=model, device_class=word, maker="Example Devices", rotation="online")
    broker, enrolment = world.relying_party("broker"), world.relying_party("enrolment", "host")
    world.add("coverage", relying_party_key=broker, site_key=1, since=world.ago(180), until=as_of, declared=True)
    ours = world.authority("Example Device CA")
    maker = world.authority("Maker Birth CA", ours=False, organisation="Example Devices", issuance_collected=False,
                            revocation_collected=False)  # fmt: skip
    world.anchor(ours, broker)
    world.anchor(maker, enrolment, purpose="enrolment")
    _devices_in_service(world)
    _devices_out_of_service(world)
    server = world.certificate(role="server", name="broker.example", subject="CN=broker.example")
    world.add("presented", credential_key=server, side="server", sessions=1000, first_at=world.ago(90), last_at=world.ago(1),
              resolved=True)  # fmt: skip
    world.certificate(role="service", name="backend", subject="CN=backend")
    return world


def _in_use(world: World, credential: int, first: float = 90) -> None:
    """Sessions every ten days from ``first`` days ago, the last one yesterday."""
    day = first
    while day > 1:
        world.session(world.ago(day), credential=credential)
        day -= 10
    world.session(world.ago(1), credential=credential)


def _devices_in_service(world: World) -> None:
    gateway = world.device("gateway", model="G-10", class_key=2, device_class="gateway", hardware_security="tpm2",
                           hardware_backed=True)  # fmt: skip
    world.birth_certificate(gateway)
    _in_use(world, gateway_certificate := world.certificate(gateway))
    world.policy("narrow", gateway_certificate)
    world.device("sensor", gateway_key=gateway, behind_gateway=True, covered=False, covered_since=None, covered_until=None)
    thermostat = world.device("thermostat")
    world.certificate(thermostat, not_before=world.ago(40), not_after=world.ago(10))
    _in_use(world, world.certificate(thermostat, not_before=world.ago(12), not_after=world.ahead(18)), 11)
    meter = world.device("meter", model="M-5", class_key=3, device_class="meter")
    world.secret(meter)
    world.ssh_key(meter)
    moved = world.device("moved", owner_changed_at=world.ago(50))
    world.certificate(moved, not_before=world.ago(300), revoked_at=world.ago(48), active_at_issuer=False)
    _in_use(world, world.certificate(moved, not_before=world.ago(49)), 48)
    replacement = world.device("swapped", installed_at=world.ago(60))
    _in_use(world, world.certificate(replacement, not_before=world.ago(60)), 58)
    world.device("claimed", state="claimed")


def _devices_out_of_service(world: World) -> None:
    retired = world.gone_device("retired")
    old = world.certificate(retired, revoked_at=world.ago(60), active_at_issuer=False)
    world.session(world.ago(61), credential=old)
    lost = world.gone_device("lost", state="lost")
    world.certificate(lost, revoked_at=world.ago(59), active_at_issuer=False)
    world.session(world.ago(20), device=lost, outcome="refused")
    world.secret(lost, not_after=world.ago(30), last_used_at=world.ago(70), active_at_issuer=False)
    rma = world.gone_device("swapped", left=world.ago(58))
    world.certificate(rma, not_before=world.ago(400), not_after=world.ago(35), active_at_issuer=False)
    stock = world.device("stock", state="manufactured", state_text="In Stock", owner_key=None, discovered_at=None)
    world.birth_certificate(stock)
