"""What kind of answer a question asks for, and whether a sentence holds something of that kind (pure)."""

from __future__ import annotations

import re
from typing import Literal

AnswerType = Literal["none", "money", "clock", "year", "time", "number", "person", "place", "other"]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.VERBOSE)


# What no sentence of a document answers: an order to write, translate or forget something ... Words that begin a
# query as nouns too (Spiele, Dichte, print) are not among them.
_ORDER = _pattern(
    r"""^\W*(?:(?:bitte|please|proszę)\W+)?(
    (write|compose|translate|ignore|forget|disregard|pretend|act\ as|imagine|tell\ me\ a\ joke|
    summari[sz]e|rewrite|generate|create)\b|
    (schreibe?|verfasse|übersetze?|ignoriere?|vergiss|tu\ so|wiederhole|gib\ .{0,40}\ aus|
    stell\ dir\ vor|erzähl\w*\ (mir\ )?(bitte\ )?(einen\ witz|eine\ geschichte)|fasse?\ .{0,80}\ zusammen|erfinde|
    zeichne)\b|
    (napisz|przetłumacz|zignoruj|ignoruj|zapomnij|udawaj|opowiedz\ (mi\ )?(dowcip|bajkę|historię)|powtórz|wypisz|stwórz|
    wymyśl|streść|narysuj|zaśpiewaj)\b)"""
)
# ... and what is asked of the document as a thing, which its text does not say of itself.
_ABOUT_THE_DOCUMENT = _pattern(
    r"""\b(
    (this|the\ present)\ (news\ )?(article|document|page|text|press\ release|report|website)\b
        .*\b(published|written|posted|updated|created|uploaded)|
    (published|wrote|posted|authored|author\ of)\b.*\bthis\ (news\ )?(article|document|page|text|press\ release|report)|
    diese[rsmn]?\ (artikel|dokument|text|seite|meldung|pressemitteilung|beitrag|bericht)\w*\b
        .*\b(veröffentlicht|geschrieben|verfasst|erschienen|aktualisiert|erstellt)|
    (veröffentlichte|schrieb|verfasste|autor\w*)\b.*\bdiese[rsnm]?\ (artikel|text|seite|meldung|beitrag|bericht)\w*|
    (opublikowan\w+|napisa\w+|utworzon\w+|zaktualizowan\w+|autor\w*)\b
        .*\b(ten|tego|ta|tej|tę|to)\ (artykuł\w*|dokument\w*|stron\w+|tekst\w*|komunikat\w*|raport\w*)|
    (ten|ta|to)\ (artykuł|dokument|strona|tekst|komunikat|raport)\b.*\b(opublikowan|napisan|utworzon|zaktualizowan)\w*
    )"""
)
# In this order: what is more specific comes first.
_QUESTION: dict[AnswerType, re.Pattern[str]] = {
    "none": re.compile(f"{_ORDER.pattern}|{_ABOUT_THE_DOCUMENT.pattern}", _ORDER.flags),
    "money": _pattern(
        r"""\b(kostet|kosten|kostete|gebühr\w*|wie\ teuer|preis\w*|jahresbeitrag|eintritt|
        wie\ hoch\ (ist|sind|war|waren)\ (der|die|das)\s
        (\w*beitrag|etat|haushalt|förderung|summe|zuschuss|miete|\w*steuer)|
        costs?|fees?|price\w*|how\ expensive|budget|spent?|how\ much\ (money|did|does|has|is|was)|
        ile\ kosztuj\w+|kosztowa\w+|koszt\w*|opłat\w+|cena|ceny|budżet\w*|wydał\w*)\b"""
    ),
    "clock": _pattern(
        r"\b(um\ wie\ viel\ uhr|wie\ spät|uhrzeit|öffnungszeit\w*|geöffnet|what\ time|opening\ (hours|times)|o\ której|"
        r"godzin\w+)\b"
    ),
    "year": _pattern(
        r"""\b(gründungsjahr|baujahr|(in\ )?(welche[mnrs]?|what|which)\ (jahr\w*|year)|since\ which\ year|
        (w\ )?(którym|jakim|którego|jakiego)\ roku)\b"""
    ),
    "time": _pattern(
        r"""\b(wann|datum|termin|stichtag|frist|when|kiedy|odkąd|dokąd\ trwa|
        (welche[mnrs]?|what|which|którym|jakim|którego|jakiego|jakich)\ (genaue[mnrs]?\ )?
        (tag\w*|monat\w*|jahrhundert\w*|datum|zeitraum|woche\w*|date|days?|month|century|decade|dniu|dnia|dniach|
        miesiącu|wieku|terminie))\b"""
    ),
    "number": _pattern(
        r"""\b(wie\ ?viele?n?|wieviel\w*|wie\ (lange|hoch|groß|alt|weit|schnell|oft|schwer|breit|tief)|
        how\ (many|much|long|old|far|large|big|high|tall|fast|often|deep|wide)|
        ile|ilu|iloma|jak\ (długo|wysok\w+|dużo|często|daleko|duż\w+)|prozent\w*|percent\w*|procent\w*|anzahl|zahl|
        what\ (number|percentage|amount|share)|number\ of|liczb\w+)\b"""
    ),
    "person": _pattern(r"\b(wer|wen|wem|wessen|who|whom|whose|kto|kogo|komu|kim|czyj\w*)\b"),
    "place": _pattern(r"\b(wo|woher|wohin|ort|where|venue|gdzie|skąd|dokąd|adres\w*|miejsce)\b"),
}

MONTHS = "|".join(
    """
    januar februar märz april mai juni juli august september oktober november dezember january february march may
    june july october december stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października
    listopada grudnia
    """.split()
)
_CLOCK = r"\d{1,2}[:.]\d\d(\s|\b)|\d{1,2}\s(uhr|a\.m|p\.m)|godz\w*"
DAYS = r"""
    (mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|(mon|tues|wednes|thurs|fri|satur|sun)days?|poniedział\w+|
    wtor\w+|środ[aęy]|czwart\w+|piąt\w+|sobot[aęy]|niedziel[aęi]
"""
_SENTENCE: dict[AnswerType, re.Pattern[str]] = {
    "money": _pattern(
        r"€|\b(euro|eur|cent|zł\w*|pln|dollar\w*|kostenlos\w*|kostenfrei\w*|gebührenfrei\w*|free|bezpłat\w+)\b"
    ),
    "clock": _pattern(rf"\b({_CLOCK}|rund\ um\ die\ uhr|mittags?|noon|midnight)"),
    "year": _pattern(r"\b(1\d{3}|20\d\d)\b"),
    "time": _pattern(
        rf"""\b(1\d{{3}}|20\d\d)\b|\b\d{{1,2}}\.\s?\d{{1,2}}\.|\b({_CLOCK}|{MONTHS}|{DAYS}|jahrhundert\w*|century|wieku|
        heute|gestern|morgen|today|yesterday|(vor|nach|seit|in)\s\w+\s(jahr|monat|woche|tag)\w*|
        (years?|months?|weeks?|days?)\s(ago|after|before)|frühjahr|sommer|herbst|winter|spring|summer|autumn|wiosn\w+|
        jesie\w+)\b"""
    ),
    "number": _pattern(
        r"""\d|\b(zwei\w*|drei\w*|vier\w*|fünf\w*|sechs\w*|sieben\w*|acht|neun\w*|zehn\w*|elf|zwölf\w*|\w*hundert|
        \w*tausend|million\w*|milliarde\w*|hälfte|drittel|viertel|dutzend|two|three|four|five|six|seven|eight|nine|ten|
        eleven|twelve|hundred|thousand|half|third|dozens?|dwa|dwie|dwóch|trzy|trzech|cztery|czterech|pięć|pięciu|sześć|
        sześciu|siedem|siedmiu|osiem|dziewięć|dziesięć|sto|tysi\w+|milion\w*|połow\w+)\b"""
    ),
    # Two capitalised words in a row, or a title: somebody acts in this sentence.
    "person": re.compile(
        r"\b[A-ZÄÖÜŁŚŻ][\w-]+\s+(?:von\s+|van\s+|de\s+)?[A-ZÄÖÜŁŚŻ][\w-]+|\b(Dr|Prof|Frau|Herr|Mrs?|Ms|Pan|Pani)\b"
    ),
    "place": re.compile(
        r"\b(in|im|am|an|bei|beim|aus|nach|zu|zum|zur|auf|at|from|to|near|w|we|na|przy|z|ze|do|Ort|Wo|Where|Gdzie)\W+"
        r"(?:[a-zäöü]+\s+)?[A-ZÄÖÜŁŚŻ]|\b\w+(straße|platz|saal|haus|halle)\b|\bul\."
    ),
}


def answer_type(question: str) -> AnswerType:
    """Return what the question asks for; `other` where its words don't tell, `none` where no document can answer."""
    for kind, pattern in _QUESTION.items():
        if pattern.search(question):
            return kind
    return "other"


def holds(sentence: str, kind: AnswerType) -> float:
    """Return 1 where `sentence` holds something of that kind, -1 where not, 0 where nothing can be said."""
    if kind == "other":
        return 0.0
    return 1.0 if _SENTENCE[kind].search(sentence) else -1.0
