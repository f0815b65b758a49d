-- title = "Certificate is not valid yet"
-- severity = "low"
-- grain = "credential"
-- why = """It begins in the future: issued ahead of its time, or by a CA whose clock is wrong. A device that already needs it cannot use it,
-- and one with a slow clock may use it later than all others."""
-- fix = """Look at the clock of the issuer. Reissue it, unless it was meant to wait."""
-- needs = ["credential"]
-- reference = "RFC 5280, section 4.1.2.5"
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    c.issued_at AS since,
    c.not_before AS not_before,
    c.not_after AS not_after,
    c.role AS credential_role,
    i.name AS issuer,
    c.origin AS origin
FROM credential AS c
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
WHERE c.not_yet_valid
  AND c.kind = 'certificate'
  AND NOT c.ca
  AND NOT c.ended
