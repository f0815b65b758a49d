"""Lines per second of a broker's and a cloud's log into a finished snapshot, and the most memory it takes.

``python -m bench.logs [--bytes 1000000000] [--runs 3] [--log mosquitto|cloudwatch]`` writes a generated log (seeded; a fleet of
20,000 clients), collects it several times, each in a process of its own, and prints medians. The broker's log holds default
log types: nearly every line tells of a session, sometimes of a take-over or a refusal. In the cloud's a client publishes
three times between Connect and Disconnect. Beside them, over the same file in the same run: ``wc -l``, and Python's plain
iteration over the lines, the limit for anything that looks at each line in one process.

Target: 300,000 lines per second on two cores, in memory that does not grow with the log.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLIENTS = 20_000
BEGIN = datetime(2026, 5, 5, tzinfo=UTC)
ENDS = ("disconnected.", "closed its connection.", "has exceeded timeout, disconnecting.")
REASONS = ("CLIENT_INITIATED_DISCONNECT", "CONNECTION_LOST", "MQTT_KEEP_ALIVE_TIMEOUT")


def mosquitto_lines(chance: random.Random) -> Iterator[str]:
    """What a broker with default log types writes, for ever."""
    names = [f"gw-site{n % 40:02}-{n:05}" for n in range(CLIENTS)]
    connected: set[int] = set()
    moment = 0.0
    while True:
        moment += chance.random() * 0.4
        stamp = (BEGIN + timedelta(seconds=int(moment))).strftime("%Y-%m-%dT%H:%M:%S")
        client = chance.randrange(CLIENTS)
        name, kind = names[client], chance.random()
        peer = f"10.{client % 200}.{client // 200}.7:{chance.randrange(1024, 65536)}"
        if kind < 0.01:
            yield f"{stamp}: New connection from {peer} on port 8883.\n"
            yield f"{stamp}: OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed\n"
            yield f"{stamp}: Client <unknown> disconnected: Protocol error.\n"
        elif kind < 0.011:
            yield f"{stamp}: Saving in-memory database to /var/lib/mosquitto//mosquitto.db.\n"
        elif client in connected and kind < 0.98:
            connected.remove(client)
            yield f"{stamp}: Client {name} {ENDS[client % 3]}\n"
        else:
            yield f"{stamp}: New connection from {peer} on port 8883.\n"
            if kind < 0.3:  # while its handshake goes on, somebody else arrives
                other = f"10.{client % 200}.{client // 200}.8:{chance.randrange(1024, 65536)}"
                yield f"{stamp}: New connection from {other} on port 8883.\n"
                yield f"{stamp}: New client connected from {other} as guest-{moment:.3f} (p5, c1, k30).\n"
                yield f"{stamp}: Client guest-{moment:.3f} disconnected.\n"
            if client in connected:
                yield f"{stamp}: Client {name} already connected, closing old connection.\n"
            yield f"{stamp}: New client connected from {peer} as {name} (p2, c1, k60, u'{name}').\n"
            connected.add(client)


def cloudwatch_lines(chance: random.Random) -> Iterator[str]:
    """What AWS IoT logs at level INFO of clients that connect, publish and leave, for ever."""
    identities = [(f"thermo-{n:010}", f"{chance.getrandbits(256):064x}") for n in range(CLIENTS)]
    connected: dict[int, list[int]] = {}  # port, messages left to publish
    moment = 0.0
    while True:
        moment += chance.random() * 0.2
        client = chance.randrange(CLIENTS)
        name, principal = identities[client]
        state = connected.setdefault(client, [0, 3])
        kind = "Connect" if not state[0] else "Publish-In" if state[1] else "Disconnect"
        record = {
            "timestamp": (BEGIN + timedelta(seconds=moment)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], "logLevel": "INFO",
            "traceId": f"{chance.getrandbits(128):032x}", "accountId": "471112345678", "status": "Success", "eventType": kind,
            "protocol": "MQTT",
        }  # fmt: skip
        if kind == "Connect":
            state[0] = chance.randrange(1024, 65536)
        elif kind == "Publish-In":
            state[1] -= 1
            record["topicName"] = f"thermo/{name}/state"
        who = {
            "clientId": name,
            "principalId": principal,
            "sourceIp": f"85.{client % 200}.{client // 200}.9",
            "sourcePort": state[0],
        }
        if kind == "Disconnect":
            who["disconnectReason"] = REASONS[client % 3]
            del connected[client]
        yield json.dumps(record | who) + "\n"


LOGS: dict[str, Callable[[random.Random], Iterator[str]]] = {"mosquitto": mosquitto_lines, "cloudwatch": cloudwatch_lines}


def write_log(path: Path, kind: str, size: int) -> int:
    """A log of about ``size`` bytes; how many lines it has."""
    lines = written = 0
    with path.open("w") as file:
        for line in LOGS[kind](random.Random(20_261_101)):
            written += file.write(line)
            lines += 1
            if written >= size:
                return lines
    return lines


def collect(kind: str, path: Path) -> None:
    """Collect the log here and print what it took as JSON; the parent starts this in a process of its own.

    Imports stand in here because the helper processes import this module too, and need none of it.
    """
    from tenure.evidence.collection import HEAD_BYTES, CollectContext, Place
    from tenure.evidence.digests import SecretDigest
    from tenure.evidence.snapshot import SnapshotDraft
    from tenure.model.declarations import Declarations
    from tenure.sources import aws_iot_log, mosquitto_log

    source = mosquitto_log.SOURCE if kind == "mosquitto" else aws_iot_log.SOURCE
    with path.open("rb") as file:
        place = Place(path, path.name, file.read(HEAD_BYTES))
    declarations = Declarations()
    context = CollectContext(declarations, declarations.for_path(path.name), SecretDigest(b"k" * 32), path.parent)
    memory = Memory()
    memory.start()
    start = time.perf_counter()
    with SnapshotDraft(path.parent / "store", source.kind, source.version, path.name) as draft:
        source.collect(place, context, draft)
        rows = draft.finish(BEGIN).manifest.rows
    took = time.perf_counter() - start
    memory.over.set()
    memory.join()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(u.ru_utime + u.ru_stime for u in used)
    print(json.dumps({"seconds": took, "cpu": cpu, "most": memory.most, "helpers": memory.helpers, "rows": rows}))


class Memory(threading.Thread):
    """Looks every 50 ms how much memory this process and its helpers have (Linux; a child's rusage counts what it came from)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.most = self.helpers = 0  # bytes: of all processes together, of all helpers together

    def run(self) -> None:
        page = resource.getpagesize()
        while not self.over.wait(0.05):
            children = [c for t in Path("/proc/self/task").glob("*/children") for c in t.read_text().split()]
            helpers = sum(_pages(Path("/proc", child)) for child in children) * page
            self.helpers = max(self.helpers, helpers)
            self.most = max(self.most, helpers + _pages(Path("/proc/self")) * page)


def _pages(process: Path) -> int:
    try:
        return int((process / "statm").read_text().split()[1])
    except (OSError, IndexError):  # it has just ended
        return 0


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def iterated(path: Path) -> float:
    start = time.perf_counter()
    with path.open("rb") as file:
        for _line in file:
            pass
    return time.perf_counter() - start


def measure(kind: str, size: int, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{kind}.log"
        lines = write_log(path, kind, size)
        print(f"{kind}: {lines:,} lines, {path.stat().st_size / 1e6:,.0f} MB")
        counted = statistics.median(timed(["wc", "-l", str(path)]) for _ in range(runs))
        plain = statistics.median(iterated(path) for _ in range(runs))
        found = []
        for _ in range(runs):
            command = [sys.executable, "-m", "bench.logs", "--collect", str(path), "--log", kind]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    seconds = statistics.median(f["seconds"] for f in found)
    print(f"  snapshot        {lines / seconds:12,.0f} lines/s   {seconds:7.1f} s, {found[0]['rows']}")
    print(f"  processor time  {statistics.median(f['cpu'] for f in found):12.1f} s over all processes")
    most, helpers = (max(f[which] for f in found) / 1e6 for which in ("most", "helpers"))
    print(f"  memory at most  {most:12,.0f} MB over all processes, {helpers:,.0f} MB of it in helpers")
    print(f"  wc -l           {lines / counted:12,.0f} lines/s")
    print(f"  iteration       {lines / plain:12,.0f} lines/s (Python, one process, nothing done with a line)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--log", choices=sorted(LOGS))
    parser.add_argument("--collect", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.collect:
        collect(options.log, options.collect)
        return
    for kind in [options.log] if options.log else sorted(LOGS):
        measure(kind, options.bytes, options.runs)


if __name__ == "__main__":
    main()
