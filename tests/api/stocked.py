"""Things in the registry, the same for two owners: what one has, the other must not find."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from tenure.flows.webhooks import keep
from tenure.flows.webhooks.keep import Wanted
from tenure.lifecycle.findings import Basis, FindingState, KeptFinding, Opened
from tenure.model.access import Actor, ActorKind
from tenure.model.approvals import Approval
from tenure.model.credentials import Credential, KeyState
from tenure.model.devices import Device, HardwareRoot, RootKind, TransferOffer
from tenure.model.events import Cause
from tenure.model.findings import Subject
from tenure.model.obligations import EvidenceKind, Obligation, ObligationEvidence, ObligationKind
from tenure.model.parties import DeviceClass, Owner, Site
from tenure.model.vocabulary import CredentialKind, CredentialRole, DeviceState, Severity
from tenure.registry import approvals, credentials, findings, obligations, offers, parties
from tenure.registry.device_changes import insert_device
from tenure.registry.finding_places import places, roll_id
from tests.api.service import SETUP, Service

_KINDS = {"owners": "owner", "sites": "site", "trust-domains": "domain", "device-classes": "device_class"}


@dataclass(frozen=True)
class Things:
    """What one owner has."""

    owner: UUID
    domain: UUID
    site: UUID
    device: UUID
    spki: str
    credential: UUID
    obligation: UUID
    approval: UUID
    offer: UUID
    finding: str


@dataclass(frozen=True)
class Stock:
    service: Service
    ours: Things
    theirs: Things
    device_class: UUID
    token: UUID
    person: UUID
    event: UUID
    webhook: UUID

    def id_for(self, template: str, name: str, *, theirs: bool) -> object:
        """What stands for a parameter in the path of a route."""
        things = self.theirs if theirs else self.ours
        if name == "id":
            word = _KINDS[template.split("/")[3]]
            return self.device_class if word == "device_class" else getattr(things, word)
        if name in ("token", "person", "event", "webhook"):
            return getattr(self, name)
        return "defect" if name == "slug" else getattr(things, name)

    def body(self, template: str, *, theirs: bool) -> dict[str, object]:
        """What a route takes, about things of ours or theirs; nothing where it takes nothing that matters here."""
        things = self.theirs if theirs else self.ours
        match template.rsplit("/", 1)[-1]:
            case "claim":
                return {"owner": str(things.owner), "trust_domain": str(things.domain)}
            case "accept":
                return {"trust_domain": str(things.domain)}
            case "replace":
                return {"successor": str(things.device), "reason": "x"}
            case "approvals":
                return {"verb": "forget", "device": str(things.device), "reason": "x"}
            case "transfers":
                until = "2027-01-01T00:00:00Z"
                return {"devices": [str(things.device)], "to_owner": str(self.service.third), "until": until}
            case "acknowledge" | "suppress":
                return {"reason": "x", "until": "2027-01-01"}
            case "assign":
                return {"to": "network team"}
        return {"reason": "x"} if "/devices/" in template else {}

    def shared(self, template: str) -> bool:
        """Routes to what belongs to no owner: makes of devices, and trust domains, which an owner-wide area opens."""
        return any(f"/{word}/" in template for word in ("device-classes", "trust-domains"))

    def leaks(self, text: str, but: str = "") -> list[str]:
        """What of theirs stands in a text; what the caller itself sent in ``but`` it knew before. Trust domains show."""
        known = (v for name, v in vars(self.theirs).items() if name != "domain")
        return [str(value) for value in known if str(value) in text and str(value) not in but]


def stocked(service: Service) -> Stock:
    ids, now = service.registry.world.ids, service.registry.world.now()
    device_class = ids()
    with service.registry.change(SETUP) as work:
        parties.add(work, DeviceClass(device_class, "PLC-4", now), Cause("add"))
    ours = _things(service, service.ours, service.domain)
    theirs = _things(service, service.theirs, service.their_domain)
    token = service.ask("GET", "/me").json()["actor"].removeprefix("token:")
    event = service.ask("GET", "/events").json()["items"][0]["id"]
    webhook = keep.add(service.registry, SETUP, Wanted("https://receiver.example/hook"))
    return Stock(service, ours, theirs, device_class, UUID(token), service.people["admin"], UUID(event), webhook.id)


def _things(service: Service, owner: UUID, domain: UUID) -> Things:
    ids, now = service.registry.world.ids, service.registry.world.now()
    root = hashlib.sha256(owner.bytes).digest()
    things = Things(owner, domain, ids(), ids(), root.hex(), ids(), ids(), ids(), ids(), owner.hex)
    evidence = frozenset({frozenset({EvidenceKind.TARGET_REFUSED})})
    asker = Actor(ActorKind.PERSON, str(service.person("asker")), person=service.person("asker"))
    with service.registry.change(SETUP) as work:
        parties.add(work, Site(things.site, "hall", owner, now), Cause("add"))
        insert_device(
            work,
            Device(
                things.device, DeviceState.ACTIVE, now, now, owner, things.site, domain,
                serial=f"serial of {owner}", roots=(HardwareRoot(RootKind.EK_ECC, root),),
            ),
            Cause("register"),
        )  # fmt: skip
        held = Credential(things.credential, CredentialKind.CERTIFICATE, CredentialRole.OPERATIONAL, KeyState.ACTIVE, now)
        credentials.record(work, _of(held, things.device), Cause("issue"))
        open_one = Obligation(things.obligation, things.device, 1, ObligationKind.CUT_OFF, ids(), now, evidence)
        obligations.open_all(work, [open_one], Cause("retire"))
        came = ObligationEvidence(ids(), things.obligation, EvidenceKind.TARGET_STATE, now, root, "broker")
        obligations.add_evidence(work, came, Cause("observe"))
        third = parties.get(work, Owner, service.third)
        offered = TransferOffer(things.offer, owner, third.id, None, None, (things.device,), now, now + timedelta(days=1))
        offers.add(work, offered, Cause("offer"))
        waiting = Approval(
            things.approval,
            "return",
            "{}",
            root,
            asker.text,
            service.person("asker"),
            now,
            now + timedelta(days=1),
            owner,
            domain,
        )
        approvals.add(work, waiting, Cause("request"))
        subject = Subject("device", roll_id(root), serial=f"serial of {owner}")
        found = KeptFinding(
            things.finding, "weak-key", Severity.HIGH, f"A weak key of {owner}", (subject,), FindingState.OPEN, now, now, now,
            None, Basis("fleet", (), ()),
        )  # fmt: skip
        findings.write(work, [Opened(found)], places(work, {found.id: found.subjects}), ())
    return things


def _of(held: Credential, device: UUID) -> Credential:
    return replace(held, device=device, subject=f"CN={device}")
