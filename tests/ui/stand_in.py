"""An assistant with a handful of documents, for what no real store shows at will: hostile texts, failures, slowness.

It finds the sentence that shares the most words with the question. It enters where a real one does: `create_app`.
"""

import re
import threading

from rag.access import EVERYTHING
from rag.errors import NotFoundError, StoreError, UsageError
from rag.pipeline import Trail
from rag.retrieval import ALL
from rag.schema import Answer, Citation, Document, DocumentSummary, Mark, Passage, Timings
from rag.sentences import sentence_spans

ACCESSION = (
    "Krakau gehört nun zu Eurocities\n\n"
    "Vorgeschichte\n\n"
    "Die Stadt hatte sich im Frühjahr beworben. Dem Antrag ging ein Schreiben des Stadtpräsidenten an die Gremien des "
    "Netzwerks voraus. Darin beschrieb er eine Stadt, die ihre Geschichte achtet und trotzdem neugierig nach vorn "
    "schaut, und bot an, eigenes Wissen über Kultur, Bildung und Innovation weiterzugeben.\n\n"
    "Aufnahme\n\n"
    "Seit dem 15. Oktober zählt Krakau auch förmlich zu Eurocities, dem größten Städtenetzwerk Europas. Mehr als 200 "
    "Städte stützen sich dort gegenseitig, wenn es darum geht, modern, krisenfest und lebenswert zu bleiben.\n\n"
    "Ausblick\n\n"
    "Von der Mitgliedschaft verspricht sich die Stadt verlässliche Kontakte zu Partnern, die vor einer ähnlichen "
    "Aufgabe stehen. Welche Vorhaben daraus im Einzelnen entstehen, wird die Verwaltung in den städtischen Gremien "
    "erläutern. Eine Informationsvorlage dazu liegt vor.\n"
)
HOSTILE = (
    "<script>window.hacked = 1</script>\n\n"
    "Der <b>Wochenmarkt</b> <img src=x onerror=\"window.hacked = 2\"> öffnet **um 7 Uhr** ![x](http://evil.example/x) "
    "[hier](http://evil.example) http://evil.example/y www.evil.example $$x^2$$ `code` {{7*7}} ${window.hacked=3} "
    "</details></div></mark><a href=\"javascript:window.hacked=4\">x</a> &lt;i&gt; &amp; 🙂 [1] [9]."
)  # fmt: skip


def _marks(text, *labels):
    return tuple(Mark(text.index(label), label) for label in labels)


DOCUMENTS = (
    Document(
        "krakau-eurocities/beitritt", "Krakau tritt Eurocities bei", "press/krakau-eurocities-beitritt.txt", ACCESSION,
        "de", "2025-10-15", (Mark(0, "1"), Mark(ACCESSION.index("Ausblick"), "2")),
        _marks(ACCESSION, "Vorgeschichte", "Aufnahme", "Ausblick"),
    ),
    Document(
        "vorlage", "Informationsvorlage: Mitgliedschaft in Eurocities", "https://www.example.org/vorlage",
        "Krakau ist dem europäischen Städtenetzwerk Eurocities beigetreten. Die Aufnahme wurde am 15. Oktober "
        "wirksam. Diese Vorlage erläutert, in welchen Bereichen die Stadt mitarbeiten will.", "de",
    ),
    Document(
        "markt", "<i>Markt</i> & **mehr**", "javascript:alert(1)", HOSTILE, "de", None, (), (Mark(0, "<b>x</b>"),),
    ),
)  # fmt: skip
SORRY = {
    "de": "Dazu enthalten die Dokumente keine Antwort.",
    "en": "The documents hold no answer to this.",
    "pl": "Dokumenty nie zawierają odpowiedzi na to pytanie.",
}
# Enough to tell the questions of these tests apart.
GERMAN, POLISH = {"wann", "wie", "was", "der"}, {"kiedy", "jak", "do"}


def _words(text):
    return {word[:5] for word in re.findall(r"[^\W\d_]{4,}", text.lower().replace("krak", "krakau"))}


class StandIn:
    """Has the methods of `rag.Assistant`. `gate` holds answers back while it is cleared; `failure` is raised by all."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.failure = None
        self.late_failure = None  # raised once the passages have been found
        self.stored = {document.id: document for document in DOCUMENTS}

    formulator = None

    def ask(self, question, history=(), filters=ALL, *, formulate=True, reader=EVERYTHING):
        if not question.strip() or len(question) > 2000:
            raise UsageError(f"The question has {len(question)} characters; ask one of 1 to 2,000.")
        self.gate.wait(20)
        self._fail()
        words = set(re.findall(r"\w+", question.lower()))
        language = "de" if words & GERMAN else "pl" if words & POLISH else "en"
        found = [passage for passage in self.search(question, 2, filters, reader=reader) if passage.score >= 2]
        citations = tuple(
            Citation(
                number, p.document_id, p.title, p.source, p.page, p.section, p.published, p.text, p.start, p.end, 0.9
            )
            for number, p in enumerate(found, start=1)
        )  # fmt: skip
        answer = " ".join(f"{citation.quote} [{citation.marker}]" for citation in citations) or SORRY[language]
        times = Timings(3.0, 4.0, 7.5)
        return Answer(
            question, language, answer, not citations, 0.9 if citations else 0.1, "extractive", times, citations
        )

    def trail(self, question, history=(), filters=ALL, *, reader=EVERYTHING):
        return Trail(
            self.ask(question, history, filters, reader=reader),
            (),
            tuple(self.search(question, 8, filters, reader=reader)),
            reader=reader,
        )

    def rewritten(self, question, history, trail, filters=ALL):
        return trail

    def formulated(self, trail, stopped=None):
        self.stopped = stopped
        if self.late_failure:
            raise self.late_failure
        return trail.answer

    def search(self, query, top_k=10, filters=ALL, *, reader=EVERYTHING):
        self._fail()
        found = []
        for document in self.stored.values():
            if not reader.sees(document.groups) or (filters.source or "") not in document.source:
                continue
            passages = [self._passage(document, start, end, query) for start, end in sentence_spans(document.text)]
            found.append(max(passages, key=lambda passage: passage.score))
        return sorted(found, key=lambda passage: -passage.score)[:top_k]

    def suggestion(self, question, filters=ALL, *, reader=EVERYTHING):
        return question.replace("Makrt", "Markt") if "Makrt" in question else None

    def _passage(self, document, start, end, query):
        page = [int(mark.label) for mark in document.pages if mark.start <= start]
        section = [mark.label for mark in document.sections if mark.start <= start]
        text = document.text[start:end]
        shared = len(_words(text) & _words(query))
        return Passage(
            document.id, document.title, document.source, page[-1] if page else None, section[-1] if section else None,
            document.published, text, start, end, shared + 2 * (shared > 0 and "15." in text),
        )  # fmt: skip

    def documents(self, *, reader=EVERYTHING):
        self._fail()
        return [
            DocumentSummary(
                d.id,
                d.title,
                d.source,
                d.language,
                d.published,
                len(d.text),
                3,
                "2025-11-01T09:00:00+00:00",
                groups=d.groups,
            )
            for d in self.stored.values()
            if reader.sees(d.groups)
        ]

    def document(self, document_id, *, reader=EVERYTHING):
        self._fail()
        if document_id not in self.stored or not reader.sees(self.stored[document_id].groups):
            raise NotFoundError(f"There is no document {document_id!r} in the store.")
        return self.stored[document_id]

    def count(self):
        self._fail()
        return len(self.stored)

    def check_ready(self):
        self.count()

    def warm_up(self):
        pass

    def close(self):
        pass

    def _fail(self):
        if self.failure:
            raise self.failure


def broken_store():
    return StoreError("The store ./store cannot be read: disk error.")
