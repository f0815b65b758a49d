-- title = "Trust anchor ends before certificates under it"
-- severity = "medium"
-- grain = "anchor"
-- why = """The certificates say they are good for longer than the root they rest on: their last part of life does not exist, and
-- devices drop out on the day of the root, not on the day that is planned for."""
-- fix = """Bring a successor of the anchor with the same name and key (or a cross-certificate) to the relying parties, or issue
-- certificates that end before their root."""
-- needs = ["anchor", "credential", "issuer"]
-- reference = "RFC 5280, section 6.1; RFC 4210, section 4.4"
-- [parameters]
-- slack_days = 1
WITH parent AS (
    SELECT DISTINCT i.issuer_key, c.issuer_key AS parent_key
    FROM issuer AS i
    JOIN credential AS c ON c.key_key = i.key_key AND c.ca AND c.issuer_verified AND NOT c.self_signed
    WHERE c.issuer_key <> i.issuer_key
),
above AS (
    -- issuers and who stands above them, up to four intermediates deep; rules have no recursion
    SELECT issuer_key, issuer_key AS ancestor_key FROM issuer
    UNION
    SELECT issuer_key, parent_key AS ancestor_key FROM parent
    UNION
    SELECT p1.issuer_key, p2.parent_key AS ancestor_key
    FROM parent AS p1 JOIN parent AS p2 ON p2.issuer_key = p1.parent_key
    UNION
    SELECT p1.issuer_key, p3.parent_key AS ancestor_key
    FROM parent AS p1
    JOIN parent AS p2 ON p2.issuer_key = p1.parent_key
    JOIN parent AS p3 ON p3.issuer_key = p2.parent_key
    UNION
    SELECT p1.issuer_key, p4.parent_key AS ancestor_key
    FROM parent AS p1
    JOIN parent AS p2 ON p2.issuer_key = p1.parent_key
    JOIN parent AS p3 ON p3.issuer_key = p2.parent_key
    JOIN parent AS p4 ON p4.issuer_key = p3.parent_key
),
root AS (
    SELECT DISTINCT a.credential_key, a.issuer_key, coalesce(a.longest_not_after, c.not_after) AS last_day
    FROM anchor AS a
    JOIN credential AS c ON c.credential_key = a.credential_key
    WHERE c.not_after IS NOT NULL
),
outlived AS (
    -- a certificate that would be usable but for its expired anchor counts as well
    SELECT
        r.credential_key, r.last_day,
        count(*) AS certificates,
        count(DISTINCT c.device_key) AS devices,
        min(c.not_before) AS first_issued_at,
        max(c.not_after) AS latest_end
    FROM root AS r
    JOIN above AS u ON u.ancestor_key = r.issuer_key
    JOIN credential AS c ON c.issuer_key = u.issuer_key
    WHERE c.not_after > r.last_day + INTERVAL 1 DAY * $slack_days
      AND NOT c.no_expiry
      AND NOT c.ca
      AND c.issuer_verified
      AND (c.usable OR (r.last_day < $as_of AND NOT c.expired AND NOT c.ended AND NOT c.not_yet_valid))
    GROUP BY r.credential_key, r.last_day
)
SELECT
    a.credential_key AS finding,
    CASE WHEN o.last_day < $as_of THEN 'high' ELSE 'medium' END AS finding_severity,
    a.anchor_key AS subject_anchor,
    o.first_issued_at AS since,
    o.last_day AS anchor_ends_at,
    o.certificates AS certificates_that_outlive_it,
    o.devices AS devices_concerned,
    o.latest_end AS latest_end_of_a_certificate,
    p.name AS relying_party,
    p.kind AS relying_party_kind,
    a.purpose,
    a.bundle
FROM outlived AS o
JOIN anchor AS a ON a.credential_key = o.credential_key
LEFT JOIN relying_party AS p ON p.relying_party_key = a.relying_party_key
