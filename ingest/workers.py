"""Files are read in processes of their own, as many at once as there are cores, each file within limits.

A pool of our own, because those that there are do not fit: `concurrent.futures` cannot stop a task, and pebble, which
can, shares one pipe among its workers: where one is killed while it writes a result, as the system does when memory is
short, all later tasks wait for ever (measured with 5.2.3). Here each worker has a socket of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest.limits import end_session
from ingest.parsing import Parsed
from ingest.worker import Failed, MoreTime, OutOfMemory, Ready
from rag.errors import LoadError
from rag.settings import Settings

# A start takes half a second; on a machine that is swapping, a hundred times that. Who takes longer, hangs.
_START_SECONDS = 60.0
# Our own path, without the working folder: a file `email.py` there must not be taken for a module.
_START = "import sys; sys.path[:] = sys.argv[4:]; from ingest.worker import main; main()"
# Numerical libraries reserve memory for each thread that they might start, which would fill the limit on large
# machines; and as many processes as cores leave none for further threads.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class _TimeUp:
    """The file took too long."""


@dataclass(frozen=True, slots=True)
class _Crashed:
    """The process ended while it read the file; negative: by that signal."""

    code: int


_Outcome = Parsed | Failed | OutOfMemory | _TimeUp | _Crashed
_OUTCOMES = (Parsed, Failed, OutOfMemory, _TimeUp, _Crashed)


class Workers:
    """Reads files in processes that start when there is something to read, and end with `close`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(settings.parse_workers or _cores(), thread_name_prefix="citycite-parse")
        # Which workers run, and which of them have nothing to do; the lock keeps `close` from missing one.
        self._lock = threading.Lock()
        self._running: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, file: Path) -> Future[Parsed]:
        """Have a file read; the result raises `LoadError` where it cannot be, or not within the limits."""
        return self._threads.submit(self._parse, file)

    def close(self) -> None:
        """Stop all that is going on; none of the processes, nor of the programs that they have started, stays."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for worker in running:
            worker.end()
        self._threads.shutdown(cancel_futures=True)

    def _parse(self, file: Path) -> Parsed:
        """Read a file, in a process that may have read others before."""
        worker = self._take()
        outcome = worker.read(file)
        if isinstance(outcome, OutOfMemory | _Crashed) and worker.files > 1:
            # What earlier files have left behind may be the cause: the outcome must not hang on the order of the files.
            self._drop(worker)
            worker = self._take(fresh=True)
            outcome = worker.read(file)
        if isinstance(outcome, Parsed | Failed):
            with self._lock:
                self._idle.append(worker)
        else:
            self._drop(worker)
        return self._result(outcome)

    def _result(self, outcome: _Outcome) -> Parsed:
        seconds, megabytes = self._settings.parse_timeout, self._settings.parse_memory_mb
        memory = f"{megabytes} MB of memory (CITYCITE_PARSE_MEMORY_MB)"
        match outcome:
            case Parsed():
                return outcome
            case Failed(reason, kind):
                raise LoadError(reason, kind)
            case _TimeUp():
                raise LoadError(
                    f"takes more than {seconds:g} seconds to be read (CITYCITE_PARSE_TIMEOUT); split it, or raise the "
                    "limit",
                    "too large",
                )
            case OutOfMemory():
                raise LoadError(f"needs more than {memory} to be read; split it, or raise the limit", "too large")
            case _Crashed(code):
                raise LoadError(
                    f"crashed the process that reads it ({_ended_by(code)}): it is broken, or {memory} are not enough; "
                    "save it anew, or raise the limit"
                )

    def _take(self, *, fresh: bool = False) -> _Worker:
        with self._lock:
            if self._closed:
                raise LoadError("was not read: the ingest was stopped")
            if self._idle and not fresh:
                return self._idle.pop()
            worker = _Worker(self._settings)
            self._running.add(worker)
        try:
            worker.wait_until_ready()
        except LoadError:
            self._drop(worker)
            raise
        return worker

    def _drop(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self._running.discard(worker)


class _Worker:
    """One process that reads files, and the folder that takes its temporary files."""

    def __init__(self, settings: Settings) -> None:
        # How many files it was given.
        self.files = 0
        self._seconds = settings.parse_timeout
        self._ending = threading.Lock()
        self._connection, theirs = Pipe()
        with theirs:
            # A killed process cannot clean up behind itself.
            self._folder = tempfile.mkdtemp(prefix="citycite-")
            try:
                self._process = self._start(theirs.fileno(), settings.parse_memory_mb)
            except OSError as error:
                self._connection.close()
                shutil.rmtree(self._folder, ignore_errors=True)
                raise LoadError(f"was not read: no process can be started ({error.strerror or error})") from None

    def _start(self, channel: int, megabytes: int) -> subprocess.Popen[bytes]:
        fixed = [str(channel), str(self._seconds), str(megabytes)]
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _START, *fixed, *sys.path],
            pass_fds=[channel],
            stdin=subprocess.DEVNULL,
            # What libraries say of a broken file, in characters that the file may choose, is nothing for a terminal.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD, "TMPDIR": self._folder},
            # Ctrl-C is for the parent alone; and the session tells which programs belong to this process.
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        """Wait until the process has started; raise `LoadError` where it does not."""
        message = self._next_message(time.monotonic() + _START_SECONDS)
        if not isinstance(message, Ready):
            said = _ended_by(message.code) if isinstance(message, _Crashed) else f"nothing for {_START_SECONDS:g} s"
            raise LoadError(f"was not read: the process that reads files does not start ({said})")

    def read(self, file: Path) -> _Outcome:
        """Return what became of a file."""
        self.files += 1
        deadline = time.monotonic() + self._seconds
        with suppress(OSError):  # it has ended, as the next message will tell
            self._connection.send(file)
        while not isinstance(message := self._next_message(deadline), _OUTCOMES):
            if isinstance(message, MoreTime):
                deadline = max(deadline, time.monotonic() + message.seconds)
        return message

    def _next_message(self, deadline: float) -> _Outcome | MoreTime | Ready:
        try:
            if not self._connection.poll(max(0.0, deadline - time.monotonic())):
                return _TimeUp()
            message: _Outcome | MoreTime | Ready = self._connection.recv()
        except (EOFError, OSError):
            return _Crashed(self._code())
        return message

    def _code(self) -> int:
        """Return how the process ended, which has closed its socket."""
        self.end()
        return self._process.returncode

    def end(self) -> None:
        """Kill the process, with the programs that it has started, and remove its temporary files."""
        with self._ending:
            if self._process.returncode is None:
                self._process.kill()
                end_session(self._process.pid)
                self._process.wait()
                shutil.rmtree(self._folder, ignore_errors=True)


def _ended_by(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _cores() -> int:
    # Containers and batch systems may allow fewer than there are.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
