"""What a question reads, store and indexes, at one generation: one question brings it up to date, others read on."""

from __future__ import annotations

import threading

from rag.lexical import LexicalIndex
from rag.store import Store
from rag.vector_index import VectorIndex


class View:
    """Safe between threads."""

    def __init__(self, store: Store, lexical: LexicalIndex, vectors: VectorIndex) -> None:
        self._store = store
        self._lexical = lexical
        self._vectors = vectors
        self._generation: str | None = None
        self._renewing = threading.Lock()

    def generation(self) -> str:
        """Bring store and indexes to what has been written; return the generation that they are at.

        That takes a second or two over 10,000 passages. Who asks while another thread is at it gets the generation
        before: it was true a moment ago, and what a reader may see is read from the records in any case.
        """
        if self._renewing.acquire(blocking=self._generation is None):
            try:
                now = self._store.refresh()
                if now != self._generation:
                    self._lexical.update(now)
                    if self._vectors.is_read:
                        self._vectors.update(now)
                    self._generation = now
            finally:
                self._renewing.release()
        return self._generation or ""
