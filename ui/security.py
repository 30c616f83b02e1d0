"""What every response carries and no request may do. Plain ASGI, so that streamed answers pass through unbuffered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.problems import UNEXPECTED, problem

logger = logging.getLogger(__name__)

# A question has 2,000 characters; the chat page's own messages stay far below this.
MAX_BODY: Final = 64 * 1024

# Gradio needs inline scripts and styles and shows icons from data: and blob: addresses. It works without eval and
# without inline event handlers, so both stay forbidden: markup that slipped through could still run nothing.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "script-src-attr 'none'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    ]
)
_FRAMED: Final = "frame-ancestors 'self'"
_UNFRAMED: Final = "/admin"
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    # A link to a source must not tell its host what was asked.
    "Referrer-Policy": "same-origin",
    # Nothing here needs them, so no markup that slipped through can ask for them either.
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds the security headers a response lacks. Pages may be framed by this site and those of `ancestors`."""

    def __init__(self, app: ASGIApp, ancestors: Sequence[str] = ()) -> None:
        self.app = app
        self._framed = " ".join([_FRAMED, *ancestors])
        self._added = SECURITY_HEADERS | {"Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; {self._framed}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._added.items():
                    headers.setdefault(name, value)
                # A document opened from a framed chat page stays in its frame; the admin area is never framed.
                if not scope["path"].startswith(_UNFRAMED):
                    policy = headers["Content-Security-Policy"]
                    if self._framed not in policy:
                        headers["Content-Security-Policy"] = policy.replace(_FRAMED, self._framed)
            await send(message)

        await self.app(scope, receive, send_guarded if scope["type"] == "http" else send)


class SameOriginOnly:
    """Takes out of responses whatever would open them to scripts of other origins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in {name for name in headers if name.startswith("access-control-")}:
                    del headers[name]
            await send(message)

        await self.app(scope, receive, send_guarded if scope["type"] == "http" else send)


class UnexpectedErrors:
    """Answers what nobody foresaw with a problem that tells nothing, and logs it with everything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception:
            if scope["type"] != "http":
                raise
            logger.exception("%s %s failed unexpectedly", scope["method"], scope["path"])
            if not started:  # otherwise the connection just ends
                await problem(HTTPStatus.INTERNAL_SERVER_ERROR, UNEXPECTED)(scope, receive, send)


class BodyLimit:
    """Refuses bodies over the limit, also those that do not say how long they are; not at the paths `without` one."""

    def __init__(
        self,
        app: ASGIApp,
        limit: int = MAX_BODY,
        without: Collection[str] = (),
        refusal: Callable[[int, str], ASGIApp] = problem,
    ) -> None:
        self.app = app
        self.limit = limit
        self.without = without
        self.refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_free = scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}
        if is_free or scope["path"] in self.without:
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        body = b"" if not announced.isdigit() or int(announced) <= self.limit else None
        more = body is not None
        while more and body is not None:
            message = await receive()
            if message["type"] != "http.request":  # the client has gone
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.limit:
                body = None
        if body is None:
            detail = f"The body is larger than {self.limit // 1024} kB; send the question alone."
            await self.refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)(scope, receive, send)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return pending.pop() if pending else await receive()

        await self.app(scope, receive_again, send)
