"""A circuit breaker: what has failed several times in a row is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# Three failures in a row are no accident; a minute lets a server restart and spares every reader the wait.
FAILURES = 3
PAUSE_SECONDS = 60.0


class CircuitBreaker:
    """Opens after `failures` in a row; after `pause` seconds one attempt is let through. Safe between threads."""

    def __init__(
        self, failures: int = FAILURES, pause: float = PAUSE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._until = 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether an attempt may be made now; the one attempt after a pause is given to the first who asks."""
        with self._lock:
            if self._failed < self._limit:
                return True
            if self._clock() < self._until:
                return False
            self._until = self._clock() + self._pause
            return True

    def succeeded(self) -> None:
        """Close it."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """Count a failure."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._until = self._clock() + self._pause
