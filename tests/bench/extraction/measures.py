"""Pure: how much of what a reader expects stands in an extracted text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from tests.bench.extraction.markup import Expected


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over one file or, added up, over several.

    `errors` is the edit distance of the extracted text to the expected one, which has `characters`; `extra` counts the
    characters of words of the `extracted` ones that no expected text has.
    """

    files: int
    sentences: int
    intact: int
    characters: int
    errors: int
    extracted: int
    extra: int

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in Figures.__slots__))

    @property
    def intact_share(self) -> float:
        """Share of the sentences that stand in the extracted text, letter for letter."""
        return self.intact / self.sentences

    @property
    def error_rate(self) -> float:
        """Character error rate: edits for each expected character; it may exceed 1."""
        return self.errors / self.characters

    @property
    def extra_share(self) -> float:
        """Share of the extracted characters that no reader expects."""
        return self.extra / max(1, self.extracted)


def normalised(text: str) -> str:
    """Return `text` in NFC with one blank for all white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def measure(wanted: Sequence[Expected], text: str) -> Figures:
    """Compare what a reader expects with the text that was extracted, white space apart."""
    found = normalised(text)
    lost = set(missing(wanted, text))
    # Where a footnote stands is a matter of taste; one that is there in full counts as in its place.
    body, rest = [], found
    for item in wanted:
        sentence = normalised(item.text)
        if item.is_note and sentence in rest:
            rest = normalised(rest.replace(sentence, " ", 1))
        else:
            body.append(normalised(item.mark + item.text))
    reference = " ".join(body)
    surplus = Counter(found.split()) - Counter(normalised(" ".join(i.mark + i.text for i in wanted)).split())
    return Figures(
        files=1,
        sentences=len(wanted),
        intact=sum(item.text not in lost for item in wanted),
        characters=len(reference),
        errors=Levenshtein.distance(reference, rest),
        extracted=sum(map(len, found.split())),
        extra=sum(len(word) * count for word, count in surplus.items()),
    )


def missing(wanted: Iterable[Expected], text: str) -> list[str]:
    """Return the sentences that do not stand in `text` letter for letter."""
    found = normalised(text)
    return [item.text for item in wanted if normalised(item.text) not in found]


def nearest(sentence: str, text: str) -> str:
    """Return the part of `text` that is most like `sentence`."""
    found = normalised(text)
    at = fuzz.partial_ratio_alignment(sentence, found)
    return found[at.dest_start : at.dest_end] if at is not None and len(sentence) <= len(found) else found
