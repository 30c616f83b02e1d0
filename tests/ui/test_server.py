"""Listening, saying so, and stopping."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rag.errors import CityciteError, UsageError
from ui.server import listen

ROOT = Path(__file__).parents[2]
SERVE = "from tests.ui.stand_in import StandIn; from ui.server import serve; serve(StandIn(), '127.0.0.1', 0)"


def test_a_taken_port_is_named_with_the_way_out():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CityciteError, match=rf"Port {port} on 127\.0\.0\.1 is in use; .*--port") as caught:
            listen("127.0.0.1", port)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", -1, "Port -1 is out of range"),
        ("127.0.0.1", 65536, "Port 65536 is out of range"),
        ("192.0.2.1", 0, "Cannot listen on 192.0.2.1"),
        ("a" * 70, 0, "is unknown"),
    ],
)
def test_a_wrong_address_is_named_with_the_way_out(host, port, message):
    with pytest.raises(UsageError, match=message):
        listen(host, port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_says_where_it_listens_and_stops_in_good_order(number):
    with subprocess.Popen([sys.executable, "-c", SERVE], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            ready = process.stderr.readline()
            assert ready.startswith("citycite is ready: http://127.0.0.1:")
            with urllib.request.urlopen(ready.split()[-1] + "/healthz") as response:
                assert response.status == 200
            process.send_signal(number)
            rest = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    assert process.returncode == 0
    assert rest == "Stopped.\n"


def test_sockets_are_closed_after_a_failure():
    with listen("127.0.0.1", 0) as taken, pytest.raises(CityciteError):
        listen(*taken.getsockname())
    with socket.create_server(taken.getsockname() if taken.fileno() >= 0 else ("127.0.0.1", 0)):
        pass
