"""Who a request is from: by API key or token, by a session, by a proxy's headers, or nobody in particular."""

from __future__ import annotations

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from rag.errors import CityciteError, UsageError
from rag.settings import Settings
from ui.proxies import Proxies
from ui.sign_in.keys import PREFIX, Key, Keys
from ui.sign_in.oidc import Provider
from ui.sign_in.signer import Kind, Pass, Signer
from ui.sign_in.visitor import ANONYMOUS, Visitor

COOKIE: Final = "citycite_session"
LOGIN_COOKIE: Final = "citycite_login"
# Who a proxy names is no sentence.
_LONGEST_NAME: Final = 500


class UnknownVisitorError(CityciteError):
    """Nothing says who sends a request, or what says so is not valid."""

    status = 401


class NotFromProxyError(CityciteError):
    """A request did not come through the proxy that signs people in."""

    status = 403


class SignIn:
    """Finds out who sends a request, as the settings say.

    Raises:
        UsageError: settings that the way to sign in needs are missing or wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mode = settings.sign_in
        self.proxies = Proxies(settings)
        self.keys = Keys.of(settings)
        self.signer = Signer.of(settings)
        self.provider = Provider(settings) if self.mode == "oidc" else None
        if self.mode == "proxy" and not self.proxies:
            raise UsageError(
                "CITYCITE_SIGN_IN is proxy, but no proxy is trusted to say who asks: name its address in "
                "CITYCITE_TRUSTED_PROXIES."
            )

    @property
    def has_pages(self) -> bool:
        """Whether there is a page to sign in at."""
        return self.mode in {"keys", "oidc"}

    def visitor(self, request: Request) -> Visitor:
        """Return who sends `request`.

        Raises:
            UnknownVisitorError, NotFromProxyError: nobody knows.
        """
        given = request.headers.getlist("authorization")
        if given and not (self.mode == "open" and _is_placeholder(request, given)):
            return self._by_header(given)
        if self.mode == "open":
            return Visitor(ANONYMOUS)
        found = self._by_session(request.cookies.get(COOKIE, "")) if self.mode != "proxy" else None
        if found is None and self.mode == "proxy":
            return self._by_proxy(request)
        if found is None:
            raise UnknownVisitorError("Sign in first, or send an API key: Authorization: Bearer citycite_...")
        return found

    def session(self, name: str, groups: frozenset[str] | None, key_id: str = "", until: float = 0.0) -> str:
        """Return the content of the cookie of somebody who has signed in."""
        longest = time.time() + 60 * self.settings.session_minutes
        return self.signer.sign_pass("session", Pass(name, groups, min(until or longest, longest), key_id))

    def set_cookie(
        self, response: Response, request: Request, name: str, value: str, seconds: int, *, embedded: bool = False
    ) -> None:
        """Set a cookie that scripts cannot read, and that other sites' pages do not send along.

        `embedded`: within a frame of another site the browser takes it nevertheless, kept apart for that site. What
        changes something is refused from other sites in any case (see the gate).
        """
        encrypted = self.proxies.is_encrypted(request) or self.settings.public_url.startswith("https://")
        path = request.scope.get("root_path", "") or "/"
        apart = embedded and encrypted
        response.set_cookie(
            name, value, max_age=seconds, path=path, secure=encrypted, httponly=True,
            samesite="none" if apart else "lax",
        )  # fmt: skip
        if apart:
            response.headers["set-cookie"] += "; Partitioned"

    def by_key(self, given: str) -> Key | None:
        """Return the API key that `given` is."""
        return self.keys.check(given)

    def token(self, text: str) -> Visitor | None:
        """Return whom a short-lived token stands for, None where it is not valid."""
        return self._by_pass("token", text, ambient=False)

    def _by_header(self, given: list[str]) -> Visitor:
        scheme, _, value = given[0].partition(" ")
        if len(given) != 1 or scheme.lower() != "bearer":
            raise UnknownVisitorError("The header Authorization must be there once, and say: Bearer KEY.")
        value = value.strip()
        key = self.by_key(value)
        if key is not None:
            return Visitor(f"key:{key.id}", key.groups, key.rights)
        found = self.token(value)
        if found is None:
            raise UnknownVisitorError("The API key or token is not valid, or its time is over.")
        return found

    def _by_session(self, cookie: str) -> Visitor | None:
        return self._by_pass("session", cookie, ambient=True) if cookie else None

    def _by_pass(self, kind: Kind, text: str, *, ambient: bool) -> Visitor | None:
        found = self.signer.read_pass(kind, text)
        if found is None:
            return None
        if not found.key_id and self.mode != "oidc":
            return None  # from before the settings changed
        if found.key_id:
            key = self.keys.get(found.key_id)
            if key is None or not key.is_valid:
                return None
        return Visitor(found.name, found.groups, ambient=ambient)

    def _by_proxy(self, request: Request) -> Visitor:
        if not self.proxies.sent(request):
            raise NotFromProxyError("This server answers through its proxy alone, which signs people in.")
        users = request.headers.getlist(self.settings.proxy_user_header)
        groups = request.headers.getlist(self.settings.proxy_groups_header)
        # Twice the same header: one of them is not the proxy's.
        if len(users) != 1 or len(groups) > 1 or not 0 < len(users[0].strip()) <= _LONGEST_NAME:
            raise UnknownVisitorError("The proxy does not say who asks.")
        named = (item.strip() for item in ",".join(groups).split(","))
        return Visitor(
            f"user:{_utf8(users[0].strip())}", frozenset(_utf8(item) for item in named if item), ambient=True
        )


def _utf8(header: str) -> str:
    """Return what a header says in UTF-8, which proxies write; Starlette reads Latin-1."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def _is_placeholder(request: Request, given: list[str]) -> bool:
    """Tell whether OpenAI's clients sent just any key, because they cannot do without: neither a key nor a token."""
    value = given[0].partition(" ")[2].strip()
    is_ours = value.startswith(f"{PREFIX}_") or "." in value
    return len(given) == 1 and not is_ours and request.url.path.startswith(f"{request.scope.get('root_path', '')}/v1/")
