-- title = "Policy that allows everything"
-- severity = "high"
-- grain = "policy"
-- why = """A device with this policy can act as all others: read what they send, command them, change their shadows. One stolen key is
-- then the whole fleet."""
-- fix = """Bind the policy to the connecting thing by policy variables (${iot:Connection.Thing.ThingName}) and to the topics it needs;
-- attach the narrow policy first, then detach the wide one."""
-- needs = ["policy", "credential"]
-- reference = "NIST SP 800-53 Rev. 5, AC-6"
SELECT DISTINCT
    p.policy_key AS finding,
    p.policy_key AS subject_policy,
    c.credential_key AS subject_credential,
    c.device_key AS subject_device,
    CAST(NULL AS TIMESTAMP) AS since,
    p.allows_all_actions,
    p.allows_all_topics,
    p.why AS statement,
    p.scope AS account
FROM policy AS p
JOIN policy_grant AS g ON g.policy_key = p.policy_key
JOIN credential AS c ON c.credential_key = g.credential_key
WHERE (p.allows_all_actions OR p.allows_all_topics)
  AND g.effective
  AND NOT c.expired
  AND (c.usable OR c.active_at_issuer)
