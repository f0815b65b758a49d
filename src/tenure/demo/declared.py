"""What nobody could tell from the exports of the example fleet, as its people would declare it: ``audit.toml``."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.demo.broker_log import LOG
from tenure.demo.life import BROKER, BROKER_ADDRESS, TLS_PORT, World

_TEXT = f"""\
# What no export says. All entries: docs/audit-toml.md

[[source]]
path = "{LOG}"
relying_party = "{BROKER}"
time_zone = "UTC"                       # the log's times name no zone

[[relying_party]]
name = "{BROKER}"
kind = "broker"
addresses = ["{BROKER_ADDRESS}:{TLS_PORT}"]      # where the network sensor sees it

[[anchors]]
path = "anchors/broker-main.pem"
relying_party = "{BROKER}"
kind = "broker"
purpose = "operation"

[[anchors]]
path = "anchors/enrolment.pem"
relying_party = "enrol.example.com"
kind = "host"
purpose = "enrolment"                   # birth certificates open enrolment, and nothing else
"""


def files(world: World) -> Iterator[tuple[str, bytes]]:
    del world  # the same for all fleets
    yield "audit.toml", _TEXT.encode()
