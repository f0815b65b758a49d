"""The page on the lifecycle, its tables made from the rules: ``docs/lifecycle.md`` is this text, and a test sees that it is."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.lifecycle.obligations import CLOSING
from tenure.lifecycle.transitions import STATES, TABLE, Rule

_HEAD = """\
# The lifecycle of a device

Made from the rules the program judges by (`script/catalogue`). [devices](devices.md) says how to do it, [registry](registry.md)
how it is kept.

Each verb is one transaction: the device is held, all that is known of it is looked at, the verb is judged, and device,
tombstones, obligations and events are written together or not at all. Of two who contradict each other one wins, and the other
is told what has become of the device.
"""

_FOOT = """\
## What every verb asks

In this order, so that a refusal tells the least: the role (operator or admin) for this owner and trust domain; the state; the
reason where one is needed; the approval where a second person is needed, for this very request to the letter of its reason,
used once. A device that lies outside of your scope is not found. `accept` and `cancel` ask for a role with a party of the
offer instead.

## What an end leaves

* **Tombstones**, for `report-lost`, `retire` and `replace`: of each hardware root, and of each public key that was this device's
  alone. They outlive the row, a deletion, another provisioner and a restored backup. `return` lifts those of roots, never those
  of keys. Nothing removes one.
* **No tombstone for a key that a device in service holds too.** It opens a campaign instead, which names those devices: each
  needs a key of its own. Their credentials are left alone.
* **Obligations**, each open until evidence of the right kind came from where it is to happen:
"""

_AFTER = """\
## A new term

`accept` and `return` begin a new term. No credential of the old one counts; the device is not active again before it has a
credential for a key that no earlier term knew and no other device has. What the old owner gave it becomes obligations.

At acceptance each side gets a statement of each device, signed by this Tenure (`tenure devices transfer statements`): the giver's
names the obligations that are its own to close; the receiver's names the hardware roots, and by salted digests the terms before.

## Two Tenures

A device whose new owner runs another Tenure goes by two files: a signed offer and a signed acceptance, under keys that both
sides compared out of band. An offer in a file cannot be called back before its end, as nobody can know whether it was accepted.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEAD, *_states(), *_verbs(), _FOOT, *_obligations(), "", _AFTER])


def _states() -> Iterator[str]:
    yield "## States\n"
    yield "| state | verbs that lead on | may be in service |"
    yield "| --- | --- | --- |"
    for state in STATES:
        onward = ", ".join(f"`{verb}`" for verb, rule in TABLE.items() if state in rule.sources)
        yield f"| {state} | {onward} | {_yes(state.in_service)} |"
    yield ""


def _verbs() -> Iterator[str]:
    yield "## Verbs\n"
    yield "| verb | from | to | demands | reason | second person | irreversible |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for verb, rule in TABLE.items():
        shown = (
            _from(rule),
            _to(rule),
            "; ".join(rule.demands),
            _yes(rule.reason),
            _yes(rule.four_eyes),
            _yes(rule.irreversible),
        )
        yield f"| `{verb}` | {' | '.join(shown)} |"
    yield "\nOne offer is about `approvals.devices` devices at most; every other verb is about one device.\n"


def _from(rule: Rule) -> str:
    return ", ".join(state for state in STATES if state in rule.sources) or "not known yet"


def _to(rule: Rule) -> str:
    return rule.target or "where it was"


def _obligations() -> Iterator[str]:
    yield "| obligation | closed by | due after | ends by itself |"
    yield "| --- | --- | --- | --- |"
    for kind, closing in CLOSING.items():
        ways = " or ".join(sorted(" with ".join(sorted(each)) for each in closing.by))
        yield f"| {kind} | {ways} | {closing.due.days} d | {_yes(closing.expires)} |"


def _yes(holds: bool) -> str:
    return "yes" if holds else ""
