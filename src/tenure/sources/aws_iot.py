"""AWS IoT Core: a folder of AWS CLI outputs as they come (things, certificates, who holds what, policies, CAs, audits)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from tenure.errors import SourceError
from tenure.evidence.certificates import CertificateRecorder
from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._aws_certificates import Certificates
from tenure.sources._aws_documents import Document, documents
from tenure.sources._aws_export import Export
from tenure.sources._aws_findings import Findings
from tenure.sources._aws_policies import Policies
from tenure.sources._aws_things import Things
from tenure.sources._whole_files import content, folders_below, relative, storable

LONGEST_FILE = 1 << 31
"""Bytes of a file that is read whole; a listing of a million things has a fifth of it."""

IGNORED = frozenset(
    (
        "actionArn", "actionIdentifiers", "actionName", "actionsExecutions", "activeViolations", "arn",
        "auditCheckConfigurations", "auditDetails", "authResults", "authorizerArn", "authorizerDescription", "authorizers",
        "billingGroupArn", "billingGroups", "cardinality", "defaultLogLevel", "destinationSummaries", "dimensionNames",
        "document", "domainConfigurationArn", "domainConfigurations", "endpointAddress", "eventConfigurations", "execution",
        "executionSummaries", "indexNames", "indexStatus", "job", "jobArn", "jobs", "logLevel", "logTargetConfigurations",
        "metricArn", "metricNames", "otaUpdateArn", "otaUpdates", "percentiles", "policyVersions", "registrationCode",
        "roleAlias", "roleAliasDescription", "roleAliases", "rule", "rules", "scheduledAuditArn", "scheduledAudits",
        "securityProfileArn", "securityProfileIdentifiers", "securityProfileTargetMappings", "securityProfileTargets",
        "statistics", "streamArn", "streamInfo", "streams", "summaries", "suppressions", "tags", "taskId", "taskStatus", "tasks",
        "templateArn", "templates", "thingGroupArn", "thingGroupIndexingConfiguration", "thingGroups", "thingTypeArn",
        "thingTypes", "topicRuleDestination", "transferredCertificateArn", "validationErrors", "versions", "violationEvents",
    )
)  # fmt: skip
"""Keys of outputs that carry no identity: jobs, rules, streams, groups, thing types, security profiles, settings."""

_FILE_NAME = re.compile(
    r"(list|describe|get|search)-(things?|index|certificates?|ca-certificates?|certificates-by-ca|outgoing-certificates"
    r"|thing-principals|principal-things|attached-policies|targets-for-policy|polic(y|ies)|policy-version)(-v2)?([._-].*)?"
)
_HEAD = re.compile(
    rb'"(thingArn|certificateDescription|certificateArn|policyArn)"\s*:|"(principals|targets)"\s*:\s*\[\s*"arn:[a-z-]+:iot:'
)


class AwsIot:
    """The exports of one or more AWS accounts and regions in one folder, or one file of them."""

    kind: ClassVar[str] = "aws-iot"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "AWS IoT Core (AWS CLI outputs)"

    def recognise(self, place: Place) -> Recognition | None:
        """A folder by the names in it, a file by its first keys."""
        if place.is_folder:
            named = sorted(p.name for p in place.path.iterdir() if _FILE_NAME.fullmatch(p.name.lower()))
            return Recognition(90, f"AWS CLI outputs: {', '.join(named[:3])}") if named else None
        head = place.head.replace(b"\x00", b"")[:16_384]  # UTF-16 of a Windows shell
        start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1]
        if start in (b"{", b"[") and (found := _HEAD.search(head)):
            return Recognition(85, f"AWS CLI output with {(found[1] or found[2]).decode()}")
        return None

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        files = list(_files(place, draft))
        if not files:
            raise SourceError(f"{place.relative} holds no file", "export with the commands of docs/sources/aws-iot.md")
        export, recorder = Export(draft), CertificateRecorder(draft)
        things, policies = Things(export), Policies(export)
        certificates, findings = Certificates(export, recorder), Findings(export)
        readers = {**certificates.readers, **things.readers, **policies.readers, **findings.readers}
        for document in _documents(files, context, draft):
            if "policy-principals" in document.file and "principals" in document.value:
                policies.grant(document, "list-policy-principals", export.texts(document, "principals"))
            else:
                _read(document, readers, export)
        for origin in export.broken_off():
            draft.cut_short(f"{origin} ends with a token for a next page that was not collected")
        draft.speaks_until(export.newest)
        certificates.write({**policies.holders(), **things.held()})
        things.write(context.declarations)
        policies.write()
        recorder.verify_edges()


def _read(document: Document, readers: dict[str, Callable[[Document], None]], export: Export) -> None:
    """One document to the part that knows its first known key; what nobody knows is a problem."""
    for key, reader in readers.items():
        if key in document.value:
            reader(document)
            return
    keys = document.value.keys()
    if not keys & IGNORED and keys != {"version"}:
        shown = ", ".join(sorted(keys)[:8])[:200]
        export.problem(document, f"no AWS IoT output that is known here; its keys are: {shown}", "unrecognised-json")


def _documents(files: Iterable[tuple[Path, str]], context: CollectContext, draft: SnapshotDraft) -> Iterator[Document]:
    """All documents of the files in their order; what is no JSON becomes a problem, a listing cut off a partial snapshot."""
    for path, file in files:
        if (data := content(path, file, LONGEST_FILE, context, draft)) is None:
            continue
        if not data.strip():
            draft.problem(file, "file", "nothing in it: the command that was to fill it failed, or says nothing", "empty-file")
        for found in documents(data, file):
            if isinstance(found, Document):
                yield found
                continue
            draft.problem(found.file, found.place, found.reason, found.code, found.data)
            if found.listing:
                draft.cut_short(f"{found.file} is a listing that ends in {found.place}")


def _files(place: Place, draft: SnapshotDraft) -> Iterator[tuple[Path, str]]:
    """The files below the place, sorted, with their paths relative to it. Hidden ones are the desktop's or git's."""
    if not place.is_folder:
        yield place.path, storable(place.path.name)
        return
    for folder, _, names in folders_below(place.path, draft):
        for name in names:
            if not name.startswith("."):
                yield folder / name, relative(folder / name, place.path)


SOURCE: Source = AwsIot()
