"""What AWS IoT Device Defender found in its own audits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenure.sources._aws_documents import Document, certificate_id
from tenure.sources._aws_export import Export


class Findings:
    """Audit findings, each once."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._seen: set[str] = set()
        self.readers: dict[str, Callable[[Document], None]] = {"findings": self._listed, "finding": self._described}

    def _described(self, document: Document) -> None:
        """describe-audit-finding."""
        entry = document.value["finding"]
        if isinstance(entry, dict):
            self._add(document, entry, "finding")
        else:
            self._export.problem(document, "finding is no object", "unrecognised-entry")

    def _listed(self, document: Document) -> None:
        """list-audit-findings."""
        self._export.page(document, "findings")
        for place, entry in self._export.objects(document, "findings"):
            self._add(document, entry, place)

    def _add(self, document: Document, entry: dict[str, Any], place: str) -> None:
        """One finding. Older answers give it no id: then task, check and resource name it."""
        found_at = self._export.time(document, entry, "findingTime", place)
        resource = entry.get("nonCompliantResource")
        resource = resource if isinstance(resource, dict) else {}
        about = _flat(resource.get("resourceIdentifier"))
        subject = "; ".join(f"{key}={value}" for key, value in about.items())
        name = str(entry.get("findingId") or f"{entry.get('taskId')}/{entry.get('checkName')}/{subject}")
        if name in self._seen:
            return
        self._seen.add(name)
        certificate = about.get("deviceCertificateId") or about.get("caCertificateId") or about.get("deviceCertificateArn")
        self._export.draft.add(
            "external_finding",
            finding_id=name,
            check_name=_text(entry.get("checkName")),
            severity=_text(entry.get("severity")),
            found_at=found_at,
            sha256=certificate_id(certificate),
            subject_text=f"{_text(resource.get('resourceType')) or 'resource'}: {subject}" if subject else None,
            reason=_text(entry.get("reasonForNonCompliance")),
            origin=document.entry(name),
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _flat(identifier: object) -> dict[str, str]:
    """The resource's names; one level down too (``policyVersionIdentifier`` holds name and version)."""
    flat: dict[str, str] = {}
    for key, value in identifier.items() if isinstance(identifier, dict) else ():
        inner = value if isinstance(value, dict) else {key: value}
        flat.update({str(k): str(v) for k, v in inner.items() if v is not None})
    return flat
