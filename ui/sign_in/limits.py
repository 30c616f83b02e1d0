"""How many requests one reader, and one address, may send in a minute."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Final

MINUTE: Final = 60.0
# Who sends nothing for long is forgotten first; so many fit in some megabytes.
REMEMBERED: Final = 20_000


class Limit:
    """A bucket for each name that holds `count` requests and fills up evenly within a minute. 0: no limit."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, name: str) -> int:
        """Count a request of `name`; return the seconds until it may be sent again, 0 where it may be now."""
        if not self._count:
            return 0
        now = time.monotonic()
        with self._lock:
            level, at = self._buckets.pop(name, (float(self._count), now))
            level = min(self._count, level + (now - at) * self._count / MINUTE)
            allowed = level >= 1
            self._buckets[name] = (level - 1 if allowed else level, now)
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        return 0 if allowed else int((1 - level) * MINUTE / self._count) + 1
