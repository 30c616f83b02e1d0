"""Serve the application with uvicorn, until it is told to stop."""

from __future__ import annotations

import errno
import ipaddress
import logging
import signal
import socket
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from rag.errors import CityciteError, UsageError
from rag.settings import Settings, load_settings
from ui.api import create_app
from ui.logs import announce
from ui.under_way import UnderWay

if TYPE_CHECKING:
    from rag import Assistant

logger = logging.getLogger(__name__)

# What is still open when all answers are finished is a page that waits for news.
GRACE_SECONDS: Final = 3
# What is under way when the server is told to stop: a question takes a second on a busy machine, a stream a few; with a
# language model, as long as that may take.
FINISH_SECONDS: Final = 10
# Connections that wait to be accepted while the server is busy; the number is uvicorn's own default.
BACKLOG: Final = 2048
# A proxy sends one question after the other over a connection that it keeps for a minute (nginx). Closed here after
# fewer, now and then it would be closed just as the next question is on its way, which is then lost.
KEEP_CONNECTION_SECONDS: Final = 75


def serve(
    assistant: Assistant, host: str, port: int, settings: Settings | None = None, *, allow_open: bool = False
) -> None:
    """Serve the chat page and the HTTP API until SIGINT or SIGTERM; the caller opens and closes `assistant`.

    Port 0 takes any free one. The address is written to stderr once the server accepts connections. Without signing in,
    only this machine is served, unless `allow_open`.

    Raises:
        UsageError: `host` or `port` is none that a server can listen on, or others would get in without signing in.
        CityciteError: the port is taken.
    """
    listener = listen(host, port)
    with listener:
        if not allow_open:
            refuse_open(listener, settings or load_settings())
        served = server(assistant, settings)
        # uvicorn hands the signal on after it has shut down in good order; it may arrive when the loop has ended.
        with suppress(KeyboardInterrupt):
            served.run(sockets=[listener])
        if served.started:
            announce("Stopped.")


def server(assistant: Assistant, settings: Settings | None = None) -> AnnouncingServer:
    """Return a server over `assistant` that is yet to be run on a socket."""
    settings = settings or load_settings()
    app = create_app(assistant, settings)
    config = uvicorn.Config(
        app,
        log_config=None if settings.log_format == "json" else LOGGING_CONFIG,
        log_level="warning",
        access_log=False,  # addresses of searches hold what people ask
        proxy_headers=False,  # anyone can send them; a proxy in front is a setting of its own
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_CONNECTION_SECONDS,
    )
    finish = FINISH_SECONDS + (settings.llm_timeout if settings.llm else 0)
    return AnnouncingServer(config, app.state.under_way, finish)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; errors as in `serve`."""
    if not 0 <= port <= 65535:
        raise UsageError(f"Port {port} is out of range; give one from 1 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise UsageError(f"Host {host!r} is unknown; give one of this machine's addresses with --host.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        # A server that was stopped a moment ago must not block its successor.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _explained(error, host, port) from None
    return listener


def check_address(host: str, port: int, settings: Settings, *, allow_open: bool) -> None:
    """Raise what `serve` would raise of its address, before anything is loaded."""
    with listen(host, port) as listener:
        if not allow_open:
            refuse_open(listener, settings)


def refuse_open(listener: socket.socket, settings: Settings) -> None:
    """Raise UsageError where anybody on the network could ask without signing in."""
    address = listener.getsockname()[0]
    if settings.sign_in == "open" and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        raise UsageError(
            f"{address} can be reached from other machines, and nobody has to sign in (CITYCITE_SIGN_IN is open). "
            "Choose a way to sign in, or let everybody on the network ask with --allow-open."
        )


def _explained(error: OSError, host: str, port: int) -> CityciteError:
    if isinstance(error, PermissionError):
        return UsageError(f"Port {port} may not be used by this account; give one above 1023 with --port.")
    if error.errno == errno.EADDRINUSE:
        return CityciteError(f"Port {port} on {host} is in use; stop what uses it or give another with --port.")
    return UsageError(f"Cannot listen on {host} port {port}: {error.strerror}; give another --host.")


class AnnouncingServer(uvicorn.Server):
    """Says where it listens as soon as it does, and where it is stopped turns the signal into a plain end.

    It takes no new requests then, and finishes those `under_way`, for at most `finish` seconds.
    """

    def __init__(self, config: uvicorn.Config, under_way: UnderWay, finish: float) -> None:
        super().__init__(config)
        self._under_way = under_way
        self._finish = finish

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the address to stderr."""
        await super().startup(sockets)
        if self.started and sockets:
            announce(f"citycite is ready: {_address(sockets[0])}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let what is under way finish, then close what pages hold open."""
        self._under_way.is_ending = True
        for listening in self.servers:
            listening.close()
        if not self.force_exit and not await self._under_way.finished(self._finish):
            logger.warning("%d requests were not finished in %g seconds.", self._under_way.count, self._finish)
        await super().shutdown(sockets)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Run until a signal; SIGTERM then ends it as SIGINT does."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _interrupt)
        super().run(sockets)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    # A browser cannot open "every address of this machine".
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
