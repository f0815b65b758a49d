"""What all parts of an AWS IoT export share while it is read: where problems go, the newest time, which listings broke off."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tenure.evidence.snapshot import SnapshotDraft
from tenure.sources._aws_documents import Document, moment


class Export:
    """The notes on one export. ``newest`` is the latest time any document shows: the export speaks up to then."""

    def __init__(self, draft: SnapshotDraft) -> None:
        self.draft = draft
        self.newest: datetime | None = None
        self._open: dict[tuple[str, ...], str] = {}  # listings of which some page names a next one -> origin of that page
        self._closed: set[tuple[str, ...]] = set()

    def page(self, document: Document, *listing: str) -> None:
        """Notes whether the listing that this page belongs to goes on behind it or ends with it."""
        if document.next_token is None:
            self._closed.add(listing)
        else:
            self._open.setdefault(listing, document.origin)

    def broken_off(self) -> list[str]:
        """Pages that name a next one, of listings of which no page is the last.

        A retry that was cut short beside the whole listing does no harm, since the whole one ends without a token.
        """
        return sorted({origin for listing, origin in self._open.items() if listing not in self._closed})

    def time(self, document: Document, entry: dict[str, Any], name: str, place: str) -> datetime | None:
        """A time of an entry, None where it has none; what is no time is a problem."""
        if (value := entry.get(name)) is None:
            return None
        if (found := moment(value)) is None:
            self.problem(document, f"{name} is no time: {str(value)[:80]!r}", "bad-time", place)
        else:
            self.seen(found)
        return found

    def seen(self, when: datetime) -> None:
        if self.newest is None or when > self.newest:
            self.newest = when

    def problem(self, document: Document, reason: str, code: str, place: str = "") -> None:
        """Something in a document that could not be understood; without a place it is the whole document."""
        data = None if place else json.dumps(document.value, sort_keys=True).encode("utf-8", "replace")
        self.draft.problem(document.file, place or document.origin.partition("#")[2] or "document", reason, code, data)

    def objects(self, document: Document, key: str) -> list[tuple[str, dict[str, Any]]]:
        """The objects of a list with their places; whatever else stands in it is a problem."""
        return [(place, entry) for place, entry in self._listed(document, key, dict) if isinstance(entry, dict)]

    def texts(self, document: Document, key: str) -> list[str]:
        """The texts of a list; whatever else stands in it is a problem."""
        return [entry for _, entry in self._listed(document, key, str) if isinstance(entry, str)]

    def _listed(self, document: Document, key: str, wanted: type) -> list[tuple[str, object]]:
        found = document.value.get(key)
        if not isinstance(found, list):
            self.problem(document, f"{key} is no list", "unrecognised-entry")
            return []
        places = [(f"{key}[{position}]", entry) for position, entry in enumerate(found)]
        for place, entry in places:
            if not isinstance(entry, wanted):
                self.problem(document, f"an entry of unexpected type: {str(entry)[:80]!r}", "unrecognised-entry", place)
        return places
