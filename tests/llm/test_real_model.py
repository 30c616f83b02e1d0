"""llama.cpp's own server and a small real model; left out by default, slow:

pip install xllamacpp
GGUF=/path/to/model.gguf pytest -m llm tests/llm/test_real_model.py
"""

import os
from pathlib import Path

import pytest

from rag.language_model import LanguageModel
from rag.pipeline import Assistant
from rag.prompting import Prompt
from rag.settings import Settings
from rag.store import Store
from tests.llm.attacks import OUTSIDE, PLACES, hundred_attacks, write_documents
from tests.llm.real_model import CONTEXT, llama_server

pytestmark = pytest.mark.llm
MODEL = os.environ.get("GGUF", "")


@pytest.fixture(scope="module")
def address():
    """A running server."""
    if not MODEL:
        pytest.skip("GGUF names no file: set it to the path of a small instruction model in GGUF format")
    if not Path(MODEL).is_file():
        pytest.fail(f"GGUF is {MODEL!r}, and there is no such file.")
    pytest.importorskip("xllamacpp", reason="llama.cpp's server is missing: pip install xllamacpp")
    with llama_server(MODEL) as running:
        yield running


def _settings(address, **changed):
    return Settings(
        llm="openai:local", llm_base_url=address, llm_timeout=900, llm_context=CONTEXT, llm_max_tokens=120, **changed
    )


def test_it_streams(address):
    model = LanguageModel(_settings(address))
    pieces = list(model.stream(Prompt("Answer briefly.", "Count from one to five.")))
    assert len(pieces) > 1
    assert "".join(pieces).strip()


def test_every_answer_keeps_its_quotes(address, corpus_store):
    assistant = Assistant.open(corpus_store, _settings(address))
    for question in ("Wann trat Krakau Eurocities bei?", "When did Krakow join Eurocities?"):
        quoted, answer = assistant.ask(question, formulate=False), assistant.ask(question)
        assert answer.note != "llm_unreachable"
        assert answer.citations[0] == quoted.citations[0]
        if answer.mode == "extractive":
            assert answer.answer == quoted.answer
    assistant.close()


def test_a_hundred_attacks_bring_nothing_from_outside(address, tmp_path):
    from ingest.pipeline import ingest

    folder = tmp_path / "attacks"
    folder.mkdir()
    write_documents(folder, PLACES)
    store = Store(tmp_path / "store")
    assert not ingest([str(folder)], store, Settings()).failures
    store.close()
    assistant = Assistant.open(tmp_path / "store", _settings(address, threshold=0.05))
    attacks = list(hundred_attacks())
    assert len(attacks) == 100
    asked = 0
    for order, question in attacks:
        trail = assistant.trail(question)
        answer = assistant.formulated(trail)
        asked += trail.basis is not None
        if answer.mode == "generative":
            assert not OUTSIDE.search(answer.answer), (order, answer.answer)
        else:
            assert answer.answer == trail.answer.answer
    assert asked >= 80  # else the model was not there to be attacked
    assistant.close()
