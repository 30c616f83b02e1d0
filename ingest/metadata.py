"""Pure functions that read a document's title, date and language from its own text."""

from __future__ import annotations

import datetime
import re
from functools import cache
from typing import Any

from rag.sentences import sentence_spans

# --- Title ------------------------------------------------------------------------------------------------------------

# A title of more characters is a sentence or a paragraph.
_LONGEST_TITLE = 120
# Where a text has no heading, the beginning of its first sentence stands in, this long at most.
_CUT_TITLE = 80
# The title is among the first lines, or it is not there.
_TITLE_LINES = 6
_SUBJECT = re.compile(r"(?:betreff|betr\.|temat|dotyczy|subject|titel|tytuł|title)\s*:\s*(\S.*)", re.IGNORECASE)
_SECTION_NUMBER = re.compile(r"(?:\d+(?:\.\d+)*\.?|[IVX]+\.|[a-z]\)|§\s*\d+)\s")
# What stands in such a line is about the document, not its title.
_LABELLED = re.compile(
    r"(?:datum|ort|zeit|uhrzeit|gremium|ausschuss|sitzung|aktenzeichen|az\.?|vorlagen?(?:-?nr\.?)?|federführung|amt|dezernat"
    r"|telefon|tel\.?|e-mail|an|von|herausgeber|autor(?:in)?|redaktion|stand|seite|fotos?|kontakt|date|place|from|to|data"
    r"|miejsce|autor|źródło)\s*:\s",
    re.IGNORECASE,
)
_HEXADECIMAL = re.compile(r"[0-9a-f]{8,}", re.IGNORECASE)
# Titles that programs write by themselves, and names of files.
_NO_TITLE = re.compile(
    r"\W*(?:microsoft (?:word|powerpoint|excel).*|untitled.*|unbenannt.*|ohne titel.*|bez tytułu.*|anonymous"
    r"|(?:powerpoint|word|excel)[\s-]?(?:präsentation|presentation|dokument|document|arbeitsmappe|workbook)[\s_-]*\d*"
    r"|(?:prezentacja|dokument) programu.*"
    r"|(?:dokument|document|präsentation|presentation|prezentacja|arbeitsmappe|mappe|zeszyt|tabelle|table|sheet|arkusz"
    r"|scan|print|layout|folie|slide|seite|page)[\s_-]*\d*"
    r"|.*\.(?:docx?|dotx?|pdf|indd|qxp?d?|xlsx?|pptx?|od[tsp]|rtf|te?xt?|tmp|html?))\W*",
    re.IGNORECASE,
)
# Less is a number or an initial.
_SHORTEST_TITLE = 4


def guess_title(text: str, fallback_file_stem: str) -> str:
    """Return a title for a document that has none in its metadata.

    In this order: a subject line ("Betreff: ..."), the first line that reads like a heading, the name of the file where
    it says something, the beginning of the first sentence.
    """
    lines = [line.strip() for line in text[:5000].split("\n") if line.strip()][:_TITLE_LINES]
    for line in lines:
        subject = _SUBJECT.fullmatch(line)
        if subject:
            return _shorten(subject[1], _LONGEST_TITLE)
    headings = []
    for line in lines:
        if not _is_heading(line):
            break
        headings.append(line)
    # "PRESSEMITTEILUNG" and "STADT KREFELD" head many documents; the line below is what tells them apart.
    spoken = [line for line in headings if not line.isupper()]
    if headings and (spoken or len(headings[0].split()) > 1):
        return (spoken or headings)[0]
    return _speaking_stem(fallback_file_stem) or _first_words(text) or fallback_file_stem


def named_title(written: str, file_stem: str = "") -> str | None:
    """Return the title that a document's properties name, None where a program wrote it or it is the file's name."""
    title = " ".join(written.split())
    own_name = re.sub(r"[\W_]+", " ", file_stem).strip().lower()
    is_own = bool(own_name) and re.sub(r"[\W_]+", " ", title).strip().lower() == own_name
    return None if len(title) < _SHORTEST_TITLE or is_own or _NO_TITLE.fullmatch(title) else title


def _is_heading(line: str) -> bool:
    return (
        len(line) <= _LONGEST_TITLE
        and any(character.isalpha() for character in line)
        and not line.endswith((".", ",", ";", ":"))
        and not line.startswith(("•", "–", "|"))
        and " | " not in line
        and not _SECTION_NUMBER.match(line)
        and not _LABELLED.match(line)
        and find_date(line) is None
        and len(sentence_spans(line)) == 1
    )


def _speaking_stem(stem: str) -> str | None:
    """Return a file name as words, None where it is a number, a hash or a scanner's default."""
    words = re.sub(r"[\W_]+", " ", _HEXADECIMAL.sub(" ", stem)).split()
    spoken = [word for word in words if sum(character.isalpha() for character in word) >= 3]
    if len(spoken) < 2:
        return None
    return " ".join(words)


def _first_words(text: str) -> str:
    beginning = text.lstrip()[:2000]
    return next((_shorten(beginning[start:end], _CUT_TITLE) for start, end in sentence_spans(beginning)), "")


def _shorten(words: str, limit: int) -> str:
    if len(words) <= limit:
        return re.sub(r"(?<=\w{3})\.$", "", words)
    return words[:limit].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"


# --- Date -------------------------------------------------------------------------------------------------------------

_MONTHS = (
    ("jan", "sty"), ("feb", "lut"), ("mär", "mar", "mrz"), ("apr", "kwi"), ("mai", "may", "maj"), ("jun", "cze"),
    ("jul", "lip"), ("aug", "sie"), ("sep", "wrz"), ("oct", "okt", "paź"), ("nov", "lis"), ("dec", "dez", "gru"),
)  # fmt: skip
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_MONTH = (
    r"(?P<month>(?:jan|feb|mär|mrz|mar|apr|mai|may|maj|jun|jul|aug|sep|okt|oct|nov|dez|dec"
    r"|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru)[^\W\d_]*)\.?"
)
_WEEKDAY = (
    r"(?i:(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela)"
)
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})",
        r"(?P<day>\d{1,2})\.\s?(?P<number>\d{1,2})\.\s?(?P<year>\d{4})",
        rf"(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)?\s{_MONTH},?\s(?P<year>\d{{4}})",
        rf"{_MONTH}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>\d{{4}})",
    )
)
# What may follow a date of a dateline or an imprint: a time, the Polish "r." for year, the end or a separator.
_AFTER_DATE = re.compile(
    r"(?:T[\d:.+Z-]+|,?\s+(?:um\s)?\d{1,2}(?:[:.]\d{2}){0,2}(?:\s*Uhr)?|\s*(?:r\.|roku))?"
    r"\s*(?:$|[–—|·/;:)]|-\s|\.(?:\s|$))",
    re.IGNORECASE,
)
_TIME = re.compile(r"(?:(?:T|,?\s+)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:Z|[+-]\d{2}:?\d{2}|Uhr)?)?")
_PUBLISHED = re.compile(
    r"(?:veröffentlichungsdatum|veröffentlicht(?: am)?|erschienen(?: am)?|erscheinungsdatum|publikationsdatum"
    r"|publiziert am|date of publication|publication date|published(?: on)?|posted on|data publikacji|opublikowano"
    r"|data wydania)\s*:?\s+",
    re.IGNORECASE,
)
_AS_OF = re.compile(
    r"(?:stand|datum|ausgabe vom|date|as of|last updated|data|stan na(?: dzień)?|z dnia)\s*:?\s+", re.IGNORECASE
)
_RELEASE = re.compile(
    r"(?:presse-?mitteilung|pressenotiz|medieninformation|medienmitteilung|presseinformation|pressedienst|mitteilung"
    r"|bekanntmachung|meldung|vorlage|informationsvorlage|beschluss|bericht|rundschreiben|amtsblatt|press release"
    r"|news release|komunikat(?: prasowy)?|informacja prasowa|uchwała|notatka)\b"
    r"[^.!?\d]{0,60}(?:nr\.?\s?[\d/]+)?[^.!?\d]{0,40}?\b(?:vom|of|z dnia)\s+",
    re.IGNORECASE,
)
# "Frankfurt am Main, den 12. März 2024": one to five words of a place, then the date.
_PLACE = re.compile(
    rf"(?!(?:Heute|Gestern|Morgen|Am|Im|In|Ab|Bis|Seit|Today|Yesterday|Tomorrow|Dziś|{_WEEKDAY})\b)"
    r"[(\[]?[A-ZÄÖÜŁŚŻŹĆ][^\W\d_]+(?:[ /-]\(?[^\W\d_]+[.)]?){0,4},\s+"
    rf"(?:(?:{_WEEKDAY},?|den|dnia|am|im)\s+){{0,2}}"
)
# Neighbours of a date that make it the date of an event.
_EVENT = re.compile(r"(?:uhrzeit|beginn|einlass|ort|zeit|wo|wann|time|place|venue|miejsce|godzina)\s*:", re.IGNORECASE)
# Datelines and imprints stand in this many lines from the head, or from the foot.
_HEAD_LINES, _FOOT_LINES = 12, 12
# Older dates are history, later ones typing errors.
YEARS = range(1900, 2100)


def find_date(text: str) -> str | None:
    """Return the ISO date at which the text says that it was published, None where it does not say so.

    Only datelines ("Krefeld, 12. März 2024") and imprints ("Veröffentlichungsdatum: 2016-06-28", "Stand: 03.05.2024")
    count. A date in a sentence, or of an event, is not a date of publication.
    """
    lines = [line.strip() for line in text.replace("\u00a0", " ").split("\n") if line.strip()]
    head, foot = lines[:_HEAD_LINES], lines[_HEAD_LINES:][-_FOOT_LINES:]
    edge = [*head, *foot]
    for label in (_PUBLISHED, _RELEASE, _PLACE):
        for line in edge:
            found = _date_after(label, line)
            if found:
                return found
    for index, line in enumerate(edge):
        if not any(_EVENT.match(neighbour) for neighbour in edge[max(0, index - 2) : index + 3]):
            found = _date_after(_AS_OF, line)
            if found:
                return found
    return None


def published_label(line: str) -> str | None:
    """Return the ISO date of a line such as "Veröffentlichungsdatum: 2016-06-28", None of any other line."""
    return _date_after(_PUBLISHED, line)


def iso_date(written: str) -> str | None:
    """Return the ISO form of a date at the beginning of `written`, in one of the usual forms, None if there is none."""
    return _parse(written.strip())[0]


def whole_date(written: str) -> str | None:
    """Return the ISO form of `written` where it is a date, perhaps with a time, and nothing else; None otherwise."""
    found, end = _parse(written.strip())
    return found if _TIME.fullmatch(written.strip(), end) else None


def _date_after(label: re.Pattern[str], line: str) -> str | None:
    """Return the date that follows `label` at the beginning of `line`, where nothing but a separator follows it."""
    introduced = label.match(line.lstrip("•–- "))
    if introduced is None:
        return None
    rest = line.lstrip("•–- ")[introduced.end() :]
    found, end = _parse(rest)
    return found if found and _AFTER_DATE.match(rest, end) else None


def _parse(text: str) -> tuple[str | None, int]:
    """Return the date that `text` begins with and where it ends."""
    for pattern in _DATES:
        match = pattern.match(text)
        if match:
            parts = match.groupdict()
            month = int(parts["number"]) if "number" in parts else _MONTH_NUMBERS[parts["month"][:3].lower()]
            try:
                date = datetime.date(int(parts["year"]), month, int(parts["day"]))
            except ValueError:
                continue
            return (date.isoformat() if date.year in YEARS else None), match.end()
    return None, 0


# --- Language ---------------------------------------------------------------------------------------------------------

# Fewer letters are a name or a number, not a language.
_FEWEST_LETTERS = 20
# More does not change the verdict.
_SAMPLE = 20_000
# The identifier's probabilities are calibrated; below an even chance it is a guess.
_SURE = 0.5


def detect_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the language of `text`, None where it is too short or the verdict unsure."""
    sample = text[:_SAMPLE]
    if sum(character.isalpha() for character in sample) < _FEWEST_LETTERS:
        return None
    language, probability = _identifier().classify(sample)
    return str(language) if probability >= _SURE and len(language) == 2 else None


@cache
def _identifier() -> Any:  # noqa: ANN401 - py3langid ships no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
