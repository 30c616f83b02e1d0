"""A real web server on 127.0.0.1 that tests fill with pages, and that remembers what it was asked."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PARAGRAPH = "Die Stadt Krefeld hat im Jahr 1999 ein neues Rathaus gebaut. Es steht am Markt und hat drei Stockwerke."


@dataclass
class Reply:
    """What the server answers under one path; a validator in `headers` makes it answer 304 where it is sent back."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


# Writes an answer of its own making.
Script = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Asked:
    """One request that came in, and what it was answered with."""

    path: str
    status: int
    headers: dict[str, str]
    at: float


class Site:
    """Pages by path (with query), and the log of requests."""

    def __init__(self, port: int, scheme: str = "http") -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.port = port
        self.pages: dict[str, Reply | Script] = {}
        self.log: list[Asked] = []

    def page(self, path: str, body: str = f"<p>{PARAGRAPH}</p>", head: str = "", **headers: str) -> None:
        """Put a web page under a path; `headers` have "_" for "-"."""
        html = f"<!doctype html><html><head><title>Seite {path}</title>{head}</head><body>{body}</body></html>"
        self.pages[path] = Reply(
            html.encode(), headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    def redirect(self, path: str, target: str, status: int = 301) -> None:
        """Let a path lead elsewhere."""
        self.pages[path] = Reply(status=status, headers={"Location": target})

    def sitemap(self, path: str, *paths: str, kind: str = "url", packed: bool = False) -> None:
        """Put a sitemap (or with kind "sitemap" an index) of paths or addresses under a path."""
        root = "urlset" if kind == "url" else "sitemapindex"
        entries = "".join(
            f"<{kind}>\n<loc> {entry if '://' in entry else self.url + entry} </loc></{kind}>" for entry in paths
        )
        xml = f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'
        body = gzip.compress(xml.encode()) if packed else xml.encode()
        self.pages[path] = Reply(body, "application/gzip" if packed else "application/xml")

    def asked(self, path: str | None = None) -> list[str]:
        """Return "path status" of each request but those for robots.txt, or of those for one path."""
        return [
            f"{asked.path} {asked.status}"
            for asked in self.log
            if (asked.path == path if path else asked.path != "/robots.txt")
        ]


@contextmanager
def running_site(
    wrap: Callable[[ThreadingHTTPServer], None] = lambda server: None, scheme: str = "http"
) -> Iterator[Site]:
    """Serve a site until the block ends; `wrap` may put TLS around the socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, site)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign]  # clients that hang up are expected
    site = Site(server.server_port, scheme)
    wrap(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    """Answer one request from the site's pages and note it."""
    reply = site.pages.get(handler.path, Reply(b"not here", status=404))
    asked = Asked(handler.path, 200, dict(handler.headers.items()), time.monotonic())
    site.log.append(asked)
    if not isinstance(reply, Reply):
        reply(handler)
        return
    conditions = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
    sent_back = [reply.headers[ours] == handler.headers[theirs] for ours, theirs in conditions
                 if ours in reply.headers and theirs in handler.headers]  # fmt: skip
    asked.status = 304 if sent_back and all(sent_back) else reply.status
    handler.send_response(asked.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if asked.status != 304:
        if reply.content_type:
            handler.send_header("Content-Type", reply.content_type)
        handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    if asked.status != 304:
        handler.wfile.write(reply.body)
