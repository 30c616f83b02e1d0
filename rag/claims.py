"""Is a sentence supported by the passages that it cites? (pure; a model's similarities may be passed in)

Rules come first, each for one way in which a formulated sentence goes wrong: another number, date, file number, unit,
city or name; a negation or its opposite; who did what to whom; a number that belongs to something else. What passes
them must be covered in meaning: no content word of the sentence may be without a counterpart in the passages. Then
it is asked back: where the passages answer "who did that?" with another name, the sentence is not supported.
Measured by `python -m tests.bench.claims`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rag.claim_binding import belongs_elsewhere
from rag.claim_negation import contradicted
from rag.claim_parts import Pair, is_named
from rag.claim_reading import Reading, answered_otherwise
from rag.claim_roles import other_actor, other_agent, other_direction, other_giver, other_recipient, other_role
from rag.claim_scope import only_supposed, other_scope
from rag.claim_values import missing_city, missing_name, missing_value
from rag.language import WORD
from rag.statements import PARTED, Statement, spelling_similarity, statement, within

Reason = Literal[
    "",
    "value",
    "city",
    "name",
    "negation",
    "role",
    "actor",
    "direction",
    "binding",
    "scope",
    "modality",
    "meaning",
    "attribution",
    "fragment",
]
Similarity = Callable[[Statement, Statement], np.ndarray]

# Least coverage of a supported clause: half-way between the highest of the invented and the lowest of the true ones of
# the development half where they lie apart; across languages they don't, and the one true one below is given up.
_CLAUSE_WORDS = 3
_FEWEST_WORDS = 2
_SAME_LANGUAGE = 0.55
_OTHER_LANGUAGE = 0.42
# Words of one language that have no counterpart worth the name: so many, spread over clauses that pass, are a sentence
# of its own making.
_STRAY = 4

_RULES: tuple[tuple[Reason, Callable[[Pair], str | None]], ...] = (
    ("value", missing_value),
    ("city", missing_city),
    ("name", missing_name),
    ("negation", contradicted),
    ("role", other_role),
    ("role", other_agent),
    ("role", other_recipient),
    ("role", other_giver),
    ("direction", other_direction),
    ("actor", other_actor),
    ("binding", belongs_elsewhere),
    ("scope", other_scope),
    ("modality", only_supposed),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence is supported; where not, the rule that says so and the words it says so of."""

    supported: bool
    reason: Reason = ""
    detail: str = ""


def check_claim(
    sentence: str,
    passages: Sequence[str],
    *,
    language: str | None = None,
    passage_language: str | None = None,
    similarity: Similarity | None = None,
    reading: Reading | None = None,
) -> Verdict:
    """Tell whether `sentence` says nothing but what `passages` say.

    Args:
        passages: the texts that the sentence cites, each with its title in front where that names the topic.
        language: of the sentence; `passage_language`: of the passages.
        similarity: gives the cosine of each word of the sentence to each word of the passages. Without one, words are
            compared by spelling alone, and true translations are not recognised.
        reading: says where in a text the answer to a question stands. Without one, it is not asked back.
    """
    claim, passage = statement(sentence, language), statement(PARTED.join(passages), passage_language)
    if _is_fragment(claim):
        return Verdict(False, "fragment")
    pair = pair_of(claim, passage, similarity)
    for reason, rule in _RULES:
        detail = rule(pair)
        if detail is not None:
            return Verdict(False, reason, detail)
    least, detail = coverage(pair)
    if least < (_SAME_LANGUAGE if language == passage_language else _OTHER_LANGUAGE):
        return Verdict(False, "meaning", detail)
    stray = _stray(pair) if language == passage_language else []
    if len(stray) >= _STRAY:
        return Verdict(False, "meaning", ", ".join(stray))
    answered = answered_otherwise(pair, reading) if reading else None
    return Verdict(True) if answered is None else Verdict(False, "attribution", answered)


def _is_fragment(claim: Statement) -> bool:
    """Whether it is a single word, or but names and values: "6" says nothing that passages could support."""
    words = [
        match.start()
        for match in WORD.finditer(claim.text)
        if not any(value.start <= match.start() < value.end for value in claim.values)
    ]
    named = {word.start for number, word in enumerate(claim.words) if is_named(claim, number)}
    return named.issuperset(words) or (len(words) < _FEWEST_WORDS and not claim.values)


def pair_of(claim: Statement, passage: Statement, similarity: Similarity | None) -> Pair:
    """Return both statements with how alike their words are."""
    alike = spelling_similarity(claim, passage)
    if similarity is not None and alike.size:
        alike = np.maximum(alike, similarity(claim, passage))
    return Pair(claim, passage, alike)


def coverage(pair: Pair) -> tuple[float, str]:
    """Return how well the least covered clause of the claim is covered, 0 to 1, and what it says.

    Its values, which the rules have found in the passages, count as covered; names, which say nothing by themselves,
    don't count. A clause of a word or two is too little to
    be judged by itself.
    """
    clauses = [span for span in pair.claim.clauses if len(within(pair.claim.words, *span)) >= _CLAUSE_WORDS]
    found = [
        (_mean(pair, start, end), pair.claim.text[start:end].strip())
        for start, end in [(0, len(pair.claim.text)), *clauses]
    ]
    return min(found)


def _stray(pair: Pair) -> list[str]:
    words = enumerate(pair.claim.words)
    return [word.text for n, word in words if pair.covered[n] < _SAME_LANGUAGE and not is_named(pair.claim, n)]


def _mean(pair: Pair, start: int, end: int) -> float:
    numbers = within(pair.claim.words, start, end)
    scores = [float(pair.covered[number]) for number in numbers if not is_named(pair.claim, number)]
    scores += [1.0 for value in pair.claim.values if start <= value.start < end]
    return sum(scores) / len(scores) if scores else 1.0
