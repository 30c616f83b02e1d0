"""Who may enter the admin area: by password, or by a header of a trusted proxy. All requests to it pass the gate."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from rag.errors import UsageError
from rag.schema import Language
from rag.settings import Settings
from ui.admin.password import Password, fits
from ui.proxies import Proxies

COOKIE: Final = "citycite_admin"
# Somebody who goes home without logging out is logged out; nobody stays in for longer than a working day.
IDLE_SECONDS: Final = 3600.0
SESSION_SECONDS: Final = 12 * 3600.0
SESSIONS: Final = 1000
# Wrong passwords from one address before it has to wait, and for how long they count.
ATTEMPTS: Final = 5
ATTEMPT_SECONDS: Final = 900.0
ADDRESSES: Final = 10_000


@dataclass(slots=True)
class Session:
    """Somebody who is in. `said` are messages for the next page: keys of texts with values, and whether all is well."""

    token: str
    kept: str | None
    began: float
    used: float
    language: Language | None = None
    said: list[tuple[str, dict[str, object], bool]] = field(default_factory=list)


class Throttle:
    """Counts wrong passwords by address."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Return the seconds until this address may try again, 0 where it may."""
        with self._lock:
            failures = self._failures.get(address, deque())
            while failures and time.monotonic() - failures[0] > ATTEMPT_SECONDS:
                failures.popleft()
            if len(failures) < ATTEMPTS:
                return 0
            return int(ATTEMPT_SECONDS - (time.monotonic() - failures[0])) + 1

    def begin(self, address: str) -> None:
        """Count an attempt as wrong until it turns out right, so that many at once gain nothing."""
        with self._lock:
            self._failures.setdefault(address, deque()).append(time.monotonic())
            while len(self._failures) > ADDRESSES:
                self._failures.pop(next(iter(self._failures)))

    def clear(self, address: str) -> None:
        """Forget an address whose password was right."""
        with self._lock:
            self._failures.pop(address, None)


class Access:
    """Sessions, and what lets somebody begin one. They live in memory: a restart ends them."""

    def __init__(self, settings: Settings) -> None:
        self.password = Password(settings)
        self.throttle = Throttle()
        self._header, self._value = _header(settings)
        self._proxies = Proxies(settings)
        self._secret = secrets.token_bytes(32)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        if self._header and not self._proxies:
            raise UsageError(
                f"CITYCITE_ADMIN_HEADER is {settings.admin_header!r}, but no proxy is trusted to set it: name its "
                "address in CITYCITE_TRUSTED_PROXIES."
            )

    @property
    def by_header(self) -> bool:
        """Whether a proxy decides who may enter, and not a password."""
        return bool(self._header)

    def is_set_up(self) -> bool:
        """Whether anybody can enter at all."""
        return self.by_header or self.password.kept() is not None

    def session(self, request: Request) -> Session | None:
        """Return the session that a request belongs to; with a proxy's header it may be a new one."""
        found = self._known(request.cookies.get(COOKIE, ""))
        if not self.by_header:
            return found
        if not self._is_admitted(request):
            return None
        return found or self._begin(None)

    def log_in(self, password: str, address: str) -> Session | None:
        """Begin a session where the password is right. The caller has asked `throttle` first."""
        kept = self.password.kept()
        self.throttle.begin(address)
        if self.by_header or kept is None or not fits(password, kept):
            return None
        self.throttle.clear(address)
        return self._begin(kept)

    def end(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_key(session.token), None)

    def who(self, request: Request, session: Session | None) -> str:
        """Return what tells who is in: the name that the proxy gives, else a mark of the session."""
        named = request.headers.get(self._header, "") if self.by_header else ""
        if named and not self._value:
            return named[:200]
        return f"session {_key(session.token)[:8]}" if session else "nobody"

    def form_token(self, cookie: str) -> str:
        """Return what every form must send along; nobody else can compute it for a cookie."""
        return hmac.new(self._secret, cookie.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def is_form_token(self, cookie: str, token: str) -> bool:
        """Tell whether a form was made for this cookie."""
        return bool(cookie) and hmac.compare_digest(self.form_token(cookie).encode(), token.encode("utf-8", "replace"))

    def address(self, request: Request) -> str:
        """Return where a request comes from, as far as it can be known; behind trusted proxies, what they say."""
        return self._proxies.address(request)

    def is_encrypted(self, request: Request) -> bool:
        """Tell whether the browser came over HTTPS."""
        return self._proxies.is_encrypted(request)

    def _is_admitted(self, request: Request) -> bool:
        values = request.headers.getlist(self._header)
        # Twice the same header: one of them is not the proxy's.
        if not self._proxies.sent(request) or len(values) != 1:
            return False
        given = values[0].strip()
        return self._value in [item.strip() for item in given.split(",")] if self._value else bool(given)

    def _begin(self, kept: str | None) -> Session:
        now = time.monotonic()
        session = Session(secrets.token_urlsafe(32), kept, now, now)
        with self._lock:
            while len(self._sessions) >= SESSIONS:
                self._sessions.pop(min(self._sessions, key=lambda key: self._sessions[key].used))
            self._sessions[_key(session.token)] = session
        return session

    def _known(self, token: str) -> Session | None:
        # Looked up by its hash: how long a look-up takes says nothing of a token.
        kept = None if self.by_header else self.password.kept()
        with self._lock:
            session = self._sessions.get(_key(token))
            if session is None:
                return None
            now = time.monotonic()
            over = now - session.used > IDLE_SECONDS or now - session.began > SESSION_SECONDS
            if over or session.kept != kept:
                del self._sessions[_key(token)]
                return None
            session.used = now
            return session


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _header(settings: Settings) -> tuple[str, str]:
    name, _, value = settings.admin_header.partition(":")
    return name.strip().lower(), value.strip()


def refused_status(headers: Mapping[str, str], method: str) -> int:
    """Return the status for somebody who is not in: a page leads to the login, all else is refused."""
    wants_page = method in {"GET", "HEAD"} and "application/json" not in headers.get("accept", "")
    return HTTPStatus.SEE_OTHER if wants_page else HTTPStatus.UNAUTHORIZED
