"""The numbers that word processors show before headings and list items, but do not store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
# A larger number in letters or Roman numerals would be longer than its line.
_LARGEST = 5000


@dataclass(frozen=True, slots=True)
class Level:
    """How a level of a list is numbered: `template` has "%1" for the number of the first level, and so on.

    `style` is "bullet", "none", "decimal", "decimalZero", "lowerLetter", "upperLetter", "lowerRoman" or "upperRoman".
    """

    style: str
    template: str = "%1."
    start: int = 1


class Counters:
    """Counts the items of all lists of a document."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}

    def restart(self, key: str, depth: int, number: int) -> None:
        """Let the next item of that list and depth (from 0) have `number`."""
        self._counts.setdefault(key, {})[depth] = number - 1

    def copy(self, source: str, target: str) -> None:
        """Let list `target` go on where `source` is."""
        self._counts[target] = dict(self._counts.get(source, {}))

    def marker(self, key: str, depth: int, levels: Mapping[int, Level]) -> str:
        """Count an item; return its bullet or number with a blank behind it, "" where it shows none."""
        counts = self._counts.setdefault(key, {})
        level = levels.get(depth, Level("bullet"))
        counts[depth] = counts[depth] + 1 if depth in counts else level.start
        for deeper in [other for other in counts if other > depth]:
            del counts[deeper]
        if level.style == "bullet":
            return "• "
        if level.style == "none":
            return ""

        def number(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            own = levels.get(at, Level("decimal"))
            return numeral(counts.get(at, own.start), own.style)

        text = re.sub(r"%([1-9])", number, level.template).strip()
        return f"{text} " if text else ""


def numeral(number: int, style: str) -> str:
    """Return a number as `style` writes it."""
    if style.endswith("Letter") and 0 < number <= _LARGEST:
        # As word processors count: a to z, aa to zz.
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if style.startswith("lower") else letters.upper()
    if style.endswith("Roman") and 0 < number <= _LARGEST:
        text = ""
        for value, letters in _ROMAN:
            text += letters * (number // value)
            number %= value
        return text if style.startswith("lower") else text.upper()
    return f"{number:02}" if style == "decimalZero" else str(number)
