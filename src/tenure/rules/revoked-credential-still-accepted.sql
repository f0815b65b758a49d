-- title = "Revoked credential is still accepted"
-- severity = "critical"
-- grain = "credential"
-- why = """A relying party let the credential in after it was revoked: it does not look at revocation, or looks at an old list, and then
-- no revocation at all reaches it."""
-- fix = """Give the relying party the CRL or OCSP responder of the issuer and make it refuse without a fresh answer, or bar the credential
-- there by name. Cut its open sessions, then see a refused attempt."""
-- needs = ["session", "credential"]
-- reference = "RFC 5280, section 6.3; OWASP NHI1:2025"
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    min(s.started_at) AS since,
    c.revoked_at AS revoked_at,
    p.name AS relying_party,
    count(*) AS sessions,
    min(s.started_at) AS first_accepted_at,
    max(s.started_at) AS last_accepted_at,
    count(DISTINCT s.address) AS addresses,
    max(s.address) AS address
FROM credential AS c
JOIN session AS s ON s.credential_key = c.credential_key
LEFT JOIN relying_party AS p ON p.relying_party_key = s.relying_party_key
WHERE c.revoked_at IS NOT NULL
  AND s.accepted
  AND s.started_at > c.revoked_at
GROUP BY c.credential_key, c.device_key, c.revoked_at, p.name
