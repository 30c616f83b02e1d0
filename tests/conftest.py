"""Shared fixtures: the real model and a store of the sample corpus, made once; nothing of the user's is touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.pipeline import Assistant
from rag.settings import Settings

CORPUS = Path(__file__).parent.parent / "corpus"


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in an empty folder and without settings of the machine it runs on."""
    for name in os.environ:
        if name.startswith("CITYCITE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def pristine_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample corpus, ingested once, to be copied: SQLite loses the locks on a file that is copied while open."""
    from ingest.pipeline import ingest
    from rag.store import Store

    folder = tmp_path_factory.mktemp("corpus") / "store"
    store = Store(folder)
    report = ingest([str(CORPUS)], store, Settings())
    store.close()
    assert not report.failures
    return folder


@pytest.fixture(scope="session")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """An assistant over small documents, of which each test says who sees them."""
    from rag.store import Store
    from tests.rag.restricted import filled

    opened = filled(Store(tmp_path_factory.mktemp("restricted") / "store"), Settings(threshold=0.05))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def corpus_store(pristine_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the sample corpus, for tests that read it."""
    return shutil.copytree(pristine_store, tmp_path_factory.mktemp("read") / "store")


@pytest.fixture(scope="session")
def assistant(corpus_store: Path) -> Iterator[Assistant]:
    """An assistant over the sample corpus, warm."""
    opened = Assistant.open(corpus_store, Settings())
    opened.warm_up()
    yield opened
    opened.close()
