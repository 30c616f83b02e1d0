"""Server-sent events, and work that stops when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import pairwise
from typing import Any, Final, TypeVar

import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rag.sentences import sentence_spans

_Result = TypeVar("_Result")

MEDIA_TYPE: Final = "text/event-stream"
# Proxies close a connection on which nothing comes for a minute (nginx) or half of one (some load balancers).
KEEP_ALIVE_SECONDS: Final = 10.0
KEEP_ALIVE: Final = b": \n\n"
# The status that web servers log for a client that has hung up; nobody receives it.
CLIENT_GONE: Final = 499
# A mark of its own belongs to the sentence before it.
_MARKS_ONLY = re.compile(r"(?:\s*\[\d+\])*\s*")


def event(name: str, data: object) -> bytes:
    """Return an event with `data` as JSON, which has no line break that could end it early."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def pieces(text: str) -> list[str]:
    """Part an answer into its sentences, each with the marks and the blanks behind it; joined they are `text`."""
    ends = [0, *(end for _, end in sentence_spans(text))]
    ends[-1] = len(text)
    found: list[str] = []
    for start, end in pairwise(ends):
        marks = _MARKS_ONLY.match(text, start, end)
        if found and marks is not None:  # always, since it matches the empty text
            found[-1] += marks.group()
            start = marks.end()
        if start < end:
            found.append(text[start:end])
    return found if found or not text else [text]


async def in_thread(work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns, from a thread that is left alone where nobody waits for it any more."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, _Result]) -> _Result | None:
    """Return what `work` returns, None where the client hangs up before: then `work` is cancelled."""
    working, gone = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Sends what `chunks` yields, with signs of life in between; sets `stopped` at its end, also an early one."""

    media_type = MEDIA_TYPE

    def __init__(self, chunks: AsyncIterator[bytes], stopped: threading.Event) -> None:
        # nginx keeps what it has not been told to hand on at once.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks
        self._stopped = stopped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until all is sent, or the client hangs up."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        async def send_all() -> bool:
            async for chunk in alive(self._chunks):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            return True

        try:
            if await while_connected(receive, send_all()):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._stopped.set()


async def alive(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield `chunks`, and a comment, which clients skip, whenever none comes for a while."""
    iterator = aiter(chunks)
    upcoming: asyncio.Task[bytes] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(iterator))
            done, _ = await asyncio.wait({upcoming}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield KEEP_ALIVE
                continue
            try:
                chunk = upcoming.result()
            except StopAsyncIteration:
                return
            finally:
                upcoming = None
            yield chunk
    finally:
        if upcoming is not None:
            upcoming.cancel()
