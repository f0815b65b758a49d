"""Processes beside us give what one would give alone, in the same order; few tasks start none; a dead one is told."""

from __future__ import annotations

import os

import pytest

from tenure.evidence.parallel import FEW, WorkerDiedError, Workers


def squared(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def dying(number: int) -> int:
    if number == FEW + 5:
        os._exit(1)
    return number


def failing(number: int) -> int:
    if number == FEW + 5:
        raise ValueError(number)
    return number


def test_few_tasks_are_done_here() -> None:
    with Workers(2) as workers:
        assert list(workers.map(squared, range(FEW))) == [(n * n, os.getpid()) for n in range(FEW)]


def test_one_core_is_no_reason_for_a_process() -> None:
    with Workers(1) as workers:
        assert {pid for _, pid in workers.map(squared, range(5 * FEW))} == {os.getpid()}


def test_many_are_shared_and_come_back_in_order() -> None:
    count = 5 * FEW
    with Workers(2) as workers:
        done = list(workers.map(squared, iter(range(count))))
        again = list(workers.map(squared, range(count)))
    assert [n for n, _ in done] == [n for n, _ in again] == [n * n for n in range(count)]
    assert {pid for _, pid in done} - {os.getpid()}


def test_a_process_that_dies_is_told_after_the_results_before_it() -> None:
    seen: list[int] = []
    with Workers(2) as workers, pytest.raises(WorkerDiedError):
        seen.extend(workers.map(dying, range(5 * FEW)))
    assert seen[:FEW] == list(range(FEW))


def test_an_error_of_a_task_is_raised_here() -> None:
    with Workers(2) as workers, pytest.raises(ValueError, match=str(FEW + 5)):
        list(workers.map(failing, range(5 * FEW)))
