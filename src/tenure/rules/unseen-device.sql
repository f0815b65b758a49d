-- title = "Registered device that nobody ever saw"
-- severity = "low"
-- grain = "device"
-- why = """It is on record as active, its place is watched, and it never showed itself: it was stolen, scrapped or never installed,
-- and whatever it holds may be in other hands."""
-- fix = """Look for it where it should be. Mark it lost or retired and end its credentials if it is not there; correct the record if
-- it is elsewhere."""
-- needs = ["device", "coverage"]
-- absence = true
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek"]]
-- needs_coverage = true
-- reference = "NIST SP 800-53 Rev. 5, CM-8"
-- [parameters]
-- days = 30
WITH silent AS (
    SELECT d.device_key, d.installed_at, d.covered_since, d.covered_until
    FROM device AS d
    WHERE d.active
      AND d.registered
      AND NOT d.behind_gateway
      AND d.covered
      AND d.covered_since <= $as_of - INTERVAL 1 DAY * $days
      AND d.covered_until > $as_of - INTERVAL 1 DAY * $days
      AND d.last_seen_at IS NULL
      AND d.discovered_at IS NULL
),
held AS (
    -- what it holds tells since when it is in service, and whether it may have been seen by a name that others share
    SELECT
        s.device_key,
        min(CASE WHEN c.role NOT IN ('birth', 'attestation') THEN c.issued_at END) AS first_issued_at,
        max(coalesce(c.last_used_at, c.last_maybe_used_at)) AS last_used_at
    FROM silent AS s
    JOIN binding AS b ON b.device_key = s.device_key
    JOIN credential AS c ON c.credential_key = b.credential_key
    GROUP BY s.device_key
),
knocked AS (
    SELECT DISTINCT s.device_key FROM silent AS s JOIN sighting AS g ON g.device_key = s.device_key
)
SELECT
    s.device_key AS finding,
    s.device_key AS subject_device,
    greatest(s.covered_since, coalesce(s.installed_at, h.first_issued_at)) AS since,
    s.installed_at,
    h.first_issued_at AS first_credential_issued_at,
    s.covered_since,
    s.covered_until
FROM silent AS s
LEFT JOIN held AS h ON h.device_key = s.device_key
LEFT JOIN knocked AS k ON k.device_key = s.device_key
WHERE k.device_key IS NULL
  AND h.last_used_at IS NULL
  AND coalesce(s.installed_at, h.first_issued_at) < $as_of - INTERVAL 1 DAY * $days
