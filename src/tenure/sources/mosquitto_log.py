"""Logs of Mosquitto brokers (1.4 to 2.1, any of their time stamp styles) as sessions, take-overs and the span of the log.

A place is one log file, or a folder with the rotated files of one or several logs, plain or gzip. The relying party is the
declared one, else what the file is called without its extensions. Lines that tell of no session are read and counted;
lines that nobody understands become problems, bounded by ``LineProblems``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenure.errors import DeclarationError
from tenure.evidence.collection import CollectContext, Place, Recognition, Source
from tenure.evidence.snapshot import SnapshotDraft
from tenure.model.vocabulary import RelyingPartyKind
from tenure.sources._chunk_parsing import helpers_for, no_search_for_cycles, parsed
from tenure.sources._lines import (
    CHUNK_BYTES,
    Chunk,
    LogFile,
    chunks,
    first_bytes,
    logs_of,
    plain_head,
    stem,
    tell_torn,
)
from tenure.sources._log_problems import LineProblems
from tenure.sources._log_sessions import OPEN_AT_ONCE
from tenure.sources._log_time import Clock, Stamps, TimeUnknown, moment, translated
from tenure.sources._log_year import names_no_year, years_of
from tenure.sources._mosquitto_lines import parse
from tenure.sources._mosquitto_sessions import Broker

_SURE = re.compile(
    rb"mosquitto version \S+ (?:starting|running|terminating)|New (?:client|bridge) connected from \S+ as |"
    rb"New connection from \S+ on port \w+\.|mosquitto\[\d+\]: |Client connection from \S+ failed: error:"
)
_LIKELY = re.compile(
    rb": (?:Client .+ (?:disconnected|closed its connection|has exceeded timeout)|Saving in-memory database to )"
)
_LOG_NAME = re.compile(r"mosquitto[\w.-]*?\.log(?:[.-][\w.-]+)?|mosquitto[\w.-]*\.gz", re.I)


@dataclass(slots=True)
class LineCounts:
    """What became of the lines of a log; every line is counted once."""

    lines: int = 0
    sessions: int = 0  # told of a connection
    known: int = 0  # of something else that Mosquitto is known to write
    others: int = 0  # of another program, in a syslog
    problems: int = 0
    first: int | None = None
    last: int | None = None


class MosquittoLog:
    kind: ClassVar[str] = "mosquitto-log"
    version: ClassVar[int] = 1
    title: ClassVar[str] = "Mosquitto broker log"

    def recognise(self, place: Place) -> Recognition | None:
        if place.is_folder:
            names = [p.name for p in place.path.iterdir() if not p.name.startswith(".")]
            if names and all(_LOG_NAME.fullmatch(n) for n in names):
                return Recognition(80, "a folder of rotated Mosquitto logs")
            return None
        head = plain_head(place.head)
        if sure := len(_SURE.findall(head)):
            return Recognition(95 if sure * 20 >= head.count(b"\n") else 60, "lines as Mosquitto writes them")
        if _LIKELY.search(head):
            return Recognition(50, "lines that look like those of Mosquitto")
        return Recognition(30, "the name of a Mosquitto log") if _LOG_NAME.fullmatch(place.path.name) else None

    def collect(self, place: Place, context: CollectContext, draft: SnapshotDraft) -> None:
        for files in logs_of(place.path, place.relative, draft):
            with no_search_for_cycles():
                collect_log(files, context, draft, helpers_for(files))


def collect_log(
    files: list[LogFile], context: CollectContext, draft: SnapshotDraft, helpers: int, chunk_bytes: int = CHUNK_BYTES
) -> LineCounts:
    """One log, its files from old to new, into the draft. The rows do not depend on ``helpers`` or ``chunk_bytes``."""
    relying_party = context.declared.relying_party or stem(files[0].path.name)
    counts, problems = LineCounts(), LineProblems(draft)
    broker = Broker(draft, relying_party, problems)
    zoneless = False
    for file, first_line, result in parsed(_clocked(files, context, draft, chunk_bytes), parse, helpers):
        read, sessions, known, others, first, last, local, folds, events = result
        counts.lines += read
        counts.sessions += sessions
        counts.known += known
        counts.others += others
        counts.problems += read - sessions - known - others
        if first is not None:
            counts.first = first if counts.first is None else min(counts.first, first)
            counts.last = last if counts.last is None else max(counts.last, last)
        zoneless = zoneless or local
        broker.handle(file, first_line, events, folds)
    broker.close()
    problems.close()
    counts.known += broker.subscriptions
    counts.problems -= broker.subscriptions
    _tell_span(relying_party, files, counts, context, draft)
    _tell_notes(relying_party, broker, zoneless, context, draft)
    return counts


def _tell_span(
    relying_party: str, files: list[LogFile], counts: LineCounts, context: CollectContext, draft: SnapshotDraft
) -> None:
    if counts.first is None or counts.last is None:
        return
    draft.speaks_until(moment(counts.last))
    draft.add(
        "log_span",
        relying_party=relying_party,
        kind=(context.declared.relying_party_kind or RelyingPartyKind.BROKER).value,
        first_at=moment(counts.first),
        last_at=moment(counts.last),
        entries=counts.lines,
        sensor=False,
        origin=files[0].relative,
    )


def _tell_notes(relying_party: str, broker: Broker, zoneless: bool, context: CollectContext, draft: SnapshotDraft) -> None:
    if zoneless and "time_zone" not in context.declared.model_fields_set:
        draft.note(f"{relying_party}: times of the log name no zone and none is declared (time_zone); they were taken for UTC")
    if broker.orphans:
        draft.note(
            f"{relying_party}: {broker.orphans} ends of sessions that began before the log; such sessions have no beginning"
            " and are left out"
        )
    if broker.given_up:
        draft.note(
            f"{relying_party}: more than {OPEN_AT_ONCE} sessions were open at once; {broker.given_up} of them are told"
            " without their end"
        )


def _clocked(
    files: list[LogFile], context: CollectContext, draft: SnapshotDraft, chunk_bytes: int
) -> Iterator[tuple[Chunk, Clock]]:
    """The chunks of the log in their order, each with how its times are to be read."""
    declared = context.declared
    try:
        ZoneInfo(declared.time_zone)
        if declared.timestamp_format:
            translated(declared.timestamp_format)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones gives the last
        raise DeclarationError(
            f"{declared.path}: {error}", "write an IANA zone (Europe/Berlin) and a format as in log_timestamp_format"
        ) from error
    clock = Clock(declared.time_zone, declared.timestamp_format)
    files = _from_old_to_new(files, clock)

    def blocks(progress: Callable[[int], None], torn: Callable[[LogFile, SnapshotDraft, str], None]) -> Iterator[Chunk]:
        for file in files:
            yield from chunks(file, progress, partial(torn, file, draft), chunk_bytes)

    years: Iterator[int] = iter(())
    if clock.pattern is None and names_no_year(files):
        if declared.as_of is None:
            reason = "the times of the log name no year: declare as_of, the moment up to which it speaks"
            draft.problem(files[0].relative, "line 1", reason, "year-unknown")
            draft.cut_short(f"{files[0].relative}: {reason}")
            return
        years = iter(years_of(blocks(lambda _bytes: None, lambda _file, _draft, _why: None), declared.as_of))
    for chunk in blocks(context.progress, tell_torn):
        year = next(years, None)
        yield chunk, clock if year is None else replace(clock, year=year)


def _from_old_to_new(files: list[LogFile], clock: Clock) -> list[LogFile]:
    """The files by their first times where all tell one, else as their names say."""
    if len(files) < 2:
        return files
    starts = [_first_time(file, clock) for file in files]
    if any(start is None for start in starts):
        return files
    return [file for _, _, file in sorted(zip(starts, range(len(files)), files, strict=True), key=lambda e: (e[0], e[1]))]


def _first_time(file: LogFile, clock: Clock) -> int | None:
    stamps = Stamps(clock)
    for line in first_bytes(file).decode("utf-8", "replace").split("\n")[:200]:
        try:
            return stamps.instant(stamps.split(line)[0])
        except TimeUnknown:
            continue
    return None


SOURCE: Source = MosquittoLog()
