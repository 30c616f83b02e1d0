"""Question and passage read together: what is read, and that the scores are those of the model as published."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertModel

from rag.comprehension import (
    _WINDOW,
    ADAPTER_FILE,
    HEADS,
    WINDOWS,
    Comprehension,
    _around,
    packed,
    unpacked,
    windows_of,
)
from rag.embeddings import EmbeddingModel
from rag.evidence import Evidence, rank_evidence
from rag.packaged_model import packaged_model_folder
from rag.pipeline import Assistant
from rag.question import analyse
from rag.settings import Settings
from tests.bench.train_comprehension import Network

QUESTION = "Wann trat Krakau dem Netzwerk Eurocities bei?"


@pytest.fixture
def ranked(assistant: Assistant) -> list[Evidence]:
    question = analyse(QUESTION, assistant.model)
    return rank_evidence(question, assistant.retriever.candidates(question, 10))


def test_an_adapter_is_a_small_file():
    assert ADAPTER_FILE.stat().st_size < 1_000_000


def test_packing_keeps_a_change_within_a_hundredth(tmp_path):
    chance = np.random.default_rng(1)
    factors = chance.normal(size=(30, 8)), chance.normal(size=(8, 20))
    heads = {name: chance.normal(size=5).astype(np.float32) for name in HEADS}
    np.savez_compressed(tmp_path / "a.npz", **packed({"a.weight": factors}, heads))
    kept = unpacked(tmp_path / "a.npz")
    wanted = factors[0] @ factors[1]
    assert np.abs(kept.pop("a.weight") - wanted).max() < 0.02 * np.abs(wanted).max()
    assert all(np.array_equal(kept.pop(name), heads[name]) for name in HEADS)
    assert not kept


def test_training_goes_on_from_the_adapter_that_it_is_given(tmp_path):
    network = Network(packaged_model_folder() / "model.safetensors")
    network.read(ADAPTER_FILE)
    network.write(tmp_path / "again.npz")
    before, after = unpacked(ADAPTER_FILE), unpacked(tmp_path / "again.npz")
    assert before.keys() == after.keys()
    assert all(np.allclose(before[name], after[name], atol=1e-4) for name in before)


def test_scores_are_those_of_the_changed_model_in_transformers(ranked):
    model = EmbeddingModel(Settings(precision="float32"))
    comprehension = Comprehension(model)
    windows = windows_of(QUESTION, ranked, model.packaged_encoder())
    folder = packaged_model_folder()
    reference = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    adapter = unpacked(ADAPTER_FILE)
    heads = {name: adapter.pop(name) for name in HEADS}
    weights = dict(reference.named_parameters())
    with torch.inference_mode():
        for name, change in adapter.items():
            weights[name] += torch.from_numpy(change)
        for window, (scores, nothing) in zip(windows, comprehension.scores(windows), strict=True):
            states = reference(torch.tensor([window.ids])).last_hidden_state[0].numpy()
            wanted = states @ heads["answer"][:-1] + heads["answer"][-1]
            assert np.allclose(scores, wanted[window.start : -1], atol=1e-3)
            assert nothing == pytest.approx(states[0] @ heads["nothing"][:-1] + heads["nothing"][-1], abs=1e-3)
    assert json.loads((folder / "config.json").read_text("utf-8"))["hidden_size"] == len(heads["answer"]) - 1


def test_windows_hold_the_best_sentences_and_no_more_than_is_read_in_time(ranked):
    encoder = EmbeddingModel(Settings()).packaged_encoder()
    windows = windows_of(QUESTION, ranked, encoder)
    assert 1 <= len(windows) <= WINDOWS
    assert max(len(window.ids) for window in windows) < 160
    first = ranked[0]
    passage = first.candidate.passage
    assert windows[0].passage_id == passage.id
    assert windows[0].offsets[0, 0] <= first.start - passage.start
    assert windows[0].offsets[-1, 1] >= first.end - passage.start
    read = Comprehension(EmbeddingModel(Settings())).read(QUESTION, ranked)
    assert [item.read is not None for item in read].count(True) >= len(windows)
    assert read[0].read is not None
    assert windows_of(QUESTION, [], encoder) == []


@given(st.data())
@settings(max_examples=200)
def test_a_window_lies_in_the_text_and_holds_what_it_is_around(data):
    count = data.draw(st.integers(1, 400))
    first = data.draw(st.integers(0, count - 1))
    last = data.draw(st.integers(first + 1, count))
    begin, end = _around(first, last, count, data.draw(st.floats(0, 1)))
    assert 0 <= begin < end <= count
    assert end - begin == min(_WINDOW, count) or (last - first >= _WINDOW and begin == first)
    if last - first <= _WINDOW:
        assert begin <= first < last <= end
