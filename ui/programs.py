"""`citycite mcp`, and whether its package is there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from rag.errors import UsageError

if TYPE_CHECKING:
    from rag import Assistant
    from ui.journal import Journal


def has_mcp() -> bool:
    """Whether the extra `citycite[mcp]` is installed."""
    return find_spec("mcp") is not None


def require_mcp() -> None:
    """Raise UsageError where the extra is not installed."""
    if not has_mcp():
        raise UsageError("The MCP server needs a package that is missing: pip install 'citycite[mcp]'")


def run_over_stdio(assistant: Assistant, journal: Journal | None) -> None:
    """Answer a program over stdin and stdout until it closes them."""
    require_mcp()
    from ui.mcp_server import mcp_server

    mcp_server(assistant, journal).run("stdio")
