"""Does one operation grow dearer with the fleet? Reads and a verb in a registry of 10 devices and in one of 10,000,000.

python -m bench.registry_scale [sqlite|postgresql|both] [DEVICES]

In the process (``registry_http``: through HTTP): a device by id, by serial, a page of 5, quarantine or release with its event.
``ROUNDS`` times each on devices drawn at random, small and large registry in turns; medians.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from bench._databases import KINDS, database
from bench._many_devices import OWNERS, device_id, fill, serial
from bench.ledger_cost import ACTOR, opened, verb
from tenure.model.access import EVERYTHING, Area, Scope
from tenure.registry import devices
from tenure.registry.device_lists import DeviceFilter, page
from tenure.registry.registry import Registry

ROUNDS = 300
Operation = Callable[[Registry, int], object]


def by_id(registry: Registry, number: int) -> object:
    with registry.read() as reading:
        return devices.get(reading, EVERYTHING, device_id(number))


def by_serial(registry: Registry, number: int) -> object:
    with registry.read() as reading:
        found = devices.by_serial(reading, EVERYTHING, serial(number))
        assert len(found) == 1
        return found


def a_page(registry: Registry, number: int) -> object:
    """Five devices, from any on that has so many behind it."""
    start = (str(device_id(number if number > 10 else number % 5)),)
    with registry.read() as reading:
        return page(reading, EVERYTHING, DeviceFilter(), after=start, limit=5)


def next_of_tenant(registry: Registry, number: int) -> object:
    """A page of one: each tenant among ten devices has one."""
    scope = Scope(frozenset({Area(owner=OWNERS[number % len(OWNERS)])}))
    start = (str(device_id(number - 1)),) if number else None
    with registry.read() as reading:
        found = page(reading, scope, DeviceFilter(), after=start, limit=1)
        assert [device.id for device in found.items] == [device_id(number)]
        return found


def a_verb(registry: Registry, number: int) -> None:
    with registry.change(ACTOR) as work:
        verb(work, [device_id(number)], 0)


OPERATIONS: dict[str, Operation] = {
    "device by id": by_id,
    "device by serial": by_serial,
    "page of 5": a_page,
    "page of 1 of a tenant": next_of_tenant,
    "verb with its event": a_verb,
}


T = TypeVar("T")


def measure(target: T, operation: Callable[[T, int], object], count: int, chance: random.Random) -> list[float]:
    spent = []
    for _ in range(ROUNDS // 10):
        number = chance.randrange(count)
        start = time.perf_counter()
        operation(target, number)
        spent.append(time.perf_counter() - start)
    return spent


def compare(
    kind: str, count: int, reach: Callable[[str], AbstractContextManager[T]], operations: dict[str, Callable[[T, int], object]]
) -> None:
    with database(kind) as small_url, database(kind) as large_url:
        fill(small_url, 10)
        started = time.monotonic()
        fill(large_url, count)
        print(f"{kind}: {count:,} devices made in {time.monotonic() - started:.0f} s", flush=True)
        with reach(small_url) as small, reach(large_url) as large:
            chance = random.Random(1)
            for name, operation in operations.items():
                few: list[float] = []
                many: list[float] = []
                for turn in range(11):
                    one, other = measure(small, operation, 10, chance), measure(large, operation, count, chance)
                    if turn:  # the first warms
                        few, many = few + one, many + other
                ten, all_ = statistics.median(few) * 1000, statistics.median(many) * 1000
                told = f"{ten:.2f} ms among 10, {all_:.2f} ms among {count:,}: {all_ / ten - 1:+.0%}"
                print(f"{kind}, {name}: {told}", flush=True)


@contextmanager
def in_process(url: str) -> Iterator[Registry]:
    registry = opened(url)
    yield registry
    registry.close()


def asked() -> tuple[tuple[str, ...], int]:
    """Which databases, and how many devices, by the command line."""
    named = sys.argv[1] if len(sys.argv) > 1 else "both"
    return (KINDS if named == "both" else (named,)), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000


if __name__ == "__main__":
    kinds, count = asked()
    for kind in kinds:
        compare(kind, count, in_process, OPERATIONS)
