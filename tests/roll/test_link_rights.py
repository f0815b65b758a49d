"""Linking of rights: policies are judged with the others that the same credential has."""

from __future__ import annotations

import json
from pathlib import Path

from tenure.evidence.snapshot import SnapshotDraft
from tests.roll.exports import Exports, certificate, digest

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iot:*", "Resource": "*"}]})


def test_a_deny_of_everything_undoes_the_wide_policy_of_that_credential_only(tmp_path: Path) -> None:
    def write(draft: SnapshotDraft) -> None:
        for name, document in (("wide", ALLOW), ("quarantine", DENY)):
            draft.add("policy", name=name, scope="account", document=document, origin=name)
        for word, policies in (("free", ["wide"]), ("held back", ["wide", "quarantine"])):
            certificate(draft, word)
            for policy in policies:
                draft.add("policy_grant", policy=policy, scope="account", sha256=digest(word), origin=word)

    exports = Exports(tmp_path)
    exports.source("aws-iot", "aws", write)
    rows = exports.link().execute(
        "SELECT c.name, p.name, p.allows_all_actions, g.effective FROM policy_grant g JOIN policy p USING (policy_key) "
        "JOIN credential c USING (credential_key) ORDER BY ALL"
    )
    assert rows.fetchall() == [
        ("free", "wide", True, True),
        ("held back", "quarantine", False, False),
        ("held back", "wide", True, False),
    ]
