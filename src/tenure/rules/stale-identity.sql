-- title = "Identity that is no longer used"
-- severity = "medium"
-- grain = "credential"
-- why = """The device's newest credential is valid and has not been used for months, although its use would have been seen: the device is
-- gone, or lives on something else, and the key lies around."""
-- fix = """Look for the device. Retire it and end its credentials if it is gone; if it lives on another credential, end this one."""
-- needs = ["device", "credential", "binding"]
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek", "secrets"]]
-- reference = "NIST SP 800-53 Rev. 5, IA-4 e and AC-2(3)"
-- [parameters]
-- days = 90
-- slack_days = 7    # how far before the time of judgement a log or a store of secrets may end
WITH telling_store AS (
    -- a store that tells last use of any secret, and up to now: an empty cell there means never used
    SELECT c.source_key
    FROM credential AS c
    JOIN source AS o ON o.source_key = c.source_key
    WHERE c.kind IN ('token', 'psk', 'password')
      AND c.last_used_at IS NOT NULL
      AND o.speaks_as_of >= $as_of - INTERVAL 1 DAY * $slack_days
    GROUP BY c.source_key
),
unused AS (
    SELECT c.credential_key, c.device_key, c.role, t.source_key IS NOT NULL AS told_by_store
    FROM credential AS c
    JOIN device AS d ON d.device_key = c.device_key
    LEFT JOIN telling_store AS t ON t.source_key = c.source_key AND c.kind IN ('token', 'psk', 'password')
    WHERE d.active
      AND c.newest_of_role
      AND c.role IN ('operational', 'unknown', 'birth')
      AND c.issued_at < $as_of - INTERVAL 1 DAY * $days
      AND (c.last_used_at IS NULL OR c.last_used_at < $as_of - INTERVAL 1 DAY * $days)
      AND (c.last_maybe_used_at IS NULL OR c.last_maybe_used_at < $as_of - INTERVAL 1 DAY * $days)
      AND (
          t.source_key IS NOT NULL
          OR (
              c.kind IN ('certificate', 'raw-key')
              AND d.covered
              AND d.covered_since <= $as_of - INTERVAL 1 DAY * $days
              AND d.covered_until >= $as_of - INTERVAL 1 DAY * $slack_days
              -- behind a gateway it is the gateway that sees it; unless it was seen to connect by itself
              AND (NOT d.behind_gateway OR d.first_seen_at IS NOT NULL)
          )
      )
),
works_with_another AS (
    -- a birth certificate is what a device works with only where it has nothing else
    SELECT DISTINCT u.credential_key
    FROM unused AS u
    JOIN credential AS o ON o.device_key = u.device_key
    WHERE u.role = 'birth' AND o.usable AND o.role IN ('operational', 'unknown')
)
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    d.device_key AS subject_device,
    coalesce(c.last_maybe_used_at, c.last_used_at, c.issued_at) AS since,
    c.kind AS credential_kind,
    c.role AS credential_role,
    c.issued_at AS issued_at,
    c.last_used_at AS last_used_at,
    c.last_maybe_used_at AS last_maybe_used_at,
    c.not_after AS not_after,
    d.last_seen_at AS device_last_seen_at,
    CASE WHEN u.told_by_store THEN 'store of secrets' ELSE 'sessions of its place' END AS watched_by,
    d.covered_since AS covered_since,
    d.covered_until AS covered_until
FROM unused AS u
JOIN credential AS c ON c.credential_key = u.credential_key
JOIN device AS d ON d.device_key = u.device_key
LEFT JOIN works_with_another AS w ON w.credential_key = u.credential_key
WHERE w.credential_key IS NULL
