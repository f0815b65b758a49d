"""The vocabulary: one word for one thing, the field's own words.

Every value of these enums is what stands in the evidence, in the roll and in reports. Nothing here does anything.
"""

from __future__ import annotations

from enum import StrEnum


class DeviceState(StrEnum):
    """Where a device is in its life (IEEE 802.1AR devices, lifecycle words of DESIGN section 3)."""

    MANUFACTURED = "manufactured"  # made or in stock, not yet put to use: neither in service nor retired
    CLAIMED = "claimed"  # an owner has it, it is not in operation yet
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    TRANSFERRING = "transferring"
    RETIRING = "retiring"  # leaving service, not gone yet (pending disposal, decommissioning): neither
    RETIRED = "retired"
    LOST = "lost"  # lost or stolen
    UNKNOWN = "unknown"

    @property
    def in_service(self) -> bool:
        """May hold trust: the device works, or is held back for a while but is still ours."""
        return self in (DeviceState.CLAIMED, DeviceState.ACTIVE, DeviceState.QUARANTINED, DeviceState.TRANSFERRING)

    @property
    def gone(self) -> bool:
        """Has left service for good: nothing it holds may be trusted any more."""
        return self in (DeviceState.RETIRED, DeviceState.LOST)


class IdentifierKind(StrEnum):
    """What a device is found again by. Only strong kinds link records (invariant 9)."""

    HARDWARE_KEY = "hardware-key"  # SHA-256 of the SPKI of a key the hardware keeps (EK, IDevID)
    SERIAL = "serial"  # scoped by maker
    MAC = "mac"
    THING_NAME = "thing-name"  # the name in a cloud registry; scoped by account
    RECORD_ID = "record-id"  # the id of the record in its own source
    NAME = "name"  # host name, label: weak unless declared strong for a source
    SUBJECT_NAME = "subject-name"  # a certificate's subject CN: weak
    ASSET_TAG = "asset-tag"  # weak unless declared strong


class CredentialKind(StrEnum):
    CERTIFICATE = "certificate"
    RAW_KEY = "raw-key"
    SSH_KEY = "ssh-key"
    PSK = "psk"
    TOKEN = "token"  # noqa: S105 - a kind of credential, not one
    PASSWORD = "password"  # noqa: S105 - a kind of credential, not one

    @property
    def secret(self) -> bool:
        """Both sides hold the same thing: whoever reads it can use it."""
        return self in (CredentialKind.PSK, CredentialKind.TOKEN, CredentialKind.PASSWORD)


class CredentialRole(StrEnum):
    """What a credential is for; rules and obligations depend on it (IEEE 802.1AR)."""

    BIRTH = "birth"  # IDevID, factory certificate
    OPERATIONAL = "operational"  # LDevID
    ATTESTATION = "attestation"  # EK, AK
    CLAIM = "claim"  # one-time, for provisioning
    SERVER = "server"  # a relying party's own
    SERVICE = "service"  # of a back-end program, no device's
    AUTHORITY = "authority"  # a CA certificate
    UNKNOWN = "unknown"


class CredentialStatus(StrEnum):
    """What one source says of a credential's state (NIST SP 800-57 key states, in the words CAs use)."""

    VALID = "valid"  # in force at its issuer, registered and active in its cloud
    PENDING = "pending"  # pre-active: pending activation or transfer
    SUSPENDED = "suspended"  # certificateHold
    DEACTIVATED = "deactivated"  # switched off where it is registered
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def ends_trust(self) -> bool:
        return self in (CredentialStatus.SUSPENDED, CredentialStatus.DEACTIVATED, CredentialStatus.REVOKED)


class StatusAuthority(StrEnum):
    """Through what a source speaks of a credential's state."""

    CRL = "crl"
    CA_INDEX = "ca-index"
    CLOUD = "cloud"
    ISSUANCE_LOG = "issuance-log"
    SECRET_STORE = "secret-store"  # noqa: S105 - a place, not a secret


class AnchorPurpose(StrEnum):
    ENROLMENT = "enrolment"
    OPERATION = "operation"
    UPDATE = "update"


class RelyingPartyKind(StrEnum):
    BROKER = "broker"
    CLOUD = "cloud"
    GATEWAY = "gateway"
    FIRMWARE = "firmware"
    HOST = "host"  # anything else that keeps a bundle of anchors or accepts connections


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class SubjectKind(StrEnum):
    """What a session names its peer by, strongest first."""

    CERTIFICATE = "certificate"
    KEY = "key"
    NAME = "name"  # an authenticated user name, or the CN of a certificate the source does not show
    CLIENT_ID = "client-id"  # what the client calls itself
    NONE = "none"


class Rotation(StrEnum):
    """How a class of devices can change its credential."""

    ONLINE = "online"
    MANUAL = "manual"
    NONE = "none"
    UNKNOWN = "unknown"


class HardwareSecurity(StrEnum):
    """What keeps the device's key."""

    TPM2 = "tpm2"
    SECURE_ELEMENT = "secure-element"
    SOFTWARE = "software"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def hardware_backed(self) -> bool:
        return self in (HardwareSecurity.TPM2, HardwareSecurity.SECURE_ELEMENT)


class EdgeState(StrEnum):
    """How sure the roll is that this key signed that certificate (invariant 9)."""

    VERIFIED = "verified"
    CLAIMED = "claimed"  # name or key identifier says so, the signature was not checked
    REFUTED = "refuted"  # the signature was checked and does not verify


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return list(Severity).index(self)


class RuleStatus(StrEnum):
    ASSESSED = "assessed"
    NOT_ASSESSED = "not-assessed"  # its inputs were not collected
    UNKNOWN = "unknown"  # it failed, ran out of time, or its inputs were cut short
    SWITCHED_OFF = "switched-off"  # by a decision that has not ended
