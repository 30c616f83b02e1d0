"""The rules of the claim check for values, cities and names that the passages don't hold (pure)."""

from __future__ import annotations

import re

from rag.claim_parts import PLACE, STREET, TITLES, Pair, is_name, opens
from rag.language import WORD, fold
from rag.names import city_keys
from rag.names_abroad import known_name, sounds_alike
from rag.reckoning import follows
from rag.statements import Statement, same_name, same_root
from rag.values import Value, same

# A plain German noun beside another one is no name where the passages have its counterpart.
_COUNTERPART = 0.8
# In another language, a name that is a noun ("Festiwal") is at least so near to its counterpart.
_TRANSLATED = 0.62
# A German word for a bridge, way or yard names one or is any: in another language its like is further away.
_PLACE = 0.3
_WITHIN = 4
# Words for two.
_PAIR = re.compile(
    r"\b(?:beide\w*|both|oba|obie|obu|doppel\w*|twice|zweimal\w*|dwukrot\w*|double\w*|podw[óo]j\w*|paar|pair|para|zwilling\w*)\b",
    re.IGNORECASE,
)
# Characters between a number and how often it falls due.
_NEAR = 30


def missing_value(pair: Pair) -> str | None:
    """A number, date, time or file number that the passages don't state, and that no reckoning gives."""
    for value in pair.claim.values:
        if value.kind == "rate" and not _is_rate_of_number(pair.claim, value):
            continue
        if not (
            _stated(value, pair.passage.values)
            or (value.numbers == {2.0} and _PAIR.search(pair.passage.text))
            or follows(value, pair.passage)
        ):
            return pair.claim.text[value.start : value.end]
    return None


def missing_city(pair: Pair) -> str | None:
    """A city that the passages don't name."""
    return next((key for key in city_keys(pair.claim.text) if key not in pair.passage.cities), None)


def missing_name(pair: Pair) -> str | None:
    """A name that the passages don't hold in any case, nor as another language writes it."""
    named = {part for match in WORD.finditer(pair.passage.text) for part in _parts(match.group())}
    folded = {fold(other) for other in named}
    for number, word in enumerate(pair.claim.words):
        if is_name(pair.claim, number) and not city_keys(word.text) and not _is_held(pair, number, named, folded):
            return word.text
    return None


def _is_held(pair: Pair, number: int, named: set[str], folded: set[str]) -> bool:
    """Whether the passages hold a word with a capital, or it is a noun that they hold the like of."""
    word, covered = pair.claim.words[number], pair.covered[number]
    translated = pair.claim.language != pair.passage.language
    if opens(pair.claim, word) and pair.claim.language != "de" and covered >= _COUNTERPART / 2:
        return True  # "Basen Südpark": a noun has a capital where it opens a sentence
    if word.folded in TITLES and (translated or covered > _COUNTERPART / 2):
        return True
    parts = [word.text, *_parts(word.text)]
    if any(_is_form(fold(part), other) for part in parts for other in folded):
        return True
    place = PLACE.fullmatch(word.folded)
    if place and any(other.endswith(word.folded) for other in folded):
        return True  # the "Waldfriedhof" is a "Friedhof"
    if translated:
        return covered >= (_PLACE if place and not STREET.fullmatch(word.folded) else _TRANSLATED) or any(
            _is_abroad(part, other) for part in parts for other in named
        )
    if any(known_name(part) and known_name(part) == known_name(other) for part in parts for other in named):
        return True
    return pair.claim.language == "de" and not place and bool(covered >= _COUNTERPART)


def _is_form(name: str, other: str) -> bool:
    """Whether `other` is `name` in another case, or begins with it: "Iron Bridge" and "Ironbridge"."""
    begins = len(name) >= _WITHIN and other.startswith(name)
    return begins or same_name(name, other) or same_root(name, other)


def _is_abroad(name: str, other: str) -> bool:
    """Whether `other` is `name` in another language."""
    known = known_name(name)
    if known is not None:
        return known == known_name(other)
    return other[0].isupper() and sounds_alike(name, other)


def _stated(value: Value, stated: list[Value]) -> bool:
    if any(same(value, other) for other in stated):
        return True
    if value.kind == "date" and value.day is not None and value.year is None:  # "ab September 25 junge Menschen"
        plain = {reading for it in stated if it.kind == "number" for reading in it.numbers}
        if value.day in plain and any(
            it.kind == "date" and it.month == value.month and it.day is None for it in stated
        ):
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
