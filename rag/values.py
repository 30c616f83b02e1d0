"""Numbers, dates, times and file numbers of a text, put into one form for German, English and Polish (pure).

`15. Oktober 2025`, `October 15, 2025`, `15 października 2025 r.` and `15.10.2025` give the same value, and so do
`2,4 Millionen Euro`, `2.4 million euros` and `2,4 mln euro`. What can be read in two ways (`1.250`) keeps both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from rag.language import fold
from rag.number_words import EVERY, FRACTIONS, MEASURES, NUMBER_WORDS, SCALES, UNITS
from rag.spelled_numbers import spelled_numbers, unit_of

Kind = Literal["code", "date", "season", "weekday", "clock", "rate", "number"]

_MONTH_FORMS = """
januar january jan janner styczen stycznia styczniu
februar february feb luty lutego lutym
marz march mar marzec marca marcu
april apr kwiecien kwietnia kwietniu
mai may maj maja maju
juni june jun czerwiec czerwca czerwcu
juli july jul lipiec lipca lipcu
august aug sierpien sierpnia sierpniu
september sept sep wrzesien wrzesnia wrzesniu
oktober october okt oct pazdziernik pazdziernika pazdzierniku
november nov listopad listopada listopadzie
dezember december dez dec grudzien grudnia grudniu
"""
_WEEKDAY_STEMS = """
montag monday poniedzial
dienstag tuesday wtorek wtork
mittwoch wednesday sroda srode srody srodzie
donnerstag thursday czwartk czwartek
freitag friday piatk piatek
samstag sonnabend saturday sobot
sonntag sunday niedziel
werktag weekday robocz
wochenend weekend
"""
# Feasts are names, not days of the week.
_FEASTS = re.compile(r"\b(?:rose|good|holy|easter|whit|black|ash|maundy|palm|wielki|wielka)\s$", re.IGNORECASE)
_SEASON_FORMS = """
fruhjahr fruhling spring wiosna wiosne wiosny
sommer summer lato latem
herbst autumn jesien jesienia jesieni
winter zima zimie
"""
MONTHS = {form: number for number, line in enumerate(_MONTH_FORMS.split("\n")[1:-1], 1) for form in line.split()}
_WEEKDAYS = {stem: number for number, line in enumerate(_WEEKDAY_STEMS.split("\n")[1:-1], 1) for stem in line.split()}
_SEASONS = {form: number for number, line in enumerate(_SEASON_FORMS.split("\n")[1:-1], 1) for form in line.split()}
# "Winterpause", "überwintern", "zimują": the season within a word.
_SEASON_WITHIN = re.compile(r"(winter(?!th)|sommer|herbst|fruhjahr|fruhling|zim(?=ow|uj))")
_POLISH_WINTER = {"zim": "zima"}
# English words that are months with a capital alone, and abbreviations that need a number beside them.
_CAPITAL_ALONE = frozenset({"may", "march"})
_BESIDE_NUMBER = frozenset("jan feb mar apr jun jul aug sept sep okt oct nov dez dec".split())

_LETTERS = r"[^\W\d_]"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:\.|st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>[12]\d{3}))"
_WORD = re.compile(rf"{_LETTERS}+")
_ISO = re.compile(r"\b(?P<year>[12]\d{3})-(?P<month>[01]\d)-(?P<day>[0-3]\d)\b")
_NUMERIC = re.compile(
    r"(?<![\d.,])(?P<day>[0-3]?\d)(?:\.\s?(?P<month>[01]?\d)\.(?:\s?(?P<year>[12]\d{3}))?|/(?P<m2>[01]?\d)/(?P<y2>[12]\d{3}))"
    r"(?!\d)"
)
_DAY_MONTH = re.compile(rf"(?<![\d.,]){_DAY}\s+(?:of\s+)?(?P<name>{_LETTERS}{{3,12}})\b\.?{_YEAR}?")
_MONTH_DAY = re.compile(rf"\b(?P<name>{_LETTERS}{{3,9}})\b\.?\s+{_DAY}(?![\d:]|[.,]\d){_YEAR}?")
_MONTH_YEAR = re.compile(rf"\b(?P<name>{_LETTERS}{{3,12}})\b\.?\s+(?:of\s+)?(?P<year>[12]\d{{3}})\b")
_FIRST_DAY = re.compile(
    r"(?<![\d.,])(?P<day>[0-3]?\d)(?:\.|st|nd|rd|th)?\s*(?:-|bis(?:\szum)?|und|to|and|until|do|i|oraz)\s*(?:the\s)?$"
)
_LAST_DAY = re.compile(r"\s*(?:-|to|and|until)\s*(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?![.,:]?\d)")
# Letters or digits joined by strokes, with a digit among them: 61-17/24, V/0456/2024, BV-2023-117.
_CODE = re.compile(r"(?<![\w./-])(?=[\w./-]*\d)(?=[\w.-]*[/-])[A-ZÄÖÜ\d]+(?:[./-][A-ZÄÖÜ\d]+)+(?![\w/])")
_RANGE = re.compile(r"\d+(?:[.,]\d+)?-\d+(?:[.,]\d+)?")
_TELEPHONE = re.compile(r"(?<![\w.,])(?:\+\d{1,3}[\s/-]?|0)\d{1,5}(?:[\s/()-]{1,2}\d{2,})+")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?<![\d.,])(?P<hour>[0-2]?\d)(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>[ap]\.?m\b\.?|Uhr\b|o'clock)"
    r"|(?<![\d.,])(?P<h2>[0-2]?\d):(?P<m2>[0-5]\d)(?!\d)"
    r"|\b(?:godz\.|godzin\w+|o)\s+(?:od\s+)?(?P<h3>[0-2]?\d)(?:[:.](?P<m3>[0-5]\d))?(?![\d,])",
    re.IGNORECASE,
)
# The opening hour of a range whose closing hour has the sign: "von 9 bis 19 Uhr", "from 9 to 11 a.m.", "godz. 9-19".
_FIRST_HOUR = re.compile(r"(?<![\d.,])(?P<hour>[0-2]?\d)(?:[:.](?P<minute>[0-5]\d))?\s*(?:-|bis|und|to|and|do|i)\s*$")
_LAST_HOUR = re.compile(r"\s*(?:-|bis|to|until|do|a)\s*(?P<hour>[0-2]?\d)(?:[:.](?P<minute>[0-5]\d))?(?![\d%])")
_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)(?=\D|$)")
_UNIT = re.compile(r"\s?-?(?P<unit>%|°C|€|\$|£|[^\W\d_]+[²³23]?(?:/h)?)")
_CURRENCY_BEFORE = re.compile(r"(?P<unit>€|\$|£|EUR|USD|PLN)\s?$")
_PER_HOUR = re.compile(r"\s(?:(?:pro|je|in der) Stunde|(?:an|per) hour|na godzinę)\b")
_CENTURY = re.compile(r"\b(?P<number>[IVX]+)(?:\.\s(?=Jahrhundert)|\s(?=wiek|w\.))")
_ROMAN = {"I": 1, "V": 5, "X": 10}
_FRACTION = re.compile(
    r"\b(?P<count>[^\W\d_]+)[\s-]"
    r"(?P<part>(?:third|quarter|fifth|sixth|eighth|tenth)(?=\s(?:of|more|less|fewer|higher|lower|cheaper|longer|shorter)\b)"
    r"|(?<=every\s)(?:third|fourth|fifth|tenth)|(?!(?:third|fifth|sixth|eighth|tenth)\b)[^\W\d_]{5,})\b"
)
_ONE_WORDS = frozenset("ein einem eines a one jedna jedną jednej jedna".split())
_EVERY_WORDS = frozenset("jede jeder jedes jeden every co".split())
# How often something falls due: "pro Jahr" and "rocznie", not "im Jahr 2025".
_RATES = {
    "day": r"(?:pro|am|je|jede[nr]) Tag|täglich|(?:a|per|each|every) day|daily|dziennie|codzienn\w+"
    r"|(?:na|za|co) dzień|każdego dnia",
    "week": r"(?:pro|in der|je|jede) Woche|wöchentlich|(?:a|per|each|every) week|weekly|tygodniowo"
    r"|w tygodniu|(?:na|za|co) tydzień",
    "month": r"(?:pro|im|je|jeden) Monat|monatlich\w*|(?:a|per|each|every) month|monthly|miesięcznie"
    r"|(?:na|za|co) miesiąc",
    "night": r"(?:pro|je) Nacht|(?:a|per|each|every) night|nightly|(?:na|za) noc",
    "year": r"(?:pro|im|je|jedes) Jahr|jährlich\w*|(?:a|per|each|every) year|annual\w*|yearly|rocznie|corocznie"
    r"|na rok|co roku|w roku",
}
_RATE = {
    name: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)(?!\s+(?:der\s+)?\d)", re.IGNORECASE)
    for name, pattern in _RATES.items()
}
_FIRST_YEAR, _LAST_YEAR = 1000, 2999
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys("\u00a0\u202f\u2009\u2007", " ") | {"’": "'"})
_MINUTES_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Value:
    """What a text states from `start` to `end`.

    `numbers` are the readings of a number, `unit` what it counts where that is a measure. A date has its `year`,
    `month` and `day` as far as they are given. `key` names what has neither: a file number, weekday, time of day.
    """

    kind: Kind
    start: int
    end: int
    key: str = ""
    numbers: frozenset[float] = field(default_factory=frozenset)
    unit: str = ""
    year: int | None = None
    month: int | None = None
    day: int | None = None


def values(text: str, language: str | None = None) -> list[Value]:
    """Return the values of `text`, in `language` where that is known, in order; no two overlap."""
    masked = _Masked(text.translate(_DASHES))
    for find in (_addresses, _codes, _dates, _clocks, _rates, _days_and_seasons, _centuries, _fractions, _numbers):
        masked.take(find(masked.text))
    masked.take(_number_words(masked.text, language))
    return sorted(masked.found, key=lambda value: value.start)


def same(one: Value, other: Value) -> bool:
    """Whether `other` states at least what `one` states: 15 October is met by 15 October 2025, not the other way."""
    if one.kind != other.kind:
        return one.kind == "number" and not one.unit and other.year is not None and other.year in one.numbers
    if one.kind == "date":
        return all(
            mine is None or mine == its
            for mine, its in ((one.year, other.year), (one.month, other.month), (one.day, other.day))
        )
    if one.kind == "number":
        if one.unit and other.unit and one.unit != other.unit:
            return _is_same_measure(one, other)
        return bool(one.numbers & other.numbers)
    return one.key == other.key


def _is_same_measure(one: Value, other: Value) -> bool:
    """Whether two measures in different units are one length or weight: 14 days and two weeks."""
    if one.unit not in MEASURES or other.unit not in MEASURES:
        return False
    (kind, size), (its_kind, its_size) = MEASURES[one.unit], MEASURES[other.unit]
    return kind == its_kind and any(
        math.isclose(mine * size, its * its_size) for mine in one.numbers for its in other.numbers
    )


class _Masked:
    """A text of which what was understood is blanked out, so that it is not read a second time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Value] = []

    def take(self, found: Iterable[Value]) -> None:
        for value in found:
            if "\0" not in self.text[value.start : value.end]:
                self.found.append(value)
                self.text = self.text[: value.start] + "\0" * (value.end - value.start) + self.text[value.end :]


def _addresses(text: str) -> Iterator[Value]:
    for match in _ADDRESS.finditer(text):
        yield Value("code", *match.span(), key=match.group().rstrip(".,;)").lower())


def _codes(text: str) -> Iterator[Value]:
    for match in _TELEPHONE.finditer(text):
        yield Value("code", *match.span(), key=re.sub(r"\D", "", match.group()))
    for match in _CODE.finditer(text):
        if not (_RANGE.fullmatch(match.group()) or _ISO.fullmatch(match.group()) or _NUMERIC.fullmatch(match.group())):
            yield Value("code", *match.span(), key=match.group().rstrip(".").upper())


def _dates(text: str) -> Iterator[Value]:
    for match in _ISO.finditer(text):
        yield _date(match, month=int(match["month"]))
    for match in _NUMERIC.finditer(text):
        month = int(match["month"] or match["m2"])
        if 1 <= month <= len(_MONTH_FORMS):
            yield Value(
                "date", *match.span(), year=_whole(match["year"] or match["y2"]), month=month, day=int(match["day"])
            )
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        for match in pattern.finditer(text):
            month_named = _month(match["name"], beside_number=True)
            if month_named:
                named = _date(match, month=month_named)
                yield from _other_days(text, named, opening=pattern is _DAY_MONTH)
                yield named
    for match in _MONTH_YEAR.finditer(text):
        month_named = _month(match["name"], beside_number=True)
        if month_named:
            yield Value("date", *match.span(), year=int(match["year"]), month=month_named)
    for match in _WORD.finditer(text):
        month_named = _month(match.group(), beside_number=False)
        if month_named and (match.start() or fold(match.group()) not in _CAPITAL_ALONE):
            yield Value("date", *match.span(), month=month_named)


def _date(match: re.Match[str], month: int) -> Value:
    return Value("date", *match.span(), year=_whole(match["year"]), month=month, day=int(match["day"]))


def _other_days(text: str, named: Value, *, opening: bool) -> Iterator[Value]:
    """Yield the first day of "5. bis 7. September 2025", or the last of "September 5 to 7"."""
    match = _FIRST_DAY.search(text[: named.start]) if opening else _LAST_DAY.match(text, named.end)
    if match:
        yield Value("date", *match.span("day"), year=named.year, month=named.month, day=int(match["day"]))


def _month(name: str, *, beside_number: bool) -> int | None:
    folded = fold(name)
    if folded in _CAPITAL_ALONE and name[0].islower():
        return None
    if folded in _BESIDE_NUMBER and not beside_number:
        return None
    return MONTHS.get(folded)


def _clocks(text: str) -> Iterator[Value]:
    for match in _CLOCK.finditer(text):
        hour = match["hour"] or match["h2"] or match["h3"]
        minutes = int(hour) * 60 + int(match["minute"] or match["m2"] or match["m3"] or 0)
        half = (match["half"] or "")[:1].lower()
        first = _FIRST_HOUR.search(text[: match.start()])
        if first:
            # "from 9 to 11 a.m." and "from 1 to 3 p.m.": the sign holds for both.
            yield _clock(first, half if _minutes(first) <= minutes else "")
        yield Value("clock", *match.span(), key=str(_of_day(minutes, half)))
        last = _LAST_HOUR.match(text, match.end())
        if last and not _CLOCK.match(text, last.start("hour")):
            yield _clock(last, "")


def _minutes(match: re.Match[str]) -> int:
    return int(match["hour"]) * 60 + int(match["minute"] or 0)


def _clock(match: re.Match[str], half: str) -> Value:
    end = match.end("minute") if match["minute"] else match.end("hour")
    return Value("clock", match.start("hour"), end, key=str(_of_day(_minutes(match), half)))


def _of_day(minutes: int, half: str) -> int:
    """Return minutes since midnight of an hour that may count from noon (`p`) or midnight (`a`)."""
    noon = _MINUTES_OF_DAY // 2
    if half == "p" and minutes < noon:
        minutes += noon
    if half == "a" and minutes >= noon:
        minutes -= noon
    return minutes % _MINUTES_OF_DAY


def _rates(text: str) -> Iterator[Value]:
    for name, pattern in _RATE.items():
        for match in pattern.finditer(text):
            yield Value("rate", *match.span(), key=name)


def _days_and_seasons(text: str) -> Iterator[Value]:
    for match in _WORD.finditer(text):
        word = fold(match.group())
        day = next((number for stem, number in _WEEKDAYS.items() if word.startswith(stem)), None)
        # "Donnerstagabend" is a weekday, "Sonntagsschule" is none, and neither is "Montagehalle".
        if day and _FEASTS.search(text[: match.start()]):
            continue
        if day and len(word) <= max(len(stem) for stem in _WEEKDAYS if word.startswith(stem)) + len("abends"):
            yield Value("weekday", *match.span(), key=str(day))
        elif season := _season(word):
            yield Value("season", *match.span(), key=str(season))


def _season(word: str) -> int | None:
    """Return the season that a folded word names, alone or in a compound."""
    within = _SEASON_WITHIN.search(word)
    return _SEASONS.get(word) or (_SEASONS[_POLISH_WINTER.get(within.group(), within.group())] if within else None)


def _centuries(text: str) -> Iterator[Value]:
    """Yield the Roman numbers of centuries: "w XIX wieku" is the 19th."""
    for match in _CENTURY.finditer(text):
        digits = [_ROMAN[digit] for digit in match["number"]]
        number = sum(-one if one < following else one for one, following in zip(digits, [*digits[1:], 0], strict=True))
        yield Value("number", *match.span("number"), numbers=frozenset({float(number)}), unit="ordinal")


def _fractions(text: str) -> Iterator[Value]:
    """Yield shares as percentages, "zwei Drittel" with and without decimals; English "third" is one behind a number."""
    for match in _FRACTION.finditer(text):
        counted, part = fold(match["count"]), fold(match["part"])
        parts = EVERY.get(part) if counted in _EVERY_WORDS else FRACTIONS.get(part)
        count = 1.0 if counted in _EVERY_WORDS | _ONE_WORDS else NUMBER_WORDS.get(counted)
        if parts and count and count < parts:
            share = 100 * count / parts
            readings = {float(int(share)), float(round(share)), round(share, 1), round(share, 2)}
            yield Value("number", *match.span(), numbers=frozenset(readings), unit="percent")


def _numbers(text: str) -> Iterator[Value]:
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        readings = _readings(match.group())
        scale, end = _scale(text, end)
        unit, end = _unit(text, end)
        if unit == "year" and any(_FIRST_YEAR <= reading <= _LAST_YEAR for reading in readings):
            unit = ""  # "w 2024 roku" names a year
        before = _CURRENCY_BEFORE.search(text[:start])
        if before and not unit:
            unit = UNITS[before["unit"].lower()]
        yield Value("number", start, end, numbers=frozenset(round(value * scale, 6) for value in readings), unit=unit)


def _readings(digits: str) -> set[float]:
    """Return what `digits` may mean: `1.250` is 1250 in German and 1.25 in English."""
    bare = digits.replace(" ", "").replace("'", "")
    signs = re.findall(r"[.,]", bare)
    if not signs:
        return {float(bare)}
    if len(set(signs)) > 1:  # the last sign parts the decimals
        return {float(bare.replace("," if signs[-1] == "." else ".", "").replace(",", "."))}
    if len(signs) > 1:
        return {float(re.sub(r"[.,]", "", bare))}
    whole, decimals = re.split(r"[.,]", bare)
    decimal = float(f"{whole}.{decimals}")
    return {decimal, float(whole + decimals)} if len(decimals) == 3 and whole != "0" else {decimal}


def _scale(text: str, end: int) -> tuple[float, int]:
    match = re.compile(rf"\s?({_LETTERS}+)\b\.?").match(text, end)
    if match and fold(match.group(1)) in SCALES:
        return SCALES[fold(match.group(1))], match.end()
    return 1.0, end


def _unit(text: str, end: int) -> tuple[str, int]:
    match = _UNIT.match(text, end)
    if match:
        named = fold(match["unit"])
        unit = UNITS.get(named) or UNITS.get(match["unit"].lower()) or unit_of(named)
        if unit:
            hourly = _PER_HOUR.match(text, match.end()) if unit == "km" else None
            return ("km/h", hourly.end()) if hourly else (unit, match.end())
        following = re.compile(rf"\s({_LETTERS}+)\b").match(text, match.end())
        pair = f"{named} {fold(following.group(1))}" if following else ""
        if following and pair in UNITS:  # "per cent", "square metres", "metrów kwadratowych"
            return UNITS[pair], following.end()
    return "", end


def _number_words(text: str, language: str | None) -> Iterator[Value]:
    for word in spelled_numbers(text, language):
        scale, end = _scale(text, word.end) if not word.unit else (1.0, word.end)
        unit, end = (word.unit, end) if word.unit else _unit(text, end)
        yield Value("number", word.start, end, numbers=frozenset({word.number * scale}), unit=unit)


def _whole(digits: str | None) -> int | None:
    return int(digits) if digits else None
