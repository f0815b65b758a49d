"""Duties: each goes on whatever happens to it, and none holds up another."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from threading import Event

from tenure.api.duties import LONGEST_PAUSE, Duties, Duty
from tenure.api.logging import make_logger
from tenure.errors import TenureError

QUIET = make_logger(io.StringIO())


def failing(error: Exception) -> Callable[[], bool]:
    def act() -> bool:
        raise error

    return act


def test_more_work_is_done_at_once_and_none_waits() -> None:
    more = iter([True, True, False])
    duty = Duty("d", lambda: next(more), 5)
    assert [duty.step(QUIET) for _ in range(3)] == [0, 0, 5]


def test_trouble_is_told_once_pauses_grow_and_it_is_over_when_it_is_over() -> None:
    out = io.StringIO()
    log = make_logger(out)
    duty = Duty("shipping", failing(TenureError("the shelf is full", "make room")), 1)
    pauses = [duty.step(log) for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[0] > 1
    assert pauses[-1] == LONGEST_PAUSE
    assert duty.trouble == "the shelf is full"
    assert len(out.getvalue().splitlines()) == 1
    duty.act = lambda: False
    assert duty.step(log) == 1
    assert not duty.trouble
    assert json.loads(out.getvalue().splitlines()[-1])["event"] == "duty-recovered"


def test_a_defect_is_trouble_without_its_words() -> None:
    duty = Duty("d", failing(ValueError("postgresql://u:hunter2@db")), 1)
    duty.step(QUIET)
    assert duty.trouble == "failed: ValueError"


def test_one_that_fails_or_hangs_holds_up_no_other_and_the_last_steps_are_taken() -> None:
    done, hanging, last = Event(), Event(), list[str]()

    def hangs() -> bool:
        hanging.wait(5)
        return False

    def works() -> bool:
        done.set()
        return False

    def ends(name: str) -> Callable[[], bool]:
        def end() -> bool:
            last.append(name)
            return False

        return end

    duties = Duties(
        [
            Duty("fails", failing(RuntimeError()), 0.01),
            Duty("hangs", hangs, 0.01),
            Duty("works", works, 0.01, ends("first")),
            Duty("ships", works, 0.01, ends("second")),
        ],
        QUIET,
    )
    duties.start()
    assert done.wait(5)
    time.sleep(0.05)
    assert duties.trouble() == "fails: failed: RuntimeError"
    hanging.set()
    duties.stop()
    assert last == ["first", "second"]
