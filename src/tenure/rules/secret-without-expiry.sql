-- title = "Secret without an end"
-- severity = "medium"
-- grain = "credential"
-- why = """A token, pre-shared key or password that never ends stays good for whoever copied it once: out of a log, a backup or a device that
-- was thrown away."""
-- fix = """Give it an end and replace it before that. Where the device cannot change it, narrow what it may do and where it may connect
-- from."""
-- needs = ["credential"]
-- needs_sources = [["secrets"]]
-- reference = "OWASP NHI7:2025; NIST SP 800-53 Rev. 5, IA-5"
SELECT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    c.issued_at AS since,
    c.kind AS credential_kind,
    c.issued_at AS created_at,
    c.not_after AS not_after,
    c.scopes AS scopes,
    c.last_used_at AS last_used_at,
    c.origin AS origin
FROM credential AS c
WHERE c.kind IN ('token', 'psk', 'password')
  AND c.no_expiry
  AND NOT c.ended
