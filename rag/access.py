"""Who may see which documents: groups of documents, and readers who are in groups (pure).

What is said of a document is one of three: nothing, which a setting decides; some groups; or `*`, which is everybody.
All documents of which the same is said are one access class, so that retrieval decides by class and not by document.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

EVERYBODY: Final = "*"
# A directory's names of groups are shorter; all of a document's are kept with it and read with every list.
_LONGEST, _MOST = 200, 100


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks, by the groups they are in; None for `groups`: sees everything, as on one's own machine.

    `ungrouped` tells whether documents of which nothing is said are seen.
    """

    groups: frozenset[str] | None = None
    ungrouped: bool = True

    @property
    def is_restricted(self) -> bool:
        """Whether there may be documents that this reader does not see."""
        return self.groups is not None

    def sees(self, groups: Iterable[str] | None) -> bool:
        """Tell whether a document is seen of which these groups are said, None where nothing is."""
        if self.groups is None:
            return True
        if groups is None:
            return self.ungrouped
        said = frozenset(groups)
        return EVERYBODY in said or not said.isdisjoint(self.groups)

    def sees_class(self, access: str) -> bool:
        """Tell whether the documents of an access class are seen."""
        return self.sees(_groups(access))

    def sees_record(self, record: Mapping[str, Any]) -> bool:
        """Tell whether the document of a record is seen."""
        return self.sees(groups_in(record))


EVERYTHING: Final = Reader()


def access_class(record: Mapping[str, Any]) -> str:
    """Return what is said of the document of a record; equal for equal groups."""
    return str(record.get("groups_set") or record.get("groups") or "")


def groups_in(record: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the groups of the document of a record, None where nothing is said.

    What was set on the document itself wins over what its files and folders say.
    """
    return _groups(access_class(record))


def written(groups: Iterable[str] | None) -> str:
    """Return groups as a record holds them; "" stands for None."""
    return "" if groups is None else json.dumps(sorted(set(groups)), ensure_ascii=False)


def _groups(access: str) -> tuple[str, ...] | None:
    return tuple(json.loads(access)) if access else None


def group_names(given: Iterable[str]) -> tuple[str, ...]:
    """Return names of groups as they are compared: in NFC, without blanks around, each once, in order.

    Raises:
        ValueError: there is none, or one is none; the message goes on after "groups".
    """
    names = sorted({unicodedata.normalize("NFC", name).strip() for name in given})
    if not names or names == [""]:
        raise ValueError(f"names no group; write {EVERYBODY} for everybody")
    if len(names) > _MOST:
        raise ValueError(f"names {len(names)} groups; at most {_MOST} are kept")
    for name in names:
        # A comma separates names in tables and in the headers of proxies.
        if not name or len(name) > _LONGEST or "," in name or not name.isprintable():
            raise ValueError(
                f"holds {name[:50]!r}; a name has 1 to {_LONGEST} characters that can be printed, and no comma"
            )
    return tuple(names)
