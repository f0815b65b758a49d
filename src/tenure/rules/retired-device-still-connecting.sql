-- title = "Retired device still connects"
-- severity = "critical"
-- grain = "device"
-- why = """A credential of a retired, lost or stolen device was accepted after the day the device left service: the device is still out
-- there, or somebody uses what it held. A client id alone is only what a client calls itself and is not counted."""
-- fix = """End the credential and cut its sessions now, then find out who connects: a device that came back needs a new identity, a thief
-- needs none. Where the record is wrong, correct the record."""
-- needs = ["device"]
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek", "secrets"]]
-- reference = "NIST SP 800-57 Part 1 Rev. 5, section 8.3; OWASP NHI1:2025"
WITH left_service AS (
    -- where nobody says when it left, no use can be said to be later
    SELECT device_key, left_service_at, state, state_text
    FROM device
    WHERE gone AND left_service_at IS NOT NULL
),
late AS (
    -- proof that the credential is its own: a certificate that only it holds, or a user name the party has authenticated.
    -- A client id alone is what a client calls itself and proves nothing.
    SELECT
        s.device_key, s.credential_key, s.relying_party_key, s.link,
        CASE WHEN s.credential_key IS NULL THEN s.user_name END AS user_name,
        s.started_at, s.address
    FROM session AS s
    JOIN left_service AS d ON d.device_key = s.device_key
    LEFT JOIN credential AS c ON c.credential_key = s.credential_key
    WHERE s.accepted
      AND s.started_at > d.left_service_at
      AND ((s.credential_key IS NOT NULL AND c.devices = 1) OR (s.credential_key IS NULL AND s.linked_by = 'user-name'))
),
late_session AS (
    SELECT
        device_key, credential_key, relying_party_key, link, user_name, count(*) AS sessions,
        min(started_at) AS first_accepted_at, max(started_at) AS last_accepted_at,
        count(DISTINCT address) AS addresses, max(address) AS address
    FROM late
    GROUP BY device_key, credential_key, relying_party_key, link, user_name
),
late_secret AS (
    -- what a store of secrets says of use; it tells the last one only
    SELECT d.device_key, c.credential_key, c.last_used_at
    FROM left_service AS d
    JOIN credential AS c ON c.device_key = d.device_key
    WHERE c.kind IN ('token', 'psk', 'password') AND c.last_used_at > d.left_service_at
),
late_use AS (
    SELECT
        device_key, credential_key, relying_party_key, link AS proved_by, user_name, sessions, first_accepted_at, last_accepted_at,
        addresses, address
    FROM late_session
    UNION ALL
    SELECT
        t.device_key, t.credential_key, CAST(NULL AS BIGINT) AS relying_party_key, 'store of secrets' AS proved_by,
        CAST(NULL AS VARCHAR) AS user_name, CAST(NULL AS BIGINT) AS sessions, t.last_used_at AS first_accepted_at,
        t.last_used_at AS last_accepted_at, CAST(NULL AS BIGINT) AS addresses, CAST(NULL AS VARCHAR) AS address
    FROM late_secret AS t
)
SELECT
    d.device_key AS finding,
    d.device_key AS subject_device,
    u.credential_key AS subject_credential,
    u.first_accepted_at AS since,
    d.state AS state,
    d.state_text AS state_text,
    d.left_service_at AS left_service_at,
    p.name AS relying_party,
    u.proved_by AS proved_by,
    u.user_name AS user_name,
    u.sessions AS sessions,
    u.first_accepted_at AS first_accepted_at,
    u.last_accepted_at AS last_accepted_at,
    u.addresses AS addresses,
    u.address AS address
FROM late_use AS u
JOIN left_service AS d ON d.device_key = u.device_key
LEFT JOIN relying_party AS p ON p.relying_party_key = u.relying_party_key
