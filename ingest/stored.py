"""What is stored, by source, by text and by content hash, as one run finds it and changes it.

Sources are files, attachments and web pages. A document stands in one or more of them; its id was made from the first
that it was found in, and stays when that is renamed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ingest.addresses import is_web_address
from ingest.attachments import IN_FILE, mail_of
from rag.access import access_class
from rag.language import fold
from rag.records import Source, document_metadata, sources_of, text_hash
from rag.schema import Document


def document_id(source: Path | str) -> str:
    """Return the id of a new document at an absolute path or web address: readable, and made from that alone."""
    name = source.stem if isinstance(source, Path) else PurePosixPath(unquote(urlsplit(source).path)).stem
    slug = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60] or "document"
    return f"{slug}-{hashlib.sha256(str(source).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


# Type, department, further fields, date and language: documents that differ in them pass different filters. And the
# groups that see it: who may see one of two equal texts must not learn of the other.
Facts = tuple[str, str, str, str, str, str]


def facts_of(document: Document) -> Facts:
    """Return what must be equal, besides the text, of documents that are one."""
    return facts_in(document_metadata(document, "", "", 0))


def facts_in(record: dict[str, Any]) -> Facts:
    """Return the same of a document's record."""
    kind, department, fields, published, language = (
        str(record.get(name) or "") for name in ("type", "department", "fields", "published", "language")
    )
    return kind, department, fields, published, language, access_class(record)


class Place(NamedTuple):
    """Where a text stands: a source, and that of its mail. A file may have the name that an attachment goes by."""

    source: str
    mail: str = ""

    @property
    def file(self) -> str:
        """The file, or the page, that has to be there."""
        return self.mail or self.source


class Stored:
    """The sources of all documents, and what becomes of them in this run; `take_changes` says what to write."""

    def __init__(self, records: dict[str, dict[str, Any]]) -> None:
        self._sources: dict[str, list[Source]] = {}
        # A process that was killed may have left a source in the document that it moved to and in the one it left.
        self._ids: dict[Place, list[str]] = {}
        # By text hash, the documents with that text; by document, what must be equal besides the text, and its hash.
        self._with_text: dict[str, list[str]] = {}
        self._facts: dict[str, tuple[str, Facts]] = {}
        self._attached: dict[str, dict[Place, None]] = {}
        self._missing: dict[str, list[Place]] = {}
        self._changed: dict[str, None] = {}
        for key, record in records.items():
            self._sources[key] = []
            for found in sources_of(record):
                self._put(key, found if found.mail else _with_mail(key, found))
            if record.get("text_hash"):
                self._say(key, str(record["text_hash"]), facts_in(record))

    # -- asking -----------------------------------------------------------------------------------------------

    def id_at(self, place: Place) -> str | None:
        """Return the id of the document that stands in `place`."""
        return self._ids.get(place, [None])[0]

    def names(self) -> set[str]:
        """Return all sources."""
        return {place.source for place in self._ids}

    def places(self) -> list[Place]:
        """Return where texts stand."""
        return list(self._ids)

    def new_id(self, wanted: str) -> str:
        """Return `wanted`, or where a document that was renamed or copied has this id, the next one that is free."""
        key, number = wanted, 1
        while key in self._sources:
            number += 1
            key = f"{wanted}-{number}"
        return key

    def source(self, place: Place) -> Source | None:
        """Return what is known of `place`."""
        key = self.id_at(place)
        return None if key is None else self._of(key, place)

    def sources(self, key: str) -> list[Source]:
        """Return the sources of a document, the first one first; none of one that came without a file."""
        return list(self._sources.get(key, ()))

    def is_known(self, place: Place, content_hash: str) -> bool:
        """Tell whether `place` is stored with this content hash."""
        for key in self._ids.get(place, []):
            if self._of(key, place).content_hash == content_hash:
                for other in [other for other in self._ids[place] if other != key]:
                    self._drop(other, place)
                return True
        return False

    def attachments(self, mail: str) -> list[Place]:
        """Return what is attached, at whatever depth, to the mail at `mail`."""
        return list(self._attached.get(mail, ()))

    def with_text(self, text_hash: str, facts: Facts) -> list[str]:
        """Return the ids of the documents with this text of which the same is known."""
        return [key for key in self._with_text.get(text_hash, []) if self._facts[key] == (text_hash, facts)]

    def gone(self, roots: Sequence[Path], found: Iterable[Path] = ()) -> list[Place]:
        """Return the places whose file was one of `roots`, or in it, and is no longer there; those of `found` are."""
        exists = dict.fromkeys(map(str, found), True)
        gone = []
        for place in self._ids:
            if is_web_address(place.source):
                continue
            file = Path(place.file)
            if place.file not in exists:
                exists[place.file] = not any(file.is_relative_to(root) for root in roots) or _exists(file)
            if not exists[place.file]:
                gone.append(place)
        return gone

    def attached_to(self, keys: Iterable[str]) -> list[str]:
        """Return the ids of the documents that stand in attachments of these documents alone."""
        mails = {source.source for key in keys for source in self._sources.get(key, ())}
        return [
            key for key, sources in self._sources.items() if sources and all(source.mail in mails for source in sources)
        ]

    # -- changing ---------------------------------------------------------------------------------------------

    def expect_renames(self, gone: Iterable[Place]) -> None:
        """Take note of files that are gone: `renamed` finds them again under another name."""
        for place in gone:
            known = self.source(place)
            if known is not None and not known.mail:
                self._missing.setdefault(known.content_hash, []).append(place)

    def attachment_counts(self) -> set[int]:
        """Return how many attachments those files have that are gone."""
        return {len(self.attachments(place.source)) for places in self._missing.values() for place in places}

    def renamed(self, source: str, content_hash: str) -> str | None:
        """Return the file that is now at `source`, None where it is none; its document moves with its attachments.

        The loaders must be the same as well: from equal bytes .txt and .md give different texts.
        """
        candidates = self._missing.get(content_hash, [])
        before = next((place for place in candidates if _kind(place.source) == _kind(source)), None)
        if before is None or Place(source) in self._ids:
            return None
        candidates.remove(before)
        self._move(before, Place(source))
        for place in self.attachments(before.source):
            self._move(place, Place(source + place.source[len(before.source) :], source))
        return before.source

    def _move(self, before: Place, place: Place) -> None:
        for key in self._ids.pop(before):
            sources = self._sources[key]
            at = next(index for index, item in enumerate(sources) if _place(item) == before)
            sources[at] = replace(sources[at], source=place.source, mail=place.mail)
            self._ids.setdefault(place, []).append(key)
            self._changed[key] = None
        if place.mail:
            self._attached[before.mail].pop(before, None)
            self._attached.setdefault(place.mail, {})[place] = None

    def add(self, key: str, source: Source) -> None:
        """Note that document `key` stands in `source`, and no other does."""
        place = _place(source)
        for other in [other for other in self._ids.get(place, []) if other != key]:
            self._drop(other, place)
        self._put(key, source)
        self._changed[key] = None

    def set_text(self, document: Document) -> None:
        """Note the text of a document that is about to be stored."""
        if document.id in self._facts:
            self._with_text[self._facts[document.id][0]].remove(document.id)
        self._say(document.id, text_hash(document.text), facts_of(document))

    def _say(self, key: str, text: str, facts: Facts) -> None:
        self._facts[key] = (text, facts)
        self._with_text.setdefault(text, []).append(key)

    def leave(self, place: Place) -> None:
        """Note that `place` is gone; a document that stands nowhere else goes with it."""
        for key in list(self._ids.get(place, [])):
            self._drop(key, place)

    def take_changes(self) -> tuple[dict[str, list[Source]], list[str]]:
        """Return the sources of the documents where they have changed, and the documents that are left with none."""
        changed = {key: self.sources(key) for key in self._changed if self._sources[key]}
        empty = [key for key in self._changed if not self._sources[key]]
        for key in empty:
            del self._sources[key]
            if key in self._facts:
                self._with_text[self._facts.pop(key)[0]].remove(key)
        self._changed.clear()
        return changed, empty

    def written(self, key: str) -> None:
        """Note that document `key` is in the store with the sources that it has now, if it has any left."""
        if self._sources.get(key):
            self._changed.pop(key, None)

    def _put(self, key: str, source: Source) -> None:
        sources, place = self._sources.setdefault(key, []), _place(source)
        at = next((index for index, item in enumerate(sources) if _place(item) == place), None)
        if at is None:
            sources.append(source)
            self._ids.setdefault(place, []).append(key)
        else:
            sources[at] = source
        if source.mail:
            self._attached.setdefault(source.mail, {})[place] = None

    def _drop(self, key: str, place: Place) -> None:
        self._changed[key] = None
        self._sources[key] = [item for item in self._sources[key] if _place(item) != place]
        ids = self._ids[place]
        ids.remove(key)
        if not ids:
            del self._ids[place]
            if place.mail:
                self._attached[place.mail].pop(place, None)

    def _of(self, key: str, place: Place) -> Source:
        return next(item for item in self._sources[key] if _place(item) == place)


def _place(source: Source) -> Place:
    return Place(source.source, source.mail)


def _with_mail(key: str, found: Source) -> Source:
    """Return an attachment as older stores have it with the mail that its id tells; other sources as they are."""
    mail = mail_of(key)
    if mail is None:
        return found
    parts = found.source.split(IN_FILE)
    for count in range(1, len(parts)):
        # Names of files may have the sign as well: the id tells which of them it is.
        name = IN_FILE.join(parts[:count])
        if document_id(name if is_web_address(name) else Path(name)) == mail:
            return replace(found, mail=name)
    return found


def _kind(source: str) -> str:
    suffix = Path(source).suffix.lower()
    return {".htm": ".html", ".jpeg": ".jpg", ".tiff": ".tif"}.get(suffix, suffix)


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # it cannot be looked at, so nobody knows
        return True
