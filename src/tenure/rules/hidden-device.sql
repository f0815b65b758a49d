-- title = "Something connects that no inventory knows"
-- severity = "high"
-- grain = "client"
-- why = """It was let in, and nobody answers for it: a device somebody forgot to register, a copy, or an intruder. What is in no
-- inventory is never patched and never retired."""
-- fix = """Find it by address and client id. Register it with an owner, or end its credential and its sessions."""
-- needs = ["session", "device"]
-- absence = true
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek"], ["cmdb", "aws-iot"]]
-- reference = "NIST SP 800-53 Rev. 5, CM-8(3)"
WITH nobodys AS (
    SELECT session_key FROM session WHERE accepted AND device_key IS NULL
    UNION ALL
    SELECT s.session_key
    FROM device AS d JOIN session AS s ON s.device_key = d.device_key
    WHERE s.accepted AND NOT d.registered
),
stranger AS (
    -- let in, of no registered device, and naming somebody: a credential under our CAs, a user name or a client id
    SELECT s.session_key, s.relying_party_key, s.started_at, s.address, s.client_id, s.user_name, s.credential_key, s.device_key
    FROM nobodys AS n
    JOIN session AS s ON s.session_key = n.session_key
    LEFT JOIN credential AS c ON c.credential_key = s.credential_key
    LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
    WHERE (c.role IS NULL OR c.role NOT IN ('server', 'service', 'claim'))
      AND (s.client_id IS NOT NULL OR s.user_name IS NOT NULL OR i.ours OR i.registered)
),
stranger_name AS (
    SELECT user_name AS name FROM stranger WHERE user_name IS NOT NULL AND credential_key IS NULL
    UNION
    SELECT client_id AS name FROM stranger WHERE client_id IS NOT NULL AND credential_key IS NULL
),
namesake AS (
    SELECT n.name, c.credential_key, c.role, c.devices
    FROM stranger_name AS n JOIN credential AS c ON c.name = n.name
    UNION
    SELECT n.name, c.credential_key, c.role, c.devices
    FROM stranger_name AS n JOIN credential AS c ON c.subject = n.name
),
notation AS (
    SELECT name, name AS value FROM stranger_name
    UNION
    SELECT name, upper(name) AS value FROM stranger_name
    UNION
    SELECT name, replace(replace(lower(name), '_', '-'), '.', '-') AS value FROM stranger_name
),
explained_name AS (
    -- a name that several registered devices, a server or a service carry is one of theirs, though not which
    SELECT m.name
    FROM namesake AS m
    LEFT JOIN binding AS b ON b.credential_key = m.credential_key
    LEFT JOIN device AS d ON d.device_key = b.device_key
    WHERE m.role IN ('server', 'service') OR d.registered
    UNION
    SELECT n.name
    FROM notation AS n
    JOIN identifier AS v ON v.value = n.value AND NOT v.non_identifying
    JOIN device_identifier AS w ON w.identifier_key = v.identifier_key
    JOIN device AS d ON d.device_key = w.device_key
    WHERE d.registered
),
explained_credential AS (
    SELECT DISTINCT x.credential_key
    FROM stranger AS x
    JOIN binding AS b ON b.credential_key = x.credential_key
    JOIN device AS d ON d.device_key = b.device_key
    WHERE d.registered
),
unexplained AS (
    SELECT x.session_key, x.relying_party_key, x.started_at, x.address, x.client_id, x.user_name, x.credential_key, x.device_key
    FROM stranger AS x
    LEFT JOIN explained_credential AS e ON e.credential_key = x.credential_key
    LEFT JOIN explained_name AS u ON u.name = x.user_name AND x.credential_key IS NULL
    LEFT JOIN explained_name AS k ON k.name = x.client_id AND x.credential_key IS NULL AND x.user_name IS NULL
    WHERE e.credential_key IS NULL AND u.name IS NULL AND k.name IS NULL
),
credential_of_name AS (
    -- sessions that tell only a name join the finding of the credential that was seen with it, or that alone carries it
    SELECT name, max(credential_key) AS credential_key
    FROM (
        SELECT user_name AS name, credential_key FROM unexplained WHERE user_name IS NOT NULL AND credential_key IS NOT NULL
        UNION
        SELECT client_id AS name, credential_key
        FROM unexplained WHERE client_id IS NOT NULL AND credential_key IS NOT NULL AND user_name IS NULL
        UNION
        SELECT name, max(credential_key) AS credential_key FROM namesake
        WHERE devices = 0 GROUP BY name HAVING count(DISTINCT credential_key) = 1
    ) AS pairs
    GROUP BY name
),
actor AS (
    SELECT
        x.session_key, x.relying_party_key, x.started_at, x.address, x.client_id, x.user_name, x.device_key,
        coalesce(x.credential_key, n.credential_key) AS credential_key
    FROM unexplained AS x
    LEFT JOIN credential_of_name AS n ON n.name = coalesce(x.user_name, x.client_id)
),
one_actor AS (
    -- several client ids of one credential or one user are one hidden device
    SELECT
        session_key, relying_party_key, started_at, address, client_id, user_name, device_key, credential_key,
        CASE WHEN device_key IS NULL THEN credential_key END AS by_credential,
        CASE WHEN device_key IS NULL AND credential_key IS NULL THEN user_name END AS by_user,
        CASE WHEN device_key IS NULL AND credential_key IS NULL AND user_name IS NULL THEN client_id END AS by_client
    FROM actor
)
SELECT
    min(session_key) AS finding,
    coalesce(min(user_name), CASE WHEN count(DISTINCT client_id) = 1 THEN min(client_id) END) AS subject_client,
    max(credential_key) AS subject_credential,
    device_key AS subject_device,
    min(started_at) AS since,
    min(client_id) AS client_id,
    count(DISTINCT client_id) AS client_ids,
    count(*) AS sessions,
    count(DISTINCT relying_party_key) AS relying_parties,
    min(address) AS address,
    count(DISTINCT address) AS addresses,
    max(started_at) AS last_accepted_at
FROM one_actor
GROUP BY device_key, by_credential, by_user, by_client
