"""The rules of the claim check for who does what to whom, from where and to where (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rag.claim_parts import PREPOSITIONS, Mention, Pair, mentions_in, word_before
from rag.claim_words import actor
from rag.names import city_keys
from rag.statements import Statement, same_name, within
from rag.values import Value, same

_BY = frozenset("by przez".split())
_GERMAN_BY = frozenset("von vom durch".split())
_PASSIVE = re.compile(r"\b(?:wurden?|worden|werden|wird)\b")
# "Sie wurde Vorsitzende" is no passive.
_PARTICIPLE = re.compile(r"\b(?!gegen\b)(?:\w*ge\w+(?:t|en)|(?:be|er|ver|ent|zer|über|unter)\w+(?:t|en)|\w+iert)\b")
# Who is something does nothing to anybody, in whatever order both are named.
_COPULA = re.compile(r"\b(?:ist|sind|war|waren|is|are|was|were|jest|są|był|była|byli)\b(?!\s\w+(?:ed|en|t)\b)")
_SOURCE = frozenset("von vom aus from z ze od".split())
_TARGET = frozenset("auf nach zu zum zur an to into do na".split())
_PLACED = frozenset("in im w we".split())
_GIVES = re.compile(r"\b(?:to|an|do|dla)\s+(?:the\s|die\s|das\s|den\s)?(?:city|Stadt|miast\w*|[A-ZŁŚŻ]\w+)")
_JOINED = re.compile(r"^\W*(?:und|and|i|oraz|sowie|&)\W+(?:\w+\W+)?$")


def other_role(pair: Pair) -> str | None:
    """Two actors that have changed places: who lent is now the one who borrowed."""
    for clause, others in pair.counterparts:
        for other in others or pair.passage.sentences:
            changed = _changed_places(pair, clause, other)
            if changed:
                return changed
    for span in pair.claim.sentences:  # "X won and prevailed against Y" has both in two clauses
        for other in pair.passage.sentences:
            if _tell_of_the_same_two(pair, span, other) and (changed := _changed_places(pair, span, other)):
                return changed
    return None


def _changed_places(pair: Pair, span: tuple[int, int], other: tuple[int, int]) -> str | None:
    """Return who acts in `span` of the claim, where in `other` of the passages another one does it to them."""
    mine, its = mentions_in(pair.claim, span, pair.names), mentions_in(pair.passage, other)
    shared = {mention.key for mention in mine} & {mention.key for mention in its}
    if len(shared) < 2 or _are_joined(pair.claim.text, mine, shared) or _are_one(pair.claim.text, mine, shared):
        return None
    if _are_joined(pair.passage.text, its, shared):
        return None
    if _COPULA.search(pair.claim.text, *span):
        return None
    who, whose = _agent(pair.claim.text[slice(*span)], mine), _agent(pair.passage.text[slice(*other)], its)
    if who and whose and who.key != whose.key and {who.key, whose.key} <= shared and _said_once(its, shared):
        return pair.claim.text[who.start : who.end]
    return None


def _tell_of_the_same_two(pair: Pair, span: tuple[int, int], other: tuple[int, int]) -> bool:
    mine = {mention.key for mention in mentions_in(pair.claim, span, pair.names)}
    return len(mine) == 2 and mine == {mention.key for mention in mentions_in(pair.passage, other)}


def other_agent(pair: Pair) -> str | None:
    """Somebody who does what another one does in the passages, both of whom the claim names."""
    for start, end in pair.claim.sentences:
        keys = {mention.key for mention in mentions_in(pair.claim, (start, end), pair.names)}
        for clause, others in pair.counterparts:
            if not (start <= clause[0] < end and others):
                continue
            mine = mentions_in(pair.claim, clause, pair.names)
            who = _agent(pair.claim.text[slice(*clause)], mine)
            theirs = [mentions_in(pair.passage, other) for other in others]
            agents = [_agent(pair.passage.text[slice(*other)], its) for other, its in zip(others, theirs, strict=True)]
            if who and all(
                agent
                and agent.key != who.key
                and agent.key in keys
                and all(its.key != who.key for its in mentions)
                and not _are_one(pair.claim.text, mine, {who.key, agent.key})
                for agent, mentions in zip(agents, theirs, strict=True)
            ):
                return pair.claim.text[who.start : who.end]
    return None


def other_recipient(pair: Pair) -> str | None:
    """An actor that gets what it gives in the passages, from another one that they name."""
    givers = [
        _agent(pair.passage.text[slice(*span)], mentions_in(pair.passage, span)) for span in pair.passage.sentences
    ]
    known = {mention.key for span in pair.passage.sentences for mention in mentions_in(pair.passage, span)}
    giving = {mention.key for mention in givers if mention}
    for span in pair.claim.sentences:
        mentions = mentions_in(pair.claim, span)
        who = _agent(pair.claim.text[slice(*span)], mentions)
        for mention in mentions:
            is_given = _mark(pair.claim.text, mention.start) == "target" or mention.before == "of"
            if who and who.key in known and who.key not in giving and is_given and mention.key in giving - {who.key}:
                return mention.key
    return None


def other_giver(pair: Pair) -> str | None:
    """An actor that gives something away which the passages say it was given."""
    for span in pair.claim.sentences:
        who = _agent(pair.claim.text[slice(*span)], mentions_in(pair.claim, span))
        if who is None or not _GIVES.search(pair.claim.text, *span):
            continue
        marks = [
            _mark(pair.passage.text, its.start)
            for other in pair.passage.sentences
            for its in mentions_in(pair.passage, other)
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


def _agent(text: str, mentions: list[Mention]) -> Mention | None:
    passive = bool(_PASSIVE.search(text) and _PARTICIPLE.search(text))
    for mention in mentions:
        if mention.before in _BY or (passive and mention.before in _GERMAN_BY):
            return mention
    if passive or any(mention.before in _GERMAN_BY for mention in mentions[:1]):
        return None
    return next((mention for mention in mentions if mention.before not in PREPOSITIONS), None)


def _are_joined(text: str, mentions: list[Mention], keys: set[str]) -> bool:
    shared = [mention for mention in mentions if mention.key in keys]
    return any(_JOINED.match(text[one.end : other.start]) for one, other in pairwise(shared))


def _are_one(text: str, mentions: list[Mention], keys: set[str]) -> bool:
    """Whether two of them stand side by side: "der Lübecker Bahnhof" is one thing."""
    shared = [mention for mention in mentions if mention.key in keys]
    return any(text[one.end : other.start].isspace() for one, other in pairwise(shared))


def _said_once(mentions: list[Mention], keys: set[str]) -> bool:
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
    before = word_before(text, start)
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
