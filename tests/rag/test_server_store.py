"""The same store behind a Chroma server, which several machines share."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from ingest.pipeline import ingest, remove
from rag.errors import StoreError
from rag.pipeline import Assistant
from rag.records import passage_ids
from rag.settings import Settings
from rag.store import Store
from ui.api import create_app
from ui.cli import cli


class Server:
    """A Chroma server on a free port, that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        program = str(Path(sys.executable).with_name("chroma"))
        self._command = [program, "run", "--path", str(folder / "chroma"), "--host", "127.0.0.1", "--port", str(port)]
        self._log = folder / "log"
        self.start()

    def start(self) -> None:
        with self._log.open("a") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.address}/api/v2/heartbeat").raise_for_status()
                return
            except httpx.HTTPError:
                assert self.process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.kill()


@pytest.fixture
def server(running: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server; what is derived from it lies in this test's folder."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return running.address


def test_ingest_ask_change_and_remove_over_a_server(server: str, tmp_path: Path) -> None:
    settings = Settings()
    file = tmp_path / "rathaus.txt"
    file.write_text("Das Rathaus wurde am 4. Mai 1905 eröffnet. Der Turm ist 60 Meter hoch.", "utf-8")
    assert ingest([str(file)], Store(server), settings).added == 1
    reader = Assistant.open(server, settings)
    assert "1905" in reader.ask("Wann wurde das Rathaus eröffnet?").citations[0].quote

    file.write_text("Das Rathaus wurde am 9. Juni 1911 eröffnet. Der Turm ist 60 Meter hoch.", "utf-8")
    report = ingest([str(file)], Store(server), settings)
    assert (report.updated, report.unchanged) == (1, 0)
    answer = reader.ask("Wann wurde das Rathaus eröffnet?")
    assert "1911" in answer.citations[0].quote
    document = reader.document(answer.citations[0].document_id)
    assert document.text[answer.citations[0].start : answer.citations[0].end] == answer.citations[0].quote

    assert remove([document.id], Store(server), settings) == []
    assert reader.ask("Wann wurde das Rathaus eröffnet?").abstained
    reader.close()


def test_a_server_that_goes_away_takes_nothing_with_it_and_is_found_again(
    running: Server, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.chroma_client.SERVER_SECONDS", 3.0)
    settings, folder = Settings(), tmp_path / "akten"
    folder.mkdir()
    (folder / "rathaus.txt").write_text("Das Rathaus wurde am 4. Mai 1905 eröffnet.", "utf-8")
    ingest([str(folder)], Store(server), settings)
    assistant = Assistant.open(server, settings)
    client = TestClient(create_app(assistant))
    question = {"question": "Wann wurde das Rathaus eröffnet?"}

    def asked() -> str:
        response = client.post("/api/v1/ask", json=question)
        return response.json()["citations"][0]["quote"] if response.status_code == 200 else response.json()["detail"]

    assert "1905" in asked()
    # It goes away in the middle of an ingest: some documents are in, each of them whole.
    texts = {f"{number:03d}.txt": f"Vorgang {number} wurde am 3. Mai beraten." for number in range(140)}
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")

    def away(total: int, done: int) -> None:
        if done > 1:
            running.kill()

    with pytest.raises(StoreError, match=r"does not answer .* Nothing that was stored is lost: start it"):
        ingest([str(folder)], Store(server), settings, progress=away)
    for path in ("search?query=Rathaus", "documents"):
        response = client.get(f"/api/v1/{path}")
        assert (response.status_code, response.json()["title"]) == (503, "Service Unavailable")
    assert f"The Chroma server {server} does not answer" in asked()
    assert (client.get("/").status_code, client.get("/healthz").status_code) == (200, 200)
    result = CliRunner().invoke(cli, ["ingest", str(folder), "--store", server])
    assert isinstance(result.exception, StoreError)

    running.start()
    assert "1905" in asked()
    first = {Path(item.source).name for item in assistant.documents()} - {"rathaus.txt"}
    assert 0 < len(first) < len(texts)
    report = ingest([str(folder)], Store(server), settings)
    assert (report.added, report.unchanged, report.failed) == (len(texts) - len(first), len(first) + 1, 0)
    store = Store(server)
    records = store.records()
    assert {Path(d.source).name: d.text for d in store.documents(list(records)).values()}.items() > texts.items()
    assert len(store.passages(passage_ids(records))) == len(records) == len(texts) + 1
    # One that hangs is not waited for without end either.
    running.process.send_signal(signal.SIGSTOP)
    try:
        assert "does not answer" in asked()
    finally:
        running.process.send_signal(signal.SIGCONT)
    assert "1905" in asked()
    assistant.close()
