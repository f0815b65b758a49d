-- title = "Device in service without an owner"
-- severity = "medium"
-- grain = "device"
-- why = """Nobody is there to renew its credentials, to answer when they are misused, or to say that it may be retired."""
-- fix = """Name an accountable owner in the inventory that decides, or retire the device."""
-- needs = ["device", "owner"]
-- reference = "NIST SP 800-53 Rev. 5, CM-8(4)"
SELECT
    d.device_key AS finding,
    d.device_key AS subject_device,
    d.owner_changed_at AS since,
    d.state,
    d.managed_by,
    s.name AS site,
    o.name AS inventory
FROM device AS d
LEFT JOIN site AS s ON s.site_key = d.site_key
LEFT JOIN source AS o ON o.source_key = d.state_source_key
WHERE d.in_service
  AND d.owner_key IS NULL
