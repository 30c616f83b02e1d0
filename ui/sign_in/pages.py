"""The pages and operations of signing in: a form for a key, the way to the OpenID provider and back, tokens."""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rag.access import group_names
from rag.errors import CityciteError, UsageError
from rag.schema import Language
from ui import problems
from ui.api_examples import TOKEN, answered
from ui.document_page import message_page, page
from ui.sign_in.modes import COOKIE, LOGIN_COOKIE, SignIn
from ui.sign_in.oidc import LOGIN_SECONDS, SignInError
from ui.sign_in.signer import Pass
from ui.sign_in.texts import said
from ui.sign_in.visitor import require
from ui.texts import interface_language, text

logger = logging.getLogger(__name__)

MOST_MINUTES: Final = 60
_LONGEST_KEY: Final = 5000
_HEADERS: Final = {"Cache-Control": "no-store"}
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_STYLE: Final = (
    "<style>form{display:grid;gap:1rem;max-width:32rem}label{display:grid;gap:.25rem}"
    "input,button{font:inherit;padding:.5rem .7rem}</style>"
)


class TokenBody(BaseModel):
    """What a short-lived token is to allow. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"minutes": 10, "groups": ["staff"]}]})

    minutes: int = Field(default=10, ge=1, le=MOST_MINUTES, description="How long it counts.")
    groups: list[Annotated[str, Field(max_length=200)]] | None = Field(
        default=None, max_length=100, description="Whose documents it shows: some of the key's groups, all if null."
    )


class Token(BaseModel):
    """A short-lived token, sent as an API key is: `Authorization: Bearer TOKEN`."""

    token: str = Field(description="The token; it allows to ask, search and read.")
    expires_at: str = Field(description="ISO time, UTC, from which on it no longer counts.")


def sign_in_routes(sign_in: SignIn) -> APIRouter:
    """Return the routes; all but that of tokens are free, because nobody has signed in yet."""
    routes = APIRouter(include_in_schema=False)
    if sign_in.mode == "oidc":
        _add_provider(routes, sign_in)
    elif sign_in.mode == "keys":
        _add_key_form(routes, sign_in)

    @routes.get("/sign-in/token", response_model=None)
    def with_token(request: Request, token: str = "", next: str = "") -> Response:
        """Begin a session with a short-lived token, for a chat page in a frame."""
        found = sign_in.token(token[:_LONGEST_KEY])
        if found is None or sign_in.mode not in {"keys", "oidc"}:
            return _message(request, "refused", HTTPStatus.FORBIDDEN)
        signed = sign_in.signer.read_pass("token", token)
        assert signed is not None
        response = RedirectResponse(_inside(request, next), HTTPStatus.SEE_OTHER, _HEADERS)
        cookie = sign_in.session(found.name, found.groups, signed.key_id, signed.until)
        seconds = max(1, int(signed.until - time.time()))
        sign_in.set_cookie(response, request, COOKIE, cookie, seconds, embedded=True)
        return response

    @routes.get("/sign-in/out", response_model=None)
    def sign_out(request: Request) -> Response:
        """Forget the session in this browser."""
        response = _message(request, "signed_out", HTTPStatus.OK)
        sign_in.set_cookie(response, request, COOKIE, "", 0)
        return response

    return routes


def token_routes(sign_in: SignIn) -> APIRouter:
    """Return the operation that issues short-lived tokens."""
    routes = APIRouter()
    refused = (
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
    )  # fmt: skip

    @routes.post(
        "/api/v1/tokens",
        tags=["access"],
        status_code=HTTPStatus.CREATED,
        responses=answered(TOKEN, HTTPStatus.CREATED) | problems.documented(*refused),
    )
    def issue(body: TokenBody, request: Request) -> Token:
        """Issue a token for some minutes and groups, to be given to a browser in place of an API key."""
        visitor = require(request, "tokens")
        groups = visitor.groups
        if body.groups is not None:
            try:
                groups = frozenset(group_names(body.groups) if body.groups else ())
            except ValueError as error:
                raise UsageError(f"groups {error}.") from None
            if visitor.groups is not None and not groups <= visitor.groups:
                missing = ", ".join(sorted(groups - visitor.groups))
                raise UsageError(f"The key is not in these groups: {missing}.")
        until = time.time() + 60 * body.minutes
        key_id = visitor.name.removeprefix("key:")
        token = sign_in.signer.sign_pass("token", Pass(f"token:{secrets.token_hex(8)}", groups, until, key_id))
        return Token(token=token, expires_at=datetime.fromtimestamp(until, UTC).isoformat(timespec="seconds"))

    return routes


def _add_key_form(routes: APIRouter, sign_in: SignIn) -> None:
    @routes.get("/sign-in")
    def form(request: Request, next: str = "") -> HTMLResponse:
        return _form(request, next)

    @routes.post("/sign-in", response_model=None)
    async def enter(request: Request) -> Response:
        sent = await request.form(max_files=0, max_fields=5)
        given, back = str(sent.get("key", ""))[:_LONGEST_KEY].strip(), str(sent.get("next", ""))
        # Else a page of others could sign a reader in as somebody else, and see what he asks.
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _message(request, "refused", HTTPStatus.FORBIDDEN)
        key = sign_in.by_key(given)
        if key is None or "ask" not in key.rights:
            return _form(request, back, wrong=True)
        response = RedirectResponse(_inside(request, back), HTTPStatus.SEE_OTHER, _HEADERS)
        cookie = sign_in.session(f"key:{key.id}", key.groups, key.id)
        sign_in.set_cookie(response, request, COOKIE, cookie, 60 * sign_in.settings.session_minutes)
        return response


def _add_provider(routes: APIRouter, sign_in: SignIn) -> None:
    provider = sign_in.provider
    assert provider is not None

    @routes.get("/sign-in", response_model=None)
    def begin(request: Request, next: str = "") -> Response:
        try:
            address, login = provider.begin()
        except CityciteError as error:
            logger.error("Nobody can sign in: %s", error)
            return _message(request, "unavailable", error.status)
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER, _HEADERS)
        content = sign_in.signer.sign("login", login | {"next": _inside(request, next)})
        sign_in.set_cookie(response, request, LOGIN_COOKIE, content, int(LOGIN_SECONDS))
        return response

    @routes.get("/sign-in/callback", response_model=None)
    def finish(request: Request, state: str = "", code: str = "") -> Response:
        login = sign_in.signer.read("login", request.cookies.get(LOGIN_COOKIE, ""))
        try:
            if login is None or not code:
                raise SignInError("The sign-in was not begun in this browser, took too long, or was refused.")
            subject, groups = provider.finish(login, state, code)
        except CityciteError as error:
            logger.warning("Somebody could not sign in: %s", error)
            return _message(request, "refused", error.status)
        response = RedirectResponse(_inside(request, str(login["next"])), HTTPStatus.SEE_OTHER, _HEADERS)
        sign_in.set_cookie(response, request, LOGIN_COOKIE, "", 0)
        cookie = sign_in.session(f"user:{subject}", groups)
        sign_in.set_cookie(response, request, COOKIE, cookie, 60 * sign_in.settings.session_minutes)
        return response


def _inside(request: Request, address: str) -> str:
    """Return an address of this server: `address` where it is one, else the chat page."""
    root = str(request.scope.get("root_path", ""))
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and address.startswith("/") and address[1:2] not in {"/", "\\"}
    return address if is_ours and address.isprintable() else f"{root}/"


def _language(request: Request) -> Language:
    return interface_language(request.query_params.get("lang"), request.headers.get("accept-language"))


def _form(request: Request, back: str, *, wrong: bool = False) -> HTMLResponse:
    language = _language(request)
    problem = f'<p role="alert">{escape(said("wrong", language))}</p>' if wrong else ""
    body = (
        f"{_STYLE}<header><h1>{escape(said('sign_in', language))}</h1></header>{problem}"
        f'<form method="post" action="sign-in?{escape(urlencode({"lang": language}))}">'
        f'<input type="hidden" name="next" value="{escape(back)}">'
        f"<label>{escape(said('key', language))}"
        '<input type="password" name="key" required autocomplete="current-password" autofocus></label>'
        f"<button>{escape(said('sign_in', language))}</button></form>"
    )
    status = HTTPStatus.FORBIDDEN if wrong else HTTPStatus.OK
    return HTMLResponse(page(said("sign_in", language), body, language), status, _page_headers())


def _message(request: Request, key: str, status: int) -> HTMLResponse:
    language = _language(request)
    root = str(request.scope.get("root_path", ""))
    link = (f"{root}/?lang={language}", text("back_to_chat", language))
    shown = message_page(said("sign_in", language), said(key, language), language, link)
    return HTMLResponse(shown, status, _page_headers())


def _page_headers() -> dict[str, str]:
    return _HEADERS | {"Content-Security-Policy": _POLICY}
