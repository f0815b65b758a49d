-- title = "CA certificate or CA key where a device's own should be"
-- severity = "critical"
-- grain = "key"
-- why = """Who opens that device has a key that signs others: as many devices, servers or updates as he likes, believed by all who
-- trust the CA."""
-- fix = """Give the device a leaf certificate of its own key. Treat the CA key as compromised: new CA key, new anchors, and the old
-- ones out of every bundle."""
-- needs = ["credential"]
-- reference = "RFC 5280, sections 4.2.1.3 and 4.2.1.9"
WITH ca_key AS (
    SELECT key_key, min(credential_key) AS ca_credential_key
    FROM credential
    WHERE kind = 'certificate' AND (ca OR role = 'authority') AND key_key IS NOT NULL
    GROUP BY key_key
),
suspect AS (
    SELECT c.credential_key, c.key_key, TRUE AS ca_certificate
    FROM credential AS c
    WHERE c.kind = 'certificate' AND (c.ca OR c.role = 'authority')
    UNION ALL
    SELECT c.credential_key, c.key_key, FALSE AS ca_certificate
    FROM ca_key AS k
    JOIN credential AS c ON c.key_key = k.key_key
    WHERE NOT c.ca AND c.role NOT IN ('authority', 'server', 'service') AND c.kind IN ('certificate', 'raw-key', 'ssh-key')
),
shown AS (
    -- as somebody's own: attached to a device by its record, or the first certificate of a chain a client showed
    SELECT s.credential_key, s.key_key, s.ca_certificate, b.device_key, b.how AS found_as, b.since AS first_at
    FROM suspect AS s
    JOIN binding AS b ON b.credential_key = s.credential_key
    WHERE b.how IN ('principal', 'holder', 'session') OR NOT s.ca_certificate
    UNION ALL
    SELECT s.credential_key, s.key_key, s.ca_certificate, c.device_key, 'shown by a client' AS found_as, p.first_at
    FROM suspect AS s
    JOIN presented AS p ON p.credential_key = s.credential_key
    JOIN credential AS c ON c.credential_key = s.credential_key
    WHERE p.side = 'client'
),
trusted AS (
    SELECT DISTINCT i.key_key FROM anchor AS a JOIN issuer AS i ON i.issuer_key = a.issuer_key
    UNION
    SELECT i.key_key FROM issuer AS i WHERE i.ours OR i.registered OR i.usable_credentials > 0
)
SELECT DISTINCT
    CASE WHEN x.key_key IS NULL THEN 2 * x.credential_key + 1 ELSE 2 * x.key_key END AS finding,
    CASE WHEN t.key_key IS NULL THEN 'medium' ELSE 'critical' END AS finding_severity,
    x.key_key AS subject_key,
    x.credential_key AS subject_credential,
    x.device_key AS subject_device,
    coalesce(x.first_at, c.not_before) AS since,
    CASE WHEN x.ca_certificate THEN 'CA certificate' ELSE 'leaf with the key of a CA' END AS what,
    x.found_as,
    a.subject AS authority,
    t.key_key IS NOT NULL AS trusted_by_somebody
FROM shown AS x
JOIN credential AS c ON c.credential_key = x.credential_key
LEFT JOIN ca_key AS k ON k.key_key = x.key_key
LEFT JOIN credential AS a ON a.credential_key = k.ca_credential_key
LEFT JOIN trusted AS t ON t.key_key = x.key_key
