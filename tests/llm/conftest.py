"""A scripted chat server, and an assistant over the sample corpus that formulates through it."""

import pytest

from rag.breaker import CircuitBreaker
from rag.generation import Formulator
from rag.language_model import LanguageModel
from rag.pipeline import Assistant
from rag.settings import Settings
from tests.llm.server import chat_server


@pytest.fixture(scope="session")
def shared_server():
    """One server for all tests of this folder."""
    with chat_server() as server:
        yield server


@pytest.fixture
def server(shared_server):
    """The server without what earlier tests asked."""
    shared_server.requests.clear()
    shared_server.headers.clear()
    shared_server.says("KEINE ANTWORT")
    return shared_server


@pytest.fixture(scope="session")
def plain(corpus_store, shared_server):
    """An assistant without further settings, opened once; its breaker never opens, since many tests make it fail."""
    opened = Assistant.open(corpus_store, _settings(shared_server))
    opened.formulator.language_model = LanguageModel(opened.settings, CircuitBreaker(failures=10_000))
    opened.warm_up()
    yield opened
    opened.close()


@pytest.fixture
def formulating(server, plain, monkeypatch):
    """Return the assistant, asking the server; with other settings of the language model or the threshold, if given."""

    def make(**changed):
        if changed:
            settings = _settings(server, **changed)
            monkeypatch.setattr(plain, "settings", settings)
            monkeypatch.setattr(plain, "formulator", Formulator(settings, plain.model, plain.comprehension))
            plain.formulator.language_model.open()
        return plain

    return make


def _settings(server, **changed):
    return Settings(**{"llm": "openai:test", "llm_base_url": server.address, "llm_timeout": 60} | changed)
