"""Our own forward pass gives what sentence-transformers gives; any of its models can take the place of ours."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.embeddings import EmbeddingModel
from rag.encoder import TOKENS_AT_ONCE, Encoder, _filler
from rag.packaged_model import packaged_model_folder
from rag.sentence_encoder import SentenceEncoder
from rag.settings import Settings

TEXTS = [
    "Krakau trat am 15. Oktober dem Netzwerk Eurocities bei.",
    "",
    " \n\t ",
    "Straße, Köln, Łódź, ﬁnden, ② und 🏛️",
    "Der Rat der Stadt hat beschlossen, die Gebühren zu senken. " * 60,  # more tokens than the model reads
    "x",
    *(f"Punkt {number}: Die Verwaltung berichtet über das Vorhaben. " * (1 + number % 7) for number in range(20)),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    return packaged_model_folder()


@pytest.fixture(scope="module")
def reference(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(folder, halved=False)


def test_float32_is_what_sentence_transformers_computes(folder: Path, reference: SentenceEncoder) -> None:
    own = Encoder(folder, halved=False)
    assert own.prompts == reference.prompts
    assert own.dimensions == reference.dimensions == 384
    for ours, theirs in zip(
        own.encode(TEXTS, "passage: ", threads=2), reference.encode(TEXTS, "passage: ", threads=2), strict=True
    ):
        assert np.array_equal(ours.offsets, theirs.offsets)
        assert np.allclose(ours.tokens, theirs.tokens, atol=1e-4)
        assert np.allclose(ours.vector, theirs.vector, atol=1e-5)


def test_bfloat16_is_close_to_it(folder: Path, reference: SentenceEncoder) -> None:
    halved = Encoder(folder, halved=True).encode(TEXTS, "query: ", threads=2)
    for ours, theirs in zip(halved, reference.encode(TEXTS, "query: ", threads=2), strict=True):
        assert np.linalg.norm(ours.vector) == pytest.approx(1, abs=1e-5)
        assert float(ours.vector @ theirs.vector) > 0.995


def test_texts_come_in_order_whatever_the_number_of_threads_and_askers(folder: Path) -> None:
    encoder = Encoder(folder, halved=False)
    alone = [encoder.encode([text], "query: ", threads=1)[0].vector for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda threads: encoder.encode(TEXTS, "query: ", threads), (1, 2, 3, 1)))
    for together in asked:
        assert np.allclose([text.vector for text in together], alone, atol=1e-5)
    assert encoder.encode([], "query: ", threads=2) == []


def test_a_folder_of_sentence_transformers_can_be_set_instead(folder: Path) -> None:
    text = "Wann trat Krakau Eurocities bei?"
    packaged = EmbeddingModel(Settings(precision="float32")).encode_question(text)
    other = EmbeddingModel(Settings(precision="float32", embedding_model=str(folder)))
    assert not other.is_packaged
    assert np.allclose(other.encode_question(text).vector, packaged.vector, atol=1e-5)
    assert len(other.encode_passages([text, text], ["Titel", ""])) == 2


def test_the_packaged_model_needs_neither_library_of_models() -> None:
    script = (
        "import sys; from rag.embeddings import EmbeddingModel; from rag.settings import Settings;"
        "EmbeddingModel(Settings()).encode_question('x');"
        "print(sorted({'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_few_sizes_are_computed() -> None:
    """For each size oneDNN keeps programs: memory would grow with every new one."""
    sizes = {tokens + sum(map(len, _filler(tokens))) for tokens in range(1, TOKENS_AT_ONCE + 1)}
    assert len(sizes) < 25
    assert all(not _filler(size) for size in sizes)
