"""Word documents (.docx)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.loaders.base import Draft, Extract
from ingest.loaders.blocks import Block, Cell, Line, as_late, first_heading, with_bold_headings, write_blocks
from ingest.loaders.numbering import Counters, Level
from ingest.loaders.office import Archive, document_title, main_part, open_archive, related, switched_on
from ingest.metadata import find_date
from rag.errors import LoadError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # type: ignore[import-untyped]

_HEADING = re.compile(r"(?:heading|überschrift|nagłówek)\s*[1-9]|title|titel|tytuł", re.IGNORECASE)
# A table of contents repeats the headings; where it stands, they answer nothing.
_CONTENTS = re.compile(
    r"(?:toc|verzeichnis|inhaltsverzeichnis|spis treści)\s*[1-9]|toc heading|inhaltsverzeichnisüberschrift",
    re.IGNORECASE,
)
# Parts of a paragraph that are not its text: what was deleted, comments, properties, codes of fields.
_SKIPPED = frozenset({"del", "moveFrom", "delText", "instrText", "pPr", "rPr", "sdtPr", "rt", "commentReference"})
_WRAPPERS = frozenset({"ins", "moveTo", "customXml", "smartTag", "sdtContent"})
_LITERAL = {"tab": " ", "ptab": " ", "cr": "\n", "br": "\n", "noBreakHyphen": "\u2011", "softHyphen": "\u00ad"}
# Signs of the fonts Wingdings and Symbol that stand for more than decoration; the bullets are mended in cleaning.
_SYMBOLS = {"F0FC": "✓", "F0FE": "☑", "F0A8": "☐", "F06F": "☐", "F0E0": "→", "F0B7": "•", "F0A7": "•", "F0D8": "•"}
_FORMATS = frozenset({"none", "decimalZero", "lowerLetter", "upperLetter", "lowerRoman", "upperRoman", "bullet"})
# A chain of styles that is longer goes round in a circle.
_LONGEST_CHAIN = 20


def load_docx(path: Path) -> Extract:
    """Read a Word document as it is shown with all tracked changes accepted.

    Footnotes, endnotes and text boxes follow at the end of their section; page headers, page footers, comments,
    hidden text and the table of contents are left out.
    """
    archive = open_archive(path, ".docx")
    blocks = with_bold_headings(_Reader(archive).blocks())
    draft = Draft()
    write_blocks(blocks, draft)
    title = document_title(archive, path.stem) or first_heading(blocks)
    return draft.extract(title, find_date(draft.extract().text))


# --- Styles and lists -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Style:
    """What a style sets itself; None where it leaves that to the style it is based on."""

    name: str = ""
    based_on: str = ""
    outline: int | None = None
    list_id: str | None = None
    depth: int | None = None
    hidden: bool | None = None
    bold: bool | None = None


@dataclass(slots=True)
class _Styles:
    by_id: dict[str, _Style] = field(default_factory=dict)
    default: str = ""

    def chain(self, style_id: str) -> Iterator[_Style]:
        """Yield a style and those it is based on, nearest first."""
        for _ in range(_LONGEST_CHAIN):
            style = self.by_id.get(style_id)
            if style is None:
                return
            yield style
            style_id = style.based_on

    def is_heading(self, style_id: str) -> bool:
        for style in self.chain(style_id):
            if style.outline is not None:
                return style.outline < 9
            if _HEADING.fullmatch(style.name):
                return True
        return False

    def is_contents(self, style_id: str) -> bool:
        return any(_CONTENTS.fullmatch(style.name) for style in self.chain(style_id))

    def hides(self, style_id: str) -> bool:
        return next((style.hidden for style in self.chain(style_id) if style.hidden is not None), False)

    def is_bold(self, style_id: str) -> bool:
        return next((style.bold for style in self.chain(style_id) if style.bold is not None), False)

    def numbering(self, style_id: str) -> tuple[str | None, int]:
        chain = list(self.chain(style_id))
        list_id = next((style.list_id for style in chain if style.list_id is not None), None)
        return list_id, next((style.depth for style in chain if style.depth is not None), 0)


def _read_styles(root: Element | None) -> _Styles:
    styles = _Styles()
    for element in root.iterchildren("style") if root is not None else ():
        style = _Style(_value(element, "name") or "", _value(element, "basedOn") or "")
        paragraph, run = element.find("pPr"), element.find("rPr")
        if paragraph is not None:
            style.outline = _number(_value(paragraph, "outlineLvl"))
            style.list_id, style.depth = _list_of(paragraph)
        if run is not None:
            style.hidden, style.bold = _switch(run, "vanish"), _switch(run, "b")
        styles.by_id[element.get("styleId", "")] = style
        if element.get("type") == "paragraph" and element.get("default") in ("1", "true", "on"):
            styles.default = element.get("styleId", "")
    return styles


@dataclass(frozen=True, slots=True)
class _List:
    key: str  # what it counts together with
    levels: dict[int, Level]
    starts: dict[int, int]


def _read_lists(root: Element | None) -> dict[str, _List]:
    if root is None:
        return {}
    abstract = {element.get("abstractNumId", ""): element for element in root.iterchildren("abstractNum")}
    lists: dict[str, _List] = {}
    for element in root.iterchildren("num"):
        key = _value(element, "abstractNumId") or ""
        base = abstract.get(key)
        levels = _levels(base) if base is not None else {}
        starts: dict[int, int] = {}
        for override in element.iterchildren("lvlOverride"):
            levels |= _levels(override)
            start = _number(_value(override, "startOverride"))
            if start is not None:
                starts[_number(override.get("ilvl")) or 0] = start
        lists[element.get("numId", "")] = _List(key, levels, starts)
    return lists


def _levels(element: Element) -> dict[int, Level]:
    levels: dict[int, Level] = {}
    for level in element.iterchildren("lvl"):
        style = _value(level, "numFmt") or "decimal"
        start = _number(_value(level, "start"))
        template = _value(level, "lvlText") or ""
        if style not in _FORMATS:
            style = "decimal"
        levels[_number(level.get("ilvl")) or 0] = Level(style, template, 1 if start is None else start)
    return levels


def _list_of(properties: Element) -> tuple[str | None, int | None]:
    numbering = properties.find("numPr")
    if numbering is None:
        return None, None
    return _value(numbering, "numId"), _number(_value(numbering, "ilvl"))


def _value(element: Element, name: str) -> str | None:
    child = element.find(name)
    return None if child is None else child.get("val")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,9}", text) else None


def _switch(properties: Element, name: str) -> bool | None:
    element = properties.find(name)
    return None if element is None else switched_on(element)


# --- Text -------------------------------------------------------------------------------------------------------------


class _Reader:
    """Turns the parts of a document into blocks."""

    def __init__(self, archive: Archive) -> None:
        self._main = main_part(archive) or ""
        self._document = archive.xml(self._main)

        def part(kind: str) -> Element | None:
            return archive.optional_xml(related(archive, self._main, kind))

        self._styles = _read_styles(part("styles"))
        self._lists = _read_lists(part("numbering"))
        self._notes = {kind: _by_id(part(f"{kind}s")) for kind in ("footnote", "endnote")}
        self._counters = Counters()
        self._started: set[tuple[str, int]] = set()
        # One entry a field that is open: whether its result has begun; what comes before is its code.
        self._fields: list[bool] = []
        self._late: list[Block] = []
        # The beginning of a paragraph whose end was deleted, so that it goes on with the next one.
        self._joined: Line | None = None

    def blocks(self) -> list[Block]:
        body = self._document.find("body")
        if body is None:
            raise LoadError("is a broken .docx file: it has no body; open it in an office program and save it anew")
        return list(self._story(body))

    def _story(self, element: Element) -> Iterator[Block]:
        for child in element:
            if child.tag == "p":
                yield from self._paragraph(child)
            elif child.tag == "tbl":
                yield self._table(child)
            elif child.tag == "sdt":
                gallery = child.find("sdtPr/docPartObj/docPartGallery")
                is_contents = gallery is not None and gallery.get("val") == "Table of Contents"
                if not is_contents and not switched_on(child.find("sdtPr/showingPlcHdr")):
                    yield from self._story(child)
            elif child.tag in _WRAPPERS:
                yield from self._story(child)
            yield from self._noted()

    def _noted(self) -> list[Block]:
        late, self._late = self._late, []
        return late

    def _paragraph(self, element: Element) -> Iterator[Block]:
        properties = element.find("pPr")
        style_id = (None if properties is None else _value(properties, "pStyle")) or self._styles.default
        line, self._joined = self._joined or Line(), None
        self._walk(element, line, self._styles.hides(style_id), self._styles.is_bold(style_id))
        # A field whose code never ended would swallow the rest of the document.
        self._fields = [True] * len(self._fields)
        if properties is not None and properties.find("rPr/del") is not None:
            self._joined = line
            return
        if not line.text.strip() or self._styles.is_contents(style_id):
            return
        outline = None if properties is None else _number(_value(properties, "outlineLvl"))
        is_heading = self._styles.is_heading(style_id) if outline is None else outline < 9
        marker = self._marker(properties, style_id)
        if is_heading:
            yield Block("heading", marker.replace("• ", "") + line.text, bold=line.bold)
        else:
            yield Block("item" if marker else "paragraph", marker + line.text.strip(), bold=line.bold)

    def _marker(self, properties: Element | None, style_id: str) -> str:
        list_id, depth = (None, None) if properties is None else _list_of(properties)
        by_style, depth_by_style = self._styles.numbering(style_id)
        list_id = by_style if list_id is None else list_id
        depth = depth_by_style if depth is None else depth
        found = self._lists.get(list_id or "0")
        if found is None:
            return ""
        if (list_id or "", depth) not in self._started and depth in found.starts:
            self._counters.restart(found.key, depth, found.starts[depth])
        self._started.add((list_id or "", depth))
        return self._counters.marker(found.key, depth, found.levels)

    def _walk(self, element: Element, line: Line, hidden: bool, bold: bool) -> None:
        """Add the text within an element to `line`; notes and text boxes go to `self._late`."""
        for child in element:
            tag = child.tag
            if tag in _SKIPPED:
                continue
            if tag == "fldChar":
                self._field(child.get("fldCharType", ""))
            elif tag == "r":
                self._run(child, line, hidden, bold)
            elif tag == "txbxContent":
                self._text_box(child, hidden)
            elif tag == "AlternateContent":
                # The same drawing for newer and for older programs.
                chosen = child.find("Choice")
                self._walk(child.find("Fallback") if chosen is None else chosen, line, hidden, bold)
            elif tag == "sdt" and switched_on(child.find("sdtPr/showingPlcHdr")):
                continue
            elif tag in ("footnoteReference", "endnoteReference"):
                self._note(tag.removesuffix("Reference"), child.get("id", ""), hidden)
            elif hidden or not all(self._fields):
                self._walk(child, line, True, bold)
            elif tag == "t":
                line.add(child.text or "", bold=bold)
            elif tag == "sym":
                line.add(_SYMBOLS.get(child.get("char", "").upper(), ""))
            elif tag in _LITERAL:
                line.add(_LITERAL[tag])
            else:
                self._walk(child, line, hidden, bold)

    def _run(self, run: Element, line: Line, hidden: bool, bold: bool) -> None:
        properties = run.find("rPr")
        if properties is not None:
            style_id = _value(properties, "rStyle") or ""
            own_hidden, own_bold = _switch(properties, "vanish"), _switch(properties, "b")
            hidden = (hidden or self._styles.hides(style_id)) if own_hidden is None else own_hidden
            bold = (bold or self._styles.is_bold(style_id)) if own_bold is None else own_bold
        self._walk(run, line, hidden, bold)

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _note(self, kind: str, note_id: str, hidden: bool) -> None:
        # Each note once, however often it is referred to.
        note = self._notes[kind].pop(note_id, None)
        if note is not None and not hidden:
            self._aside(note)

    def _text_box(self, content: Element, hidden: bool) -> None:
        if not hidden:
            self._aside(content)

    def _aside(self, content: Element) -> None:
        """Read a story of its own within the one that is being read."""
        fields, joined, before = self._fields, self._joined, self._late
        self._fields, self._joined, self._late = [], None, []
        found = as_late(self._story(content))
        self._fields, self._joined, self._late = fields, joined, before + found

    # --- Tables ---

    def _table(self, element: Element) -> Block:
        rows: list[tuple[Cell, ...]] = []
        header_rows = 0
        for row in _members(element, "tr"):
            properties = row.find("trPr")
            if properties is not None:
                if properties.find("del") is not None or switched_on(properties.find("hidden")):
                    continue
                header_rows += header_rows == len(rows) and switched_on(properties.find("tblHeader"))
            rows.append(tuple(self._cells(row, properties)))
        return Block("table", rows=tuple(rows), header_rows=header_rows)

    def _cells(self, row: Element, properties: Element | None) -> Iterator[Cell]:
        before = None if properties is None else _number(_value(properties, "gridBefore"))
        for _ in range(min(before or 0, 100)):
            yield Cell()
        for cell in _members(row, "tc"):
            setting = cell.find("tcPr")
            span = None if setting is None else _number(_value(setting, "gridSpan"))
            merge = None if setting is None else setting.find("vMerge")
            goes_on = merge is not None and merge.get("val", "continue") == "continue"
            # What notes and boxes in cells hold comes behind the table; it must not become part of the cell.
            yield Cell(tuple(self._in_cell(cell)), max(1, min(span or 1, 100)), goes_on)

    def _in_cell(self, cell: Element) -> list[Block]:
        outside, self._late = self._late, []
        blocks = list(self._story(cell))
        self._late = outside + [block for block in blocks if block.late]
        return [block for block in blocks if not block.late]


def _by_id(root: Element | None) -> dict[str, Element]:
    return {} if root is None else {note.get("id", ""): note for note in root}


def _members(element: Element, tag: str) -> Iterator[Element]:
    """Yield the rows of a table or the cells of a row, also those in controls and tracked insertions."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS or child.tag == "sdt":
            yield from _members(child, tag)
