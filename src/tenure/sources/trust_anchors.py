"""Bundles of trust anchors: what a broker, a gateway, a firmware build or a host accepts as the root of a path."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import ClassVar

from tenure.evidence.certificates import CertificateRecorder, placed
from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.revocation_lists import ListRecorder
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import RelyingPartyKind
from tenure.pki import crls
from tenure.pki.certificates import NoCertificateError, read
from tenure.pki.containers import Contained, ContainedProblem, certificates_in
from tenure.pki.dissection import dissect
from tenure.sources import _jks
from tenure.sources._anchor_bundles import HASHED_NAME, Bundle, bundles, by_convention
from tenure.sources._whole_files import content

LONGEST_FILE = 1 << 26
"""Bytes of a file that is read; the largest public bundles have less than one hundredth of it."""

JAVA_DEFAULT_PASSWORD = b"changeit"
"""What Java's own trust stores come with; tried on PKCS#12 after the declared passwords."""

_TRUST = re.compile(
    r"(.*[-_. ])?(trust|trusted|trust[-_]?anchors?|anchors?|trust[-_]?stores?|trusted[-_]?certs)([-_. ].*)?", re.IGNORECASE
)
_CA_FOLDER = re.compile(r"ca[-_]?certs|ca[-_]?certificates|certs", re.IGNORECASE)
_CERTIFICATE_FILE = re.compile(
    r"[0-9a-f]{8}\.\d+|cacerts|.*\.(pem|crt|cer|der|ca|bundle|p7b|p7c|p12|pfx|jks|jceks|ks|keystore|truststore)", re.IGNORECASE
)
_LOOKED_AT = 8  # certificates of a file's beginning that are looked at to recognise a bundle


class TrustAnchors:
    """Files and folders of anchors in PEM, DER, PKCS#7, PKCS#12, JKS and JCEKS."""

    kind: ClassVar[str] = "trust-anchors"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Trust anchors of relying parties"

    def recognise(self, place: Place) -> Recognition | None:
        return _folder(place.path) if place.is_folder else _file(place)

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        recorder, lists = CertificateRecorder(draft), ListRecorder(draft)
        guessed = []
        for bundle in bundles(place, context, draft):
            if bundle.party.guessed:
                guessed.append(bundle.party.name)
            _Anchors(bundle, context, draft, recorder, lists).collect()
        if guessed:
            some = ", ".join(guessed[:3]) + (f" and {len(guessed) - 3} more" if len(guessed) > 3 else "")
            draft.note(f"who trusts a bundle is taken from its file name ({some}); [[anchors]] in audit.toml declares it")
        recorder.verify_edges()


def _folder(path: Path) -> Recognition | None:
    """A hashed folder; or one named for trust that holds nothing but certificate files."""
    names = [
        entry.name for entry in path.iterdir() if not entry.name.startswith(".") and (entry.is_symlink() or not entry.is_dir())
    ]
    if "index.txt" in names or not names:
        return None
    if (hashed := sum(HASHED_NAME.fullmatch(name) is not None for name in names)) >= 2:
        return Recognition(85, f"hashed certificate folder with {hashed} links")
    named = _TRUST.fullmatch(path.name) or _CA_FOLDER.fullmatch(path.name)
    if named and all(_CERTIFICATE_FILE.fullmatch(name) for name in names):
        sureness = 45 if path.name.lower() == "certs" else 80  # certs may as well be what somebody issued
        return Recognition(sureness, f"folder {path.name} with {len(names)} certificate files")
    return None


def _file(place: Place) -> Recognition | None:
    """A Java keystore, or a file of CA certificates: several, or named for who trusts them."""
    if _jks.is_keystore(place.head):
        return Recognition(80, "Java keystore")
    named = by_convention(place.path.name)[1] is not RelyingPartyKind.HOST or _TRUST.fullmatch(place.path.stem) is not None
    if b"-----BEGIN " not in place.head:
        container = place.path.suffix.lower() in (".p12", ".pfx", ".p7b", ".p7c") and place.head[:1] == b"\x30"
        return Recognition(55, f"{place.path.suffix[1:]} file named for who trusts it") if container and named else None
    ca, leaves = _first_certificates(place.head)
    if ca and not leaves and (ca > 1 or named):
        return Recognition(60, f"bundle of {ca}{' or more' * (ca == _LOOKED_AT)} CA certificate{'s' * (ca > 1)}")
    return None


def _first_certificates(head: bytes) -> tuple[int, int]:
    """How many of the first certificates are a CA's, and how many are not."""
    ca = leaves = 0
    for found in certificates_in(head):
        if isinstance(found, Contained) and ca + leaves < _LOOKED_AT:
            try:
                facts = read(found.der)
            except NoCertificateError:
                continue
            if facts.is_ca or (facts.is_ca is None and facts.self_issued):
                ca += 1
            else:
                leaves += 1
    return ca, leaves


class _Anchors:
    """Reads one bundle. A certificate that stands in it several times is one anchor, at the first place."""

    def __init__(
        self, bundle: Bundle, context: CollectContext, draft: SnapshotDraft, recorder: CertificateRecorder, lists: ListRecorder
    ) -> None:
        self._bundle, self._context, self._draft, self._recorder, self._lists = bundle, context, draft, recorder, lists
        self._known: set[bytes] = set()
        self._read: set[Path] = set()

    def collect(self) -> None:
        for path, name in self._bundle.files:
            if (real := path.resolve()) in self._read:
                continue  # a further link to a file that was read
            self._read.add(real)
            if (data := content(path, name, LONGEST_FILE, self._context, self._draft)) is None:
                continue
            some = self._keystore(data, name) if _jks.is_keystore(data) else self._certificates(data, name)
            if crls.holds_list(data):
                self._lists.add_file(data, name)
            elif not some:
                self._draft.problem(name, "file", "no certificate in it", "unrecognised-file", data)

    def _certificates(self, data: bytes, name: str) -> bool:
        """PEM, DER, PKCS#7, PKCS#12. Of a PKCS#12 with a private key, the key's own certificate (the first) is no anchor."""
        found = list(certificates_in(data, (*self._context.passwords, JAVA_DEFAULT_PASSWORD)))
        several = sum(isinstance(item, Contained) for item in found) > 1
        armoured = b"-----BEGIN " in data
        own = not armoured and any(isinstance(item, ContainedProblem) and item.code == "private-key-present" for item in found)
        for item in found:
            if isinstance(item, Contained):
                self._anchor(item.der, placed(name, item.place) if several else name, trusted=not own)
                own = False
                continue
            self._draft.problem(name, item.place or "file", item.reason, item.code, item.data)
            if item.code == "pkcs12-locked":
                self._draft.cut_short(f"{name} cannot be opened: {item.reason}")
        return bool(found)

    def _keystore(self, data: bytes, name: str) -> bool:
        """A JKS or JCEKS. Trusted entries are anchors; the chain of a private key is what the keystore's owner shows others."""
        for entry in _jks.entries(data):
            if isinstance(entry, _jks.KeystoreProblem):
                self._draft.problem(name, entry.place, entry.reason, entry.code, entry.data)
                if entry.ends:
                    self._draft.cut_short(f"{name}: {entry.reason}")
                continue
            if not entry.trusted:
                reason = f"a private key lies here (alias {entry.alias!r}); its chain is recorded, and is no anchor"
                self._draft.problem(name, entry.alias, reason, "private-key-present")
            for position, der in enumerate(entry.certificates):
                place = entry.alias if entry.trusted else f"{entry.alias}/{position}"
                self._anchor(der, f"{name}#{place}", trusted=entry.trusted)
        return True

    def _anchor(self, der: bytes, origin: str, *, trusted: bool) -> None:
        """One certificate of the bundle; leaves too, since some bundles pin them."""
        digest = hashlib.sha256(der).digest()
        if digest in self._known:
            return
        digest = self._recorder.add(der, origin)
        if not trusted or digest in self._known or not dissect(der).plausible:
            return
        self._known.add(digest)
        party = self._bundle.party
        self._draft.add(
            "anchor",
            sha256=digest,
            relying_party=party.name,
            relying_party_kind=party.kind,
            purpose=party.purpose,
            bundle=self._bundle.name,
            origin=origin,
        )


SOURCE: Source = TrustAnchors()
