-- title = "One credential used from two places at once"
-- severity = "critical"
-- grain = "credential"
-- why = """Two clients at different addresses held sessions with the same credential at the same time: its key has been copied, and one of
-- the two is not the device. Only sessions whose end is told are compared."""
-- fix = """Find both clients by address and time. Give the true device a new key, revoke this credential and cut its sessions; where the
-- copy came with an image, look for more of them."""
-- needs = ["session", "credential"]
-- needs_sources = [["mosquitto-log", "aws-iot-log", "zeek"]]
-- reference = "OWASP NHI9:2025; NIST SP 800-57 Part 1 Rev. 5, section 5.3"
-- [parameters]
-- minutes = 5
-- across_parties = false    # also compare sessions at different relying parties: only where all of them see true addresses
WITH told AS (
    -- only sessions whose end is told: one without may have ended at once
    SELECT
        session_key, credential_key, relying_party_key, address, started_at, ended_at, origin,
        CASE WHEN $across_parties THEN 0 ELSE relying_party_key END AS party
    FROM session
    WHERE accepted
      AND credential_key IS NOT NULL
      AND address IS NOT NULL
      AND ended_at IS NOT NULL
),
roaming AS (
    SELECT credential_key, party
    FROM told
    GROUP BY credential_key, party
    HAVING min(address) <> max(address)
),
swept AS (
    -- sessions in order of their beginning, each with the latest end of all before it and of those before it from its own
    -- address. Where the first is later, another address holds it, and the two overlap. Of two that overlap and are hidden by
    -- a third from the later one's address, that third overlaps with the earlier one for longer: so no credential is missed.
    SELECT
        t.session_key, t.credential_key, t.party, t.relying_party_key, t.address, t.started_at, t.ended_at, t.origin,
        max(t.ended_at) OVER (
            PARTITION BY t.credential_key, t.party ORDER BY t.started_at, t.session_key
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS open_until,
        max(t.ended_at) OVER (
            PARTITION BY t.credential_key, t.party, t.address ORDER BY t.started_at, t.session_key
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS own_open_until
    FROM told AS t
    JOIN roaming AS r ON r.credential_key = t.credential_key AND r.party = t.party
),
overlapping AS (
    SELECT
        session_key, credential_key, party, relying_party_key, address, started_at, ended_at, open_until, origin,
        least(ended_at, open_until) AS overlap_ended_at,
        date_diff('second', started_at, least(ended_at, open_until)) AS overlap_seconds
    FROM swept
    WHERE open_until > started_at
      AND (own_open_until IS NULL OR open_until > own_open_until)
),
counted AS (
    SELECT
        session_key, credential_key, party, relying_party_key, address, started_at, open_until, overlap_seconds, origin,
        count(*) OVER (PARTITION BY credential_key, party) AS overlaps,
        min(started_at) OVER (PARTITION BY credential_key, party) AS first_overlap_at,
        max(overlap_ended_at) OVER (PARTITION BY credential_key, party) AS last_overlap_at,
        row_number() OVER (PARTITION BY credential_key, party ORDER BY overlap_seconds DESC, session_key) AS place
    FROM overlapping
    WHERE overlap_seconds > 60 * $minutes
),
other AS (
    -- the session that was open when the longest overlap began
    SELECT w.session_key, max(t.address) AS address, max(t.origin) AS origin
    FROM counted AS w
    JOIN told AS t ON t.credential_key = w.credential_key AND t.party = w.party AND t.ended_at = w.open_until
    WHERE w.place = 1 AND t.address <> w.address AND t.started_at <= w.started_at
    GROUP BY w.session_key
)
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    w.first_overlap_at AS since,
    -- instances of a back-end program share one by design; that is a weakness, not a theft
    CASE WHEN c.role IN ('service', 'server') THEN 'low' ELSE 'critical' END AS finding_severity,
    c.role AS credential_role,
    p.name AS relying_party,
    w.address AS address,
    o.address AS other_address,
    w.overlap_seconds / 60.0 AS longest_overlap_minutes,
    w.overlaps AS overlaps,
    w.last_overlap_at AS last_overlap_at,
    w.started_at AS longest_overlap_at,
    w.origin AS seen_at,
    o.origin AS other_seen_at
FROM counted AS w
JOIN other AS o ON o.session_key = w.session_key
JOIN credential AS c ON c.credential_key = w.credential_key
LEFT JOIN relying_party AS p ON p.relying_party_key = w.relying_party_key
