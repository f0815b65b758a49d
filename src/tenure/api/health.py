"""Alive and ready: ``/healthz`` says the process answers, ``/readyz`` whether it can do its work, with reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tenure.errors import TenureError

Check = Callable[[], str]  # what is wrong, in words for anybody; empty when nothing is
PATIENCE = 2.0  # seconds


class Readiness:
    """Runs all checks beside one another in threads. One that hangs or fails is a reason, and delays no other.

    A check that still hangs from last time is not started again, so hanging checks hold one thread each at most.
    """

    def __init__(self, checks: Mapping[str, Check], patience: float = PATIENCE) -> None:
        self._checks, self._patience = checks, patience
        self._hanging: dict[str, asyncio.Future[str]] = {}

    async def reasons(self) -> dict[str, str]:
        """What is wrong, by the name of its check. Empty: ready."""
        said = await asyncio.gather(*(self._one(name, check) for name, check in self._checks.items()))
        return {name: reason for name, reason in zip(self._checks, said, strict=True) if reason}

    async def _one(self, name: str, check: Check) -> str:
        before = self._hanging.pop(name, None)
        answer = before or asyncio.get_running_loop().run_in_executor(None, check)
        done, _ = await asyncio.wait({answer}, timeout=self._patience)
        if not done:
            self._hanging[name] = answer
            return f"no answer within {self._patience:g} s"
        try:
            return answer.result()
        except TenureError as error:
            return error.problem
        except Exception as error:  # noqa: BLE001 - the verdict is "not ready"; the text may hold internals
            return f"failed: {type(error).__name__}"
