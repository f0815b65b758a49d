"""The cloud registry of the example fleet as the AWS CLI prints it: things, their certificates, policies, CAs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tenure.demo.authority import Issued
from tenure.demo.fleet import Device
from tenure.demo.life import World

ACCOUNT = "111122223333"
ARN = f"arn:aws:iot:eu-central-1:{ACCOUNT}"
LAST_CHANGE = 1.5  # of anything in the registry, days before the as-of time

_OWN = "${iot:Connection.Thing.ThingName}"
POLICIES: dict[str, list[dict[str, Any]]] = {
    "ThermostatPolicy": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/{_OWN}"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{ARN}:topic/data/{_OWN}/*"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{ARN}:topicfilter/commands/{_OWN}/*"},
    ],
    "FleetTopicsPolicy": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/{_OWN}"},
        {
            "Effect": "Allow", "Action": ["iot:Publish", "iot:Subscribe", "iot:Receive"],
            "Resource": [f"{ARN}:topic/*", f"{ARN}:topicfilter/*"],
        },
    ],
    "ServicePolicy": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}],
    "QuarantinePolicy": [{"Effect": "Deny", "Action": "iot:*", "Resource": "*"}],
    "OldProvisioningPolicy": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],  # attached to nothing
}  # fmt: skip


def files(world: World) -> Iterator[tuple[str, bytes]]:
    things = [device for device in world.devices if device.family.cloud and device.registered]
    yield "aws/list-things.json", _json({"things": [_thing(world, device) for device in things]})
    certificates: list[dict[str, Any]] = []
    for device in things:
        held = world.certificates(device)
        authorities = [world.authorities[name].certificate for name in device.holds]
        names = [*(i.sha256 for i in held), *(fingerprint(c) for c in authorities)]
        principals = {"principals": [f"{ARN}:cert/{name}" for name in names]}
        yield f"aws/list-thing-principals/{device.client}.json", _json(principals)
        described = [_issued(world, issued) for issued in held]
        described += [_described(world, c, "cert", "ACTIVE", LAST_CHANGE) for c in authorities]
        for entry in described:
            yield f"aws/describe-certificate/{entry['certificateId']}.json", _json({"certificateDescription": entry})
        for issued in held:
            policies = [{"policyName": name, "policyArn": f"{ARN}:policy/{name}"} for name in issued.plan.policies]
            yield f"aws/list-attached-policies/{issued.sha256}.json", _json({"policies": policies})
        certificates += described
    keys = ("certificateArn", "certificateId", "status", "creationDate")
    yield "aws/list-certificates.json", _json({"certificates": [{key: c[key] for key in keys} for c in certificates]})
    yield from _authority(world)
    for name, statements in POLICIES.items():
        yield f"aws/get-policy/{name}.json", _json(_policy(world, name, statements))


def fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _thing(world: World, device: Device) -> dict[str, Any]:
    attributes = {"serialNumber": device.serial, "model": device.family.model}
    if world.chance.below(3, "thing", device.serial):
        attributes["manufacturer"] = device.family.maker
    name = device.client
    return {"thingName": name, "thingArn": f"{ARN}:thing/{name}", "attributes": attributes, "version": 1}


def _issued(world: World, issued: Issued) -> dict[str, Any]:
    changed = issued.plan.issued if issued.plan.status == "ACTIVE" else max((issued.plan.revoked or 2) - 0.5, LAST_CHANGE)
    return _described(world, issued.certificate, "cert", issued.plan.status, changed)


def _described(world: World, certificate: x509.Certificate, kind: str, status: str, changed: float) -> dict[str, Any]:
    name = fingerprint(certificate)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return {
        "certificateArn": f"{ARN}:{kind}/{name}",
        "certificateId": name,
        "status": status,
        "certificatePem": pem,
        "ownedBy": ACCOUNT,
        "creationDate": _time(begins),
        "lastModifiedDate": _time(world.moment(changed)),
        "validity": {"notBefore": _time(begins), "notAfter": _time(ends)},
    }


def _authority(world: World) -> Iterator[tuple[str, bytes]]:
    """The Cloud CA: the account accepts what it signs."""
    entry = _described(world, world.authorities["cloud"].certificate, "cacert", "ACTIVE", 1200)
    keys = ("certificateArn", "certificateId", "status", "creationDate")
    yield "aws/list-ca-certificates.json", _json({"certificates": [{key: entry[key] for key in keys}]})
    described = entry | {"autoRegistrationStatus": "ENABLE"}
    yield f"aws/describe-ca-certificate/{entry['certificateId']}.json", _json({"certificateDescription": described})


def _policy(world: World, name: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "policyName": name,
        "policyArn": f"{ARN}:policy/{name}",
        "policyDocument": json.dumps({"Version": "2012-10-17", "Statement": statements}),
        "defaultVersionId": "1",
        "creationDate": _time(world.moment(600)),
        "lastModifiedDate": _time(world.moment(LAST_CHANGE if name == "QuarantinePolicy" else 500)),
    }


def _time(moment: datetime) -> str:
    return moment.isoformat()


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=4) + "\n").encode()
