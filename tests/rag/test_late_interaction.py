"""Token vectors: centred, packed to four bits, matched."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.late_interaction import centred, matches_of, packed, unpacked


def rows(seed: int, count: int, dimensions: int = 384) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)


@given(st.integers(0, 1000), st.integers(0, 40))
def test_four_bits_keep_directions(seed: int, count: int) -> None:
    tokens = centred(rows(seed, count), np.zeros(384, np.float32))
    back = unpacked(packed(tokens), 384)
    assert back.shape == tokens.shape
    assert np.allclose(np.linalg.norm(back, axis=1), 1, atol=1e-5)
    # Half a step of noise at most: 0.96 where the largest value of a row is six times the usual one, mostly 0.99.
    assert (np.einsum("ij,ij->i", tokens, back) > 0.96).all()
    assert len(packed(tokens)) == count * 192


def test_centring_takes_the_mean_away_and_leaves_nothing_unscaled() -> None:
    tokens = rows(1, 5) + 7
    mean = tokens.mean(axis=0)
    found = centred(tokens, mean)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert not centred(mean[None, :], mean).any()  # a token that is the mean itself says nothing


def test_matches_are_cosines_whatever_the_texts_around() -> None:
    none = np.zeros(384, np.float32)
    question, texts = centred(rows(2, 3), none), [centred(rows(seed, count), none) for seed, count in ((3, 4), (4, 1))]
    found = matches_of(question, [*texts, texts[0][:0]])
    assert [each.shape for each in found] == [(3, 4), (3, 1), (3, 0)]
    for tokens, own in zip(texts, found, strict=False):
        for i in range(3):
            for j in range(len(tokens)):
                expected = sum(a * b for a, b in zip(question[i], tokens[j], strict=True))
                assert np.isclose(own[i, j], expected, atol=1e-5)
    assert matches_of(question, []) == []
