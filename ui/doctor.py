"""Checks of what citycite needs, each with the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.errors import CityciteError
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.embeddings import EmbeddingModel
    from rag.pipeline import Assistant
    from rag.store import Store


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `mend` says what to do where `state` is not "ok"."""

    name: str
    state: Literal["ok", "optional", "broken"]
    detail: str
    mend: str | None = None


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
    try:
        vector = model.encode_question("Wann?").vector
    except CityciteError as error:
        return Check("embedding model", "broken", settings.embedding_model, str(error))
    place = f", in {packaged_model_folder()}" if model.is_packaged else ""
    return Check("embedding model", "ok", f"{settings.embedding_model}, {len(vector)} dimensions{place}")


def _arithmetic(settings: Settings) -> Check:
    from rag.embeddings import computes_bfloat16

    name = "bfloat16" if computes_bfloat16() else "float32"
    return Check("arithmetic", "ok", f"this CPU is fastest in {name}; the setting precision is {settings.precision}")


def _store(settings: Settings, opened: Store | None) -> Check:
    from rag.lexical import LexicalIndex
    from rag.store import Store

    store = opened or Store(settings.store)
    try:
        if not store.exists():
            place = settings.store if store.is_remote else Path(settings.store).resolve()
            return Check("store", "optional", f"{place} is empty", "citycite ingest PATH")
        store.check_model(settings.embedding_model)
        records = store.records()
        current = LexicalIndex(store).is_current(store.generation)
    except CityciteError as error:
        return Check("store", "broken", settings.store, str(error))
    finally:
        if opened is None:
            store.close()
    passages = sum(int(record["passages"]) for record in records.values())
    index = "up to date" if current else "brought up to date by the next question"
    return Check(
        "store", "ok", f"{settings.store}: {len(records)} documents, {passages} passages, lexical index {index}"
    )


def check_language_model(settings: Settings) -> Check:
    """Ask the language model for a word, as a question would."""
    import time

    from rag.language_model import LanguageModel
    from rag.prompting import Prompt

    name = "language model"
    if not settings.llm:
        return Check(name, "optional", "none is set: answers are quotes, none are formulated (CITYCITE_LLM)")
    place = f"{settings.llm} at {settings.llm_base_url or 'http://127.0.0.1:11434'}"
    started = time.perf_counter()
    try:
        said = LanguageModel(settings).complete(Prompt("Answer with one word.", "Say OK."))
    except CityciteError as error:
        return Check(name, "broken", place, f"{error} Answers are quotes until that is mended.")
    if not said.strip():
        return Check(name, "broken", place, "it answered with nothing; check the model's name and its chat template")
    return Check(name, "ok", f"{place}, answered in {time.perf_counter() - started:.1f} s")


def _recognition() -> Check:
    from ingest.ocr import Recogniser
    from ingest.tesseract import INSTALL

    name = "text recognition"
    try:
        recogniser = Recogniser()
    except CityciteError as error:
        return Check(name, "optional", f"scans and images are not read: {error}", INSTALL)
    detail = f"{recogniser.program} reads {', '.join(recogniser.languages)}"
    if recogniser.missing:
        return Check(name, "optional", f"{detail}; without {', '.join(recogniser.missing)}", INSTALL)
    return Check(name, "ok", detail)
