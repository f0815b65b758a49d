-- title = "Retired trust anchor still in a bundle"
-- severity = "high"
-- grain = "anchor"
-- why = """It has a successor or was revoked, and nothing that works hangs under it any more: all it still does is let in whoever
-- holds its old key."""
-- fix = """Take it out of the bundles named here, firmware included, and then destroy its key."""
-- needs = ["anchor", "credential"]
-- needs_sources = [["trust-anchors"], ["certificates", "aws-iot", "openssl-ca", "issuance-log", "aws-iot-log", "zeek"]]
-- reference = "RFC 6024, section 3.4; RFC 5914"
SELECT
    a.credential_key AS finding,
    a.anchor_key AS subject_anchor,
    CASE WHEN a.revoked THEN c.ended_at ELSE n.not_before END AS since,
    a.revoked,
    c.ended_at AS revoked_at,
    n.name AS replaced_by,
    n.sha256 AS replaced_by_sha256,
    n.not_before AS successor_valid_from,
    c.not_after AS expires_at,
    a.seen_under AS certificates_seen_under_it,
    r.name AS relying_party,
    r.kind AS relying_party_kind,
    a.purpose,
    a.bundle
FROM anchor AS a
JOIN credential AS c ON c.credential_key = a.credential_key
LEFT JOIN credential AS n ON n.credential_key = a.replaced_by_key
LEFT JOIN relying_party AS r ON r.relying_party_key = a.relying_party_key
WHERE (a.replaced_by_key IS NOT NULL OR a.revoked)
  AND a.usable_under = 0
