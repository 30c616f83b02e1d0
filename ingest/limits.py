"""Bounds of the processes that read files: more time for what is slow by nature, and an end for what they started."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")


class _Clock:
    """Tells whoever watches over the file that is being read; by itself, nobody does."""

    def __init__(self) -> None:
        self.extend: Callable[[float], None] = lambda seconds: None


_clock = _Clock()


def watch_time(extend: Callable[[float], None]) -> None:
    """Have `extend` called with the seconds that a file needs beyond its limit."""
    _clock.extend = extend


def more_time(seconds: float) -> None:
    """Say that what begins now may take `seconds`, whatever the time limit of the file; its own bounds hold it."""
    _clock.extend(seconds)


def end_session(leader: int) -> None:
    """Kill all processes of the session that `leader` leads, but for the leader and the caller.

    Programs that loaders start, and what those start in turn, stay in it, even where they outlive who started them.
    The leader must not be reaped yet, so that its number stays its own. Only systems with /proc tell who is in a
    session; elsewhere nothing is done, and the programs end at limits of their own.
    """
    killed = {leader, os.getpid()}
    while found := [process for process in _session(leader) if process not in killed]:
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        killed.update(found)


def _session(leader: int) -> Iterator[int]:
    for entry in _PROCESSES.iterdir() if _PROCESSES.is_dir() else ():
        if entry.name.isdigit():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(int(entry.name)) == leader:
                    yield int(entry.name)
