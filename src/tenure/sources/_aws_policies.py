"""Policies of AWS IoT and who holds them. What a document allows is judged when the roll is linked (model.policies)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tenure.sources._aws_documents import Document, arn, certificate_id, certificate_in_path, target
from tenure.sources._aws_export import Export


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy; ``document`` is None where only its name was listed."""

    origin: str
    document: str | None = None
    version: str | None = None


class Policies:
    """Merges what documents say of policies, by account, region and name."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._policies: dict[tuple[str, str], Policy] = {}  # (account/region or "", name)
        self._grants: dict[tuple[str, str, bytes | str], str] = {}  # (account/region, name, certificate or target) -> origin
        self.readers: dict[str, Callable[[Document], None]] = {
            "policies": self._listed,
            "effectivePolicies": self._listed,
            "policyDocument": self._document,
            "targets": self._targets,
        }

    def holders(self) -> dict[bytes, str]:
        """The certificates that hold policies, and where it says so."""
        return {whom: origin for (_, _, whom), origin in self._grants.items() if isinstance(whom, bytes)}

    def _named(self, entry: dict[str, Any], origin: str) -> tuple[str, str] | None:
        """The key of the policy that an entry names by ARN or name."""
        its_arn = arn(entry.get("policyArn"))
        name = entry.get("policyName") or (its_arn.name if its_arn else None)
        if not isinstance(name, str):
            return None
        key = (its_arn.scope if its_arn else "", name)
        self._policies.setdefault(key, Policy(origin))
        return key

    def _document(self, document: Document) -> None:
        """get-policy, get-policy-version, create-policy: only the version in force counts."""
        value = document.value
        self._export.time(document, value, "lastModifiedDate", "lastModifiedDate")
        self._export.time(document, value, "creationDate", "creationDate")
        if value.get("isDefaultVersion") is False:
            return
        if (key := self._named(value, document.origin)) is None:
            self._export.problem(document, "a policy document without the policy's name", "no-target")
            return
        text = found if isinstance(found := value["policyDocument"], str) else json.dumps(found)
        before = self._policies[key]
        if before.document not in (None, text):
            reason = f"policy {key[1][:80]!r} is told with two documents in force"
            self._export.problem(document, reason, "conflicting-record")
        elif before.document is None:
            version = value.get("policyVersionId") or value.get("defaultVersionId")
            self._policies[key] = Policy(document.origin, text, str(version) if version else None)

    def _listed(self, document: Document) -> None:
        """list-attached-policies of the certificate, group or thing that the path names; else list-policies."""
        key = "policies" if "policies" in document.value else "effectivePolicies"
        attached = key == "effectivePolicies" or "attached" in document.file or "principal-policies" in document.file
        whom: bytes | str | None = certificate_in_path(document.file)
        if isinstance(named := document.value.get("target"), str):
            whom = certificate_id(named) or named
        elif whom is None and attached:
            whom = target(document.file, "list-attached-policies", folder_hint="attached")
        entries = self._export.objects(document, key)
        found = [k for place, e in entries if (k := self._policy(document, e, place)) is not None]
        self._export.page(document, key, str(whom or (document.file if attached else "")))
        if whom is not None:
            for scope, policy in found:
                self._grants.setdefault((scope, policy, whom), document.origin)
        elif attached and found:
            reason = "the file does not say to whom these are attached; name it after the certificate"
            self._export.problem(document, reason, "no-target")

    def _policy(self, document: Document, entry: dict[str, Any], place: str) -> tuple[str, str] | None:
        if (key := self._named(entry, document.origin)) is None:
            self._export.problem(document, "a policy without a name", "unrecognised-entry", place)
        return key

    def _targets(self, document: Document) -> None:
        """list-targets-for-policy: certificates and groups that hold the policy that the path names."""
        self.grant(document, "list-targets-for-policy", self._export.texts(document, "targets"))

    def grant(self, document: Document, command: str, holders: list[str]) -> None:
        """These hold the policy that the document or its path names."""
        named = document.value.get("policyName")
        policy = named if isinstance(named, str) else target(document.file, command, folder_hint="polic")
        self._export.page(document, command, policy or document.file)
        if policy is None and holders:
            reason = "the file does not say whose targets these are; name it after the policy"
            self._export.problem(document, reason, "no-target")
        elif policy is not None:
            for holder in holders:
                its_arn = arn(holder)
                key = (its_arn.scope if its_arn else "", policy, certificate_id(holder) or holder)
                self._grants.setdefault(key, document.origin)

    def write(self) -> None:
        """The rows. A policy without a document stays: that nobody collected it is for the reader to see."""
        draft = self._export.draft
        for (scope, name), policy in self._policies.items():
            draft.add(
                "policy",
                name=name,
                scope=scope or None,
                document=policy.document,
                version=policy.version,
                origin=policy.origin,
            )
        for (scope, name, whom), origin in self._grants.items():
            draft.add(
                "policy_grant",
                policy=name,
                scope=scope or None,
                sha256=whom if isinstance(whom, bytes) else None,
                target=whom if isinstance(whom, str) else None,
                origin=origin,
            )
