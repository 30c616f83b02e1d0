"""Puts the chat page at `/` of the application: of all that Gradio serves, only what this page asks for."""

from __future__ import annotations

import re
from typing import Final

import ui.offline  # noqa: F401  before gradio, which reads the environment while it is being imported

# isort: split
import gradio as gr
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.chat import ASSETS, SCRIPTS, theme, translations
from ui.identity import PLAIN, Identity, colour_style

# What the page in the browser asks Gradio's server for; app_id, whether it is back, after which it loads itself anew.
SERVED: Final = re.compile(
    r"/|/(?:config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)|/(?:assets|static)/.+"
    r"|/gradio_api/(?:queue/(?:join|data)|heartbeat/\w+|startup-events|cancel|reset|app_id)"
)
# Files that carry a hash of what is in them in their name never change: a browser need not ask for them again.
_HASHED: Final = re.compile(r"/assets/[^/]+-[\w-]{8,10}\.(?:js|css)")
# On a screen of 4K at its own pixels everything grows. Gradio confines its style sheets to what is inside the page.
_LARGE: Final = (
    "<style>@media (min-width: 150rem) { html { font-size: 125%; } }"
    "@media (min-width: 200rem) { html { font-size: 160%; } }</style>"
)
_FOREVER: Final = "public, max-age=31536000, immutable"


def mount(app: FastAPI, chat: gr.Blocks, identity: Identity = PLAIN) -> None:
    """Serve the page at `/` of `app`, with all that Gradio adds unasked turned off."""
    scripts = "".join(f"<script>{(ASSETS / name).read_text(encoding='utf-8')}</script>" for name in SCRIPTS)
    gr.mount_gradio_app(
        app, chat, path="/", i18n=translations(identity), theme=theme(), css=colour_style(identity.colour),
        css_paths=[ASSETS / "chat.css", ASSETS / "feedback.css"],
        head=_LARGE + scripts,
        footer_links=[], run_history=False, show_error=False, ssr_mode=False, pwa=False, mcp_server=False,
        enable_monitoring=False, max_file_size=1,
    )  # fmt: skip
    # Gradio also serves uploads, files, a proxy and more, for components that are not on this page.
    page = app.router.routes.pop()
    assert isinstance(page, Mount)
    # Gradio packs its files and not its page, which holds all texts. What is packed stays as it is, and so do streams.
    smaller = [Middleware(Lasting), Middleware(GZipMiddleware)]
    app.router.routes.append(PageMount(page.path, page.app, middleware=smaller))


class PageMount(Mount):
    """Serves of the mounted app only what the chat page asks for; the rest does not exist."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the paths of `SERVED`."""
        return super().matches(scope) if SERVED.fullmatch(scope["path"]) else (Match.NONE, {})


class Lasting:
    """Lets browsers keep the files whose names tell their content."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_lasting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["cache-control"] = _FOREVER
            await send(message)

        lasts = scope["type"] == "http" and _HASHED.fullmatch(scope["path"])
        await self.app(scope, receive, send_lasting if lasts else send)
