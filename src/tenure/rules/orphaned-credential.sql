-- title = "Credential that belongs to no device"
-- severity = "medium"
-- grain = "credential"
-- why = """It would be accepted, no inventory or cloud says what holds it, and nobody saw it in use: a leftover of a device that was
-- deleted, or a spare key that whoever finds it can use unnoticed."""
-- fix = """Ask who requested it (its issuance record says when). Bind it to its device, or revoke it."""
-- needs = ["credential", "device"]
-- absence = true
-- reference = "NIST SP 800-53 Rev. 5, IA-4 and IA-5; OWASP NHI1:2025"
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.issued_at AS since,
    c.kind AS credential_kind,
    c.role AS credential_role,
    c.subject AS subject,
    i.name AS issuer,
    c.issued_at AS issued_at,
    c.not_after AS not_after,
    c.anchored AS anchored,
    c.active_at_issuer AS active_at_issuer
FROM credential AS c
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
LEFT JOIN binding AS b ON b.credential_key = c.credential_key
LEFT JOIN presented AS w ON w.credential_key = c.credential_key AND (w.side = 'server' OR w.accepted > 0)
WHERE c.usable
  AND NOT c.ca
  -- what is no device's by its role is not missing one; an attestation key opens no session
  AND c.role IN ('operational', 'birth', 'unknown')
  AND c.last_used_at IS NULL
  AND c.last_maybe_used_at IS NULL
  AND b.credential_key IS NULL
  AND w.credential_key IS NULL
