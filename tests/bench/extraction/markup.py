"""The texts that the test files are made from, in a small markup with one sentence a line, and what a reader expects.

A file has a head of `name: value` lines, a line `---`, and blocks parted by blank lines:

    # Heading, ## heading below it          ? Question of an interview, in bold
    Sentence.  (one a line, a paragraph)    / Line that is broken on purpose, as in an address
    - item, 1. numbered item                | cell | cell |  (the first row names the columns)
    [^1]: Footnote to the sentence that ends in [^1]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
HALVES = ("development", "held-out")
_REFERENCE = re.compile(r"\[\^(\d)\]")
_KINDS = (("## ", "subheading"), ("# ", "heading"), ("? ", "question"), ("/ ", "lines"), ("- ", "items"))
_NUMBERED = re.compile(r"\d+\. ")
_NOTE = re.compile(r"\[\^(\d)\]: ")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a text: `kind` is heading, subheading, question, paragraph, lines, items, numbers, table or note.

    `lines` are its sentences, items or lines without their marks, `rows` the cells of a table.
    """

    kind: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """One of the texts, with its head: title, lang, head (the running head), and of mails from, to, date."""

    name: str
    half: str
    head: dict[str, str]
    blocks: tuple[Block, ...]

    @property
    def title(self) -> str:
        """The title, which is also its first heading where it has one."""
        return self.head["title"]

    @property
    def language(self) -> str:
        """ "de", "en" or "pl"."""
        return self.head["lang"]

    @property
    def tables(self) -> list[Block]:
        """The tables in the text."""
        return [block for block in self.blocks if block.kind == "table"]


@dataclass(frozen=True, slots=True)
class Expected:
    """A sentence, heading, item or row that must stand in the extracted text, and the bullet in front of it.

    `is_note`: it may stand behind its paragraph or at the foot of the page.
    """

    text: str
    mark: str = ""
    is_note: bool = field(default=False)


@cache
def texts() -> dict[str, Text]:
    """Return all texts by their names."""
    return {file.stem: _read(file, half) for half in HALVES for file in sorted((TEXTS / half).glob("*.txt"))}


def _read(file: Path, half: str) -> Text:
    head, _, body = file.read_text("utf-8").partition("\n---\n")
    pairs = (line.partition(": ") for line in head.splitlines())
    blocks = tuple(_block(part.splitlines()) for part in body.strip().split("\n\n"))
    return Text(file.stem, half, {name: value for name, _, value in pairs}, blocks)


def _block(lines: list[str]) -> Block:
    first = lines[0]
    if first.startswith("|"):
        return Block("table", rows=tuple(tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines))
    if note := _NOTE.match(first):
        return Block("note", (first[note.end() :],))
    if _NUMBERED.match(first):
        return Block("numbers", tuple(_NUMBERED.sub("", line, count=1) for line in lines))
    for mark, kind in _KINDS:
        if first.startswith(mark):
            return Block(kind, tuple(line.removeprefix(mark) for line in lines))
    return Block("paragraph", tuple(lines))


def parts(sentence: str) -> tuple[str, str | None]:
    """Return a sentence without its reference to a footnote, and the number of that."""
    found = _REFERENCE.search(sentence)
    return (_REFERENCE.sub("", sentence), found[1]) if found else (sentence, None)


def notes(text: Text) -> dict[str, str]:
    """Return the footnotes of a text by their numbers, which count from 1."""
    return {str(number): block.lines[0] for number, block in enumerate((b for b in text.blocks if b.kind == "note"), 1)}


def expected(text: Text, *, named_rows: bool = True, only_tables: bool = False) -> list[Expected]:
    """Return what a reader expects of a text, in order.

    Args:
        named_rows: each cell of a table stands behind the name of its column; else the header is a row like others.
        only_tables: of the text, only its tables with their headings are in the file.
    """
    out: list[Expected] = []
    for block in text.blocks:
        if only_tables and block.kind not in ("table", "subheading"):
            continue
        if block.kind == "table":
            out += [Expected(row) for row in _row_lines(block.rows, named=named_rows)]
        elif block.kind == "items":
            out += [Expected(line, "• ") for line in block.lines]
        elif block.kind == "numbers":
            out += [Expected(line, f"{number}. ") for number, line in enumerate(block.lines, 1)]
        else:
            out += [Expected(parts(line)[0], is_note=block.kind == "note") for line in block.lines]
    return out


def _row_lines(rows: tuple[tuple[str, ...], ...], *, named: bool) -> list[str]:
    if not named:
        return [" | ".join(row) for row in rows]
    return [" | ".join(f"{name}: {cell}" for name, cell in zip(rows[0], row, strict=True)) for row in rows[1:]]
