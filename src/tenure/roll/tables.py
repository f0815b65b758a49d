"""The roll: linked tables with integer keys, and on them the vocabulary columns that all rules share.

Users write rules against these tables, so every table and column is documented here and ``docs/roll.md`` is generated
from it. Conventions: ``*_key`` are integers that join within one roll and mean nothing outside it; text stands at
the edge, for people; instants are TIMESTAMP in UTC; NULL means nobody says; flags are never NULL.

Words that a rule needs and that are easy to get wrong are computed once, here, as columns: in_service, gone, usable,
covered, role, newest_of_role, last_used_at and last_maybe_used_at. Rules use them and do not define them again.

Two kinds of "used": ``last_used_at`` is proved for this very credential (its certificate was seen, or its name can mean
only it); ``last_maybe_used_at`` also counts sessions that told only a name which this credential could have stood
behind. Accuse with the first, acquit with the second.
"""

from __future__ import annotations

from dataclasses import dataclass

KEY = "BIGINT"
TEXT = "VARCHAR"
FLAG = "BOOLEAN"
TIME = "TIMESTAMP"
COUNT = "BIGINT"
REAL = "DOUBLE"

HASHES = frozenset({"sha256", "digest", "device_id", "serial_hex"})
"""Columns whose text is a hash or a random number: DuckDB would spend half of the writing time to find that it does not compress."""


@dataclass(frozen=True, slots=True)
class RollTable:
    name: str
    doc: str
    columns: tuple[tuple[str, str, str], ...]  # name, SQL type, meaning

    @property
    def ddl(self) -> str:
        columns = ", ".join(f"{n} {t}{' USING COMPRESSION uncompressed' if n in HASHES else ''}" for n, t, _ in self.columns)
        return f"CREATE OR REPLACE TABLE {self.name} ({columns})"


ROLL_TABLES: tuple[RollTable, ...] = (
    RollTable("roll", "One row: what this roll is.", (
        ("as_of", TIME, "the time of judgement; every vocabulary column holds at it"),
        ("tenure_version", TEXT, ""),
    )),
    RollTable("source", "The snapshots it was linked from.", (
        ("source_key", KEY, ""),
        ("kind", TEXT, "kind of source (cmdb, aws-iot, mosquitto-log ...)"),
        ("name", TEXT, "where it was collected from"),
        ("content_id", TEXT, ""),
        ("collected_at", TIME, ""),
        ("speaks_as_of", TIME, "up to when the export speaks; NULL = it does not say"),
        ("partial", FLAG, "cut short"),
        ("max_age_days", REAL, "agreed age (declared, else the default for its kind)"),
        ("age_days", REAL, "as_of - speaks_as_of"),
        ("stale", FLAG, "older than agreed"),
        ("decides_device_state", FLAG, "authoritative for device state and owner"),
        ("decides_credential_state", FLAG, "authoritative for credential state"),
    )),
    RollTable("site", "Places.", (("site_key", KEY, ""), ("name", TEXT, ""))),
    RollTable("owner", "Accountable owners.", (("owner_key", KEY, ""), ("name", TEXT, ""))),
    RollTable("domain", "Trust domains.", (("domain_key", KEY, ""), ("name", TEXT, ""))),
    RollTable("device_class", "Models and what they can sustain.", (
        ("class_key", KEY, ""),
        ("model", TEXT, ""),
        ("device_class", TEXT, "gateway, camera ..."),
        ("maker", TEXT, ""),
        ("rotation", TEXT, "online | manual | none | unknown"),
    )),
    RollTable("device", "A physical device: the records that strong identifiers hold together.", (
        ("device_key", KEY, ""),
        ("device_id", TEXT, "opaque, derived from its strong identifiers, stable from run to run"),
        ("name", TEXT, "for people: the authoritative record's name"),
        ("serial", TEXT, "as the authoritative record writes it"),
        ("maker", TEXT, "for people"),
        ("model", TEXT, ""),
        ("mac", TEXT, "normalised"),
        ("class_key", KEY, "device_class of its model"),
        ("device_class", TEXT, "its word"),
        ("rotation", TEXT, "of its class; unknown where no class is collected"),
        ("site_key", KEY, ""),
        ("domain_key", KEY, ""),
        ("owner_key", KEY, "NULL = no accountable owner in the source that decides"),
        ("managed_by", TEXT, "who runs it"),
        ("gateway_key", KEY, "device_key of the gateway it sits behind; NULL = none"),
        ("behind_gateway", FLAG, "a source names a gateway for it, known or not"),
        ("hardware_security", TEXT, "tpm2 | secure-element | software | none | unknown"),
        ("hardware_backed", FLAG, "tpm2 or secure-element"),
        ("firmware", TEXT, ""),
        ("state", TEXT, "model.vocabulary.DeviceState by the source that decides; unknown where none speaks"),
        ("state_text", TEXT, "the source's own word"),
        ("state_source_key", KEY, "the source that decided"),
        ("registered", FLAG, "an authoritative inventory has a record of it (any inventory, where none is authoritative)"),
        ("in_service", FLAG, "state may hold trust: claimed, active, quarantined, transferring"),
        ("active", FLAG, "state is active"),
        ("gone", FLAG, "retired or lost, by a source that decides"),
        ("left_service_at", TIME, "end of the day it left service; NULL = not gone, or nobody says when"),
        ("installed_at", TIME, ""),
        ("discovered_at", TIME, "last seen by the inventory's own discovery"),
        ("owner_changed_at", TIME, "the present owner took over"),
        ("covered", FLAG, "the sessions of its place are collected (see coverage)"),
        ("covered_since", TIME, "from when"),
        ("covered_until", TIME, "to when"),
        ("first_seen_at", TIME, "first accepted session linked to it by whatever name, or use of a secret of its"),
        ("last_seen_at", TIME, "last of these"),
        ("records", COUNT, "device records it was linked from"),
    )),
    RollTable("device_record", "What each source claims of a device; conflicting claims stand side by side.", (
        ("record_key", KEY, ""),
        ("device_key", KEY, ""),
        ("source_key", KEY, ""),
        ("record_id", TEXT, "the record's id in its source"),
        ("kind", TEXT, "kind of its source"),
        ("decides", FLAG, "its source is authoritative for device state"),
        ("name", TEXT, ""), ("serial", TEXT, "as written"), ("maker", TEXT, "as written or inferred"),
        ("maker_inferred", FLAG, "the record names no maker; it follows from class, MAC prefix or issuer"),
        ("model", TEXT, ""), ("mac", TEXT, "as written"), ("thing_name", TEXT, ""),
        ("state", TEXT, "DeviceState; NULL = does not speak of it"), ("state_text", TEXT, ""),
        ("owner", TEXT, ""), ("site", TEXT, ""), ("trust_domain", TEXT, ""),
        ("firmware", TEXT, ""), ("hardware_security", TEXT, ""), ("managed_by", TEXT, ""),
        ("gateway_serial", TEXT, "as written"), ("installed_at", TIME, ""), ("discovered_at", TIME, ""), ("owner_changed_at", TIME, ""),
        ("left_service_at", TIME, "end of the day"),
        ("origin", TEXT, "file and line"),
    )),
    RollTable("identifier", "Identifier values, and whether they still identify. Names are here only where they were declared strong.", (
        ("identifier_key", KEY, ""),
        ("kind", TEXT, "model.vocabulary.IdentifierKind"),
        ("value", TEXT, "normalised"),
        ("scope", TEXT, "maker or account it is unique within"),
        ("strong", FLAG, "of a kind that links, and not non_identifying"),
        ("non_identifying", FLAG, "unrelated devices or certificates share it, or it is a known filler"),
        ("records", COUNT, "device records that carry it"),
        ("devices", COUNT, "devices that carry it"),
        ("credentials", COUNT, "certificates whose subject carries it"),
        ("reason", TEXT, "why it lost its power"),
    )),
    RollTable("device_identifier", "Who carries an identifier.", (
        ("identifier_key", KEY, ""), ("record_key", KEY, ""), ("device_key", KEY, ""), ("source_key", KEY, ""),
    )),
    RollTable("key", "Public keys and secrets, by digest: what two credentials may share.", (
        ("key_key", KEY, ""),
        ("kind", TEXT, "public-key | secret"),
        ("digest", TEXT, "SHA-256 of the SPKI in hex, or the keyed digest of a secret"),
        ("prefix", KEY, "first 64 bits of the digest: join on it first"),
        ("algorithm", TEXT, "rsa | ec | ed25519 | dsa ..."),
        ("bits", COUNT, ""),
        ("curve", TEXT, ""),
        ("exponent", TEXT, "RSA, decimal"),
        ("weakness", TEXT, "why it is weak in words (RSA under 2048 bits, DSA ...); NULL = not weak"),
        ("first_known_at", TIME, "earliest notBefore, issuance or creation of a credential with it"),
        ("credentials", COUNT, "credentials with it"),
        ("devices", COUNT, "distinct devices that hold a credential with it"),
    )),
    RollTable("credential", "Every certificate, key, token, PSK and password, once.", (
        ("credential_key", KEY, ""),
        ("kind", TEXT, "model.vocabulary.CredentialKind"),
        ("role", TEXT, "model.vocabulary.CredentialRole"),
        ("name", TEXT, "for people: subject CN, token id, host name"),
        ("sha256", TEXT, "of the certificate, hex; NULL for others and for certificates known by serial only"),
        ("serial_hex", TEXT, "certificates"),
        ("subject", TEXT, "RFC 4514"),
        ("subject_o", TEXT, "organisation attribute"),
        ("key_key", KEY, "its key or secret"),
        ("issuer_key", KEY, "issuer, verified or claimed: see issuer_verified"),
        ("issuer_verified", FLAG, "the issuer's signature was verified"),
        ("self_signed", FLAG, "issuer name equals subject and the signature, where checked, is its own"),
        ("signature_hash", TEXT, "md5 | sha1 | sha256 ..."),
        ("not_before", TIME, "start of validity, or creation of a secret"),
        ("not_after", TIME, "end; NULL = none or a sentinel"),
        ("no_expiry", FLAG, "no end, a sentinel (9999-12-31), or an end beyond 50 years from its beginning"),
        ("lifetime_days", REAL, "not_after - not_before"),
        ("issued_at", TIME, "issuance record, else not_before or creation"),
        ("crl_url", FLAG, "names a CRL"),
        ("ocsp_url", FLAG, "names an OCSP responder"),
        ("ca", FLAG, "a CA certificate"),
        ("test_issuer", TEXT, "why its issuer is a test, demo or snakeoil one; NULL = it is not"),
        ("scopes", TEXT, "tokens"),
        ("device_key", KEY, "the one device that holds it; NULL = none or several (see binding)"),
        ("devices", COUNT, "devices that hold it"),
        ("expired", FLAG, "end before as_of"),
        ("not_yet_valid", FLAG, "begins after as_of"),
        ("revoked_at", TIME, "earliest revocation by any source (NULL also where revoked at a time nobody tells: see ended)"),
        ("ended", FLAG, "a source says revoked, suspended or deactivated"),
        ("ended_at", TIME, "earliest such time"),
        ("anchored", FLAG, "a verified path leads to a collected anchor that is in force"),
        ("anchored_for_operation", FLAG, "to one whose purpose is operation or undeclared"),
        ("active_at_issuer", FLAG, "its cloud or CA says valid and nobody says ended"),
        ("usable", FLAG, "unexpired, begun, not ended by any source, and anchored (birth: for operation) or active at its issuer"),
        ("first_used_at", TIME, "first accepted session proved to be its, or NULL"),
        ("last_used_at", TIME, "last accepted session proved to be its; for secrets also last used by its store"),
        ("last_maybe_used_at", TIME, "last accepted session that could be its"),
        ("newest_of_role", FLAG, "latest issued usable one of its kind and role at its device"),
        ("successor_key", KEY, "next issued credential of same device, kind and role"),
        ("source_key", KEY, "first source that shows it"),
        ("origin", TEXT, "where"),
    )),
    RollTable("binding", "Who holds a credential, who says so, and how.", (
        ("device_key", KEY, ""),
        ("credential_key", KEY, ""),
        ("source_key", KEY, ""),
        ("how", TEXT, "principal | holder | subject-serial | subject-mac | subject-name | request | session"),
        ("strong", FLAG, "by a strong identifier or the source's own record; false: by a name that today means one device"),
        ("since", TIME, ""),
    )),
    RollTable("status", "What each source says of a credential's state.", (
        ("credential_key", KEY, ""),
        ("source_key", KEY, ""),
        ("status", TEXT, "model.vocabulary.CredentialStatus"),
        ("status_text", TEXT, ""),
        ("authority", TEXT, "crl | ca-index | cloud | issuance-log | secret-store"),
        ("decides", FLAG, "its source is authoritative for credential state"),
        ("ends_trust", FLAG, "revoked, suspended or deactivated"),
        ("effective_at", TIME, ""),
        ("stated_at", TIME, ""),
        ("origin", TEXT, ""),
    )),
    RollTable("issuer", "Who signs: one row per issuing key, or per name where no CA certificate was collected.", (
        ("issuer_key", KEY, ""),
        ("name", TEXT, "RFC 4514"),
        ("organisation", TEXT, ""),
        ("key_key", KEY, "its key; NULL = known by name only"),
        ("credential_key", KEY, "a CA certificate of it (the one that lasts longest); NULL = none collected"),
        ("ours", FLAG, "we operate it: a CA folder or issuance log is its record, or it is declared"),
        ("registered", FLAG, "a cloud of ours accepts what it signs"),
        ("issuance_collected", FLAG, "the list of all it issued is collected"),
        ("issuance_since", TIME, "complete from; NULL = from the beginning"),
        ("revocation_collected", FLAG, "its CRL or revocation list is collected"),
        ("anchored", FLAG, "a verified path leads to a collected anchor"),
        ("usable_credentials", COUNT, "usable certificates it signed (verified or claimed), at any depth"),
    )),
    RollTable("edge", "Issuer edges: claimed until the signature was verified.", (
        ("credential_key", KEY, "the certificate"),
        ("issuer_key", KEY, "who signed"),
        ("issuer_credential_key", KEY, "the issuer's certificate"),
        ("state", TEXT, "verified | claimed | refuted"),
    )),
    RollTable("issuance", "What issuers' logs say they issued.", (
        ("issuer_key", KEY, ""), ("serial_hex", TEXT, ""), ("credential_key", KEY, "NULL = the certificate was not collected"),
        ("issued_at", TIME, ""), ("not_after", TIME, ""), ("subject", TEXT, ""), ("source_key", KEY, ""), ("origin", TEXT, ""),
    )),
    RollTable("relying_party", "Who accepts identities.", (
        ("relying_party_key", KEY, ""),
        ("name", TEXT, ""),
        ("kind", TEXT, "broker | cloud | gateway | firmware | host"),
        ("collected", FLAG, "its sessions are collected"),
    )),
    RollTable("coverage", "Where and when nobody can connect unseen: relying party and place, from, to.", (
        ("relying_party_key", KEY, ""),
        ("site_key", KEY, "NULL = all places"),
        ("since", TIME, ""),
        ("until", TIME, ""),
        ("declared", FLAG, "by audit.toml; else from the log's first to its last entry, for places whose devices appear in it"),
    )),
    RollTable("anchor", "Who accepts what as a root.", (
        ("anchor_key", KEY, ""),
        ("credential_key", KEY, "its certificate"),
        ("issuer_key", KEY, "the same key as an issuer"),
        ("relying_party_key", KEY, ""),
        ("purpose", TEXT, "enrolment | operation | update; NULL = undeclared"),
        ("bundle", TEXT, "file"),
        ("source_key", KEY, ""),
        ("usable_under", COUNT, "usable certificates under its key"),
        ("seen_under", COUNT, "certificates of any status under its key that some source shows (itself not counted)"),
        ("replaced_by_key", KEY, "credential_key of a newer root of the same organisation and line of names"),
        ("revoked", FLAG, "a source says its certificate is revoked or switched off"),
        ("longest_not_after", TIME, "latest end of an anchor certificate with the same name and key"),
    )),
    RollTable("presented", "Chains shown on the wire.", (
        ("credential_key", KEY, "leaf"),
        ("side", TEXT, "client | server"),
        ("sessions", COUNT, "sessions that showed it, refused ones too"),
        ("accepted", COUNT, "those of them that were accepted; NULL for the server's side"),
        ("first_at", TIME, ""),
        ("last_at", TIME, ""),
        ("resolved", FLAG, "its chain ends in a collected anchor or CA (by signature where the certificates are there, by name else)"),
    )),
    RollTable("session", "Uses of identities; one row per connection, whoever saw it.", (
        ("session_key", KEY, ""),
        ("relying_party_key", KEY, ""),
        ("source_key", KEY, ""),
        ("started_at", TIME, ""),
        ("ended_at", TIME, "NULL = not told"),
        ("address", TEXT, "peer"),
        ("port", COUNT, ""),
        ("outcome", TEXT, "accepted | refused | unknown"),
        ("accepted", FLAG, ""),
        ("subject_kind", TEXT, "certificate | key | name | client-id | none, after joining with what sensors saw"),
        ("credential_key", KEY, "the credential proved to be used; NULL = only a name is known"),
        ("device_key", KEY, "the device, by credential or by name"),
        ("link", TEXT, "how device_key was found: certificate | strong (identifier) | common-name | name; NULL = not"),
            ("linked_by", TEXT, "which name link speaks of: user-name | client-id; NULL where a certificate decided"),
        ("user_name", TEXT, ""),
        ("client_id", TEXT, ""),
        ("client_key", KEY, "key of (relying party, client_id)"),
        ("origin", TEXT, ""),
    )),
    RollTable("takeover", "A client id connected twice.", (
        ("relying_party_key", KEY, ""), ("client_key", KEY, ""), ("client_id", TEXT, ""), ("happened_at", TIME, ""),
        ("old_address", TEXT, ""), ("new_address", TEXT, ""), ("old_user_name", TEXT, ""), ("new_user_name", TEXT, ""),
        ("source_key", KEY, ""), ("origin", TEXT, ""),
    )),
    RollTable("sighting", "Sessions of one subject at one relying party, folded by day.", (
        ("relying_party_key", KEY, ""), ("credential_key", KEY, "NULL = only a name"), ("device_key", KEY, "NULL = unknown"),
        ("user_name", TEXT, ""), ("client_id", TEXT, ""), ("link", TEXT, "as session.link"),
        ("day", "DATE", ""), ("first_at", TIME, ""), ("last_at", TIME, ""),
        ("accepted", COUNT, ""), ("refused", COUNT, ""), ("addresses", COUNT, "distinct peer addresses"),
    )),
    RollTable("policy", "Policies of rights, evaluated.", (
        ("policy_key", KEY, ""),
        ("source_key", KEY, ""),
        ("name", TEXT, ""),
        ("scope", TEXT, "account and region"),
        ("allows_all_actions", FLAG, "an Allow of every action on every resource stands after Deny and conditions are taken into account"),
        ("allows_all_topics", FLAG, "publish or subscribe on every topic stands likewise"),
        ("why", TEXT, "the statement that makes it so"),
        ("readable", FLAG, "the document could be understood"),
        ("origin", TEXT, ""),
    )),
    RollTable("policy_grant", "Policies attached to credentials.", (
        ("policy_key", KEY, ""), ("credential_key", KEY, ""), ("source_key", KEY, ""),
            ("effective", FLAG, "what makes the policy wide still stands with the other policies of the credential (a Deny there may undo it)"),
    )),
    RollTable("external_finding", "What other tools found.", (
        ("source_key", KEY, ""), ("finding_id", TEXT, ""), ("check_name", TEXT, ""), ("severity", TEXT, ""), ("found_at", TIME, ""),
        ("credential_key", KEY, ""), ("subject_text", TEXT, ""), ("reason", TEXT, ""),
    )),
    RollTable("problem", "What could not be read or understood.", (
        ("source_key", KEY, ""), ("file", TEXT, ""), ("place", TEXT, ""), ("reason", TEXT, ""), ("code", TEXT, ""), ("sha256", TEXT, ""),
    )),
)  # fmt: skip

TABLES_BY_NAME = {table.name: table for table in ROLL_TABLES}
