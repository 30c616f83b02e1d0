"""The rules of the claim check, one function each: what is wrong with a claim, None where nothing is (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from rag.claim_words import actor, negations, poles
from rag.language import WORD, fold
from rag.names import city_keys
from rag.statements import Statement, Word, same_name, within
from rag.values import Value, same

# Capitalised words of English and Polish that translate nouns of the documents, and are no names.
_TITLES = frozenset(
    fold(word)
    for word in """
    city council mayor lord deputy office department town hall central library committee ministry state federal street
    square park university school museum international day internet mr mrs ms dr prof professor court police president
    councillor alderman treasurer district centre center euro euros german polish english
    rada miasta miasto urząd miejski miejskiej stanu burmistrz prezydent pan pani radny radna teatr muzeum szkoła
    ende anfang mitte stadt frau herr
    """.split()
)
# Streets and squares are names as a whole: "Hafenstraße" is not "Bahnhofstraße".
_PLACE = re.compile(r".+(?:strasse|str|platz|gasse|allee|weg|brucke|ufer|hof)$")
# A plain German noun beside another one is no name where the passages have its counterpart.
_COUNTERPART = 0.8
# In another language, a name that is a noun ("Festiwal") is at least so near to its counterpart.
_TRANSLATED = 0.62
# A clause of the passage is the counterpart of one of the claim where none fits better by more than this.
_TIE = 0.03
# What a number belongs to is taken for something else where that fits better by at least this.
_BETTER = 0.25
# A word rests on a clause where it is at least so alike to one of its words, and clearly less to all elsewhere.
_WELL, _CLEARLY, _MUCH = 0.5, 0.15, 0.4
_BEFORE, _AFTER = 3, 4
# Characters between a number and how often it falls due.
_NEAR = 30
_FIRST_YEAR, _LAST_YEAR = 1800, 2200

_BY = frozenset("by przez".split())
_GERMAN_BY = frozenset("von vom durch".split())
_PASSIVE = re.compile(r"\b(?:wurden?|worden|werden|wird)\b")
_PREPOSITIONS = frozenset(
    """
    of in at to from for with on against von vom in im an am auf aus fur mit zu zum zur bei beim nach unter gegen uber
    w we z ze do dla od na przy o po
    """.split()
)
_SOURCE = frozenset("von vom aus from z ze od".split())
_TARGET = frozenset("auf nach zu zum zur an to into do na".split())
_PLACED = frozenset("in im w we".split())
_SKIPPED = frozenset("der die das den dem the a an ein eine einem einen city stadt miasto miasta firma company".split())
# A German verb's particle at the end: "schließen ... an" is "anschließen", and not "schließen".
_PARTICLE = re.compile(r"\b(an|ab|auf|aus|ein|zu|um|vor|nach|bei|mit)\W*$")
_GENITIVE = re.compile(r"\b(?:der\s+Stadt|miasta)\s*$")
_AND = re.compile(r"\s(?:und|and|oraz|i|a)\s")
_GIVES = re.compile(r"\b(?:to|an|do|dla)\s+(?:the\s|die\s|das\s|den\s)?(?:city|Stadt|miast\w*|[A-ZŁŚŻ]\w+)")
_JOINED = re.compile(r"^\W*(?:und|and|i|oraz|sowie|&)\W+(?:\w+\W+)?$")


@dataclass(frozen=True)
class Pair:
    """A claim, the passages it cites, and how `alike` their words are, shape (claim, passage), about 0 to 1."""

    claim: Statement
    passage: Statement
    alike: np.ndarray

    @cached_property
    def covered(self) -> np.ndarray:
        """For each word of the claim, how alike the nearest word of the passages is."""
        if not self.alike.shape[1]:
            return np.zeros(len(self.claim.words))
        return np.asarray(self.alike.max(axis=1))

    @property
    def least_covered(self) -> str:
        """The word of the claim that the passages have least of."""
        return self.claim.words[int(self.covered.argmin())].text if len(self.covered) else ""

    def fit(self, clause: tuple[int, int], other: tuple[int, int]) -> float:
        """Return how well `other` of the passages covers `clause` of the claim: words and values, 0 to 1."""
        mine, its = within(self.claim.words, *clause), within(self.passage.words, *other)
        scores = [float(self.alike[number, its].max()) if its else 0.0 for number in mine]
        inside = _between(self.passage.values, *other)
        scores += [float(any(same(value, it) for it in inside)) for value in _between(self.claim.values, *clause)]
        return sum(scores) / len(scores) if scores else 0.0

    @cached_property
    def counterparts(self) -> list[tuple[tuple[int, int], list[tuple[int, int]]]]:
        """Each clause of the claim with those of the passages that fit it best, more than one where they tie."""
        found = []
        for clause in self.claim.clauses:
            fits = [(self.fit(clause, other), other) for other in self.passage.clauses]
            best = max((fit for fit, _ in fits), default=0.0)
            found.append((clause, [other for fit, other in fits if fit >= best - _TIE]))
        return found


def is_named(said: Statement, number: int) -> bool:
    """Whether a word names a city, an actor or a person."""
    return _key(said, number) is not None


def missing_value(pair: Pair) -> str | None:
    """A number, date, time or file number that the passages don't state."""
    for value in pair.claim.values:
        if value.kind == "rate" and not _is_rate_of_number(pair.claim, value):
            continue
        if not _stated(value, pair.passage.values):
            return pair.claim.text[value.start : value.end]
    return None


def missing_city(pair: Pair) -> str | None:
    """A city that the passages don't name."""
    return next((key for key in city_keys(pair.claim.text) if key not in pair.passage.cities), None)


def missing_name(pair: Pair) -> str | None:
    """A name that the passages don't hold in any case."""
    named = {fold(part) for match in WORD.finditer(pair.passage.text) for part in _parts(match.group())}
    for number, word in enumerate(pair.claim.words):
        if not _is_name(pair.claim, number) or city_keys(word.text):
            continue
        if _opens(pair.claim, word) and pair.claim.language != "de" and pair.covered[number] >= _COUNTERPART / 2:
            continue  # "Basen Südpark": a noun has a capital where it opens a sentence
        if word.folded in _TITLES and pair.covered[number] > _COUNTERPART / 2:
            continue
        parts = [word.folded, *map(fold, _parts(word.text))]
        if any(same_name(part, other) for part in parts for other in named):
            continue
        if pair.claim.language != pair.passage.language and pair.covered[number] >= _TRANSLATED:
            continue
        if pair.claim.language == "de" and not _PLACE.fullmatch(word.folded) and pair.covered[number] >= _COUNTERPART:
            continue
        return word.text
    return None


def contradicted(pair: Pair) -> str | None:
    """A clause that denies what the passages say, or says the opposite."""
    for clause, others in pair.counterparts:
        if (
            _says_opposite(pair, clause, others)
            or _is_opposite_of_value(pair, clause)
            or _rests_on_denial(pair, clause)
        ):
            return pair.claim.text[slice(*clause)].strip()
    return None


def other_role(pair: Pair) -> str | None:
    """Two actors that have changed places: who lent is now the one who borrowed."""
    for clause, others in pair.counterparts:
        mine = _mentions(pair.claim, clause)
        for other in others or pair.passage.sentences:
            its = _mentions(pair.passage, other)
            shared = {mention.key for mention in mine} & {mention.key for mention in its}
            if len(shared) < 2 or _are_joined(pair.claim.text, mine, shared):
                continue
            who, whose = _agent(pair.claim.text[slice(*clause)], mine), _agent(pair.passage.text[slice(*other)], its)
            if who and whose and who.key != whose.key and {who.key, whose.key} <= shared and _said_once(its, shared):
                return pair.claim.text[who.start : who.end]
    return None


def other_recipient(pair: Pair) -> str | None:
    """An actor that gets what it gives in the passages, from another one that they name."""
    givers = [_agent(pair.passage.text[slice(*span)], _mentions(pair.passage, span)) for span in pair.passage.sentences]
    known = {mention.key for span in pair.passage.sentences for mention in _mentions(pair.passage, span)}
    giving = {mention.key for mention in givers if mention}
    for span in pair.claim.sentences:
        mentions = _mentions(pair.claim, span)
        who = _agent(pair.claim.text[slice(*span)], mentions)
        for mention in mentions:
            is_given = _mark(pair.claim.text, mention.start) == "target" or mention.before == "of"
            if who and who.key in known and who.key not in giving and is_given and mention.key in giving - {who.key}:
                return mention.key
    return None


def other_giver(pair: Pair) -> str | None:
    """An actor that gives something away which the passages say it was given."""
    for span in pair.claim.sentences:
        who = _agent(pair.claim.text[slice(*span)], _mentions(pair.claim, span))
        if who is None or not _GIVES.search(pair.claim.text, *span):
            continue
        marks = [
            _mark(pair.passage.text, its.start)
            for other in pair.passage.sentences
            for its in _mentions(pair.passage, other)
            if its.key == who.key
        ]
        if marks and set(marks) == {"target"}:
            return pair.claim.text[who.start : who.end]
    return None


def other_direction(pair: Pair) -> str | None:
    """From and to exchanged, or a place that is another one's."""
    for start, end, mine in _anchors(pair.claim):
        marks = {
            _mark(pair.passage.text, begin) for begin, _, its in _anchors(pair.passage) if _is_same_anchor(mine, its)
        }
        mark = _mark(pair.claim.text, start)
        if (mark == "source" and marks == {"target"}) or (mark == "target" and marks == {"source"}):
            return pair.claim.text[start:end]
        if mark == "place" and isinstance(mine, str) and "place" not in marks and _has_other_place(pair, mine):
            return pair.claim.text[start:end]
    return None


def other_actor(pair: Pair) -> str | None:
    """Somebody of whom the passages say something else."""
    for clause, others in pair.counterparts:
        mine = _actors(pair.claim, clause)
        theirs = [_actors(pair.passage, other) for other in others]
        if mine and theirs and all(its and not its & mine for its in theirs):
            return pair.claim.text[slice(*clause)].strip()
    return None


def belongs_elsewhere(pair: Pair) -> str | None:
    """A number or name of which the claim says what the passages say of another one."""
    for value in pair.claim.values:
        window = _window(pair.claim, value)
        if not window or value.kind != "number":
            continue
        partners = _partners(pair.claim, value)
        windows = [(its, _window(pair.passage, its)) for its in pair.passage.values]
        own = [_overlap(pair, window, words) for its, words in windows if same(value, its)]
        rivals = [
            _overlap(pair, window, words) or 0.0
            for its, words in windows
            if _is_rival(value, its) and not any(same(partner, its) for partner in partners)
        ]
        known = [score for score in own if score is not None]
        if own and len(known) == len(own) and max(rivals, default=0.0) - max(known) > _BETTER:
            return pair.claim.text[value.start : value.end]
    return _other_time(pair) or _other_owner(pair) or _misplaced_name(pair)


def _other_owner(pair: Pair) -> str | None:
    """A value that in the passages stands with another name or weekday, while that of the claim has one of its own."""
    theirs = [(its, _owner(pair.passage, its)) for its in pair.passage.values]
    for value in pair.claim.values:
        owner = _owner(pair.claim, value)
        if owner is None or value.kind not in ("number", "clock"):
            continue
        owners = {key for its, key in theirs if same(value, its)}
        has_own = any(key == owner and _is_rival(value, its) for its, key in theirs)
        named = {mention.key for mention in _mentions(pair.claim, (0, len(pair.claim.text)))}
        if has_own and owners and None not in owners and owner not in owners and not owners & named:
            return pair.claim.text[value.start : value.end]
    return None


def _owner(said: Statement, value: Value) -> str | None:
    """Return a key for the name or weekday that a value stands behind in its sentence, or before."""
    span = next((span for span in said.sentences if span[0] <= value.start < span[1]), None)
    if span is None or value.kind not in ("number", "clock"):
        return None
    named = [(mention.start, mention.key) for mention in _mentions(said, span)]
    if value.kind == "clock":
        named = []
    named += [(it.start, f"weekday{it.key}") for it in _between(said.values, *span) if it.kind == "weekday"]
    before = [key for start, key in sorted(named) if start < value.start]
    behind = [key for start, key in sorted(named) if start > value.start]
    return before[-1] if before else behind[0] if behind else None


def _other_time(pair: Pair) -> str | None:
    """A number of another time, city or name: where the passages give one for it, and it is not that of the claim."""
    for clause in pair.claim.clauses:
        stated = _between(pair.claim.values, *clause)
        times = [value for value in stated if value.kind == "date" or _is_year(value)]
        keys = {mention.key for mention in _mentions(pair.claim, clause)}
        spans = [(span, _between(pair.passage.values, *span)) for span in pair.passage.clauses]
        timed = [its for _, its in spans if any(same(time, it) for time in times for it in its)]
        named = [its for span, its in spans if any(m.key in keys for m in _mentions(pair.passage, span))]
        for value in stated:
            if value.kind == "number" and value.unit and (_is_of(value, stated, timed) or _is_of(value, stated, named)):
                return pair.claim.text[value.start : value.end]
    return None


def _is_of(value: Value, stated: list[Value], groups: list[list[Value]]) -> bool:
    """Whether `groups` of values hold others in the place of `value`, which the claim does not state beside it."""
    rivals = [it for its in groups for it in its if _is_rival(value, it)]
    here = any(same(value, it) for its in groups for it in its)
    return bool(rivals) and not here and not any(same(mine, rival) for mine in stated for rival in rivals)


def _is_year(value: Value) -> bool:
    return not value.unit and any(_FIRST_YEAR <= number <= _LAST_YEAR for number in value.numbers)


def _stated(value: Value, stated: list[Value]) -> bool:
    if any(same(value, other) for other in stated):
        return True
    if value.kind == "date" and value.day is not None and value.year is None:  # "ab September 25 junge Menschen"
        days = {reading for it in stated if it.kind == "number" for reading in it.numbers}
        if value.day in days and any(it.kind == "date" and it.month == value.month and it.day is None for it in stated):
            return True
    if value.kind == "date" and value.year is not None:  # "am 15. Oktober", with the year in another sentence
        days = [it for it in stated if it.kind == "date" and (it.month, it.day) == (value.month, value.day)]
        years = {it.year for it in stated} | {reading for it in stated if it.kind == "number" for reading in it.numbers}
        return bool(days) and all(it.year is None for it in days) and value.year in years
    return False


def _is_rate_of_number(claim: Statement, rate: Value) -> bool:
    """Whether a number stands beside "a day" or "monthly": a day ticket and a weekly market are none."""
    article = claim.text[rate.start : rate.end].lower().startswith("a ")
    return any(
        0 <= rate.start - value.end <= _NEAR or (not article and 0 <= value.start - rate.end <= _NEAR)
        for value in claim.values
        if value.kind == "number"
    )


def _parts(word: str) -> list[str]:
    return re.split("[-'’]", word)


def _is_name(claim: Statement, number: int) -> bool:
    word = claim.words[number]
    if not word.text[0].isupper():
        return False
    if _PLACE.fullmatch(word.folded) or (word.text.isupper() and len(word.text) > 1):
        return True
    if claim.language != "de":
        return not _opens(claim, word) or _beside_capital(claim, number)
    return _beside_capital(claim, number)


def _opens(claim: Statement, word: Word) -> bool:
    """Whether a word is the first of its sentence."""
    return any(
        start <= word.start and not claim.text[start : word.start].strip(" \"'„“”‚(") for start, _ in claim.sentences
    )


def _beside_capital(claim: Statement, number: int) -> bool:
    """Whether the word before or behind has a capital too, with nothing but a blank or a title's dot between."""
    word = claim.words[number]
    for other in claim.words[max(number - 1, 0) : number + 2]:
        between = claim.text[min(word.end, other.end) : max(word.start, other.start)]
        if other is not word and other.text[0].isupper() and between in (" ", ". "):
            return True
    return False


def _says_opposite(pair: Pair, clause: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Compare ideas that both speak of; where there are none, whether both deny or both affirm."""
    mine = _signs(pair.claim, clause)
    agreeing, opposing = _compared(
        pair, mine, _of_same_name(pair, clause, mine) or [*others, *_same_idea(pair, clause, others)]
    )
    if opposing - agreeing:
        return True
    if agreeing or not others:
        return False
    odd = negations(pair.claim.text[slice(*clause)]) % 2
    return all(odd != negations(pair.passage.text[slice(*other)]) % 2 for other in others)


def _of_same_name(pair: Pair, clause: tuple[int, int], mine: dict[int, set[int]]) -> list[tuple[int, int]]:
    """Return clauses that speak of the same idea and of the same city, actor or name, where all others name another."""
    keys = {mention.key for mention in _mentions(pair.claim, clause)}
    return [
        other
        for other in pair.passage.clauses
        if keys & {mention.key for mention in _mentions(pair.passage, other)}
        and mine.keys() & _signs(pair.passage, other).keys()
    ]


def _compared(pair: Pair, mine: dict[int, set[int]], others: list[tuple[int, int]]) -> tuple[set[int], set[int]]:
    """Return the ideas that clauses of the passages share with `mine`: said alike, and said the other way round."""
    agreeing: set[int] = set()
    opposing: set[int] = set()
    for other in others:
        its = _signs(pair.passage, other)
        for idea in mine.keys() & its.keys():
            (agreeing if mine[idea] & its[idea] else opposing).add(idea)
    return agreeing, opposing


def _is_opposite_of_value(pair: Pair, clause: tuple[int, int]) -> bool:
    """Whether the passages say the opposite of the weekday or season of a clause: open on Sundays."""
    mine = _signs(pair.claim, clause)
    for value in _between(pair.claim.values, *clause):
        if value.kind in ("weekday", "season"):
            others = [
                other
                for other in pair.passage.clauses
                if any(same(value, its) for its in _between(pair.passage.values, *other))
            ]
            agreeing, opposing = _compared(pair, mine, others)
            if opposing - agreeing:
                return True
    return False


def _rests_on_denial(pair: Pair, clause: tuple[int, int]) -> bool:
    """Whether much of an affirming clause has its counterpart in a clause that denies, and nowhere else."""
    numbers = within(pair.claim.words, *clause)
    if negations(pair.claim.text[slice(*clause)]) or not pair.alike.shape[1] or len(numbers) < 2:
        return False
    denied = [
        n for span in pair.passage.clauses if _denies(pair.passage, span) for n in within(pair.passage.words, *span)
    ]
    said = sorted(set(range(len(pair.passage.words))) - set(denied))
    if not denied or not said:
        return False
    resting = [
        number
        for number in numbers
        if pair.alike[number, denied].max() > max(_WELL, pair.alike[number, said].max() + _CLEARLY)
        and not pair.claim.words[number].poles
    ]
    return len(resting) >= max(2, _MUCH * len(numbers))


def _denies(said: Statement, clause: tuple[int, int]) -> bool:
    text = said.text[slice(*clause)]
    return negations(text) % 2 == 1 and not any(poles(fold(word)) for word in WORD.findall(text))


def _same_idea(pair: Pair, clause: tuple[int, int], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return clauses beside the best that speak of the same idea: "Das Parken ist dort verboten" names no place."""
    mine = _signs(pair.claim, clause)
    best = max((pair.fit(clause, other) for other in others), default=0.0)
    return [
        other
        for other in pair.passage.clauses
        if other not in others
        and mine.keys() & _signs(pair.passage, other).keys()
        and pair.fit(clause, other) > best / 2
    ]


def _signs(said: Statement, clause: tuple[int, int]) -> dict[int, set[int]]:
    """Return the ideas of a clause, each with 1, or -1 where it is denied or its opposite is said."""
    particle = _PARTICLE.search(said.text[slice(*clause)]) if said.language in ("de", None) else None
    found: dict[int, set[int]] = {}
    cuts = [match.start() for match in _AND.finditer(said.text, *clause)]
    for start, end in pairwise([clause[0], *cuts, clause[1]]):
        turned = -1 if negations(said.text[start:end]) % 2 else 1
        for match in WORD.finditer(said.text, start, end):
            word = fold(match.group())
            whole = poles(particle.group(1) + word) if particle and match.group()[0].islower() else ()
            for idea, sign in whole or poles(word):
                found.setdefault(idea, set()).add(sign * turned)
    return found


@dataclass(frozen=True, slots=True)
class _Mention:
    key: str
    start: int
    end: int
    before: str


def _mentions(said: Statement, span: tuple[int, int]) -> list[_Mention]:
    """Return the cities, actors and names between the two offsets, each with the word before it."""
    found: list[_Mention] = []
    for number in within(said.words, *span):
        word = said.words[number]
        key = _key(said, number)
        if not key:
            continue
        adjacent = found and said.text[found[-1].end : word.start].isspace() and found[-1].key.startswith("name")
        if adjacent and key.startswith("name"):  # first names and titles: the last word tells who it is
            found[-1] = _Mention(key, found[-1].start, word.end, found[-1].before)
        else:
            found.append(_Mention(key, word.start, word.end, _word_before(said.text, word.start)))
    return found


def _key(said: Statement, number: int) -> str | None:
    word = said.words[number]
    cities = city_keys(word.text)
    if cities:
        return cities[0]
    if word.folded in _SKIPPED:
        return None
    who = actor(word.folded)
    if who:
        return who
    if word.folded not in _TITLES and (word.text.isupper() or _is_name(said, number)):
        return f"name{word.folded[:4]}"
    return None


def _word_before(text: str, start: int) -> str:
    opening = re.split(r"[,;:.()]\s", text[max(0, start - 40) : start])[-1]
    if _GENITIVE.search(opening):
        return "of"
    words = [word for word in map(fold, re.findall(r"\w+", opening)) if word not in _SKIPPED]
    if len(words) > 1 and words[-2] in _PREPOSITIONS and words[-1] not in _PREPOSITIONS and words[-1].isalpha():
        return words[-2]  # "to the writer Marlene Huber"
    return words[-1] if words else ""


def _agent(text: str, mentions: list[_Mention]) -> _Mention | None:
    passive = bool(_PASSIVE.search(text))
    for mention in mentions:
        if mention.before in _BY or (passive and mention.before in _GERMAN_BY):
            return mention
    if passive or any(mention.before in _GERMAN_BY for mention in mentions[:1]):
        return None
    return next((mention for mention in mentions if mention.before not in _PREPOSITIONS), None)


def _are_joined(text: str, mentions: list[_Mention], keys: set[str]) -> bool:
    shared = [mention for mention in mentions if mention.key in keys]
    return any(_JOINED.match(text[one.end : other.start]) for one, other in pairwise(shared))


def _said_once(mentions: list[_Mention], keys: set[str]) -> bool:
    """Whether each is mentioned once: a sentence that tells of both twice gives no order."""
    return all(sum(mention.key == key for mention in mentions) == 1 for key in keys)


def _anchors(said: Statement) -> Iterator[tuple[int, int, Value | str]]:
    for value in said.values:
        if value.kind in ("number", "date"):
            yield value.start, value.end, value
    for word in said.words:
        if word.text[0].isupper():
            for key in city_keys(word.text) or [word.folded]:
                yield word.start, word.end, key


def _is_same_anchor(one: Value | str, other: Value | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and same_name(one, other)
    return same(one, other)


def _mark(text: str, start: int) -> str:
    before = _word_before(text, start)
    if before in _SOURCE:
        return "source"
    if before in _TARGET:
        return "target"
    return "place" if before in _PLACED else ""


def _has_other_place(pair: Pair, mine: str) -> bool:
    return mine.startswith("city") and any(
        isinstance(its, str) and its.startswith("city") and its != mine and _mark(pair.passage.text, begin) == "place"
        for begin, _, its in _anchors(pair.passage)
    )


def _actors(said: Statement, span: tuple[int, int]) -> set[str]:
    return {key for number in within(said.words, *span) if (key := actor(said.words[number].folded))}


def _between(stated: list[Value], start: int, end: int) -> list[Value]:
    return [value for value in stated if start <= value.start < end]


def _window(said: Statement, value: Value) -> list[Word]:
    """Return the words that say what a value counts: some before it and some behind it, up to the next value."""
    start, end = next(((a, b) for a, b in said.clauses if a <= value.start < b), (0, len(said.text)))
    for other in said.values:
        if other.kind != value.kind or _is_year(other):
            continue
        if other.end <= value.start:
            start = max(start, other.end)
        elif other.start >= value.end:
            end = min(end, other.start)
    before = [
        said.words[number]
        for number in within(said.words, start, value.start)
        if not _stands_behind(said, said.words[number], value)
    ]
    behind = [said.words[number] for number in within(said.words, value.end, end)]
    return before[-_BEFORE:] + behind[:_AFTER]


def _stands_behind(said: Statement, word: Word, value: Value) -> bool:
    """Whether a word follows another number at once: the films of "190 films from 45 countries" are not the 45."""
    return any(0 <= word.start - other.end <= 1 and not other.unit for other in said.values if other is not value)


def _partners(said: Statement, value: Value) -> list[Value]:
    """Return the values that share their noun with `value`: the 212 of "212 der 1.380 Anträge"."""
    return [
        other
        for other in said.values
        if other is not value
        and not any(min(other.end, value.end) <= word.start < max(other.start, value.start) for word in said.words)
    ]


def _overlap(pair: Pair, window: list[Word], other: list[Word]) -> float | None:
    """Return how alike two windows are, None where the one of the passages is empty."""
    if not other:
        return None
    mine = [pair.claim.words.index(word) for word in window]
    its = [pair.passage.words.index(word) for word in other]
    return float(pair.alike[np.ix_(mine, its)].max(axis=1).mean())


def _is_rival(value: Value, other: Value) -> bool:
    """Whether `other` could stand in the place of `value`: of its kind, and another one."""
    return other.kind == value.kind and other.unit == value.unit and not same(value, other) and not same(other, value)


def _misplaced_name(pair: Pair) -> str | None:
    """A name whose clause fits that of another name much better than its own, the names apart."""
    for clause in pair.claim.clauses:
        mentions = _mentions(pair.claim, clause)
        keys = {mention.key for mention in mentions}
        named = {number for number in within(pair.claim.words, *clause) if _key(pair.claim, number)}
        rest = [number for number in within(pair.claim.words, *clause) if number not in named]
        if not keys or not rest:
            continue
        fits = [
            (_mean_alike(pair, rest, other), {mention.key for mention in _mentions(pair.passage, other)})
            for other in pair.passage.clauses
        ]
        own = max((fit for fit, its in fits if keys & its), default=None)
        rival = max((fit for fit, its in fits if its and not keys & its), default=0.0)
        if own is not None and rival > own + _BETTER:
            return pair.claim.text[slice(*clause)].strip()
    return None


def _mean_alike(pair: Pair, numbers: list[int], other: tuple[int, int]) -> float:
    its = within(pair.passage.words, *other)
    return float(pair.alike[np.ix_(numbers, its)].max(axis=1).mean()) if its else 0.0
