"""What takes longer than a request: one after the other in a thread, with progress that pages can show."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final, Literal, get_args

from rag.errors import CityciteError, StoreBusyError

logger = logging.getLogger(__name__)

# Jobs that pages still show after they are over.
REMEMBERED: Final = 50
# Another process that ingests may take minutes; then it is better to say so.
BUSY_TRIES: Final = 120
_STOP_SECONDS: Final = 10.0

State = Literal["waiting", "running", "done", "failed"]


@dataclass(slots=True)
class Job:
    """`said` are the results: keys of texts with their values. `problems` are lines in English, as parts say them."""

    id: str
    kind: str
    label: str
    state: State = "waiting"
    done: int = 0
    total: int = 0
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in {"done", "failed"}

    def as_dict(self) -> dict[str, Any]:
        """Return its progress as plain JSON types."""
        return {"id": self.id, "state": self.state, "done": self.done, "total": self.total}


class StoppedError(Exception):
    """The server ends."""


class Jobs:
    """A queue and one thread, which starts with the first job: the store has one writer, and answers need the cores."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._queue: SimpleQueue[tuple[Job, Callable[[Job], None]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def add(self, kind: str, label: str, work: Callable[[Job], None]) -> Job:
        """Have `work` done after all that is waiting."""
        job = Job(secrets.token_hex(8), kind, label)
        with self._lock:
            self._jobs[job.id] = job
            over = [key for key, known in self._jobs.items() if known.is_over]
            for key in over[: max(0, len(self._jobs) - REMEMBERED)]:
                del self._jobs[key]
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="citycite-jobs", daemon=True)
                self._thread.start()
        self._queue.put((job, work))
        return job

    def get(self, job_id: str) -> Job | None:
        """Return a job, None where it is not known any more."""
        return self._jobs.get(job_id)

    def states(self) -> dict[str, int]:
        """Return how many of the jobs known are in each state."""
        with self._lock:
            known = [job.state for job in self._jobs.values()]
        return {state: known.count(state) for state in get_args(State)}

    def latest(self, kind: str) -> list[Job]:
        """Return the jobs of a kind, the latest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.kind == kind]

    def progress(self, job: Job, total: int, done: int) -> None:
        """Note how far a job is; within it, this is where it is stopped.

        Raises:
            StoppedError: the server ends.
        """
        job.total, job.done = total, done
        if self._stop.is_set():
            raise StoppedError

    def patiently(self, act: Callable[[], None]) -> None:
        """Do what needs the store's lock, also where another process holds it for a while.

        Raises:
            StoreBusyError: it holds it for minutes.
        """
        for _ in range(BUSY_TRIES):
            try:
                act()
            except StoreBusyError:
                if self._stop.wait(1.0):
                    raise StoppedError from None
            else:
                return
        act()

    def close(self) -> None:
        """Stop at the next safe place; what is waiting is not begun."""
        self._stop.set()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None and not self._stop.is_set():
            job, work = item
            job.state = "running"
            try:
                work(job)
                job.state = "done" if not job.problems else "failed"
            except StoppedError:
                job.state = "failed"
            except CityciteError as error:
                job.problems.append(str(error))
                job.state = "failed"
            except Exception:  # the edge: the page gets a sentence, the log the rest
                logger.exception("The job %s failed unexpectedly", job.label)
                job.said.append(("job_unexpected", {}))
                job.state = "failed"
            finally:
                job.over.set()
