"""Which documents may be taken out because their files are gone: not those of a folder that only seems to be empty.

A network share that is not mounted, or only in part, looks like a folder whose files were deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ingest.addresses import is_web_address
from ingest.reading import Failure
from ingest.stored import Place, Stored

# What an office deletes on purpose in one go is seldom more than half of a folder; what a share that went away takes
# with it mostly is.
_MOST = 0.5


# The kind of failure of a folder that has lost too much; that is no source.
NOT_PRUNED = "not pruned"


class Pruning:
    """Made before a run changes anything: it knows what was stored from each of the folders `paths`.

    `force` says that their files are gone on purpose.
    """

    def __init__(self, paths: Iterable[str], stored: Stored, *, force: bool = False) -> None:
        self.roots = [_resolved(path) for path in paths if not is_web_address(path)]
        self._stored = stored
        self._force = force
        files = {place.file for place in stored.places() if not is_web_address(place.source)}
        self._before = {root: sum(_is_in(file, root) for file in files) for root in self.roots}

    def gone(self, found: Iterable[Path], failures: list[Failure]) -> list[Place]:
        """Return what may be taken out. `found` are the files that are there.

        Folders that have lost too much are added to `failures`; all that is stored from them stays.
        """
        gone = self._stored.gone(self.roots, found)
        files = {place.file for place in gone}
        kept = []
        for root in self.roots:
            lost, before = sum(_is_in(file, root) for file in files), self._before[root]
            if lost and not os.path.lexists(root):
                kept.append(root)  # that it is missing was said when it was looked for
            elif lost > _MOST * before and not self._force:
                failures.append(Failure(str(root), _too_many(lost, before), NOT_PRUNED))
                kept.append(root)
        return [place for place in gone if not any(_is_in(place.file, root) for root in kept)]


def _too_many(lost: int, before: int) -> str:
    what = f"{lost} of the {before} files stored from it are gone, more than half"
    if lost == before:
        what = f"all {before} files stored from it are gone" if before > 1 else "the one file stored from it is gone"
    return f"{what}; nothing of it is taken out. If that is so on purpose: --prune --force, else see if a share is away"


def _is_in(file: str, root: Path) -> bool:
    # Tens of thousands of paths are compared with each root, which takes long with Path objects.
    return file == str(root) or file.startswith(str(root).rstrip(os.sep) + os.sep)


def _resolved(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):  # links in a circle; that it cannot be read is said when it is looked for
        return Path(path).absolute()
