"""What an answer from the web holds: its format, what a page says about itself and links to, what a sitemap lists."""

from __future__ import annotations

import io
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from ingest.addresses import normal_url
from ingest.loaders import LOADERS
from ingest.loaders.base import decode
from ingest.loaders.image import load_image
from rag.errors import LoadError

# --- Format -----------------------------------------------------------------------------------------------------------

# Of the web, pictures are not read: on a site they are logos and photos.
_READ = frozenset(suffix for suffix, loader in LOADERS.items() if loader is not load_image)
# The extension under which a content type stands in the table of loaders; those not in it are not supported.
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/csv": ".csv",
    "text/rtf": ".rtf",
    "application/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "message/rfc822": ".eml",
}
_XML_TYPES = frozenset({"application/xml", "text/xml", "application/gzip", "application/x-gzip"})
_VAGUE_TYPES = frozenset({"text/plain", "application/octet-stream", "binary/octet-stream"})
_HTML = (".html", ".htm")
# Formats whose bytes may be in any encoding, which the answer's head may name.
_TEXT = (*_HTML, ".txt", ".md")
_HTML_BEGINNINGS = (b"<!doctype html", b"<html")
# The built-in table alone, so that the same links are followed on every machine; and what it does not know.
_KNOWN_TYPES = mimetypes.MimeTypes()
_NO_DOCUMENTS = frozenset({".avif", ".ics", ".kml", ".mjs", ".ogg", ".rss", ".vcf", ".webp", ".woff", ".woff2"})


@dataclass(frozen=True, slots=True)
class Format:
    """`suffix` is the extension of the loader for an answer, None where there is none; `content_type` as declared."""

    suffix: str | None
    content_type: str
    charset: str | None

    @property
    def is_html(self) -> bool:
        """Whether it can hold links."""
        return self.suffix in _HTML


def format_of(url: str, headers: Mapping[str, str], body: bytes) -> Format:
    """Tell the format of an answer: by content type, else by the extension of the file name, else by its first bytes.

    A server that sends a web page under a name in .pdf has not found the PDF; one that calls a file plain text or
    bytes does not know its format, and the name does.
    """
    head = Message()
    for name in ("content-type", "content-disposition"):
        if name in headers:
            head[name] = headers[name]
    content_type = head.get_content_type() if "content-type" in headers else "application/octet-stream"
    named = (suffix_in(head.get_filename() or ""), suffix_in(urlsplit(url).path))
    candidates = [_SUFFIXES.get(content_type), *named]
    if body.startswith(b"%PDF-"):
        candidates.append(".pdf")
    if content_type in _VAGUE_TYPES and body[:512].lstrip().lower().startswith(_HTML_BEGINNINGS):
        candidates.append(".html")
    if content_type == "text/plain":
        candidates.append(".txt")
    suffix = next((candidate for candidate in candidates if candidate in _READ), None)
    return Format(suffix, content_type, head.get_content_charset())


def may_be_sitemap(url: str, found: Format) -> bool:
    """Whether an answer is XML, packed or not, that may list pages."""
    named = urlsplit(url).path.lower().endswith((".xml", ".xml.gz"))
    return found.content_type in _XML_TYPES or (named and found.content_type in _VAGUE_TYPES)


def suffix_in(name: str) -> str:
    """Return the extension of a file name or of the path of a URL, in lower case."""
    return PurePosixPath(unquote(name)).suffix.lower()


def may_be_read(url: str) -> bool:
    """Whether a link may lead to a page or document: false for pictures, styles, archives and the like."""
    path = urlsplit(url).path
    suffix = suffix_in(path)
    if suffix in _READ:
        return True
    kind, packed = _KNOWN_TYPES.guess_type(path)
    is_text = kind is None or kind.startswith("text/") or kind == "application/xhtml+xml"
    known = suffix in _NO_DOCUMENTS or suffix in _SUFFIXES.values() or kind in ("text/css", "text/javascript")
    return is_text and packed is None and not known


def as_file(body: bytes, found: Format) -> bytes:
    """Return an answer as the loaders expect a file: text in UTF-8 where its head names another encoding.

    Raises:
        LoadError: it is not the text that it claims to be.
    """
    # ISO-8859-1 is Windows-1252, as in browsers; what is in Unicode stays so, whatever the head says.
    charset = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252"}.get(
        found.charset or "", found.charset
    )
    if found.suffix not in _TEXT or charset is None or charset.startswith("utf"):
        return body
    try:
        return decode(body, charset).encode("utf-8")
    except LookupError:  # an encoding that does not exist
        return body


def file_name(url: str, suffix: str) -> str:
    """Return a name for the file that an answer is kept in; a document without a title is called by it."""
    stem = PurePosixPath(unquote(urlsplit(url).path)).stem
    return (re.sub(r"[^\w.-]+", "-", stem).strip(".-")[:80] or "page") + suffix


# --- Web pages --------------------------------------------------------------------------------------------------------

# Pages have hundreds of links; more come from traps.
_MOST_LINKS = 10_000
_WORDS = re.compile(r"[a-z-]+")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page says about itself. `canonical` and `links` are normal URLs, `links` each once, in order."""

    canonical: str | None = None
    noindex: bool = False
    nofollow: bool = False
    links: tuple[str, ...] = ()


def page_facts(body: bytes, url: str, found: Format) -> PageFacts:
    """Read the head and the links of a web page; nothing where it cannot be parsed, which its loader then says."""
    from lxml import etree, html  # type: ignore[import-untyped]

    try:
        source = decode(body, "utf-8").encode("utf-8")
        root = html.document_fromstring(source, parser=html.HTMLParser(encoding="utf-8"))
    except (LoadError, etree.LxmlError, ValueError):
        return PageFacts()
    base = _url(next(iter(root.xpath("//base/@href")), ""), url) or url
    named = [link.get("href") for link in root.iter("link") if "canonical" in (link.get("rel") or "").lower().split()]
    words: set[str] = set()
    for meta in root.xpath("//meta[@name and @content]"):
        if meta.get("name").strip().lower() in ("robots", "citycite"):
            words |= set(_WORDS.findall(meta.get("content").lower()))
    links: dict[str, None] = {}
    for element in root.iter("a", "area"):
        address = _url(element.get("href") or "", base)
        if address is not None and "nofollow" not in (element.get("rel") or "").lower():
            links[address] = None
        if len(links) >= _MOST_LINKS:
            break
    return PageFacts(
        canonical=_url(named[0] or "", base) if named else None,
        noindex=bool(words & {"noindex", "none"}),
        nofollow=bool(words & {"nofollow", "none"}),
        links=tuple(links),
    )


def is_noindex(headers: Mapping[str, str]) -> bool:
    """Whether the head of an answer asks robots not to keep it; what it asks of named others does not count."""
    for rule in headers.get("x-robots-tag", "").lower().split(","):
        robot, colon, words = rule.rpartition(":")
        if (not colon or robot.strip() == "citycite") and {"noindex", "none"} & set(_WORDS.findall(words)):
            return True
    return False


def _url(written: str, base: str) -> str | None:
    """Return a link as a normal URL, None where it leads nowhere on the web (mailto:, #top, javascript:)."""
    if not written.strip() or written.strip().startswith("#"):
        return None
    try:
        return normal_url(written, base)
    except LoadError:
        return None


# --- Sitemaps ---------------------------------------------------------------------------------------------------------

# The protocol allows as many addresses in one sitemap.
_MOST_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap lists: normal URLs of pages, and of further sitemaps."""

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]


def read_sitemap(data: bytes, url: str) -> Sitemap | None:
    """Read a sitemap or sitemap index (sitemaps.org); None where the XML is something else.

    Raises:
        LoadError: it is no XML, or broken before anything was listed.
    """
    from lxml import etree

    pages: dict[str, None] = {}
    sitemaps: dict[str, None] = {}
    root: str | None = None
    try:
        for entry, written in _entries(data):
            if entry is None:
                root = written
                if root not in ("urlset", "sitemapindex"):
                    return None
            elif (address := _url(written, url)) is not None:
                (pages if entry == "url" else sitemaps)[address] = None
            if len(pages) + len(sitemaps) >= _MOST_ENTRIES:
                break
    except etree.XMLSyntaxError as error:
        if not pages and not sitemaps:
            raise LoadError(f"is no XML that can be read ({error.msg}); tell the site's operator") from None
    return Sitemap(tuple(pages), tuple(sitemaps))


def _entries(data: bytes) -> Iterator[tuple[str | None, str]]:
    """Yield (None, name of the root), then ("url" or "sitemap", address) for each entry; what was read is let go."""
    from lxml import etree

    # Entities are not expanded and nothing is loaded, so that a small file stays small.
    parsing = etree.iterparse(
        io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    first = True
    for event, element in parsing:
        name = etree.QName(element).localname
        if first:
            yield None, name
            first = False
        parent = element.getparent()
        if event == "start" or parent is None:
            continue
        above = etree.QName(parent).localname
        if name == "loc" and above in ("url", "sitemap"):
            yield above, "".join(element.itertext())
        elif name in ("url", "sitemap"):
            element.clear()
            while element.getprevious() is not None:
                del parent[0]
