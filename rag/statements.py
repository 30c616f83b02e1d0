"""A text as the claim check sees it: content words, clauses, values, names and who acts (pure).

Words of two texts are compared by spelling, also across languages where a table knows both; how near they are in
meaning a model may add (`rag.support`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np

from rag.claim_words import actor, poles
from rag.language import WORD, fold, is_function_word, stems
from rag.names import city_keys
from rag.sentences import sentence_spans
from rag.values import Value, values

# They carry no statement of their own, whatever the language around them.
_EMPTY = frozenset(
    fold(word)
    for word in """
    wurde wurden worden sei seien sowie dort davon dafür daran dabei dann danach rund etwa ungefähr zuvor vorher bereits
    jeweils insgesamt künftig weiterhin demnach laut gemäß statt findet finden beträgt betragen liegt stadt neu neue
    neuen neuer after before within since about around approximately each every also already then there therefore been
    being becomes become will would according place takes take city new total now its which both such each per both
    other further przed po od każdy każde każda zostanie zostały zostaną będą około również także już więc miasto
    miasta mieście nowy nowa nowe nowego nowej według
    został się tam tego który która które jeszcze oraz wynosi wynoszą
    """.split()
)
_LANGUAGES = ("de", "en", "pl")
# Between the passages that a claim cites.
PARTED = "\n\n"
_SHORTEST_WORD = 3
# A clause that is shorter belongs to the one before: "Wien und Krakau" are no two statements.
_CLAUSE_WORDS = 2
_CLAUSE_END = re.compile(
    r"[;:()](?=\s|$)|,(?=\s|$)(?!\s(?:which|who|whose|któr\w+)\b)|\s[–—-]\s|\s(?:und|and|while|whereas|aber|but|sondern|natomiast|oraz|lecz|i|a)\s"
)
# What a splitter that knows ordinals ("14. Oktober") and abbreviations has to leave together.
_ALSO_END = re.compile(r"\bzł\.\s(?=[A-ZŁŚŻĆ])")
_NUMBER_END = re.compile(r"\d\.\s(?=[A-Z])")
# On either side of a conjunction that parts two clauses: "Hunde und Katzen" are none.
_JOINED_WORDS = 3
# A German relative clause, which ends with its verb: ", der 45,7 Prozent erhielt".
_RELATIVE = re.compile(
    r",\s(?:der|die|das|den|dem|deren|dessen)\s[^,;.!?]*(?:\d[,.]\d[^,;.!?]*)*\s[a-zäöüß]+(?:t|en|te|tte)\s*[.,;]"
)
# Endings that a name takes in German, English and Polish cases. "er" is none of them: Kern and Kerner are two people.
_CASES = frozenset(["", *"s es a u owi em ie iem i y e ej om ami ach ego emu m n ów iego".split()])
_NAME_SHORTEST = 3
_PREFIX, _PREFIX_SHARE = 5, 0.7
_PART_SHORTEST = 5
# How near two words are that are not the same: the same root, the same idea, one a part of the other.
_SAME, _ROOT, _IDEA, _PART = 1.0, 0.9, 0.85, 0.8


@dataclass(frozen=True, slots=True)
class Word:
    """A content word, as it stands from `start` to `end`, folded, and what it is known to mean."""

    text: str
    start: int
    end: int
    folded: str
    keys: frozenset[str]
    poles: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Statement:
    """A text taken apart. `clauses` and `sentences` are ranges of it, `words` and `values` stand in order."""

    text: str
    language: str | None

    @cached_property
    def values(self) -> list[Value]:
        """Numbers, dates and the like."""
        return values(self.text, self.language)

    @cached_property
    def words(self) -> list[Word]:
        """The content words outside of values."""
        taken = [(value.start, value.end) for value in self.values]
        return [
            _word(match.group(), match.start(), self.language)
            for match in WORD.finditer(self.text)
            if not _is_empty(match.group()) and not any(a < match.end() and match.start() < b for a, b in taken)
        ]

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Where sentences begin and end, also behind "250 zł." and, in English, behind a number."""
        found: list[tuple[int, int]] = []
        for start, end in sentence_spans(self.text):
            cuts = [match.end() for match in _ALSO_END.finditer(self.text, start, end)]
            if self.language == "en":
                cuts += [match.end() for match in _NUMBER_END.finditer(self.text, start, end)]
            found += pairwise([start, *sorted(cuts), end])
        return found

    def sentence_at(self, place: int) -> tuple[int, int]:
        """Return where the sentence around an offset begins and ends."""
        return next((span for span in self.sentences if span[0] <= place < span[1]), (0, len(self.text)))

    @cached_property
    def clauses(self) -> list[tuple[int, int]]:
        """Where clauses begin and end: at punctuation, or a conjunction with enough words on both sides."""
        return [clause for sentence in self.sentences for clause in self._clauses_of(*sentence)]

    @cached_property
    def cities(self) -> frozenset[str]:
        """Keys of the cities named."""
        return frozenset(city_keys(self.text))

    def _clauses_of(self, start: int, end: int) -> list[tuple[int, int]]:
        inside = [(value.start, value.end) for value in self.values]
        matches = [
            match
            for match in _CLAUSE_END.finditer(self.text, start, end)
            if not any(a <= match.start() < b for a, b in inside) and not _RELATIVE.match(self.text, match.start(), end)
        ]
        borders = [start, *(match.end() - (1 if match.group()[-1].isspace() else 0) for match in matches), end]
        cuts = [
            cut
            for number, (match, cut) in enumerate(zip(matches, borders[1:], strict=False))
            if not match.group()[0].isspace()
            or min(self._weight(borders[number], cut), self._weight(cut, borders[number + 2])) >= _JOINED_WORDS
        ]
        found: list[tuple[int, int]] = []
        begin = start
        for stop in [*cuts, end]:
            hard = self.text[stop - 1 : stop] == ";" or stop == end
            if self._weight(begin, stop) >= (1 if hard else _CLAUSE_WORDS):
                found.append((begin, stop))
                begin = stop
        if begin < end:  # what is left is too short to stand alone
            found[-1:] = [(found[-1][0] if found else start, end)]
        return found

    def _weight(self, start: int, end: int) -> int:
        return len(within(self.words, start, end)) + len([v for v in self.values if start <= v.start < end])


def within(words: list[Word], start: int, end: int) -> list[int]:
    """Return the numbers of the words that begin between `start` and `end`."""
    return [number for number, word in enumerate(words) if start <= word.start < end]


@lru_cache(maxsize=512)
def statement(text: str, language: str | None) -> Statement:
    """Return `text` taken apart; the same object for the same text."""
    return Statement(text, language)


def spelling_similarity(claim: Statement, passage: Statement) -> np.ndarray:
    """Return how alike the words of both are by spelling and table, shape (claim, passage), 0 to 1."""
    rows = [[_alike(mine, its) for its in passage.words] for mine in claim.words]
    return np.array(rows, np.float32).reshape(len(claim.words), len(passage.words))


def same_name(one: str, other: str) -> bool:
    """Whether two folded names are one in different cases: Marxa and Marx, Ludwigs and Ludwig."""
    if one == other:
        return True
    shared = _shared_prefix(one, other)
    return shared >= _NAME_SHORTEST and one[shared:] in _CASES and other[shared:] in _CASES


def same_root(one: str, other: str) -> bool:
    """Whether two folded words begin with most of the same: Buddhism and Buddhist."""
    shared = _shared_prefix(one, other)
    return shared >= _PREFIX and shared >= _PREFIX_SHARE * max(len(one), len(other))


def _is_empty(word: str) -> bool:
    lower = word.lower()
    if len(word) < _SHORTEST_WORD and not word.isupper():
        return True
    return fold(word) in _EMPTY or any(is_function_word(lower, language) for language in _LANGUAGES)  # type: ignore[arg-type]


def _word(text: str, start: int, language: str | None) -> Word:
    folded = fold(text)
    keys = set(city_keys(text)) | {f"stem{stem}" for stem in stems(text, language)[-1:] if len(stem) >= _SHORTEST_WORD}
    who = actor(folded)
    if who:
        keys.add(who)
    return Word(text, start, start + len(text), folded, frozenset(keys), poles(folded))


def _alike(one: Word, other: Word) -> float:
    if one.folded == other.folded or one.keys & other.keys:
        return _SAME
    if same_root(one.folded, other.folded):
        return _ROOT
    if set(one.poles) & set(other.poles):
        return _IDEA
    short, long = sorted((one.folded, other.folded), key=len)
    if len(short) >= _PART_SHORTEST and (short in long or short[: _PART_SHORTEST + 1] in long[3:]):
        return _PART
    return 0.0


def _shared_prefix(one: str, other: str) -> int:
    shared = 0
    for mine, its in zip(one, other, strict=False):
        if mine != its:
            break
        shared += 1
    return shared
