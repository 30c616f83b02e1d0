"""Many readers at once, with an ingest beside them: python -m tests.bench.load --locust PROGRAM [--store FOLDER]

Starts the real server on a copy of the store and lets locust's readers ask it over HTTP for some minutes, each with a
pause of 5 to 15 seconds between an answer and the next question, while `citycite ingest` takes in new documents again
and again. Prints milliseconds an answer, what failed, and what was taken in meanwhile. Everything runs on this one
machine, locust as well. Without --store, a store of --passages is made as in `tests.bench.latency`.

Locust (MIT) goes into an environment of its own, because its plugin for pytest gets into the way of other tests:

    python3 -m venv /tmp/locust && /tmp/locust/bin/pip install locust
    python -m tests.bench.load --locust /tmp/locust/bin/locust
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from ingest.pipeline import write_documents
from rag.embeddings import EmbeddingModel
from rag.settings import Settings
from rag.store import Store
from tests.bench.latency import documents
from tests.bench.training_data import written_sets

ROOT = Path(__file__).parents[3]
READY_SECONDS = 300
# New documents of one ingest, which then begins again with others.
NEW = 20
# As locust names its columns.
TIMES = {"p50": "50%", "p95": "95%", "p99": "99%", "longest": "Max Response Time"}


def citycite(log: Path, *arguments: str, **options: str) -> subprocess.Popen[str]:
    """Start the program with `options` as settings; what it says goes to the end of `log`."""
    settings = {f"CITYCITE_{name.upper()}": value for name, value in options.items()}
    with log.open("a") as said:
        return subprocess.Popen(
        [sys.executable, "-m", "ui", *arguments], cwd=ROOT, text=True, env={**os.environ, **settings},
        stdout=said, stderr=said,
    )  # fmt: skip


@contextmanager
def server(store: Path, port: int) -> Iterator[str]:
    """Run the server; give its address once it is ready."""
    # All readers come from one address here; in a city, a proxy hands on where each comes from.
    log = store.with_name("server.log")
    process = citycite(log, "serve", "--store", str(store), "--port", str(port), rate_limit="0", rate_limit_address="0")
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + READY_SECONDS
        while not is_ready(address):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server did not get ready: {log.read_text('utf-8')[-1000:]}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()
        print("".join(line for line in log.open(encoding="utf-8") if not line.startswith("Settings:")), end="")


def is_ready(address: str) -> bool:
    """Return whether the server says that it can answer."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


class Ingesting(threading.Thread):
    """Takes in new documents until it is told to stop."""

    def __init__(self, store: Path, folder: Path) -> None:
        super().__init__(daemon=True)
        self.store, self.folder = store, folder
        self.stopping = threading.Event()
        self.added = self.failed = 0

    def run(self) -> None:
        """Ingest one folder after the other."""
        originals = [document for item in written_sets() for document in item.documents]
        endless = documents(sys.maxsize, originals)
        next(islice(endless, len(originals), len(originals)), None)  # the first are told as they were written
        for number in range(sys.maxsize):
            folder = self.folder / str(number)
            folder.mkdir(parents=True)
            for document in islice(endless, NEW):
                text = f"{document.title}, Fassung {number}.\n\n{document.text}\n"
                (folder / f"{document.id}.txt").write_text(text, "utf-8")
            process = citycite(self.folder / "ingest.log", "ingest", str(folder), "--store", str(self.store))
            while process.poll() is None:
                if self.stopping.wait(0.2):
                    process.terminate()
                    process.wait()
                    return
            self.added += NEW if process.returncode == 0 else 0
            self.failed += process.returncode != 0


def drive(
    locust: str, address: str, folder: Path, users: int, seconds: int, pause: tuple[float, float]
) -> dict[str, str]:
    """Let `users` readers ask for so many seconds; return locust's line of what all requests took."""
    questions = [asked.text for item in written_sets() for asked in item.questions]
    (folder / "questions.json").write_text(json.dumps(questions), "utf-8")
    command = [
        locust, "--headless", "--only-summary", "-f", str(Path(__file__).with_name("readers.py")), "-H", address,
        "-u", str(users), "-r", str(users / 10), "-t", f"{seconds}s", "--csv", str(folder / "load"),
    ]  # fmt: skip
    told = {"QUESTIONS": str(folder / "questions.json"), "PAUSE": json.dumps(pause)}
    # Readers come within ten seconds. Locust ends with 1 where a request has failed; what it counted says how many.
    done = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=False)
    if not (folder / "load_stats.csv").exists():
        raise SystemExit(f"locust failed: {done.stderr[-1000:]}")
    if (folder / "load_failures.csv").exists():
        print("".join((folder / "load_failures.csv").read_text("utf-8").splitlines(keepends=True)[1:]), end="")
    with (folder / "load_stats.csv").open(newline="") as file:
        return next(line for line in csv.DictReader(file) if line["Name"] == "Aggregated")


def arguments() -> argparse.Namespace:
    """Return what was asked for, checked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--locust", default="locust", help="the program; default: the one on the path")
    parser.add_argument("--store", type=Path, help="a store to copy; default: one is made")
    parser.add_argument("--passages", type=int, default=10_000, help="of the store that is made")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--pause", type=float, nargs=2, default=(5.0, 15.0), metavar=("SHORTEST", "LONGEST"))
    parser.add_argument("--port", type=int, default=7871)
    parser.add_argument("--no-ingest", action="store_true", help="readers alone")
    given = parser.parse_args()
    if shutil.which(given.locust) is None:
        parser.error(f"there is no program {given.locust}; install locust as said above and name it with --locust")
    if given.store and not given.store.is_dir():
        parser.error(f"there is no store {given.store}")
    return given


def processor_times() -> tuple[int, int]:
    """Return how long the processors have run, and how long the host kept them from it, since the machine started."""
    try:
        spent = [int(number) for number in Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]]
    except OSError:  # not Linux
        return 0, 0
    user, nice, system, *_, stolen = spent[:8]
    return user + nice + system, stolen


def main() -> None:
    """Run all of it, print the figures."""
    given = arguments()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if given.store:
            shutil.copytree(given.store, folder / "store")
        else:
            made = [document for item in written_sets() for document in item.documents]
            store = Store(str(folder / "store"))
            write_documents(list(documents(given.passages, made)), store, EmbeddingModel(Settings()))
            store.close()
        with server(folder / "store", given.port) as address:
            beside = Ingesting(folder / "store", folder / "new")
            if not given.no_ingest:
                beside.start()
            before = processor_times()
            line = drive(given.locust, address, folder, given.users, given.seconds, tuple(given.pause))
            ran, stolen = (now - then for now, then in zip(processor_times(), before, strict=True))
            beside.stopping.set()
            if beside.is_alive():
                beside.join()
    milliseconds = {share: float(line[column]) for share, column in TIMES.items()}
    print(f"{given.users} readers, {given.pause[0]:g} to {given.pause[1]:g} s between questions, {given.seconds} s")
    print(
        f"{line['Request Count']} questions, {line['Failure Count']} failed, {float(line['Requests/s']):.1f} a second"
    )
    print(", ".join(f"{share} {taken:.0f} ms" for share, taken in milliseconds.items()))
    if stolen:  # a virtual machine whose neighbours take much measures them
        print(f"of the processor time wanted, the host gave {ran / (ran + stolen):.0%}")
    print(f"meanwhile {beside.added} documents were taken in, {beside.failed} ingests failed")


if __name__ == "__main__":
    main()
