"""Readers who ask through nginx, and what they note of each question."""

from __future__ import annotations

import json
import random
import ssl
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

# A question that takes longer has failed, whatever comes of it.
PATIENCE = 100.0
STREAMED = 4  # one question in so many
# What is going on when a question is asked.
BEFORE, AT, AWAY, STARTING, AFTER = "both there", "as one goes", "one away", "it starts again", "both again"


@dataclass(slots=True)
class Asked:
    """One question: times are of `time.monotonic`, `problem` is empty where it was answered."""

    question: str
    streamed: bool
    phase: str
    began: float
    ended: float = 0.0
    request_id: str = ""
    problem: str = ""
    broken: bool = False  # a stream that broke off
    answer: str = ""
    replicas: tuple[str, ...] = ()  # that nginx tried, the last of which answered


@dataclass(slots=True)
class Load:
    """What all readers share."""

    address: str
    trust: ssl.SSLContext
    key: str
    questions: list[str]
    pause: tuple[float, float]
    phase: str = BEFORE
    now: threading.Event = field(default_factory=threading.Event)  # all readers ask at once
    over: threading.Event = field(default_factory=threading.Event)
    asked: list[Asked] = field(default_factory=list)
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self) -> None:
        """Let readers finish their question and go."""
        self.over.set()
        self.now.set()

    def ask(self, client: httpx.Client, question: str, *, streamed: bool) -> Asked:
        """Ask one question, and note what came of it."""
        one = Asked(question, streamed, self.phase, time.monotonic())
        with self.lock:
            self.under_way += 1
        try:
            (ask_stream if streamed else ask_whole)(client, one)
        except httpx.HTTPError as error:
            one.broken = streamed and bool(one.request_id)
            one.problem = f"{type(error).__name__}: {error}"
        one.ended = time.monotonic()
        with self.lock:
            self.under_way -= 1
            self.asked.append(one)
        return one


def ask_whole(client: httpx.Client, one: Asked) -> None:
    """Ask `/api/v1/ask`; what is neither answered nor refused for want of evidence is a problem."""
    reply = client.post("/api/v1/ask", json={"question": one.question})
    one.request_id = reply.headers.get("x-request-id", "")
    if reply.status_code != 200:
        one.problem = f"{reply.status_code} {reply.text[:200]}"
    else:
        judge(one, reply.json())


def ask_stream(client: httpx.Client, one: Asked) -> None:
    """Ask `/api/v1/ask/stream`; read to the event that holds the whole answer."""
    with client.stream("POST", "/api/v1/ask/stream", json={"question": one.question}) as reply:
        if reply.status_code != 200:
            one.problem = f"{reply.status_code} {reply.read()[:200]!r}"
            return
        one.request_id = reply.headers.get("x-request-id", "")
        event = ""
        for line in reply.iter_lines():
            name, _, value = line.partition(": ")
            event = value if name == "event" else event
            if name == "data" and event == "answer":
                judge(one, json.loads(value))
            if name == "data" and event == "error":
                one.problem = value[:200]
    if not (one.answer or one.problem):
        one.problem, one.broken = "the stream ended without an answer", True


def judge(one: Asked, answer: dict[str, object]) -> None:
    """Note an answer, or that it is none."""
    if not (answer["citations"] or answer["abstained"]):
        one.problem = "an answer without a citation"
    one.answer = json.dumps([answer["answer"], answer["citations"]])


def read(load: Load, number: int) -> None:
    """Ask, read, ask something else, as one reader does."""
    chance = random.Random(number)  # the same questions in the same order with each run
    with httpx.Client(
        base_url=load.address, verify=load.trust, timeout=PATIENCE, trust_env=False,
        headers={"Authorization": f"Bearer {load.key}"},
    ) as client:  # fmt: skip
        load.now.wait(chance.uniform(0, load.pause[1]))
        for count in range(number, sys.maxsize):
            if load.over.is_set():
                return
            question = chance.choice(load.questions)
            one = load.ask(client, question, streamed=count % STREAMED == 0)
            if one.broken:  # a reader presses the button again
                load.ask(client, question, streamed=True)
            load.now.wait(chance.uniform(*load.pause))


def match_log(asked: Sequence[Asked], log: Path) -> None:
    """Note of each question which replicas nginx tried."""
    lines = (json.loads(line) for line in log.read_text("utf-8").splitlines())
    tried = {line["request_id"]: tuple(line["replicas"].split(", ")) for line in lines}
    for one in asked:
        one.replicas = tried.get(one.request_id, ())
