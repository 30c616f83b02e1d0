"""Web pages: the article without menus, imprint and share links, with its headings, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cleaning import normalise
from ingest.lines import join_hyphens, vocabulary
from ingest.loaders.base import Draft, Extract, decode, known_encoding, read_bytes, table_lines
from ingest.metadata import find_date, iso_date, published_label
from rag.errors import LoadError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # type: ignore[import-untyped]


def load_html(path: Path) -> Extract:
    """Read a saved web page; nothing that it refers to is fetched.

    Its date is the one it shows ("Veröffentlichungsdatum: ..."), else the one in its metadata, else its dateline.
    """
    data = read_bytes(path)
    root = _parse(decode(data, declared_encoding(data)))
    content = _content(root)
    headline = _line(root.find(".//h1"))
    draft = Draft()
    writer = _Writer(draft, vocabulary(normalise(" ".join(content.itertext()))))
    if headline and headline not in _line(content):
        draft.heading(headline)
    writer.write(content)
    text = draft.extract().text
    if not text:
        raise LoadError(
            "has no readable text; scripts may fill it in: save it as a browser shows it, or as a PDF", "empty"
        )
    for line in _left_out(root, content, headline):
        draft.drop(line)
    published, rule = _published(root)
    extract = draft.extract(_title(root, headline), published or find_date(text))
    return replace(extract, published_from=rule if published else None)


# Lines that frame what a mail quotes; characters of no meaning of their own, which are taken out of the mail itself.
QUOTE_BEGINS, QUOTE_ENDS = "\ue000", "\ue001"
_NOT_IN_MAILS = ("script", "style", "select", "button", "svg", "iframe", "object")
_SIGNATURE_CLASS = re.compile(r"(?:^|\s)(?:moz-signature|gmail_signature)(?:$|\s)")


def load_html_mail(source: str) -> Extract:
    """Read the HTML of a mail: all of it is content, but signatures; `QUOTE_BEGINS` and `QUOTE_ENDS` frame quotations.

    Its title and date are in the mail's header, not here.
    """
    root = _parse(source.replace(QUOTE_BEGINS, "").replace(QUOTE_ENDS, ""))
    found = root.find("body")
    body = root if found is None else found
    for part in list(body.iter(*_NOT_IN_MAILS)):
        _drop(part)
    draft = Draft()
    for part in [part for part in body.iter() if _SIGNATURE_CLASS.search(part.get("class", ""))]:
        for line in part.itertext():
            draft.drop(normalise(line))
        _drop(part)
    for quotation in list(body.iter("blockquote")):
        begin, end = quotation.makeelement("p"), quotation.makeelement("p")
        begin.text, end.text = QUOTE_BEGINS, QUOTE_ENDS
        begin.tail, quotation.text = quotation.text, None
        quotation.insert(0, begin)
        quotation.append(end)
    _Writer(draft, vocabulary(normalise(" ".join(body.itertext())))).write(body)
    return draft.extract()


# --- The part of the page that is content -----------------------------------------------------------------------------

# Where a page marks its main part, an article with less than half of its letters has lost content.
_LEAST_SHARE = 0.5
_FRAME_TAGS = ("script", "style", "nav", "footer", "button", "select", "svg", "iframe", "object", "dialog")
# Beside the main part they are frame, within it they may be content: a box with a contact, the head of an article.
_OUTER_TAGS = ("aside", "header")
_FRAME_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "menu", "dialog"})
_FRAME_CLASS = re.compile(
    r"(?:^|[\s_-])(?:nav|navigation|menu|breadcrumbs?|cookies?|share|sharing|social|footer|newsletter|related|sidebar"
    r"|skip-?links?|teaser-?list|topbar)(?:$|[\s_-])",
    re.IGNORECASE,
)
# A form with fewer letters is a search box or a login; one with more may wrap the whole page, as some systems do.
_LEAST_FORM = 300


_CONTROL_REFERENCE = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));?(?![\da-f])", re.IGNORECASE
)


def declared_encoding(data: bytes) -> str | None:
    """Return the encoding that a page declares for itself, None where it declares none that exists."""
    declared = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,40})", data[:4096], re.IGNORECASE)
    return known_encoding(declared[1].decode("ascii")) if declared else None


def _parse(source: str) -> Element:
    from lxml import etree, html  # type: ignore[import-untyped]

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # Control characters, written out or as references, are no XML: the tree could not be changed where they stand.
    readable = _CONTROL_REFERENCE.sub("", normalise(source).replace("\f", "\n"))
    try:
        root = html.document_fromstring(readable.encode("utf-8"), parser=parser)
    except (etree.LxmlError, ValueError):
        raise LoadError("is not a web page that can be parsed; save it anew from a browser") from None
    for element in list(root.iter("noscript", "template")):
        _drop(element)
    return root


def _drop(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        element.drop_tree()


def _content(root: Element) -> Element:
    """Return the element that holds the content: as trafilatura finds it, else the main part or the whole body."""
    marked = root.xpath("//main | //*[@role='main']") or root.xpath("//article[not(//article[2])]")
    main = _without_frame(marked[0]) if marked else None
    letters = 0 if main is None else _letters(main)
    article = _article(root)
    # One paragraph may be all that a short page has, or all that was kept of it: the main part knows better.
    if article is not None and (letters == 0 or (len(article) > 1 and _letters(article) >= _LEAST_SHARE * letters)):
        return article
    if main is not None and letters:
        return main
    body = root.find("body")
    return _without_frame(root if body is None else body)


def _article(root: Element) -> Element | None:
    """Return the article as trafilatura extracts it, None where it finds none or only unstructured text."""
    from trafilatura import bare_extraction

    try:
        found = bare_extraction(deepcopy(root), include_comments=False, include_formatting=True, include_tables=True)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None  # A page that the extractor stumbles over still has a body.
    body: Element | None = getattr(found, "body", None)
    if body is None or not _letters(body):
        return None
    # Its last resort is all text of the page in one paragraph, menus included.
    flat = len(body) == 1 and len(list(root.iter("h1", "h2", "h3", "p", "li", "td", "dd"))) > 1
    return None if flat else body


# More pieces of text than this have pages that a program filled; looking for each would take minutes.
_MOST_PIECES = 5000


def _left_out(root: Element, content: Element, headline: str) -> Iterator[str]:
    """Yield the pieces of a page's text that are not in its content, in order; those of scripts are no text."""
    kept = f"{_line(content)}\n{headline}"
    for text in islice(root.xpath("//body//text()[not(ancestor::script or ancestor::style)]"), _MOST_PIECES):
        piece = " ".join(normalise(str(text)).split())
        if piece and piece not in kept:
            yield piece


def _without_frame(element: Element) -> Element:
    pruned = deepcopy(element)
    for part in list(pruned.iter(*_FRAME_TAGS)):
        _drop(part)
    for part in list(pruned.iterdescendants()):
        names = f"{part.get('class', '')} {part.get('id', '')}"
        is_frame = part.get("role") in _FRAME_ROLES or _FRAME_CLASS.search(names) is not None
        is_outer = element.tag == "body" and part.tag in _OUTER_TAGS
        is_small_form = part.tag == "form" and _letters(part) < _LEAST_FORM
        if (is_frame or is_outer or is_small_form) and part.find(".//h1") is None:
            _drop(part)
    return pruned


def _letters(element: Element) -> int:
    return sum(character.isalnum() for text in element.itertext() for character in text)


def _line(element: Element | None) -> str:
    """Return all text of an element on one line."""
    return "" if element is None else normalise(" ".join(" ".join(element.itertext()).split()))


# --- Blocks -----------------------------------------------------------------------------------------------------------

# HTML's names and those of trafilatura's result, which has head, item, row and cell in place of h2, li, tr and td.
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "head", "summary", "caption"})
_BOLD = frozenset({"b", "strong"})
_INLINE = frozenset(
    {
        "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "font", "hi", "i", "ins", "kbd", "label",
        "mark", "q", "ref", "s", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var",
    }
)  # fmt: skip
# A cell with more text is no cell: the table lays out the page.
_LONGEST_CELL = 400


# Pages nest twenty or thirty tags; more than this comes from tags that were never closed, and tells nothing.
_DEEPEST = 150


def _depth(element: Element) -> int:
    """Return how many tags are nested in the deepest place."""
    from lxml import etree

    depth = deepest = 0
    for event, _ in etree.iterwalk(element, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


class _Writer:
    """Writes the elements of a page into a draft: one paragraph, list item or table row a line."""

    def __init__(self, draft: Draft, words: frozenset[str]) -> None:
        self._draft = draft
        self._words = words
        # Text of the paragraph or item that is being read; "\n" stands for a forced line break.
        self._pending: list[str] = []
        self._marker = ""
        # Whether the next piece belongs directly below the last one.
        self._below = False

    def write(self, element: Element) -> None:
        """Write an element with all that it contains."""
        if _depth(element) > _DEEPEST:
            self._lines(list(map(self._clean, _break_lines(element))))
            return
        self._block(element)
        self._flush()

    def _block(self, element: Element) -> None:
        tag = element.tag
        if tag in ("br", "lb"):
            self._pending.append("\n")
        elif tag in _HEADINGS:
            self._flush()
            self._draft.heading(self._clean(_line(element)))
            self._below = False
        elif tag in ("ul", "ol", "list"):
            self._list(element)
        elif tag == "dl":
            self._definitions(element)
        elif tag == "table":
            self._table(element)
        elif tag in _INLINE:
            self._inline(element)
        else:
            self._flush()
            self._children(element)
            self._flush()

    def _children(self, element: Element) -> None:
        self._text(element.text)
        for child in element:
            self._block(child)
            self._text(child.tail)

    def _inline(self, element: Element) -> None:
        bold = element.tag in _BOLD or (element.tag == "hi" and "b" in element.get("rend", ""))
        question = _line(element) if bold else ""
        if question.endswith("?") and not self._marker and not "".join(self._pending).strip():
            # A question in bold heads its answer, as interviews have it.
            self._flush()
            self._draft.heading(self._clean(question))
            return
        self._children(element)

    def _list(self, element: Element) -> None:
        if element.get("rend") == "dl":
            self._definitions(element)
            return
        self._flush()
        numbered = element.tag == "ol" or element.get("rend") == "ol"
        nested = bool(element.xpath("ancestor::li | ancestor::item"))
        self._below = nested
        for number, item in enumerate(element.iterchildren("li", "item"), 1):
            self._marker = f"{number}. " if numbered else "• "
            self._children(item)
            self._flush()
            self._below = True
        self._marker = ""
        self._below = nested

    def _definitions(self, element: Element) -> None:
        """Write terms and their descriptions as "Telefon: 0221 221-0"."""
        self._flush()
        rows: list[list[str]] = []
        for part in element.iter("dt", "dd", "item"):
            is_term = part.tag == "dt" or part.get("rend", "").startswith("dt")
            text = ", ".join(filter(None, (self._clean(line) for line in _break_lines(part))))
            if is_term or not rows:
                rows.append([text, ""])
            else:
                rows[-1][1] = ", ".join(filter(None, (rows[-1][1], text)))
        self._lines(table_lines(rows, header=False))

    def _table(self, element: Element) -> None:
        self._flush()
        rows = [list(row.iterchildren("td", "th", "cell")) for row in element.iter("tr", "row")]
        rows = [row for row in rows if row]
        if any(len(_line(cell)) > _LONGEST_CELL for row in rows for cell in row):
            self._children(element)
            self._flush()
            return
        header = bool(rows) and all(cell.tag == "th" or cell.get("role") == "head" for cell in rows[0])
        for caption in element.iterchildren("caption"):
            self._block(caption)
        cells = [[self._clean(", ".join(_break_lines(cell))) for cell in row] for row in rows]
        self._lines(table_lines(cells, header=header and len(rows) > 1))

    def _lines(self, lines: list[str]) -> None:
        for index, line in enumerate(lines):
            (self._draft.line if index else self._draft.paragraph)(line)

    def _text(self, text: str | None) -> None:
        if text:
            self._pending.append(re.sub(r"\s+", " ", text))

    def _flush(self) -> None:
        """Write what is pending; two line breaks in a row part paragraphs, one parts lines."""
        lines = "".join(self._pending).split("\n")
        self._pending = []
        below = self._below
        for line in (self._clean(line) for line in lines):
            if line:
                (self._draft.line if below else self._draft.paragraph)(self._marker + line)
                self._marker = ""
            below = bool(line)

    def _clean(self, text: str) -> str:
        return join_hyphens(" ".join(normalise(text).split()), self._words)


def _break_lines(element: Element) -> list[str]:
    """Return the text of an element, one string for each line that a forced break ends."""
    parts = [element.text or ""]
    for descendant in element.iterdescendants():
        parts += ["\n" if descendant.tag in ("br", "lb", "p", "div", "li", "item") else "", descendant.text or ""]
        parts.append(descendant.tail or "")
    lines = "".join(part if part == "\n" else re.sub(r"\s+", " ", part) for part in parts).split("\n")
    return [line.strip() for line in lines if line.strip()]


# --- Title and date ---------------------------------------------------------------------------------------------------

_DATE_NAMES = frozenset(
    {
        "article:published_time", "og:published_time", "datepublished", "date", "dc.date", "dc.date.issued",
        "dcterms.date", "dcterms.issued", "pubdate", "publish-date", "publish_date", "citation_publication_date",
    }
)  # fmt: skip
_JSON_DATE = re.compile(r"\"datePublished\"\s*:\s*\"([^\"]{8,40})\"")
# A <time> with more text than this around it stands in a sentence, not in a dateline.
_DATELINE_LENGTH = 60
_SITE_NAME = re.compile(r"\s+[|–—·-]\s+[^|–—·]{2,60}$")


def _title(root: Element, headline: str) -> str | None:
    """Return the headline, else the title that the page gives itself, without the name of the site."""
    shared = root.xpath("//meta[@property='og:title']/@content")
    named = normalise(str(shared[0])).strip() if shared else ""
    if headline and (not named or named.startswith(headline)):
        return headline
    return named or headline or _SITE_NAME.sub("", _line(root.find(".//title"))) or None


def _published(root: Element) -> tuple[str | None, str]:
    """Return the date of publication that the page shows or declares, and the rule that gave it."""
    for text in root.xpath("//body//text()[not(ancestor::script)]"):
        label = " ".join(normalise(text).split())
        # The date may stand in the same piece of text, or in the element beside it.
        found = published_label(label) or published_label(f"{label} {_line(text.getparent().getnext())}")
        if found:
            return found, "page"
    declared = [str(match) for script in root.iter("script") for match in _JSON_DATE.findall(script.text or "")]
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        if name.lower() in _DATE_NAMES:
            declared.append(meta.get("content") or "")
    for time in root.xpath("//time[@datetime]"):
        own = time.get("pubdate") is not None or time.get("itemprop") == "datePublished"
        if own or len(_line(time.getparent())) <= _DATELINE_LENGTH:
            declared.append(time.get("datetime"))
    return next(filter(None, map(iso_date, declared)), None), "page metadata"
