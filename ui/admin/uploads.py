"""Uploaded files: a safe name, a content that fits it, within the limit, whole or not at all, and never executed."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from pathlib import Path
from typing import BinaryIO, Final

from ingest.loaders import LOADERS
from ingest.side_files import is_side_file
from rag.errors import CityciteError

_MEGABYTE: Final = 1_000_000
# Bytes of a name that every file system takes, with room for ".part".
_LONGEST: Final = 200
_HEAD: Final = 4096
_UNSAFE = re.compile(r"[^\w .()+,=@§&-]")
# Names that Windows keeps for devices, should the folder ever be read from there.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_ZIP, _OLE, _RTF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf"
# How files of a kind begin; a file that was renamed would only fail later, with a less clear message.
_BEGINNINGS: Final[dict[str, tuple[bytes, ...]]] = {
    **dict.fromkeys((".docx", ".pptx", ".xlsx", ".odt", ".ods", ".odp"), (_ZIP,)),
    # Old programs gave these names to whatever they wrote.
    **dict.fromkeys((".doc", ".xls", ".ppt"), (_OLE, _ZIP, _RTF)),
    ".msg": (_OLE,),
    ".rtf": (_RTF,),
    ".png": (b"\x89PNG",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".tif": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    ".tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    ".webp": (b"RIFF",),
    ".bmp": (b"BM",),
}
_TEXTS: Final = frozenset({".txt", ".md", ".html", ".htm", ".csv", ".eml"})
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")  # UTF-16, which is full of zero bytes


class RefusedError(CityciteError):
    """A file is not taken; `key` is that of the text that says why, with `values`."""

    status = 422

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def safe_name(given: str) -> str:
    """Return the name under which a file is kept: never a path, never hidden, printable, not too long.

    Raises:
        RefusedError: nothing is left of it, or it is not a name of a document.
    """
    name = unicodedata.normalize("NFC", given.encode("utf-8", "replace").decode()).replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = _UNSAFE.sub("_", name).strip(". ").rpartition(".")
    suffix = f".{suffix.lower()}"
    if not dot or suffix not in LOADERS:
        raise RefusedError("upload_type", name=name, types=", ".join(sorted(LOADERS)))
    stem = stem.strip(". ")
    while len(f"{stem}{suffix}".encode()) > _LONGEST:
        stem = stem[:-1]
    kept = f"{stem}{suffix}"
    if not stem.strip("_ ") or _DEVICES.fullmatch(kept):
        raise RefusedError("upload_name", name=name)
    if is_side_file(Path(kept)):
        raise RefusedError("upload_side_file", name=name)
    return kept


def check_content(name: str, head: bytes) -> None:
    """See that a file begins as its name says.

    Raises:
        RefusedError: it is empty or begins otherwise.
    """
    if not head:
        raise RefusedError("upload_empty", name=name)
    suffix = Path(name).suffix
    if suffix == ".pdf":
        fits = b"%PDF-" in head[:1024]
    elif suffix in _TEXTS:
        fits = b"\0" not in head or head.startswith(_WIDE)
    else:
        fits = head.startswith(_BEGINNINGS[suffix])
    if not fits:
        raise RefusedError("upload_content", name=name, type=suffix)


def store(given: str, content: BinaryIO, folder: Path, *, replace: bool, max_megabytes: int) -> Path:
    """Keep an uploaded file in `folder`, whole or not at all; return its path.

    Raises:
        RefusedError: name, type, size or content do not fit, or a file of that name is there and not to be replaced.
    """
    name = safe_name(given)
    content.seek(0, os.SEEK_END)
    if content.tell() > max_megabytes * _MEGABYTE:
        raise RefusedError("upload_size", name=name, limit=max_megabytes)
    content.seek(0)
    check_content(name, content.read(_HEAD))
    content.seek(0)
    file = folder / name
    if file.exists() and not replace:
        raise RefusedError("upload_exists", name=name)
    unfinished = folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK, 0o640), "wb") as kept:
            shutil.copyfileobj(content, kept)
        unfinished.replace(file)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise RefusedError("upload_write", name=name, problem=error.strerror or str(error)) from error
    return file


_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
