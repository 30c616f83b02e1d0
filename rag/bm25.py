"""BM25 over the part of an index that a reader sees (pure), as SQLite's FTS5 computes it over all of it.

https://www.sqlite.org/fts5.html#the_bm25_function. Whatever a reader does not see is not counted either: neither how
many passages hold a word, nor how many there are, nor how long they are. So a score says nothing about the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

# FTS5's constants, which cannot be set there.
_K1, _B = 1.2, 0.75
# What FTS5 gives a word that more than half of all passages hold.
_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the passages that a reader sees: their number, their tokens in all, and how many hold each term."""

    passages: int
    tokens: int
    holding: Mapping[str, int]


def score(terms: Sequence[str], body: Sequence[str], heading: Sequence[str], weight: float, of: Statistics) -> float:
    """Return the score of a passage for `terms`; a token of `heading` counts `weight` times one of `body`."""
    mean = of.tokens / of.passages if of.passages else 1.0
    length = 1 - _B + _B * (len(body) + len(heading)) / mean
    total = 0.0
    for term in terms:
        frequency = body.count(term) + weight * heading.count(term)
        if frequency:
            total += _weight(of.holding.get(term, 0), of.passages) * frequency * (_K1 + 1) / (frequency + _K1 * length)
    return total


def _weight(holding: int, passages: int) -> float:
    rarity = log((passages - holding + 0.5) / (holding + 0.5))
    return rarity if rarity > 0 else _LEAST_WEIGHT
