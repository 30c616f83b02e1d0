"""A question as retrieval and evidence see it: language, words, names, and the model's view of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from rag.answer_types import AnswerType, answer_type
from rag.embeddings import EmbeddingModel
from rag.language import WORD, fold, is_function_word, question_language
from rag.late_interaction import centred
from rag.lexical import question_terms
from rag.names import city_keys
from rag.schema import Language

# A function word or punctuation mark says little about the topic, but word order and question words help to match.
_FUNCTION_WEIGHT = 0.5
# Letters that a name keeps in all its cases and, mostly, across the three languages: Miszalski, Miszalskiego.
NAME_STEM = 5
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Question:
    """An analysed question.

    `vector` (d,) is for dense search; `tokens` (n, d), centred unit vectors, for late interaction; `weights` (n,) sum
    to 1; `content` (n,) marks tokens of content words. `terms` go to the lexical index. `cities`, `numbers`
    and `names` (beginnings of other capitalised words; none in German, where nouns have capitals too) are what a
    passage must name to answer it.
    """

    text: str
    language: Language
    type: AnswerType
    vector: np.ndarray
    tokens: np.ndarray
    weights: np.ndarray
    content: np.ndarray
    terms: tuple[str, ...]
    words: tuple[str, ...]
    cities: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]


def analyse(text: str, model: EmbeddingModel) -> Question:
    """Return `text` analysed; one pass through the model."""
    language = question_language(text)
    encoded = model.encode_question(text)
    spans = [match.span() for match in WORD.finditer(text) if not is_function_word(match.group().lower(), language)]
    content = np.array(
        [any(start < end_token and begin < end for start, end in spans) for begin, end_token in encoded.offsets], bool
    )
    weights = np.where(content, 1.0, _FUNCTION_WEIGHT)
    return Question(
        text=text,
        language=language,
        type=answer_type(text),
        vector=model.centred_vector(encoded, "question", language),
        tokens=centred(encoded.tokens, model.mean("question_token", language)),
        weights=weights / weights.sum() if len(weights) else weights,
        content=content,
        terms=tuple(question_terms(text, language)),
        words=tuple(text[start:end] for start, end in spans),
        cities=frozenset(city_keys(text)),
        numbers=frozenset(_NUMBER.findall(text)),
        names=_names(text, language),
    )


def _names(text: str, language: Language) -> frozenset[str]:
    if language == "de":
        return frozenset()
    words = [match.group() for match in WORD.finditer(text)][1:]
    return frozenset(fold(word)[:NAME_STEM] for word in words if word[0].isupper() and not city_keys(word))
