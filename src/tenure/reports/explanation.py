"""An explanation of a device as text for people, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from tenure.model.explanation import DeviceExplanation, Held, Tie
from tenure.reports._wording import shown


def to_json(explanation: DeviceExplanation) -> str:
    return json.dumps(asdict(explanation), indent=1) + "\n"


def device_text(e: DeviceExplanation) -> str:
    """The explanation for people, plain text. A line is made of one thing's words, whatever characters they hold."""
    return "".join(f"{shown(line)}\n" for line in _lines(e))


def _lines(e: DeviceExplanation) -> Iterator[str]:
    yield f"{e.name or '(no name)'}  {e.device_id}"
    yield f"state: {e.state}" + (f", by {e.state_decided_by}" if e.state_decided_by else "")
    yield ""
    yield f"linked from {len(e.records)} record{'s' if len(e.records) != 1 else ''}:"
    for r in e.records:
        yield f"  {r.source}: {r.record_id} ({r.origin}){' - decides state and owner' if r.decides else ''}"
        yield from (f"      {name}: {value}" for name, value in r.claims.items())
    yield from ("", "identifiers:")
    yield from (_tie(tie) for tie in e.ties)
    if e.conflicts:
        yield from ("", "the records disagree about:")
        yield from (f"  {name}: {' | '.join(values)}" for name, values in e.conflicts.items())
    yield from ("", "credentials:" if e.credentials else "credentials: none")
    for held in e.credentials:
        yield from _held(held)
    yield from ("", "last sessions:" if e.sessions else "sessions: none seen")
    for s in e.sessions:
        who = s["certificate"] or s["user_name"] or s["client_id"]
        peer = f"{s['outcome']} from {s['address']} as {who}"
        yield f"  {s['started_at']} {s['relying_party']} {peer} (by {s['link']}; {s['origin']})"


def _tie(tie: Tie) -> str:
    power = "joins" if len(tie.records) > 1 else "strong"
    if not tie.strong:
        power = f"joins nothing: {tie.reason or 'weak by kind'}"
    scope = f" of {tie.scope}" if tie.scope else ""
    return f"  {tie.kind} {tie.value}{scope} - {power} ({', '.join(tie.records)})"


def _held(held: Held) -> Iterator[str]:
    sha = f" {held.sha256[:16]}" if held.sha256 else ""
    end = f"until {held.not_after}" if held.not_after else "without an end"
    yield f"  {'usable' if held.usable else 'not usable'}: {held.kind} {held.name} ({held.role}){sha} {end}"
    yield f"      held: {held.how} in {held.source}{'' if held.strong else ', by a name only'}"
    yield from (f"      {status}" for status in held.statuses)
