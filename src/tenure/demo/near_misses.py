"""What looks like a defect of the example fleet and is none, with the rules that must stay silent; and what cannot be read.

Times are days before the as-of time.
"""

from __future__ import annotations

from tenure.demo.cases import Case, role
from tenure.demo.fleet import FAR_SITE, NEVER, Certificate, Token, Visit

ROAMING = "198.51.100.23"
"""The network that a device moved to."""

NEAR_MISSES: tuple[Case, ...] = (
    Case(
        "swapped-gateway",
        "exchanged under guarantee: the new one took over name and place, the old one's certificate was revoked",
        (
            role("gateway", site="east", state="Retired", left=80,
                  certificates=(Certificate(200, used=((180, 82),), revoked=81),)),
            role("gateway", site="east", same=("name", "client"), installed=79, certificates=(Certificate(79),)),
        ),
        silent=("retired-device-still-connecting", "duplicate-device-record", "key-shared-across-devices", "hidden-device"),
    ),
    Case(
        "same-key-renewal",
        "renewed 20 days ago with the same key; the old certificate ends in two weeks by itself",
        (role("gateway", certificates=(Certificate(383, used=((180, 20),), label="old"), Certificate(20))),),
        silent=("key-shared-across-devices", "superseded-credential-still-valid", "certificate-expires-soon"),
    ),
    Case(
        "reused-addresses",
        "two gateways exchanged their addresses 90 days ago",
        (
            role("gateway", site="south", leases=((400, "lease 1"), (90, "lease 2")),
                  certificates=(Certificate(220, used=((180, 92), (89, 0))),)),
            role("gateway", site="south", leases=((400, "lease 2"), (90, "lease 1")),
                  certificates=(Certificate(230, used=((180, 92), (89, 0))),)),
        ),
        silent=("credential-shared-in-use",),
    ),
    Case(
        "equal-serials",
        "devices of two makers have the same serial",
        (role("thermostat"), role("sensor", same=("serial",))),
        silent=("duplicate-device-record", "non-identifying-identifier"),
    ),
    Case(
        "refused-gateway",
        "retired, its certificate revoked; it still knocks, and is refused",
        (
            role(
                "gateway", state="Retired", left=60,
                certificates=(Certificate(260, used=((180, 62),), revoked=61, reason="cessationOfOperation"),),
                visits=tuple(Visit(ago, 0, refusal="not authorised") for ago in (40.3, 22.8, 5.1)),
            ),
        ),
        silent=("retired-device-still-trusted", "retired-device-still-connecting", "revoked-credential-still-accepted"),
    ),
    Case(
        "refused-thermostat",
        "retired, its certificate INACTIVE; the cloud refuses it",
        (
            role(
                "thermostat", state="Retired", left=50,
                certificates=(Certificate(220, 365, used=((180, 52),), revoked=50, status="INACTIVE"),),
                visits=(Visit(31.4, 0, "current", refusal="AUTHORIZATION_FAILURE"),),
            ),
        ),
        silent=("retired-device-still-trusted", "retired-device-still-connecting", "conflicting-state"),
    ),
    Case(
        "born-gateway",
        "retired; its birth certificate never ends, and is trusted for enrolment only",
        (role("gateway", state="Retired", left=100, birth=True,
               certificates=(Certificate(250, used=((180, 103),), revoked=101),)),),
        silent=("retired-device-still-trusted", "no-expiry-date", "no-revocation-path", "certificate-lifetime-too-long"),
    ),
    Case(
        "far-gateway",
        "works at the place whose broker's log is not exported",
        (role("gateway", site=FAR_SITE, discovered=False, certificates=(Certificate(190, used=NEVER),)),),
        silent=("stale-identity", "unseen-device"),
    ),
    Case(
        "stocked-gateway",
        "in stock, with the certificate it will work with",
        (role("gateway", state="In Stock", discovered=False, certificates=(Certificate(120, used=NEVER),)),),
        silent=("orphaned-credential", "stale-identity", "unseen-device"),
    ),
    Case(
        "waiting-controller",
        "pending disposal: no longer in service, not yet retired; its token runs out next week",
        (role("controller", state="Pending Disposal", tokens=(Token(358, -7, 2),)),),
        silent=("retired-device-still-trusted", "retired-device-still-connecting"),
    ),
    Case(
        "resold-gateway",
        "it changed owner 70 days ago and got a new key then; its birth certificate is older",
        (
            role(
                "gateway", owner_changed=70, owner="Harbour Services", birth=True,
                certificates=(
                    Certificate(310, used=((180, 71),), label="old", revoked=69), Certificate(68, key="new"),
                ),
            ),
        ),
        silent=("ownership-changed-without-rekey",),
    ),
    Case(
        "short-lived-thermostat",
        "55 of the 60 days of its certificate are left",
        (
            role(
                "thermostat",
                certificates=(Certificate(65, 60, used=((65, 5),), label="old", status="INACTIVE"), Certificate(5, 60)),
            ),
        ),
        silent=("certificate-expires-soon", "certificate-expired"),
    ),
    Case(
        "roaming-thermostat",
        "it moved to another network: for three minutes both connections were open",
        (
            role(
                "thermostat",
                certificates=(Certificate(150, 365, used=((150, 24), (17, 0))),),
                visits=(Visit(20, 303, "current"), Visit(20 - 300 / 1440, 200, "current", address=ROAMING)),
            ),
        ),
        silent=("credential-shared-in-use",),
    ),
    Case(
        "flapping-controller",
        "on a bad line it connects again every two minutes, always from its own address",
        (role("controller", visits=tuple(Visit(12 - 2 * turn / 1440, 600) for turn in range(6))),),
        silent=("client-id-conflict",),
    ),
    Case(
        "two-rights",
        "two tokens with different rights, both in use",
        (role("controller", tokens=(Token(200, -165), Token(100, -265, label="commands", scopes="commands:read"))),),
        silent=("superseded-credential-still-valid",),
    ),
    Case(
        "quarantined-rights",
        "its policy allows everything, and a second one denies everything",
        (role("thermostat", certificates=(Certificate(170, 365, policies=("ServicePolicy", "QuarantinePolicy")),)),),
        silent=("wildcard-privilege",),
    ),
    Case(
        "hidden-handshakes",
        "TLS 1.3 hides its certificate from the sensor; the broker's log has its name",
        (role("gateway", tls13=True, certificates=(Certificate(240),)),),
        silent=("stale-identity",),
    ),
    Case(
        "broker-certificate",
        "the certificate of the broker itself belongs to no device",
        silent=("orphaned-credential",),
    ),
    Case(
        "notations",
        "serials without their zeros, MACs in four notations, makers with and without Ltd, hosts under name and address",
        silent=("duplicate-device-record", "key-shared-across-devices", "non-identifying-identifier", "hidden-device"),
    ),
    Case(
        "rolled-anchor",
        "the first certificate of our root ends in 100 days; the same key stands in other bundles for longer",
        silent=("anchor-expires-soon", "anchor-expires-before-leaf"),
    ),
)  # fmt: skip

TROUBLES: tuple[Case, ...] = (
    Case("unknown-word", "a state in the CMDB that no mapping knows", (role("sensor", state="Awaiting Survey"),)),
    Case("repeated-row", "a row of the CMDB that stands there twice", (role("sensor", rows=2),)),
    Case("torn-line", "the disk was full: a line of the broker's log breaks off"),
    Case("damaged-file", "a certificate file that was cut in half"),
)
"""What cannot be read or stands there twice: it must be told as a problem, and nothing else may come of it."""
