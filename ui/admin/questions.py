"""What was asked, what stayed without an answer, what was rated badly; and from there into the gold file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final, get_args

from starlette.responses import Response

from rag.errors import CityciteError
from rag.evaluation.metrics import holds_answer
from rag.language import question_language
from rag.schema import Citation, DocumentSummary, Filters, Language
from ui.admin.area import Area, Visit
from ui.admin.gold import Line, line_id, short_answer
from ui.admin.uploads import RefusedError
from ui.journal import Entry
from ui.markup import is_web_address

SHOWN: Final = ("bad", "unanswered", "all")
# Proposals on the page of a question; more would have to be read by somebody.
CANDIDATES: Final = 5
# Documents that the words of a complaint may mean.
_NAMED: Final = 3
NO_ANSWER, OWN = "none", "own"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quote that may hold the right answer: `answer` is the part that a right reply must show."""

    quote: str
    answer: str
    document: str
    title: str
    named: bool


def add_to(area: Area) -> None:
    """Add the pages and actions."""
    area.page("/questions")(show_all)
    area.page("/review")(review)
    area.action("/review")(save)
    area.action("/questions/dismiss")(dismiss)
    area.page("/gold")(gold)
    area.action("/gold/remove")(remove)


def show_all(visit: Visit) -> Response:
    """List questions: badly rated, without an answer, or all."""
    journal = visit.office.journal
    shown = visit.field("show") if visit.field("show") in SHOWN else "bad"
    entries = journal.badly_rated() if shown == "bad" else journal.asked(unanswered=shown == "unanswered")
    return visit.page(
        "questions", shown=shown, kinds=SHOWN, entries=entries, counts=journal.counts(),
        log_days=journal.question_log_days, feedback_days=journal.feedback_days,
    )  # fmt: skip


def review(visit: Visit) -> Response:
    """Propose a line of the gold file for a question."""
    question = visit.field("question", 2000)
    if not question:
        raise RefusedError("review_empty")
    complaint = next((entry for entry in visit.office.journal.badly_rated() if entry.question == question), None)
    candidates = _candidates(visit, question, complaint)
    known = next((line for line in visit.office.gold.lines() if line.question == question), None)
    return visit.page(
        "review", question=question, asked_in=_language(visit, question), asked_languages=get_args(Language),
        complaint=complaint, candidates=candidates, chosen=_default(candidates, complaint), known=known,
        shown=visit.field("show"),
    )  # fmt: skip


def _language(visit: Visit, question: str) -> str:
    given = visit.field("language")
    return given if given in get_args(Language) else question_language(question)


def _candidates(visit: Visit, question: str, complaint: Entry | None) -> list[Candidate]:
    """Return quotes, those of the documents that readers have named first."""
    assistant = visit.office.assistant
    documents = assistant.documents()
    named = _meant(documents, complaint.documents if complaint else ())
    found: list[tuple[Citation, bool]] = []
    for document in named:
        others = frozenset(other.document_id for other in documents) - {document.document_id}
        trail = assistant.trail(question, filters=Filters(without=others))
        found += [(quote, True) for quote in trail.quotes[:2]]
    found += [(quote, False) for quote in assistant.trail(question).quotes]
    once = {(quote.document_id, quote.start): (quote, told) for quote, told in reversed(found)}
    return [
        Candidate(quote.quote, short_answer(question, quote.quote), _name(quote), quote.title, told)
        for quote, told in list(reversed(once.values()))[:CANDIDATES]
    ]


def _meant(documents: list[DocumentSummary], words: tuple[str, ...]) -> list[DocumentSummary]:
    """Return the documents whose title, file or id readers have named."""
    wanted = [given.casefold().strip() for given in words]

    def is_meant(document: DocumentSummary) -> bool:
        names = (document.document_id, document.title, *map(_file_name, document.sources))
        return any(given and given in name.casefold() for given in wanted for name in names)

    return [document for document in documents if is_meant(document)][:_NAMED]


def _default(candidates: list[Candidate], complaint: Entry | None) -> str:
    """Return which choice is made already: the document that a reader has named, else the first that was not wrong."""
    if candidates and candidates[0].named:
        return "0"
    if complaint is None or not complaint.answered:
        return NO_ANSWER
    wrong = set(complaint.reasons) & {"wrong_answer", "wrong_document", "outdated"}
    other = str(next((n for n, item in enumerate(candidates) if not wrong or n > 0), NO_ANSWER))
    return other if candidates else NO_ANSWER


def _name(quote: Citation) -> str:
    """Return what names the document in a gold file: its file, by which other stores know it too; else its id."""
    return quote.document_id if is_web_address(quote.source) else _file_name(quote.source)


def _file_name(source: str) -> str:
    return source if is_web_address(source) else PurePath(source).name


def save(visit: Visit) -> Response:
    """Put what was reviewed into the gold file."""
    question, language = visit.field("question", 2000), visit.field("language")
    if not question or language not in get_args(Language):
        raise RefusedError("review_empty")
    line = Line(line_id(question, language), language, question, (), (), answerable=False)
    choice = visit.field("choice")
    if choice != NO_ANSWER:
        answers = tuple(filter(None, (part.strip() for part in visit.field(f"answer-{choice}").splitlines())))
        names = tuple(filter(None, (part.strip() for part in visit.field(f"document-{choice}").splitlines())))
        line = replace(line, answers=answers, documents=names, answerable=True)
        _check(visit, line)
    visit.office.gold.add(line)
    visit.office.journal.settle(question, "gold")
    shown = visit.field("show")
    return visit.go(f"/questions?show={shown if shown in SHOWN else 'bad'}", "gold_added", id=line.id)


def _check(visit: Visit, line: Line) -> None:
    """See that a line can be met: its document is stored and holds its answers.

    Raises:
        RefusedError: an answer or a document is missing, or stands nowhere.
    """
    if not line.answers or not line.documents:
        raise RefusedError("review_incomplete")
    documents = [
        document
        for document in visit.office.assistant.documents()
        for name in line.documents
        if document.document_id.startswith(name) or _file_name(document.source).startswith(name)
    ]
    if not documents:
        raise RefusedError("review_no_document", document=", ".join(line.documents))
    stored = [visit.office.assistant.document(document.document_id).text for document in documents]
    for answer in line.answers:
        if not any(holds_answer(content, [answer]) for content in stored):
            raise RefusedError("review_no_answer", answer=answer)


def dismiss(visit: Visit) -> Response:
    """Put a question aside."""
    visit.office.journal.settle(visit.field("question", 2000), "dismissed")
    shown = visit.field("show")
    return visit.go(f"/questions?show={shown if shown in SHOWN else 'bad'}", "question_dismissed")


def gold(visit: Visit) -> Response:
    """Show the gold file."""
    file = visit.office.gold
    problem, lines = "", []
    try:
        lines = file.lines()
    except CityciteError as error:  # somebody has edited it; the page says what is wrong with it
        problem = str(error)
    return visit.page("gold", lines=list(reversed(lines)), file=file.file, problem=problem)


def remove(visit: Visit) -> Response:
    """Take a line out of the gold file; the question is open again."""
    key = visit.field("id")
    line = next((line for line in visit.office.gold.lines() if line.id == key), None)
    visit.office.gold.remove(key)
    if line is not None:
        visit.office.journal.settle(line.question, "open")
    return visit.go("/gold", "gold_removed", id=key)
