"""Numbers that follow from those of a text in one step: a sum, a rest, a share, a span of time (pure).

Only what stands in one sentence or in two that follow each other is put together, and only numbers of one unit: with
all pairs of a page, a wrong number would soon be found among their sums.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from rag.claim_parts import between
from rag.statements import Statement
from rag.values import Value

_FIRST_YEAR, _LAST_YEAR = 1000, 2200
_MONTHS, _MINUTES = 12, 60
# What makes a product of two numbers: "12 groups of 8 each".
_EACH = re.compile(r"\b(?:je|jeweils|jede[nrms]?|pro|each|every|per|po|każd\w+)\b", re.IGNORECASE)
# Numbers of a sentence that are put together.
_MOST = 6
# Of dates without one; it has no 29 February.
_ANY_YEAR = 2023


def follows(value: Value, said: Statement) -> bool:
    """Whether `value` follows from the numbers of `said`, without being one of them."""
    if value.kind != "number":
        return False
    spans = said.sentences
    two = [(one[0], other[1]) for one, other in pairwise(spans)]
    return any(
        _is(value, number) for span in [*spans, *two] for number in _derived(value, between(said.values, *span))
    ) or any(
        _is(value, number)
        for span in spans
        if _EACH.search(said.text, *span)
        for number in _products(between(said.values, *span))
    )


def _is(value: Value, number: float) -> bool:
    return any(math.isclose(mine, number, rel_tol=1e-9) for mine in value.numbers)


def _derived(value: Value, stated: Sequence[Value]) -> Iterator[float]:
    years = sorted({year for it in stated for year in _years_of(it)})
    counts = _counts(stated)
    if value.unit in ("year", ""):
        yield from (float(other - one) for one, other in combinations(years, 2))
    if _years_of(value):
        spans = [number for it in counts if it.unit == "year" for number in it.numbers]
        yield from (year + sign * span for year in years for span in spans for sign in (1, -1))
    if value.unit == "percent":
        yield from _shares(counts)
    elif value.unit in ("hour", "day", "month", "minute"):
        yield from _spans(value.unit, stated)
    alike = [it for it in counts if it.unit == value.unit or not (it.unit and value.unit)]
    yield from _sums(alike)


def _counts(stated: Sequence[Value]) -> list[Value]:
    return [it for it in stated if it.kind == "number" and it.unit != "ordinal" and not _years_of(it)]


def _products(stated: Sequence[Value]) -> Iterator[float]:
    numbers = [max(it.numbers) for it in _counts(stated)][:_MOST]
    return (one * other for one, other in combinations(numbers, 2))


def _sums(alike: Sequence[Value]) -> Iterator[float]:
    numbers = [max(it.numbers) for it in alike][:_MOST]
    for one, other in combinations(numbers, 2):
        yield one + other
        yield abs(one - other)
    if len(numbers) > 2:
        yield sum(numbers)


def _shares(counts: Sequence[Value]) -> Iterator[float]:
    """Yield percentages: the rest of one, and what one number is of another."""
    percent = [max(it.numbers) for it in counts if it.unit == "percent"]
    yield from (100 - number for number in percent)
    plain = [it for it in counts if it.unit != "percent"][:_MOST]
    for one, other in combinations(plain, 2):
        small, large = sorted((max(one.numbers), max(other.numbers)))
        if large and (one.unit == other.unit or not (one.unit and other.unit)):
            share = 100 * small / large
            yield from (float(round(share)), round(share, 1))


def _spans(unit: str, stated: Sequence[Value]) -> Iterator[float]:
    """Yield how long it is from one time of day, or date, to another."""
    clocks = [int(it.key) for it in stated if it.kind == "clock"][:_MOST]
    for opens, closes in combinations(clocks, 2):
        yield abs(closes - opens) / (_MINUTES if unit == "hour" else 1)
    dates = [it for it in stated if it.kind == "date" and it.month][:_MOST]
    for one, other in combinations(dates, 2):
        months = abs((other.month or 0) - (one.month or 0)) + _MONTHS * abs((other.year or 0) - (one.year or 0))
        if unit == "month" and bool(one.year) == bool(other.year):
            yield from (float(months), float(months + 1))
        if unit == "day" and one.day and other.day:
            yield from _days(one, other)


def _days(one: Value, other: Value) -> Iterator[float]:
    year = one.year or other.year or _ANY_YEAR
    try:
        first = datetime.date(one.year or year, one.month or 1, one.day or 1)
        last = datetime.date(other.year or year, other.month or 1, other.day or 1)
    except ValueError:  # 30 February
        return
    days = abs((last - first).days)
    yield from (float(days), float(days + 1))


def _years_of(value: Value) -> list[int]:
    if value.kind == "date":
        return [value.year] if value.year else []
    if value.kind == "number" and not value.unit:
        return [int(number) for number in value.numbers if _FIRST_YEAR <= number <= _LAST_YEAR and number.is_integer()]
    return []
