"""Follows each request from its first byte to the last of its answer: its id, its log line, its figures, a good end."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.logs import REQUEST_ID
from ui.metrics import REQUEST_SECONDS, REQUESTS, UNDER_WAY

logger = logging.getLogger("citycite.requests")

HEADER: Final = "X-Request-ID"
# What a proxy has chosen is kept; anything longer or stranger could forge lines of a log.
_GIVEN = re.compile(r"[\w.:-]{1,64}", re.ASCII)
# A page that is open keeps these requests open; nobody waits for their end.
_WAITING: Final = ("/gradio_api/heartbeat", "/gradio_api/queue/data")
_LOOK_SECONDS: Final = 0.05


class UnderWay:
    """Counts the requests that are being answered, so that a server that ends can wait for them."""

    def __init__(self) -> None:
        self.count = 0
        self.is_ending = False

    async def finished(self, seconds: float) -> bool:
        """Wait until nothing is under way; False where something still is after so many seconds."""
        end = time.monotonic() + seconds
        while self.count and time.monotonic() < end:
            await asyncio.sleep(_LOOK_SECONDS)
        return not self.count


class FollowRequests:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, under_way: UnderWay) -> None:
        self.app = app
        self.under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on; what is noted names the route and not the address, which holds what people ask."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        token = REQUEST_ID.set(request_id)
        status = 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault(HEADER, request_id)
            await send(message)

        counted = not scope["path"].startswith(_WAITING)
        began = time.perf_counter()
        if counted:
            self.under_way.count += 1
            UNDER_WAY.inc()
        try:
            await self.app(scope, receive, send_noting)
        finally:
            if counted:
                self.under_way.count -= 1
                UNDER_WAY.dec()
                _note(scope, status, time.perf_counter() - began)
            REQUEST_ID.reset(token)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in {"GET", "POST", "HEAD", "OPTIONS"} else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)
    milliseconds = round(seconds * 1000, 1)
    facts = {"method": method, "route": route, "status": status, "milliseconds": milliseconds}
    logger.info("%s %s %d", method, route, status, extra={"facts": facts})


def _route(scope: Scope) -> str:
    """Return the pattern of the address: there are few of them, and they betray nothing."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return "none"
    prefix = str(scope.get("root_path", ""))
    served = str(scope.get("app_root_path", ""))
    return prefix.removeprefix(served) + str(path)
