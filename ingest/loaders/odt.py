"""OpenDocument texts (.odt), as LibreOffice writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.loaders.base import Draft, Extract
from ingest.loaders.blocks import Block, Cell, Line, as_late, first_heading, with_bold_headings, write_blocks
from ingest.loaders.numbering import Counters, Level
from ingest.loaders.office import Archive, document_title, open_archive, whole_number
from ingest.metadata import find_date
from rag.errors import LoadError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # type: ignore[import-untyped]

_HEADING = re.compile(r"(?:heading|überschrift|nagłówek) [1-9]|title|titel|tytuł", re.IGNORECASE)
# What stands in the text and is not part of it; what was deleted is kept in "tracked-changes".
_SKIPPED = frozenset(
    {
        "tracked-changes", "annotation", "annotation-end", "hidden-text", "hidden-paragraph", "ruby-text", "forms",
        "sequence-decls", "variable-decls", "user-field-decls", "table-of-content", "alphabetical-index",
        "illustration-index", "table-index", "object-index", "user-index", "number", "script", "event-listeners",
    }
)  # fmt: skip
_SHAPES = ("frame", "g", "custom-shape", "rect", "ellipse", "polygon", "path")
_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "": "none"}
_LONGEST_CHAIN = 20
# A spreadsheet pasted into a text may declare thousands of empty columns.
_MOST_REPEATED = 100


def load_odt(path: Path) -> Extract:
    """Read an OpenDocument text as it is shown with all tracked changes accepted.

    Footnotes, endnotes and text boxes follow at the end of their section; page headers, page footers, comments,
    hidden text and indexes are left out.
    """
    archive = open_archive(path, ".odt")
    blocks = with_bold_headings(_Reader(archive).blocks())
    draft = Draft()
    write_blocks(blocks, draft)
    title = document_title(archive, path.stem) or first_heading(blocks)
    return draft.extract(title, find_date(draft.extract().text))


@dataclass(slots=True)
class _Style:
    name: str = ""
    based_on: str = ""
    outline: bool = False
    hidden: bool | None = None
    bold: bool | None = None
    list_style: str = ""


@dataclass(slots=True)
class _Styles:
    by_name: dict[tuple[str, str], _Style] = field(default_factory=dict)
    lists: dict[str, dict[int, Level]] = field(default_factory=dict)
    outline: dict[int, Level] = field(default_factory=dict)

    def read(self, root: Element | None) -> None:
        """Take in the styles of a part; later ones replace earlier ones of the same name."""
        for style in root.iter("style") if root is not None else ():
            properties = style.find("text-properties")
            display = weight = None
            if properties is not None:
                display, weight = properties.get("display"), properties.get("font-weight")
            self.by_name[style.get("family", ""), style.get("name", "")] = _Style(
                style.get("display-name") or style.get("name", "").replace("_20_", " "),
                style.get("parent-style-name", ""),
                bool(style.get("default-outline-level")),
                None if display is None else display == "none",
                None if weight is None else weight in ("bold", "600", "700", "800", "900"),
                style.get("list-style-name", ""),
            )
        for style in root.iter("list-style") if root is not None else ():
            self.lists[style.get("name", "")] = _levels(style)
        for style in root.iter("outline-style") if root is not None else ():
            self.outline = _levels(style)

    def chain(self, family: str, name: str) -> Iterator[_Style]:
        for _ in range(_LONGEST_CHAIN):
            style = self.by_name.get((family, name))
            if style is None:
                return
            yield style
            name = style.based_on

    def is_heading(self, name: str) -> bool:
        return any(style.outline or _HEADING.fullmatch(style.name) for style in self.chain("paragraph", name))

    def hides(self, family: str, name: str) -> bool | None:
        return next((style.hidden for style in self.chain(family, name) if style.hidden is not None), None)

    def is_bold(self, family: str, name: str) -> bool | None:
        return next((style.bold for style in self.chain(family, name) if style.bold is not None), None)


def _levels(style: Element) -> dict[int, Level]:
    levels: dict[int, Level] = {}
    for level in style:
        depth = whole_number(level.get("level"), 1) - 1
        if level.tag not in ("list-level-style-number", "outline-level-style"):
            levels[depth] = Level("bullet")
            continue
        shown = min(whole_number(level.get("display-levels"), 1), depth + 1)
        numbers = ".".join(f"%{number}" for number in range(depth + 2 - shown, depth + 2))
        template = f"{level.get('num-prefix', '')}{numbers}{level.get('num-suffix', '')}"
        style_of_number = _FORMATS.get(level.get("num-format", ""), "decimal")
        levels[depth] = Level(style_of_number, template, whole_number(level.get("start-value"), 1))
    return levels


class _Reader:
    """Turns the content of a document into blocks."""

    def __init__(self, archive: Archive) -> None:
        self._content = archive.xml("content.xml")
        self._styles = _Styles()
        self._styles.read(archive.optional_xml("styles.xml"))
        self._styles.read(self._content)
        self._counters = Counters()
        # The list that was counted last, by the name of its style.
        self._last_list: dict[str, str] = {}
        # Names for the lists that have none.
        self._numbers = count()
        self._late: list[Block] = []

    def blocks(self) -> list[Block]:
        text = self._content.find("body/text")
        if text is None:
            raise LoadError("is a broken .odt file: it has no text; open it in an office program and save it anew")
        return list(self._story(text))

    def _story(self, element: Element) -> Iterator[Block]:
        for child in element:
            if child.tag in _SKIPPED or _is_hidden(child):
                continue
            if child.tag in ("p", "h"):
                yield from self._paragraph(child, "")
            elif child.tag == "list":
                yield from self._list(child, 0, "", "")
            elif child.tag == "table":
                yield self._table(child)
            elif child.tag in _SHAPES:
                self._shape(child)
            else:
                yield from self._story(child)
            yield from self._noted()

    def _noted(self) -> list[Block]:
        late, self._late = self._late, []
        return late

    def _paragraph(self, element: Element, marker: str) -> Iterator[Block]:
        style = element.get("style-name", "")
        line = Line()
        self._walk(
            element,
            line,
            hidden=bool(self._styles.hides("paragraph", style)) or _hidden_field(element),
            bold=bool(self._styles.is_bold("paragraph", style)),
        )
        text = line.text.strip()
        if not text:
            return
        if element.tag == "h" or self._styles.is_heading(style):
            if element.tag == "h" and not marker and element.get("is-list-header") != "true":
                depth = whole_number(element.get("outline-level"), 1) - 1
                levels = self._styles.outline
                marker = self._counters.marker("outline", depth, levels) if depth in levels else ""
            yield Block("heading", marker.replace("• ", "") + text, bold=line.bold)
        else:
            yield Block("item" if marker else "paragraph", marker + text, bold=line.bold)

    def _list(self, element: Element, depth: int, style: str, key: str) -> Iterator[Block]:
        style = element.get("style-name") or style or self._list_style(element)
        if not depth:
            key = self._list_key(element, style)
        levels = self._styles.lists.get(style, {})
        for item in element.iterchildren("list-item", "list-header"):
            start = item.get("start-value")
            if start is not None:
                self._counters.restart(key, depth, whole_number(start, 1))
            first = item.tag == "list-item"
            for child in item:
                if child.tag in ("p", "h"):
                    # An item that holds no text counts, one that holds but a list of its own does not.
                    marker = self._counters.marker(key, depth, levels) if first else ""
                    first = False
                    yield from self._paragraph(child, marker)
                elif child.tag == "list":
                    yield from self._list(child, depth + 1, style, key)
                else:
                    yield from self._story([child])
                yield from self._noted()

    def _list_style(self, element: Element) -> str:
        """Return the list style that the paragraphs of a list bring with them."""
        first = next(element.iter("p", "h"), None)
        name = "" if first is None else first.get("style-name", "")
        chain = self._styles.chain("paragraph", name)
        return next((style.list_style for style in chain if style.list_style), "")

    def _list_key(self, element: Element, style: str) -> str:
        key = element.get("id") or f"list {next(self._numbers)}"
        continued = element.get("continue-list") or (
            self._last_list.get(style) if element.get("continue-numbering") == "true" else None
        )
        if continued:
            self._counters.copy(continued, key)
        self._last_list[style] = key
        return key

    def _walk(self, element: Element, line: Line, *, hidden: bool, bold: bool) -> None:
        """Add the text within an element to `line`; notes and text boxes go to `self._late`."""
        if not hidden:
            line.add(_squeezed(element.text), bold=bold)
        for child in element:
            tag = child.tag
            if tag in ("s", "tab"):
                line.add(" ")
            elif tag == "line-break":
                line.add("\n")
            elif tag == "note":
                if not hidden:
                    self._aside(child.find("note-body"))
            elif tag in _SHAPES:
                if not hidden:
                    self._shape(child)
            elif tag == "span":
                style = child.get("style-name", "")
                own_hidden, own_bold = self._styles.hides("text", style), self._styles.is_bold("text", style)
                self._walk(
                    child,
                    line,
                    hidden=hidden if own_hidden is None else own_hidden,
                    bold=bold if own_bold is None else own_bold,
                )
            elif tag not in _SKIPPED:
                self._walk(child, line, hidden=hidden, bold=bold)
            if not hidden:
                line.add(_squeezed(child.tail), bold=bold)

    def _shape(self, shape: Element) -> None:
        if shape.tag == "g":
            for part in shape.iterchildren(*_SHAPES):
                self._shape(part)
        elif shape.tag == "frame":
            for box in shape.iterchildren("text-box", "table"):
                self._aside(box)
        else:
            self._aside(shape)

    def _aside(self, content: Element | None) -> None:
        if content is not None:
            before, self._late = self._late, []
            story = [content] if content.tag == "table" else content
            found = as_late(self._story(story))
            self._late = before + found

    # --- Tables ---

    def _table(self, element: Element) -> Block:
        rows: list[tuple[Cell, ...]] = []
        header_rows = 0
        for row in element.iter("table-row"):
            if _owner(row) is not element or row.get("visibility") in ("collapse", "filter"):
                continue
            is_header = row.getparent().tag == "table-header-rows"
            header_rows += is_header and header_rows == len(rows)
            rows.append(tuple(self._cells(row, rows)))
        return Block("table", rows=tuple(rows), header_rows=header_rows)

    def _cells(self, row: Element, above: list[tuple[Cell, ...]]) -> Iterator[Cell]:
        spanned = 0
        for cell in row.iterchildren("table-cell", "covered-table-cell"):
            repeated = min(whole_number(cell.get("number-columns-repeated"), 1), _MOST_REPEATED)
            if cell.tag == "covered-table-cell":
                # Covered from the left or from above: only the cell above can go on here.
                for _ in range(repeated):
                    if spanned:
                        spanned -= 1
                    else:
                        yield Cell(goes_on=bool(above))
                continue
            columns = min(whole_number(cell.get("number-columns-spanned"), 1), _MOST_REPEATED)
            spanned = columns - 1
            blocks = tuple(self._in_cell(cell))
            for _ in range(repeated):
                yield Cell(blocks, columns)

    def _in_cell(self, cell: Element) -> list[Block]:
        outside, self._late = self._late, []
        blocks = list(self._story(cell))
        self._late = outside + [block for block in blocks if block.late]
        return [block for block in blocks if not block.late]


def _owner(row: Element) -> Element | None:
    """Return the table that a row belongs to."""
    return next(row.iterancestors("table"), None)


def _is_hidden(element: Element) -> bool:
    """Tell whether a section is hidden at all times; one hidden on a condition is, as it was last shown."""
    return bool(element.tag == "section") and (
        element.get("display") == "none"
        or (element.get("display") == "condition" and element.get("is-hidden") == "true")
    )


def _hidden_field(paragraph: Element) -> bool:
    return any(mark.get("is-hidden") == "true" for mark in paragraph.iterchildren("hidden-paragraph"))


def _squeezed(text: str | None) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text) if text else ""
