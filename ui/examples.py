"""Good first questions, found in the documents themselves: each has been asked, and was answered surely."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rag.access import Reader
from rag.errors import CityciteError
from rag.follow_up import standalone
from rag.language import question_language
from rag.schema import Document, DocumentSummary, Language
from rag.sentences import sentence_spans
from ui.texts import LANGUAGES

if TYPE_CHECKING:
    from rag import Assistant

logger = logging.getLogger(__name__)

COUNT: Final = 3
# Of all answers with this confidence, three of four are right.
_SURE: Final = 0.75
# Documents looked at and questions tried in each language: some seconds of one core.
_DOCUMENTS: Final = 40
_TRIES: Final = 40
# The first page waits this long for examples; the next has them.
_WAIT_SECONDS: Final = 2.0
# Between two questions, so that readers who ask already do not wait behind all of them.
_PAUSE_SECONDS: Final = 0.05
_SHORTEST: Final = 15
_LONGEST: Final = 90

_ROLE: Final = (
    r"(?:(?:Ober)?[Bb]ürgermeister|Stadtr[aä]t|Dezernent|Leiter|Direktor|Stadtpräsident)(?:in)?|Mayor|Director|Head"
    r"|[Pp]rezydent(?:ka)?|[Bb]urmistrz|[Dd]yrektor(?:ka)?"
)
_NAME: Final = r"[A-ZÄÖÜŁŚŻĆ][\w-]+"
_PERSON: Final = re.compile(rf"\b(?:{_ROLE})\s+(?:Dr\.\s+)?({_NAME} {_NAME})")
# Names of systems and projects: LoRaWAN, mObywatel, Tech4KRK, STRADOM.
_TERM: Final = re.compile(r"\b(?:[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w*|[A-Za-z]+\d[A-Za-z]\w*|[A-Z]{4,8})\b")
_WHO: Final[dict[Language, str]] = {"de": "Wer ist {}?", "en": "Who is {}?", "pl": "Kim jest {}?"}
_WHAT: Final[dict[Language, str]] = {"de": "Was ist {}?", "en": "What is {}?", "pl": "Co to jest {}?"}


class Examples:
    """The examples for each language; they are looked for in the background whenever the documents have changed."""

    def __init__(self, assistant: Assistant, fixed: Sequence[str] = (), *, ungrouped: bool = True) -> None:
        self._assistant = assistant
        self._everybody = Reader(frozenset(), ungrouped)
        self._fixed = tuple(fixed)
        self._found: dict[Language, tuple[str, ...]] = {}
        self._of: object = None
        self._lock = threading.Lock()
        self._first = threading.Event()

    def of(self, language: Language, documents: Sequence[DocumentSummary]) -> tuple[str, ...]:
        """Return the examples for readers of `language`, as many as are known; the city's own if it has set any.

        They come from documents that everybody sees, whoever they are shown to.
        """
        if self._fixed:
            return self._fixed[:COUNT]
        documents = [document for document in documents if self._everybody.sees(document.groups)]
        key = (len(documents), max((item.ingested_at for item in documents), default=""))
        with self._lock:
            if key != self._of:
                self._of = key
                threading.Thread(target=self._find, args=(list(documents),), daemon=True).start()
        self._first.wait(_WAIT_SECONDS)
        return self._found.get(language, ())

    def _find(self, documents: Sequence[DocumentSummary]) -> None:
        try:
            step = max(1, len(documents) // _DOCUMENTS)
            texts = [
                self._assistant.document(item.document_id, reader=self._everybody)
                for item in documents[::step][:_DOCUMENTS]
            ]
            for language in LANGUAGES:
                self._found[language] = tuple(self._answered(texts, language))
        except CityciteError as error:  # the store is away, or has changed meanwhile; the page has no examples then
            logger.warning("No example questions: %s", error)
        finally:
            self._first.set()

    def _answered(self, documents: Sequence[Document], language: Language) -> list[str]:
        """Return questions that are answered from the document they come from, each from another one."""
        kinds = [_own_questions, _persons, _terms]
        tried, found, used = 0, [], set[str]()
        # One of each kind, then more of any: three questions of one pattern make a poor welcome.
        for kind in (*kinds, *kinds):
            for document in documents:
                question = next((each for each in kind(document, language) if each not in found), None)
                if question is None or document.id in used:
                    continue
                tried += 1
                time.sleep(_PAUSE_SECONDS)
                answer = self._assistant.ask(question, formulate=False, reader=self._everybody)
                if (
                    not answer.abstained
                    and answer.confidence >= _SURE
                    and answer.citations[0].document_id == document.id
                ):
                    found.append(question)
                    used.add(document.id)
                    break
                if tried >= _TRIES:
                    break
            if len(found) == COUNT or tried >= _TRIES:
                break
        return found


def _own_questions(document: Document, language: Language) -> Iterator[str]:
    """Yield the questions that a document asks itself, as interviews and lists of frequent questions do."""
    for start, end in sentence_spans(document.text):
        sentence = " ".join(document.text[start:end].split())
        if (
            sentence.endswith("?")
            and _SHORTEST <= len(sentence) <= _LONGEST
            and question_language(sentence) == language == document.language
            # One that points back is no first question.
            and standalone(sentence, ["Rathaus"]) == sentence
        ):
            yield sentence


def _persons(document: Document, language: Language) -> Iterator[str]:
    for name in dict.fromkeys(_PERSON.findall(document.text)):
        yield _WHO[language].format(name)


def _terms(document: Document, language: Language) -> Iterator[str]:
    for name in dict.fromkeys(_TERM.findall(document.text)):
        yield _WHAT[language].format(name)
