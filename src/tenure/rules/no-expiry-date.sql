-- title = "Certificate without an end"
-- severity = "medium"
-- grain = "credential"
-- why = """It ends in 9999 or after more than a working life: nothing ends by itself what nobody remembers to revoke, and its key must
-- withstand everything that is found out until then."""
-- fix = """Reissue it with a lifetime its class can renew in. A birth certificate may last for ever, but then enrol the device and let it
-- work with an operational one."""
-- needs = ["credential"]
-- reference = "RFC 5280, section 4.1.2.5; OWASP NHI7:2025"
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    c.not_before AS since,
    c.not_before AS not_before,
    c.not_after AS not_after,
    c.lifetime_days AS lifetime_days,
    c.role AS credential_role,
    i.name AS issuer,
    c.usable AS usable,
    c.origin AS origin
FROM credential AS c
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
WHERE c.no_expiry
  AND c.kind = 'certificate'
  AND NOT c.ended
  -- birth and attestation certificates may last as long as the hardware. Where nobody says what it is for, it may be one
  -- of these, unless somebody lets it in.
  AND (c.role IN ('operational', 'server', 'service', 'claim') OR (c.role = 'unknown' AND c.usable))
