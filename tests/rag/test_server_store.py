"""The same store behind a Chroma server, which several machines share."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest.pipeline import ingest, remove
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Chroma server on a free port; what is derived from it lies in this test's folder."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(tmp_path / "chroma")]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{address}/api/v2/heartbeat").raise_for_status()
            break
        except httpx.HTTPError:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait()


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
