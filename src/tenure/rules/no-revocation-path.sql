-- title = "Certificates that nobody can be told are revoked"
-- severity = "medium"
-- grain = "issuer"
-- why = """They live for longer than a week and name neither a CRL nor an OCSP responder: whoever checks them has nowhere to ask, and a
-- stolen key works until the end."""
-- fix = """Put a CRL distribution point or an OCSP address into the issuing profile, or issue for at most seven days and renew."""
-- needs = ["credential", "issuer"]
-- reference = "RFC 5280, sections 4.2.1.13 and 4.2.2.1; RFC 9608"
-- [parameters]
-- days = 7
SELECT
    i.issuer_key AS finding,
    i.issuer_key AS subject_issuer,
    min(c.not_before) AS since,
    i.name AS issuer,
    i.ours,
    count(*) AS certificates,
    count(DISTINCT c.device_key) AS devices,
    max(c.lifetime_days) AS longest_lifetime_days,
    max(c.not_after) AS latest_end
FROM credential AS c
JOIN issuer AS i ON i.issuer_key = c.issuer_key
WHERE c.kind = 'certificate'
  AND c.usable
  AND NOT c.ca
  AND NOT c.self_signed
  AND c.role IN ('operational', 'server', 'service', 'unknown')
  -- without its key the certificate itself was not read (a log told of it), and what it names is not known
  AND c.key_key IS NOT NULL
  AND NOT c.crl_url
  AND NOT c.ocsp_url
  AND (c.no_expiry OR c.lifetime_days > $days)
GROUP BY i.issuer_key, i.name, i.ours
