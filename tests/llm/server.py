"""An HTTP server that speaks OpenAI's chat protocol and says what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Script = Callable[[dict], "Reply"]


class Reply:
    """What the server answers: pieces of text that it streams, or a status of its own."""

    def __init__(self, pieces=(), *, status=200, hold=None, broken=None, body=b"", ended=True):
        self.pieces = pieces
        self.status = status
        self.hold = hold  # an event that is waited for before the first piece
        self.broken = broken  # bytes sent in place of a piece
        self.body = body
        self.ended = ended  # whether the stream says that it is over


class ChatServer:
    """A running server; `requests` are the bodies it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.script: Script = lambda request: Reply(["KEINE ANTWORT"])
        handler = type("Handler", (_Handler,), {"chat": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """The base URL that a client is given."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def says(self, text: str) -> None:
        """Answer every request with `text`, streamed in pieces."""
        self.script = lambda request: Reply([text[at : at + 7] for at in range(0, len(text), 7)])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    chat: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.chat.requests.append(request)
        self.chat.headers.append({name.lower(): value for name, value in self.headers.items()})
        reply = self.chat.script(request)
        try:
            self._answer(request, reply)
        except (BrokenPipeError, ConnectionResetError):  # the client has hung up, as it should
            self.close_connection = True

    def _answer(self, request, reply):
        if reply.hold is not None:
            reply.hold.wait(30)
        self.send_response(reply.status)
        if reply.status != 200:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in reply.pieces:
            self._event(request, {"content": piece}, None)
        if reply.broken is not None:
            self.wfile.write(reply.broken)
        elif reply.ended:
            self._event(request, {}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, request, delta, finish):
        event = {
            "id": "1", "object": "chat.completion.chunk", "created": 1, "model": request["model"],
            "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}],
        }  # fmt: skip
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """Run a server."""
    server = ChatServer()
    try:
        yield server
    finally:
        server.close()
