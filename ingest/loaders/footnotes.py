"""Pure: the small raised numbers by which a page refers to its footnotes, taken out of the sentences they stand in.

A quote would not be one with them: "Energiebedarfs.1 Die Küche". Only numbers go for which the document has a note, so
that exponents stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.loaders.layout import Part, Piece

# Stands in front of a raised number until it is known whether there is a note; a character of no meaning of its own.
RAISED = "\ue010"
# A raised number may be a reference behind a word or a mark, not behind a unit: "m2", "10 km2".
REFERENCE = re.compile(r"(?:[^\W\d_]{3}|[.,;:!?…\"'“”„»«)\]])(\d{1,3})[.,;:!?\"'“”»«)]*$")
# At the beginning of the note itself.
NOTE_MARK = re.compile(r"(\d{1,3})(?=[^\W\d_]|[„\"'“»«(]|$)")
_BEGINS_NOTE = re.compile(rf"{RAISED}?(\d{{1,3}})[.)]?\s*(?=[^\W\d_]|[„\"'“»«(])")
_RAISED_NUMBER = re.compile(rf"\s?{RAISED}(\d{{1,3}})")
# Notes are set in smaller type than the text, by at least so many points.
_SMALLER = 0.6


def without_references(pages: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
    """Return the pieces of pages without references to notes; each note begins with its number and a blank."""
    sizes: dict[str, float] = {}
    for piece in _all(pages):
        for number in _RAISED_NUMBER.findall(piece.text[1:]):
            sizes[number] = max(piece.size, sizes.get(number, 0.0))

    def noted(piece: Piece) -> re.Match[str] | None:
        found = _BEGINS_NOTE.match(piece.text)
        return found if found and piece.size <= sizes.get(found[1], 0.0) - _SMALLER else None

    numbers = {found[1] for piece in _all(pages) if (found := noted(piece))}

    def resolved(text: str) -> str:
        return _RAISED_NUMBER.sub(lambda found: "" if found[1] in numbers else found[0].replace(RAISED, ""), text)

    def mended(piece: Piece) -> Piece:
        note = noted(piece)
        if note is None and RAISED not in piece.text:
            return piece
        parts = [Part(part.left, part.right, part.text) for part in piece.parts]
        if note is not None:
            text = parts[0].text.lstrip(RAISED)
            # Its number is set apart by type or tab alone.
            parts[0] = replace(parts[0], text=f"{note[1]} {text[len(note[1]) :].strip()}".strip())
        parts = [replace(part, text=resolved(part.text)) for part in parts]
        return replace(piece, text=" ".join(part.text for part in parts), parts=tuple(parts))

    return [[mended(piece) for piece in page] for page in pages]


def _all(pages: Sequence[Sequence[Piece]]) -> Iterator[Piece]:
    for page in pages:
        yield from page
