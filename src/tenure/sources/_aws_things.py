"""Things of AWS IoT and the certificates they hold, as device records, identifiers and bindings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tenure.model import identifiers
from tenure.model.declarations import Declarations
from tenure.model.vocabulary import IdentifierKind
from tenure.sources._aws_documents import Document, arn, certificate_id, certificate_in_path, target
from tenure.sources._aws_export import Export

_ATTRIBUTES = {
    "serial": ("serialnumber", "serial", "serialno", "sn", "deviceserial", "deviceserialnumber", "hardwareserial", "hwserial"),
    "maker": ("manufacturer", "maker", "vendor", "oem", "make"),
    "model": ("model", "modelid", "modelname", "modelnumber", "devicemodel"),
    "mac": ("mac", "macaddress", "macaddr", "hwaddr", "ethmac", "ethernetmac", "wifimac", "wlanmac"),
    "firmware": ("firmware", "firmwareversion", "fwversion", "swversion", "softwareversion"),
}
"""Thing attributes are free text by free names; these names (without case and separators) mean these columns."""

_COLUMN = {name: column for column, names in _ATTRIBUTES.items() for name in names}


@dataclass(slots=True)
class Thing:
    """A thing as far as the documents tell it; ``arn`` is None where only its name is known."""

    name: str
    origin: str
    arn: str | None = None
    version: int = -1
    attributes: dict[str, str] = field(default_factory=dict)
    connected_at: datetime | None = None


class Things:
    """Merges what documents say of things. Listings overlap, so a thing is one by account, region and name."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._things: dict[tuple[str, str], Thing] = {}  # (account/region or "", name)
        self._holders: dict[tuple[str, str, bytes], str] = {}  # (account/region or "", thing name, certificate id) -> origin
        self.readers: dict[str, Callable[[Document], None]] = {
            "things": self._listed,
            "principalThingObjects": self._of_principal,
            "principals": self._principals,
            "thingPrincipalObjects": self._principals,
            "thingName": self._described,
        }

    def held(self) -> dict[bytes, str]:
        """The certificates that things hold, and where it says so."""
        return {certificate: origin for (_, _, certificate), origin in self._holders.items()}

    def _described(self, document: Document) -> None:
        """describe-thing or create-thing."""
        self._merge(document, document.value, document.origin.partition("#")[2] or "document")

    def _listed(self, document: Document) -> None:
        """list-things or search-index; as names alone list-principal-things or list-things-in-thing-group."""
        found = document.value["things"]
        if isinstance(found, list) and found and not any(isinstance(entry, dict) for entry in found):
            self._of_principal(document)
            return
        entries = self._export.objects(document, "things")
        kind = "search-index" if "search-index" in document.file else "things"
        for scope in {a.scope for _, e in entries if (a := arn(e.get("thingArn"))) is not None} or {""}:
            self._export.page(document, kind, scope)
        for place, entry in entries:
            self._merge(document, entry, place)

    def _merge(self, document: Document, entry: dict[str, Any], place: str) -> None:
        """One thing. Where it is told twice, the newer version counts; one version told in two ways is a problem."""
        name, its_arn, report = entry.get("thingName"), arn(entry.get("thingArn")), self._export.problem
        if not isinstance(name, str) or not name.strip():
            report(document, "a thing without a name", "unrecognised-entry", place)
            return
        attributes = entry.get("attributes") or {}
        if not isinstance(attributes, dict) or not all(isinstance(v, str) for v in attributes.values()):
            report(document, f"the attributes of {name[:80]!r} are no texts by name", "unrecognised-entry", place)
            attributes = {}
        thing = self._things.setdefault((its_arn.scope if its_arn else "", name), Thing(name, document.entry(name)))
        thing.arn = thing.arn or (str(entry["thingArn"]).strip() if its_arn else None)
        version = v if isinstance(v := entry.get("version"), int) else -1
        if attributes and version == thing.version and thing.attributes not in ({}, attributes):
            reason = f"version {version} of {name[:80]!r} is told with different attributes"
            report(document, reason, "conflicting-record", place)
        elif attributes and (version > thing.version or not thing.attributes):
            thing.attributes = attributes
        thing.version = max(thing.version, version)
        self._connected(document, entry, thing, place)

    def _connected(self, document: Document, entry: dict[str, Any], thing: Thing, place: str) -> None:
        """When fleet indexing last saw it connect or disconnect (milliseconds since 1970; 0 and -1: never)."""
        connectivity = entry.get("connectivity")
        stamp = connectivity.get("timestamp") if isinstance(connectivity, dict) else None
        if isinstance(stamp, int | float) and stamp > 0:
            thing.connected_at = self._export.time(document, {"connectivity": stamp / 1000}, "connectivity", place)

    def _principals(self, document: Document) -> None:
        """list-thing-principals: the thing's name is in the path or, where a script added it, in the document."""
        if "principals" in document.value:
            principals = self._export.texts(document, "principals")
        else:
            found = self._export.objects(document, "thingPrincipalObjects")
            principals = [p for _, e in found if isinstance(p := e.get("principal"), str)]
        thing = document.value.get("thingName")
        if not isinstance(thing, str):
            named = target(document.file, "list-thing-principals", folder_hint="principal")
            thing = named.partition(".")[0] if named else None  # thing names hold no dot, page numbers follow one
        self._export.page(document, "principals", thing or document.file)
        if thing is None:
            reason = "the file does not say whose principals these are; name it after the thing"
            self._export.problem(document, reason, "no-target")
            return
        for principal in principals:
            self._hold(document, thing, principal)

    def _of_principal(self, document: Document) -> None:
        """list-principal-things: names of the things of a certificate, whose id stands in the path."""
        if "in-thing-group" in document.file or "in-billing-group" in document.file:
            return  # groups carry no identity
        if "things" in document.value:
            names = self._export.texts(document, "things")
        else:
            found = self._export.objects(document, "principalThingObjects")
            names = [n for _, e in found if isinstance(n := e.get("thingName"), str)]
        if (certificate := certificate_in_path(document.file)) is None:
            reason = "the file does not say whose things these are; name it after the certificate"
            self._export.problem(document, reason, "no-target")
            return
        self._export.page(document, "principal-things", certificate.hex())
        for name in names:
            self._hold(document, name, certificate.hex())

    def _hold(self, document: Document, thing: str, principal: str) -> None:
        """The thing holds the certificate. Other kinds of principals are no credentials of devices."""
        if (certificate := certificate_id(principal)) is None:
            reason = f"a principal of {thing[:80]!r} that is no certificate: {principal[:120]!r}"
            self._export.problem(document, reason, "principal-kind", principal[:120] or "principal")
            return
        its_arn = arn(principal)
        self._holders.setdefault((its_arn.scope if its_arn else "", thing, certificate), document.origin)

    def write(self, declarations: Declarations) -> None:
        """The rows, in the order in which the things were first told."""
        by_name: dict[str, list[Thing]] = {}
        for thing in self._things.values():
            by_name.setdefault(thing.name, []).append(thing)
        self._only_indexed(by_name)
        for thing in self._things.values():
            self._record(thing, declarations)
        for (scope, name, certificate), origin in self._holders.items():
            known = self._things.get((scope, name))
            if known is None and not scope and len(by_name.get(name, ())) == 1:
                known = by_name[name][0]
            holder = identifiers.trimmed(name)
            self._export.draft.add(
                "binding",
                record_id=None if known is None else _record_id(known),
                holder_kind=None if known else IdentifierKind.THING_NAME,
                holder=None if known else holder,
                sha256=certificate,
                origin=origin,
            )

    def _only_indexed(self, by_name: dict[str, list[Thing]]) -> None:
        """Search results name things without ARN: where one thing has that name, they are about it."""
        for key, thing in list(self._things.items()):
            known = [t for t in by_name[thing.name] if t.arn is not None]
            if thing.arn is None and len(known) == 1:
                known[0].connected_at = known[0].connected_at or thing.connected_at
                known[0].attributes = known[0].attributes or thing.attributes
                by_name[thing.name].remove(thing)
                del self._things[key]

    def _record(self, thing: Thing, declarations: Declarations) -> None:
        """A device record and its identifiers. AWS knows no state of devices."""
        told: dict[str, str] = {}
        for name, value in thing.attributes.items():
            column = _COLUMN.get(re.sub(r"[^a-z0-9]", "", name.lower()))
            if column and (text := identifiers.trimmed(value)):
                told.setdefault(column, text)
        record_id, draft = _record_id(thing), self._export.draft
        draft.add(
            "device_record",
            record_id=record_id,
            name=thing.name,
            thing_name=thing.name,
            discovered_at=thing.connected_at,
            origin=thing.origin,
            **told,
        )
        its_arn = arn(thing.arn)
        named = {"value": thing.name, "scope": its_arn.account if its_arn else None, "raw": thing.name}
        draft.add("identifier", record_id=record_id, kind=IdentifierKind.THING_NAME, **named)
        maker = identifiers.maker(told.get("maker"))
        if raw := told.get("serial"):
            serial = identifiers.serial(raw, strip_zeros=not declarations.zeros_significant(maker))
            draft.add("identifier", record_id=record_id, kind=IdentifierKind.SERIAL, value=serial, scope=maker, raw=raw)
        if raw := told.get("mac"):
            if (mac := identifiers.mac(raw)) is None:
                file = thing.origin.partition("#")[0]
                draft.problem(file, thing.name, f"no MAC of a device: {raw[:80]!r}", "bad-identifier")
            else:
                draft.add("identifier", record_id=record_id, kind=IdentifierKind.MAC, value=mac, raw=raw)


def _record_id(thing: Thing) -> str:
    return thing.arn or f"thing/{thing.name}"
