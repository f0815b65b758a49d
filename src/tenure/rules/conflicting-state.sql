-- title = "Sources disagree about a state"
-- severity = "medium"
-- grain = "device"
-- why = """One source says it is over, another still lets it live. Whoever looks only at the first believes that the device or its
-- certificate has been dealt with."""
-- fix = """Find out which source is right, correct the other, and see that the change that was made reaches both from now on."""
-- needs = ["source"]
-- needs_sources = [["cmdb", "openssl-ca", "aws-iot", "issuance-log"]]
-- reference = "NIST SP 800-53 Rev. 5, IA-5; RFC 5280, section 5"
WITH ended AS (
    SELECT credential_key, authority, status_text, effective_at, source_key
    FROM status
    WHERE ends_trust AND authority IN ('crl', 'ca-index', 'issuance-log')
),
crl AS (
    SELECT c.issuer_key, max(coalesce(s.stated_at, o.speaks_as_of)) AS this_update
    FROM status AS s
    JOIN source AS o ON o.source_key = s.source_key
    JOIN credential AS c ON c.credential_key = s.credential_key
    WHERE s.authority = 'crl'
    GROUP BY c.issuer_key
),
credential_conflict AS (
    -- ended at the CA, alive in the cloud; on the CRL, valid in the CA's own log. Who spoke before the end could not know it.
    SELECT
        e.credential_key,
        CASE WHEN v.authority = 'cloud' THEN 'ended at the CA, active in the cloud' ELSE 'on the CRL, valid in the log' END
            AS kind_of_conflict,
        e.source_key AS ended_source, e.status_text AS ended_text, e.effective_at AS ended_at,
        p.name AS alive_says, v.status_text AS alive_text, coalesce(v.stated_at, p.speaks_as_of) AS alive_stated_at
    FROM ended AS e
    JOIN status AS v ON v.credential_key = e.credential_key
    JOIN source AS p ON p.source_key = v.source_key
    WHERE v.status = 'valid'
      AND (v.authority = 'cloud' OR (v.authority IN ('ca-index', 'issuance-log') AND e.authority = 'crl'))
      AND (v.source_key = e.source_key OR e.effective_at IS NULL OR coalesce(v.stated_at, p.speaks_as_of) IS NULL
           OR e.effective_at <= coalesce(v.stated_at, p.speaks_as_of))
    UNION ALL
    -- the other way round: ended in the log before the CRL was made, and not on it
    SELECT
        e.credential_key, 'ended in the log, missing from the CRL' AS kind_of_conflict,
        e.source_key AS ended_source, e.status_text AS ended_text, e.effective_at AS ended_at,
        'CRL' AS alive_says, 'not listed' AS alive_text, l.this_update AS alive_stated_at
    FROM ended AS e
    JOIN credential AS c ON c.credential_key = e.credential_key
    JOIN crl AS l ON l.issuer_key = c.issuer_key
    LEFT JOIN ended AS listed ON listed.credential_key = e.credential_key AND listed.authority = 'crl'
    WHERE e.authority <> 'crl'
      AND listed.credential_key IS NULL
      AND e.effective_at <= l.this_update
      AND (c.not_after IS NULL OR c.not_after > l.this_update)
),
device_conflict AS (
    SELECT
        g.device_key, CAST(NULL AS BIGINT) AS credential_key,
        'one record in service, one gone' AS kind_of_conflict,
        o.name AS ended_says, g.record_id AS ended_record, g.state_text AS ended_text, g.left_service_at AS ended_at,
        p.name AS alive_says, r.record_id AS alive_record, r.state_text AS alive_text, p.speaks_as_of AS alive_stated_at
    FROM device_record AS g
    JOIN device_record AS r ON r.device_key = g.device_key
    JOIN source AS o ON o.source_key = g.source_key
    JOIN source AS p ON p.source_key = r.source_key
    WHERE g.state IN ('retired', 'lost')
      AND r.state IN ('claimed', 'active', 'quarantined', 'transferring')
    UNION ALL
    SELECT
        d.device_key, c.credential_key,
        'gone in the inventory, active in the cloud' AS kind_of_conflict,
        o.name AS ended_says, CAST(NULL AS VARCHAR) AS ended_record, d.state_text AS ended_text, d.left_service_at AS ended_at,
        p.name AS alive_says, CAST(NULL AS VARCHAR) AS alive_record, v.status_text AS alive_text,
        coalesce(v.stated_at, p.speaks_as_of) AS alive_stated_at
    FROM device AS d
    JOIN credential AS c ON c.device_key = d.device_key
    JOIN status AS v ON v.credential_key = c.credential_key
    JOIN source AS p ON p.source_key = v.source_key
    LEFT JOIN source AS o ON o.source_key = d.state_source_key
    WHERE d.gone
      AND NOT c.expired
      AND v.status = 'valid'
      AND v.authority = 'cloud'
      AND (d.left_service_at IS NULL OR coalesce(v.stated_at, p.speaks_as_of) IS NULL
           OR d.left_service_at <= coalesce(v.stated_at, p.speaks_as_of))
)
SELECT
    -- all conflicts about one device are one finding; a certificate that no one device holds has its own
    CASE WHEN c.device_key IS NULL THEN 2 * c.credential_key + 1 ELSE 2 * c.device_key END AS finding,
    c.device_key AS subject_device,
    c.credential_key AS subject_credential,
    x.ended_at AS since,
    x.kind_of_conflict,
    o.name AS ended_says,
    CAST(NULL AS VARCHAR) AS ended_record,
    x.ended_text,
    x.ended_at,
    x.alive_says,
    CAST(NULL AS VARCHAR) AS alive_record,
    x.alive_text,
    x.alive_stated_at
FROM credential_conflict AS x
JOIN credential AS c ON c.credential_key = x.credential_key
JOIN source AS o ON o.source_key = x.ended_source
WHERE NOT c.expired
UNION ALL
SELECT
    2 * device_key AS finding,
    device_key AS subject_device,
    credential_key AS subject_credential,
    ended_at AS since,
    kind_of_conflict,
    ended_says,
    ended_record,
    ended_text,
    ended_at,
    alive_says,
    alive_record,
    alive_text,
    alive_stated_at
FROM device_conflict
