"""A cross-encoder by setting: a real one, small and untrained, made on the spot."""

from __future__ import annotations

import pytest

from rag.errors import ModelError
from rag.packaged_model import packaged_model_folder
from rag.pipeline import Assistant
from rag.reranking import RERANKED
from rag.settings import Settings

QUERY = "Städtenetzwerk Eurocities"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cross-encoder of one narrow layer with random weights, over the packaged model's tokens."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(packaged_model_folder())
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        num_labels=1,
    )  # fmt: skip
    made = tmp_path_factory.mktemp("cross-encoder")
    BertForSequenceClassification(config).save_pretrained(made)
    tokenizer.save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def reranking(corpus_store, folder):
    opened = Assistant.open(corpus_store, Settings(cross_encoder=str(folder)))
    yield opened
    opened.close()


def test_the_first_passages_come_in_the_order_of_the_cross_encoder(assistant, reranking, folder):
    from sentence_transformers import CrossEncoder

    before, after = (opened.search(QUERY, 15) for opened in (assistant, reranking))
    first = [(passage.document_id, passage.start) for passage in before]
    assert {(p.document_id, p.start) for p in after[:RERANKED]} == set(first[:RERANKED])
    assert [(p.document_id, p.start) for p in after[RERANKED:]] == first[RERANKED:]

    scores = CrossEncoder(str(folder)).predict([(QUERY, passage.text) for passage in after[:RERANKED]])
    assert list(scores) == sorted(scores, reverse=True)
    assert [passage.score for passage in after[:RERANKED]] == pytest.approx(list(scores), abs=1e-4)


def test_a_question_is_answered_with_a_cross_encoder_set(reranking):
    answer = reranking.ask("Wann trat Krakau Eurocities bei?")
    assert answer.abstained or "15. Oktober" in answer.citations[0].quote


def test_a_folder_without_a_cross_encoder_is_refused_at_once(corpus_store, tmp_path):
    with pytest.raises(ModelError, match=r"No cross-encoder in .*CITYCITE_CROSS_ENCODER is the path"):
        Assistant.open(corpus_store, Settings(cross_encoder=str(tmp_path)))


def test_a_damaged_cross_encoder_is_named(corpus_store, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    opened = Assistant.open(corpus_store, Settings(cross_encoder=str(tmp_path)))
    with pytest.raises(ModelError, match="cannot be loaded"):
        opened.search(QUERY, 3)
    opened.close()
