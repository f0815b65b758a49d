-- title = "Certificate of a test issuer in service"
-- severity = "high"
-- grain = "certificate"
-- why = """Keys of test, demo and snakeoil issuers lie in source trees and on developers' machines, some are published. Whoever has
-- one makes as many devices of the fleet as he likes."""
-- fix = """Replace the certificate by one of the production CA, then take the test issuer out of every bundle and registry that
-- accepts it."""
-- needs = ["credential", "device"]
-- reference = "OWASP NHI8:2025; CWE-321"
SELECT DISTINCT
    c.credential_key AS finding,
    c.credential_key AS subject_credential,
    d.device_key AS subject_device,
    c.not_before AS since,
    c.test_issuer AS why_a_test_issuer,
    i.name AS issuer,
    c.subject,
    c.role,
    c.not_after AS valid_until
FROM credential AS c
JOIN binding AS b ON b.credential_key = c.credential_key
JOIN device AS d ON d.device_key = b.device_key
LEFT JOIN issuer AS i ON i.issuer_key = c.issuer_key
WHERE c.test_issuer IS NOT NULL
  AND c.kind = 'certificate'
  AND c.usable
  AND d.in_service
  -- a name binds only where nothing stronger says who holds it
  AND (b.strong OR c.device_key = d.device_key)
