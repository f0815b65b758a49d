-- title = "Certificate lives longer than its class needs"
-- severity = "low"
-- grain = "credential"
-- why = """The device could renew by itself, and its certificate stays good for years: a stolen key stays good as long, and a revocation
-- list must carry it to the end."""
-- fix = """Shorten the lifetime in the issuing profile and let the devices renew. Begin with those whose next renewal is due."""
-- needs = ["credential", "device", "device_class"]
-- needs_sources = [["device-classes"]]
-- reference = "CA/Browser Forum Baseline Requirements, section 6.3.2; OWASP NHI7:2025"
-- [parameters]
-- days = 398
WITH held AS (
    SELECT b.credential_key, min(b.device_key) AS device_key
    FROM binding AS b
    JOIN device AS d ON d.device_key = b.device_key
    WHERE d.in_service AND d.rotation = 'online'
    GROUP BY b.credential_key
)
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    d.device_key AS subject_device,
    c.issued_at AS since,
    c.lifetime_days AS lifetime_days,
    c.not_before AS not_before,
    c.not_after AS not_after,
    i.name AS issuer,
    d.device_class AS device_class,
    d.model AS model
FROM credential AS c
JOIN held AS h ON h.credential_key = c.credential_key
JOIN device AS d ON d.device_key = h.device_key
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
WHERE c.usable
  AND c.kind = 'certificate'
  AND c.role = 'operational'
  AND c.lifetime_days > $days
  -- without any end it is a finding of no-expiry-date
  AND NOT c.no_expiry
