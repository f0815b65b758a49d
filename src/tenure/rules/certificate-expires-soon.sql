-- title = "Certificate of an active device ends soon"
-- severity = "medium"
-- grain = "device"
-- why = """The last certificate in force of a working device runs out, and no later one is there: when it ends, the device is cut off and,
-- where it renews over the same connection, cannot come back by itself."""
-- fix = """Renew it now by the way its class can take, and find out why it has not renewed by itself."""
-- moves_with_time = ["days_left"]
-- needs = ["device", "credential", "binding"]
-- reference = "RFC 5280, section 4.1.2.5; NIST SP 1800-16B"
-- [parameters]
-- days = 30
-- short_lived_days = 90    # lifetimes under this are judged by what is left of them instead
-- share_left = 3           # less than one part in so many is soon
WITH own AS (
    SELECT
        credential_key, device_key, issued_at, not_after, lifetime_days, last_used_at,
        CASE
            WHEN lifetime_days < $short_lived_days
                THEN not_after - INTERVAL 1 SECOND * CAST(lifetime_days * 86400 / $share_left AS BIGINT)
            ELSE not_after - INTERVAL 1 DAY * $days
        END AS soon_from
    FROM credential
    WHERE usable
      AND kind = 'certificate'
      AND role IN ('operational', 'unknown', 'birth')
),
candidate AS (
    SELECT DISTINCT d.device_key
    FROM own AS o
    JOIN binding AS b ON b.credential_key = o.credential_key
    JOIN device AS d ON d.device_key = b.device_key
    WHERE d.active
      AND o.soon_from <= $as_of
      AND (b.strong OR o.device_key = b.device_key)
),
held AS (
    -- the usable certificate that lasts longest decides; one without an end lasts for ever
    SELECT
        n.device_key, o.credential_key, o.issued_at, o.not_after, o.soon_from, o.lifetime_days, o.last_used_at,
        row_number() OVER (PARTITION BY n.device_key ORDER BY o.not_after DESC NULLS FIRST, o.credential_key DESC) AS place
    FROM candidate AS n
    JOIN (SELECT DISTINCT device_key, credential_key, strong FROM binding) AS b ON b.device_key = n.device_key
    JOIN own AS o ON o.credential_key = b.credential_key AND (b.strong OR o.device_key = b.device_key)
)
SELECT
    h.device_key AS finding,
    h.device_key AS subject_device,
    h.credential_key AS subject_credential,
    h.soon_from AS since,
    h.not_after AS not_after,
    date_diff('hour', $as_of, h.not_after) / 24.0 AS days_left,
    h.lifetime_days AS lifetime_days,
    h.issued_at AS issued_at,
    h.last_used_at AS last_used_at,
    d.rotation AS rotation
FROM held AS h
JOIN device AS d ON d.device_key = h.device_key
WHERE h.place = 1
  AND h.soon_from <= $as_of
