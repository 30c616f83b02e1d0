"""The frame of the admin area: the gate that every request passes, forms with their token, pages in three languages."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from rag.errors import CityciteError
from rag.schema import Language
from ui.admin.access import COOKIE, Access, Session, refused_status
from ui.admin.audit import AuditLog
from ui.admin.office import Office
from ui.admin.texts import text
from ui.admin.uploads import RefusedError
from ui.texts import LANGUAGE_NAMES, LANGUAGES, interface_language

logger = logging.getLogger(__name__)

ROOT: Final = "/admin"
UPLOAD: Final = "/documents/upload"
# A form has a handful of fields; what is larger is none of ours.
_FORM_BYTES: Final = 256 * 1024
_FORM_FIELDS: Final = 200
# Files in one upload; the script sends them one by one.
_FILES: Final = 500
_HERE = Path(__file__).parent
# What the audit log says of a request. Questions may hold names, and words that are looked for as well.
_NOTED: Final = ("source", "id")
# What nobody does by intent: the page that asks how far a job is.
_UNNOTED: Final = {"GET": {"/job", "/login", "/"}}
# Scripts and styles carry a number that is new with each page: nothing else runs, whatever a document holds.
_POLICY: Final = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
PAGES: Final = ("documents", "questions", "gold", "evaluation", "embed", "health")


@dataclass(slots=True)
class Visit:
    """One request of somebody who is in, or at the login (`session` is None). `form` is empty but for actions."""

    request: Request
    access: Access
    office: Office
    cookie: str
    session: Session | None
    form: FormData

    @property
    def language(self) -> Language:
        """The language of the page: the one chosen, else that of the browser."""
        chosen = self.session.language if self.session else None
        asked = self.request.query_params.get("lang") or chosen
        return interface_language(asked, self.request.headers.get("accept-language"))

    @property
    def root(self) -> str:
        """The address of the admin area, also where a proxy serves it under a path."""
        return str(self.request.scope.get("root_path", ""))

    def field(self, name: str, longest: int = 5000) -> str:
        """Return a field of the form, or of the address where there is no form; empty where it is not there."""
        given = self.form.get(name) if self.form else self.request.query_params.get(name)
        # A browser can send half an emoji, which no file can hold.
        return given.encode(errors="replace").decode().strip()[:longest] if isinstance(given, str) else ""

    def address(self, path: str, **parameters: str) -> str:
        """Return the address of a page of the admin area."""
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{self.root}{path}" + (f"?{query}" if query else "")

    def page(self, name: str, status: int = HTTPStatus.OK, /, **values: Any) -> Response:  # noqa: ANN401 - for the template
        """Return the page `name`, with the messages that wait to be shown."""
        nonce = secrets.token_urlsafe(16)
        language = self.language
        said = self.session.said[:] if self.session else []
        if self.session:
            self.session.said.clear()
        content = _environment().get_template(f"{name}.jinja").render(
            values,
            here=name, pages=PAGES, nonce=nonce, language=language, languages=LANGUAGES, names=LANGUAGE_NAMES,
            say=lambda key, **given: text(key, language, **given), address=self.address, said=said,
            token=self.access.form_token(self.cookie), session=self.session, by_header=self.access.by_header,
            city=self.office.identity.name, style=_asset("admin.css"), script=_asset("admin.js"),
            query=dict(self.request.query_params),
        )  # fmt: skip
        headers = _HEADERS | {"Content-Security-Policy": _POLICY.format(nonce=nonce)}
        return HTMLResponse(content, status, headers)

    def go(self, path: str, key: str = "", *, well: bool = True, **values: object) -> Response:
        """Lead to another page, where the text `key` is said."""
        if key and self.session:
            self.session.said.append((key, values, well))
        return RedirectResponse(self.root + path, HTTPStatus.SEE_OTHER, _HEADERS)


Handler = Callable[[Visit], Response]


class Area:
    """Collects the routes of the admin area, as an ASGI application. What is not a page needs the form's token."""

    def __init__(self, access: Access, office: Office) -> None:
        self.access = access
        self.office = office
        self.audit = AuditLog.of(office.settings)
        self.routes: list[Route] = []
        self._app: Starlette | None = None

    def page(self, path: str) -> Callable[[Handler], Handler]:
        """Register what answers GET at `path`."""

        def register(handler: Handler) -> Handler:
            async def endpoint(request: Request) -> Response:
                return await self._handled(handler, self._visit(request, FormData()), path)

            self.routes.append(Route(path, endpoint, methods=["GET"], name=handler.__name__))
            return handler

        return register

    def action(self, path: str) -> Callable[[Handler], Handler]:
        """Register what answers POST at `path`, of forms made for whoever sends them."""

        def register(handler: Handler) -> Handler:
            async def endpoint(request: Request) -> Response:
                async with await self._form(request, path) as form:
                    visit = self._visit(request, form)
                    given = form.get("token") or request.headers.get("x-form-token", "")
                    if not self.access.is_form_token(visit.cookie, given if isinstance(given, str) else ""):
                        return _message(visit, "stale_form", HTTPStatus.FORBIDDEN)
                    return await self._handled(handler, visit, path)

            self.routes.append(Route(path, endpoint, methods=["POST"], name=handler.__name__))
            return handler

        return register

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through who is in; all others see the login, or how to set the area up."""
        request = Request(scope, receive, send)
        session = await run_in_threadpool(self.access.session, request)
        scope["citycite.session"] = session
        # A proxy in front has said who it is, before anybody could choose a cookie.
        cookie = session.token if session else request.cookies.get(COOKIE, "") or secrets.token_urlsafe(32)
        scope["citycite.cookie"] = cookie
        response = None if session else await self._outside(request)
        if session and request.query_params.get("lang") in LANGUAGES:
            session.language = interface_language(request.query_params["lang"], None)
        set_cookie = self._cookie(request, cookie)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [item for item in message["headers"] if item[0].lower() == b"set-cookie"]
                if not kept and request.cookies.get(COOKIE) != cookie:
                    message["headers"] = [*message["headers"], (b"set-cookie", set_cookie.encode())]
            await send(message)

        await (response or self._routed())(scope, receive, send_with_cookie)

    def cookie(self, visit: Visit, value: str) -> str:
        """Return the header that sets the cookie of `visit`."""
        return self._cookie(visit.request, value)

    def _cookie(self, request: Request, value: str) -> str:
        path = request.scope.get("root_path", "") or ROOT
        secure = "; Secure" if self.access.is_encrypted(request) else ""
        return f"{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}"

    async def _outside(self, request: Request) -> Response | None:
        """Return what somebody sees who is not in, None for the login itself."""
        visit = self._visit(request, FormData())
        if self.access.by_header:
            return _message(visit, "not_admitted", HTTPStatus.FORBIDDEN)
        if not self.access.is_set_up():
            return visit.page("setup", HTTPStatus.FORBIDDEN)
        if request.scope["path"].removeprefix(visit.root) == "/login":
            return None
        status = refused_status(request.headers, request.method)
        if status == HTTPStatus.SEE_OTHER:
            return RedirectResponse(visit.address("/login"), status, _HEADERS)
        return _message(visit, "not_logged_in", status)

    def _routed(self) -> Starlette:
        if self._app is None:
            self._app = Starlette(routes=self.routes, exception_handlers={HTTPException: self._missing})
        return self._app

    async def _missing(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _message(self._visit(request, FormData()), "nothing_here", error.status_code)

    def _visit(self, request: Request, form: FormData) -> Visit:
        return Visit(
            request, self.access, self.office, request.scope["citycite.cookie"], request.scope["citycite.session"], form
        )

    async def _handled(self, handler: Handler, visit: Visit, path: str) -> Response:
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            answer = await run_in_threadpool(handler, visit)
            status = answer.status_code
        except RefusedError as error:
            answer = _message(visit, error.key, status := error.status, **error.values)
        except CityciteError as error:
            logger.error("%s %s: %s", visit.request.method, visit.request.url.path, error)
            answer = _message(visit, "failed", status := error.status, problem=str(error))
        finally:
            unnoted = await run_in_threadpool(self._note, visit, path, status)
        return answer if unnoted is None else _message(visit, "failed", unnoted.status, problem=str(unnoted))

    def _note(self, visit: Visit, path: str, status: int) -> CityciteError | None:
        """Note who did what; return why that could not be noted."""
        method = visit.request.method
        if self.audit is None or path in _UNNOTED.get(method, ()):
            return None
        try:
            who, address = self.access.who(visit.request, visit.session), self.access.address(visit.request)
            about = {name: said for name in _NOTED if (said := visit.field(name))}
            names = [file.filename for file in visit.form.getlist("files") if isinstance(file, UploadFile)]
            self.audit.note(who, address, f"{method} {path}", about | ({"files": ", ".join(map(str, names))} if names
                            else {}), status)  # fmt: skip
        except CityciteError as error:
            logger.error("%s %s could not be noted: %s", method, path, error)
            return error
        return None

    async def _form(self, request: Request, path: str) -> Any:  # noqa: ANN401 - Starlette's context manager of a form
        limit = self.office.settings.max_file_mb * 1_000_000 + _FORM_BYTES if path == UPLOAD else _FORM_BYTES
        bounded = Request(request.scope, _bounded(request.receive, limit))
        form = await bounded.form(max_files=_FILES if path == UPLOAD else 0, max_fields=_FORM_FIELDS)
        return _Form(form)


class _Form:
    """A form whose files are closed afterwards."""

    def __init__(self, form: FormData) -> None:
        self.form = form

    async def __aenter__(self) -> FormData:
        return self.form

    async def __aexit__(self, *_: object) -> None:
        await self.form.close()


class TooLargeError(HTTPException):
    """More was sent than is taken."""


def _bounded(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    """Return `receive`, that ends a request whose body is larger than `limit` bytes."""
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise TooLargeError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return receive_bounded


def _message(visit: Visit, key: str, status: int, **values: object) -> Response:
    """Say one thing: as a page, or as JSON where a script asked."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        key, values = "too_large", {"limit": visit.office.settings.max_file_mb}
    if "application/json" in visit.request.headers.get("accept", ""):
        return JSONResponse({"problem": text(key, visit.language, **values)}, status, _HEADERS)
    return visit.page("message", status, key=key, values=values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ui.admin", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _asset(name: str) -> str:
    return (_HERE / "templates" / name).read_text("utf-8")


def as_query(parameters: Mapping[str, str]) -> str:
    """Return parameters as part of an address."""
    return urlencode(parameters)
