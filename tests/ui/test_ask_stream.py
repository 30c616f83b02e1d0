"""Answers in server-sent events: their order, what goes wrong on the way, and clients that hang up."""

import json
import socket
import threading
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import LanguageModelError
from rag.language_model import LanguageModel
from rag.prompting import Prompt
from rag.settings import Settings
from tests.browser.conftest import serving
from tests.llm.server import Reply, chat_server
from tests.ui.stand_in import StandIn, broken_store
from tests.ui.test_api import NOBODY_KNOWS, WHEN
from ui.streaming import pieces

STREAM = "/api/v1/ask/stream"


def events_of(text):
    """Read a stream as the HTML standard says; returns pairs of name and data."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            found.append((fields["event"], json.loads(fields["data"])))
    return found


@pytest.mark.parametrize("question", [WHEN, NOBODY_KNOWS])
def test_events_come_in_order_and_say_what_ask_says(client, question):
    response = client.post(STREAM, json=question)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    events = events_of(response.text)
    names = [name for name, _ in events]
    sentences = [data["text"] for name, data in events if name == "sentence"]
    assert names == ["retrieved", *["sentence"] * len(sentences), "citations", "answer"]
    answer = client.post("/api/v1/ask", json=question).json()
    streamed = dict(events)
    assert streamed["answer"] | {"timings_ms": None} == answer | {"timings_ms": None}
    assert "".join(sentences) == answer["answer"]
    assert streamed["citations"] == answer["citations"]
    assert streamed["retrieved"]["passages"] > 0


@given(st.text(alphabet="Aa1. \n[]?!ß🙂", max_size=80))
def test_pieces_joined_are_the_text(text):
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


def test_a_mark_stays_with_its_sentence():
    assert pieces("Krakau trat bei. [1]\n\nWien schon früher. [2] [3]\n\nSiehe auch: [4]") == [
        "Krakau trat bei. [1]\n\n",
        "Wien schon früher. [2] [3]\n\n",
        "Siehe auch: [4]",
    ]


@pytest.mark.parametrize(
    ("body", "status"), [({"question": ""}, 422), ({"question": "a" * 2001}, 422), ({"frage": "a"}, 422)]
)
def test_a_wrong_question_is_a_status_and_not_an_event(client, body, status):
    response = client.post(STREAM, json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_broken_store_is_a_status_before_the_stream_and_an_event_in_it(stand_in, stand_in_client):
    stand_in.failure = broken_store()
    assert stand_in_client.post(STREAM, json=WHEN).status_code == 503
    stand_in.failure = None

    stand_in.late_failure = broken_store()
    events = events_of(stand_in_client.post(STREAM, json=WHEN).text)
    assert [name for name, _ in events] == ["retrieved", "error"]
    assert list(events[-1][1]) == ["type", "title", "status", "detail"]
    assert (events[-1][1]["status"], "disk error" in events[-1][1]["detail"]) == (503, True)

    stand_in.late_failure = ZeroDivisionError("a secret")
    response = stand_in_client.post(STREAM, json=WHEN)
    assert events_of(response.text)[-1][1]["status"] == 500
    assert "secret" not in response.text


class Slow(StandIn):
    """Formulates until it is told to stop."""

    def __init__(self):
        super().__init__()
        self.begun, self.ended = threading.Event(), threading.Event()

    def formulated(self, trail, stopped=None):
        self.begun.set()
        if stopped.wait(90):
            self.ended.set()
        return trail.answer


def test_who_hangs_up_stops_the_work():
    slow = Slow()
    with serving(slow) as address:
        with httpx.stream("POST", address + STREAM, json={"question": "Wann trat Krakau bei?"}, timeout=60) as response:
            lines = response.iter_lines()  # kept: with it the connection goes
            assert next(lines) == "event: retrieved"
            assert slow.begun.wait(60)
            assert not slow.ended.is_set()
        assert slow.ended.wait(60)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ask", {"question": "Wann trat Krakau bei?"}),
        (
            "/v1/chat/completions",
            {"model": "citycite", "messages": [{"role": "user", "content": "Wann trat Krakau bei?"}]},
        ),
        (
            "/mcp",
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "ask", "arguments": {"question": "Wann trat Krakau bei?"}},
            },
        ),
    ],
)
def test_who_hangs_up_before_the_whole_answer_stops_the_work(path, body):
    slow = Slow()
    with serving(slow) as address:
        sender = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])))
        content = json.dumps(body).encode()
        sender.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {address.removeprefix('http://')}\r\nContent-Type: application/json\r\n"
            "Accept: application/json, text/event-stream\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        assert slow.begun.wait(60)
        assert not slow.ended.is_set()
        sender.close()
        assert slow.ended.wait(60)


def test_signs_of_life_while_the_answer_is_being_made(monkeypatch):
    monkeypatch.setattr("ui.streaming.KEEP_ALIVE_SECONDS", 0.05)
    slow = Slow()
    with (
        serving(slow) as address,
        httpx.stream("POST", address + STREAM, json={"question": "Wann trat Krakau bei?"}, timeout=60) as response,
    ):
        lines = response.iter_lines()
        assert ": " in (next(lines) for _ in range(10))


def test_a_language_model_is_let_go_of_and_not_blamed():
    with chat_server() as server:
        release = threading.Event()
        server.script = lambda request: Reply(["nie"], hold=release)
        model = LanguageModel(Settings(llm="openai:test", llm_base_url=server.address, llm_timeout=30))
        model.open()
        stopped = threading.Event()
        threading.Timer(0.3, stopped.set).start()
        began = time.monotonic()
        for _ in range(4):  # more often than a failing model is asked
            with pytest.raises(LanguageModelError, match="somebody who has gone"):
                model.complete(Prompt("s", "u"), stopped=stopped)
        assert time.monotonic() - began < 25
        release.set()
        server.says("gut")
        assert model.complete(Prompt("s", "u")) == "gut"
