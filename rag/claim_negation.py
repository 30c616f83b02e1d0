"""The rule of the claim check for what is denied, or is the opposite of what the passages say (pure)."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from rag.claim_parts import Pair, between, mentions_in
from rag.claim_words import denies_softly, negation_span, negations, poles
from rag.language import WORD, fold
from rag.statements import Statement, within
from rag.values import same

# It stands between what is denied and what is affirmed.
_CONTRAST = re.compile(r"\b(?:sondern|aber|but|lecz|ale)\b")
# A clause that only says what is not meant: "and not on costumes".
_CONTRASTED = re.compile(r"\s*(?:(?:a|und|and|but|aber)\s)?(?:nie|not|nicht|kein\w*)\s", re.IGNORECASE)
# How many words a negation denies, and how near the like of one is: in the same language, and in another.
_SCOPE = 2
_HELD, _HELD_ABROAD = 0.6, 0.35
# Of two clauses that fit a claim almost alike, neither is nearer.
_NEARLY = 0.05
# A word rests on a clause where it is at least so alike to one of its words, and clearly less to all elsewhere.
_WELL, _CLEARLY, _MUCH = 0.5, 0.15, 0.4
# A German verb's particle at the end: "schließen ... an" is "anschließen", and not "schließen".
_PARTICLE = re.compile(r"\b(an|ab|auf|aus|ein|zu|um|vor|nach|bei|mit)\W*$")
_AND = re.compile(r"\s(?:und|and|oraz|i|a)\s")


def contradicted(pair: Pair) -> str | None:
    """A clause that denies what the passages say, or says the opposite."""
    for clause, others in pair.counterparts:
        if _CONTRASTED.match(pair.claim.text[slice(*clause)]) and not _opens_sentence(pair.claim, clause):
            continue  # "to Wilno, and not on costumes": what is said is in the clause before
        if (
            _says_opposite(pair, clause, others)
            or _is_opposite_of_value(pair, clause)
            or _rests_on_denial(pair, clause)
        ):
            return pair.claim.text[slice(*clause)].strip()
    return None


def _opens_sentence(said: Statement, clause: tuple[int, int]) -> bool:
    return any(start == clause[0] for start, _ in said.sentences)


def _says_opposite(pair: Pair, clause: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    """Compare ideas that both speak of; where there are none, whether both deny or both affirm."""
    mine = _signs(pair.claim, clause)
    agreeing, opposing = _compared(
        pair, mine, _of_same_name(pair, clause, mine) or [*others, *_same_idea(pair, clause, others)]
    )
    if opposing - agreeing or _nearest_opposes(pair, clause, mine):
        return True
    if agreeing or not others:
        return False
    return all(_denies_what_is_affirmed(pair, clause, other) for other in others) and not any(
        _is_contrasted(pair.passage, other) for other in others
    )


def _denies_what_is_affirmed(pair: Pair, clause: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one of two clauses denies what the other has the like of, and neither does so by a word like "unpaid"."""
    mine, its = pair.claim.text[slice(*clause)], pair.passage.text[slice(*other)]
    odd, its_odd = negations(mine) % 2, negations(its) % 2
    if odd == its_odd or denies_softly(mine) or denies_softly(its):
        return False
    if _sentence_denies(pair.claim, clause) == _sentence_denies(pair.passage, other):
        return False
    if odd:
        denied, said, alike = _denied(pair.claim, clause), within(pair.passage.words, *other), pair.alike
    else:
        denied, said, alike = _denied(pair.passage, other), within(pair.claim.words, *clause), pair.alike.T
    least = _HELD if pair.claim.language == pair.passage.language else _HELD_ABROAD
    return bool(denied and said and alike[np.ix_(denied, said)].max() >= least)


def _sentence_denies(said: Statement, clause: tuple[int, int]) -> int:
    return negations(said.text[slice(*said.sentence_at(clause[0]))]) % 2


def _denied(said: Statement, clause: tuple[int, int]) -> list[int]:
    """Return the words that a clause denies: some behind its negation, or where nothing follows, before it."""
    start, end = negation_span(said.text[slice(*clause)]) or (0, 0)
    behind = within(said.words, clause[0] + end, clause[1])
    return behind[:_SCOPE] or within(said.words, clause[0], clause[0] + start)[-_SCOPE:]


def _nearest_opposes(pair: Pair, clause: tuple[int, int], mine: dict[int, set[int]]) -> bool:
    """Whether, of the clauses that share an idea with the claim's, the one that fits best says its opposite."""
    for idea, signs in mine.items():
        found = [
            (_fit_without(pair, clause, other, idea), _signs(pair.passage, other).get(idea))
            for other in pair.passage.clauses
        ]
        known = [(fit, its) for fit, its in found if its]
        best = max((fit for fit, _ in known), default=0.0)
        if best >= _WELL and all(not signs & its for fit, its in known if fit >= best - _NEARLY):
            return True
    return False


def _fit_without(pair: Pair, clause: tuple[int, int], other: tuple[int, int], idea: int) -> float:
    """Return how well `other` covers a clause apart from its words for `idea`: who is exempt, and who pays."""
    mine = [
        number
        for number in within(pair.claim.words, *clause)
        if idea not in {known for known, _ in pair.claim.words[number].poles}
    ]
    its = within(pair.passage.words, *other)
    inside = between(pair.passage.values, *other)
    scores = [float(pair.alike[number, its].max()) if its else 0.0 for number in mine]
    scores += [float(any(same(value, it) for it in inside)) for value in between(pair.claim.values, *clause)]
    return sum(scores) / len(scores) if scores else 0.0


def _is_contrasted(said: Statement, clause: tuple[int, int]) -> bool:
    """Whether a clause stands in "not this but that", which denies one half and affirms the other."""
    start, end = said.sentence_at(clause[0])
    return bool(_CONTRAST.search(said.text, start, end)) and negations(said.text[start:end]) % 2 == 1


def _of_same_name(pair: Pair, clause: tuple[int, int], mine: dict[int, set[int]]) -> list[tuple[int, int]]:
    """Return clauses that speak of the same idea and of the same city, actor or name, where all others name another."""
    keys = {mention.key for mention in mentions_in(pair.claim, clause)}
    return [
        other
        for other in pair.passage.clauses
        if keys & {mention.key for mention in mentions_in(pair.passage, other)}
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
    for value in between(pair.claim.values, *clause):
        if value.kind in ("weekday", "season"):
            others = [
                other
                for other in pair.passage.clauses
                if any(same(value, its) for its in between(pair.passage.values, *other))
            ]
            agreeing, opposing = _compared(pair, mine, others)
            if opposing - agreeing:
                return True
    return False


def _rests_on_denial(pair: Pair, clause: tuple[int, int]) -> bool:
    """Whether much of an affirming clause has its counterpart in a clause that denies, and nowhere else."""
    numbers = within(pair.claim.words, *clause)
    text = pair.claim.text[slice(*clause)]
    if negations(text) or denies_softly(text) or not pair.alike.shape[1] or len(numbers) < 2:
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
