"""What CAs say they issued: databases and logs of EJBCA, AD CS, step-ca and any other CA through a mapping."""

from __future__ import annotations

from typing import ClassVar

from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._ejbca_audit import collect_ejbca_audit, is_ejbca_audit
from tenure.sources._mapped_log import MappedLog
from tenure.sources._mapping import mapping_for, recognised
from tenure.sources._reading import Reading
from tenure.sources._tabular import Table, peek


class IssuanceLog:
    kind: ClassVar[str] = "issuance-log"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "list or log of issued certificates (EJBCA, AD CS, step-ca, any CSV or JSON)"

    def recognise(self, place: Place) -> Recognition | None:
        seen = peek(place)
        if seen is None:
            return None
        if is_ejbca_audit(seen.text):
            return Recognition(95, "EJBCA audit log")
        mapping = recognised(self.kind, seen.columns)
        return None if mapping is None else Recognition(mapping.sureness, mapping.title)

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        table = Table(place, context, draft)
        seen = peek(place)
        if context.declared.mapping is None and seen is not None and is_ejbca_audit(seen.text):
            collect_ejbca_audit(table, context, draft)
        else:
            MappedLog(Reading(mapping_for(self.kind, table, context), table, context), context, draft).read()


SOURCE: Source = IssuanceLog()
