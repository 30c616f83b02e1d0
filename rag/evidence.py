"""Which sentence answers the question: candidate quotes, their features, their score.

Every sentence of the best passages becomes a candidate quote. A logistic regression over the features below says how
likely it holds the answer. It is fitted by `tests/bench/train_evidence.py` and stored in `evidence.json`, once for
questions in the documents' language and once for questions in another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.answer_types import AnswerType, holds
from rag.citations import MAX_QUOTE
from rag.language import fold, stems
from rag.names import city_keys
from rag.question import NAME_STEM as _NAME_STEM
from rag.question import Question
from rag.retrieval import Candidate
from rag.sentences import sentence_spans

COEFFICIENTS_FILE = Path(__file__).with_name("evidence.json")
# Passages whose sentences are weighed. The right one is among the first 8 in 99.5 % of the questions measured.
PASSAGES = 8
# In log-odds. Cross-validated on the city documents, 2 lifts the area under the curve that tells right answers from
# all others from 0.65 to 0.68, and costs nothing in the choice of the sentence.
_MISSING_KIND = 2.0
# Likewise; it changes nothing on texts that name no cities.
_OTHER_CITY = 1.0
# The sentence beside a quote joins it where it is at least this share as likely to hold the answer. Against
# no joining, 0.1 lifts the share of first quotes with the answer from 0.76 to 0.79 (XQuAD de) and from 0.53 to 0.62
# (sample corpus), for 30 to 50 characters more a quote; joining always would gain nothing more.
_JOIN_SHARE = 0.1
_RELATIVE = {
    "sentence_match": "match_to_best",
    "sentence_content": "content_to_best",
    "so_far_match": "so_far_to_best",
    "in_context_match": "in_context_to_best",
}
_TYPE_FEATURES: dict[AnswerType, str] = {
    "time": "time_held",
    "year": "year_held",
    "clock": "unit_held",
    "money": "unit_held",
    "number": "number_held",
    "person": "person_held",
    "place": "place_held",
}
# Words up to this length (der, und, the, się) say nothing new.
_SHORT_WORD = 3
# A sentence of fewer tokens ("Ende.") cannot be judged by its tokens.
_MIN_TOKENS = 2
_ITEM = re.compile(r"(?:[•–*-]|\d{1,2}[.)]|[a-z]\))\s")
_ROW = re.compile(r"^[^.!?]{2,40}: |\| ")
_NAME = re.compile(r"\w+")
# A quote from a longer sentence ends where a clause does, if one ends in its second half.
_CLAUSE_END = re.compile(r"[,;:–—)](?=\s)")

FEATURES = (
    "sentence_match",  # mean over question tokens of the best match in the sentence, by weight
    "sentence_content",  # the same over content words alone
    "sentence_weakest",  # the worst-met content token
    "question_word",  # the same over question words: "wann" meets dates, "wer" meets names
    "passage_match",
    "passage_content",
    "passage_weakest",
    "neighbour_match",  # the sentence together with the one before and the one after
    "in_context_match",  # the sentence with title, section and heading: it need not repeat the topic
    "in_context_content",
    "context_match",  # title, section and heading alone
    "mean_match",  # mean over all pairs of tokens
    "so_far_match",  # the sentence with all before it in the passage: what "there" and "it" refer to
    "match_to_best",  # sentence_match minus the highest of all sentences
    "content_to_best",
    "so_far_to_best",
    "in_context_to_best",
    "dense",
    "lexical",
    "passage_to_best",  # retrieval score minus the highest, or minus the second highest for the first passage
    "is_best_passage",
    "words_in_sentence",  # share of the question's content words, by stem
    "words_in_passage",
    "new_words",  # logarithm of the sentence's words that are not in the question: an answer says something new
    "new_share",
    "about_question",  # mean over the sentence's tokens of their best match in the question
    "beyond_question",  # the same over the least-met quarter of them: where an answer would stand
    "time_held",  # 1 or -1 where the question asks for a time and the sentence holds one or not, else 0
    "year_held",
    "unit_held",  # money, time of day
    "number_held",
    "person_held",
    "place_held",
    "cities_missing",  # share of the cities named in the question that passage and title don't name
    "city_in_sentence",
    "other_city",  # the sentence names cities, and none that the question names
    "numbers_missing",
    "names_missing",  # share of the other capitalised words, for languages that capitalise names alone
    "is_item",  # a list item or table row
    "is_introduction",  # ends with a colon; the items that follow belong to it
    "length",  # logarithm of the characters
    "question_length",
    "is_first",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote that may answer: `[start, end)` in the stored text, the passage it comes from, how likely it answers.

    `odds` are log-odds; `row` (len(FEATURES),) are its features; `read` is its score by `rag.comprehension`, None
    where that did not read it.
    """

    candidate: Candidate
    start: int
    end: int
    odds: float
    row: np.ndarray
    same_language: bool
    read: float | None = None

    @property
    def probability(self) -> float:
        """The odds as a probability."""
        return float(1 / (1 + np.exp(-self.odds)))


@dataclass(frozen=True, slots=True)
class Quote:
    """A candidate range `[start, end)` within passage number `passage` of those weighed."""

    passage: int
    start: int
    end: int


def rank_evidence(question: Question, candidates: Sequence[Candidate]) -> list[Evidence]:
    """Return the candidate quotes of `candidates` (best passage first), most probable first."""
    return in_order(weigh(question, candidates))


def weigh(question: Question, candidates: Sequence[Candidate]) -> list[Evidence]:
    """Return the candidate quotes of `candidates` in the order of the texts."""
    weighed = list(candidates[:PASSAGES])
    quotes = candidate_quotes(weighed)
    if not quotes or not len(question.tokens):
        return []
    table = features(question, weighed, quotes)
    same = np.array([weighed[quote.passage].passage.language in (question.language, None) for quote in quotes])
    odds = np.where(same, _logit(table, "same_language"), _logit(table, "cross_language")) - penalty(table)
    return [
        Evidence(
            candidate=weighed[quote.passage],
            start=weighed[quote.passage].passage.start + quote.start,
            end=weighed[quote.passage].passage.start + quote.end,
            odds=float(odds[number]),
            row=table[number],
            same_language=bool(same[number]),
        )
        for number, quote in enumerate(quotes)
    ]


def in_order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return `evidence`, most probable first."""
    return sorted(evidence, key=lambda item: (-item.odds, item.candidate.passage.id, item.start))


def neighbour(evidence: Evidence, ranked: Sequence[Evidence]) -> Evidence | None:
    """Return the sentence before or after that is quoted with `evidence`, None where none is.

    It may well hold the answer too, and both fit into one quote.
    """
    passage = evidence.candidate.passage
    for other in ranked:
        if other.probability < _JOIN_SHARE * evidence.probability:
            return None
        if other.candidate.passage.id != passage.id or other is evidence:
            continue
        between = passage.text[
            min(evidence.end, other.end) - passage.start : max(evidence.start, other.start) - passage.start
        ]
        length = max(evidence.end, other.end) - min(evidence.start, other.start)
        if not between.strip() and length <= MAX_QUOTE:
            return other
    return None


def candidate_quotes(candidates: Sequence[Candidate]) -> list[Quote]:
    """Return the sentences of each passage that can be an answer: no headings, no questions, `MAX_QUOTE` at most."""
    return [
        Quote(number, *piece)
        for number, candidate in enumerate(candidates)
        for span in _with_items(candidate.passage.text, sentence_spans(candidate.passage.text))
        if not _is_heading(span, candidate.headings)
        for piece in _pieces(candidate.passage.text, *span)
        if _can_answer(candidate.passage.text[slice(*piece)])
    ]


def _can_answer(sentence: str) -> bool:
    return not sentence.endswith("?") and any(character.isalnum() for character in sentence)


def _is_heading(span: tuple[int, int], headings: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in headings)


def _with_items(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Let a sentence that ends with a colon take in the list items behind it, as far as a quote reaches."""
    taken = []
    for index, (start, end) in enumerate(spans):
        if text[start:end].endswith(":"):
            for _, following in spans[index + 1 :]:
                if following - start > MAX_QUOTE or not _ITEM.match(text[end:following].lstrip()):
                    break
                end = following
        taken.append((start, end))
    return taken


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a sentence that is longer than a quote may be, at clause borders where there are some."""
    pieces = []
    while end - start > MAX_QUOTE:
        window = text[start : start + MAX_QUOTE]
        borders = [match.end() for match in _CLAUSE_END.finditer(window) if match.end() > MAX_QUOTE // 2]
        cut = borders[-1] if borders else _last_blank(window)
        pieces.append((start, start + len(window[:cut].rstrip())))
        start += cut
        start += len(text[start:end]) - len(text[start:end].lstrip())
    return [*pieces, (start, end)] if start < end else pieces


def _last_blank(window: str) -> int:
    """Return where to cut: at the last blank of the second half, or at the end where there is none."""
    blank = window.rfind(" ")
    return blank if blank > MAX_QUOTE // 2 else MAX_QUOTE


def features(question: Question, candidates: Sequence[Candidate], quotes: Sequence[Quote]) -> np.ndarray:
    """Return the features of `quotes`, shape (quotes, len(FEATURES)), in the order of `FEATURES`."""
    by_passage: dict[int, list[Quote]] = {}
    for quote in quotes:
        by_passage.setdefault(quote.passage, []).append(quote)
    best = candidates[0].score
    second = candidates[1].score if len(candidates) > 1 else best - 0.1
    rows: list[dict[str, float]] = []
    for number, own in by_passage.items():
        candidate = candidates[number]
        margin = candidate.score - (second if number == 0 else best)
        shared = _passage_features(question, candidate) | {
            "passage_to_best": margin,
            "is_best_passage": float(number == 0),
        }
        rows.extend(shared | row for row in _sentence_features(question, candidate, own))
    for name, relative in _RELATIVE.items():
        highest = max(row[name] for row in rows)
        for row in rows:
            row[relative] = row[name] - highest
    return np.array([[row[name] for name in FEATURES] for row in rows])


def _passage_features(question: Question, candidate: Candidate) -> dict[str, float]:
    met = candidate.matches.max(axis=1) if candidate.matches.size else np.zeros(len(question.tokens))
    content = met[question.content] if question.content.any() else met
    language = candidate.passage.language
    named = f"{candidate.title}\n{candidate.passage.text}"
    return {
        "passage_match": float(met @ question.weights),
        "passage_content": float(content.mean()),
        "passage_weakest": float(content.min()),
        "dense": candidate.dense,
        "lexical": candidate.lexical / 10,
        "words_in_passage": _share_of_words(_asked(question.words, language), frozenset(stems(named, language))),
        "cities_missing": _share_missing(question.cities, set(city_keys(named))),
        "numbers_missing": _share_missing(question.numbers, set(re.findall(r"\d+", named))),
        "names_missing": _share_missing(question.names, {fold(word)[:_NAME_STEM] for word in _NAME.findall(named)}),
        "question_length": float(np.log(len(question.tokens))),
    }


def _sentence_features(question: Question, candidate: Candidate, quotes: Sequence[Quote]) -> list[dict[str, float]]:
    met = np.array([_best_matches(candidate, quote.start, quote.end) for quote in quotes])
    so_far = np.maximum.accumulate(met, axis=0)
    headed = _context_matches(candidate)
    content = question.content if question.content.any() else np.ones(len(question.tokens), bool)
    other = ~content if not content.all() else content
    rows = []
    for index, (quote, own) in enumerate(zip(quotes, met, strict=True)):
        around = met[max(index - 1, 0) : index + 2].max(axis=0)
        context = np.maximum(headed, _introduction_matches(candidate, quotes, met, index))
        row = {
            "sentence_match": own @ question.weights,
            "sentence_content": own[content].mean(),
            "sentence_weakest": own[content].min(),
            "question_word": own[other].mean(),
            "neighbour_match": around @ question.weights,
            "in_context_match": np.maximum(own, context) @ question.weights,
            "in_context_content": np.maximum(own, context)[content].mean(),
            "context_match": context @ question.weights,
            "so_far_match": so_far[index] @ question.weights,
            "is_first": index == 0,
        }
        row |= _coverage(candidate, quote)
        text = candidate.passage.text[quote.start : quote.end]
        rows.append({k: float(v) for k, v in row.items()} | _text_features(question, text, candidate.passage.language))
    return rows


def _introduction_matches(candidate: Candidate, quotes: Sequence[Quote], met: np.ndarray, index: int) -> np.ndarray:
    """Return, for each question token, its best match in the line with a colon that introduces list item `index`.

    Zeros for what is no list item. "• München – Utrecht" says nothing without "Zu den Tandems zählen:".
    """
    text = candidate.passage.text
    while index >= 0 and _ITEM.match(text, quotes[index].start):
        index -= 1
        if index >= 0 and ":\n" in text[quotes[index].start : quotes[index].end + 1]:
            introduction: np.ndarray = _best_matches(
                candidate, quotes[index].start, text.index(":\n", quotes[index].start) + 1
            )
            return introduction
    return np.zeros_like(met[0])


def _coverage(candidate: Candidate, quote: Quote) -> dict[str, float]:
    """Return how far the quote's tokens are met by the question: on average, and where least."""
    inside = _tokens_in(candidate, quote.start, quote.end)
    if inside.sum() < _MIN_TOKENS:
        return {"about_question": 0.0, "beyond_question": 0.0, "mean_match": 0.0}
    met = np.sort(candidate.matches[:, inside].max(axis=0))
    return {
        "about_question": float(met.mean()),
        "beyond_question": float(met[: max(len(met) // 4, 1)].mean()),
        "mean_match": float(candidate.matches[:, inside].mean()),
    }


def _text_features(question: Question, text: str, language: str | None) -> dict[str, float]:
    there = frozenset(stems(text, language))
    asked = _asked(question.words, language)
    new = sum(len(stem) > _SHORT_WORD and not any(stem in word for word in asked) for stem in there)
    cities = set(city_keys(text))
    held = dict.fromkeys(_TYPE_FEATURES.values(), 0.0)
    if question.type in _TYPE_FEATURES:
        held[_TYPE_FEATURES[question.type]] = holds(text, question.type)
    return {
        "words_in_sentence": _share_of_words(asked, there),
        "new_words": float(np.log1p(new)),
        "new_share": new / max(len(there), 1),
        "city_in_sentence": float(bool(question.cities & cities)),
        "other_city": float(bool(question.cities and cities) and not question.cities & cities),
        "is_item": float(bool(_ITEM.match(text) or _ROW.search(text))),
        "is_introduction": float(":\n" in text or text.endswith(":")),
        "length": float(np.log(len(text))),
        **held,
    }


@lru_cache(maxsize=256)
def _asked(words: tuple[str, ...], language: str | None) -> tuple[frozenset[str], ...]:
    """Return for each content word of the question the stems under which a text of `language` may hold it."""
    return tuple(frozenset((*stems(word, language), fold(word))) for word in words)


def _share_of_words(asked: Sequence[frozenset[str]], there: frozenset[str]) -> float:
    return sum(not word.isdisjoint(there) for word in asked) / len(asked) if asked else 0.0


def _best_matches(candidate: Candidate, start: int, end: int) -> np.ndarray:
    """Return, for each question token, its best match among the tokens that lie in `[start, end)` of the passage."""
    inside = _tokens_in(candidate, start, end)
    if inside.sum() < _MIN_TOKENS:
        return np.zeros(len(candidate.matches))
    best: np.ndarray = candidate.matches[:, inside].max(axis=1)
    return best


def _context_matches(candidate: Candidate) -> np.ndarray:
    """Return, for each question token, its best match in the title, the section and the headings of the passage."""
    inside = candidate.offsets[:, 0] < 0
    for start, end in candidate.headings:
        inside |= _tokens_in(candidate, start, end)
    if not inside.any():
        return np.zeros(len(candidate.matches))
    best: np.ndarray = candidate.matches[:, inside].max(axis=1)
    return best


def _tokens_in(candidate: Candidate, start: int, end: int) -> np.ndarray:
    # A token may take in the blank before its word.
    inside: np.ndarray = (candidate.offsets[:, 0] >= start - 1) & (candidate.offsets[:, 1] <= end + 1)
    return inside & (candidate.offsets[:, 1] > start)


def _share_missing(wanted: frozenset[str], there: set[str]) -> float:
    return len(wanted - there) / len(wanted) if wanted else 0.0


def penalty(table: np.ndarray) -> np.ndarray:
    """Return what each quote loses: where a time, a sum or a number is asked for and it holds none; where it speaks of
    other cities than the question alone.

    Fitted, these features get little weight, because they are unset for most questions; yet no such sentence answers.
    """
    demanded = [FEATURES.index(name) for name in ("time_held", "year_held", "unit_held", "number_held")]
    missing = np.where((table[:, demanded] < 0).any(axis=1), _MISSING_KIND, 0.0)
    lost: np.ndarray = missing + np.where(table[:, FEATURES.index("other_city")] > 0, _OTHER_CITY, 0.0)
    return lost


def _logit(table: np.ndarray, kind: str) -> np.ndarray:
    fitted = coefficients()["sentence"][kind]
    scaled = (table - np.array(fitted["mean"])) / np.array(fitted["scale"])
    logit: np.ndarray = scaled @ np.array(fitted["weights"]) + fitted["intercept"]
    return logit


@lru_cache(maxsize=1)
def coefficients() -> dict[str, Any]:
    """Return the content of `evidence.json`; a ValueError where it was fitted on other features."""
    fitted: dict[str, Any] = json.loads(COEFFICIENTS_FILE.read_text("utf-8"))
    if tuple(fitted["features"]) != FEATURES:
        raise ValueError(f"{COEFFICIENTS_FILE} was fitted on other features; run tests/bench/train_evidence.py")
    return fitted
