"""Whether a quote stands in a text (pure)."""

from __future__ import annotations


def stands_in(quote: str, text: str, start: int, end: int) -> bool:
    """Whether `quote` is `text` from `start` to `end`, character for character."""
    return 0 <= start < end <= len(text) and text[start:end] == quote
