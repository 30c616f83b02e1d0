"""What operators look at: readiness, figures, logs; and a server that ends without losing what is under way."""

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from rag.pipeline import Assistant
from rag.settings import Settings
from tests.browser.conftest import serving
from tests.ui.stand_in import StandIn, broken_store
from tests.ui.test_api import NOBODY_KNOWS, WHEN
from tests.ui.test_ask_stream import events_of
from ui.api import create_app
from ui.logs import JsonLines, configuration

ROOT = Path(__file__).parents[2]


def _figures(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_ready_with_the_model_loaded_and_the_store_reachable(client):
    assert client.get("/readyz").json() == {"status": "ready"}


def test_not_ready_before_the_model_is_loaded(corpus_store):
    cold = Assistant.open(corpus_store, Settings())
    try:
        answer = TestClient(create_app(cold)).get("/readyz")
        assert (answer.status_code, "not loaded" in answer.json()["detail"]) == (503, True)
    finally:
        cold.close()


def test_not_ready_with_a_broken_store(stand_in, stand_in_client):
    stand_in.failure = broken_store()
    answer = stand_in_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "disk error" in answer.json()["detail"]
    assert stand_in_client.get("/healthz").status_code == 200
    assert _figures(stand_in_client)["citycite_store_reachable",] == 0


def test_figures_count_requests_answers_abstentions_and_steps(client):
    before = _figures(client)
    client.post("/api/v1/ask", json=WHEN)
    client.post("/api/v1/ask/stream", json=NOBODY_KNOWS)
    client.get("/api/v1/documents/krakau?secret=Elefanten")
    client.get("/api/v1/documents/krakau")
    client.post("/v1/chat/completions", json={"model": "citycite", "messages": [{"role": "user", "content": "Wann?"}]})
    client.get("/no/such/page")
    after = _figures(client)

    def more(*key):
        return after.get(key, 0) - before.get(key, 0)

    assert more("citycite_requests_total", "/api/v1/ask", "200", "POST") == 1
    assert more("citycite_requests_total", "/api/v1/ask/stream", "200", "POST") == 1
    assert more("citycite_requests_total", "/api/v1/documents/{document_id:path}", "404", "GET") == 2
    assert more("citycite_requests_total", "/v1/chat/completions", "200", "POST") == 1
    assert more("citycite_requests_total", "404", "GET", "none") == 1
    assert more("citycite_request_seconds_count", "/api/v1/ask") == 1
    assert more("citycite_answers_total", "answered", "de", "extractive") == 1
    assert more("citycite_answers_total", "abstained", "de", "extractive") >= 1
    for step in ("retrieve", "answer", "total"):
        assert more("citycite_step_seconds_count", step) == 3
    assert after["citycite_documents",] == len(client.get("/api/v1/documents").json())
    assert not [key for key in after if "Elefanten" in str(key) or "krakau" in str(key)]


def test_figures_can_be_left_out():
    assert TestClient(create_app(StandIn(), Settings(metrics=False))).get("/metrics").status_code == 404


def test_each_answer_has_the_id_of_its_request(stand_in_client):
    assert stand_in_client.get("/healthz", headers={"X-Request-ID": "a-1.b"}).headers["x-request-id"] == "a-1.b"
    for forged in ("", "a b", "a" * 65, 'x"}', "ä"):
        given = stand_in_client.get("/healthz", headers={"X-Request-ID": forged.encode()}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{16}", given)


def test_logs_in_json_name_the_request_and_never_the_question(stand_in, stand_in_client, caplog):
    caplog.set_level(logging.INFO, "citycite")
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonLines().format(record))
    logging.getLogger().addHandler(handler)
    try:
        asked = {"X-Request-ID": "abc"}
        stand_in_client.get("/api/v1/search", params={"query": "Elefanten in Montevideo"}, headers=asked)
        stand_in.failure = ZeroDivisionError("boom\nsecond line")
        stand_in_client.post("/api/v1/ask", json={"question": "Elefanten?"}, headers=asked)
    finally:
        logging.getLogger().removeHandler(handler)
    ours = [line for line in map(json.loads, lines) if line["logger"].startswith(("citycite", "ui"))]
    assert all("\n" not in line for line in lines)
    assert {line["request_id"] for line in ours} == {"abc"}
    served = [line for line in ours if line["logger"] == "citycite.requests"]
    assert [(line["route"], line["status"]) for line in served] == [("/api/v1/search", 200), ("/api/v1/ask", 500)]
    assert all(line["milliseconds"] >= 0 and line["time"] and line["level"] == "info" for line in served)
    assert [line for line in ours if "boom" in line.get("exception", "")]
    assert "Elefanten" not in "".join(lines)


def test_the_configuration_is_shown_without_secrets():
    settings = Settings(
        store="http://user:hunter2@chroma:8000", llm_api_key="hunter2", admin_password="hunter2 hunter2", threshold=0.5
    )
    shown = configuration(settings)
    assert shown == {
        "admin_password": "**********", "llm_api_key": "**********", "store": "http://**********@chroma:8000",
        "threshold": "0.5",
    }  # fmt: skip


SLOW = """
import sys, threading, time
from tests.ui.stand_in import StandIn
from rag.settings import Settings
from ui import logs
from ui.server import serve

class Slow(StandIn):
    def formulated(self, trail, stopped=None):
        print("formulating", flush=True)
        sys.stdin.readline()
        return trail.answer

settings = Settings(log_format="json")
logs.set_up(settings)
serve(Slow(), "127.0.0.1", 0, settings)
"""


def test_a_server_that_is_stopped_finishes_its_streams():
    command = [sys.executable, "-c", SLOW]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            address = json.loads(process.stderr.readline())["message"].split()[-1]
            received = []

            def ask():
                body = {"question": "Wann trat Krakau Eurocities bei?"}
                received.append(httpx.post(f"{address}/api/v1/ask/stream", json=body, timeout=60).text)

            asking = threading.Thread(target=ask)
            asking.start()
            assert process.stdout.readline() == "formulating\n"
            process.send_signal(signal.SIGTERM)
            host, port = address.removeprefix("http://").split(":")
            _wait_until_refused(host, int(port))
            assert process.poll() is None
            process.stdin.write("\n")
            process.stdin.flush()
            asking.join(60)
            rest = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 0
    assert [name for name, _ in events_of(received[0])][-1] == "answer"
    lines = [json.loads(line) for line in rest.splitlines()]
    assert [(line.get("route"), line.get("status"), line["message"]) for line in lines] == [
        ("/api/v1/ask/stream", 200, "POST /api/v1/ask/stream 200"), (None, None, "Stopped."),
    ]  # fmt: skip


def _wait_until_refused(host, port):
    for _ in range(400):
        try:
            with socket.create_connection((host, port), timeout=1):
                threading.Event().wait(0.05)
        except OSError:
            return
    raise AssertionError("the server still takes requests")


def test_while_it_ends_a_server_is_not_ready():
    app = create_app(StandIn())
    app.state.under_way.is_ending = True
    answer = TestClient(app).get("/readyz")
    assert (answer.status_code, "shutting down" in answer.json()["detail"]) == (503, True)


def test_requests_are_counted_until_their_last_byte():
    stand_in = StandIn()
    app = create_app(stand_in)
    assert app.state.under_way.count == 0
    TestClient(app).post("/api/v1/ask/stream", json={"question": "Wann trat Krakau bei?"})
    assert app.state.under_way.count == 0


@pytest.mark.parametrize("path", ["/widget.js", "/readyz", "/metrics", "/v1/models"])
def test_new_paths_have_the_security_headers(stand_in_client, path):
    headers = stand_in_client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]


def test_the_widget_is_served_with_a_tag(stand_in_client):
    first = stand_in_client.get("/widget.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    again = stand_in_client.get("/widget.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_serving_and_stopping_still_work():
    with serving(StandIn()) as address, urllib.request.urlopen(f"{address}/readyz") as answer:
        assert answer.status == 200
