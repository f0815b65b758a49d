"""An explanation of a device as text for people, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from tenure.model.explanation import DeviceExplanation


def to_json(explanation: DeviceExplanation) -> str:
    return json.dumps(asdict(explanation), indent=1) + "\n"


def device_text(e: DeviceExplanation) -> str:
    """The explanation for people, plain text."""
    lines = [
        f"{e.name or '(no name)'}  {e.device_id}",
        f"state: {e.state}" + (f", by {e.state_decided_by}" if e.state_decided_by else ""),
        "",
    ]
    lines.append(f"linked from {len(e.records)} record{'s' if len(e.records) != 1 else ''}:")
    for r in e.records:
        lines.append(f"  {r.source}: {r.record_id} ({r.origin}){' - decides state and owner' if r.decides else ''}")
        lines += [f"      {name}: {value}" for name, value in r.claims.items()]
    lines += ["", "identifiers:"]
    for t in e.ties:
        power = (
            "joins"
            if t.strong and len(t.records) > 1
            else "strong"
            if t.strong
            else f"joins nothing: {t.reason or 'weak by kind'}"
        )
        scope = f" of {t.scope}" if t.scope else ""
        lines.append(f"  {t.kind} {t.value}{scope} - {power} ({', '.join(t.records)})")
    if e.conflicts:
        lines += ["", "the records disagree about:"]
        lines += [f"  {name}: {' | '.join(values)}" for name, values in e.conflicts.items()]
    lines += ["", "credentials:" if e.credentials else "credentials: none"]
    for c in e.credentials:
        strength = "" if c.strong else ", by a name only"
        lines.append(
            f"  {'usable' if c.usable else 'ended '} {c.kind} {c.name} ({c.role}) {(c.sha256 or '')[:16]} "
            f"until {c.not_after or 'never ends'}"
        )
        lines.append(f"      held: {c.how} in {c.source}{strength}")
        lines += [f"      {s}" for s in c.statuses]
    lines += ["", "last sessions:" if e.sessions else "sessions: none seen"]
    for s in e.sessions:
        who = s["certificate"] or s["user_name"] or s["client_id"]
        lines.append(
            f"  {s['started_at']} {s['relying_party']} {s['outcome']} from {s['address']} as {who} "
            f"(by {s['link']}; {s['origin']})"
        )
    return "\n".join(lines) + "\n"
