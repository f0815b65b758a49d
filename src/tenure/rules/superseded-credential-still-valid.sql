-- title = "Replaced credential is still valid"
-- severity = "medium"
-- grain = "credential"
-- why = """The device has long moved on to a newer credential, and the old one would still be accepted: a second key to the same door
-- that nobody watches."""
-- fix = """Revoke or deactivate the older credential. In renewal, end the old one once the new one has been seen in use."""
-- needs = ["credential"]
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek", "secrets"]]
-- reference = "NIST SP 800-57 Part 1 Rev. 5, section 8.2.3; OWASP NHI1:2025"
-- [parameters]
-- days = 30
WITH pair AS (
    SELECT
        o.credential_key AS older_key, n.credential_key AS newer_key,
        row_number() OVER (PARTITION BY o.credential_key ORDER BY n.issued_at DESC, n.credential_key DESC) AS place
    FROM credential AS o
    JOIN credential AS n ON n.device_key = o.device_key AND n.kind = o.kind AND n.role = o.role
    WHERE o.usable
      AND NOT o.newest_of_role
      AND o.role IN ('operational', 'unknown')
      AND n.usable
      AND n.issued_at > o.issued_at
      -- proved use only: a name that both carry does not tell which of them was used
      AND n.first_used_at < $as_of - INTERVAL 1 DAY * $days
      -- a device that fell back to the older one has not moved on
      AND (o.last_used_at IS NULL OR n.last_used_at >= o.last_used_at - INTERVAL 1 DAY * $days)
      -- secrets of different rights stand side by side
      AND (o.scopes = n.scopes OR (o.scopes IS NULL AND n.scopes IS NULL))
)
SELECT
    o.credential_key AS finding,
    o.credential_key AS subject_credential,
    n.credential_key AS subject_credential_2,
    o.device_key AS subject_device,
    n.first_used_at AS since,
    o.kind AS credential_kind,
    o.issued_at AS older_issued_at,
    o.not_after AS older_not_after,
    o.last_used_at AS older_last_used_at,
    n.issued_at AS newer_issued_at,
    n.first_used_at AS newer_first_used_at,
    n.last_used_at AS newer_last_used_at,
    o.key_key = n.key_key AS same_key
FROM pair AS p
JOIN credential AS o ON o.credential_key = p.older_key
JOIN credential AS n ON n.credential_key = p.newer_key
WHERE p.place = 1
