"""What no export says and people declare beside the exports (``audit.toml``), as frozen values with stated defaults."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tenure.model import identifiers
from tenure.model.vocabulary import AnchorPurpose, CredentialRole, IdentifierKind, RelyingPartyKind


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceDeclaration(_Frozen):
    """``[[source]]``: one file or folder of exports. ``path`` is relative to the audited folder, ``/`` separated."""

    path: str
    kind: str | None = None  # take it for this kind of source, whatever it looks like; "ignore" leaves it out
    relying_party: str | None = None  # whose log or bundle this is
    relying_party_kind: RelyingPartyKind | None = None
    time_zone: str = "UTC"  # IANA zone of time stamps that name none
    timestamp_format: str | None = None  # strptime format of a log with a format of its own
    max_age_days: float | None = None  # older than this, its verdicts are old (stale-source)
    as_of: AwareDatetime | None = None  # up to when the export speaks, where it does not say so itself
    mapping: str | None = None  # mapping file for cmdb and issuance-log, relative to audit.toml
    strong_identifiers: tuple[IdentifierKind, ...] = ()  # kinds that are strong in this source (a host name, say)
    role: CredentialRole | None = None  # role of the certificates of this source
    issuer: str | None = None  # issuance-log: the authority whose log this is, where rows do not say
    passwords: tuple[str, ...] = ()  # names of environment variables that hold PKCS#12 or JKS passwords


class RelyingPartyDeclaration(_Frozen):
    """``[[relying_party]]``: which places it serves and since when its log is collected."""

    name: str
    kind: RelyingPartyKind = RelyingPartyKind.BROKER
    sites: tuple[str, ...] = ()  # empty: all sites
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    addresses: tuple[str, ...] = ()  # host:port under which sensors see it


class AnchorDeclaration(_Frozen):
    """``[[anchors]]``: who trusts a bundle, and for what."""

    path: str
    relying_party: str | None = None
    kind: RelyingPartyKind | None = None
    purpose: AnchorPurpose | None = None


class MakerDeclaration(_Frozen):
    """``[maker."NAME"]``: how the maker's identifiers are written."""

    aliases: tuple[str, ...] = ()
    leading_zeros: str = Field(default="lost", pattern="^(lost|significant)$")
    mac_prefixes: tuple[str, ...] = ()  # OUIs, 6 hex digits


class IssuerDeclaration(_Frozen):
    """``[[issuer]]``: what a certificate of this issuer is, and whose devices it certifies."""

    name: str  # issuer's RFC 4514 name or its CN
    role: CredentialRole | None = None
    maker: str | None = None  # the maker of the devices it certifies: decides between equal serials of two makers
    ours: bool | None = None


class Authoritative(_Frozen):
    """``[authoritative]``: paths of the sources that decide. Empty: the CMDB decides device state, CA and cloud credentials."""

    device_state: tuple[str, ...] = ()
    credential_state: tuple[str, ...] = ()


class Declarations(_Frozen):
    """All of ``audit.toml``. The empty one holds every default."""

    source: tuple[SourceDeclaration, ...] = ()
    relying_party: tuple[RelyingPartyDeclaration, ...] = ()
    anchors: tuple[AnchorDeclaration, ...] = ()
    maker: dict[str, MakerDeclaration] = Field(default_factory=dict)
    issuer: tuple[IssuerDeclaration, ...] = ()
    authoritative: Authoritative = Authoritative()
    organisation: tuple[str, ...] = ()  # our own names, as they stand in O of our certificates
    equal_thing_names: bool = False  # thing names of all cloud accounts are one name space
    rule: dict[str, dict[str, int | float | str | bool]] = Field(default_factory=dict)  # parameters of rules
    decisions: str | None = None  # file of decisions, relative to audit.toml

    def for_path(self, path: str) -> SourceDeclaration:
        """What is declared for a path: the entry with the longest path that is it or a folder above it."""
        best, closest = SourceDeclaration(path=path), -1
        for entry in self.source:
            if (close := _closeness(entry.path, path)) > closest:
                best, closest = entry, close
        return best

    def anchors_for(self, path: str) -> AnchorDeclaration | None:
        """Who trusts the bundle at this path, if somebody said so (same rule as for_path)."""
        best: AnchorDeclaration | None = None
        closest = -1
        for entry in self.anchors:
            if (close := _closeness(entry.path, path)) > closest:
                best, closest = entry, close
        return best

    def zeros_significant(self, maker: str | None) -> bool:
        """Whether leading zeros of this maker's serials mean something. ``maker`` is normalised (identifiers.maker)."""
        return maker is not None and any(
            m.leading_zeros == "significant" and maker in map(identifiers.maker, (name, *m.aliases))
            for name, m in self.maker.items()
        )


def _closeness(declared: str, path: str) -> int:
    """How closely a declared path speaks for a path: 0 from the audited folder itself, more the longer it is, -1 not at all."""
    at = declared.strip("/").removeprefix("./")
    if at in ("", "."):
        return 0
    return len(at) if path == at or path.startswith(at + "/") else -1
