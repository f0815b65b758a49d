"""The tables of evidence: fixed Arrow schemas, one Parquet file per table and snapshot.

What sources produce and the roll consumes. Every row is a claim by one source; nothing here is linked or judged.
Conventions, for every table:

* ``origin`` is where in the export the row stands: ``path`` or ``path#line`` or ``path#entry``, relative to what was
  collected.
* Instants are UTC with microseconds. NULL means the export does not say; sentinels (9999-12-31, 0, "never") of an end
  are kept as what they are where the type can hold them (``not_after``) and are NULL with ``*_text`` beside otherwise.
* Digests are 32 raw bytes (SHA-256). Secrets are never here, only keyed digests of them (invariant 12).
* Words of state are those of ``model.vocabulary``; the export's own word stands beside in ``*_text``.
* Names of people, teams and places lie in ``description`` alone and are referred to by ``*_ref`` (section 2 of
  DESIGN): erasing a person removes rows of that one file.

Adding a column is a new ``SCHEMA_VERSION``; a reader refuses a snapshot of another version. The file is long because it is
one dictionary: each column with its meaning, and nothing else (``docs/evidence.md`` is made from it).
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 1

INSTANT = pa.timestamp("us", tz="UTC")
DIGEST = pa.binary(32)
TEXT = pa.string()
FLAG = pa.bool_()
NUMBER = pa.int64()


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: pa.DataType
    doc: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    doc: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type, nullable=not c.required) for c in self.columns])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


ORIGIN = Column("origin", TEXT, "file, line or entry this row was read from", required=True)

DEVICE_RECORD = Table(
    "device_record",
    "One record of a device in an inventory (CMDB row, cloud thing). Several records may mean one device.",
    (
        Column(
            "record_id",
            TEXT,
            "the record's own id in its source (sys_id, thing ARN); row number where it has none",
            required=True,
        ),
        Column("name", TEXT, "host name or label as written, trimmed"),
        Column("serial", TEXT, "serial as written, trimmed"),
        Column("mac", TEXT, "MAC as written, trimmed"),
        Column("maker", TEXT, "manufacturer as written, trimmed; NULL where the export does not say"),
        Column("model", TEXT, "model id as written"),
        Column("thing_name", TEXT, "name in a cloud registry"),
        Column("firmware", TEXT, "firmware version"),
        Column("state", TEXT, "model.vocabulary.DeviceState; NULL where this source does not speak of state"),
        Column("state_text", TEXT, "the export's own word"),
        Column("owner_ref", NUMBER, "description.ref of the accountable owner; NULL = the source names none"),
        Column("managed_by_ref", NUMBER, "description.ref of who runs it"),
        Column("site_ref", NUMBER, "description.ref of the place"),
        Column("owner_changed_at", INSTANT, "when the present owner took over"),
        Column("trust_domain", TEXT, "trust domain as written"),
        Column("gateway_serial", TEXT, "serial of the gateway that vouches for it"),
        Column("hardware_security", TEXT, "model.vocabulary.HardwareSecurity"),
        Column("installed_at", INSTANT, "put to use"),
        Column("discovered_at", INSTANT, "last seen by the inventory's own discovery"),
        Column("left_service_at", INSTANT, "retired, lost or disposed of on"),
        ORIGIN,
    ),
)

IDENTIFIER = Table(
    "identifier",
    "An identifier a device record carries, normalised (model.identifiers) so that equal values are equal text.",
    (
        Column("record_id", TEXT, "device_record.record_id in this snapshot", required=True),
        Column("kind", TEXT, "model.vocabulary.IdentifierKind", required=True),
        Column("value", TEXT, "normalised value", required=True),
        Column(
            "scope",
            TEXT,
            "what the value is unique within: normalised maker for serial, account for thing-name; NULL = not known",
        ),
        Column("raw", TEXT, "as written"),
    ),
)

DESCRIPTION = Table(
    "description",
    "Names of people, teams and places; personal data lives here and nowhere else.",
    (
        Column("ref", NUMBER, "what *_ref columns of this snapshot point to", required=True),
        Column("kind", TEXT, "owner | manager | site", required=True),
        Column("text", TEXT, "as written, trimmed", required=True),
    ),
)

DEVICE_CLASS = Table(
    "device_class",
    "What a model of device is and can sustain.",
    (
        Column("model", TEXT, "model id", required=True),
        Column("device_class", TEXT, "gateway, thermostat, camera ..."),
        Column("maker", TEXT, "manufacturer"),
        Column("rotation", TEXT, "model.vocabulary.Rotation", required=True),
        Column("capabilities", TEXT, "further columns of the file as name=value, sorted, joined by ';'"),
        ORIGIN,
    ),
)

CERTIFICATE = Table(
    "certificate",
    "One certificate as read. The same certificate may be read at many origins: one row per (sha256, origin).",
    (
        Column("sha256", DIGEST, "of the DER", required=True),
        Column(
            "reader",
            TEXT,
            "full: all fields read; partial: refused or raised somewhere (see problem); log: fields told by a log, no DER",
            required=True,
        ),
        Column("version", NUMBER, "1, 2 or 3"),
        Column("serial_hex", TEXT, "upper-case hex, no leading zeros, minus sign for negative serials"),
        Column("issuer", TEXT, "issuer name, RFC 4514 text in the order of the encoding reversed (CN first)"),
        Column("issuer_sha256", DIGEST, "of the DER of the issuer name; NULL where only text is known"),
        Column("subject", TEXT, "subject name, as issuer"),
        Column("subject_sha256", DIGEST, "of the DER of the subject name"),
        Column("subject_cn", TEXT, "last CN attribute of the subject"),
        Column("subject_serial", TEXT, "serialNumber attribute of the subject (2.5.4.5)"),
        Column("subject_o", TEXT, "organisation attribute of the subject"),
        Column("not_before", INSTANT, "start of validity"),
        Column("not_after", INSTANT, "end of validity; 9999-12-31T23:59:59Z stays that"),
        Column("spki_sha256", DIGEST, "of the DER of SubjectPublicKeyInfo"),
        Column("key_algorithm", TEXT, "rsa | ec | ed25519 | ed448 | dsa | dh | x25519 | x448 | oid of another"),
        Column("key_bits", NUMBER, "size of modulus, field or key in bits"),
        Column("key_curve", TEXT, "curve name as in RFC 5480 (secp256r1), else its oid"),
        Column("key_exponent", TEXT, "RSA public exponent, decimal"),
        Column("signature_algorithm", TEXT, "oid of signatureAlgorithm"),
        Column(
            "signature_hash",
            TEXT,
            "md5 | sha1 | sha256 ... ; NULL where the algorithm has none of its own (Ed25519) or is not known",
        ),
        Column("is_ca", FLAG, "basicConstraints CA; false where the extension is absent (v1 self-issued: NULL)"),
        Column("path_length", NUMBER, "pathLenConstraint"),
        Column("key_usage", TEXT, "names of RFC 5280 4.2.1.3 joined by ' ' in their order; NULL = extension absent"),
        Column("extended_key_usage", TEXT, "dotted oids joined by ' '; NULL = extension absent"),
        Column("subject_alt_names", TEXT, "kind:value joined by newline (dns:, ip:, uri:, email:, dirname:, rid:, other:oid)"),
        Column("subject_key_id", pa.binary(), "SKI"),
        Column("authority_key_id", pa.binary(), "AKI keyIdentifier"),
        Column("crl_urls", TEXT, "joined by newline; NULL = none"),
        Column("ocsp_urls", TEXT, "joined by newline; NULL = none"),
        Column("hardware_module_serial", TEXT, "hwSerialNum of a hardwareModuleName SAN (RFC 4108), hex"),
        Column("self_issued", FLAG, "issuer name equals subject name"),
        Column(
            "der",
            pa.binary(),
            "the certificate, so that signatures can be checked when the issuer turns up elsewhere; NULL for reader=log",
        ),
        ORIGIN,
    ),
)

SIGNATURE_EDGE = Table(
    "signature_edge",
    "A signature that was checked: this issuer key did (or did not) sign that certificate.",
    (
        Column("sha256", DIGEST, "the certificate", required=True),
        Column("issuer_sha256", DIGEST, "the issuer's certificate", required=True),
        Column("issuer_spki_sha256", DIGEST, "the issuer's key", required=True),
        Column("verified", FLAG, "the signature verifies", required=True),
    ),
)

CHAIN = Table(
    "chain",
    "A chain as it was presented or stored, leaf first.",
    (
        Column("leaf_sha256", DIGEST, "first certificate", required=True),
        Column("position", NUMBER, "0 = leaf", required=True),
        Column("sha256", DIGEST, "certificate at this position", required=True),
        Column("side", TEXT, "client | server | stored", required=True),
        ORIGIN,
    ),
)

AUTHORITY = Table(
    "authority",
    "An issuing authority that this source is the record of: its CA folder, a CA registered in the cloud, an issuance log.",
    (
        Column("sha256", DIGEST, "CA certificate; NULL where the source names the issuer by name only"),
        Column("name", TEXT, "issuer name as RFC 4514 text, or as the log writes it"),
        Column(
            "role",
            TEXT,
            "operator: we run it and its issuance is recorded here; registered: the cloud accepts what it signs",
            required=True,
        ),
        Column("status", TEXT, "model.vocabulary.CredentialStatus of the CA at this source"),
        Column(
            "issuance_since",
            INSTANT,
            "the issuance record is complete from here; NULL = from the beginning (or none: see issuance_collected)",
        ),
        Column("issuance_collected", FLAG, "this source holds the list of all it issued", required=True),
        Column("revocation_collected", FLAG, "this source holds its CRL or revocation list", required=True),
        ORIGIN,
    ),
)

ISSUANCE = Table(
    "issuance",
    "An entry of an issuer's log: it says it issued this.",
    (
        Column(
            "issuer", TEXT, "issuer name as RFC 4514 text, or as the log writes it; NULL = the one authority of this snapshot"
        ),
        Column("issuer_sha256", DIGEST, "CA certificate where known"),
        Column("serial_hex", TEXT, "as certificate.serial_hex", required=True),
        Column("sha256", DIGEST, "certificate where the log carries or names it"),
        Column("subject", TEXT, "as written"),
        Column("issued_at", INSTANT, "when"),
        Column("not_after", INSTANT, "end of validity"),
        Column("requester", TEXT, "account or RA that asked, as written (technical id)"),
        ORIGIN,
    ),
)

CREDENTIAL_STATUS = Table(
    "credential_status",
    "What this source says of a certificate's state. Named by hash, or by issuer and serial.",
    (
        Column("sha256", DIGEST, "certificate where known"),
        Column("issuer", TEXT, "issuer name as RFC 4514 text where the hash is not known"),
        Column("issuer_sha256", DIGEST, "CA certificate that signed the CRL or owns the index, where known"),
        Column("issuer_key_id", pa.binary(), "AKI of the CRL"),
        Column("serial_hex", TEXT, "as certificate.serial_hex"),
        Column("status", TEXT, "model.vocabulary.CredentialStatus", required=True),
        Column("status_text", TEXT, "the export's own word, with the reason if it gives one"),
        Column("authority", TEXT, "model.vocabulary.StatusAuthority", required=True),
        Column("effective_at", INSTANT, "revoked, deactivated or changed at"),
        Column("stated_at", INSTANT, "thisUpdate of the CRL, time of the export"),
        ORIGIN,
    ),
)

REVOCATION_LIST = Table(
    "revocation_list",
    "A CRL that was collected by itself. Whose it is, linking decides by its signature: until then its entries say nothing. "
    "One row for each place it stands at (the CRLs of a CA folder are checked there: see credential_status).",
    (
        Column("sha256", DIGEST, "of the DER", required=True),
        Column("issuer", TEXT, "issuer name as RFC 4514 text; NULL = it cannot be read"),
        Column("authority_key_id", pa.binary(), "AKI keyIdentifier"),
        Column("this_update", INSTANT, "when it was made"),
        Column("next_update", INSTANT, "when the next one is due"),
        Column("delta", FLAG, "it holds changes only", required=True),
        Column("entries", NUMBER, "how many certificates it names", required=True),
        Column("der", pa.binary(), "the list, so that its signature can be checked", required=True),
        ORIGIN,
    ),
)

REVOCATION = Table(
    "revocation",
    "An entry of a revocation_list: once, however many places the list stands at.",
    (
        Column("list_sha256", DIGEST, "revocation_list.sha256 in this snapshot", required=True),
        Column("serial_hex", TEXT, "as certificate.serial_hex", required=True),
        Column("issuer", TEXT, "issuer of the certificate where that is not the list's own (an indirect list)"),
        Column("status", TEXT, "model.vocabulary.CredentialStatus", required=True),
        Column("status_text", TEXT, "the reason's word of RFC 5280 5.3.1, else revoked", required=True),
        Column("effective_at", INSTANT, "revoked at"),
        ORIGIN,
    ),
)

SECRET = Table(
    "secret",
    "A credential that is no certificate: token, PSK, password, SSH host key, raw public key.",
    (
        Column("secret_id", TEXT, "its id in the source (token id, PSK identity, host name of an SSH key)", required=True),
        Column("kind", TEXT, "model.vocabulary.CredentialKind", required=True),
        Column(
            "digest", DIGEST, "keyed digest of the secret (or of the digest that arrived); SHA-256 of the SPKI for public keys"
        ),
        Column("digest_key_id", TEXT, "which key keyed it; NULL for public keys"),
        Column("key_algorithm", TEXT, "for public keys: ssh-ed25519, ssh-rsa ..."),
        Column("key_bits", NUMBER, "for public keys"),
        Column("holder_kind", TEXT, "model.vocabulary.IdentifierKind of holder; NULL = the source names no holder"),
        Column("holder", TEXT, "normalised identifier of the device that holds it"),
        Column("holder_text", TEXT, "as written"),
        Column("role", TEXT, "model.vocabulary.CredentialRole", required=True),
        Column("created_at", INSTANT, ""),
        Column("expires_at", INSTANT, "NULL = never, or a sentinel"),
        Column("expires_text", TEXT, "the sentinel, where there was one"),
        Column("last_used_at", INSTANT, ""),
        Column("ended_at", INSTANT, "revoked or disabled at"),
        Column("status", TEXT, "model.vocabulary.CredentialStatus where the source says"),
        Column("scopes", TEXT, "as written"),
        ORIGIN,
    ),
)

BINDING = Table(
    "binding",
    "The source says that this device record holds this certificate (a cloud principal, a CA's request record).",
    (
        Column("record_id", TEXT, "device_record.record_id in this snapshot; NULL where holder_* name the device"),
        Column("holder_kind", TEXT, "model.vocabulary.IdentifierKind"),
        Column("holder", TEXT, "normalised identifier"),
        Column("sha256", DIGEST, "certificate", required=True),
        Column("since", INSTANT, "attached at, where known"),
        ORIGIN,
    ),
)

SESSION = Table(
    "session",
    "One use as a source tells it: who connected where, when, and how it ended.",
    (
        Column("relying_party", TEXT, "name of the party whose log this is, or host:port a sensor saw", required=True),
        Column("started_at", INSTANT, "", required=True),
        Column("ended_at", INSTANT, "NULL = not told (still open, or the log ends)"),
        Column("end_reason", TEXT, "the log's own word"),
        Column("address", TEXT, "peer's IP address"),
        Column("port", NUMBER, "peer's port"),
        Column("server_address", TEXT, "relying party's IP address, where the source is a sensor"),
        Column("server_port", NUMBER, ""),
        Column("outcome", TEXT, "model.vocabulary.Outcome", required=True),
        Column("outcome_text", TEXT, "the log's reason for a refusal"),
        Column("subject_kind", TEXT, "model.vocabulary.SubjectKind: the strongest name the source gives", required=True),
        Column("sha256", DIGEST, "client certificate, where the source shows it"),
        Column("principal", TEXT, "the cloud's principal id as written"),
        Column("user_name", TEXT, "authenticated user name (for certificate users: CN or DN)"),
        Column("client_id", TEXT, "what the client calls itself"),
        Column("protocol", TEXT, "mqtt, tls, https ..."),
        Column("resumed", FLAG, "TLS session resumption"),
        ORIGIN,
    ),
)

TAKEOVER = Table(
    "takeover",
    "A second connection with a client id that was connected: the older one was closed.",
    (
        Column("relying_party", TEXT, "", required=True),
        Column("happened_at", INSTANT, "", required=True),
        Column("client_id", TEXT, "", required=True),
        Column("old_address", TEXT, ""),
        Column("new_address", TEXT, ""),
        Column("old_user_name", TEXT, ""),
        Column("new_user_name", TEXT, ""),
        ORIGIN,
    ),
)

LOG_SPAN = Table(
    "log_span",
    "From when to when a log of sessions runs, by what it says itself.",
    (
        Column("relying_party", TEXT, "", required=True),
        Column("kind", TEXT, "model.vocabulary.RelyingPartyKind"),
        Column("first_at", INSTANT, "", required=True),
        Column("last_at", INSTANT, "", required=True),
        Column("entries", NUMBER, "lines or records read", required=True),
        Column("sensor", FLAG, "a network sensor rather than the relying party itself", required=True),
        ORIGIN,
    ),
)

ANCHOR = Table(
    "anchor",
    "A certificate that some relying party accepts as the root of a path (RFC 5914).",
    (
        Column("sha256", DIGEST, "the anchor's certificate", required=True),
        Column("relying_party", TEXT, "who trusts it: broker, gateway, firmware build", required=True),
        Column("relying_party_kind", TEXT, "model.vocabulary.RelyingPartyKind", required=True),
        Column("purpose", TEXT, "model.vocabulary.AnchorPurpose; NULL = nobody declared it"),
        Column("bundle", TEXT, "file it stands in", required=True),
        ORIGIN,
    ),
)

POLICY = Table(
    "policy",
    "A policy of rights, as the cloud stores it.",
    (
        Column("name", TEXT, "", required=True),
        Column("scope", TEXT, "account and region"),
        Column("document", TEXT, "JSON text of the policy document"),
        Column("version", TEXT, ""),
        ORIGIN,
    ),
)

POLICY_GRANT = Table(
    "policy_grant",
    "A policy attached to a certificate (or to a group or thing).",
    (
        Column("policy", TEXT, "policy.name", required=True),
        Column("scope", TEXT, "account and region"),
        Column("sha256", DIGEST, "certificate it is attached to"),
        Column("target", TEXT, "ARN of another kind of target, as written"),
        ORIGIN,
    ),
)

EXTERNAL_FINDING = Table(
    "external_finding",
    "What another tool found (AWS IoT Device Defender audit findings).",
    (
        Column("finding_id", TEXT, "", required=True),
        Column("check_name", TEXT, ""),
        Column("severity", TEXT, ""),
        Column("found_at", INSTANT, ""),
        Column("sha256", DIGEST, "certificate it is about"),
        Column("subject_text", TEXT, "what it is about, as written"),
        Column("reason", TEXT, ""),
        ORIGIN,
    ),
)

PROBLEM = Table(
    "problem",
    "What could not be read or understood; never dropped, kept by its hash (invariant 1).",
    (
        Column("file", TEXT, "relative path", required=True),
        Column("place", TEXT, "line, entry, offset or field", required=True),
        Column("reason", TEXT, "one sentence: what is wrong with it", required=True),
        Column(
            "code",
            TEXT,
            "short stable word for the kind of problem (der-refused, field-raised, unknown-status, truncated ...)",
            required=True,
        ),
        Column("sha256", DIGEST, "of the bytes that could not be read, where there are some"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        DEVICE_RECORD, IDENTIFIER, DESCRIPTION, DEVICE_CLASS, CERTIFICATE, SIGNATURE_EDGE, CHAIN, AUTHORITY, ISSUANCE,
        CREDENTIAL_STATUS, REVOCATION_LIST, REVOCATION, SECRET, BINDING, SESSION, TAKEOVER, LOG_SPAN, ANCHOR, POLICY, POLICY_GRANT,
        EXTERNAL_FINDING, PROBLEM,
    )
}  # fmt: skip
