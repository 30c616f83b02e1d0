"""A scripted chat server, and an assistant over the sample corpus that formulates through it."""

import pytest

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


@pytest.fixture
def formulating(corpus_store, server):
    """Make an assistant that asks the server; settings may be changed."""
    opened = []

    def make(**changed):
        settings = Settings(**{"llm": "openai:test", "llm_base_url": server.address, "llm_timeout": 10} | changed)
        opened.append(Assistant.open(corpus_store, settings))
        opened[-1].formulator.language_model.open()
        return opened[-1]

    yield make
    for assistant in opened:
        assistant.close()
