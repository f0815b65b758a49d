-- title = "Certificate with a weak key"
-- severity = "high"
-- grain = "certificate"
-- why = """Who works out the private key of a weak public key is the device, from anywhere. RSA under 2048 bits, curves under 224
-- bits, DSA and unsafe exponents are past the strength that any current guidance accepts."""
-- fix = """Let the device make a new key (P-256, Ed25519 or RSA of at least 2048 bits), certify it, see it in use, then revoke
-- the certificate with the weak one."""
-- needs = ["credential", "key", "device"]
-- reference = "NIST SP 800-131A Rev. 2, sections 3 and 6; NIST SP 800-57 Part 1 Rev. 5, table 2"
SELECT DISTINCT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    d.device_key AS subject_device,
    c.not_before AS since,
    k.weakness,
    k.algorithm AS key_algorithm,
    k.bits AS key_bits,
    k.curve AS key_curve,
    k.exponent AS key_exponent,
    c.role,
    c.not_after AS valid_until
FROM key AS k
JOIN credential AS c ON c.key_key = k.key_key
JOIN binding AS b ON b.credential_key = c.credential_key
JOIN device AS d ON d.device_key = b.device_key
WHERE k.weakness IS NOT NULL
  AND c.kind = 'certificate'
  AND c.usable
  AND d.in_service
  -- a name binds only where nothing stronger says who holds it
  AND (b.strong OR c.device_key = d.device_key)
