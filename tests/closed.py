"""Files and folders that this process is really not let into, also where the tests run as root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION_3 = 0x20080522
_PAST_MODES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: with these, modes do not count


@contextmanager
def closed(*paths: Path) -> Iterator[None]:
    """Inside the ``with`` nobody has any rights to these, and modes count for root as they do for users (see capabilities(7))."""
    modes = [path.stat().st_mode & 0o7777 for path in paths]
    for path in paths:
        path.chmod(0)
    held = _effective()
    _set_effective(held & ~_PAST_MODES)
    try:
        yield
    finally:
        _set_effective(held)
        for path, mode in zip(paths, modes, strict=True):
            path.chmod(mode)


def _sets() -> tuple[ctypes.Array[ctypes.c_uint32], ctypes.Array[ctypes.c_uint32]]:
    """Header and data of capget: effective, permitted, inheritable of the lower 32 capabilities, then of the upper."""
    header, data = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capget(header, data):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return header, data


def _effective() -> int:
    return _sets()[1][0]


def _set_effective(capabilities: int) -> None:
    header, data = _sets()
    data[0] = capabilities
    if ctypes.CDLL(None, use_errno=True).capset(header, data):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
