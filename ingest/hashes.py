"""Content hashes of files, which decide whether a file has changed."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from ingest.side_files import Details

# Part of every content hash: raise it when extraction or splitting changes, so that unchanged files are read anew.
EXTRACTION_VERSION = "3"
_CHUNK = 1 << 20
# A file that is written twice within the tick of its clock has the same time with both contents. The coarsest ticks, of
# FAT and of some network shares, are of two seconds.
_TICK_NS = 3_000_000_000


class FileHashes:
    """Hashes files. One that is kept for several runs reads again only files whose size or times have changed.

    Those say less than the content: who replaces a file and gives it back its times, on a share that knows no time of
    change (ctime), is not noticed. So a single ingest always reads, and a watch as it begins.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[object, ...], str]] = {}

    def of(self, file: Path, details: Details) -> str:
        """Return the hash of a file's content and of what side files say about it.

        Raises:
            OSError: the file cannot be read.
        """
        status, said = file.stat(), details.fingerprint()
        state = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev, said)
        known = self._known.get(file)
        if known is not None and known[0] == state:
            return known[1]
        is_settled = max(status.st_mtime_ns, status.st_ctime_ns) + _TICK_NS < time.time_ns()
        digest = hashlib.sha256(EXTRACTION_VERSION.encode())
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
        found = _with_details(digest, said)
        if is_settled:
            self._known[file] = (state, found)
        else:
            self._known.pop(file, None)
        return found


def content_hash(data: bytes, details: Details) -> str:
    """Return the same for content that is in memory, such as that of an attachment."""
    return _with_details(hashlib.sha256(EXTRACTION_VERSION.encode() + data), details.fingerprint())


def _with_details(digest: hashlib._Hash, said: bytes) -> str:
    if said:
        # The length keeps apart what the file ends with and what is said about it.
        digest.update(said + len(said).to_bytes(8, "big"))
    return digest.hexdigest()
