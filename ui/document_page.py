"""The page of one stored document with the quoted passage marked: plain HTML, no script, nothing loaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from rag.errors import UsageError
from rag.language import local_date
from rag.schema import Document, Language
from ui.markup import is_web_address, shown_source
from ui.texts import text

# The page needs its own style and nothing else, whatever a document holds.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# A heading's line may hold a number or signs besides the label, "3.2.1 Sachverhalt"; a longer line is running text.
NUMBERING: Final = 12
# int() refuses thousands of digits with an error of its own; no text is that long.
SAFE_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the stored text, `[start, end)` in code points."""

    start: int
    end: int


def parse_range(start: str | None, end: str | None, document: Document, language: Language) -> Range | None:
    """Return the range that the address names, or None where it names none.

    Raises:
        UsageError: it is not a range of this document; the message is in `language`.
    """
    if start is None and end is None:
        return None
    if start and end and all(part.isdecimal() and len(part) <= SAFE_DIGITS for part in (start, end)):
        marked = Range(int(start), int(end))
        if marked.start < marked.end <= len(document.text):
            return marked
    shown = {"start": start or "–", "end": end or "–", "length": len(document.text)}
    raise UsageError(text("bad_range_detail", language, **shown))


def document_page(document: Document, marked: Range | None, language: Language) -> str:
    """Return the page of `document`, its labels in `language`."""
    facts = [("source", _source(document.source))]
    if document.published:
        facts.append(("published", escape(local_date(document.published, language))))
    facts += [(key, escape(said)) for key in ("type", "department") if (said := getattr(document, key))]
    listed = "".join(f"<div><dt>{escape(text(key, language))}</dt><dd>{value}</dd></div>" for key, value in facts)
    jump = f'<p><a href="#quote">{escape(text("to_quote", language))}</a></p>' if marked else ""
    spoken = f' lang="{escape(document.language)}"' if document.language else ""
    header = f"<header><h1{spoken}>{escape(document.title)}</h1><dl>{listed}</dl>{jump}</header>"
    return page(document.title, f"{header}<article{spoken}>{article(document, marked, language)}</article>", language)


def message_page(title: str, detail: str, language: Language, link: tuple[str, str] | None = None) -> str:
    """Return a page that says what is wrong, with a link (address, text) to what helps."""
    way_out = f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    return page(title, f"<header><h1>{escape(title)}</h1></header><p>{escape(detail)}</p>{way_out}", language)


@cache
def _style() -> str:
    return (Path(__file__).parent / "assets" / "document.css").read_text(encoding="utf-8")


def page(title: str, body: str, language: Language) -> str:
    """Return a page of this look around `body`, which is HTML."""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)} – citycite</title><style>{_style()}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


def _source(source: str) -> str:
    """Return where the document comes from; only web addresses become links."""
    if is_web_address(source):
        return f'<a href="{escape(source)}" rel="noopener noreferrer">{escape(source)}</a>'
    return escape(shown_source(source))


def article(document: Document, marked: Range | None, language: Language) -> str:
    """Return the text with page numbers and headings where the marks stand, and the range marked."""
    headings = {mark.start: mark.label for mark in document.sections}
    pages = {mark.start: mark.label for mark in document.pages}
    length = len(document.text)
    cuts = sorted({0, *(start for start in (*headings, *pages) if 0 <= start < length)})
    parts = []
    for start, end in zip(cuts, [*cuts[1:], length], strict=True):
        if start in pages:
            parts.append(f'<p class="page">{escape(text("page", language, page=pages[start]))}</p>')
        if start in headings:
            heading, start = _heading(document.text, Range(start, end), headings[start], marked)
            parts.append(heading)
        parts.extend(_paragraphs(document.text, Range(start, end), marked))
    # A range over several paragraphs is marked in each; the address leads to the first.
    return "".join(parts).replace("<mark>", '<mark id="quote">', 1)


def _heading(stored: str, section: Range, label: str, marked: Range | None) -> tuple[str, int]:
    """Return the heading of `section` and the offset behind it.

    Usually the label is the section's first line: then that line is the heading. Otherwise the label stands above.
    """
    line_end = stored.find("\n", section.start, section.end)
    line = Range(section.start, section.end if line_end < 0 else line_end)
    if label in stored[line.start : line.end] and line.end - line.start <= len(label) + NUMBERING:
        return f"<h2>{_marked(stored, line, marked)}</h2>", line.end
    return f"<h2>{escape(label)}</h2>", section.start


def _paragraphs(stored: str, block: Range, marked: Range | None) -> list[str]:
    """Return the paragraphs of a block; an empty line separates two, a single line break is kept as one."""
    paragraphs = []
    start = block.start
    while start < block.end:
        gap = stored.find("\n\n", start, block.end)
        end = block.end if gap < 0 else gap
        if stored[start:end].strip():
            paragraphs.append(f"<p>{_marked(stored, Range(start, end), marked)}</p>")
        start = end + 2
    return paragraphs


def _marked(stored: str, part: Range, marked: Range | None) -> str:
    """Return a part of the text, escaped, with what lies in the marked range marked."""
    if marked is None or marked.end <= part.start or part.end <= marked.start:
        return escape(stored[part.start : part.end].strip("\n"))
    start, end = max(part.start, marked.start), min(part.end, marked.end)
    before, inside, after = stored[part.start : start], stored[start:end], stored[end : part.end]
    return f"{escape(before).lstrip(chr(10))}<mark>{escape(inside)}</mark>{escape(after).rstrip(chr(10))}"
