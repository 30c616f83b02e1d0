"""What kind of answer a question asks for, and whether a sentence holds something of that kind (pure)."""

from __future__ import annotations

import re
from typing import Literal

AnswerType = Literal["time", "number", "person", "place", "other"]

_QUESTION: dict[AnswerType, re.Pattern[str]] = {
    "time": re.compile(
        r"""\b(wann|seit\ wann|bis\ wann|gründungsjahr|datum|when|kiedy|
        (welche[mnrs]?|what|which|którym|jakim|którego|którym|jakiego)\ (genaue[mnrs]?\ )?
        (jahr\w*|tag\w*|monat\w*|jahrhundert\w*|datum|uhrzeit|zeitraum|year|date|day|month|century|decade|time|
        roku|dniu|dnia|miesiącu|wieku|latach)|what\ year|um\ wie\ viel\ uhr|o\ której)\b""",
        re.IGNORECASE | re.VERBOSE,
    ),
    "number": re.compile(
        r"""\b(wie\ ?viele?n?|wieviel\w*|wie\ (lange|hoch|groß|alt|weit|teuer|schnell|oft|schwer|breit|tief)|
        how\ (many|much|long|old|far|large|big|high|tall|fast|often|expensive|deep|wide)|
        ile|ilu|iloma|jak\ (długo|wysoki\w*|dużo|często|daleko|duż\w+)|prozent\w*|percent\w*|procent\w*|anzahl|
        what\ (number|percentage|amount|share))\b""",
        re.IGNORECASE | re.VERBOSE,
    ),
    "person": re.compile(r"\b(wer|wen|wem|wessen|who|whom|whose|kto|kogo|komu|kim|czyj\w*)\b", re.IGNORECASE),
    "place": re.compile(r"\b(wo|woher|wohin|where|gdzie|skąd|dokąd)\b", re.IGNORECASE),
}

_MONTHS = (
    "januar februar märz april mai juni juli august september oktober november dezember january february march may "
    "june july october december stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października "
    "listopada grudnia"
)
_TIME = re.compile(
    rf"""\b(1\d{{3}}|20\d\d)\b|\b\d{{1,2}}\.\s?\d{{1,2}}\.|\b\d{{1,2}}[:.]\d\d\b|\b\d{{1,2}}\s(Uhr|a\.m|p\.m)|
    \b({"|".join(_MONTHS.split())})\b|
    \b(jahrhundert\w*|heute|gestern|morgen|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?|
    century|today|yesterday|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|wieku|
    poniedziałek|wtorek|środ[aęy]|czwartek|piątek|sobot[aęy]|niedziel[aęi]|(vor|nach|seit)\s\w+\s(jahr|monat|woche|tag)\w*|
    (years?|months?|weeks?|days?)\sago|lat\stemu|frühjahr|sommer|herbst|winter|spring|summer|autumn|wiosn\w+|jesie\w+)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(
    r"""\d|\b(zwei\w*|drei\w*|vier\w*|fünf\w*|sechs\w*|sieben\w*|acht|neun\w*|zehn\w*|elf|zwölf\w*|
    \w*hundert|\w*tausend|million\w*|milliarde\w*|hälfte|drittel|viertel|dutzend|one|two|three|four|five|six|seven|
    eight|nine|ten|hundred|thousand|half|dozens?|dwa|dwie|dwóch|trzy|trzech|cztery|pięć|sześć|siedem|osiem|dziewięć|
    dziesięć|sto|tysiąc\w*|milion\w*|połow\w+)\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Two capitalised words in a row, or a title or pronoun: somebody acts in this sentence.
_PERSON = re.compile(
    r"\b[A-ZÄÖÜŁŚŻ][\w-]+\s+(?:von\s+|van\s+|de\s+)?[A-ZÄÖÜŁŚŻ][\w-]+|\b(Dr|Prof|Frau|Herr|Mrs?|Pan|Pani)\b"
)
_PLACE = re.compile(
    r"\b(in|im|am|an|bei|aus|nach|zu|auf|at|from|to|near|w|we|na|przy|z|ze|do)\s+(?:[a-zäöü]+\s+)?[A-ZÄÖÜŁŚŻ]"
)
_SENTENCE: dict[AnswerType, re.Pattern[str]] = {
    "time": _TIME,
    "number": _NUMBER,
    "person": _PERSON,
    "place": _PLACE,
}


def answer_type(question: str) -> AnswerType:
    """Return what the question asks for; `other` where its words don't tell."""
    for kind, pattern in _QUESTION.items():
        if pattern.search(question):
            return kind
    return "other"


def holds(sentence: str, kind: AnswerType) -> float:
    """Return 1 where `sentence` holds something of that kind, -1 where not, 0 where nothing can be said."""
    if kind == "other":
        return 0.0
    return 1.0 if _SENTENCE[kind].search(sentence) else -1.0
