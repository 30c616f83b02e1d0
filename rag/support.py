"""What the packaged model says of a claim: how near its words are to those of the passages, and what answers it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from rag.comprehension import Comprehension
from rag.embeddings import EmbeddingModel, Encoded
from rag.late_interaction import centred
from rag.statements import PARTED, Statement, Word, within


class SupportModel:
    """Compares words in their context. Passages are encoded once, as long as they are among the last `KEPT`."""

    KEPT = 64

    def __init__(self, model: EmbeddingModel, comprehension: Comprehension) -> None:
        self._model = model
        self._comprehension = comprehension
        self._encoded = lru_cache(maxsize=self.KEPT)(self._encode)

    def similarity(self, claim: Statement, passage: Statement) -> np.ndarray:
        """Return the cosine of each word of `claim` to each of `passage`, shape (words of claim, words of passage)."""
        mine, its = self._words(claim), self._words(passage)
        product: np.ndarray = mine @ its.T
        return product

    def reading(self, question: str, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what `Comprehension.odds` says of the texts."""
        return self._comprehension.odds(question, texts)

    def _words(self, statement: Statement) -> np.ndarray:
        """Return a unit vector for each content word: the mean of its tokens, centred for the language."""
        mean = self._model.mean("passage_token", statement.language)
        rows = np.zeros((len(statement.words), len(mean)), np.float32)
        start = 0
        for part in statement.text.split(PARTED):
            end = start + len(part)
            numbers = within(statement.words, start, end)
            if numbers:
                encoded = self._encoded(part)
                tokens = centred(encoded.tokens, mean)
                for number in numbers:
                    rows[number] = _vector(statement.words[number], start, encoded, tokens)
            start = end + len(PARTED)
        return rows

    def _encode(self, text: str) -> Encoded:
        return self._model.encode_passages([text])[0]


def _vector(word: Word, shift: int, encoded: Encoded, tokens: np.ndarray) -> np.ndarray:
    start, end = word.start - shift, word.end - shift
    inside = (encoded.offsets[:, 0] < end) & (encoded.offsets[:, 1] > start)
    if not inside.any():  # beyond what the model reads of a text
        return np.zeros(tokens.shape[1], np.float32)
    vector: np.ndarray = tokens[inside].mean(axis=0)
    return vector / (float(np.linalg.norm(vector)) or 1.0)
