-- title = "Trust anchor under which nothing was seen"
-- severity = "low"
-- grain = "anchor"
-- why = """Each anchor is somebody who can make devices or servers that are believed. One that nothing needs is only a risk."""
-- fix = """Ask who needs it. Take it out of the bundles named here, or collect what hangs under it."""
-- needs = ["anchor", "credential"]
-- absence = true
-- needs_sources = [["trust-anchors"], ["certificates", "aws-iot", "openssl-ca", "issuance-log", "aws-iot-log", "zeek"]]
-- reference = "RFC 6024, section 3.4; NIST SP 800-53 Rev. 5, CM-7"
SELECT
    a.credential_key AS finding,
    a.anchor_key AS subject_anchor,
    c.not_before AS since,
    c.not_after AS expires_at,
    r.name AS relying_party,
    r.kind AS relying_party_kind,
    a.purpose,
    a.bundle
FROM anchor AS a
JOIN credential AS c ON c.credential_key = a.credential_key
LEFT JOIN relying_party AS r ON r.relying_party_key = a.relying_party_key
LEFT JOIN presented AS p ON p.credential_key = a.credential_key AND p.sessions > 0
WHERE a.seen_under = 0
  AND a.usable_under = 0
  AND a.replaced_by_key IS NULL
  AND NOT a.revoked
  AND p.credential_key IS NULL
  AND c.last_maybe_used_at IS NULL
