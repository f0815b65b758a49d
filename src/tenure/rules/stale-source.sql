-- title = "Source older than agreed"
-- severity = "medium"
-- grain = "source"
-- why = """What it says may have changed since: verdicts that rest on it are as old as it is, and silence of a log that ended is no
-- sign of silence in the fleet."""
-- fix = """Export it again and repeat the audit; if exports come less often on purpose, declare the age that is agreed
-- (max_age_days)."""
-- moves_with_time = ["age_days"]
-- needs = ["source"]
-- reference = "NIST SP 800-53 Rev. 5, CM-8(1)"
SELECT
    s.source_key AS finding,
    s.source_key AS subject_source,
    s.speaks_as_of + INTERVAL 1 DAY * CAST(ceil(s.max_age_days) AS INTEGER) AS since,
    s.kind,
    s.speaks_as_of AS speaks_until,
    s.age_days,
    s.max_age_days AS agreed_age_days,
    s.decides_device_state,
    s.decides_credential_state
FROM source AS s
WHERE s.stale
