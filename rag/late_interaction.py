"""Token-level matching: how well each token of the question is met by some token of the text (pure functions).

After ColBERT (Khattab and Zaharia 2020, https://arxiv.org/abs/2004.12832), with the tokens of the embedding model as
it is. Two things make it work untrained: the mean token vector is subtracted, because all tokens of this model lie in
one narrow cone; and questions have a mean for each language, because the cones differ by language.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def centred(tokens: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Subtract `mean` (d,) from `tokens` (n, d) and scale each row to unit length."""
    rows: np.ndarray = tokens - mean
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(norms == 0, 1.0, norms)
    return rows


def packed(tokens: np.ndarray) -> bytes:
    """Keep `tokens` (n, d) in 4 bits a number, d / 2 bytes a token; the length of each row is lost.

    Against float32 this costs 0.004 of first-rank recall across languages; one bit a number would cost 0.015, and a
    tenth of the unanswerable questions that are recognised.
    """
    largest = np.abs(tokens).max(axis=1, keepdims=True)
    levels = np.rint(tokens / np.where(largest == 0, 1.0, largest) * 7).astype(np.int8) + 8
    nibbles = levels.astype(np.uint8)
    return (nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)).tobytes()


# The four numbers of each possible pair of bytes (1 MB): one look-up is several times faster than shifting.
_NIBBLES = np.arange(65536, dtype=np.uint16)[:, None] >> np.array([0, 4, 8, 12], dtype=np.uint16) & 15
_QUADS = _NIBBLES.astype(np.float32) - 8.0


def unpacked(data: bytes, dimensions: int) -> np.ndarray:
    """Return what `packed` kept, as unit vectors of shape (n, d); d is a multiple of 4."""
    rows: np.ndarray = _QUADS.take(np.frombuffer(data, "<u2"), axis=0).reshape(-1, dimensions)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows *= (1.0 / np.where(norms == 0, 1.0, norms))[:, None].astype(np.float32)
    return rows


def matches_of(question: np.ndarray, texts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the similarity of each question token to each token of each text, shapes (question tokens, text tokens).

    One product for all: numpy's many small ones each wait for threads, which takes a hundred times as long as the
    product itself where other processes have the cores.
    """
    if not texts:
        return []
    similarity = question @ np.concatenate(texts).T
    return np.split(similarity, np.cumsum([len(text) for text in texts])[:-1], axis=1)
