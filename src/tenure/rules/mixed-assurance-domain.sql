-- title = "Trust domain as weak as its weakest members"
-- severity = "medium"
-- grain = "domain"
-- why = """Keys that hardware keeps and secrets that many share, or that never end, open the same doors. Whoever wants in takes the
-- secret; the money for the hardware bought nothing."""
-- fix = """Give the devices named here certificates of their own, or move them to a domain of their own behind a gateway with
-- narrower rights."""
-- needs = ["domain", "device", "credential"]
-- reference = "NIST SP 800-207, section 2.1; IEC 62443-4-2 CR 1.2"
WITH strong AS (
    SELECT d.domain_key, count(DISTINCT d.device_key) AS devices, min(c.not_before) AS first_at
    FROM credential AS c
    JOIN device AS d ON d.device_key = c.device_key
    WHERE d.domain_key IS NOT NULL
      AND d.in_service
      AND d.hardware_backed
      AND c.kind = 'certificate'
      AND c.usable
      AND c.role NOT IN ('attestation', 'claim', 'authority')
    GROUP BY d.domain_key
),
weak AS (
    -- brokered through a gateway is a control, not a way in: those are left out
    SELECT d.domain_key, d.device_key, c.credential_key, c.kind, c.not_before, c.no_expiry, coalesce(k.devices, 0) > 1 AS shared
    FROM strong AS s
    JOIN device AS d ON d.domain_key = s.domain_key
    JOIN binding AS b ON b.device_key = d.device_key
    JOIN credential AS c ON c.credential_key = b.credential_key
    LEFT JOIN key AS k ON k.key_key = c.key_key
    WHERE d.in_service
      -- a name binds only where nothing stronger says who holds it
      AND (b.strong OR c.device_key = d.device_key)
      AND NOT d.behind_gateway
      AND c.kind IN ('token', 'psk', 'password')
      AND NOT c.expired
      AND NOT c.ended
      AND NOT c.not_yet_valid
      AND (c.no_expiry OR k.devices > 1)
),
own_key AS (
    SELECT DISTINCT w.device_key
    FROM weak AS w
    JOIN binding AS b ON b.device_key = w.device_key
    JOIN credential AS c ON c.credential_key = b.credential_key
    WHERE c.kind IN ('certificate', 'raw-key') AND c.usable AND c.role NOT IN ('attestation', 'claim', 'authority')
)
SELECT DISTINCT
    w.domain_key AS finding,
    w.domain_key AS subject_domain,
    w.device_key AS subject_device,
    w.credential_key AS subject_credential,
    greatest(s.first_at, w.not_before) AS since,
    s.devices AS hardware_backed_devices,
    w.kind AS secret_kind,
    w.shared,
    w.no_expiry AS never_ends
FROM weak AS w
JOIN strong AS s ON s.domain_key = w.domain_key
LEFT JOIN own_key AS o ON o.device_key = w.device_key
WHERE o.device_key IS NULL
