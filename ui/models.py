"""The JSON of the HTTP API, field by field as in `rag.schema`; `/docs` is made from the descriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rag.schema import Filters, Language, Mode, Note
from ui.journal import Reason


def characters_only(value: str) -> str:
    """Refuse halves of surrogate pairs, which JSON can spell and no text file, model or answer can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate); send whole ones") from None
    return value


_Line = Annotated[str, AfterValidator(characters_only)]


# For the description alone: what is no date is refused with words of our own.
_DATE = r"^[1-9]\d{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"


class Body(BaseModel):
    """Read from the value of `rag.schema` that has the same fields."""

    model_config = ConfigDict(from_attributes=True)


class FiltersBody(BaseModel):
    """Which documents may answer. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    since: str | None = Field(
        default=None,
        description="Published from this ISO date on (2024, 2024-03, 2024-03-12).",
        json_schema_extra={"pattern": _DATE},
    )
    until: str | None = Field(
        default=None, description="Published up to this ISO date.", json_schema_extra={"pattern": _DATE}
    )
    source: str | None = Field(default=None, max_length=500, description="A part of the document's file or address.")
    type: str | None = Field(default=None, max_length=200, description="The document's type, such as press release.")
    department: str | None = Field(default=None, max_length=200, description="The department the document is from.")
    language: Language | None = Field(default=None, description="The document's language.")

    def as_filters(self) -> Filters:
        """Return them as retrieval takes them; a UsageError where a date is none."""
        return Filters(
            since=self.since,
            until=self.until,
            source=self.source,
            type=self.type,
            department=self.department,
            language=self.language,
        )


class SearchQuery(FiltersBody):
    """What to search for, as parameters in the address."""

    query: Annotated[str, AfterValidator(characters_only)] = Field(
        min_length=1, max_length=2000, description="What to look for, in any language.", examples=["LoRaWAN"]
    )
    top_k: int = Field(default=10, ge=1, le=100, description="How many passages at most.")


class QuestionBody(BaseModel):
    """A question. Unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"question": "Wann trat Krakau bei?"}]})

    question: Annotated[str, AfterValidator(characters_only)] = Field(
        description="In German, English or Polish; not blank, at most 2,000 characters.",
        json_schema_extra={"minLength": 1, "maxLength": 2000},
    )
    history: list[Annotated[str, AfterValidator(characters_only)]] = Field(
        default=[],
        max_length=50,
        description="The earlier questions of the conversation, oldest first; a follow-up is understood from them.",
    )
    filters: FiltersBody = Field(default=FiltersBody(), description="Which documents may answer; all if empty.")


class CitationBody(Body):
    """A quote and where it stands. `quote` equals the document's stored text from `start` to `end`."""

    marker: int = Field(description="The number of the [n] mark in the answer, from 1; 1 is the best evidence.")
    document_id: str = Field(description="The document the quote is taken from.")
    title: str = Field(description="The document's title.")
    source: str = Field(description="The file or address the document was read from.")
    page: int | None = Field(description="The page the quote begins on; null where the document has no pages.")
    section: str | None = Field(description="The heading above the quote; null where there is none.")
    published: str | None = Field(description="ISO date of the document; null where it says none.")
    quote: str = Field(description="The quoted text, character for character.")
    start: int = Field(description="Offset of the quote in the stored text, in Unicode code points.")
    end: int = Field(description="Offset behind the quote.")
    score: float = Field(description="How well the quote answers the question; the higher, the better.")
    type: str | None = Field(description="What kind of document it is, such as press release; null where nothing says.")
    department: str | None = Field(description="The department in charge of the document; null where nothing says.")


class TimingsBody(Body):
    """Milliseconds by step."""

    retrieve: float = Field(description="Finding passages.")
    answer: float = Field(description="Finding the answer in them.")
    total: float = Field(description="Everything.")


class AnswerBody(Body):
    """An answer with its evidence."""

    question: str = Field(description="The question as asked.")
    language: Language = Field(description="The language of the question and the answer.")
    answer: str = Field(description="The answer, with [1] marks that stand for citations; if abstained, a sentence.")
    abstained: bool = Field(description="Whether the documents hold no answer; then there are no citations.")
    confidence: float = Field(description="Between 0 and 1, calibrated: of all answers with 0.8, 80 % are right.")
    mode: Mode = Field(description="Whether the answer is quoted or written by a language model from quotes.")
    timings_ms: TimingsBody = Field(description="How long it took.")
    citations: list[CitationBody] = Field(description="The evidence, the best first.")
    understood: str | None = Field(
        default=None, description="A follow-up question as it was understood; null where it needed no earlier ones."
    )
    note: Note | None = Field(
        default=None,
        description="Why the answer is a quote although a language model is set: `llm_unreachable` (it failed, took "
        "too long or rests after failures) or `llm_unsupported` (too little of what it wrote is in the passages).",
    )


class PassageBody(Body):
    """A passage. `text` equals the document's stored text from `start` to `end`."""

    document_id: str = Field(description="The document the passage belongs to.")
    title: str = Field(description="The document's title.")
    source: str = Field(description="The file or address the document was read from.")
    page: int | None = Field(description="The page the passage begins on; null where the document has no pages.")
    section: str | None = Field(description="The heading above the passage; null where there is none.")
    published: str | None = Field(description="ISO date of the document; null where it says none.")
    text: str = Field(description="The passage, character for character.")
    start: int = Field(description="Offset of the passage in the stored text, in Unicode code points.")
    end: int = Field(description="Offset behind the passage.")
    score: float = Field(description="How well the passage fits the query; the higher, the better.")
    type: str | None = Field(description="What kind of document it is, such as press release; null where nothing says.")
    department: str | None = Field(description="The department in charge of the document; null where nothing says.")


class DocumentSummaryBody(Body):
    """A stored document without its text."""

    document_id: str = Field(description="The document's id.")
    title: str = Field(description="The document's title.")
    source: str = Field(description="The file or address the document was read from.")
    language: str | None = Field(description="ISO 639-1 code; null where it could not be told.")
    published: str | None = Field(description="ISO date of the document; null where it says none.")
    characters: int = Field(description="Length of the stored text in Unicode code points.")
    passages: int = Field(description="How many passages it is indexed in.")
    ingested_at: str = Field(description="When it came into the store.")
    type: str | None = Field(description="Kind of document, from its side file; null where none says so.")
    department: str | None = Field(description="Who is in charge, from its side file; null where none says so.")
    sources: list[str] = Field(description="All files and addresses with this text, `source` first.")
    published_from: str | None = Field(description="The rule that gave the date, such as `dateline`; null without one.")


class MarkBody(Body):
    """From offset `start` on, until the next mark, the text belongs to page or section `label`."""

    start: int = Field(description="Offset in the stored text, in Unicode code points.")
    label: str = Field(description="The page number or the heading.")


class DocumentBody(Body):
    """A stored document."""

    document_id: str = Field(validation_alias="id", description="The document's id.")
    title: str = Field(description="The document's title.")
    source: str = Field(description="The file or address the document was read from.")
    sources: list[str] = Field(description="All files and addresses with this text, `source` first.")
    language: str | None = Field(description="ISO 639-1 code; null where it could not be told.")
    published: str | None = Field(description="ISO date of the document; null where it says none.")
    published_from: str | None = Field(description="The rule that gave the date, such as `dateline`; null without one.")
    type: str | None = Field(description="Kind of document, from its side file; null where none says so.")
    department: str | None = Field(description="Who is in charge, from its side file; null where none says so.")
    fields: Annotated[dict[str, str], BeforeValidator(dict)] = Field(description="What else its side file says.")
    text: str = Field(description="The stored text that all offsets count in.")
    pages: list[MarkBody] = Field(description="Where pages begin; empty where the document has none.")
    sections: list[MarkBody] = Field(description="Where sections begin; empty where the document has none.")


class Health(BaseModel):
    """The server is running."""

    status: Literal["ok"] = Field(description="Always `ok`.")


class Readiness(BaseModel):
    """The server can answer questions."""

    status: Literal["ready"] = Field(description="Always `ready`; what is missing is a problem.")


class FeedbackBody(BaseModel):
    """What a reader says of an answer. Unknown fields are refused."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "Wann trat Krakau bei?", "helpful": True}]}
    )

    question: _Line = Field(min_length=1, max_length=2000, description="The question as it was answered.")
    helpful: bool = Field(description="Whether the answer helped.")
    language: Language = Field(default="de", description="The language of the question.")
    reason: Reason | None = Field(default=None, description="Why it did not help; `other` if nothing is given.")
    document: _Line = Field(default="", max_length=500, description="The right document: title, file name or id.")
    comment: _Line = Field(default="", max_length=1000, description="A sentence; nothing personal, please.")
    answered: bool | None = Field(default=None, description="Whether there was an answer, or an abstention.")
    cited: list[Annotated[_Line, Field(max_length=500)]] = Field(
        default=[], max_length=10, description="The ids of the documents that the answer cited."
    )


class Stored(BaseModel):
    """What was sent is kept."""

    stored: bool = Field(description="Always true; what goes wrong is a problem.")
