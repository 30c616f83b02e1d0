"""Questions answered from a city's documents, with the passage each answer rests on.

from rag import Assistant
answer = Assistant.open("./store").ask("Wann trat Krakau Eurocities bei?")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.pipeline import Assistant
    from rag.schema import Answer, Citation, Document, Passage

__all__ = ["Answer", "Assistant", "Citation", "Document", "Passage"]


def __getattr__(name: str) -> object:
    # On demand, so that the command line starts without the retrieval packages.
    if name == "Assistant":
        from rag.pipeline import Assistant

        return Assistant
    if name in __all__:
        import rag.schema

        return getattr(rag.schema, name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
