"""The process that reads files: what happens in it, be it a crash, harms no other.

`ingest.workers` starts it and talks to it over a socket. It is a plain child with a fresh interpreter: `fork` would
take over the locks of torch's and Chroma's threads, locked for ever, and multiprocessing's ways to start one import the
main module of the caller anew, which a script without a guard does not survive.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from ingest.limits import end_session, watch_time
from ingest.parsing import Parsed, parse
from rag.errors import LoadError

_MEGABYTE = 1_000_000
# The parent stops a file in time. Where it is gone, and the interpreter too busy to see that, the system does it.
_GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Ready:
    """The process has started; what it reads from now on is timed."""


@dataclass(frozen=True, slots=True)
class MoreTime:
    """What begins now may take so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The file cannot be read; `reason` is the message of a LoadError, `kind` its kind."""

    reason: str
    kind: str = "broken"


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """There is not enough memory for the file. The process ends."""


def main() -> None:
    """Read the files whose paths arrive, one after the other, until the parent is gone.

    Arguments on the command line: the socket, the seconds that a file may take, the megabytes of memory.
    """
    channel, seconds, megabytes = sys.argv[1:4]
    connection = Connection(int(channel))
    _limit_memory(int(megabytes))
    files: SimpleQueue[Path] = SimpleQueue()
    receiver = threading.Thread(target=_receive, args=(connection, files), daemon=True)
    receiver.start()
    watch_time(lambda more: _extend(connection, more))
    connection.send(Ready())
    while True:
        file = files.get()
        _set_alarm(float(seconds))
        answer = _answer(file)
        signal.alarm(0)
        try:
            has_memory = _send(connection, answer)
        except OSError:  # the parent is gone, and the other thread ends this process in good order
            receiver.join()
        if not has_memory:
            os._exit(0)


def _send(connection: Connection, answer: Parsed | Failed | OutOfMemory) -> bool:
    """Send the answer; tell whether there is memory for more files."""
    with suppress(MemoryError):
        connection.send(answer)
        return not isinstance(answer, OutOfMemory)
    connection.send(OutOfMemory())
    return False


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not a Unix
        return
    with suppress(ValueError, OSError):  # the system knows no such limit, or has set a lower one
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * _MEGABYTE, megabytes * _MEGABYTE))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is reported, not kept


def _receive(connection: Connection, files: SimpleQueue[Path]) -> None:
    with suppress(EOFError, OSError):
        while True:
            files.put(connection.recv())
    # The parent is gone: so goes this process, with the programs it has started and what they have left.
    end_session(os.getpid())
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def _set_alarm(seconds: float) -> None:
    signal.alarm(math.ceil(seconds) + _GRACE_SECONDS)


def _extend(connection: Connection, seconds: float) -> None:
    left = signal.alarm(0)
    _set_alarm(max(seconds, left - _GRACE_SECONDS))
    with suppress(OSError):  # the parent is gone, and so will be this process
        connection.send(MoreTime(seconds))


def _answer(file: Path) -> Parsed | Failed | OutOfMemory:
    try:
        return parse(file)
    except LoadError as error:
        return Failed(str(error), error.kind)
    except MemoryError:
        return OutOfMemory()
    except OSError as error:
        return Failed(f"It cannot be read: {error.strerror or error}.")
    except Exception as error:  # noqa: BLE001 - an edge: one file must not end the run, whatever is in it
        said = " ".join(str(error).split())[:200]
        return Failed(f"cannot be read, by a fault of citycite ({type(error).__name__}: {said}); please report it")
