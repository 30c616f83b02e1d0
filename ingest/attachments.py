"""Attachments on their way to documents: names that are safe and unlike, ids, and files that loaders can read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ingest.loaders.base import Attachment
from rag.language import fold

# Stands between a file and what is attached to it, in sources and, as the id has no such sign otherwise, in ids.
IN_FILE, IN_ID = "!", "."
# Names are for people; longer ones would not fit into file names of most systems.
_LONGEST_STEM, _LONGEST_SUFFIX = 80, 20
_UNSAFE = frozenset("%!/\\")


def named(attachments: Sequence[Attachment]) -> list[tuple[str, Attachment]]:
    """Return each attachment with a name that no other one has, on one line, without slashes.

    Signs that are not shown, slashes, "!" and "%" are written as in web addresses, "%2F"; of equal names the second is
    "plan (2).pdf".
    """
    safe = [_safe(attachment.name) for attachment in attachments]
    taken = set(safe)
    used: dict[str, int] = {}
    found = []
    for name, attachment in zip(safe, attachments, strict=True):
        unlike = name
        if name in used:
            stem, suffix = _split(name)
            while unlike in taken:
                used[name] += 1
                unlike = f"{stem} ({used[name]}){suffix}"
            taken.add(unlike)
        else:
            used[name] = 1
        found.append((unlike, attachment))
    return found


def _safe(name: str) -> str:
    bare = " ".join(name.split(" ")).strip()
    escaped = "".join(
        "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "replace"))
        if sign in _UNSAFE or not sign.isprintable()
        else sign
        for sign in bare[:1000]
    )
    stem, suffix = _split(escaped)
    if len(stem) > _LONGEST_STEM or len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = stem[:_LONGEST_STEM] + "…", suffix[:_LONGEST_SUFFIX]
    return stem + suffix or "Anhang"


def _split(name: str) -> tuple[str, str]:
    suffix = PurePosixPath(name).suffix
    return name[: len(name) - len(suffix)], suffix


def attachment_id(mail_id: str, source: str) -> str:
    """Return the id of the document attached, at whatever depth, to the mail `mail_id`; `source` names it in full."""
    stem = PurePosixPath(source.rpartition(IN_FILE)[2]).stem
    slug = re.sub(r"[^a-z0-9]+", "-", fold(stem)).strip("-")[:60] or "attachment"
    return f"{mail_id}{IN_ID}{slug}-{hashlib.sha256(source.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def mail_of(document_id: str) -> str | None:
    """Return the id of the mail that a document is attached to, None where it is a file of its own."""
    mail, dot, _ = document_id.partition(IN_ID)
    return mail if dot else None


@contextmanager
def as_file(name: str, data: bytes) -> Iterator[Path]:
    """Put an attachment into a file of its own, for as long as it is read; `name` is one of `named`."""
    stem, suffix = _split(name.replace("%2F", "/").replace("%5C", "/").rpartition("/")[2])
    with TemporaryDirectory(prefix="citycite-") as folder:
        # Most systems take 255 bytes.
        short = stem.replace("..", "").encode()[:200].decode("utf-8", "ignore") or "Anhang"
        path = Path(folder) / f"{short}{suffix}"
        path.write_bytes(data)
        yield path
