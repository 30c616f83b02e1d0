"""Replicas behind nginx, one of them killed under load: python -m tests.bench.replicas [--users N] [--seconds S]

Starts a real Chroma server with the sample corpus, two real `citycite serve` over it, each with indexes of its own as
on a machine of its own, and a real nginx with deploy/nginx.conf, of which only host names, ports and paths are changed.
Readers ask over HTTPS with an API key, each with a pause between an answer and the next question; every fourth question
takes the route that streams. Again and again: after so many seconds all readers ask at once and, while at least half of
these questions are under way, one replica is killed (SIGKILL); after as many seconds more it is started again, and once
it is ready all goes on as before.

With --model-seconds a stand-in for a language model takes so long over each answer: then streams have begun, and are
waiting, when their replica is killed. --how stop ends replicas in good order (SIGTERM), as an update does; --how hang
has them take connections and answer nothing (SIGSTOP): nginx sees that only by its time-out, 90 s; --seconds must be
more.

Prints what was asked, answered, failed and retried, how long it took, and which replica answered. Ends with 1 where any
question failed. A stream that breaks off after its first event is counted apart: no proxy can repeat it, so the reader
asks again. Everything runs on this one machine. nginx: apt-get install nginx-light, or name it with --nginx.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.replicas.programs import ROOT, Program, start_all
from tests.bench.replicas.readers import AFTER, AT, AWAY, BEFORE, PATIENCE, STARTING, Asked, Load, match_log, read
from tests.llm.server import Reply, chat_server

TIME_OUT = 90.0  # of deploy/nginx.conf, for an answer
PHASES = (BEFORE, AT, AWAY, STARTING, AFTER)


@dataclass(slots=True)
class Kill:
    """When a replica went, and how long it took until it was ready again once started."""

    replica: str
    at: float
    start_seconds: float = 0.0


def course(load: Load, replicas: Sequence[Program], given: argparse.Namespace) -> list[Kill]:
    """Have the replicas go and come by turns, each time with questions of half of the readers under way."""
    done: list[Kill] = []
    for turn in range(given.kills):
        time.sleep(given.seconds)
        victim = replicas[(turn + 1) % len(replicas)]
        load.phase = AT
        load.now.set()
        end = time.monotonic() + PATIENCE
        while load.under_way < given.users // 2 and time.monotonic() < end:
            time.sleep(0.001)
        done.append(Kill(victim.name, time.monotonic()))
        load.now.clear()
        load.phase = AWAY
        {"kill": victim.kill, "stop": victim.stop, "hang": victim.hang}[given.how]()
        time.sleep(given.seconds)
        load.phase = STARTING
        victim.kill()
        began = time.monotonic()
        victim.start()
        victim.wait()
        done[-1].start_seconds = time.monotonic() - began
        load.phase = AFTER
    time.sleep(given.seconds)
    return done


def language_model(seconds: float, stack: ExitStack) -> dict[str, str]:
    """Start what stands in for a language model; return the settings by which it is asked."""
    server = stack.enter_context(chat_server())

    def slowly(request: dict[str, object]) -> Reply:
        time.sleep(seconds)
        return Reply(["KEINE ANTWORT"])

    server.script = slowly
    return {
        "CITYCITE_LLM": "openai:stand-in",
        "CITYCITE_LLM_BASE_URL": server.address,
        "CITYCITE_LLM_API_KEY": "none",
    }


def warm(replicas: Sequence[str], key: str, questions: Sequence[str]) -> None:
    """Have each replica look for each question once: one that did not ingest computes what it lacks as it is needed."""
    for address in replicas:
        with httpx.Client(base_url=f"http://{address}", timeout=PATIENCE, trust_env=False) as client:
            client.headers["Authorization"] = f"Bearer {key}"
            for question in questions:
                client.get("/api/v1/search", params={"query": question}).raise_for_status()


def report(load: Load, kills: Sequence[Kill], names: dict[str, str]) -> bool:
    """Print the figures; return whether no question failed."""
    asked = sorted(load.asked, key=lambda one: one.began)
    failed = [one for one in asked if one.problem and not one.broken]
    columns = f"{'asked':>7}{'failed':>8}{'retried':>9}{'broken':>8}{'p50':>9}{'p95':>9}{'longest':>10}"
    print(f"\n{'':18}{columns}  answered by")
    for phase in PHASES:
        print_line(phase, [one for one in asked if one.phase == phase], names)
    print_line("all", asked, names)
    print("\nretried: nginx gave the question to the other replica; broken: a stream that had begun, asked again")
    for kill in kills:
        caught = [one for one in asked if one.began < kill.at < one.ended]
        retried, broken = sum(len(one.replicas) > 1 for one in caught), sum(one.broken for one in caught)
        print(
            f"{kill.replica} went with {len(caught)} questions under way: {retried} retried, {broken} streams broke "
            f"off, {sum(one in failed for one in caught)} failed; ready {kill.start_seconds:.0f} s after its new start"
        )
    streamed = [one for one in asked if one.streamed]
    print(f"{len(streamed)} of the questions were streamed, {sum(one.broken for one in streamed)} broke off")
    print(f"{differing(asked)} questions were answered differently by the two replicas")
    for problem, count in Counter(one.problem for one in failed).most_common(5):
        print(f"failed {count} times: {problem}")
    return not failed


def print_line(name: str, asked: Sequence[Asked], names: dict[str, str]) -> None:
    """Print the figures of some questions."""
    taken = [1000 * (one.ended - one.began) for one in asked if not one.problem]
    if not taken:
        print(f"{name:18}{len(asked):>7}")
        return
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1] if len(taken) > 1 else taken[0]
    by = Counter(names.get(one.replicas[-1], "nobody") for one in asked if one.replicas)
    print(
        f"{name:18}{len(asked):>7}{sum(bool(one.problem) and not one.broken for one in asked):>8}"
        f"{sum(len(one.replicas) > 1 for one in asked):>9}{sum(one.broken for one in asked):>8}"
        f"{statistics.median(taken):>6.0f} ms{p95:>6.0f} ms{max(taken):>7.0f} ms  "
        + ", ".join(f"{who}: {count}" for who, count in sorted(by.items()))
    )


def differing(asked: Sequence[Asked]) -> int:
    """Return how many questions had different answers or citations."""
    said: dict[str, set[str]] = defaultdict(set)
    for one in asked:
        if one.answer:
            said[one.question].add(one.answer)
    return sum(len(each) > 1 for each in said.values())


def arguments() -> argparse.Namespace:
    """Return what was asked for, checked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20, help="of each phase")
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--pause", type=float, nargs=2, default=(2.0, 6.0), metavar=("SHORTEST", "LONGEST"))
    parser.add_argument("--how", choices=["kill", "stop", "hang"], default="kill", help="it goes; default: kill")
    parser.add_argument("--model-seconds", type=float, default=0.0, metavar="S", help="default: no language model")
    parser.add_argument("--nginx", default="nginx", help="the program; default: the one on the path")
    given = parser.parse_args()
    for name in ("users", "seconds", "kills"):
        if getattr(given, name) <= 0:
            parser.error(f"--{name} is {getattr(given, name):g}; give more than 0")
    if given.how == "hang" and given.seconds <= TIME_OUT:
        parser.error(f"--seconds is {given.seconds:g}; with --how hang give more than {TIME_OUT:g}, nginx's time-out")
    if given.model_seconds < 0:
        parser.error(f"--model-seconds is {given.model_seconds:g}; give 0 or more")
    if not 0 <= given.pause[0] <= given.pause[1]:
        parser.error(f"--pause is {given.pause[0]:g} {given.pause[1]:g}; give the shorter one first, from 0 on")
    # Debian keeps it where only the administrator's path leads.
    found = shutil.which(given.nginx, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        parser.error(f"there is no program {given.nginx}; apt-get install nginx-light, or name it with --nginx")
    given.nginx = found
    given.chroma = Path(sys.executable).with_name("chroma")
    if not given.chroma.is_file():
        parser.error(f"there is no program {given.chroma}; pip install chromadb brings it, or run make test once")
    return given


def main() -> int:
    """Run all of it, print the figures; 1 where a question failed."""
    given = arguments()
    lines = (ROOT / "corpus" / "questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        more = language_model(given.model_seconds, stack) if given.model_seconds else {}
        parts = start_all(Path(place), given.chroma, given.nginx, stack, more)
        warm(parts.addresses, parts.key, questions)
        trust = ssl.create_default_context(cafile=parts.certificate)
        load = Load(parts.front, trust, parts.key, questions, tuple(given.pause))
        readers = [threading.Thread(target=read, args=(load, n), daemon=True) for n in range(given.users)]
        for reader in readers:
            reader.start()
        try:
            kills = course(load, parts.replicas, given)
        finally:
            load.end()
            for reader in readers:
                reader.join()
        match_log(load.asked, parts.log)
    model = f", {given.model_seconds:g} s for a language model" if given.model_seconds else ""
    print(
        f"{given.users} readers, {given.pause[0]:g} to {given.pause[1]:g} s between questions, "
        f"{given.kills} times {given.how}, {given.seconds:g} s each phase{model}"
    )
    names = {address: one.name for address, one in zip(parts.addresses, parts.replicas, strict=True)}
    return 0 if report(load, kills, names) else 1


if __name__ == "__main__":
    sys.exit(main())
