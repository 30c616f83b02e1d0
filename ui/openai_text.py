"""Answers as text for chat programs, which show Markdown. Pure functions; nothing in them trusts a document.

A quote may hold anything that stands in a document. What would make a browser fetch a picture from elsewhere, hide an
address behind other words, or run as HTML, is written so that it is read as the characters it is made of.
"""

from __future__ import annotations

import re
from typing import Final

from rag.language import local_date
from rag.schema import Answer, Citation, Language
from ui.markup import document_address

_SOURCES: Final[dict[Language, str]] = {"de": "Quellen", "en": "Sources", "pl": "Źródła"}
_PAGE: Final[dict[Language, str]] = {"de": "S.", "en": "p.", "pl": "s."}
# A picture `![`, a link `](` or `][`, a definition `]:`, a tag or an address in angle brackets.
_ACTIVE = re.compile(r"(?<=!)\[|(?<=\])[(\[:]|<(?=[A-Za-z/!?])")
_BRACKETS = re.compile(r"[\[\]<>\\`*_]")


def without_markup(text: str) -> str:
    """Return `text` without anything that Markdown would fetch, link or run; marks such as [1] stay."""
    return _ACTIVE.sub(lambda found: "\\" + found.group(), text)


def sources_text(answer: Answer, address: str) -> str:
    """Return the list of sources, each with a link to its quote under `address`; empty where there are none."""
    if not answer.citations:
        return ""
    lines = [_source(citation, address, answer.language) for citation in answer.citations]
    return f"\n\n{_SOURCES[answer.language]}:\n\n" + "\n".join(lines)


def _source(citation: Citation, address: str, language: Language) -> str:
    title = " ".join(_BRACKETS.sub(lambda found: "\\" + found.group(), citation.title).split())
    link = f"{address.rstrip('/')}/{document_address(citation, language)}"
    page = f", {_PAGE[language]} {citation.page}" if citation.page is not None else ""
    date = f", {local_date(citation.published, language)}" if citation.published else ""
    return f"- [{citation.marker}] [{title}]({link}){page}{date}"
