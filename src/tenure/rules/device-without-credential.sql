-- title = "Active device without any credential"
-- severity = "medium"
-- grain = "device"
-- why = """No source shows a certificate, key or secret of it or of its gateway: it connects without proving who it is, or with something
-- that nobody manages and nobody can end."""
-- fix = """Find out how it authenticates. Enrol it, put it behind a gateway that vouches for it, or correct its record if it is not in
-- operation."""
-- needs = ["device", "credential"]
-- absence = true
-- reference = "NIST SP 800-53 Rev. 5, IA-3; IEC 62443-4-2, CR 1.2"
WITH bare AS (
    SELECT d.device_key, d.gateway_key
    FROM device AS d
    LEFT JOIN binding AS b ON b.device_key = d.device_key
    WHERE d.active
      AND b.device_key IS NULL
),
vouched AS (
    SELECT DISTINCT n.device_key
    FROM bare AS n
    JOIN binding AS b ON b.device_key = n.gateway_key
),
logged_in AS (
    -- a relying party authenticated a user name that is its own: it holds a credential that no store lists
    SELECT DISTINCT n.device_key
    FROM bare AS n
    JOIN session AS s ON s.device_key = n.device_key
    WHERE s.accepted AND s.linked_by = 'user-name'
)
SELECT
    d.device_key AS finding,
    d.device_key AS subject_device,
    d.installed_at AS since,
    d.device_class AS device_class,
    d.behind_gateway AS behind_gateway,
    g.name AS gateway,
    CASE
        WHEN NOT d.behind_gateway THEN 'no gateway'
        WHEN d.gateway_key IS NULL THEN 'its gateway is in no inventory'
        ELSE 'its gateway has no credential either'
    END AS gateway_says,
    d.last_seen_at AS last_seen_at,
    d.discovered_at AS discovered_at
FROM bare AS n
JOIN device AS d ON d.device_key = n.device_key
LEFT JOIN device AS g ON g.device_key = n.gateway_key
LEFT JOIN vouched AS v ON v.device_key = n.device_key
LEFT JOIN logged_in AS l ON l.device_key = n.device_key
WHERE v.device_key IS NULL
  AND l.device_key IS NULL
