"""Checks of what citycite needs, each with the command that mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rag.errors import CityciteError
from rag.schema import Language
from rag.settings import Settings
from ui.texts import Text

if TYPE_CHECKING:
    from rag.embeddings import EmbeddingModel
    from rag.pipeline import Assistant
    from rag.store import Store

# What was found, for the command line and for the page of the admin area.
FINDINGS: Final[dict[str, Text]] = {
    "model": Text("{model}", "{model}", "{model}"),
    "model_loads": Text(
        "{model}, {dimensions} Dimensionen",
        "{model}, {dimensions} dimensions",
        "{model}, liczba wymiarów: {dimensions}",
    ),
    "model_packaged": Text(
        "{model}, {dimensions} Dimensionen, in {folder}",
        "{model}, {dimensions} dimensions, in {folder}",
        "{model}, liczba wymiarów: {dimensions}, w {folder}",
    ),
    "arithmetic": Text(
        "diese CPU rechnet am schnellsten in {fastest}; die Einstellung precision ist {precision}",
        "this CPU is fastest in {fastest}; the setting precision is {precision}",
        "ten procesor liczy najszybciej w {fastest}; ustawienie precision to {precision}",
    ),
    "store": Text("{place}", "{place}", "{place}"),
    "store_empty": Text("{place} ist leer", "{place} is empty", "{place} jest pusty"),
    "store_current": Text(
        "{place}: {documents} Dokumente, {passages} Passagen, Wortindex auf dem Stand",
        "{place}: {documents} documents, {passages} passages, lexical index up to date",
        "{place}: dokumenty: {documents}, fragmenty: {passages}, indeks słów aktualny",
    ),
    "store_behind": Text(
        "{place}: {documents} Dokumente, {passages} Passagen, den Wortindex erneuert die nächste Frage",
        "{place}: {documents} documents, {passages} passages, lexical index brought up to date by the next question",
        "{place}: dokumenty: {documents}, fragmenty: {passages}, indeks słów odświeży następne pytanie",
    ),
    "llm": Text("{place}", "{place}", "{place}"),
    "llm_none": Text(
        "keines ist eingestellt: Antworten sind Zitate, keine wird formuliert (CITYCITE_LLM)",
        "none is set: answers are quotes, none are formulated (CITYCITE_LLM)",
        "żaden nie jest ustawiony: odpowiedzi są cytatami, żadna nie jest formułowana (CITYCITE_LLM)",
    ),
    "llm_answers": Text(
        "{place}, antwortete in {seconds:.1f} s",
        "{place}, answered in {seconds:.1f} s",
        "{place}, odpowiedział w {seconds:.1f} s",
    ),
    "ocr_missing": Text(
        "Scans und Bilder werden nicht gelesen: {reason}",
        "scans and images are not read: {reason}",
        "skany i obrazy nie są odczytywane: {reason}",
    ),
    "ocr": Text("{program} liest {languages}", "{program} reads {languages}", "{program} odczytuje {languages}"),
    "ocr_without": Text(
        "{program} liest {languages}; es fehlt {missing}",
        "{program} reads {languages}; without {missing}",
        "{program} odczytuje {languages}; brakuje {missing}",
    ),
    "disk": Text(
        "{gigabytes:.1f} GB sind frei für {folder}",
        "{gigabytes:.1f} GB are free for {folder}",
        "{gigabytes:.1f} GB wolne dla {folder}",
    ),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, a key of `FINDINGS` with its values. `mend` says what to do where `state` is not "ok"."""

    name: str
    state: Literal["ok", "optional", "broken"]
    finding: str
    values: Mapping[str, object] = field(default_factory=dict)
    mend: str | None = None

    def detail(self, language: Language = "en") -> str:
        """Return the finding in words."""
        template: str = getattr(FINDINGS[self.finding], language)
        return template.format(**self.values)

    def facts(self) -> dict[str, str | None]:
        """Return what `citycite doctor --json` prints."""
        return {"name": self.name, "state": self.state, "detail": self.detail(), "mend": self.mend}


def examine(settings: Settings, assistant: Assistant | None = None) -> list[Check]:
    """Check the embedding model, the store and the optional parts; of a running server, those of its `assistant`."""
    model = assistant.model if assistant else None
    store = assistant.store if assistant else None
    return [
        _model(settings, model),
        _arithmetic(settings),
        _store(settings, store),
        _recognition(),
        check_language_model(settings),
    ]


def _model(settings: Settings, model: EmbeddingModel | None) -> Check:
    from rag.embeddings import EmbeddingModel
    from rag.packaged_model import packaged_model_folder

    model = model or EmbeddingModel(settings)
    name, values = "embedding model", {"model": settings.embedding_model}
    try:
        vector = model.encode_question("Wann?").vector
    except CityciteError as error:
        return Check(name, "broken", "model", values, str(error))
    finding = "model_packaged" if model.is_packaged else "model_loads"
    return Check(name, "ok", finding, values | {"dimensions": len(vector), "folder": packaged_model_folder()})


def _arithmetic(settings: Settings) -> Check:
    from rag.embeddings import computes_bfloat16

    fastest = "bfloat16" if computes_bfloat16() else "float32"
    return Check("arithmetic", "ok", "arithmetic", {"fastest": fastest, "precision": settings.precision})


def _store(settings: Settings, opened: Store | None) -> Check:
    from rag.lexical import LexicalIndex
    from rag.store import Store

    store = opened or Store(settings.store)
    try:
        if not store.exists():
            place = settings.store if store.is_remote else Path(settings.store).resolve()
            return Check("store", "optional", "store_empty", {"place": place}, "citycite ingest PATH")
        store.check_model(settings.embedding_model)
        records = store.records()
        current = LexicalIndex(store).is_current(store.generation)
    except CityciteError as error:
        return Check("store", "broken", "store", {"place": settings.store}, str(error))
    finally:
        if opened is None:
            store.close()
    passages = sum(int(record["passages"]) for record in records.values())
    values = {"place": settings.store, "documents": len(records), "passages": passages}
    return Check("store", "ok", "store_current" if current else "store_behind", values)


def check_language_model(settings: Settings) -> Check:
    """Ask the language model for a word, as a question would."""
    import time

    from rag.language_model import LanguageModel
    from rag.prompting import Prompt

    name = "language model"
    if not settings.llm:
        return Check(name, "optional", "llm_none")
    values = {"place": f"{settings.llm}, {settings.llm_base_url or 'http://127.0.0.1:11434'}"}
    started = time.perf_counter()
    try:
        said = LanguageModel(settings).complete(Prompt("Answer with one word.", "Say OK."))
    except CityciteError as error:
        return Check(name, "broken", "llm", values, f"{error} Answers are quotes until that is mended.")
    if not said.strip():
        return Check(
            name, "broken", "llm", values, "it answered with nothing; check the model's name and its chat template"
        )
    return Check(name, "ok", "llm_answers", values | {"seconds": time.perf_counter() - started})


def _recognition() -> Check:
    from ingest.ocr import Recogniser
    from ingest.tesseract import INSTALL

    name = "text recognition"
    try:
        recogniser = Recogniser()
    except CityciteError as error:
        return Check(name, "optional", "ocr_missing", {"reason": error}, INSTALL)
    values = {"program": recogniser.program, "languages": ", ".join(recogniser.languages)}
    if recogniser.missing:
        missing = {"missing": ", ".join(recogniser.missing)}
        return Check(name, "optional", "ocr_without", values | missing, INSTALL)
    return Check(name, "ok", "ocr", values)
