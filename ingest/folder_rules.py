"""Groups by folder: which groups may see what lies where (pure).

The setting `folder_groups` has patterns in gitignore syntax, each with the groups that see what it matches. The last
rule that matches a file's path, or a page's address without `https://`, holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pathspec

from rag.access import group_names
from rag.errors import UsageError
from rag.settings import Settings


class FolderRules:
    """The rules of the settings.

    Raises:
        UsageError: a pattern or a group is none.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]]) -> None:
        self._rules = []
        for pattern, groups in rules.items():
            if not pattern.strip() or pattern.strip().startswith(("!", "#")):
                raise UsageError(
                    f"CITYCITE_FOLDER_GROUPS has the pattern {pattern!r}, which matches nothing; write a folder as "
                    "personnel/ or a pattern as *.hr.pdf."
                )
            try:
                spec = pathspec.PathSpec.from_lines("gitignore", [pattern])
                self._rules.append((spec, group_names(groups)))
            except ValueError as error:
                raise UsageError(f"CITYCITE_FOLDER_GROUPS, pattern {pattern!r}: {error}.") from None

    @classmethod
    def of(cls, settings: Settings) -> FolderRules:
        """Return the rules of the settings."""
        return cls(settings.folder_groups)

    def groups_of(self, source: str) -> tuple[str, ...] | None:
        """Return the groups that see `source`, a path or an address; None where no rule says so."""
        path = source.partition("://")[2] if "://" in source else source.lstrip("/")
        return next((groups for spec, groups in reversed(self._rules) if spec.match_file(path)), None)

    def mark(self, source: str) -> str:
        """Return what differs where rules say different things of `source`; "" where they say nothing."""
        groups = self.groups_of(source)
        return "" if groups is None else "+" + hashlib.sha256("\n".join(groups).encode()).hexdigest()[:12]
