"""What AWS IoT policies allow: the semantics one by one, properties over generated policies, and the sample fleet's nine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.model.policies import LONGEST_DOCUMENT, PolicyRights, evaluate, matches

ARN = "arn:aws:iot:eu-central-1:123456789012:"


def rights(*statements: dict[str, Any]) -> PolicyRights:
    found = evaluate(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    assert found.readable, found.why
    return found


def allow(action: object, resource: object, **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object, resource: object, **more: object) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


ATTACHED = {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}


@pytest.mark.parametrize(
    "statement",
    [
        allow("iot:*", "*"),
        allow("*", "*"),
        allow(["iot:Connect", "IOT:*"], ["*"]),
        allow("iot:*", ARN + "*"),
        allow("iot:*", "arn:aws:iot:*"),
        allow("iot:*", "arn:aws-cn:iot:cn-north-1:123456789012:*"),
        allow("iot:*", "*", Condition=ATTACHED),
        allow("iot:*", "*", Condition={"Bool": {"iot:Connection.Thing.IsAttached": True}}),
        allow("iot:*", "*", Condition={"StringLike": {"iot:ClientId": "*"}}),
        {"Effect": "Allow", "NotAction": "iot:DeleteThing", "Resource": "*"},
        {"Effect": "Allow", "Action": "iot:*", "NotResource": ARN + "topic/admin/*"},
    ],
)
def test_every_action_on_everything(statement: dict[str, Any]) -> None:
    found = rights(statement)
    assert found.allows_all_actions
    assert found.allows_all_topics
    assert "statement 1: Allow" in found.why


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iot:Publish", "*"),
        ("iot:Publish", ARN + "topic/*"),
        ("iot:publish", ARN + "*"),
        ("iot:Pub*", "arn:aws:iot:*:*:topic/*"),
        ("iot:Publish", "arn:aws:iot:eu-*:topic/*"),
        ("iot:Publish", ARN + "topic/?*"),
        ("iot:Publish", ARN + "topic/*/*"),
        ("iot:Publish", ARN + "t*"),
        ("iot:Subscribe", ARN + "topicfilter/*"),
        ("iot:Subscribe", ARN + "topicfilter/#"),
        ("iot:Subscribe", ARN + "topicfilter/+/#"),
        ("iot:Subscribe", ARN + "topicfilter/$share/*"),
        (["iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive"], "*"),
    ],
)
def test_every_topic_but_not_every_action(action: object, resource: object) -> None:
    found = rights(allow(action, resource))
    assert (found.allows_all_actions, found.allows_all_topics) == (False, True)
    assert "on" in found.why


@pytest.mark.parametrize(
    "statements",
    [
        [allow("iot:Connect", "*")],
        [allow("iot:Receive", "*")],
        [allow(["iot:Connect", "iot:Receive"], "*")],
        [allow("iot:Publish", ARN + "topic/dt/*")],
        [allow("iot:Publish", ARN + "topic/${iot:Connection.Thing.ThingName}/*")],
        [allow("iot:Publish", ARN + "topic/*/${iot:ClientId}")],
        [allow("iot:*", ARN + "topic/${iot:Certificate.Subject.CommonName}*")],
        [allow("iot:Publish", ARN + "topic/*/status")],
        [allow("iot:Publish", ARN + "topic/#")],  # a topic of that name, nobody can publish to it
        [allow("iot:Publish", ARN + "topic/${*}")],  # a plain asterisk
        [allow("iot:Publish", ARN + "topicfilter/*")],  # not what Publish is about
        [allow("iot:Subscribe", ARN + "topic/*")],
        [allow("iot:Subscribe", ARN + "topicfilter/cmd/#")],
        [allow("iot:Subscribe", ARN + "topicfilter/cmd/*")],
        [allow("iot:*", ARN + "thing/*")],
        [allow("s3:*", "*")],
        [allow("iot:Publish", "arn:aws:sns:eu-central-1:123456789012:topic/*")],
        [allow("iot:*", "*", Condition={"StringEquals": {"iot:Certificate.Subject.Organization": "Example"}})],
        [allow("iot:*", "*", Condition={**ATTACHED, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})],
        [deny("iot:*", "*")],
        [allow("iot:*", "*"), deny("iot:*", "*")],
        [allow("iot:*", "*"), deny("*", "*", Condition={"StringLike": {"iot:ClientId": ["*"]}})],
        [allow("iot:*", "*", Condition=ATTACHED), deny("iot:*", "*", Condition=ATTACHED)],
        [allow(["iot:Publish", "iot:Subscribe"], "*"), deny("iot:Publish", "*"), deny("iot:Subscribe", ARN + "topicfilter/*")],
        [allow("iot:*", "*"), deny(["iot:Publish", "iot:Subscribe"], [ARN + "topic/*", ARN + "topicfilter/*"])],
        [allow("iot:Subscribe", ARN + "topicfilter/#"), deny("iot:Subscribe", ARN + "topicfilter/#")],
        [
            allow("iot:Publish", "*"),
            {"Effect": "Deny", "Action": "iot:Publish", "NotResource": ARN + "topic/${iot:Connection.Thing.ThingName}/*"},
        ],
        [allow("iot:*", "*"), {"Effect": "Deny", "NotAction": "iot:Connect", "Resource": "*"}],
    ],
)
def test_no_wildcard_right(statements: list[dict[str, Any]]) -> None:
    found = rights(*statements)
    assert (found.allows_all_actions, found.allows_all_topics) == (False, False)


@pytest.mark.parametrize(
    "denied",
    [
        deny("iot:Publish", ARN + "topic/$aws/*"),
        deny("iot:*", ARN + "topic/admin/*"),
        deny("iot:Subscribe", ARN + "topicfilter/#"),
        deny("iot:*", "*", Condition={"Bool": {"iot:Connection.Thing.IsAttached": "false"}}),
        deny("iot:*", "*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        deny("iot:Publish", ARN + "topic/${iot:ClientId}/*"),
        deny("iot:DeleteThing", "*"),  # nothing a device calls
    ],
)
def test_a_deny_of_part_leaves_all_standing(denied: dict[str, Any]) -> None:
    found = rights(denied, allow("iot:*", "*"))
    assert found.allows_all_actions
    assert found.allows_all_topics


def test_a_deny_of_a_whole_action_ends_all_actions_but_not_all_topics() -> None:
    found = rights(allow("iot:*", "*"), deny("iot:DeleteThingShadow", "*"))
    assert (found.allows_all_actions, found.allows_all_topics) == (False, True)


def test_rights_add_up_over_statements() -> None:
    by_kind = [allow("iot:*", ARN + f"{kind}/*") for kind in ("client", "topic", "topicfilter", "thing")]
    found = rights(*by_kind, {"Effect": "Allow", "NotAction": "iot:Connect", "Resource": "*"})
    assert found.allows_all_actions
    assert "statement 1" in found.why
    assert "all but iot:Connect" in found.why


def test_a_condition_that_narrows_is_named() -> None:
    assert "aws:sourceip" in rights(allow("iot:*", "*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})).why


def test_policies_that_one_certificate_holds_are_judged_together() -> None:
    wide, none = (json.dumps({"Statement": s}) for s in (allow("iot:*", "*"), deny("iot:*", "*")))
    assert evaluate(wide).allows_all_actions
    assert not evaluate(wide, none).allows_all_topics
    assert not evaluate(none, wide).allows_all_actions
    assert not evaluate(wide, "").readable  # what the other one takes away is not known


def test_one_statement_needs_no_list() -> None:
    assert evaluate(json.dumps({"Statement": allow("iot:*", "*")})).allows_all_actions


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"Statement": []}',
        '{"Statement": ["x"]}',
        '{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": [1], "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "iot:Connect", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Action": "iot:Connect", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": "x"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": 1}}}',
        "[" * 100_000,
        json.dumps({"Statement": allow("iot:*", "*" * LONGEST_DOCUMENT)}),
    ],
)
def test_what_is_no_policy_claims_nothing(document: str) -> None:
    found = evaluate(document)
    assert not found.readable
    assert not found.allows_all_actions
    assert not found.allows_all_topics
    assert found.why


PATTERNS = st.text(alphabet="ab*?/", max_size=12)


@given(PATTERNS, st.text(alphabet="ab/", max_size=12))
def test_wildcards_match_as_regular_expressions_do(pattern: str, text: str) -> None:
    regular = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    assert matches(pattern, text) == (re.fullmatch(regular, text) is not None)


RESOURCES = st.sampled_from(
    [
        "*",
        *(
            ARN + r
            for r in ("*", "topic/*", "topic/dt/*", "topicfilter/*", "topicfilter/#", "topic/${iot:ClientId}/*", "client/*")
        ),
    ]
)
ACTIONS = st.sampled_from(["*", "iot:*", "iot:Publish", "iot:Subscribe", "iot:Connect", "iot:Re*", "iot:GetThingShadow"])
CONDITIONS = st.sampled_from([{}, ATTACHED, {"StringEquals": {"iot:ClientId": "a"}}, {"StringLike": {"iot:ClientId": "*"}}])


@st.composite
def statements(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> dict[str, Any]:
    inverted_action, inverted_resource = draw(st.booleans()), draw(st.booleans())
    return {
        "Effect": draw(st.sampled_from(effects)),
        "NotAction" if inverted_action else "Action": draw(st.lists(ACTIONS, min_size=1, max_size=3)),
        "NotResource" if inverted_resource else "Resource": draw(st.lists(RESOURCES, min_size=1, max_size=3)),
        "Condition": draw(CONDITIONS),
    }


@given(st.lists(statements(), min_size=1, max_size=4), statements(effects=("Deny",)))
def test_a_deny_never_widens(policy: list[dict[str, Any]], more: dict[str, Any]) -> None:
    before, after = rights(*policy), rights(*policy, more)
    assert after.allows_all_actions <= before.allows_all_actions
    assert after.allows_all_topics <= before.allows_all_topics


@given(st.lists(statements(), min_size=1, max_size=4), statements(effects=("Allow",)))
def test_an_allow_never_narrows(policy: list[dict[str, Any]], more: dict[str, Any]) -> None:
    before, after = rights(*policy), rights(*policy, more)
    assert after.allows_all_actions >= before.allows_all_actions
    assert after.allows_all_topics >= before.allows_all_topics


@given(st.lists(statements(), min_size=1, max_size=4), st.randoms())
def test_the_order_of_statements_means_nothing_and_all_actions_hold_all_topics(policy: list[dict[str, Any]], order: Any) -> None:
    found = rights(*policy)
    shuffled = list(policy)
    order.shuffle(shuffled)
    again = rights(*shuffled)
    assert (found.allows_all_actions, found.allows_all_topics) == (again.allows_all_actions, again.allows_all_topics)
    assert found.allows_all_topics or not found.allows_all_actions


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["Allow", "*", "iot:*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Action", "Resource", "Condition", "Sid"]) | st.text(max_size=5), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_judged(document: object) -> None:
    found = evaluate(json.dumps({"Statement": document}))
    assert found.readable or not (found.allows_all_actions or found.allows_all_topics)


@given(st.text())
def test_any_text_is_judged(document: str) -> None:
    assert not evaluate(document).allows_all_actions


def test_the_sample_fleets_policies(corpus: Path) -> None:
    found = {}
    for path in sorted((corpus / "fleet-sample" / "aws" / "get-policy").iterdir()):
        policy = json.loads(path.read_text())
        judged = evaluate(policy["policyDocument"])
        assert judged.readable
        found[policy["policyName"]] = (judged.allows_all_actions, judged.allows_all_topics)
    assert found == {
        "CameraIngestPolicy": (False, False),
        "DenyAllQuarantine": (False, False),
        "DevTestPolicy": (True, True),
        "FleetTopicWide": (False, True),
        "GatewayPolicy": (False, False),
        "LegacyAllowAll": (True, True),
        "OldProvisioningUnused": (True, True),
        "ThermostatPolicy-v3": (False, False),
        "ThermostatWildcardTail": (False, False),
    }
