"""Pure: from the lines of a page or a mail to paragraphs, with the words mended that line breaks cut.

A form feed stands for the beginning of a page, in front of its first character; it survives all of this, so that the
caller can turn it into a page mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

# --- Hyphens ----------------------------------------------------------------------------------------------------------


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Behind a suspended hyphen: "Informations- und Kommunikationstechnik", "short- and long-term". None of them ends a word
# as a syllable of its own, as "statt" (Werk-statt), "nor" (Te-nor) or Polish "czy" (doty-czy) do.
_CONJUNCTIONS = _listed(
    "und oder bzw beziehungsweise resp respektive sowie wie bis als noch auch aber nicht sondern u d z vs"
    " and or i oraz lub albo a"
)
# "to" ends words as well (Au-to, Kon-to), but not behind these: "three- to five-year-olds".
_NUMBER_WORDS = _listed("one two three four five six seven eight nine ten twelve fifteen twenty thirty forty fifty")
# Compounds that are written with a hyphen in lower case; a line break in them must not swallow it.
_HYPHENATED = _listed(
    """
    best-practice good-practice know-how open-source open-data start-up follow-up check-in check-up kick-off roll-out
    add-on back-up plug-in pop-up stand-alone end-to up-to peer-to face-to city-to one-stop bottom-up top-down
    public-private data-driven mobile-first state-of long-term short-term mid-term full-time part-time real-time
    high-tech low-cost well-known so-called on-demand vis-à trade-off spin-off co-working
    """
)
# deutsch-französisch; polsko-niemiecki, społeczno-gospodarczy.
_ADJECTIVE_PAIR = re.compile(
    r"(?:deutsch|\w{3,}isch)-(?:deutsch|\w{2,}isch)(?:e[rmns]?)?$"
    r"|\w+(?:sko|cko|czno|łno|jno)-\w{3,}(?:sk|ck|dzk|czn|dni|rcz|aln|jn)(?:i|a|ą|y|e|ie|i?ego|i?ej|i?emu|i?m|ym|i?ch|ych)$"
)
_CUT = re.compile(r"(?<=[^\W_])- (?=[^\W_])")
_LEFT_PART = re.compile(r"[\w.@/-]+$")
_RIGHT_PART = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# Longer than any German compound between two blanks; it bounds the look around a hyphen.
_LONGEST_WORD = 80
# Shorter parts of a cut word often are words as well: "da- raus", "von- einander".
_OWN_WORD = 5
_CUT_AT_CAPITAL = re.compile(r"(?<=\w)-\n\s*(?=[A-ZÄÖÜ])")
_WHOLE_WORD = re.compile(r"(?<![\w-])(?<!-\s)[^\W_]++(?:-[^\W_]++)*+(?![\w-])")


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of `text` that no line break cut, as written: they tell how a cut word is spelt."""
    return frozenset(_WHOLE_WORD.findall(_CUT_AT_CAPITAL.sub("-", text)))


def join_hyphens(text: str, words: frozenset[str] = frozenset()) -> str:
    """Mend words that an earlier extraction left cut in running text: "Dezer- nats" becomes "Dezernats".

    `words` is the `vocabulary` of the document. Suspended hyphens ("Vor- und Nachteile") stay.
    """

    def mend(cut: re.Match[str]) -> str:
        left = _LEFT_PART.search(text[max(0, cut.start() - _LONGEST_WORD) : cut.start()])
        right = _RIGHT_PART.match(text, cut.end(), cut.end() + _LONGEST_WORD)
        if left is None or right is None:
            return cut.group()
        return _glue(left.group(), right.group(), words, at_line_end=False)

    return _CUT.sub(mend, text)


def join_wrapped(lines: Sequence[str], words: frozenset[str] = frozenset()) -> str:
    """Return the lines of one paragraph as one line; hyphens at their ends go where they only mark the break."""
    parts: list[str] = []
    for line in (line.strip(" \t\n") for line in lines):
        if parts and line:
            parts[-1], line = _fit(parts[-1], line, words)
        parts.append(line)
    return "".join(parts)


def _fit(line: str, following: str, words: frozenset[str]) -> tuple[str, str]:
    """Return both lines as they are when written one behind the other."""
    page_breaks = following[: len(following) - len(following.lstrip("\f"))]
    right = _RIGHT_PART.match(following, len(page_breaks), len(page_breaks) + _LONGEST_WORD)
    left = _LEFT_PART.search(line[-_LONGEST_WORD:-1])
    if not line.endswith("-") or left is None or not left.group()[-1].isalnum():
        return line + " ", following
    if right is not None:
        return line[:-1] + _glue(left.group(), right.group(), words, at_line_end=True), following
    # Polish repeats the hyphen of a compound on the next line: "biało-" / "-czerwony".
    if re.match(r"-\w", following[len(page_breaks) :]):
        return line, page_breaks + following[len(page_breaks) + 1 :]
    return line + " ", following


def _glue(left: str, right: str, words: frozenset[str], *, at_line_end: bool) -> str:
    """Return what belongs between the two sides of a hyphen: nothing, "-" or "- ".

    `left` and `right` are the words as far as the next blank. The order of the rules matters: the certain ones first.
    """
    before, after = left.rpartition("-")[2], right.partition("-")[0]
    if right.lower() in _CONJUNCTIONS and before.lower() + right != "sowie":
        return "- "
    if right == "to" and (before.isdigit() or before.lower() in _NUMBER_WORDS):
        return "- "
    if not after[0].islower():
        return "-" if at_line_end or _is_known(f"{left}-{right}", words) else "- "
    # EU-finanziert, e-mobil, 20-jährig, www.stadt-mitte.de: here the hyphen is part of the spelling.
    if len(before) < 2 or not before[-1].islower() or set(".@/") & set(left):
        return "-" if at_line_end or not before[-1:].isdigit() else "- "
    pair = f"{before}-{after}".lower()
    if pair in _HYPHENATED or _ADJECTIVE_PAIR.match(pair):
        return "-"
    if _is_known(left + right, words):
        return ""
    if _is_known(f"{left}-{right}", words):
        return "-"
    # "Wir kommen- wenn möglich": two words of their own with a careless dash, not one that was cut.
    if not at_line_end and len(before) >= _OWN_WORD and {before, after} <= words:
        return "- "
    return ""


def _is_known(word: str, words: frozenset[str]) -> bool:
    return word in words or word.lower() in words or word.capitalize() in words


# --- Lines to paragraphs ----------------------------------------------------------------------------------------------

# No printed or mailed line is longer: beyond it, a line is a paragraph and was not wrapped.
_LONGEST_WRAPPED = 160
# Proportional type fills lines of one width with up to a tenth more or fewer characters.
_FULL_LINE = 0.9
# A line that is shorter was ended on purpose, however long the next word: an e-mail address, say.
_SHORTEST_WRAPPED = 0.6
# Shorter lines that go on in lower case may be verse or a list without bullets.
_CONTINUED = 25
_CONTINUED_ACROSS_BLANK = 40
_BULLET = re.compile(r"[•▪‣◦●○■□➢✓*+-][ \t]+(?=\S)")
_DASH_BULLET = re.compile(r"[–—][ \t]+(?=\S)")
_NUMBERED = re.compile(r"\(?(?:\d{1,3}[.)]|[a-z]\)|[ivx]{1,4}\)|[IVX]{1,4}\.)[ \t]+(?=\S)")
_DAY_AND_MONTH = re.compile(
    r"\d{1,2}\.\s+(?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez"
    r"|sty|lut|mar|kwi|maj|cze|lip|sie|wrz|paź|lis|gru)",
    re.IGNORECASE,
)
# Cells of a table: tabs, bars, or at least two wide gaps.
_ROW = re.compile(r"\S *\t *\S|\S +\| +\S|^\||\S {3,}\S.* {3,}\S")
_CELL_GAP = re.compile(r"\s*\t\s*| {3,}")
_NOTHING_TO_READ = re.compile(r"[\W_]*")
_CLOSED = re.compile(r"[.!?…:;][\"'“”’»«)\]]*$")
# No line of its own ends with these; words that may also end a verb ("an", "auf", "mit") are left out.
_DANGLING = re.compile(
    r"\b(?:der|die|das|dem|den|des|eine[mnrs]?|und|oder|sowie|von|vom|im|am|zum|zur|für|ohne|zwischen|seit|dass|weil"
    r"|the|of|and|or|from|with|oraz|dla|przez|lub|i|w|z)$"
)
_ADDRESS = re.compile(r"\S+@\S|www\.|https?:")
_BEFORE_FIRST_WORD = "\f \t(„“\"'»«‚[–—"


def join_lines(lines: Sequence[str], words: frozenset[str] = frozenset()) -> list[str]:
    """Return `lines` with hard-wrapped paragraphs joined to one line each; "" separates blocks.

    List items, headings, table rows and address lines keep their own line. Whether a paragraph was wrapped is told by
    the text itself: by lines that go on in lower case, and by whether the next word would have fitted.
    """
    joined = _join_once(lines, words)
    # A paragraph put together may show that the next line belongs to it as well. Each round has fewer lines.
    while joined != lines:
        lines, joined = joined, _join_once(joined, words)
    return joined


def _join_once(lines: Sequence[str], words: frozenset[str]) -> list[str]:
    blocks = _blocks(lines)
    width = _wrap_width(blocks)
    out: list[str] = []
    for block in blocks:
        paragraphs = _join_block(block, width, words)
        if out and _goes_on(out[-1], paragraphs[0]):
            out[-1] = join_wrapped([out[-1], paragraphs[0]], words)
            paragraphs = paragraphs[1:]
        elif out:
            out.append("")
        out += paragraphs
    return out


def _goes_on(paragraph: str, following: str) -> bool:
    """Tell whether only a break of column or page parts two paragraphs."""
    if is_item(paragraph, ()) or is_item(following, ()) or _is_row(paragraph) or _is_row(following):
        return False
    return continues(paragraph, following, _CONTINUED_ACROSS_BLANK)


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Split at blank lines and at lines without a letter or digit, such as rules."""
    blocks: list[list[str]] = [[]]
    page_breaks = ""
    for line in lines:
        if _NOTHING_TO_READ.fullmatch(line):
            page_breaks += "\f" * line.count("\f")
            if blocks[-1]:
                blocks.append([])
        else:
            blocks[-1].append(page_breaks + line.rstrip())
            page_breaks = ""
    return [block for block in blocks if block]


def _wrap_width(blocks: Sequence[Sequence[str]]) -> float | None:
    """Return the usual length of a full line, None where nothing shows that the text was wrapped."""
    lengths = [
        len(line)
        for block in blocks
        for line, following in pairwise(block)
        if len(line) <= _LONGEST_WRAPPED and continues(line, following, _CONTINUED)
    ]
    return median(lengths) if lengths else None


def _join_block(block: Sequence[str], width: float | None, words: frozenset[str]) -> list[str]:
    """Return the paragraphs of one block; "" stands beside one that was joined, unless an item follows."""
    groups: list[list[str]] = []
    for line in block:
        if groups and _belongs(line, groups[-1], width):
            groups[-1].append(line)
        else:
            groups.append([line])
    out: list[str] = []
    before: list[str] = []
    for group in groups:
        item = is_item(group[0], before)
        if before and not item and (len(group) + len(before) > 2 or _indent(group[0]) >= _indent(before[-1]) + 2):
            out.append("")
        out.append(_tidy(join_wrapped(group, words), item=item))
        before = group
    return out


def _belongs(line: str, group: Sequence[str], width: float | None) -> bool:
    """Tell whether `line` goes on with the paragraph or item whose lines so far are `group`."""
    previous = group[-1]
    if is_item(line, group) or _is_row(line) or _is_row(previous):
        return False
    if re.search(r"\w-$", previous) and line.lstrip(_BEFORE_FIRST_WORD)[:1].isalpha():
        return True
    # Short lines together make a long one; more than this many are not needed, and would take quadratic time.
    so_far = previous if len(previous) >= _CONTINUED else " ".join(group[-_CONTINUED:])
    if continues(so_far, line, _CONTINUED):
        return True
    if is_item(group[0], ()) and _indent(line) > _indent(group[0]):
        return True
    if width is None or _indent(line) >= _indent(previous) + 2 or max(len(previous), len(line)) > _LONGEST_WRAPPED:
        return False
    fits = len(previous) + 1 + len(line.split()[0]) <= _FULL_LINE * width
    return not fits and len(previous) >= _SHORTEST_WRAPPED * width


def is_open(text: str) -> bool:
    """Tell whether `text` ends without the mark that would end a sentence."""
    return _CLOSED.search(text) is None


def continues(text: str, following: str, minimum: int) -> bool:
    """Tell whether `following` goes on with a sentence that `text` left open: in lower case, or behind an article.

    `text` must have at least `minimum` characters: what is shorter may be a verse, a cell or an item without a bullet.
    """
    if len(text) < minimum or not is_open(text):
        return False
    if _DANGLING.search(text):
        return True
    word = following.lstrip(_BEFORE_FIRST_WORD)
    # A capital in second or third place makes a name: mObywatel, eGovernment.
    return word[:1].islower() and not re.search(r"[A-ZÄÖÜ]", word[1:3]) and not _ADDRESS.match(word)


def is_item(line: str, group: Sequence[str]) -> bool:
    """Tell whether `line` begins a list item; `group` holds the lines of the paragraph or item before it."""
    text = line.strip("\f \t")
    if _BULLET.match(text):
        return True
    before = group[0].strip("\f \t") if group else ""
    if _DASH_BULLET.match(text):
        # Alone, a dash may also frame a line: "– Ende der Mitteilung –".
        return _DASH_BULLET.match(before) is not None or bool(group and group[-1].endswith(":"))
    if not _NUMBERED.match(text) or _DAY_AND_MONTH.match(text):
        return False
    # An ordinal that a line break brought to the front: "... wird am" / "15. Tag ...".
    wrapped = sum(map(len, group[-_CONTINUED:])) >= _CONTINUED and is_open(group[-1])
    return not wrapped or _NUMBERED.match(before) is not None


def _is_row(line: str) -> bool:
    text = line.strip("\f \t")
    marker = _BULLET.match(text) or _NUMBERED.match(text)
    return _ROW.search(text, marker.end() if marker else 0) is not None


def _tidy(line: str, *, item: bool) -> str:
    text = line.lstrip("\f \t")
    page_breaks = "\f" * line[: len(line) - len(text)].count("\f")
    if item:
        marker = _BULLET.match(text) or _DASH_BULLET.match(text)
        text = "• " + text[marker.end() :] if marker else text
    if _is_row(text):
        text = _CELL_GAP.sub(" | ", text)
    return page_breaks + re.sub(r"[ \t]+", " ", text).rstrip()


def _indent(line: str) -> int:
    text = line.lstrip("\f")
    return len(text) - len(text.lstrip())
