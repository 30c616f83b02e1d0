"""The values that travel through citycite, all frozen. Offsets count code points in a document's stored text."""

from __future__ import annotations

import datetime
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rag.errors import UsageError

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")

Language = Literal["de", "en", "pl"]
Mode = Literal["extractive", "generative"]
# Why an answer is quoted although a language model is set: it could not be reached, or what it wrote is not supported.
Note = Literal["llm_unreachable", "llm_unsupported"]


@dataclass(frozen=True, slots=True)
class Mark:
    """From offset `start` on, until the next mark, the text belongs to page or section `label`."""

    start: int
    label: str


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document. `text` is what quotes are taken from; `pages` and `sections` are in order of `start`.

    `language` is an ISO 639-1 code, `published` an ISO date; both are None where nothing in the source says so. `type`,
    `department` and `fields` (pairs of name and value, in order of the names) come from side files alone. `sources` are
    all files and addresses that hold this text, `source` first. `published_from` names the rule that gave the date,
    None where there is no date or no record of the rule. `groups` may see it (`rag.access`); None: nothing says who.
    """

    id: str
    title: str
    source: str
    text: str
    language: str | None = None
    published: str | None = None
    pages: tuple[Mark, ...] = ()
    sections: tuple[Mark, ...] = ()
    type: str | None = None
    department: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()
    published_from: str | None = None
    groups: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Fill in `sources` where there is but one."""
        object.__setattr__(self, "sources", tuple(self.sources) or (self.source,))


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What `documents` lists: a document without its text. `characters` and `passages` are counts."""

    document_id: str
    title: str
    source: str
    language: str | None
    published: str | None
    characters: int
    passages: int
    ingested_at: str
    type: str | None = None
    department: str | None = None
    sources: tuple[str, ...] = ()
    published_from: str | None = None
    groups: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Fill in `sources` where there is but one, and make lists as JSON has them tuples."""
        object.__setattr__(self, "sources", tuple(self.sources) or (self.source,))
        object.__setattr__(self, "groups", None if self.groups is None else tuple(self.groups))


@dataclass(frozen=True, slots=True)
class Passage:
    """A range of a document as retrieval found it; `text` equals the stored text from `start` to `end`."""

    document_id: str
    title: str
    source: str
    page: int | None
    section: str | None
    published: str | None
    text: str
    start: int
    end: int
    score: float
    type: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """`quote` equals the stored text of `document_id` from `start` to `end`, character for character."""

    marker: int
    document_id: str
    title: str
    source: str
    page: int | None
    section: str | None
    published: str | None
    quote: str
    start: int
    end: int
    score: float
    type: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may answer; an empty filter lets all through.

    `since` and `until` are ISO dates, both inclusive, of which the day or month may be missing (2024-03); a document
    without a date passes neither. `source` is a part of the document's file or address; `type`, `department` and
    `language` are as the document has them; case does not matter. Documents with an id in `without` don't answer.

    Raises:
        UsageError: a date is none.
    """

    since: str | None = None
    until: str | None = None
    source: str | None = None
    type: str | None = None
    department: str | None = None
    language: str | None = None
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check the dates."""
        for name, date in (("since", self.since), ("until", self.until)):
            if date and not _is_date(date):
                raise UsageError(f"{name} is {date!r}; give a date as 2024, 2024-03 or 2024-03-12.")
        if self.since and self.until and self.since[: len(self.until)] > self.until:
            raise UsageError(f"since {self.since} is after until {self.until}; swap them.")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds by step."""

    retrieve: float
    answer: float
    total: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` returns. `answer` is text with [1] marks; `confidence` is calibrated, 0 to 1.

    `understood` is a follow-up question as it was answered, None for any other; `note` says why a language model that
    is set did not formulate the answer, None where it did or none is set.
    """

    question: str
    language: Language
    answer: str
    abstained: bool
    confidence: float
    mode: Mode
    timings_ms: Timings
    citations: tuple[Citation, ...]
    understood: str | None = None
    note: Note | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON types, in the order of the public contract."""
        return asdict(self) | {"citations": [asdict(citation) for citation in self.citations]}
