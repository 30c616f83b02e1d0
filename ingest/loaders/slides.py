"""PowerPoint presentations (.pptx)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.loaders.base import Draft, Extract
from ingest.loaders.blocks import Block, Cell, Line, first_heading, write_blocks
from ingest.loaders.numbering import numeral
from ingest.loaders.office import Archive, Relation, document_title, main_part, open_archive, whole_number
from ingest.metadata import find_date

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # type: ignore[import-untyped]

_TITLES = ("title", "ctrTitle")
# What stands on every slide.
_FURNITURE = frozenset({"ftr", "dt", "sldNum", "hdr", "sldImg"})
# Placeholders whose text has the bullets of the master.
_BODY = frozenset({"body", "obj", ""})
_NUMBER_STYLES = {
    "arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}  # fmt: skip
_CONTAINERS = frozenset({"grpSp", "sp", "graphicFrame", "AlternateContent", "Choice"})
# A text that is on three slides, at the same place, is no coincidence; a longer one is no footer.
_RECURRENCES = 3
_LONGEST_FOOTER = 100
# Shapes that overlap by less than this share of the smaller one stand beside or below each other.
_OVERLAP = 0.2


@dataclass(frozen=True, slots=True)
class _Box:
    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class _Shape:
    box: _Box
    blocks: tuple[Block, ...]
    is_title: bool = False


@dataclass(frozen=True, slots=True)
class _Slide:
    """The shapes of a slide and what the speaker has noted; a hidden slide has none."""

    shapes: tuple[_Shape, ...] = ()
    notes: tuple[Block, ...] = ()

    def blocks(self, recurring: frozenset[tuple[object, ...]]) -> list[Block]:
        """Return the blocks in reading order, without those shapes that recur on other slides."""
        shapes = [shape for shape in self.shapes if _sign(shape) not in recurring]
        ordered = [shape for shape in shapes if shape.is_title]
        ordered += in_reading_order([shape for shape in shapes if not shape.is_title])
        blocks = [block for shape in ordered for block in shape.blocks] + list(self.notes)
        return [block for block in blocks if block.text.strip() or block.rows]


def load_pptx(path: Path) -> Extract:
    """Read a presentation: each slide is a page whose label is its number, its title a section.

    The shapes of a slide stand in reading order, the speaker's notes behind them. Hidden slides are left out.
    """
    archive = open_archive(path, ".pptx")
    main = main_part(archive) or ""
    root = archive.xml(main)
    relations = archive.relations(main)
    number = whole_number(root.get("firstSlideNum"), 1)
    blocks: list[Block] = []
    labels: list[str] = []
    targets = [relations.get(entry.get("r_id", "")) for entry in root.iterfind("sldIdLst/sldId")]
    slides = [_slide(archive, relation.target) if relation is not None else _Slide() for relation in targets]
    recurring = _recurring(slides)
    for slide in slides:
        found = slide.blocks(recurring)
        if found:
            blocks += [replace(found[0], page=str(number)), *found[1:]]
            labels.append(str(number))
        number += 1
    draft = Draft(labels)
    write_blocks(blocks, draft)
    title = document_title(archive, path.stem) or first_heading(blocks)
    return draft.extract(title, find_date(draft.extract().text))


def _slide(archive: Archive, part: str) -> _Slide:
    root = archive.xml(part)
    if root.get("show") in ("0", "false"):
        return _Slide()
    relations = archive.relations(part)
    reader = _Reader(archive, relations)
    tree = root.find("cSld/spTree")
    shapes = tuple(reader.shapes(tree)) if tree is not None else ()
    notes: list[Block] = []
    page = archive.optional_xml(_target(relations, "notesSlide"))
    for shape in page.iter("sp") if page is not None else ():
        placeholder = shape.find("nvSpPr/nvPr/ph")
        if placeholder is not None and placeholder.get("type") == "body":
            notes += [replace(block, kind="paragraph") for block in _paragraphs(shape.find("txBody"), [])]
    return _Slide(shapes, tuple(notes))


def _recurring(slides: Sequence[_Slide]) -> frozenset[tuple[object, ...]]:
    """Return the signs of the shapes that stand, with the same text at the same place, on most of the slides.

    Programs that convert a presentation turn its footers into text boxes like any other.
    """
    counts = Counter(sign for slide in slides for sign in {_sign(shape) for shape in slide.shapes} if sign)
    needed = max(_RECURRENCES, len([slide for slide in slides if slide.shapes]) / 2)
    return frozenset(sign for sign, count in counts.items() if count >= needed)


def _sign(shape: _Shape) -> tuple[object, ...]:
    """Return what tells a footer from another shape: its text, digits aside, and its place; () where it is none."""
    if shape.is_title or len(shape.blocks) != 1 or shape.blocks[0].rows:
        return ()
    text = shape.blocks[0].text
    if len(text) > _LONGEST_FOOTER:
        return ()
    return (re.sub(r"\d+", "#", text.casefold()), round(shape.box.left, -4), round(shape.box.top, -4))


def _target(relations: dict[str, Relation], kind: str) -> str | None:
    return next((relation.target for relation in relations.values() if relation.kind == kind), None)


# --- Reading order ----------------------------------------------------------------------------------------------------


def in_reading_order(shapes: Sequence[_Shape]) -> list[_Shape]:
    """Return shapes as they are read: rows from above, within a row columns from the left, and so on.

    Recursive cuts along white space (Nagy and Seth, 1984); shapes that no cut parts stand by their upper left corners.
    """
    ordered = sorted(shapes, key=lambda shape: (shape.box.top, shape.box.left))
    if len(ordered) < 2:
        return ordered
    rows = _cut(ordered, lambda box: (box.top, box.height))
    if len(rows) > 1:
        return [shape for row in rows for shape in in_reading_order(row)]
    columns = _cut(ordered, lambda box: (box.left, box.width))
    if len(columns) > 1:
        return [shape for column in columns for shape in in_reading_order(column)]
    return ordered


def _cut(shapes: Sequence[_Shape], extent: Callable[[_Box], tuple[float, float]]) -> list[list[_Shape]]:
    """Group shapes whose extents along one axis overlap by more than a little."""
    groups: list[list[_Shape]] = []
    reached = 0.0
    for shape in sorted(shapes, key=lambda shape: extent(shape.box)[0]):
        start, length = extent(shape.box)
        if groups and reached - start > _OVERLAP * min(length, extent(groups[-1][-1].box)[1]):
            groups[-1].append(shape)
            reached = max(reached, start + length)
        else:
            groups.append([shape])
            reached = start + length
    return groups


# --- Shapes -----------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the shapes of a slide; what they do not say themselves stands in its layout and master."""

    def __init__(self, archive: Archive, relations: dict[str, Relation]) -> None:
        self._archive = archive
        self._relations = relations
        layout_part = _target(relations, "slideLayout")
        self._layouts: list[Element] = []
        if layout_part is not None and layout_part in archive:
            master_part = _target(archive.relations(layout_part), "slideMaster")
            parts = (archive.optional_xml(layout_part), archive.optional_xml(master_part))
            self._layouts = [part for part in parts if part is not None]

    def shapes(self, tree: Element, place: _Place | None = None) -> Iterator[_Shape]:
        """Yield the shapes with text in a tree or group, groups resolved."""
        place = place or _Place()
        for element in tree:
            if element.tag not in _CONTAINERS or _is_hidden(element):
                continue
            if element.tag == "AlternateContent":
                chosen = element.find("Choice")
                yield from self.shapes(element if chosen is None else chosen, place)
            elif element.tag == "grpSp":
                yield from self.shapes(element, place.within(element.find("grpSpPr/xfrm")))
            elif element.tag == "graphicFrame":
                blocks = self._graphic(element)
                if blocks:
                    yield _Shape(place.box(element.find("xfrm")), blocks)
            elif element.tag == "sp":
                yield from self._text_shape(element, place)

    def _text_shape(self, element: Element, place: _Place) -> Iterator[_Shape]:
        placeholder = element.find("nvSpPr/nvPr/ph")
        kind = None if placeholder is None else placeholder.get("type", "")
        if kind in _FURNITURE:
            return
        inherited = [] if placeholder is None else list(self._inherited(placeholder))
        boxes = (shape.find("spPr/xfrm") for shape in (element, *inherited))
        box = place.box(next((box for box in boxes if box is not None and len(box)), None))
        if kind in _TITLES:
            text = " ".join(_text(paragraph) for paragraph in element.iterfind("txBody/p"))
            yield _Shape(box, (Block("heading", text.replace("\n", " ")),), is_title=True)
            return
        styles = [style for shape in (element, *inherited) if (style := shape.find("txBody/lstStyle")) is not None]
        if kind in _BODY:
            styles += [style for layout in self._layouts if (style := layout.find("txStyles/bodyStyle")) is not None]
        blocks = tuple(_paragraphs(element.find("txBody"), styles))
        if blocks:
            yield _Shape(box, blocks)

    def _inherited(self, placeholder: Element) -> Iterator[Element]:
        """Yield the shapes of layout and master that a placeholder stands for."""
        kind, index = placeholder.get("type", "obj"), placeholder.get("idx")
        for layout in self._layouts:
            candidates = [
                (shape, other)
                for shape in layout.iterfind("cSld/spTree/sp")
                if (other := shape.find("nvSpPr/nvPr/ph")) is not None
            ]
            by_index = (shape for shape, other in candidates if index is not None and other.get("idx") == index)
            same = {kind, "body"} if kind in _BODY else {kind, kind.replace("ctrTitle", "title")}
            by_kind = (shape for shape, other in candidates if other.get("type", "obj") in same)
            found = next(by_index, None) if layout is self._layouts[0] else None
            found = next(by_kind, None) if found is None else found
            if found is not None:
                yield found

    def _graphic(self, frame: Element) -> tuple[Block, ...]:
        table = frame.find("graphic/graphicData/tbl")
        if table is not None:
            return (_table(table),)
        diagram = frame.find("graphic/graphicData/relIds")
        if diagram is None:
            return ()
        # A drawn list or chart of boxes: its texts stand in a part of their own.
        relation = self._relations.get(diagram.get("r_dm", ""))
        data = self._archive.optional_xml(relation.target) if relation is not None else None
        texts = (_text(paragraph) for paragraph in data.iterfind("ptLst/pt/t/p")) if data is not None else ()
        return tuple(Block("item", f"• {text}") for text in texts if text.strip())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the coordinates of a group lie on the slide."""

    left: float = 0.0
    top: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0

    def box(self, transform: Element | None) -> _Box:
        left, top = _pair(transform, "off", "x", "y")
        width, height = _pair(transform, "ext", "cx", "cy")
        return _Box(
            self.left + left * self.scale_x, self.top + top * self.scale_y, width * self.scale_x, height * self.scale_y
        )

    def within(self, transform: Element | None) -> _Place:
        outer = self.box(transform)
        left, top = _pair(transform, "chOff", "x", "y")
        width, height = _pair(transform, "chExt", "cx", "cy")
        scale_x = outer.width / width if width else self.scale_x
        scale_y = outer.height / height if height else self.scale_y
        return _Place(outer.left - left * scale_x, outer.top - top * scale_y, scale_x, scale_y)


def _pair(transform: Element | None, name: str, first: str, second: str) -> tuple[float, float]:
    element = None if transform is None else transform.find(name)
    if element is None:
        return 0.0, 0.0
    values = [element.get(key, "0") for key in (first, second)]
    numbers = [float(value) if re.fullmatch(r"-?\d{1,15}", value) else 0.0 for value in values]
    return numbers[0], numbers[1]


def _is_hidden(element: Element) -> bool:
    named = next(element.iter("cNvPr"), None)
    return named is not None and named.get("hidden") in ("1", "true")


# --- Text -------------------------------------------------------------------------------------------------------------


def _paragraphs(body: Element | None, styles: Sequence[Element]) -> Iterator[Block]:
    """Yield the paragraphs of a text; `styles` say which levels have bullets, nearest first."""
    numbers: dict[int, int] = {}
    for paragraph in body.iterchildren("p") if body is not None else ():
        text = _text(paragraph).strip()
        if not text:
            continue
        properties = paragraph.find("pPr")
        level = 0 if properties is None else whole_number(properties.get("lvl"))
        inherited = (style.find(f"lvl{level + 1}pPr") for style in styles)
        bullets = (_bullet(part) for part in (properties, *inherited) if part is not None)
        bullet = next((bullet for bullet in bullets if bullet is not None), None)
        marker = ""
        if bullet is not None and bullet.tag == "buAutoNum":
            numbers[level] = numbers.get(level, whole_number(bullet.get("startAt"), 1) - 1) + 1
            marker = _numbered(numbers[level], bullet.get("type", ""))
        elif bullet is not None and bullet.tag != "buNone":
            marker = "• "
        if not marker.strip("• "):
            numbers.pop(level, None)
        for deeper in [other for other in numbers if other > level]:
            del numbers[deeper]
        yield Block("item" if marker else "paragraph", marker + text, bold=_is_bold(paragraph))


def _bullet(properties: Element) -> Element | None:
    return next(properties.iterchildren("buNone", "buChar", "buAutoNum", "buBlip"), None)


def _numbered(number: int, kind: str) -> str:
    style = next((style for prefix, style in _NUMBER_STYLES.items() if kind.startswith(prefix)), "decimal")
    text = numeral(number, style)
    if kind.endswith("ParenBoth"):
        return f"({text}) "
    return f"{text}) " if kind.endswith("ParenR") else f"{text} " if kind.endswith("Plain") else f"{text}. "


def _text(paragraph: Element) -> str:
    line = Line()
    for run in paragraph:
        if run.tag == "r":
            line.add((run.findtext("t") or "").replace("\v", "\n"))
        elif run.tag == "br":
            line.add("\n")
        elif run.tag == "fld" and not run.get("type", "").startswith(("slidenum", "datetime")):
            line.add(run.findtext("t") or "")
    return line.text


def _is_bold(paragraph: Element) -> bool:
    runs = [run for run in paragraph.iterchildren("r") if (run.findtext("t") or "").strip()]
    return bool(runs) and all(
        (properties := run.find("rPr")) is not None and properties.get("b") in ("1", "true") for run in runs
    )


def _table(table: Element) -> Block:
    properties = table.find("tblPr")
    header = properties is not None and properties.get("firstRow") in ("1", "true")
    rows = []
    for row in table.iterchildren("tr"):
        cells = [
            Cell(
                tuple(_paragraphs(cell.find("txBody"), [])),
                goes_on=cell.get("vMerge") in ("1", "true"),
            )
            for cell in row.iterchildren("tc")
        ]
        rows.append(tuple(cells))
    return Block("table", rows=tuple(rows), header_rows=int(header and len(rows) > 1))
