"""What other sites put into their pages: the widget's script, and the lines that bring it or the chat page in."""

from __future__ import annotations

import hashlib
from functools import cache
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from rag.schema import Language

WIDGET: Final = Path(__file__).parent / "widget" / "widget.js"
# A page asks again after an hour whether there is a newer one; then only its tag travels.
_CACHED: Final = "public, max-age=3600"


def embedding_routes() -> APIRouter:
    """Return what serves the widget."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/widget.js")
    def widget(request: Request) -> Response:
        script, tag = _script()
        # Pages that isolate themselves load nothing from elsewhere that does not say that it is meant for all.
        headers = {"Cache-Control": _CACHED, "ETag": tag, "Cross-Origin-Resource-Policy": "cross-origin"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(script, media_type="text/javascript", headers=headers)

    return routes


@cache
def _script() -> tuple[bytes, str]:
    script = WIDGET.read_bytes()
    return script, f'"{hashlib.sha256(script).hexdigest()[:32]}"'


def widget_snippet(address: str, language: Language, title: str) -> str:
    """Return the line that puts the chat button on a page; `address` is where this server is reached."""
    named = f'data-language="{language}" data-title="{escape(title)}"'
    return f'<script src="{_root(address)}/widget.js" {named} async></script>'


def frame_snippet(address: str, language: Language, title: str) -> str:
    """Return the lines that show the chat page in a frame."""
    return (
        f'<iframe src="{_root(address)}/?lang={language}" title="{escape(title)}"\n'
        '        style="width: 100%; height: 45rem; border: 0" referrerpolicy="no-referrer"></iframe>'
    )


def _root(address: str) -> str:
    return escape(address.rstrip("/"))
