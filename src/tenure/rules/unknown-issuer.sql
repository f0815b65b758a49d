-- title = "Certificate of an unknown issuer shown on the wire"
-- severity = "medium"
-- grain = "certificate"
-- why = """A device shows a certificate whose chain ends in nothing that was collected: either a bundle that accepts it is missing
-- from the picture, or it is let in without its chain being checked."""
-- fix = """Find who accepts it. Collect that party's bundle if it trusts the issuer on purpose; else make it check the chain, and
-- replace the certificate."""
-- needs = ["presented"]
-- absence = true
-- needs_sources = [["trust-anchors", "openssl-ca", "aws-iot", "certificates"]]
-- reference = "RFC 5280, section 6.1"
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    min(p.first_at) AS since,
    i.name AS issuer,
    c.subject,
    c.self_signed,
    c.not_after AS valid_until,
    sum(p.sessions) AS sessions,
    sum(coalesce(p.accepted, 0)) AS accepted_sessions,
    max(p.last_at) AS last_shown_at
FROM presented AS p
JOIN credential AS c ON c.credential_key = p.credential_key
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
WHERE p.side = 'client'
  AND NOT p.resolved
  -- a cloud that keeps the certificate itself on its list accepts that, whoever signed it
  AND NOT EXISTS (SELECT 1 FROM status AS s WHERE s.credential_key = c.credential_key AND s.authority = 'cloud')
GROUP BY c.credential_key, c.device_key, i.name, c.subject, c.self_signed, c.not_after
