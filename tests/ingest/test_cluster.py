"""Passages are encoded in the background, here or on other machines: the store is the same, whoever has done it."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ingest.cluster import ClusterEncoding
from ingest.pipeline import ingest
from rag.embeddings import EmbeddingModel, Encoded
from rag.errors import ModelError, StoreError, UsageError
from rag.records import passage_ids
from rag.settings import Settings
from rag.store import Store
from ui.cli import cli

ROOT = Path(__file__).parents[2]
SETTINGS = Settings()
HAS_RAY = importlib.util.find_spec("ray") is not None


def content(store: Store) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return the stored text of each document, and the vector of each passage."""
    records = store.records()
    texts = {key: document.text for key, document in store.documents(list(records)).items()}
    vectors = {
        key: vector for ids, rows in store.vectors(passage_ids(records)) for key, vector in zip(ids, rows, strict=True)
    }
    assert len(vectors) == sum(int(record["passages"]) for record in records.values())
    return texts, vectors


def assert_same(left: Store, right: Store) -> None:
    (texts, vectors), (others, other_vectors) = content(left), content(right)
    assert texts == others
    assert vectors.keys() == other_vectors.keys()
    assert all(float(vector @ other_vectors[key]) > 0.999 for key, vector in vectors.items())


def documents(folder: Path, short: int) -> Path:
    """Write documents of one passage, and one of many."""
    for number in range(short):
        (folder / f"{number:03d}.txt").write_text(f"Vorgang {number} wurde am {1 + number % 28}. Mai beraten.", "utf-8")
    agreed = "Der Rat hat es zur Kenntnis genommen. " * 25
    (folder / "lang.txt").write_text("\n\n".join(f"Punkt {number}: {agreed}" for number in range(60)), "utf-8")
    return folder


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.writing._FLUSH_AT", 32)
    monkeypatch.setattr("ingest.writing.BLOCK", 48)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents for several blocks, one of more passages than are encoded in one call."""
    return documents(tmp_path_factory.mktemp("akten"), 100)


@pytest.fixture(scope="module")
def here(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store made by this process alone."""
    store = Store(tmp_path_factory.mktemp("here") / "store")
    assert ingest([str(folder)], store, SETTINGS).added == 101
    yield store
    store.close()


class Elsewhere:
    """Encodes in four threads, the later call first; from call `fails` on it cannot."""

    ahead = 4

    def __init__(self, fails: int = 1000) -> None:
        self.fails, self.calls, self.most, self.closed = fails, 0, 0, False
        self._model = EmbeddingModel(SETTINGS)
        self._waiting: list[tuple[Future[list[Encoded]], Sequence[str], Sequence[str]]] = []
        self._pool = ThreadPoolExecutor(1)

    def submit(self, texts: Sequence[str], contexts: Sequence[str]) -> Callable[[], list[Encoded]]:
        self.calls += 1
        done: Future[list[Encoded]] = Future()
        if self.calls >= self.fails:
            done.set_exception(ModelError("The cluster is gone."))
            return done.result
        self._waiting.append((done, texts, contexts))
        self.most = max(self.most, len(self._waiting))
        self._pool.submit(self._encode_last)
        return done.result

    def _encode_last(self) -> None:
        done, texts, contexts = self._waiting.pop()
        done.set_result(self._model.encode_passages(texts, contexts))

    def close(self) -> None:
        self._pool.shutdown()
        self.closed = True


def test_whatever_comes_first_the_store_is_the_same(folder: Path, here: Store, tmp_path: Path) -> None:
    store, elsewhere = Store(tmp_path / "store"), Elsewhere()
    assert ingest([str(folder)], store, SETTINGS, encoding=elsewhere).added == 101
    assert_same(store, here)
    assert elsewhere.calls >= 4
    assert 1 < elsewhere.most <= Elsewhere.ahead + 1
    assert elsewhere.closed
    store.close()


def test_what_was_stored_before_a_failure_is_kept_and_the_next_run_goes_on(
    folder: Path, here: Store, tmp_path: Path
) -> None:
    store, failing = Store(tmp_path / "store"), Elsewhere(fails=2)
    with pytest.raises(ModelError, match="The cluster is gone"):
        ingest([str(folder)], store, SETTINGS, encoding=failing)
    assert failing.closed
    kept = len(store.records())
    assert 0 < kept < 101
    report = ingest([str(folder)], store, SETTINGS)
    assert (report.unchanged, report.added) == (kept, 101 - kept)
    assert_same(store, here)
    store.close()


def test_a_document_that_changes_twice_in_a_run_is_stored_as_it_came_last(tmp_path: Path) -> None:
    from ingest.pipeline import write_documents
    from rag.schema import Document

    store = Store(tmp_path / "store")
    versions = [Document("a", "Satzung", "a.txt", f"Fassung {number} der Satzung.") for number in range(3)]
    write_documents(versions, store, EmbeddingModel(SETTINGS))
    assert store.document("a").text == "Fassung 2 der Satzung."
    assert len(content(store)[1]) == 1
    store.close()


@pytest.mark.parametrize("address", ["unsinn", "10.0.0.5", "http://10.0.0.5:80", "10.0.0.5:abc", "ray://10.0.0.5"])
@pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed")
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a Ray cluster; it looks like"):
        ClusterEncoding(address, SETTINGS)


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_its_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Der Rat tagt.", "utf-8")
    result = CliRunner().invoke(cli, ["ingest", str(tmp_path), "--store", str(tmp_path / "store"), "--ray", "auto"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).endswith("Install it: pip install 'citycite[ray]'")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("option", ["--watch", "--dry-run"])
def test_a_cluster_is_refused_where_it_would_do_nothing(option: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["ingest", str(tmp_path), option, "--ray", "auto"])
    assert isinstance(result.exception, UsageError)
    assert "--ray" in str(result.exception)


# --- A real cluster ---------------------------------------------------------------------------------------------------


class Cluster:
    """Ray nodes of one processor each on this machine, each a set of processes of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._folder = folder
        self.environment = os.environ | {
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONPATH": str(ROOT),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }
        self.nodes = [self._start("--head", f"--port={self.port}", f"--temp-dir={folder}", "--include-dashboard=false")]
        self._wait_for(1)

    def add(self) -> subprocess.Popen[bytes]:
        self.nodes.append(self._start(f"--address={self.address}"))
        self._wait_for(len(self.nodes))
        return self.nodes[-1]

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = ["start", *arguments, "--num-cpus=1", "--block"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", *command],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _wait_for(self, nodes: int) -> None:
        script = f"import ray; ray.init('{self.address}', logging_level='ERROR'); print(len(ray.nodes()))"
        deadline = time.monotonic() + 120
        while True:
            done = subprocess.run([sys.executable, "-c", script], env=self.environment, capture_output=True, text=True)
            if done.stdout.strip() == str(nodes):
                return
            assert all(node.poll() is None for node in self.nodes), (self._folder / "log").read_text()
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.5)

    def close(self) -> None:
        for node in self.nodes:
            if node.poll() is None:
                os.killpg(node.pid, signal.SIGTERM)
                node.wait()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if not HAS_RAY:
        pytest.skip("Ray is not installed: pip install 'citycite[ray]'")
    folder = Path(f"/tmp/citycite-ray-{os.getpid()}")  # sockets lie in it, whose paths may have 107 characters
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.long
def test_an_ingest_on_several_nodes_one_of_which_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    second = cluster.add()
    folder = documents(tmp_path, 400)
    store, alone = Store(tmp_path / "store"), Store(tmp_path / "alone")
    run = subprocess.Popen(
        [sys.executable, "-m", "ui", "ingest", str(folder), "--store", store.location, "--ray", cluster.address],
        env=cluster.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while run.poll() is None and not _stored(store):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(second.pid, signal.SIGKILL)
    said, problems = run.communicate(timeout=600)
    assert said == "added 401, updated 0, unchanged 0, removed 0, failed 0\n", problems
    assert f"encoded on 2 processors of the Ray cluster {cluster.address}" in problems
    store.close()
    ingest([str(folder)], alone, SETTINGS)
    assert_same(store, alone)


def _stored(store: Store) -> int:
    store.close()
    try:
        return len(store.records())
    except StoreError:  # the other process is just making it
        return 0
