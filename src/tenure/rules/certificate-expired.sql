-- title = "All certificates of an active device have expired"
-- severity = "high"
-- grain = "device"
-- why = """The device is in operation and holds no certificate that is in force: it is cut off, or it is let in by somebody who does not
-- check the end."""
-- fix = """Renew its certificate by the way its class can take. If it still works without, find the relying party that accepts it."""
-- needs = ["device", "credential", "binding"]
-- reference = "RFC 5280, section 4.1.2.5"
WITH own AS (
    -- what it works with: operational certificates, and a birth certificate only where that is trusted for operation
    SELECT credential_key, device_key, expired, ended, not_after, issued_at, last_used_at
    FROM credential
    WHERE kind = 'certificate'
      AND (role IN ('operational', 'unknown') OR (role = 'birth' AND anchored_for_operation))
),
candidate AS (
    SELECT DISTINCT d.device_key
    FROM own AS o
    JOIN binding AS b ON b.credential_key = o.credential_key
    JOIN device AS d ON d.device_key = b.device_key
    WHERE o.expired
      AND NOT o.ended
      AND d.active
      AND (b.strong OR o.device_key = b.device_key)
),
held AS (
    SELECT
        n.device_key, o.credential_key, o.expired, o.ended, o.not_after, o.issued_at, o.last_used_at,
        row_number() OVER (
            PARTITION BY n.device_key ORDER BY o.issued_at DESC NULLS LAST, o.not_after DESC NULLS LAST, o.credential_key DESC
        ) AS place,
        count(*) OVER (PARTITION BY n.device_key) AS certificates,
        max(CASE WHEN o.expired OR o.ended THEN 0 ELSE 1 END) OVER (PARTITION BY n.device_key) AS any_in_force
    FROM candidate AS n
    JOIN (SELECT DISTINCT device_key, credential_key, strong FROM binding) AS b ON b.device_key = n.device_key
    JOIN own AS o ON o.credential_key = b.credential_key AND (b.strong OR o.device_key = b.device_key)
)
SELECT
    h.device_key AS finding,
    h.device_key AS subject_device,
    h.credential_key AS subject_credential,
    h.not_after AS since,
    h.not_after AS not_after,
    h.certificates AS certificates,
    h.last_used_at AS last_used_at,
    d.last_seen_at AS device_last_seen_at,
    d.rotation AS rotation
FROM held AS h
JOIN device AS d ON d.device_key = h.device_key
-- the newest is over by its end; one that was revoked is somebody's decision and no lapse
WHERE h.place = 1
  AND h.any_in_force = 0
  AND h.expired
  AND NOT h.ended
