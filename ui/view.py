"""What a page's address says: which documents may answer, and a question. So that a link shows a colleague the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from rag.errors import UsageError
from rag.schema import Filters, Language

# In the order of the fields on the page; each is a parameter of the address and a field of `Filters`.
FILTER_NAMES: Final = ("since", "until", "type", "department", "source", "language")
# The page's own language is `lang`; that of the documents needs another name than a reader would take for it.
_PARAMETERS: Final = {name: "documents" if name == "language" else name for name in FILTER_NAMES}
# Longer ones are no names of departments; an address has room for little more.
_LONGEST: Final = 200


def filter_values(parameters: Mapping[str, str]) -> list[str]:
    """Return the values of the filters in an address, in the order of `FILTER_NAMES`; empty where it has none."""
    return [parameters.get(name, "").strip()[:_LONGEST] for name in _PARAMETERS.values()]


def as_filters(values: Mapping[str, str | None]) -> Filters | None:
    """Return the filters that fields on the page say, None where a date is none."""
    given = {name: value.strip() for name, value in values.items() if value and value.strip()}
    try:
        return Filters(**given)  # type: ignore[arg-type]
    except UsageError:
        return None


def address(filters: Filters, language: Language, question: str | None = None) -> str:
    """Return the page's address, relative to it, that sets `filters` and, where one is given, asks `question`."""
    parameters = {"lang": language, "q": question}
    parameters |= {parameter: getattr(filters, name) for name, parameter in _PARAMETERS.items()}
    return "?" + urlencode({name: value for name, value in parameters.items() if value})
