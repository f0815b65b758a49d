-- title = "Several devices share one key"
-- severity = "high"
-- grain = "key"
-- why = """Each of these devices can act as all the others, nobody can tell which one did what, and none can be shut out alone: one
-- stolen device spends them all."""
-- fix = """Give each device a key of its own, made on the device, and revoke the shared one when the last has moved. Then find the image
-- or the provisioning step that copies it."""
-- needs = ["key", "credential", "binding", "device"]
-- reference = "NIST SP 800-57 Part 1 Rev. 5, section 8.1.5; OWASP NHI9:2025"
WITH held AS (
    -- certificates of any status. A name binds only where nothing stronger says who holds the credential.
    SELECT
        k.key_key, c.credential_key, b.device_key,
        max(CASE WHEN b.strong THEN 1 ELSE 0 END) AS strong,
        min(coalesce(b.since, c.issued_at)) AS held_since,
        min(b.how) AS held_by
    FROM key AS k
    JOIN credential AS c ON c.key_key = k.key_key
    JOIN binding AS b ON b.credential_key = c.credential_key
    WHERE k.devices >= 2
      AND (b.strong OR c.device_key = b.device_key)
    GROUP BY k.key_key, c.credential_key, b.device_key
),
holder AS (
    SELECT key_key, device_key, max(strong) AS strong, min(held_since) AS held_since
    FROM held
    GROUP BY key_key, device_key
),
ordered AS (
    -- the sharing begins when the second device has it
    SELECT
        h.key_key, h.device_key, h.strong, h.held_since, d.name, d.device_class, coalesce(m.maker, d.maker) AS maker,
        row_number() OVER (PARTITION BY h.key_key ORDER BY h.held_since NULLS LAST, h.device_key) AS place
    FROM holder AS h
    JOIN device AS d ON d.device_key = h.device_key
    LEFT JOIN device_class AS m ON m.class_key = d.class_key
),
sharing AS (
    -- two records of one device that no strong identifier joins carry one name: where a binding rests on names, names must differ
    SELECT
        key_key, count(*) AS devices, count(DISTINCT lower(device_class)) AS classes, count(DISTINCT lower(maker)) AS makers,
        max(CASE WHEN place = 2 THEN held_since END) AS shared_since
    FROM ordered
    GROUP BY key_key
    HAVING count(*) >= 2 AND (sum(strong) >= 2 OR count(DISTINCT lower(name)) >= 2)
),
spread AS (
    SELECT key_key, credential_key, count(*) AS devices
    FROM held
    GROUP BY key_key, credential_key
),
copies AS (
    SELECT
        s.key_key, count(*) AS credentials, max(s.devices) AS most_devices,
        sum(CASE WHEN c.kind = 'certificate' THEN 1 ELSE 0 END) AS certificates
    FROM spread AS s
    JOIN credential AS c ON c.credential_key = s.credential_key
    GROUP BY s.key_key
)
SELECT
    s.key_key AS finding,
    s.key_key AS subject_key,
    h.device_key AS subject_device,
    h.credential_key AS subject_credential,
    s.shared_since AS since,
    CASE
        WHEN k.kind = 'secret' THEN 'same secret'
        WHEN n.certificates = 0 THEN 'same key'
        WHEN n.certificates < n.credentials THEN 'same key in certificates and elsewhere'
        WHEN n.most_devices = 1 THEN 'same key in different certificates'
        WHEN n.credentials = 1 THEN 'same certificate'
        ELSE 'same certificate, and the same key in others'
    END AS sharing,
    s.devices AS devices,
    n.credentials AS credentials,
    s.classes > 1 AS across_classes,
    s.makers > 1 AS across_makers,
    o.device_class AS device_class,
    o.maker AS maker,
    h.held_by AS held_by,
    h.held_since AS held_since,
    c.kind AS credential_kind,
    c.usable AS usable,
    c.last_used_at AS last_used_at
FROM sharing AS s
JOIN held AS h ON h.key_key = s.key_key
JOIN ordered AS o ON o.key_key = h.key_key AND o.device_key = h.device_key
JOIN copies AS n ON n.key_key = s.key_key
JOIN key AS k ON k.key_key = s.key_key
JOIN credential AS c ON c.credential_key = h.credential_key
