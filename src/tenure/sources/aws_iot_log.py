"""AWS IoT's v2 log as CloudWatch keeps it: sessions, take-overs and the span of the log, per account.

A place is one file of records in any shape in which they are exported, or a folder of such files (an export to S3 writes one
for each log stream). Streams run side by side, so the files of a folder are merged by time.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar, Final

from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import RelyingPartyKind
from tenure.sources._chunk_parsing import Parsed, helpers_for, no_search_for_cycles, parsed
from tenure.sources._cloud_sessions import Account
from tenure.sources._cloudwatch_lines import parse
from tenure.sources._lines import (
    CHUNK_BYTES,
    Chunk,
    LogFile,
    chunks,
    first_bytes,
    logs_of,
    plain_head,
    tell_torn,
)
from tenure.sources._log_problems import LineProblems
from tenure.sources._log_sessions import OPEN_AT_ONCE
from tenure.sources._log_time import moment

WRITE_TEST: Final = "aws-logs-write-test"  # CloudWatch leaves it in the bucket
MERGED_CHUNK_BYTES: Final = 256 << 10  # many files may be under way at once

_RECORD = re.compile(rb'\\?"eventType\\?": ?\\?"[\w.-]+\\?"')
_OF_IOT = re.compile(rb'\\?"(?:traceId|accountId|principalId)\\?": ?')
_NAME = re.compile(r".+\.(?:jsonl?|log|txt|gz)(?:\.gz)?|[0-9]{6}", re.I)


class AwsIotLog:
    kind: ClassVar[str] = "aws-iot-log"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "AWS IoT log (CloudWatch, v2 logging)"

    def recognise(self, place: Place) -> Recognition | None:
        if place.is_folder:
            return self._recognise_folder(place)
        head = plain_head(place.head)
        if _RECORD.search(head) and _OF_IOT.search(head) and b"eventType" in head[: 1 << 14]:
            return Recognition(90, "records of AWS IoT's v2 log")
        return None

    def _recognise_folder(self, place: Place) -> Recognition | None:
        """An export to S3: nothing but files of log streams, all of them of AWS IoT as far as a look at one of them tells."""
        first: Path | None = None
        for path in place.path.rglob("*"):
            if path.is_dir() or path.name == WRITE_TEST:
                continue
            if not _NAME.fullmatch(path.name) or path.suffix == ".log":
                return None
            first = path if first is None or path < first else first
        if first is None:
            return None
        head = first_bytes(LogFile(first, first.name))
        if not (_RECORD.search(head) and _OF_IOT.search(head)):
            return None
        return Recognition(80, "a folder of exported log streams of AWS IoT")

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        files = [f for log in logs_of(place.path, place.relative, draft) for f in log if f.path.name != WRITE_TEST]
        with no_search_for_cycles():
            collect_log(files, context, draft, helpers_for(files) if len(files) == 1 else 0)


def collect_log(
    files: list[LogFile], context: CollectContext, draft: SnapshotDraft, helpers: int, chunk_bytes: int = CHUNK_BYTES
) -> dict[str, int]:
    """The files as one log into the draft; how many lines became what. The rows do not depend on helpers or chunk size."""
    log = _Log(context, draft)
    if len(files) == 1:
        for chunk in parsed(_chunks(files[0], context, draft, chunk_bytes), parse, helpers):
            log.handle(chunk, log.read(chunk))
    else:
        for chunk, event in _merged(files, context, draft, log, min(chunk_bytes, MERGED_CHUNK_BYTES)):
            log.handle(chunk, [event])
    return log.close(files[0].relative)


def _chunks(file: LogFile, context: CollectContext, draft: SnapshotDraft, chunk_bytes: int) -> Iterator[tuple[Chunk, None]]:
    for chunk in chunks(file, context.progress, partial(tell_torn, file, draft), chunk_bytes):
        yield chunk, None


def _merged(
    files: list[LogFile], context: CollectContext, draft: SnapshotDraft, log: _Log, chunk_bytes: int
) -> Iterator[tuple[Parsed, tuple[Any, ...]]]:
    """The events of all files by time. A file is opened when the others have come to its first event, and not before."""

    def events(file: LogFile) -> Iterator[tuple[Parsed, tuple[Any, ...]]]:
        for chunk in parsed(_chunks(file, context, draft, chunk_bytes), parse, 0):
            for event in log.read(chunk):
                yield chunk, event

    starts = sorted((_first_time(file), number) for number, file in enumerate(files))
    under_way: list[tuple[int, int, int, Parsed, tuple[Any, ...], Iterator[tuple[Parsed, tuple[Any, ...]]]]] = []
    opened = taken = 0
    while under_way or opened < len(starts):
        while opened < len(starts) and (not under_way or starts[opened][0] <= under_way[0][0]):
            number = starts[opened][1]
            stream = events(files[number])
            opened += 1
            if first := next(stream, None):
                heapq.heappush(under_way, (first[1][2], number, taken, *first, stream))
        if not under_way:
            continue
        _, number, _, chunk, event, stream = heapq.heappop(under_way)
        yield chunk, event
        taken += 1
        if following := next(stream, None):
            heapq.heappush(under_way, (following[1][2], number, taken, *following, stream))


def _first_time(file: LogFile) -> int:
    head = first_bytes(file)
    events = parse(head[: head.rfind(b"\n") + 1], True, None)[5]
    return min((event[2] for event in events[:100]), default=0)


class _Log:
    """What the whole log says: its accounts, and what became of its lines."""

    def __init__(self, context: CollectContext, draft: SnapshotDraft) -> None:
        self._context, self._draft = context, draft
        self._problems = LineProblems(draft)
        self._accounts: dict[str, Account] = {}
        self._spans: dict[str, list[int]] = {}
        self._others: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def read(self, chunk: Parsed) -> list[tuple[Any, ...]]:
        """Take in what a chunk says besides its events, and give these."""
        lines, framing, accounts, others, more_pages, events, strange = chunk.result
        self._counts.update(lines=lines, framing=framing, problems=len(strange), sessions=len(events))
        self._counts["others"] += sum(others.values())
        self._others.update(others)
        for account, (records, first, last) in accounts.items():
            span = self._spans.setdefault(account, [0, first, last])
            span[0] += records
            span[1], span[2] = min(span[1], first), max(span[2], last)
        for line, code, reason, text in strange:
            self._problems.add(chunk.file, chunk.first_line + line, code, reason, text)
        if more_pages:
            self._draft.cut_short(f"{chunk.file} says that there are further pages of the export")
        found: list[tuple[Any, ...]] = events
        return found

    def handle(self, chunk: Parsed, events: list[tuple[Any, ...]]) -> None:
        """Events of a chunk, in the order of the whole log."""
        for account, of_account in groupby(events, key=itemgetter(3)):
            follower = self._accounts.get(account) or self._follower(account)
            follower.take(of_account, chunk.file, chunk.first_line)

    def _follower(self, account: str) -> Account:
        follower = self._accounts[account] = Account(self._draft, self._relying_party(account))
        return follower

    def close(self, origin: str) -> dict[str, int]:
        for follower in self._accounts.values():
            follower.close()
        self._problems.close()
        for account, (records, first, last) in sorted(self._spans.items()):
            self._draft.speaks_until(moment(last))
            self._draft.add(
                "log_span",
                relying_party=self._relying_party(account),
                kind=(self._context.declared.relying_party_kind or RelyingPartyKind.CLOUD).value,
                first_at=moment(first),
                last_at=moment(last),
                entries=records,
                sensor=False,
                origin=origin,
            )
        self._tell_notes()
        return dict(self._counts)

    def _tell_notes(self) -> None:
        if self._others:
            listed = ", ".join(f"{kind} {count}" for kind, count in sorted(self._others.items()))
            self._draft.note(f"records that tell of no session were read and left out: {listed}")
        orphans = sum(a.orphans for a in self._accounts.values())
        given_up = sum(a.given_up for a in self._accounts.values())
        if orphans:
            self._draft.note(f"{orphans} Disconnect records of sessions that began before the log; these are left out")
        if given_up:
            self._draft.note(f"more than {OPEN_AT_ONCE} sessions were open at once; {given_up} are told without their end")

    def _relying_party(self, account: str) -> str:
        return self._context.declared.relying_party or (f"aws-iot:{account}" if account else "aws-iot")


SOURCE: Source = AwsIotLog()
