"""Listening, saying so, and stopping."""

import http.client
import json
import select
import shutil
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

# `citycite`, with a note of every host that it looks up or connects to, whatever becomes of that.
WATCHED = """
import sys
asked = open(sys.argv.pop(1), "a", buffering=1)
WHERE = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
def note(event, arguments):
    if event in WHERE:
        host = arguments[WHERE[event]]
        asked.write(f"{host[0] if isinstance(host, tuple) else host}\\n")
sys.addaudithook(note)
from ui.cli import main
main()
"""


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
            rest = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 0
    assert rest == "Stopped.\n"


def test_a_connection_that_is_idle_stays_open_and_does_not_delay_the_end():
    with subprocess.Popen([sys.executable, "-c", SERVE], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stderr.readline().rsplit(":", 1)[1])
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
            # A server that closes shows as something to read. uvicorn by itself closes after five seconds.
            waiting = select.poll()  # select itself knows no descriptor beyond 1023
            waiting.register(connection.sock, select.POLLIN)
            assert waiting.poll(7000) == []
            process.terminate()
            process.wait(timeout=60)
            connection.close()
        finally:
            process.kill()


def test_sockets_are_closed_after_a_failure():
    with listen("127.0.0.1", 0) as taken, pytest.raises(CityciteError):
        listen(*taken.getsockname())
    with socket.create_server(taken.getsockname() if taken.fileno() >= 0 else ("127.0.0.1", 0)):
        pass


def test_a_server_that_answers_asks_no_host(pristine_store, tmp_path):
    noted = tmp_path / "hosts.txt"
    store = shutil.copytree(pristine_store, tmp_path / "store")
    command = [sys.executable, "-c", WATCHED, noted, "serve", "--port", "0", "--store", store]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = next(line.split()[-1] for line in process.stderr if "is ready" in line)
            question = json.dumps({"question": "Wann trat Krakau Eurocities bei?"}).encode()
            request = urllib.request.Request(f"{address}/api/v1/ask", question, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request) as response:
                assert json.load(response)["citations"]
            for path in ("/", "/docs", "/widget.js", "/metrics"):
                with urllib.request.urlopen(address + path) as response:
                    assert response.status == 200
            # The note itself is seen to work: listening looks up its own address.
            assert set(noted.read_text("utf-8").split()) == {"127.0.0.1"}
        finally:
            process.kill()
