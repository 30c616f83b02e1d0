"""Numbers that are written as words in German, English and Polish, composed as each language composes them (pure).

`dreihundertfünfzig`, `three hundred and fifty` and `trzysta pięćdziesiąt` are one number; `fünfjährig`, `five-year-old`
and `pięcioletni` say of how many years; `elfte`, `eleventh` and `jedenasty` are ordinals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.language import fold
from rag.number_words import NUMBER_WORDS, ORDINALS, SCALES

_WORD = re.compile(r"[^\W\d_]+")
_THOUSAND, _HUNDRED, _TENS = 1000, 100, 20
# Articles and pronouns by themselves, numbers within one: "twenty-one", "one hundred".
_ONE = frozenset("ein eins one jeden jedna jedno".split())
# English "ten" is the Polish word for "this".
_NO_NUMBER = {"pl": frozenset({"ten"})}
_GERMAN_UNITS = "jahrig:year monatig:month wochig:week tagig:day stundig:hour minutig:minute sekundig:second"
_POLISH_UNITS = "letni:year lat:year miesieczn:month tygodniow:week dniow:day godzinn:hour minutow:minute"
_STEMS = {stem: unit for pair in f"{_GERMAN_UNITS} {_POLISH_UNITS}".split() for stem, unit in [pair.split(":")]}
# "dreifach", "dreimal", "threefold", "trzykrotnie", "dreiköpfig"; a single one of them says no number ("einfach").
_COUNTING = "mal|fach|fold|krotn|kopfig|prozentig|stockig|geschossig|spurig|gleisig|teilig|osobow|pietrow"
_DERIVED = re.compile(rf"(?P<number>\w+?)(?P<stem>{'|'.join(_STEMS)}|{_COUNTING})(?P<ending>[a-z]{{0,4}})")
_GERMAN_ENDINGS = ("e", "en", "er", "es", "em")
_POLISH_ENDINGS = ("y", "a", "e", "ego", "ej", "ym", "ych", "emu", "i", "iego", "iej", "im")
_POLISH_TENS = """
11 jedenast 12 dwunast 13 trzynast 14 czternast 15 piętnast 16 szesnast 17 siedemnast 18 osiemnast 19 dziewiętnast
20 dwudziest 30 trzydziest 40 czterdziest 50 pięćdziesiąt 60 sześćdziesiąt 70 siedemdziesiąt 80 osiemdziesiąt
90 dziewięćdziesiąt 100 setn
"""
_ENGLISH_ORDINALS = """
11 eleventh 12 twelfth 13 thirteenth 14 fourteenth 15 fifteenth 16 sixteenth 17 seventeenth 18 eighteenth 19 nineteenth
20 twentieth 30 thirtieth 40 fortieth 50 fiftieth 60 sixtieth 70 seventieth 80 eightieth 90 ninetieth 100 hundredth
"""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number from `start` to `end` of a text; its unit is `ordinal`, or a time where the word itself names one."""

    start: int
    end: int
    number: float
    unit: str = ""


def spelled_numbers(text: str, language: str | None = None) -> Iterator[Spelled]:
    """Yield the numbers of `text` in order; scales above a thousand are left to the reader."""
    words = list(_WORD.finditer(text))
    taken = 0
    for at, match in enumerate(words):
        word = fold(match.group())
        if at < taken or word in _NO_NUMBER.get(language or "", ()):
            continue
        found = _derived(word)
        if found:
            yield Spelled(match.start(), match.end(), *found)
            continue
        number, count, unit = _composed(text, words[at:])
        if count:
            taken = at + count
            yield Spelled(match.start(), words[taken - 1].end(), number, unit)


def _composed(text: str, words: Sequence[re.Match[str]]) -> tuple[float, int, str]:
    """Return the number that the first of `words` make, of how many of them, and whether it is an ordinal."""
    whole = part = 0.0
    used = at = 0
    while at < len(words) and _is_joined(text, words, at):
        word = fold(words[at].group())
        rank = _ordinal(word)
        if rank is not None and (not used or (part % 10 == 0 and part >= _TENS and rank < 10)):
            ones = _following_ordinal(text, words, at) if rank >= _TENS else 0  # "dwudziesty pierwszy"
            return whole + part + rank + ones, at + 1 + bool(ones), "ordinal"
        if word == "and" and part >= _HUNDRED and at + 1 < len(words):
            at += 1
            continue
        number = _cardinal(word, begins=not used)
        if number is None or (not used and word in _ONE and not _is_multiplied(text, words)):
            break
        if number == _HUNDRED and 0 < part < _HUNDRED:
            part *= number
        elif number == _THOUSAND and 0 < part < _THOUSAND and not whole:
            whole, part = part * number, 0.0
        elif _may_follow(part or whole, number):
            part += number
        else:
            break
        at += 1
        used = at
    return whole + part, used, ""


def _is_joined(text: str, words: Sequence[re.Match[str]], at: int) -> bool:
    return at == 0 or text[words[at - 1].end() : words[at].start()] in (" ", "-")


def _following_ordinal(text: str, words: Sequence[re.Match[str]], at: int) -> float:
    following = _ordinal(fold(words[at + 1].group())) if at + 1 < len(words) and _is_joined(text, words, at + 1) else 0
    return following if following and following < 10 else 0.0


def _is_multiplied(text: str, words: Sequence[re.Match[str]]) -> bool:
    """Whether "one" is followed by what it counts: "one hundred"."""
    return len(words) > 1 and _is_joined(text, words, 1) and _cardinal(fold(words[1].group())) in (_HUNDRED, _THOUSAND)


def _may_follow(sofar: float, number: float) -> bool:
    """Whether `number` is of a lower place than all of what is there: five after twenty, not after six."""
    return sofar == 0 or (number < sofar and sofar % 10 ** len(str(int(number))) == 0)


def _cardinal(word: str, *, begins: bool = False) -> float | None:
    if word in _ONE:
        return 1.0
    number = NUMBER_WORDS.get(word)
    if number is None and not begins and SCALES.get(word) == _THOUSAND:
        return float(_THOUSAND)
    return german_number(word) if number is None else number


@lru_cache(maxsize=100_000)
def german_number(word: str) -> float | None:
    """Return what a folded German word counts: `dreihundertfunfzig`; None where it is no number."""
    if word in NUMBER_WORDS or word == "ein":
        return NUMBER_WORDS.get(word, 1.0)
    for name, size in (("tausend", _THOUSAND), ("hundert", _HUNDRED)):
        head, found, tail = word.partition(name)
        if not found:
            continue
        times = german_number(head) if head else 1.0
        rest = german_number(tail.removeprefix("und")) if tail else 0.0
        if times is not None and rest is not None and times < size and rest < size:
            return times * size + rest
        return None
    return None


@lru_cache(maxsize=100_000)
def _derived(word: str) -> tuple[float, str] | None:
    """Return number and unit of `funfjahrige`, `trzyletni`, `dreimal` or `threefold`."""
    match = _DERIVED.fullmatch(word)
    if not match:
        return None
    number = german_number(match["number"])
    number = _POLISH_FORMS.get(match["number"]) if number is None else number
    unit = _STEMS.get(match["stem"], "")
    is_age = match["stem"] != "lat" or match["ending"].startswith(("e", "k"))  # "pięciolatek"
    return (number, unit) if number is not None and is_age and (number > 1 or unit) else None


def unit_of(word: str) -> str | None:
    """Return the unit of time in what stands behind a number: the `jahrige` of "27-jährige"."""
    return next((unit for stem, unit in _STEMS.items() if word.startswith(stem) and word not in ("lat", "lata")), None)


@lru_cache(maxsize=100_000)
def _ordinal(word: str) -> float | None:
    if word in _ORDINAL_FORMS:
        return _ORDINAL_FORMS[word]
    for ending in _GERMAN_ENDINGS:
        if word.endswith(f"te{ending[1:]}"):
            base = german_number(word.removesuffix(f"te{ending[1:]}").removesuffix("s"))
            if base is not None and base > 10:
                return base
    return None


def _pairs(lines: str) -> Iterator[tuple[float, str]]:
    words = lines.split()
    return ((float(number), fold(word)) for number, word in zip(words[::2], words[1::2], strict=True))


_ORDINAL_FORMS = (
    ORDINALS
    | {word: number for number, word in _pairs(_ENGLISH_ORDINALS)}
    | {stem + ending: number for number, stem in _pairs(_POLISH_TENS) for ending in _POLISH_ENDINGS}
)
# What a Polish compound begins with: "pięcio-" in "pięciodniowy" is the genitive "pięciu".
_POLISH_FORMS = {word[:-1] + "o": number for word, number in NUMBER_WORDS.items() if word.endswith("u")} | {
    "jedno": 1.0,
    "dwu": 2.0,
    "trzy": 3.0,
    "cztero": 4.0,
}
