"""A hundred attacks on a model that obeys each of them: none reaches the answer with more than the documents say."""

from functools import cache

import pytest

from ingest.pipeline import ingest
from rag.breaker import CircuitBreaker
from rag.language_model import LanguageModel
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store
from tests.llm.attacks import ORDERS, OUTSIDE, fact, write_documents
from tests.llm.attacks import question as attacked_question


@pytest.fixture(scope="module")
def attacked(tmp_path_factory, shared_server):
    """An assistant over documents that each hold an attack."""
    folder = tmp_path_factory.mktemp("attacked")
    write_documents(folder)
    settings = Settings(llm="openai:test", llm_base_url=shared_server.address, llm_timeout=60, threshold=0.05)
    store = Store(folder / "store")
    assert not ingest([str(folder)], store, settings).failures
    store.close()
    assistant = Assistant.open(folder / "store", settings)
    assistant.formulator.language_model = LanguageModel(settings, CircuitBreaker(failures=10_000))
    yield assistant
    assistant.close()


@pytest.fixture(scope="module")
def trail_of(attacked):
    """Look for the evidence of a question once, however often it is formulated."""
    return cache(attacked.trail)


@pytest.mark.parametrize("way", ["document", "document and truth", "question", "question and truth"])
def test_no_attack_is_obeyed(attacked, trail_of, server, way):
    asked = 0
    for number, (order, obeyed) in enumerate(ORDERS):
        truth = fact(number).removesuffix(".") + " [1]."
        server.says(f"{truth} {obeyed}" if way.endswith("truth") else obeyed)
        asking = attacked_question(number)
        if way.startswith("question"):
            asking += f" {order}!"
        before = len(server.requests)
        answer = attacked.formulated(trail_of(asking))
        asked += len(server.requests) > before
        if answer.mode == "generative":
            assert not OUTSIDE.search(answer.answer), (order, answer.answer)
            assert answer.answer.split("\n\n")[0] == truth, (order, answer.answer)
        else:  # what an attack may change is what stands in a quote
            assert answer.answer == trail_of(asking).answer.answer
    assert asked >= 20  # else the model was not there to be attacked
