"""A store of small documents, each with a word of its own, so that whatever shows a document gives itself away."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ingest.pipeline import write_documents
from rag.pipeline import Assistant
from rag.records import NewVersion, StoredPassage, passage_ids, reading_in, sources_of
from rag.schema import Document
from rag.settings import Settings
from rag.store import Store

TOPICS = (
    ("Hundesteuer", "beträgt im Jahr", "Euro für den ersten Hund", "2021-03-01"),
    ("Hundesteuer", "beträgt im Jahr", "Euro für den ersten Hund", "2024-03-01"),
    ("Schwimmbad", "öffnet am", "Mai um sieben Uhr", None),
    ("Schwimmbad", "öffnet am", "Juni um acht Uhr", "2023-05-05"),
    ("Personalrat", "tagt am", "März im Rathaus", None),
    ("Parkhaus", "hat", "Stellplätze am Markt", None),
    ("Parkhaus", "kostet", "Euro am Tag", "2022-01-01"),
    ("Bürgerfest", "findet am", "August statt", None),
    ("Stadtarchiv", "bewahrt", "Urkunden auf", None),
    ("Stadtarchiv", "öffnet um", "Uhr an Werktagen", None),
)
# Of five syllables, so that no two are near each other and each can be misspelt.
SECRETS = (
    "Kalimborast", "Tuvenglirop", "Obzardenfil", "Wemproktagu", "Silfhundaro", "Grantevolux", "Pimjokerast",
    "Nuxalgendor", "Drefziwamol", "Hesquintabo",
)  # fmt: skip


def document(number: int) -> Document:
    """Return document `number`; its title, source, text, type and department hold its word."""
    topic, says, what, published = TOPICS[number]
    secret = SECRETS[number]
    text = (
        f"{topic} und {secret}\n\nDas Vorhaben {secret} betrifft alle Ämter der Stadt. "
        f"{topic} {says} {11 + number * 7} {what}. Zuständig für {secret} ist das Amt für {topic}."
    )
    return Document(
        f"doc-{number}", f"{topic} und {secret}", f"/files/{secret}.txt", text, "de", published,
        type=f"Art {secret}", department=f"Amt {secret}",
    )  # fmt: skip


def filled(store: Store, settings: Settings) -> Assistant:
    """Return an assistant over `store` with all the documents, seen by everybody."""
    assistant = Assistant(store, settings)
    write_documents([document(number) for number in range(len(TOPICS))], store, assistant.model)
    return assistant


def restrict(store: Store, groups: Mapping[str, Sequence[str] | None]) -> None:
    """Set who sees which document."""
    with store.writing():
        store.set_groups(groups)


def copied(source: Store, target: Store, ids: Collection[str], model: str) -> None:
    """Write the documents with these ids into another store, as they are; nothing is embedded again."""
    records = source.records_of(list(ids))
    passages = source.passages(passage_ids(records))
    vectors = {key: row for found, rows in source.vectors(list(passages)) for key, row in zip(found, rows, strict=True)}
    documents = source.documents(list(ids))
    Path(target.location).mkdir(parents=True, exist_ok=True)
    # Encoded in other batches, token vectors would differ in their last digits.
    with (
        closing(sqlite3.connect(source.derived_folder / "tokens.sqlite")) as tokens,
        closing(sqlite3.connect(target.derived_folder / "tokens.sqlite")) as copy,
    ):
        tokens.backup(copy)
    with target.writing():
        target.create(model, len(next(iter(vectors.values()))))
        target.write(
            [
                NewVersion(
                    documents[key],
                    str(record["content_hash"]),
                    [
                        StoredPassage(p.id, key, p.version, p.start, p.end, p.text, p.language, vectors[p.id])
                        for p in passages.values()
                        if p.document_id == key
                    ],
                    sources_of(record),
                    reading_in(record),
                )
                for key, record in records.items()
            ]
        )
