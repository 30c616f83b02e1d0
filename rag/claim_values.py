"""The rules of the claim check for values, cities and names that the passages don't hold (pure)."""

from __future__ import annotations

import re

from rag.claim_parts import PLACE, TITLES, Pair, is_name, opens
from rag.language import WORD, fold
from rag.names import city_keys
from rag.statements import Statement, same_name
from rag.values import Value, same

# A plain German noun beside another one is no name where the passages have its counterpart.
_COUNTERPART = 0.8
# In another language, a name that is a noun ("Festiwal") is at least so near to its counterpart.
_TRANSLATED = 0.62
# Characters between a number and how often it falls due.
_NEAR = 30


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
        if not is_name(pair.claim, number) or city_keys(word.text):
            continue
        if opens(pair.claim, word) and pair.claim.language != "de" and pair.covered[number] >= _COUNTERPART / 2:
            continue  # "Basen Südpark": a noun has a capital where it opens a sentence
        if word.folded in TITLES and pair.covered[number] > _COUNTERPART / 2:
            continue
        parts = [word.folded, *map(fold, _parts(word.text))]
        if any(same_name(part, other) for part in parts for other in named):
            continue
        if PLACE.fullmatch(word.folded) and any(other.endswith(word.folded) for other in named):
            continue  # the "Waldfriedhof" is a "Friedhof"
        if pair.claim.language != pair.passage.language and pair.covered[number] >= _TRANSLATED:
            continue
        if pair.claim.language == "de" and not PLACE.fullmatch(word.folded) and pair.covered[number] >= _COUNTERPART:
            continue
        return word.text
    return None


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
