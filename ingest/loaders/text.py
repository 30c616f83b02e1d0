"""Plain text and Markdown."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.boilerplate import viewer_page
from ingest.cleaning import clean, normalise
from ingest.lines import join_hyphens, join_wrapped, vocabulary
from ingest.loaders.base import Draft, Extract, decode, read_bytes, table_lines
from ingest.metadata import find_date, iso_date
from rag.sentences import sentence_spans

if TYPE_CHECKING:
    from markdown_it.token import Token

# --- Plain text -------------------------------------------------------------------------------------------------------

# A heading fits on a line or two; a question in an interview may be longer.
_LONGEST_HEADING = 110
_LONGEST_QUESTION = 260
# A line this long is running text, so that a short line above it can be its heading.
_RUNNING_TEXT = 80


def load_text(path: Path) -> Extract:
    """Read a .txt file in any usual encoding; form feeds, or heads such as "Page 37 - Title", become page marks."""
    text = decode(read_bytes(path))
    # The imprint of a copied web page is read before cleaning takes it away with the rest of the page's frame.
    published = find_date(normalise(text))
    text, labels = _label_pages(normalise(text))
    draft = Draft(labels)
    cleaned = clean(text, draft.drop)
    lines = ("\f" + cleaned if labels else cleaned).split("\n")
    write_lines(draft, lines, heading_lines([line.strip("\f") for line in lines]))
    return draft.extract(published=published)


def write_lines(draft: Draft, lines: Sequence[str], headings: Container[int]) -> None:
    """Add lines to `draft`; "" parts paragraphs, `headings` are the indices of lines that head a section."""
    for index, line in enumerate(lines):
        close = index > 0 and lines[index - 1] != ""
        if index in headings:
            draft.heading(line, close=close)
        elif line:
            (draft.line if close else draft.paragraph)(line)


def _label_pages(text: str) -> tuple[str, list[str]]:
    """Return the text with one form feed between pages, and the labels of the pages; none where it has no pages."""
    lines = text.split("\n")
    heads = [
        (index, page)
        for index, (line, following) in enumerate(zip(lines, [*lines[1:], ""], strict=True))
        if (page := viewer_page(line, following))
    ]
    if not heads:
        count = text.count("\f")
        return text, [str(number) for number in range(1, count + 2)] if count else []
    for index, _ in heads[1:]:
        lines[index] = "\f" + lines[index]
    return "\n".join(line if line.startswith("\f") else line.replace("\f", "") for line in lines), [
        page for _, page in heads
    ]


def heading_lines(lines: Sequence[str]) -> set[int]:
    """Return the indices of lines that are headings: short, no sentence, above running text or a list of their own."""
    return {index for index, line in enumerate(lines[:-1]) if line and _heads(lines, index)}


def _heads(lines: Sequence[str], index: int) -> bool:
    line = lines[index]
    above = lines[index - 1] if index else ""
    close = lines[index + 1] != ""
    below = lines[index + 1] if close else lines[min(index + 2, len(lines) - 1)]
    if line[0] in "•–|" or line[0].islower() or " | " in line:
        return False
    if line.endswith("?") and len(line) <= _LONGEST_QUESTION:
        return len(below) > _RUNNING_TEXT and not below.endswith("?") and len(sentence_spans(line)) == 1
    if len(line) > _LONGEST_HEADING or line.endswith((".", ",", ";", ":", "!", "?")):
        return False
    if close:
        # Without a blank line below it, only the contrast to whole paragraphs around it makes a line a heading.
        closed_above = not above or above.endswith((".", "!", "?", "“", '"'))
        return closed_above and len(below) > max(_RUNNING_TEXT, 2 * len(line))
    return not above and (len(below) > _RUNNING_TEXT or below.endswith((".", ":")) or below.startswith("•"))


# --- Markdown ---------------------------------------------------------------------------------------------------------

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-zÄÖÜäöü_-]+)[ \t]*:[ \t]*(.*)")
_TITLE_FIELDS = ("title", "titel", "tytuł")
_DATE_FIELDS = ("published", "date", "datum", "veröffentlicht", "data")
_TAG = re.compile(r"<[^>]*>")


def load_markdown(path: Path) -> Extract:
    """Read a .md file: mark-up becomes plain text, headings and questions in bold become sections.

    Title and date come from YAML front matter where there is some, else from the first heading and the dateline.
    """
    from markdown_it import MarkdownIt

    source = normalise(decode(read_bytes(path))).replace("\f", "\n")
    fields, body = _front_matter(source)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    draft = Draft()
    writer = _MarkdownWriter(draft, vocabulary(body))
    tokens = parser.parse(body)
    writer.write(tokens)
    text = draft.extract().text
    title = next((fields[name] for name in _TITLE_FIELDS if fields.get(name)), None) or writer.title
    written = next((fields[name] for name in _DATE_FIELDS if fields.get(name)), "")
    declared = iso_date(written)
    extract = draft.extract(title, declared or find_date(text))
    return replace(extract, published_from="front matter" if declared else None)


def _front_matter(source: str) -> tuple[dict[str, str], str]:
    """Split off YAML front matter; only plain `key: value` lines are read, which is all that titles and dates need."""
    block = _FRONT_MATTER.match(source)
    if block is None:
        return {}, source
    found = (_FIELD.fullmatch(line.rstrip()) for line in block[1].split("\n"))
    fields = {field[1].lower(): field[2].strip().strip("\"'") for field in found if field}
    return fields, source[block.end() :]


class _MarkdownWriter:
    """Writes the blocks of a parsed Markdown document into a draft."""

    def __init__(self, draft: Draft, words: frozenset[str]) -> None:
        self.title: str | None = None
        self._draft = draft
        self._words = words
        # One entry a list that is open: the number of the next item, None for bullets.
        self._lists: list[int | None] = []
        self._marker = ""
        self._rows: list[list[str]] = []
        self._below = False

    def write(self, tokens: Sequence[Token]) -> None:
        for index, token in enumerate(tokens):
            match token.type:
                case "bullet_list_open":
                    self._open_list(None)
                case "ordered_list_open":
                    self._open_list(int(token.attrGet("start") or 1))
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                    self._below = bool(self._lists)
                case "list_item_open":
                    self._marker = self._next_marker()
                case "table_open":
                    self._rows = []
                case "tr_open":
                    self._rows.append([])
                case "table_close":
                    self._write_table()
                case "inline":
                    self._write_inline(token, tokens[index - 1].type)
                case "fence" | "code_block":
                    self._write_lines(token.content.split("\n"))
                case "html_block":
                    self._write_lines(_TAG.sub("", token.content).split("\n"))

    def _open_list(self, number: int | None) -> None:
        # A list inside an item continues directly below it.
        self._below = bool(self._lists)
        self._lists.append(number)

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "• "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _write_inline(self, token: Token, opened_by: str) -> None:
        children = token.children or []
        if opened_by in ("th_open", "td_open"):
            self._rows[-1].append(self._text(children))
        elif opened_by == "heading_open":
            text = self._text(children)
            if self.title is None and text:
                self.title = text
            self._draft.heading(text)
        else:
            self._write_paragraph(children)

    def _write_paragraph(self, children: Sequence[Token]) -> None:
        question, rest = _split_question(children)
        if question and not self._lists:
            self._draft.heading(self._text(question))
            children = rest
        for piece in _split_at(children, "hardbreak"):
            text = self._text(piece)
            if text:
                (self._draft.line if self._below else self._draft.paragraph)(self._marker + text)
                self._marker = ""
                self._below = True
        self._below = bool(self._lists)

    def _write_table(self) -> None:
        lines = table_lines(self._rows, header=True)
        if self._rows and not any(self._rows[0]):
            lines = table_lines(self._rows[1:], header=False)
        self._write_lines(lines)

    def _write_lines(self, lines: Sequence[str]) -> None:
        for index, line in enumerate(filter(str.strip, lines)):
            (self._draft.line if index else self._draft.paragraph)(line.strip())

    def _text(self, children: Sequence[Token]) -> str:
        """Return inline tokens as one line of plain text; the lines of the source are joined."""
        lines = ["".join(_plain(piece)) for piece in _split_at(children, "softbreak", "hardbreak")]
        joined = join_wrapped([line for line in lines if line.strip()], self._words)
        return join_hyphens(" ".join(joined.split()), self._words)


def _plain(children: Sequence[Token]) -> Iterator[str]:
    for child in children:
        if child.type in ("text", "code_inline"):
            yield child.content


def _split_at(children: Sequence[Token], *kinds: str) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for child in children:
        is_break = child.type in kinds or (
            "hardbreak" in kinds and child.type == "html_inline" and "<br" in child.content
        )
        if is_break:
            pieces.append([])
        else:
            pieces[-1].append(child)
    return pieces


def _split_question(children: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Split a paragraph that begins with a question in bold, as interviews have it, into question and answer."""
    filled = [child for child in children if child.type != "text" or child.content.strip()]
    if not filled or filled[0].type != "strong_open":
        return [], list(children)
    end = next(index for index, child in enumerate(filled) if child.type == "strong_close")
    question = filled[1:end]
    if not "".join(_plain(question)).rstrip().endswith("?"):
        return [], list(children)
    return question, filled[end + 1 :]
