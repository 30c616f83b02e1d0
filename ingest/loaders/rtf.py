"""Rich text (.rtf) in the subset that word processors and council information systems write."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest.cleaning import normalise
from ingest.loaders.base import Draft, Extract, file_kind, read_bytes
from ingest.loaders.blocks import Block, Cell, Line, first_heading, with_bold_headings, write_blocks
from ingest.metadata import find_date, named_title
from rag.errors import LoadError

# A control word with its number, a character as two hexadecimal digits, a control sign, a brace, plain text.
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
# Groups that hold no text of the document.
_IGNORED = frozenset(
    """
    colortbl pict object header headerl headerr headerf footer footerl footerr footerf ftnsep ftnsepc ftncn aftnsep
    aftnsepc aftncn annotation atnid atnauthor atndate atnref atnicn fldinst filetbl listtable listoverridetable
    revtbl rsidtbl generator themedata colorschememapping datastore latentstyles xmlnstbl mmathPr bkmkstart bkmkend
    shprslt xe tc txe rxe nonshppict sp docvar wgrffmtfilter pgptbl datafield formfield panose falt private
    """.split()
)
# Groups that a reader may skip by their mark, but that hold text or what is needed to read it.
_KNOWN = frozenset("shpinst shptxt fldrslt pntext listtext footnote".split())
_SIGNS = {
    "tab": " ", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ", "softline": "\n",
}  # fmt: skip
_CONTROL_SIGNS = {"~": " ", "_": "\u2011", "-": "\u00ad", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_HEADING_STYLE = re.compile(r"(?:heading|überschrift|nagłówek)\s*[1-9]|title|titel|tytuł", re.IGNORECASE)
# Programs nest some ten groups; thousands of them are an attack.
_DEEPEST = 500
_LONGEST_MARKER = 12


@dataclass(slots=True)
class _State:
    """What holds until the end of the group; copied at its beginning."""

    target: str = "text"
    font: int = -1
    fallback: int = 1
    bold: bool = False
    hidden: bool = False
    style: int = 0
    outline: bool = False
    in_table: bool = False


@dataclass(slots=True)
class _Story:
    """A text of its own: the document, a footnote or a text box."""

    blocks: list[Block] = field(default_factory=list)
    line: Line = field(default_factory=Line)
    cell: list[Block] = field(default_factory=list)
    row: list[Cell] = field(default_factory=list)
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    header_rows: int = 0
    marker: str = ""


def load_rtf(path: Path) -> Extract:
    """Read an RTF document; its page headers, page footers, comments and hidden or deleted text are left out.

    Short bold lines are headings where no style marks one.
    """
    data = read_bytes(path)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        kind = file_kind(data)
        raise LoadError(f"is not an RTF document{f' but {kind}' if kind else ''}; give it the extension of its format")
    reader = _Reader()
    reader.read(data)
    blocks = with_bold_headings(reader.blocks())
    draft = Draft()
    write_blocks(blocks, draft)
    title = named_title(normalise(reader.title), path.stem) or first_heading(blocks)
    return draft.extract(title, find_date(draft.extract().text))


class _Reader:
    """Reads the tokens of a document one after the other."""

    def __init__(self) -> None:
        self.title = ""
        self._state = _State()
        self._groups: list[_State] = []
        self._stories: list[tuple[int, _Story]] = [(0, _Story())]
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._styles: dict[int, str] = {}
        self._outline_styles: set[int] = set()
        # Bytes that wait for the rest of their character; the code page belongs to the font.
        self._bytes = bytearray()
        # Characters to skip: they stand for the one written as \u for readers that do not know it.
        self._skip = 0
        self._optional = False
        self._high_surrogate = ""
        self._words: dict[str, Callable[[int | None], None]] = {
            "par": self._end_paragraph, "sect": self._end_paragraph, "page": self._end_paragraph,
            "cell": self._end_cell, "nestcell": self._end_nested_cell, "row": self._end_row, "u": self._unicode,
            "pard": self._plain_paragraph, "plain": self._plain_type, "trhdr": self._header_row,
        }  # fmt: skip

    def read(self, data: bytes) -> None:
        position = 0
        began = False
        while position < len(data) and not (began and not self._groups):
            began = began or bool(self._groups)
            token = _TOKEN.match(data, position)
            if token is None:
                position += 1
                continue
            position = token.end()
            word, number, code, sign, brace, text = token.groups()
            if word == b"bin":
                position += min(max(int(number or 0), 0), len(data))
            elif word is not None:
                self._word(word.decode("ascii"), None if number is None else int(number))
            elif code is not None:
                self._byte(int(code, 16))
            elif sign is not None:
                self._sign(sign)
            elif brace is not None:
                self._brace(brace)
            elif text is not None:
                self._plain(text)
        if self._groups:
            raise LoadError(
                "is a broken RTF document: its end is missing; open it in an office program and save it anew"
            )

    def blocks(self) -> list[Block]:
        self._end_paragraph()
        self._end_table()
        return self._stories[0][1].blocks

    @property
    def _story(self) -> _Story:
        return self._stories[-1][1]

    # --- Groups ---

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._skip = 0
        self._optional = False
        if brace == b"{":
            if len(self._groups) >= _DEEPEST:
                raise LoadError(f"is a broken RTF document: more than {_DEEPEST} groups in each other; save it anew")
            self._groups.append(self._state)
            self._state = replace(self._state)
        elif self._groups:
            if len(self._stories) > 1 and self._stories[-1][0] == len(self._groups):
                self._end_story()
            self._state = self._groups.pop()

    def _begin_story(self) -> None:
        self._stories.append((len(self._groups), _Story()))
        self._state.target = "text"
        self._state.in_table = False
        self._state.hidden = False

    def _end_story(self) -> None:
        self._end_paragraph()
        self._end_table()
        _, story = self._stories.pop()
        late = [
            replace(block, late=True, kind="paragraph" if block.kind == "heading" else block.kind)
            for block in story.blocks
        ]
        self._story.blocks += late

    def _destination(self, word: str) -> bool:
        """Tell whether `word` begins a group of its own kind, and turn to it."""
        state = self._state
        if word in ("fonttbl", "stylesheet", "info"):
            state.target = word
        elif word == "title" and state.target == "info":
            state.target = "title"
        elif word in ("listtext", "pntext") and state.target == "text":
            state.target = "marker"
        elif word in ("footnote", "shptxt"):
            if state.target in ("text", "shape") and not state.hidden:
                self._begin_story()
            else:
                state.target = "ignored"
        elif word == "shpinst":
            state.target = "shape" if state.target == "text" else state.target
        elif word in _IGNORED or (self._optional and word not in _KNOWN):
            state.target = "ignored"
        else:
            return False
        return True

    # --- Control words ---

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        if word != "u":
            self._skip = 0
        if self._destination(word):
            self._optional = False
            return
        self._optional = False
        state = self._state
        if word in self._words:
            if state.target == "text" or word in ("u", "plain"):
                self._words[word](number)
        elif word in _SIGNS:
            self._add(_SIGNS[word])
        elif word == "ansicpg" and number is not None:
            self._encoding = _known_encoding(f"cp{number}") or self._encoding
        elif word == "mac":
            self._encoding = "mac_roman"
        elif word in ("f", "fcharset"):
            self._font(word, number or 0)
        elif word == "uc":
            state.fallback = min(max(number or 0, 0), 10)
        elif word in ("b", "v", "deleted"):
            self._switch(word, number != 0)
        elif word == "s":
            state.style = number or 0
        elif word == "outlinelevel":
            state.outline = (number or 0) < 9
            if state.target == "stylesheet" and state.outline:
                self._outline_styles.add(state.style)
        elif word == "intbl":
            state.in_table = True

    def _font(self, word: str, number: int) -> None:
        if word == "f":
            self._state.font = number
        elif self._state.target == "fonttbl" and number in _CHARSETS:
            self._fonts[self._state.font] = _CHARSETS[number]

    def _switch(self, word: str, on: bool) -> None:
        if word == "b":
            self._state.bold = on
        else:
            self._state.hidden = on

    def _plain_paragraph(self, _: int | None = None) -> None:
        self._state.in_table = self._state.outline = False
        self._state.style = 0

    def _plain_type(self, _: int | None = None) -> None:
        self._state.bold = self._state.hidden = False

    def _header_row(self, _: int | None = None) -> None:
        story = self._story
        if story.header_rows == len(story.rows):
            story.header_rows += 1

    # --- Characters ---

    def _byte(self, value: int) -> None:
        if self._skip:
            self._skip -= 1
        else:
            self._bytes.append(value)

    def _plain(self, text: bytes) -> None:
        skipped = min(self._skip, len(text))
        self._skip -= skipped
        self._bytes += text[skipped:]

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._optional = True
            return
        self._flush()
        if self._skip:
            self._skip -= 1
            return
        literal = _CONTROL_SIGNS.get(sign.decode("latin-1"))
        if literal is not None:
            self._end_paragraph() if literal == "\n" else self._add(literal)

    def _unicode(self, number: int | None) -> None:
        code = (number or 0) % 0x10000
        self._skip = self._state.fallback
        if 0xD800 <= code < 0xDC00:
            self._high_surrogate = chr(code)
            return
        pair, self._high_surrogate = self._high_surrogate + chr(code), ""
        self._add(pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore"))

    def _flush(self) -> None:
        """Decode the bytes that wait."""
        if self._bytes:
            encoding = self._fonts.get(self._state.font, self._encoding)
            text = bytes(self._bytes).decode(encoding, errors="replace")
            self._bytes.clear()
            self._add(text)

    def _add(self, text: str) -> None:
        state = self._state
        if state.target == "text":
            if not state.hidden:
                self._story.line.add(text, bold=state.bold)
        elif state.target == "marker":
            self._story.marker += text
        elif state.target == "title":
            self.title += text
        elif state.target == "stylesheet":
            self._styles[state.style] = self._styles.get(state.style, "") + text.strip().rstrip(";")

    # --- Paragraphs and tables ---

    def _end_paragraph(self, _: int | None = None) -> None:
        if self._state.target != "text":
            return
        block = self._take_paragraph()
        if self._state.in_table:
            self._story.cell += [block] if block else []
        elif not self._story.row:
            self._end_table()
            self._story.blocks += [block] if block else []
        elif block:
            self._story.cell.append(block)

    def _take_paragraph(self) -> Block | None:
        story = self._story
        line, story.line = story.line, Line()
        marker, story.marker = " ".join(story.marker.split()), ""
        text = line.text.strip()
        if not text:
            return None
        if marker:
            # One letter alone is the sign of a font of bullets.
            numbered = any(map(str.isalnum, marker)) and (marker.isdigit() or 1 < len(marker) <= _LONGEST_MARKER)
            marker = f"{marker} " if numbered else "• "
        style = self._state.style
        by_style = style in self._outline_styles or _HEADING_STYLE.fullmatch(self._styles.get(style, ""))
        if self._state.outline or by_style:
            return Block("heading", marker.replace("• ", "") + text, bold=line.bold)
        return Block("item" if marker else "paragraph", marker + text, bold=line.bold)

    def _end_cell(self, _: int | None = None) -> None:
        story = self._story
        block = self._take_paragraph()
        story.row.append(Cell((*story.cell, *([block] if block else []))))
        story.cell = []

    def _end_nested_cell(self, _: int | None = None) -> None:
        block = self._take_paragraph()
        self._story.cell += [block] if block else []

    def _end_row(self, _: int | None = None) -> None:
        story = self._story
        if story.row:
            story.rows.append(tuple(story.row))
            story.row = []

    def _end_table(self) -> None:
        story = self._story
        # A table that breaks off, or cells that a broken file left without the end of their row.
        self._end_row()
        loose, story.cell = story.cell, []
        if story.rows:
            header_rows = min(story.header_rows, len(story.rows))
            story.blocks.append(Block("table", rows=tuple(story.rows), header_rows=header_rows))
            story.rows = []
        story.header_rows = 0
        story.blocks += loose


def _known_encoding(name: str) -> str | None:
    try:
        b"a".decode(name)
    except LookupError:
        return None
    return name
