"""Which other sites may use this one: from their scripts (CORS), and as a frame in their pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.errors import UsageError

# What programs use. The chat page and the admin area are never opened to scripts of other sites.
OPENED: Final = ("/api/v1/", "/v1/", "/mcp")
# A browser asks again after ten minutes whether it still may.
_PREFLIGHT_SECONDS: Final = 600
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE)


def origins(setting: str, value: str) -> tuple[str, ...]:
    """Return the origins in the setting's `value`, written as browsers write them.

    Raises:
        UsageError: one is none, or stands for all.
    """
    return tuple(dict.fromkeys(_origin(setting, item.strip()) for item in value.split(",") if item.strip()))


def _origin(setting: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise _wrong(setting, value) from None
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    # urlsplit leaves out line breaks, which must not come together to an origin that nobody meant.
    beside = (
        not value.isprintable() or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
    )
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(shown) or beside:
        raise _wrong(setting, value)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, usual} else "")


def _wrong(setting: str, value: str) -> UsageError:
    return UsageError(
        f"Setting {setting} (CITYCITE_{setting.upper()}) holds {value!r}: give origins such as "
        "https://intranet.stadt.example, with commas between; there is none that stands for all."
    )


class CrossOrigin:
    """Lets scripts of `allowed` origins use the API, without cookies; those of all others get what they always get."""

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._closed = app
        self._opened = CORSMiddleware(
            app,
            allow_origins=allowed,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Mcp-Protocol-Version", "Mcp-Session-Id"],
            expose_headers=["Retry-After", "X-Request-ID"],
            max_age=_PREFLIGHT_SECONDS,
        )
        self._is_open = bool(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with or without leave for other origins."""
        opened = self._is_open and scope["type"] == "http" and scope["path"].startswith(OPENED)
        await (self._opened if opened else self._closed)(scope, receive, send)
