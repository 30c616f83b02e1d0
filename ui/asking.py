"""What every way of asking over HTTP has in common: work that ends with its client, and what is noted of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request

from rag.access import Reader
from rag.retrieval import ALL
from rag.schema import Answer, Filters
from ui.journal import Journal, note_question
from ui.sign_in.visitor import reader_of
from ui.streaming import in_thread, while_connected

if TYPE_CHECKING:
    from rag import Assistant
    from rag.pipeline import Trail


class Asking:
    """Answers in two steps, so that a stream can say in between that something was found."""

    def __init__(self, assistant: Assistant, journal: Journal | None = None) -> None:
        self._assistant = assistant
        self._journal = journal

    async def trail(
        self, request: Request, question: str, history: Sequence[str] = (), filters: Filters = ALL
    ) -> Trail | None:
        """Return what was found of what the sender may see, None where the client has hung up; raises as `ask` does."""
        return await while_connected(request.receive, self.found(question, history, filters, reader_of(request)))

    async def found(self, question: str, history: Sequence[str], filters: Filters, reader: Reader) -> Trail:
        """Return what was found of what `reader` may see, for a follow-up as it is understood; raises as `ask` does."""

        def find() -> Trail:
            trail = self._assistant.trail(question, history, filters, reader=reader)
            return self._assistant.rewritten(question, history, trail, filters)

        return await in_thread(find)

    async def whole(
        self, request: Request, question: str, history: Sequence[str] = (), filters: Filters = ALL
    ) -> Answer | None:
        """Return the answer, None where the client has hung up; raises as `ask` does."""
        trail = await self.trail(request, question, history, filters)
        return None if trail is None else await self.awaited(request, trail)

    async def awaited(self, request: Request, trail: Trail) -> Answer | None:
        """Return the answer made of `trail`; where the client hangs up, None, and the work on it ends."""
        return await while_connected(request.receive, self.finished(trail))

    async def finished(self, trail: Trail) -> Answer:
        """Return the answer made of `trail`; where this is cancelled, the work on it ends."""
        stopped = threading.Event()
        try:
            return await self.answer(trail, stopped)
        finally:
            stopped.set()

    async def answer(self, trail: Trail, stopped: threading.Event) -> Answer:
        """Return the answer, formulated where a language model is set; it is let go of once `stopped` is set."""

        def finish() -> Answer:
            answer = self._assistant.formulated(trail, stopped)
            if not stopped.is_set():
                note_question(self._journal, answer)
            return answer

        return await in_thread(finish)
