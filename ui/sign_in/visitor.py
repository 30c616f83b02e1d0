"""Who sends a request, as the gate has found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from rag.access import Reader
from rag.errors import CityciteError

Right = Literal["ask", "tokens", "documents", "metrics"]
# `ask`: ask, search and read; `tokens`: issue short-lived tokens; `documents`: say who sees which document; `metrics`:
# read the server's figures, which count all documents.
RIGHTS: Final[tuple[Right, ...]] = get_args(Right)

ANONYMOUS: Final = "anonymous"
_KEY: Final = "citycite.visitor"
# Whoever has not passed the gate sees nothing at all.
NOBODY: Final = Reader(frozenset(), ungrouped=False)


class MissingRightError(CityciteError):
    """An API key may not do this."""

    status = 403


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request. `name` is the same for the same person or program, and nobody else's.

    `groups` None: sees everything. `ambient` tells that a browser sends along what proves it by itself, so that pages
    of others could make it do so.
    """

    name: str
    groups: frozenset[str] | None = frozenset()
    rights: frozenset[Right] = frozenset({"ask"})
    ambient: bool = False


def admit(scope: Scope, visitor: Visitor, *, ungrouped: bool) -> None:
    """Note in the scope of a request who sends it."""
    scope[_KEY] = (visitor, Reader(visitor.groups, ungrouped))


def visitor_of(scope: Scope) -> Visitor | None:
    """Return who sends a request, None where nobody has been let in."""
    return scope[_KEY][0] if _KEY in scope else None


def require(request: HTTPConnection, right: Right) -> Visitor:
    """Return who sends a request; the gate has seen to it that they have the right, and this sees once more.

    Raises:
        MissingRightError: they have not.
    """
    found = visitor_of(request.scope)
    if found is None or right not in found.rights:
        raise MissingRightError(f"This needs an API key with the right {right!r}.")
    return found


def reader_of(request: HTTPConnection) -> Reader:
    """Return what the sender of a request may see."""
    found: Any = request.scope.get(_KEY)
    return found[1] if found else NOBODY


AskedBy = Annotated[Reader, Depends(reader_of)]
