"""One of two processes that want contradictory things of the same devices. Reads commands, waits for the word, answers each.

A line in: what to do. A line out: ``won``, or ``refused`` with code, problem and fix.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat

from tenure.errors import TenureError
from tenure.lifecycle.arrival import judge_arrival
from tenure.lifecycle.commands import AcceptTransfer, CancelTransfer, Claim, Command, Register, Retire
from tenure.lifecycle.verbs import judge
from tenure.lifecycle.verdict import permitted
from tenure.model.access import EVERYTHING
from tenure.model.devices import HardwareRoot, RootKind
from tenure.model.events import Cause
from tenure.registry import devices
from tenure.registry.facts import arrival_facts, facts_of
from tenure.registry.opening import open_registry
from tenure.registry.registry import Registry
from tenure.registry.verdicts import carry_out
from tenure.registry.work import World
from tests.proof.restored import ASKED
from tests.registry.healthy import OPERATOR, new_id


def command_of(wanted: dict[str, Any]) -> Command:
    match wanted["verb"]:
        case "claim":
            return Claim(UUID(wanted["owner"]), UUID(wanted["domain"]))
        case "accept":
            return AcceptTransfer(UUID(wanted["domain"]))
        case "cancel":
            return CancelTransfer()
    return Retire()


def do(registry: Registry, wanted: dict[str, Any]) -> None:
    with registry.change(OPERATOR) as work:
        if wanted["verb"] == "register":
            root = bytes.fromhex(wanted["root"])
            register = Register(new_id(), (HardwareRoot(RootKind.IDEVID, root),))
            facts = arrival_facts(work, EVERYTHING, [root], None, None)
            verdict = permitted(judge_arrival(facts, register, ASKED, work.at, new_id))
            carry_out(work, [], verdict, Cause("register"))
            return
        command = command_of(wanted)
        held = devices.hold(work, EVERYTHING, UUID(wanted["device"]))
        verdict = permitted(judge(facts_of(work, held), command, ASKED, work.at, new_id))
        carry_out(work, [held], verdict, Cause(command.verb, ASKED.reason))


def main(url: str) -> None:
    registry = open_registry(url, World(lambda: datetime.now(UTC), uuid_utils.compat.uuid7, os.urandom))
    wanted = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    for each in wanted:
        try:
            do(registry, each)
        except TenureError as error:
            print(json.dumps(["refused", str(getattr(error, "code", "")), error.problem, error.fix]))
        else:
            print(json.dumps(["won"]))
    registry.close()


if __name__ == "__main__":
    main(sys.argv[1])
