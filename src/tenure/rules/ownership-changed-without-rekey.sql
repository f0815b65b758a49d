-- title = "New owner, old keys"
-- severity = "high"
-- grain = "device"
-- why = """The device changed hands, and a key or secret from before still counts: the former owner, or whoever serviced the device for
-- him, can act as it."""
-- fix = """Give the device new keys under the present owner (a renewal with the same key changes nothing), then revoke what is older than
-- the change and delete old secrets."""
-- needs = ["device", "credential", "binding"]
-- needs_sources = [["cmdb"]]
-- reference = "IEEE 802.1AR-2018 (an LDevID is the owner's); NIST SP 800-57 Part 1 Rev. 5, section 8.2.3"
WITH held AS (
    SELECT d.device_key, b.credential_key
    FROM device AS d
    JOIN binding AS b ON b.device_key = d.device_key
    JOIN credential AS c ON c.credential_key = b.credential_key
    WHERE d.owner_changed_at <= $as_of
      AND (b.strong OR c.device_key = b.device_key)
    GROUP BY d.device_key, b.credential_key
)
SELECT
    d.device_key AS finding,
    d.device_key AS subject_device,
    c.credential_key AS subject_credential,
    d.owner_changed_at AS since,
    d.owner_changed_at AS owner_changed_at,
    o.name AS owner,
    c.kind AS credential_kind,
    c.role AS credential_role,
    c.issued_at AS issued_at,
    k.first_known_at AS key_first_known_at,
    c.issued_at >= d.owner_changed_at AS renewed_with_the_old_key,
    c.not_after AS not_after,
    c.last_used_at AS last_used_at
FROM held AS h
JOIN device AS d ON d.device_key = h.device_key
JOIN credential AS c ON c.credential_key = h.credential_key
LEFT JOIN key AS k ON k.key_key = c.key_key
LEFT JOIN owner AS o ON o.owner_key = d.owner_key
-- birth and attestation keys are the hardware's for life, whoever owns it
WHERE c.role NOT IN ('birth', 'attestation')
  AND (c.usable OR (c.kind IN ('token', 'psk', 'password') AND NOT c.expired AND NOT c.ended))
  AND (k.first_known_at < d.owner_changed_at OR c.issued_at < d.owner_changed_at)
