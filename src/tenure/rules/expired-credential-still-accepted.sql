-- title = "Expired credential is still accepted"
-- severity = "high"
-- grain = "credential"
-- why = """A relying party let the credential in after its end: it does not check the time or has none, so nothing that relies on expiry
-- ever ends there."""
-- fix = """Make the relying party check validity and give it the right time. Renew the credential where the device is in service; where
-- it is not, bar it at the relying party."""
-- needs = ["credential"]
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek", "secrets"]]
-- reference = "RFC 5280, sections 4.1.2.5 and 6.1.3"
WITH late_session AS (
    SELECT
        c.credential_key, s.relying_party_key, count(*) AS sessions, min(s.started_at) AS first_accepted_at,
        max(s.started_at) AS last_accepted_at, count(DISTINCT s.address) AS addresses, max(s.address) AS address
    FROM credential AS c
    JOIN session AS s ON s.credential_key = c.credential_key
    WHERE c.not_after IS NOT NULL
      AND s.accepted
      AND s.started_at > c.not_after
    GROUP BY c.credential_key, s.relying_party_key
),
late_use AS (
    SELECT
        credential_key, relying_party_key, 'session' AS told_by, sessions, first_accepted_at, last_accepted_at, addresses, address
    FROM late_session
    UNION ALL
    -- what a store of secrets says of use; it tells the last one only
    SELECT
        c.credential_key, CAST(NULL AS BIGINT) AS relying_party_key, 'store of secrets' AS told_by,
        CAST(NULL AS BIGINT) AS sessions, c.last_used_at AS first_accepted_at, c.last_used_at AS last_accepted_at,
        CAST(NULL AS BIGINT) AS addresses, CAST(NULL AS VARCHAR) AS address
    FROM credential AS c
    LEFT JOIN late_session AS t ON t.credential_key = c.credential_key
    WHERE c.kind IN ('token', 'psk', 'password')
      AND c.last_used_at > c.not_after
      AND t.credential_key IS NULL
)
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    u.first_accepted_at AS since,
    c.kind AS credential_kind,
    c.not_after AS not_after,
    p.name AS relying_party,
    u.told_by AS told_by,
    u.sessions AS sessions,
    u.first_accepted_at AS first_accepted_at,
    u.last_accepted_at AS last_accepted_at,
    u.addresses AS addresses,
    u.address AS address
FROM late_use AS u
JOIN credential AS c ON c.credential_key = u.credential_key
LEFT JOIN relying_party AS p ON p.relying_party_key = u.relying_party_key
