"""The gate: every request passes it, and goes no further before it is known who sends it. Plain ASGI.

What is not named here needs somebody who has signed in, so that a route that is added is closed until it is opened.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import CityciteError
from ui.openai_api import ROOT as OPENAI
from ui.openai_api import refusal
from ui.problems import problem
from ui.sign_in.limits import Limit
from ui.sign_in.modes import NotFromProxyError, SignIn, UnknownVisitorError
from ui.sign_in.visitor import ANONYMOUS, Right, Visitor, admit

logger = logging.getLogger(__name__)

# Whoever may reach these: they say nothing of any document, or have a gate of their own.
FREE: Final = re.compile(
    r"/healthz|/readyz|/sign-in(?:/.*)?|/admin(?:/.*)?|/logo|/favicon\.ico|/robots\.txt|/widget\.js"
)
# What a key needs another right for than to ask.
_RIGHTS: Final[tuple[tuple[re.Pattern[str], Right], ...]] = (
    (re.compile(r"/api/v1/tokens"), "tokens"),
    (re.compile(r"/api/v1/access/.*"), "documents"),
    (re.compile(r"/metrics"), "metrics"),
)
# The files of the page, and what keeps it open; none of them costs anything.
_UNCOUNTED: Final = re.compile(r"/(?:assets|static|docs/files)/.*|/theme\.css|/gradio_api/(?:heartbeat|queue/data).*")
_EVENTS: Final = "/gradio_api/"
_CONVERSATIONS: Final = 20_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "testclient"})


class Gate:
    """Lets through who is known, within limits; others are led to sign in, or refused."""

    def __init__(self, app: ASGIApp, sign_in: SignIn) -> None:
        self.app = app
        self.sign_in = sign_in
        settings = sign_in.settings
        self.by_visitor = Limit(settings.rate_limit)
        self.by_address = Limit(settings.rate_limit_address)
        self._ungrouped = settings.ungrouped == "everybody"
        self.conversations = Conversations()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit a request, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks anything else
            return
        request = Request(scope)
        refused = self._too_many(self.by_address, self.sign_in.proxies.address(request), request)
        if refused is None and not _path(scope).isprintable():
            # A line break at the end is part of a path for one pattern and none for another.
            refused = _refused(request, HTTPStatus.NOT_FOUND, "There is nothing at such an address.")
        if refused is None and not FREE.fullmatch(_path(scope)):
            refused, receive = await self._admitted(request, receive)

        async def send_kept_by_none(message: Message) -> None:
            # What one may see must not come out of a cache for another.
            if message["type"] == "http.response.start" and not _UNCOUNTED.fullmatch(_path(scope)):
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await (refused or self.app)(scope, receive, send if self.sign_in.mode == "open" else send_kept_by_none)

    async def _admitted(self, request: Request, receive: Receive) -> tuple[Response | None, Receive]:
        """Admit a request; return what to answer where it is not, and what its body is received from."""
        try:
            visitor = await run_in_threadpool(self.sign_in.visitor, request)
        except (UnknownVisitorError, NotFromProxyError) as error:
            return self._unknown(request, error), receive
        except CityciteError as error:
            logger.error("Nobody can be let in: %s", error)
            detail = "Nobody can be let in at the moment; please try again later."
            return _refused(request, error.status, detail), receive
        path = _path(request.scope)
        right: Right = next((right for pattern, right in _RIGHTS if pattern.fullmatch(path)), "ask")
        # Where nobody signs in, the figures are for whoever reaches the server, as they are without any keys.
        is_open = self.sign_in.mode == "open" and right == "metrics"
        if right not in visitor.rights and not is_open:
            return _refused(request, HTTPStatus.FORBIDDEN, f"This needs an API key with the right {right!r}."), receive
        if visitor.ambient and _is_from_elsewhere(request):
            return _refused(request, HTTPStatus.FORBIDDEN, "A page of another site may not send this."), receive
        # Who has not signed in shares one name with all others.
        alone = self.sign_in.mode == "open" and visitor.name == ANONYMOUS
        refused = None if alone else self._too_many(self.by_visitor, visitor.name, request)
        if refused is None and path.startswith(_EVENTS):
            receive, named = await _named_conversation(request, receive)
            if named is not None and not self.conversations.belongs(named, visitor):
                refused = _refused(request, HTTPStatus.NOT_FOUND, "There is no such conversation; load the page again.")
        admit(request.scope, visitor, ungrouped=self._ungrouped)
        return refused, receive

    def _too_many(self, limit: Limit, name: str, request: Request) -> Response | None:
        # This machine itself is not limited, but what comes through a proxy on it is from others.
        local = not self.sign_in.proxies.sent(request) and (request.client is None or request.client.host in _LOOPBACK)
        alone = self.sign_in.mode == "open" and local
        if alone or _UNCOUNTED.fullmatch(_path(request.scope)):
            return None
        seconds = limit.wait(name)
        if not seconds:
            return None
        detail = f"Too many requests came in within a minute; try again in {seconds} seconds."
        return _refused(request, HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(seconds)})

    def _unknown(self, request: Request, error: CityciteError) -> Response:
        """Lead a browser to the page where one signs in; tell a program what is missing."""
        wants_page = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")
        if wants_page and self.sign_in.has_pages and "authorization" not in request.headers:
            root = request.scope.get("root_path", "")
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            address = f"{root}/sign-in?{urlencode({'next': back})}"
            return RedirectResponse(address, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
        return _refused(request, error.status, str(error), headers)


def _refused(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal in the shape that the client reads: problem details, or OpenAI's errors."""
    if not _path(request.scope).startswith(f"{OPENAI}/"):
        return problem(status, detail, headers)
    response = refusal(status, detail)
    response.headers.update(headers or {})
    return response


class Conversations:
    """Whose the open conversations of the chat page are: Gradio gives what is said to whoever names one."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def belongs(self, named: str, visitor: Visitor) -> bool:
        """Tell whether a conversation is the visitor's; a new one is."""
        with self._lock:
            owner = self._owners.setdefault(named, visitor.name)
            self._owners.move_to_end(named)
            while len(self._owners) > _CONVERSATIONS:
                self._owners.popitem(last=False)
        return owner == visitor.name


async def _named_conversation(request: Request, receive: Receive) -> tuple[Receive, str | None]:
    """Return the conversation that a request of the page names, and its body to be received once more."""
    heartbeat = re.fullmatch(r"/gradio_api/heartbeat/(\w+)", _path(request.scope))
    if heartbeat is not None:
        return receive, heartbeat[1]
    if request.method != "POST":
        return receive, request.query_params.get("session_hash")
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    try:
        content: Any = json.loads(body)
    except ValueError:
        content = None
    named = content.get("session_hash") if isinstance(content, dict) else None
    return receive_again, named if isinstance(named, str) else None


def _is_from_elsewhere(request: Request) -> bool:
    """Tell whether a page of another site has the browser send what may change something."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _path(scope: Scope) -> str:
    """Return the path of a request without that under which a proxy serves the application."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(root + "/") else path
