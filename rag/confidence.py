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
from rag.language import WORD, fold
from rag.question import Question

# Log-odds that stand for a quote that does not exist.
_NO_QUOTE = -12.0

# Each with the direction in which it may count: 1 the more the surer, -1 the less, 0 either. Fitted without, a sentence
# that holds a date counts against the answer to "when", because near misses in the training data hold dates as well.
CONFIDENCE_FEATURES = {
    "odds": 1,  # log-odds that the best sentence answers
    "quote_odds": 1,  # that it or the sentence that is quoted with it does
    "lead": 1,  # odds minus those of the best sentence that says something else
    "others": -1,  # logarithm of the summed probabilities of all that say something else
    "read": 1,  # what reading it in its passage says
    "is_joined": 0,  # two sentences are quoted
    "same_language": 0,
    # Of the best sentence, as in rag.evidence.
    "sentence_match": 1,
    "sentence_weakest": 1,
    "passage_weakest": 1,
    "passage_to_best": 1,
    "lexical": 1,
    "beyond_question": 1,
    "cities_missing": -1,
    "numbers_missing": -1,
    "names_missing": -1,
    "other_city": -1,
    "question_length": 0,
}
_OF_SENTENCE = [FEATURES.index(name) for name in CONFIDENCE_FEATURES if name in FEATURES]


def confidence(question: Question, ranked: Sequence[Evidence]) -> float:
    """Return how likely the first of `ranked`, as it is quoted, answers the question; 0 where there is none."""
    if not ranked or question.type == "none":
        return 0.0
    fitted = _coefficients()
    scaled = (confidence_features(question.text, ranked) - np.array(fitted["mean"])) / np.array(fitted["scale"])
    return float(1 / (1 + np.exp(-(scaled @ np.array(fitted["weights"]) + fitted["intercept"]))))


def confidence_features(question: str, ranked: Sequence[Evidence]) -> np.ndarray:
    """Return the features of ranked evidence (never empty), in the order of `CONFIDENCE_FEATURES`."""
    best, joined = ranked[0], neighbour(ranked[0], ranked)
    asked = {fold(word) for word in WORD.findall(question)}
    said = _told(best, asked) | (_told(joined, asked) if joined else set())
    # A sentence elsewhere that names the same date, number or name is no rival: it says the same.
    others = [
        item for item in ranked if item is not best and item is not joined and said.isdisjoint(_told(item, asked))
    ]
    missed = (1 - best.probability) * (1 - joined.probability if joined else 1)
    return np.array(
        [
            best.odds,
            np.log(1 - missed + 1e-9) - np.log(missed + 1e-9),
            best.odds - (others[0].odds if others else _NO_QUOTE),
            np.log(sum(item.probability for item in others) + 1e-4),
            _NO_QUOTE if best.read is None else best.read,
            float(joined is not None),
            float(best.same_language),
            *best.row[_OF_SENTENCE],
        ]
    )


def _told(evidence: Evidence, asked: set[str]) -> set[str]:
    """Return the numbers and capitalised words of a sentence, its first word apart, that the question does not hold."""
    passage = evidence.candidate.passage
    words = WORD.findall(passage.text[evidence.start - passage.start : evidence.end - passage.start])
    told = {fold(word) for word in words[1:] if word[0].isupper()} | {word for word in words if word.isdigit()}
    return told - asked


@lru_cache(maxsize=1)
def _coefficients() -> dict[str, Any]:
    fitted: dict[str, Any] = coefficients()["confidence"]
    if tuple(fitted["features"]) != tuple(CONFIDENCE_FEATURES):
        raise ValueError(f"{COEFFICIENTS_FILE} was fitted on other features; run tests/bench/train_evidence.py")
    return fitted
