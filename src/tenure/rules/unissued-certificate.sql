-- title = "Certificate our CA signed but never recorded"
-- severity = "critical"
-- grain = "certificate"
-- why = """The signature is that of our key and the CA's record does not know the serial: the key was used past the CA, or entries
-- were removed. Such a certificate cannot be found again by those who revoke."""
-- fix = """Treat the issuing key as compromised until explained: find who signed, revoke the serial, search for more, and move the
-- devices to a new issuing key if no explanation holds."""
-- needs = ["credential", "issuer", "issuance"]
-- absence = true
-- needs_sources = [["openssl-ca", "issuance-log"]]
-- reference = "NIST SP 800-53 Rev. 5, SC-12 and AU-10; RFC 5280, section 4.1.2.2"
WITH record AS (
    SELECT n.issuer_key, max(s.speaks_as_of) AS speaks_as_of
    FROM (SELECT DISTINCT issuer_key, source_key FROM issuance) AS n
    JOIN source AS s ON s.source_key = n.source_key
    GROUP BY n.issuer_key
),
unlisted AS (
    -- signed by the issuer's key beyond doubt, within the time of its record, and not the issuer's own certificate
    SELECT c.credential_key, c.device_key, c.issuer_key, c.serial_hex, c.subject, c.issued_at, c.not_after, c.usable, c.ca,
           i.name AS issuer, i.issuance_since, r.speaks_as_of
    FROM credential AS c
    JOIN issuer AS i ON i.issuer_key = c.issuer_key
    LEFT JOIN record AS r ON r.issuer_key = i.issuer_key
    WHERE c.kind = 'certificate'
      AND c.issuer_verified
      AND i.issuance_collected
      AND c.serial_hex IS NOT NULL
      AND NOT c.self_signed
      AND (c.key_key IS NULL OR i.key_key IS NULL OR c.key_key <> i.key_key)
      AND (i.issuance_since IS NULL OR c.issued_at >= i.issuance_since)
      AND (r.speaks_as_of IS NULL OR c.issued_at <= r.speaks_as_of)
      AND NOT EXISTS (SELECT 1 FROM issuance AS n WHERE n.credential_key = c.credential_key)
)
SELECT
    u.credential_key AS finding,
    u.credential_key AS subject_credential,
    u.device_key AS subject_device,
    u.issuer_key AS subject_issuer,
    u.issued_at AS since,
    u.subject,
    u.issuer,
    u.ca AS is_a_ca_certificate,
    u.usable,
    u.not_after AS valid_until,
    u.issuance_since AS record_complete_from,
    u.speaks_as_of AS record_speaks_until
FROM unlisted AS u
LEFT JOIN issuance AS n ON n.issuer_key = u.issuer_key AND n.serial_hex = u.serial_hex
WHERE n.serial_hex IS NULL
