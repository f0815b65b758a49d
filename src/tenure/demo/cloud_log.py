"""The log of the example fleet's cloud: records of AWS IoT's v2 log, one a line, as CloudWatch exports them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from tenure.demo.cloud import ACCOUNT
from tenure.demo.fleet import LOG_DAYS
from tenure.demo.life import Session, World

LOG = "logs/cloudwatch-aws-iot.jsonl"


def files(world: World) -> Iterator[tuple[str, bytes]]:
    records = [record for session in world.cloud for record in _records(world, session)]
    talker = next(s for s in world.cloud if not s.refusal)
    records += [_record(world, talker, world.moment(ago), "Publish-In") for ago in (LOG_DAYS, 90, 0.005)]
    records.sort(key=lambda record: str(record["timestamp"]))
    yield LOG, "".join(f"{json.dumps(record)}\n" for record in records).encode()


def _records(world: World, session: Session) -> Iterator[dict[str, str | int]]:
    connect = _record(world, session, session.started, "Connect")
    if session.refusal:
        yield connect | {"logLevel": "ERROR", "status": "Failure", "reason": session.refusal}
        return
    yield connect
    if session.ended is not None and session.ended < world.as_of:
        end = _record(world, session, session.ended, "Disconnect")
        yield end | {"disconnectReason": "CLIENT_INITIATED_DISCONNECT"}


def _record(world: World, session: Session, at: datetime, event: str) -> dict[str, str | int]:
    label = (event, session.client, session.port, at)
    at += timedelta(milliseconds=world.chance.below(1000, "millisecond", *label))
    assert session.certificate is not None  # everything in the cloud connects with one
    return {
        "timestamp": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}",
        "logLevel": "INFO",
        "traceId": str(uuid.UUID(bytes=world.chance.octets(16, "trace", *label))),
        "accountId": ACCOUNT,
        "status": "Success",
        "eventType": event,
        "protocol": "MQTT",
        "clientId": session.client,
        "principalId": session.certificate.sha256,
        "sourceIp": session.address,
        "sourcePort": session.port,
    }
