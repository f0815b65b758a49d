-- title = "Identifier that identifies nothing"
-- severity = "low"
-- grain = "identifier"
-- why = """Unrelated devices or certificates carry this value, or it is a filler somebody left in place of one. Who looks a device up by it
-- finds the wrong one, and retires, trusts or blocks that."""
-- fix = """Give each device its own value in the source that carries it; in certificates, put the device's serial into the subject. Until
-- then nothing is linked by this value."""
-- needs = ["identifier"]
-- reference = "IEEE 802.1AR-2018 (subject of a DevID); RFC 5280, section 4.1.2.6"
WITH bad AS (
    SELECT identifier_key, kind, value, scope, records, devices, credentials, reason
    FROM identifier
    WHERE non_identifying
),
carrier AS (
    SELECT b.identifier_key, w.device_key, CAST(NULL AS BIGINT) AS credential_key
    FROM bad AS b
    JOIN device_identifier AS w ON w.identifier_key = b.identifier_key
    UNION
    SELECT b.identifier_key, CAST(NULL AS BIGINT) AS device_key, c.credential_key
    FROM bad AS b
    JOIN credential AS c ON c.name = b.value
    WHERE b.kind = 'subject-name' AND c.kind = 'certificate'
),
handed_on AS (
    -- a swap under one name: the devices that hold certificates of this name follow one another
    SELECT a.identifier_key
    FROM carrier AS a
    JOIN credential AS c ON c.credential_key = a.credential_key
    JOIN device AS d ON d.device_key = c.device_key
    GROUP BY a.identifier_key
    HAVING count(DISTINCT d.device_key) >= 2
       AND count(DISTINCT CASE WHEN NOT d.gone THEN d.device_key END) <= 1
       AND count(DISTINCT lower(d.name)) = 1
)
SELECT
    b.identifier_key AS finding,
    a.device_key AS subject_device,
    a.credential_key AS subject_credential,
    CAST(NULL AS TIMESTAMP) AS since,
    b.kind AS identifier_kind,
    b.value AS value,
    b.scope AS maker_or_account,
    b.records AS records,
    b.devices AS devices,
    b.credentials AS credentials,
    b.reason AS reason
FROM bad AS b
JOIN carrier AS a ON a.identifier_key = b.identifier_key
LEFT JOIN handed_on AS h ON h.identifier_key = b.identifier_key
WHERE h.identifier_key IS NULL
