-- title = "Two clients fight over one client id"
-- severity = "medium"
-- grain = "client"
-- why = """Clients at different addresses call themselves the same and throw each other out: two devices left with one image or one
-- configuration, or one is a copy, and neither can work."""
-- fix = """Find both by address. Let the client id follow from the device's own identity, and let the broker tie it to the credential."""
-- needs = ["session"]
-- needs_sources = [["mosquitto-log", "aws-iot-log"]]
-- reference = "OASIS MQTT 5.0, section 3.1.4 (MQTT-3.1.4-3)"
-- [parameters]
-- takeovers = 4
-- minutes = 30
WITH event AS (
    -- the same line in two exports of one log is one event
    SELECT DISTINCT
        relying_party_key, client_key, client_id, happened_at, old_address, new_address, old_user_name, new_user_name
    FROM takeover
    WHERE client_key IS NOT NULL
),
moment AS (
    SELECT
        client_key, happened_at,
        count(*) OVER recent AS events,
        min(happened_at) OVER recent AS first_at,
        min(least(old_address, new_address)) OVER recent AS lowest_address,
        max(greatest(old_address, new_address)) OVER recent AS highest_address
    FROM event
    WINDOW recent AS (
        PARTITION BY client_key ORDER BY happened_at
        RANGE BETWEEN INTERVAL 1 MINUTE * $minutes PRECEDING AND CURRENT ROW
    )
),
fight AS (
    SELECT client_key, min(first_at) AS first_at, max(happened_at) AS last_at, max(events) AS most_events
    FROM moment
    WHERE events >= $takeovers AND lowest_address <> highest_address
    GROUP BY client_key
),
side AS (
    SELECT client_key, happened_at, old_address AS address, old_user_name AS user_name FROM event
    UNION ALL
    SELECT client_key, happened_at, new_address AS address, new_user_name AS user_name FROM event
),
sides AS (
    SELECT
        f.client_key, count(DISTINCT s.address) AS addresses, min(s.address) AS address, max(s.address) AS other_address,
        min(s.user_name) AS user_name, CASE WHEN min(s.user_name) <> max(s.user_name) THEN max(s.user_name) END AS other_user_name
    FROM fight AS f
    JOIN side AS s ON s.client_key = f.client_key AND s.happened_at BETWEEN f.first_at AND f.last_at
    GROUP BY f.client_key
),
whole AS (
    SELECT f.client_key, min(e.client_id) AS client_id, min(e.relying_party_key) AS relying_party_key, count(*) AS takeovers
    FROM fight AS f
    JOIN event AS e ON e.client_key = f.client_key AND e.happened_at BETWEEN f.first_at AND f.last_at
    GROUP BY f.client_key
)
SELECT
    f.client_key AS finding,
    w.client_id AS subject_client,
    f.first_at AS since,
    p.name AS relying_party,
    f.first_at AS first_takeover_at,
    f.last_at AS last_takeover_at,
    w.takeovers AS takeovers,
    f.most_events AS most_within_the_time,
    s.addresses AS addresses,
    s.address AS address,
    s.other_address AS other_address,
    s.user_name AS user_name,
    s.other_user_name AS other_user_name
FROM fight AS f
JOIN sides AS s ON s.client_key = f.client_key
JOIN whole AS w ON w.client_key = f.client_key
LEFT JOIN relying_party AS p ON p.relying_party_key = w.relying_party_key
