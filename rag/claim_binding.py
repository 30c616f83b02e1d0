"""The rule of the claim check for numbers and names that belong to something else (pure)."""

from __future__ import annotations

import numpy as np

from rag.claim_parts import Pair, between, is_rival, is_year, mentions_in, name_key
from rag.statements import Statement, Word, within
from rag.values import Value, same

# What a number belongs to is taken for something else where that fits better by at least this.
_BETTER = 0.25
# A clause that fits less says something else altogether.
_FITS = 0.5
_BEFORE, _AFTER = 3, 4


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
            if is_rival(value, its) and not any(same(partner, its) for partner in partners)
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
        has_own = any(key == owner and is_rival(value, its) for its, key in theirs)
        named = {mention.key for mention in mentions_in(pair.claim, (0, len(pair.claim.text)))}
        if has_own and owners and None not in owners and owner not in owners and not owners & named:
            return pair.claim.text[value.start : value.end]
    return None


def _owner(said: Statement, value: Value) -> str | None:
    """Return a key for the name or weekday that a value stands behind in its sentence, or before."""
    span = next((span for span in said.sentences if span[0] <= value.start < span[1]), None)
    if span is None or value.kind not in ("number", "clock"):
        return None
    named = [(mention.start, mention.key) for mention in mentions_in(said, span)]
    if value.kind == "clock":
        named = []
    named += [(it.start, f"weekday{it.key}") for it in between(said.values, *span) if it.kind == "weekday"]
    before = [key for start, key in sorted(named) if start < value.start]
    behind = [key for start, key in sorted(named) if start > value.start]
    return before[-1] if before else behind[0] if behind else None


def _other_time(pair: Pair) -> str | None:
    """A number of another time, city or name: where the passages give one for it, and it is not that of the claim."""
    for clause in pair.claim.clauses:
        stated = between(pair.claim.values, *clause)
        times = [value for value in stated if value.kind == "date" or is_year(value)]
        keys = {mention.key for mention in mentions_in(pair.claim, clause)}
        spans = [(span, between(pair.passage.values, *span)) for span in pair.passage.clauses]
        timed = [its for _, its in spans if any(same(time, it) for time in times for it in its)]
        named = [its for span, its in spans if any(m.key in keys for m in mentions_in(pair.passage, span))]
        for value in stated:
            if value.kind == "number" and value.unit and (_is_of(value, stated, timed) or _is_of(value, stated, named)):
                return pair.claim.text[value.start : value.end]
    return None


def _is_of(value: Value, stated: list[Value], groups: list[list[Value]]) -> bool:
    """Whether `groups` of values hold others in the place of `value`, which the claim does not state beside it."""
    rivals = [it for its in groups for it in its if is_rival(value, it)]
    here = any(same(value, it) for its in groups for it in its)
    return bool(rivals) and not here and not any(same(mine, rival) for mine in stated for rival in rivals)


def _window(said: Statement, value: Value) -> list[Word]:
    """Return the words that say what a value counts: some before it and some behind it, up to the next value."""
    start, end = next(((a, b) for a, b in said.clauses if a <= value.start < b), (0, len(said.text)))
    for other in said.values:
        if other.kind != value.kind or is_year(other):
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


def _misplaced_name(pair: Pair) -> str | None:
    """A name whose clause fits that of another name much better than its own, the names apart."""
    for clause in pair.claim.clauses:
        mentions = mentions_in(pair.claim, clause)
        parts = {number: name_key(pair.claim, number) for number in within(pair.claim.words, *clause)}
        named = {number for number, key in parts.items() if key}
        # With the parts of a name, too: of "Stadträtin Novak", the passages may go on to speak as "die Stadträtin".
        keys = {mention.key for mention in mentions} | {parts[number] for number in named}
        rest = [number for number in within(pair.claim.words, *clause) if number not in named]
        if not keys or not rest:
            continue
        fits = [
            (_mean_alike(pair, rest, other), {mention.key for mention in mentions_in(pair.passage, other)})
            for other in pair.passage.clauses
        ]
        own = max((fit for fit, its in fits if keys & its), default=None)
        rival = max((fit for fit, its in fits if its and not keys & its), default=0.0)
        if own is not None and rival > max(own + _BETTER, _FITS):
            return pair.claim.text[slice(*clause)].strip()
    return None


def _mean_alike(pair: Pair, numbers: list[int], other: tuple[int, int]) -> float:
    its = within(pair.passage.words, *other)
    return float(pair.alike[np.ix_(numbers, its)].max(axis=1).mean()) if its else 0.0
