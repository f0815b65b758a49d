-- title = "Certificate signed with a broken hash"
-- severity = "high"
-- grain = "certificate"
-- why = """MD5 and SHA-1 allow collisions: who can choose part of a request can carry the signature over to a certificate that the
-- CA never saw. The self-signature of an anchor proves nothing and does not count."""
-- fix = """Issue the certificate anew from a CA profile that signs with SHA-256 or stronger, and see that the profile is the only
-- one left."""
-- needs = ["credential", "device"]
-- reference = "RFC 6151 (MD5), RFC 6194 (SHA-1)"
SELECT DISTINCT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    d.device_key AS subject_device,
    c.not_before AS since,
    c.signature_hash,
    i.name AS issuer,
    c.role,
    c.not_after AS valid_until
FROM credential AS c
JOIN binding AS b ON b.credential_key = c.credential_key
JOIN device AS d ON d.device_key = b.device_key
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
LEFT JOIN anchor AS a ON a.credential_key = c.credential_key
WHERE c.signature_hash IN ('md2', 'md4', 'md5', 'sha1')
  AND c.kind = 'certificate'
  AND c.usable
  AND d.in_service
  -- a name binds only where nothing stronger says who holds it
  AND (b.strong OR c.device_key = d.device_key)
  AND NOT (c.self_signed AND (c.ca OR a.anchor_key IS NOT NULL))
