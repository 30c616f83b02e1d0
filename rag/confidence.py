"""How likely the answer as a whole is right: what the best quote is like, and how far it stands out from the rest.

The features below describe the ranked evidence of one question; a logistic regression over them is fitted by
`tests/bench/train_evidence.py` and stored in `evidence.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rag.evidence import COEFFICIENTS_FILE, FEATURES, Evidence, coefficients, neighbour
from rag.question import Question

# Of the passage of the best quote, against the other passages. A paragraph that answers stands out in several.
_PASSAGE_FEATURES = (
    "passage_match",
    "passage_content",
    "dense",
    "lexical",
    "words_in_passage",
    "passage_weakest",
)
_PASSAGE_COLUMNS = [FEATURES.index(name) for name in _PASSAGE_FEATURES]
# Log-odds that stand for a quote that does not exist.
_NO_QUOTE = -12.0

CONFIDENCE_FEATURES = (
    "odds",  # log-odds that the best sentence answers
    "quote_odds",  # that it or the sentence that is quoted with it does
    "lead",  # odds minus those of the best sentence that is not quoted
    "second_lead",
    "others",  # logarithm of the summed probabilities of all that is not quoted
    "is_joined",  # two sentences are quoted
    "same_language",
    *FEATURES,  # of the best sentence
    *(f"{name}_lead" for name in _PASSAGE_FEATURES),  # minus the highest of the other passages
    *(f"{name}_above_mean" for name in _PASSAGE_FEATURES),
)


def confidence(question: Question, ranked: Sequence[Evidence]) -> float:
    """Return how likely the first of `ranked`, as it is quoted, answers the question; 0 where there is none."""
    if not ranked or question.type == "none":
        return 0.0
    fitted = _coefficients()
    scaled = (confidence_features(ranked) - np.array(fitted["mean"])) / np.array(fitted["scale"])
    return float(1 / (1 + np.exp(-(scaled @ np.array(fitted["weights"]) + fitted["intercept"]))))


def confidence_features(ranked: Sequence[Evidence]) -> np.ndarray:
    """Return the features of ranked evidence (never empty), shape (len(CONFIDENCE_FEATURES),)."""
    best, joined = ranked[0], neighbour(ranked[0], ranked)
    others = [item for item in ranked if item is not best and item is not joined]
    missed = (1 - best.probability) * (1 - joined.probability if joined else 1)
    odds = [*(item.odds for item in others[:2]), _NO_QUOTE, _NO_QUOTE]
    elsewhere = [item.row for item in others if item.candidate.passage.id != best.candidate.passage.id]
    own = best.row[_PASSAGE_COLUMNS]
    table = np.array(elsewhere)[:, _PASSAGE_COLUMNS] if elsewhere else own[None]
    return np.array(
        [
            best.odds,
            np.log(1 - missed + 1e-9) - np.log(missed + 1e-9),
            best.odds - odds[0],
            best.odds - odds[1],
            np.log(sum(item.probability for item in others) + 1e-4),
            float(joined is not None),
            float(best.same_language),
            *best.row,
            *(own - table.max(axis=0)),
            *(own - table.mean(axis=0)),
        ]
    )


@lru_cache(maxsize=1)
def _coefficients() -> dict[str, Any]:
    fitted = coefficients()
    if tuple(fitted["confidence_features"]) != CONFIDENCE_FEATURES:
        raise ValueError(f"{COEFFICIENTS_FILE} was fitted on other features; run tests/bench/train_evidence.py")
    confidence: dict[str, Any] = fitted["confidence"]
    return confidence
