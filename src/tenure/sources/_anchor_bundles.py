"""Which files make up one bundle of trust anchors, and which relying party trusts it.

A folder in OpenSSL's hashed form (``ca-certificates`` and ``c_rehash`` make ``3513523f.0``) is one bundle: its links, the
files they point to and a ``ca-certificates.crt`` beside them are the same set in several shapes. In any other folder each
file is a bundle by itself. A Java keystore is always one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenure.evidence.collection import CollectContext, Place
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import AnchorPurpose, RelyingPartyKind
from tenure.sources._whole_files import folders_below, relative, storable

HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")
_KEYSTORE = re.compile(r"cacerts|.*\.(jks|jceks|ks|keystore|truststore|bks|p12|pfx)", re.IGNORECASE)
_FIRMWARE = re.compile(r"firmware[-_ ](?P<model>.+?)(?:[-_ ](?P<version>v?\d[^-_ ]*))?", re.IGNORECASE)
_GATEWAY = re.compile(r"gateway[-_ ](?P<site>.+)", re.IGNORECASE)
_SUFFIX = re.compile(r"(\.(pem|crt|cer|der|ca|bundle|p7b|p7c|p12|pfx|jks|jceks|ks|keystore|truststore))+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who trusts a bundle. ``guessed``: by the name of the file, since nobody declared it."""

    name: str
    kind: RelyingPartyKind
    purpose: AnchorPurpose | None
    guessed: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files (with their names relative to the place) that are one set of anchors."""

    name: str
    party: RelyingParty
    files: tuple[tuple[Path, str], ...]


def bundles(place: Place, context: CollectContext, draft: SnapshotDraft) -> Iterator[Bundle]:
    """The bundles of a place, in the order of their names."""
    if not place.is_folder:
        name = storable(place.path.name)
        yield Bundle(name, _party(place.relative, name, context), ((place.path, name),))
        return
    for here, folders, names in folders_below(place.path, draft):
        links = [name for name in folders if (here / name).is_symlink()]
        found = [here / name for name in sorted([*names, *links]) if not name.startswith(".")]
        files = [(path, relative(path, place.path)) for path in found]
        hashed = any(HASHED_NAME.fullmatch(path.name) for path, _ in files)
        together = [f for f in files if hashed and not _KEYSTORE.fullmatch(f[0].name)]
        if together:
            inside = "" if here == place.path else relative(here, place.path)
            in_order = sorted(together, key=lambda f: (HASHED_NAME.fullmatch(f[0].name) is not None, f[1]))
            name = storable(here.name)
            yield Bundle(inside or name, _party(_declared(place, inside), name, context), tuple(in_order))
        for path, name in files:
            if (path, name) not in together:
                yield Bundle(name, _party(_declared(place, name), storable(path.name), context), ((path, name),))


def _declared(place: Place, inside: str) -> str:
    """A path below the place as declarations name it: relative to the audited folder."""
    return "/".join(part for part in (place.relative.strip("/").removeprefix("."), inside) if part)


def _party(path: str, name: str, context: CollectContext) -> RelyingParty:
    """Who trusts the bundle at a path (relative to the audited folder): as declared, else by the convention of file names."""
    said, source = context.declarations.anchors_for(path), context.declarations.for_path(path)
    party = (said.relying_party if said else None) or source.relying_party or context.declared.relying_party
    kind = (said.kind if said else None) or source.relying_party_kind or context.declared.relying_party_kind
    by_name, kind_by_name = by_convention(name)
    purpose = said.purpose if said else None
    return RelyingParty(party or by_name, kind or (RelyingPartyKind.HOST if party else kind_by_name), purpose, party is None)


def by_convention(name: str) -> tuple[str, RelyingPartyKind]:
    """Name and kind of the relying party that a file name means.

    ``firmware-MODEL-VERSION.pem`` is a firmware build, ``gateway-SITE.pem`` a gateway, ``broker...`` a broker; anything
    else is a host of the file's name.
    """
    stem = _SUFFIX.sub("", name) or name
    if found := _FIRMWARE.fullmatch(stem):
        return " ".join(("firmware", *(part for part in found.groups() if part))), RelyingPartyKind.FIRMWARE
    if found := _GATEWAY.fullmatch(stem):
        return f"gateway {found['site']}", RelyingPartyKind.GATEWAY
    if stem.lower().startswith("broker"):
        return stem, RelyingPartyKind.BROKER
    return stem, RelyingPartyKind.HOST
