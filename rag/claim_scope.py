"""The rules of the claim check for "all" where the passages say less, and for facts that they only suppose (pure)."""

from __future__ import annotations

import re

from rag.claim_parts import Pair

# "All", "always", "only": a claim that says so needs passages that do, in whatever word.
_UNIVERSAL = re.compile(
    r"\b(?:all|alle[nr]?(?!\s(?:\d+|zwei|drei|vier|fünf|sechs|zehn|paar)\s(?:Minuten|Stunden|Tage|Wochen|Monate|Jahre))"
    r"|every(?!\s(?:\d+|two|three|four|five|six|ten|other|few)\b)|everyone|everybody|always|immer(?!\s(?:noch|wieder|mehr))"
    r"|zawsze|sämtliche\w*|gesamte\w*|whole|entire|wszyst\w+|cał[yaąe]\w*|jede[nrms]?|każd\w+|beliebig\w*|vollständig"
    r"|completely|całkowicie|ausschließlich|exclusively|solely|wyłącznie)\b",
    re.IGNORECASE,
)
_UNIVERSAL_HERE = re.compile(
    r"\b(?:all|alle[nrms]?|every\w*|each|always|only|never|jede[rnms]?|jeglich\w*|sämtliche\w*|immer|stets|nur|lediglich"
    r"|ausschließlich|bloß|ganz\w*|gesamt\w*|whole|entire(?:ly)?|exclusive\w*|sole(?:ly)?|wszyst\w+|każd\w+|zawsze|tylko"
    r"|wyłącznie|jedynie|jedyn\w+|nigdy|any\w*|complete\w*|vollständig\w*|komplett\w*|całkowi\w+|cał[yaąe]\w*|beliebig\w*"
    r"|unlimited|allein\w*|sofort|einzig\w*|kein\w*|no|none|nobody|niemand\w*|nie|nikt|żad\w+|nicht|not|both|beide\w*"
    r"|oba|obie|obu|per|je|pro|jeweils|co|täglich\w*|wöchentlich\w*|monatlich\w*|jährlich\w*|daily|weekly|monthly|yearly"
    r"|annual\w*|\w+\s?tags|rund um die Uhr)\b",
    re.IGNORECASE,
)
# What is planned, proposed, supposed or told of somebody.
_SUPPOSED = re.compile(
    r"\b(?:soll(?:en|te|ten)?|könnten?|dürften?|möchten?|geplant\w*|voraussichtlich|vorgesehen|vorgeschlagen|vermutlich"
    r"|angeblich|mutmaßlich|wahrscheinlich|möglicherweise|vielleicht|might|planned|expected|likely|probably|possibly"
    r"|perhaps|reportedly|allegedly|proposed|prawdopodobnie|podobno|rzekomo|zapewne|planowan\w+|proponowan\w+)\b",
    re.IGNORECASE,
)
_NOT_CERTAIN = re.compile(
    r"\b(?:wird|werden|würden?|will|woll\w+|plan\w*|wohl|offenbar|prüf\w*|erwäg\w*|beabsichtig\w*|hoff\w+|erwart\w*"
    r"|rechne\w*|schlug|vorschlag\w*|schl[aä]g\w*|empf[ioe]hl\w*|would|could|should|may|hope\w*|intend\w*|aim\w*|want\w*"
    r"|propos\w*|suggest\w*|seem\w*|believ\w*|thought|suppos\w*|assum\w*|expect\w*|estimat\w*|to be|is to|are to|due to"
    r"|ma|mają|miał[aoyi]?|powin\w+|moż\w+|mogą|chc\w+|zamierz\w*|oczekuj\w+|propon\w+|zapropon\w+|planuj\w*|będ\w+"
    r"|zostan\w+|vermut\w*|annehm\w*|nimmt|angenommen|laut|zufolge|according|według|Legende|legend\w*|umstritten|disputed"
    r"|frühestens|spätestens|earliest|latest|Ziel|goal|cel\w*|Entwurf|draft|projekt\w*)\b",
    re.IGNORECASE,
)
# How near the like of a word is that the passages speak of: in the same language, and in another.
_SPOKEN_OF, _SPOKEN_OF_ABROAD = 0.6, 0.25
# Beside less than this, a clause is no counterpart that says how sure something is.
_FITS = 0.45


def other_scope(pair: Pair) -> str | None:
    """A clause that says "all" or "always" of what the passages say no such thing of."""
    for clause, others in pair.counterparts:
        text = pair.claim.text[slice(*clause)]
        universal = _UNIVERSAL.search(text)
        if others and universal:
            said = any(_UNIVERSAL_HERE.search(pair.passage.text, *pair.passage.sentence_at(it[0])) for it in others)
            if not said or _is_of_other(pair, clause[0] + universal.end()):
                return text.strip()
    return None


def _is_of_other(pair: Pair, end: int) -> bool:
    """Whether what "all" is said of, the word behind it, is nothing that the passages speak of."""
    behind = next((number for number, word in enumerate(pair.claim.words) if word.start > end), None)
    least = _SPOKEN_OF if pair.claim.language == pair.passage.language else _SPOKEN_OF_ABROAD
    return behind is not None and bool(pair.covered[behind] < least)


def only_supposed(pair: Pair) -> str | None:
    """A clause that states as a fact what the passages call planned, proposed or likely."""
    if _SUPPOSED.search(pair.claim.text) or _NOT_CERTAIN.search(pair.claim.text):
        return None
    for clause, others in pair.counterparts:
        if (
            others
            and max(pair.fit(clause, other) for other in others) > _FITS
            and all(_SUPPOSED.search(pair.passage.text[slice(*other)]) for other in others)
        ):
            return pair.claim.text[slice(*clause)].strip()
    return None
