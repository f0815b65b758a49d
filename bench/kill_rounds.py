"""Kill -9 at random moments under concurrent load: is everything that was acknowledged there, and nothing half?

python -m bench.kill_rounds [--rounds 200] [--database sqlite|postgresql|both] [--url URL]

Each round: three writers and two sequencers on one database, each killed at a moment of its own; then all is checked
(bench/_kill_check.py). On PostgreSQL each fifth round kills a server process too, so that the server recovers from its log.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg

from bench._databases import KINDS, await_answer, database
from bench._kill_check import check
from bench._kill_load import founded, place, write
from tenure.ledger.folder_shelf import FolderShelf

WRITERS, PLACERS = 3, 2
FRESH = 25
"""Rounds on one database before a new one: each checks all that is there."""


def forked(act: Callable[[], None]) -> int:
    if pid := os.fork():
        return pid
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nobody is left behind when a check fails
    try:
        act()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the verdict is the exit status; a forked process must not go on as its parent
        traceback.print_exc()
        os._exit(1)


def one_round(url: str, folder: Path, chance: random.Random, *, crash: bool) -> tuple[int, int]:
    """Load, kills, check."""
    shelf, acknowledged = FolderShelf(folder / "shelf"), folder / "acknowledged"
    acknowledged.mkdir(exist_ok=True)
    number = len(list(acknowledged.iterdir()))
    seed = chance.randrange(2**32)
    running = [
        *(forked(partial(write, url, acknowledged / f"{number + n}", seed + n)) for n in range(WRITERS)),
        *(forked(partial(place, url, shelf, f"placer-{number}-{n}")) for n in range(PLACERS)),
    ]
    crashing = forked(partial(crash_server, url, chance.uniform(0.1, 0.6))) if crash else None
    deadlines = sorted((chance.uniform(0.03, 0.8), pid) for pid in running)
    while len(list(acknowledged.iterdir())) < number + WRITERS:
        time.sleep(0.005)  # all writers are at work: moments are counted from here, however busy the machine is
    started = time.monotonic()
    for deadline, pid in deadlines:
        time.sleep(max(0.0, started + deadline - time.monotonic()))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), f"process {pid} ended by itself"
    if crashing is not None:
        _, status = os.waitpid(crashing, 0)
        assert status == 0, "the server did not come back"
    return check(url, shelf, acknowledged)


def crash_server(url: str, after: float) -> None:
    """Kills one of PostgreSQL's own processes, which takes all its sessions down: it recovers from its log."""
    time.sleep(after)
    with psycopg.connect(url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    time.sleep(0.1)
    await_answer(url)


def rounds(url: str, count: int, chance: random.Random) -> tuple[int, int]:
    """So many rounds on one database; what was acknowledged, and the events there are."""
    folder = Path(tempfile.mkdtemp(prefix="tenure-kill-", dir="/tmp"))
    done = (0, 0)
    try:
        founded(url)
        for number in range(count):
            done = one_round(url, folder, chance, crash=number % 5 == 4 and url.startswith("postgresql"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return done


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--url", help="a database that is there, in place of one that is made")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    asked = parser.parse_args(arguments)
    print(f"seed {asked.seed}")
    chance = random.Random(asked.seed)
    if asked.url:
        acknowledged, events = rounds(asked.url, asked.rounds, chance)
        print(f"{asked.rounds} rounds: {acknowledged:,} acknowledged, {events:,} events, nothing lost")
        return
    for kind in KINDS if asked.database == "both" else (asked.database,):
        total, started = [0, 0], time.monotonic()
        for first in range(0, asked.rounds, FRESH):
            with database(kind) as url:
                acknowledged, events = rounds(url, min(FRESH, asked.rounds - first), chance)
            total = [total[0] + acknowledged, total[1] + events]
        seconds = time.monotonic() - started
        print(f"{kind}: {asked.rounds} rounds in {seconds:.0f} s: {total[0]:,} acknowledged, {total[1]:,} events, nothing lost")


if __name__ == "__main__":
    main(sys.argv[1:])
