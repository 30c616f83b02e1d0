"""Pure: the values of spreadsheet cells as a German spreadsheet program shows them."""

from __future__ import annotations

import datetime
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

# Formats that a workbook uses by number without spelling them out (ECMA-376, part 1, 18.8.30).
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: '#,##0 "€"', 6: '#,##0 "€"', 7: '#,##0.00 "€"',
    8: '#,##0.00 "€"', 9: "0%", 10: "0.00%", 11: "General", 12: "General", 13: "General", 14: "dd.mm.yyyy",
    15: "d. mmm yy", 16: "d. mmm", 17: "mmm yyyy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss",
    22: "dd.mm.yyyy h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 41: "#,##0", 42: '#,##0 "€"',
    43: "#,##0.00", 44: '#,##0.00 "€"', 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss", 48: "General", 49: "@",
}  # fmt: skip
_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_DAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_EPOCH = datetime.datetime(1899, 12, 30)
# Where a workbook counts from 1904, as old ones from a Macintosh do.
_DAYS_TO_1904 = 1462
# The last day that a spreadsheet knows, 9999-12-31.
_LAST_DAY = 2_958_465
# Larger numbers have lost their last digits.
_LARGEST = 1e15
# As many digits as a cell without a format shows.
_GENERAL_DIGITS = 11
# Quoted text, an escaped character, a blank or a filling as wide as a character, a currency, other brackets, the rest.
_PART = re.compile(r'"([^"]*)"|\\(.)|[_*].|\[\$([^\]-]*)[^\]]*\]|\[([^\]]*)\]|(.)', re.DOTALL)
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.[#0?]+)?,*|\.[0#?]+")


def shown(value: float, code: str, *, since_1904: bool = False) -> str:
    """Return a number as a cell with the format `code` shows it: "1.234,56 €", "12,5%", "12.03.2024", "36:30"."""
    section, value = _section(code, value)
    if not section and ";" in code:
        return ""  # ";;;" hides what the cell holds
    if set("ymdhs") & set(_steering(section)):
        return _date(value + (_DAYS_TO_1904 if since_1904 else 0), section)
    return _number(value, section)


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[str, ...]:
    """Split a format at the semicolons that are not quoted."""
    pieces = [""]
    for part in _PART.finditer(code):
        if part.group() == ";":
            pieces.append("")
        else:
            pieces[-1] += part.group()
    return tuple(pieces)


def _section(code: str, value: float) -> tuple[str, float]:
    """Return the part of a format that holds for a value, and the value as that part shows it."""
    sections = _sections(code)
    if len(sections) > 1 and re.search(r"\[[<>=]", code):
        return "General", value  # Formats with conditions are rare, and their numbers speak for themselves.
    if value < 0 and len(sections) > 1:
        # Such a section writes the sign, or brackets, itself.
        own = any(sign in sections[1] for sign in "-(–−")
        return sections[1], abs(value) if own else value
    if value == 0 and len(sections) > 2:
        return sections[2], value
    return sections[0], value


@lru_cache(maxsize=1000)
def _steering(section: str) -> str:
    """Return a format without what it shows as it is written: "dd.mm.yyyy", "[h]:mm", "#,##0 "."""
    kept = []
    for part in _PART.finditer(section):
        if part[5]:
            kept.append(part[5].lower())
        elif re.fullmatch("[hms]+", part[4] or "", re.IGNORECASE):
            kept.append(part[0].lower())
    return re.sub(r"general|standard|am/pm|a/p|e[+-]", "", "".join(kept))


# --- Dates ------------------------------------------------------------------------------------------------------------


def _date(serial: float, section: str) -> str:
    steering = _steering(section)
    if not 0 <= serial <= _LAST_DAY:
        return _general(serial)
    if "[" in steering:
        minutes = round(serial * 24 * 60)
        return f"{minutes // 60}:{minutes % 60:02}"
    # Its first sixty days are counted as if 1900 had been a leap year.
    days = serial + 1 if 1 <= serial < 60 else serial
    moment = _EPOCH + datetime.timedelta(seconds=round(days * 86_400))
    has_time = "h" in steering or "s" in steering
    has_date = "y" in steering or "d" in steering or "mmm" in steering or not has_time
    time = f"{moment:%H:%M:%S}" if "s" in steering else f"{moment:%H:%M}"
    pieces = [_day(moment, steering)] if has_date else []
    return " ".join([*pieces, time] if has_time else pieces)


def _day(moment: datetime.datetime, steering: str) -> str:
    weekday = _DAYS[moment.weekday()] if "ddd" in steering else ""
    has_day = re.search("(?<!d)dd?(?!d)", steering) is not None
    year = f"{moment.year}" if "y" in steering else ""
    if "mmm" in steering:
        day = f"{moment.day}. " if has_day else ""
        date = f"{day}{_MONTHS[moment.month - 1]} {year}".strip()
    elif "m" in steering:
        date = f"{moment:%d.%m.}{year}" if has_day else f"{moment:%m}/{year}".strip("/")
    else:
        date = f"{moment.day}." if has_day else year
    return ", ".join(filter(None, (weekday, date)))


# --- Numbers ----------------------------------------------------------------------------------------------------------


def _number(value: float, section: str) -> str:
    plain = ""
    for part in _PART.finditer(section):
        quoted, escaped, currency, _, rest = part.groups()
        # Letters that are shown are kept apart from those that steer.
        literal = quoted if quoted is not None else escaped if escaped is not None else currency
        if literal is not None:
            plain += "".join(chr(0xE000 + ord(sign)) if sign in _STEERING else sign for sign in literal)
        elif rest is not None:
            plain += rest
    found = _DIGITS.findall(plain)
    if len(found) > 1 or abs(value) >= _LARGEST or re.search(r"general|standard|[@/eE]", plain, re.IGNORECASE):
        return _general(value)
    if found:
        digits = found[0]
        before, _, after = plain.partition(digits)
        thousands = len(digits) - len(digits.rstrip(","))
        scaled = value * (100 if "%" in plain else 1) / 1000**thousands
        plain = f"{before}{_decimal(scaled, digits.rstrip(','))}{after}"
    restored = "".join(chr(ord(sign) - 0xE000) if 0xE000 <= ord(sign) < 0xE100 else sign for sign in plain)
    return " ".join(restored.split()) or _general(value)


_STEERING = frozenset("#0?,.%/eE@")


def _decimal(value: float, digits: str) -> str:
    """Return a number with the places, the zeros and the points between thousands that `digits` asks for."""
    whole, _, fraction = digits.partition(".")
    least = fraction.count("0")
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP)
    sign = "-" if rounded < 0 else ""
    integer, _, places = f"{abs(rounded):f}".partition(".")
    kept = places[:least] + places[least:].rstrip("0")
    integer = integer.zfill(whole.replace(",", "").count("0"))
    if "," in whole:
        integer = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ".", integer)
    return f"{sign}{integer},{kept}" if kept else f"{sign}{integer}"


def _general(value: float) -> str:
    """Return a number as a cell without a format shows it: no places that are zero, at most eleven digits."""
    if value == int(value) and abs(value) < _LARGEST:
        return str(int(value))
    return f"{value:.{_GENERAL_DIGITS}g}".replace(".", ",")
