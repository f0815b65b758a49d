"""Rights that an AWS IoT policy document gives: does it allow every action, or publish or subscribe on every topic?

A question about all topics is answered with *witnesses*: names made of characters no policy writes out, so that only
wildcards match them. What that means for each element (docs/sources/aws-iot.md says the same for users):

* ``Resource`` and ``Action`` wildcards are ``*`` (any text) and ``?`` (one character); ``+`` and ``#`` are plain
  characters, but a client that may subscribe to the filter ``#`` or ``+/#`` hears every topic, so these are witnesses too.
* A policy variable (``${iot:ClientId}``) is one value per connection: it never matches a witness.
* A ``Condition`` on an Allow narrows it, but for two: ``Bool iot:Connection.Thing.IsAttached`` (an attached thing that
  may use every topic still holds a wildcard right) and conditions that every connection meets (``StringLike *``).
* A Deny takes a right away where it covers all witnesses and its conditions hold wherever those of the Allow do. A Deny
  of some topics leaves "all topics" standing; a Deny of a whole action ends "all actions", while publish and subscribe
  are still judged by themselves.
* Account and region in an ARN are not compared: a resource of any account counts as ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

LONGEST_DOCUMENT = 65_536
"""Characters. AWS takes 2,048; what is longer than this is no policy, and matching it would take long."""

_FREE = "\ue000"  # stands for any character; private use, in no policy
_VARIABLE = "\ue001"  # stands for the value of a policy variable; equal to nothing else
_ATTACHED = "iot:connection.thing.isattached"

Condition = tuple[str, str, tuple[str, ...]]
"""Operator, key (both lower case) and sorted values."""


@dataclass(frozen=True, slots=True)
class PolicyRights:
    """The judgement of one document. ``why`` names the statements behind it, or what makes the document unreadable."""

    allows_all_actions: bool
    allows_all_topics: bool
    why: str
    readable: bool


@dataclass(frozen=True, slots=True)
class _Statement:
    label: str
    allow: bool
    actions: tuple[str, ...]  # lower case
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    conditions: frozenset[Condition]

    def covers(self, action: str, resource: str) -> bool:
        """Whether the statement speaks of this action (lower case) on this resource (``topic/x``), conditions aside."""
        acts = any(matches(p, action) for p in self.actions) != self.not_actions
        return acts and any(_resource_matches(p, resource) for p in self.resources) != self.not_resources


class _UnreadableError(ValueError):
    """The document is no policy; the text says why."""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern with ``*`` and ``?`` matches the whole text; at most len(pattern) x len(text) steps."""
    at = star = mark = 0
    i, has_star = 0, False
    while i < len(text):
        if at < len(pattern) and pattern[at] == "*":
            has_star, star, mark = True, at, i
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[i]):
            at, i = at + 1, i + 1
        elif has_star:
            mark += 1
            at, i = star + 1, mark
        else:
            return False
    return pattern[at:].strip("*") == ""


def evaluate(*documents: str) -> PolicyRights:
    """The rights that policy documents (JSON texts) give together: a Deny in one undoes an Allow in another.

    What cannot be understood is ``readable=False`` and claims nothing.
    """
    try:
        statements = tuple(s for document in documents for s in _statements(document))
    except (_UnreadableError, ValueError, RecursionError) as error:
        return PolicyRights(False, False, f"not a policy document: {error or type(error).__name__}", False)
    allows = [s for s in statements if s.allow and not s.conditions - _harmless(s.conditions)]
    denies = [s for s in statements if not s.allow]
    by_action = [_wide(allows, denies, action, groups) for action, groups in _WITNESSES]
    topics = [found for (action, _), found in zip(_WITNESSES, by_action, strict=True) if action in _TOPIC_ACTIONS and found]
    everything = by_action if all(by_action) else []
    reasons = dict.fromkeys(s.label for found in everything or topics for s in found)
    return PolicyRights(bool(everything), bool(topics), "; ".join(reasons) or _narrowed_by(statements), True)


def _free(*lengths: int) -> str:
    return "/".join(_FREE * n for n in lengths)


def _topics(kind: str) -> tuple[tuple[str, ...], ...]:
    """Any topic at all, or any topic of two levels and more: whoever holds either holds everybody's."""
    return tuple(
        tuple(f"{kind}/{name}" for name in names)
        for names in ((_free(7), _free(5, 9), _free(3, 4, 11)), (_free(5, 9), _free(3, 4, 11)))
    )


_Groups = tuple[tuple[str, ...], ...]
_ANYTHING = (tuple(f"{kind}/{_free(23)}" for kind in ("client", "topic", "topicfilter", "thing", "rolealias", _FREE * 7)),)
_FILTERS: _Groups = (("topicfilter/#",), ("topicfilter/+/#",), (f"topicfilter/$share/{_free(9)}/#",), *_topics("topicfilter"))
_THINGS: _Groups = ((f"thing/{_free(23)}",),)
_WITNESSES: tuple[tuple[str, _Groups], ...] = (
    ("iot:connect", ((f"client/{_free(23)}",),)),
    ("iot:publish", _topics("topic")),
    ("iot:retainpublish", _topics("topic")),
    ("iot:receive", _topics("topic")),
    ("iot:getretainedmessage", _topics("topic")),
    ("iot:listretainedmessages", _ANYTHING),
    ("iot:subscribe", _FILTERS),
    ("iot:getthingshadow", _THINGS),
    ("iot:updatethingshadow", _THINGS),
    ("iot:deletethingshadow", _THINGS),
    ("iot:listnamedshadowsforthing", _ANYTHING),
    ("iot:assumerolewithcertificate", ((f"rolealias/{_free(23)}",),)),
    (f"iot:{_free(17)}", _ANYTHING),  # the actions that are not in this list
)
"""What a device may be allowed to call, and per action the groups of resources any one of which means "all of them"."""

_TOPIC_ACTIONS = ("iot:publish", "iot:subscribe")


def _wide(allows: list[_Statement], denies: list[_Statement], action: str, groups: _Groups) -> list[_Statement]:
    """The Allow statements that give the action on all of its resources; empty where none do or a Deny takes it away."""
    for group in groups:
        givers = [[s for s in allows if s.covers(action, resource)] for resource in group]
        stands = (
            not all(_denied(giver, denies, action, resource) for giver in of_one)
            for of_one, resource in zip(givers, group, strict=True)
        )
        if all(givers) and any(stands):
            return [of_one[0] for of_one in givers]
    return []


def _denied(giver: _Statement, denies: Iterable[_Statement], action: str, resource: str) -> bool:
    """Whether some Deny holds wherever the Allow does: its conditions are met by all, or are among those of the Allow."""
    given = giver.conditions
    return any(not (s.conditions - _met_by_all(s.conditions) - given) and s.covers(action, resource) for s in denies)


def _harmless(conditions: frozenset[Condition]) -> frozenset[Condition]:
    return _met_by_all(conditions) | {c for c in conditions if c[0] in ("bool", "boolifexists") and c[1] == _ATTACHED}


def _met_by_all(conditions: frozenset[Condition]) -> frozenset[Condition]:
    """Conditions that no connection fails."""
    return frozenset(
        (operator, key, values)
        for operator, key, values in conditions
        if (operator in ("stringlike", "stringlikeifexists", "arnlike", "arnlikeifexists") and "*" in values)
        or (operator == "ipaddress" and {"0.0.0.0/0", "::/0"} <= set(values))
        or (operator == "bool" and {"true", "false"} <= set(values))
    )


def _narrowed_by(statements: Iterable[_Statement]) -> str:
    """Why an Allow that looks wide was not judged wide: its conditions."""
    keys = sorted({key for s in statements if s.allow for _, key, _ in s.conditions - _harmless(s.conditions)})
    return f"an Allow holds under conditions on {', '.join(keys)}" if keys else ""


def _resource_matches(pattern: str, resource: str) -> bool:
    """Whether an ARN pattern covers ``kind/name`` in some region and account (``*`` may span the colons between)."""
    if pattern == "*":
        return True
    parts = pattern.split(":", 5)
    partition, _, region, account = (parts[1:5] + [""] * 4)[:4]
    for where in ((region, "" if "/" in account else account), (region, ""), ("", "")):
        one, two = (_example(text, default) for text, default in zip(where, ("eu-central-1", "000000000000"), strict=True))
        if matches(pattern, f"arn:{_example(partition, 'aws')}:iot:{one}:{two}:{resource}"):
            return True
    return False


def _example(pattern: str, default: str) -> str:
    """A text that the pattern of one ARN field matches, which it does itself; the default where the field is open or none."""
    return default if pattern.strip("*") == "" else pattern


def _statements(document: str) -> Iterator[_Statement]:
    """The statements of a document. Raises _UnreadableError, or ValueError and RecursionError of the JSON reader."""
    if len(document) > LONGEST_DOCUMENT:
        raise _UnreadableError(f"longer than {LONGEST_DOCUMENT} characters")
    policy = json.loads(document, object_pairs_hook=_without_repeats)
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise _UnreadableError("no Statement")
    found = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    if not found:
        raise _UnreadableError("no Statement")
    for number, statement in enumerate(found, 1):
        yield _statement(number, statement)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise _UnreadableError("an element stands twice in one object")
    return plain


def _statement(number: int, statement: object) -> _Statement:
    if not isinstance(statement, dict):
        raise _UnreadableError(f"statement {number} is no object")
    if (effect := statement.get("Effect")) not in ("Allow", "Deny"):
        raise _UnreadableError(f"statement {number} has Effect {effect!r}")
    actions, not_actions = _either(number, statement, "Action", str.lower)
    resources, not_resources = _either(number, statement, "Resource", _fixed_variables)
    what = f"{_shown(statement, 'Action', not_actions)} on {_shown(statement, 'Resource', not_resources)}"
    return _Statement(
        label=f"{statement.get('Sid') or f'statement {number}'}: {effect} {what}",
        allow=effect == "Allow",
        actions=actions,
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        conditions=_conditions(number, statement.get("Condition", {})),
    )


def _shown(statement: dict[str, Any], key: str, inverted: bool) -> str:
    """The patterns for people, the first three of them."""
    patterns = _listed(statement[f"Not{key}" if inverted else key])
    more = f" and {len(patterns) - 3} more" if len(patterns) > 3 else ""
    return f"{'all but ' if inverted else ''}{', '.join(p[:120] for p in patterns[:3])}{more}"


def _either(number: int, statement: dict[str, Any], key: str, form: Callable[[str], str]) -> tuple[tuple[str, ...], bool]:
    """The patterns of ``key`` or of ``Not<key>``, and whether it was the latter. Exactly one must be there."""
    inverted = f"Not{key}"
    if (key in statement) == (inverted in statement):
        raise _UnreadableError(f"statement {number} needs either {key} or {inverted}")
    patterns = _listed(statement[inverted if inverted in statement else key])
    if not patterns or not all(isinstance(p, str) for p in patterns):
        raise _UnreadableError(f"{key} of statement {number} is no list of texts")
    return tuple(form(p) for p in patterns), inverted in statement


def _fixed_variables(pattern: str) -> str:
    """The pattern with each ``${...}`` as one character that stands for its value (``${*}`` is a plain asterisk)."""
    done, rest = [], pattern
    while (start := rest.find("${")) >= 0 and (end := rest.find("}", start)) >= 0:
        done += [rest[:start], _VARIABLE]
        rest = rest[end + 1 :]
    return "".join(done) + rest


def _conditions(number: int, block: object) -> frozenset[Condition]:
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise _UnreadableError(f"Condition of statement {number} is no object of objects")
    return frozenset(
        (operator.lower(), key.lower(), tuple(sorted(_text(v) for v in _listed(values))))
        for operator, keys in block.items()
        for key, values in keys.items()
    )


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    """A condition's value as AWS compares it: ``true`` and ``"true"`` are one."""
    return value if isinstance(value, str) else json.dumps(value)
