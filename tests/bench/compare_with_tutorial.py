"""This pipeline beside the one a user would write from LangChain's tutorial: same texts, same machine, one run.

    make bench                                      over the sample corpus and its questions
    make bench QUESTIONS=xquad.de.json              over a SQuAD file: each paragraph is a document
    make bench QUESTIONS="xquad.de.json xquad.en.json"   German paragraphs, English questions with the same ids

The tutorial: RecursiveCharacterTextSplitter 1000/200, HuggingFaceEmbeddings (same model, no prompts), Chroma,
similarity search. Prints characters ingested a second, milliseconds a query (p50, p95), and how often the right
document is first. Both store one document before the clock starts, because what they import then takes seconds.
Each figure is one run; compare the two columns, not two runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.loaders import load
from ingest.metadata import detect_language
from ingest.pipeline import IGNORE_FILE, write_documents
from rag.evaluation import read_squad
from rag.packaged_model import packaged_model_folder
from rag.pipeline import Assistant
from rag.schema import Document
from rag.settings import Settings
from rag.store import Store

CORPUS = Path(__file__).parents[2] / "corpus"
WARMING = Document("warming", "Probe", "probe.txt", "Der Rat der Stadt tagt am Dienstag im Rathaus.", "de")


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the ids of the documents of which one should come first."""

    text: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one pipeline did."""

    characters_a_second: float
    p50_ms: float
    p95_ms: float
    first_rank: float


def read_corpus() -> tuple[list[Document], list[Query]]:
    """Return the sample corpus as extracted texts, and its answerable questions."""
    files = [
        file
        for folder in ("press", "council", "background", "news", "magazine", "interview")
        for file in sorted((CORPUS / folder).iterdir())
        if file.name != IGNORE_FILE
    ]
    documents = []
    for file in files:
        extract = load(file)
        documents.append(
            Document(
                id=file.stem,
                title=extract.title or file.stem,
                source=str(file),
                text=extract.text,
                language=detect_language(extract.text),
                pages=extract.pages,
                sections=extract.sections,
            )
        )
    entries = map(json.loads, (CORPUS / "questions.jsonl").read_text("utf-8").splitlines())
    queries = [Query(entry["question"], frozenset(entry["documents"])) for entry in entries if entry["answerable"]]
    return documents, queries


def read_files(files: Sequence[Path]) -> tuple[list[Document], list[Query]]:
    """Return the paragraphs of the first SQuAD file and the questions of the last."""
    questions = read_squad(files[0], questions_file=files[-1])
    queries = [Query(question.text, frozenset(dict(question.relevant))) for question in questions.questions]
    return list(questions.documents or ()), queries


def run_citycite(documents: Sequence[Document], queries: Sequence[Query]) -> Figures:
    """Measure this project: split, embed, store; then `search`."""
    with tempfile.TemporaryDirectory() as folder:
        assistant = Assistant(Store(folder), Settings())
        write_documents([WARMING], assistant.store, assistant.model)

        def search(query: str) -> str:
            return assistant.search(query, 1)[0].document_id

        figures = _measure(
            lambda: write_documents(documents, assistant.store, assistant.model), search, documents, queries
        )
        assistant.close()
        return figures


def run_tutorial(documents: Sequence[Document], queries: Sequence[Query]) -> Figures:
    """Measure the tutorial's pipeline as it stands there."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document as LangChainDocument
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    embeddings = HuggingFaceEmbeddings(model_name=str(packaged_model_folder()))
    made: list[Chroma] = []

    def store(given: Sequence[Document]) -> None:
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        pieces = splitter.split_documents(
            [LangChainDocument(page_content=item.text, metadata={"id": item.id}) for item in given]
        )
        made.append(Chroma.from_documents(pieces, embeddings, collection_name="tutorial"))

    store([WARMING])

    def search(query: str) -> str:
        return str(made[-1].similarity_search(query, k=1)[0].metadata["id"])

    return _measure(lambda: store(documents), search, documents, queries)


def _measure(
    store: Callable[[], None], search: Callable[[str], str], documents: Sequence[Document], queries: Sequence[Query]
) -> Figures:
    started = time.perf_counter()
    store()
    stored = time.perf_counter() - started
    search(queries[0].text)  # the first query opens indexes
    times, hits = [], []
    for query in queries:
        started = time.perf_counter()
        first = search(query.text)
        times.append((time.perf_counter() - started) * 1000)
        hits.append(first in query.documents)
    return Figures(
        characters_a_second=sum(len(document.text) for document in documents) / stored,
        p50_ms=float(np.percentile(times, 50)),
        p95_ms=float(np.percentile(times, 95)),
        first_rank=float(np.mean(hits)),
    )


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="SQUAD_FILE")
    files = parser.parse_args().files
    documents, queries = read_files(files) if files else read_corpus()
    print(f"{len(documents)} documents, {sum(len(item.text) for item in documents)} characters, {len(queries)} queries")
    tutorial, ours = run_tutorial(documents, queries), run_citycite(documents, queries)
    print(f"{'':28}{'tutorial':>12}{'citycite':>12}{'ratio':>8}")
    for name in Figures.__slots__:
        theirs, own = getattr(tutorial, name), getattr(ours, name)
        print(f"{name:28}{theirs:12.3f}{own:12.3f}{own / theirs:8.2f}")


if __name__ == "__main__":
    main()
