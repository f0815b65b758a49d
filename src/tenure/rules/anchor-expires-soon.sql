-- title = "Trust anchor expires soon"
-- severity = "high"
-- grain = "anchor"
-- why = """On that day every path that ends in it fails at once, for devices that may take months to reach with a new one."""
-- fix = """Make the successor now, bring it to every relying party and firmware named here beside the old one, and let devices
-- renew under it before the old one ends."""
-- moves_with_time = ["days_left"]
-- needs = ["anchor", "credential"]
-- reference = "RFC 6024; RFC 5280, section 6.1"
-- [parameters]
-- days = 180
SELECT
    a.credential_key AS finding,
    CASE WHEN a.usable_under = 0 THEN 'low' ELSE 'high' END AS finding_severity,
    a.anchor_key AS subject_anchor,
    c.not_after - INTERVAL 1 DAY * $days AS since,
    c.not_after AS expires_at,
    date_diff('day', $as_of, c.not_after) AS days_left,
    a.usable_under AS usable_certificates_under_it,
    r.name AS relying_party,
    r.kind AS relying_party_kind,
    a.purpose,
    a.bundle
FROM anchor AS a
JOIN credential AS c ON c.credential_key = a.credential_key
LEFT JOIN relying_party AS r ON r.relying_party_key = a.relying_party_key
WHERE c.not_after >= $as_of
  AND coalesce(a.longest_not_after, c.not_after) <= $as_of + INTERVAL 1 DAY * $days
