"""The rule of the claim check that asks back: is it the passages' answer to "who", where the claim says who? (pure)

A name in a claim is replaced by the question word: "Thomas Telford cast the bridge" becomes "who cast the bridge?". The
model that reads questions and passages together says where in the passages the answer is. Where that is at another
name, clearly more than at the claim's, the passages say it of somebody else. The idea is that of QA-based checks of
summaries (Durmus et al., "FEQA", 2020, arXiv:2005.03754).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rag.claim_parts import Mention, Pair, mentions_in, name_key
from rag.names import city_keys
from rag.statements import PARTED, Statement

# Given a question and texts, returns for each text its tokens' odds to be of the answer, and where they stand (n, 2).
Reading = Callable[[str, Sequence[str]], list[tuple[np.ndarray, np.ndarray]]]

_NO_VERB = "der|die|das|dem|den|des|in|im|am|an|auf|aus|um|vor|zum|zur|vom"
# What may stand in a sentence before a name of which can be asked, and the question word that then takes the place of
# the name and of the group `with`: what opens a sentence or clause, prepositions, and verbs that a subject follows.
_ASKED: dict[str, list[tuple[re.Pattern[str], str]]] = {
    "de": [
        (re.compile(r"^(?P<with>(?:(?:Der|Die|Das)\s(?:\w+\s){0,2}|(?:[A-ZÄÖÜ]\w+\s)?)?)$"), "wer"),
        (re.compile(r"\b(?:von|mit|bei|zu|nach|unter)\s(?P<with>(?:de[mnr]\s)?(?:[A-ZÄÖÜ]\w+\s)?)$"), "wem"),
        (re.compile(r"\b(?:durch|für|gegen|ohne)\s(?P<with>(?:de[mnr]\s|die\s)?(?:[A-ZÄÖÜ]\w+\s)?)$"), "wen"),
        (
            re.compile(rf"\b(?!(?:{_NO_VERB})\s)[a-zäöü]\w*\s(?P<with>)$"),
            "wer",
        ),
        (re.compile(r"[,;]\s(?:(?:weil|da|dass|und|wo|als)\s)?(?P<with>(?:der\s|die\s)?(?:[A-ZÄÖÜ]\w+\s)?)$"), "wer"),
    ],
    "en": [
        (re.compile(r"^(?P<with>)$"), "who"),
        (re.compile(r"^(?P<with>(?:The|A)\s(?:[a-z]+\s){1,2})$"), "who"),
        (re.compile(r"\b(?:by|with|for|against)\s(?P<with>(?:the\s(?:[a-z]+\s){1,2})?)$"), "whom"),
        (re.compile(r"(?:,|;|,?\b(?:and|that|because|when|after|before|while|so))\s(?P<with>)$"), "who"),
    ],
    "pl": [
        (re.compile(r"^(?P<with>(?:[A-ZŁŚŻĆ]\w+\s)?)$"), "kto"),
        (re.compile(r"\b(?:przez|dla)\s(?P<with>(?:[a-ząćęłńóśźż]+\s)?)$"), "kogo"),
        (re.compile(r"(?:,|,?\s(?:że|bo|a|i|gdy|kiedy))\s(?P<with>)$"), "kto"),
        (re.compile(r"\b(?:był|była|został|została)\s(?P<with>(?:[a-ząćęłńóśźż]+\s)?)$"), "kto"),
    ],
}
_WHOSE = {"de": "wessen", "en": "whose"}
# The end of a name, and how what follows begins, where the name owns it: "Kern's pictures", "Kerns Bilder".
_OWNS = {"de": re.compile(r"s\s[A-ZÄÖÜ]$"), "en": re.compile(r"['’]s?\s\w$")}
# A name that goes on behind it is a part of another one: "the Iron Bridge".
_GOES_ON = re.compile(r"^[\s-][A-ZÄÖÜŁŚŻĆ]|^-")
# Before a single word it says that this is a thing, of which nobody asks "who": "der Wiener Abend".
_ARTICLE = re.compile(r"\b(?:der|die|das|den|dem|the)\s(?:(\w+)\s)?$", re.IGNORECASE)
# How much more another name answers than the claim's own, in log odds.
_CLEARLY = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question made of a claim. `own` are the ranges of the passages that say what it says, `rivals` all others."""

    question: str
    said: str
    own: list[tuple[int, int]]
    rivals: list[tuple[int, int]]


def answered_otherwise(pair: Pair, reading: Reading) -> str | None:
    """A name that answers, in place of which the passages have another one."""
    return next((asked.said for asked in asked_of(pair) if margin(asked, pair, reading) < -_CLEARLY), None)


def asked_of(pair: Pair) -> Iterator[Asked]:
    """Yield a question for each name of the claim that the passages hold beside others."""
    theirs = [mention for span in pair.passage.sentences for mention in mentions_in(pair.passage, span)]
    mine = [mention for span in pair.claim.sentences for mention in mentions_in(pair.claim, span)]
    # With the parts of a name, too: where the passages go on to speak of "die Stadträtin", it is Novak.
    keys = {mention.key for mention in mine} | {name_key(pair.claim, number) for number in range(len(pair.claim.words))}
    for mention in mine:
        own = [(its.start, its.end) for its in theirs if its.key == mention.key]
        rivals = [(its.start, its.end) for its in theirs if its.key not in keys]
        question = _question(pair.claim, mention)
        if own and rivals and question and not mention.key.startswith("city") and not _is_thing(pair.claim, mention):
            yield Asked(question, pair.claim.text[mention.start : mention.end], own, rivals)


def margin(asked: Asked, pair: Pair, reading: Reading) -> float:
    """Return by how much the best place of what the claim says answers more than the best rival, in log odds."""
    own = rival = -np.inf
    start = 0
    texts = pair.passage.text.split(PARTED)
    for text, (odds, offsets) in zip(texts, reading(asked.question, texts), strict=True):
        own = max(own, _best(odds, offsets + start, asked.own))
        rival = max(rival, _best(odds, offsets + start, asked.rivals))
        start += len(text) + len(PARTED)
    return float(own - rival) if np.isfinite(own) and np.isfinite(rival) else 0.0


def _is_thing(claim: Statement, mention: Mention) -> bool:
    article = _ARTICLE.search(claim.text, 0, mention.start)
    single = " " not in claim.text[mention.start : mention.end]
    return bool(single and article and (not article[1] or city_keys(article[1])))


def _question(claim: Statement, mention: Mention) -> str | None:
    """Return the sentence with a question word for the name, None where nobody would ask so."""
    start, end = claim.sentence_at(mention.start)
    before, behind = claim.text[start : mention.start], claim.text[mention.end : end]
    language = claim.language or "de"
    if language in _OWNS and _OWNS[language].search(claim.text[mention.start : mention.end] + behind[:2]):
        return _asking(f"{before}{_WHOSE[language]}{behind}")
    if language != "de" and _GOES_ON.match(behind):
        return None
    for pattern, word in _ASKED.get(language, []):
        found = pattern.search(before)
        if found:
            return _asking(f"{before[: found.start('with')]}{word}{behind}")
    return None


def _asking(sentence: str) -> str:
    return sentence.strip().rstrip(".") + "?"


def _best(odds: np.ndarray, offsets: np.ndarray, spans: Sequence[tuple[int, int]]) -> float:
    inside = [(offsets[:, 1] > start) & (offsets[:, 0] < end) for start, end in spans]
    return max((float(odds[tokens].max()) for tokens in inside if tokens.any()), default=-np.inf)
