-- title = "One device, several records"
-- severity = "low"
-- grain = "device"
-- why = """One source lists the same hardware more than once. Whoever retires one record believes that the device has been dealt with,
-- while the other keeps it alive."""
-- fix = """Merge the records in the source. Keep the one whose state, owner and place are right."""
-- needs = ["device_record", "identifier", "device_identifier"]
-- reference = "NIST CSF 2.0, ID.AM-01; NIST SP 800-53 Rev. 5, CM-8"
WITH counted AS (
    SELECT device_key, source_key, count(DISTINCT record_id) AS records
    FROM device_record
    GROUP BY device_key, source_key
    HAVING count(DISTINCT record_id) > 1
),
record AS (
    -- a record that a source tells twice is one record: its first row stands for it
    SELECT c.device_key, c.source_key, c.records, r.record_id, min(r.record_key) AS record_key
    FROM counted AS c
    JOIN device_record AS r ON r.device_key = c.device_key AND r.source_key = c.source_key
    GROUP BY c.device_key, c.source_key, c.records, r.record_id
),
mark AS (
    -- the serial (within its maker) and the MAC that each record carries, in one notation
    SELECT
        r.device_key, r.source_key, r.record_key,
        min(CASE WHEN i.kind = 'serial' THEN i.identifier_key END) AS serial_key,
        min(CASE WHEN i.kind = 'mac' THEN i.identifier_key END) AS mac_key
    FROM record AS r
    LEFT JOIN device_identifier AS w ON w.record_key = r.record_key
    LEFT JOIN identifier AS i ON i.identifier_key = w.identifier_key AND i.strong
    GROUP BY r.device_key, r.source_key, r.record_key
),
double AS (
    SELECT a.device_key, a.source_key, a.record_key
    FROM mark AS a
    JOIN mark AS b ON b.device_key = a.device_key AND b.source_key = a.source_key AND b.record_key <> a.record_key
    WHERE (a.serial_key IS NULL OR b.serial_key IS NULL OR a.serial_key = b.serial_key)
      AND (a.mac_key IS NULL OR b.mac_key IS NULL OR a.mac_key = b.mac_key)
    GROUP BY a.device_key, a.source_key, a.record_key
)
SELECT
    t.device_key AS finding,
    t.device_key AS subject_device,
    CAST(NULL AS TIMESTAMP) AS since,
    o.name AS source,
    n.records AS records,
    r.record_id AS record_id,
    r.name AS name,
    r.serial AS serial,
    r.mac AS mac,
    r.state_text AS state_text,
    r.owner AS owner,
    r.site AS site,
    r.origin AS origin
FROM double AS t
JOIN device_record AS r ON r.record_key = t.record_key
JOIN source AS o ON o.source_key = t.source_key
JOIN counted AS n ON n.device_key = t.device_key AND n.source_key = t.source_key
