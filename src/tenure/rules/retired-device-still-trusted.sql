-- title = "Retired device is still trusted"
-- severity = "critical"
-- grain = "device"
-- why = """The device is retired, lost or stolen, and a credential it holds would still be accepted: whoever has the device, or the
-- disk from the skip, is let in as it."""
-- fix = """Revoke or deactivate each credential named here where it is accepted, delete its secrets, and see it refused at the relying
-- party before the retirement is called done. A birth certificate cannot be revoked by its owner: refuse it at enrolment."""
-- needs = ["device", "credential", "binding"]
-- reference = "NIST SP 800-57 Part 1 Rev. 5, section 8.3; OWASP NHI1:2025"
WITH held AS (
    -- a name binds only where nothing stronger says who holds the credential
    SELECT
        b.device_key, b.credential_key, min(b.how) AS held_by, max(CASE WHEN b.strong THEN 1 ELSE 0 END) = 1 AS strongly_held
    FROM device AS d
    JOIN binding AS b ON b.device_key = d.device_key
    JOIN credential AS c ON c.credential_key = b.credential_key
    WHERE d.gone
      AND (b.strong OR c.device_key = b.device_key)
    GROUP BY b.device_key, b.credential_key
)
SELECT
    d.device_key AS finding,
    d.device_key AS subject_device,
    c.credential_key AS subject_credential,
    CASE WHEN d.left_service_at IS NOT NULL THEN greatest(d.left_service_at, c.issued_at) END AS since,
    d.state AS state,
    d.state_text AS state_text,
    d.left_service_at AS left_service_at,
    c.kind AS credential_kind,
    c.role AS credential_role,
    c.not_after AS not_after,
    c.anchored AS anchored,
    c.active_at_issuer AS active_at_issuer,
    c.last_used_at AS last_used_at,
    c.last_maybe_used_at AS last_maybe_used_at,
    h.held_by AS held_by,
    h.strongly_held AS strongly_held,
    c.devices AS holders
FROM held AS h
JOIN device AS d ON d.device_key = h.device_key
JOIN credential AS c ON c.credential_key = h.credential_key
-- a noted SSH host key lets nobody in: it is how others know the device
WHERE c.kind <> 'ssh-key'
  AND (c.usable OR (c.kind IN ('token', 'psk', 'password') AND NOT c.expired AND NOT c.ended))
