"""Mails as .eml files (RFC 5322 and MIME), and what .eml and .msg have in common."""

from __future__ import annotations

import base64
import binascii
import codecs
import mimetypes
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email import errors, message_from_bytes, policy
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.cleaning import normalise
from ingest.loaders.base import Attachment, Draft, Extract, decode, file_kind, known_encoding, read_bytes
from ingest.loaders.html import declared_encoding
from ingest.loaders.mail_body import unflow, write_body
from ingest.metadata import YEARS, detect_language, guess_title
from rag.errors import LoadError

# Extensions of files that may hold further mails.
MAIL_SUFFIXES = frozenset({".eml", ".msg"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a mail's body, as it stands in the mail."""

    text: str
    html: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, whatever format it came in. Empty strings and None stand for what it does not say."""

    subject: str
    sender: str
    recipients: Sequence[str]
    copies: Sequence[str]
    date: datetime | None
    body: Sequence[Piece]
    attachments: Sequence[Attachment]


# --- From a mail to its text ------------------------------------------------------------------------------------------

_MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
# More names in one line are a mailing list, and would make a passage of nothing but addresses.
_MOST_NAMES = 20


def mail_extract(mail: Mail, path: Path) -> Extract:
    """Return the text of a mail: its head as the first paragraph, in German as most documents are, then its body."""
    draft = Draft()
    for label, value in (
        ("Von", one_line(mail.sender)),
        ("An", _names(mail.recipients)),
        ("Kopie", _names(mail.copies)),
        ("Datum", _written(mail.date)),
    ):
        if value:
            draft.line(f"{label}: {value}")
    head = len(draft.extract().text)
    for piece in mail.body:
        write_body(draft, piece.text, html=piece.html)
    body = draft.extract().text[head:].strip()
    title = one_line(mail.subject) or (guess_title(body, path.stem) if body else None)
    known_date = mail.date is not None and mail.date.year in YEARS
    published = mail.date.date().isoformat() if mail.date and known_date else None
    extract = draft.extract(title, published)
    return replace(extract, published_from="mail", attachments=tuple(mail.attachments), language=detect_language(body))


def one_line(text: str) -> str:
    """Return what a mail's head says, on one line of plain characters."""
    return " ".join(normalise(text).split())


def _names(names: Sequence[str]) -> str:
    filled = [name for name in map(one_line, names) if name]
    more = len(filled) - _MOST_NAMES
    return ", ".join(filled[:_MOST_NAMES]) + (f" und {more} weitere" if more > 0 else "")


def _written(date: datetime | None) -> str:
    if date is None:
        return ""
    return f"{date.day}. {_MONTHS[date.month - 1]} {date.year}, {date:%H:%M} Uhr"


# --- .eml -------------------------------------------------------------------------------------------------------------

# The parser compares each line with the boundaries of all parts around it. Mails stay far below this many comparisons,
# which take half a minute; parts nested by the hundred in a large file would take hours.
_MOST_COMPARISONS = 100_000_000
_MULTIPART = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
# Mailers nest four or five parts: signed, mixed, related, alternative.
_DEEPEST_PART = 50
# Far more than any mail has attachments.
_MOST_PARTS = 500
# Longer head lines are mailing lists or attacks; parsing takes time that grows with the square of the length.
_LONGEST_HEADER, _LONGEST_PART_HEADER = 10_000, 4000
# What Python's header parser raises on some malformed lines, in place of its own errors.
_PARSER_ERRORS = (errors.MessageError, LookupError, AttributeError, TypeError, ValueError, RecursionError)
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
# These spell other letters with ASCII bytes, so that the bytes do not show what they are.
_SEVEN_BIT = ("iso2022", "utf-7", "hz")
_IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".webp", ".emz", ".wmz"})
_SHOWN = re.compile(r"\bcid:([^\"'\s<>)]+)", re.IGNORECASE)
_UNNAMED_MAIL, _UNNAMED_FILE = "Nachricht", "Anhang"


def load_eml(path: Path) -> Extract:
    """Read a mail: its text part, else its HTML part, with its attachments; damaged ones as far as they go."""
    data = read_bytes(path)
    kind = file_kind(data)
    if kind is not None:
        raise LoadError(f"is {kind} in spite of its name; give it the file name extension of its format")
    return mail_extract(read_eml(_without_mark(data)), path)


def read_eml(data: bytes) -> Mail:
    """Return the mail that `data` holds.

    Raises:
        LoadError: it is encrypted, no text at all, or nests parts without end.
    """
    if (len(_MULTIPART.findall(data)) + 1) * data.count(b"\n") > _MOST_COMPARISONS:
        raise LoadError("nests too many parts to be read in reasonable time; save its attachments as files")
    try:
        message = message_from_bytes(data, policy=policy.default.clone(header_factory=_Headers()))
        if message.get_content_type() in _ENCRYPTED:
            raise LoadError(
                "is encrypted, or signed in a form that hides its text; save it from the mail program opened",
                "encrypted",
            )
        found = _read_part(message, 0)
    except RecursionError:
        raise LoadError("nests parts in one another without end; save its attachments as files") from None
    return Mail(
        subject=_header(message, "subject"),
        sender=_addresses(message, "from")[0] or _addresses(message, "sender")[0],
        recipients=_addresses(message, "to"),
        copies=_addresses(message, "cc"),
        date=_date(_header(message, "date")),
        body=found.body,
        attachments=[
            Attachment(attached.name, attached.data)
            for attached in found.attachments
            if not is_inline(attached.name, attached.content_id, found.shown)
        ],
    )


def shown_images(html: str) -> frozenset[str]:
    """Return the ids of the attachments that HTML shows in its place."""
    return frozenset(_SHOWN.findall(html))


def is_inline(name: str, content_id: str, shown: frozenset[str]) -> bool:
    """Tell whether an attachment is an image that stands in the mail's text."""
    return content_id in shown and PurePosixPath(name).suffix.lower() in _IMAGE_SUFFIXES


class _Headers(HeaderRegistry):
    """Parses head lines, each once; what cannot be parsed is taken as plain text."""

    def __init__(self) -> None:
        super().__init__()
        self._parsed: dict[tuple[str, str], Any] = {}

    def __call__(self, name: str, value: str) -> Any:  # noqa: ANN401 - the class is made for each name
        key = (name, value)
        if key not in self._parsed:
            self._parsed[key] = self._parse(name, value)
        return self._parsed[key]

    def _parse(self, name: str, value: str) -> Any:  # noqa: ANN401
        of_part = name.lower().startswith("content-")
        value = _mend_bytes(value)[: _LONGEST_PART_HEADER if of_part else _LONGEST_HEADER]
        try:
            return super().__call__(name, value)
        except _PARSER_ERRORS:
            plain = HeaderRegistry(default_class=UnstructuredHeader, use_default_map=False)
            return plain(name, value.encode("ascii", "replace").decode())


def _mend_bytes(value: str) -> str:
    """Return a head line whose bytes beyond ASCII, which should have been encoded, are decoded after all."""
    if value.isascii():
        return value
    try:
        return decode(value.encode("utf-8", "surrogateescape"))
    except LoadError:
        return value.encode("ascii", "replace").decode()


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name, "")))
    except _PARSER_ERRORS:
        return ""


def _addresses(message: EmailMessage, name: str) -> list[str]:
    """Return the people that a head line names, as "Anna Muster <a@stadt.example>"."""
    try:
        parsed = getattr(message.get(name), "addresses", ())
        named = [(one_line(address.display_name), one_line(address.addr_spec)) for address in parsed]
    except _PARSER_ERRORS:
        named = []
    people = [f"{person} <{address}>" if person and "@" in address else person or address for person, address in named]
    return [person for person in people if person not in ("", "<>")] or [_header(message, name)]


def _date(written: str) -> datetime | None:
    try:
        return parsedate_to_datetime(written)
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _without_mark(data: bytes) -> bytes:
    """Return the mail in ASCII or UTF-8, without the byte order mark that a text editor has left."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(codecs.BOM_UTF8)


# --- Parts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Attached:
    name: str
    data: bytes
    content_id: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What a part holds: of the body, and of attachments."""

    body: tuple[Piece, ...] = ()
    attachments: tuple[_Attached, ...] = ()
    # The ids of attachments that HTML shows, be it the HTML of a variant that is not taken.
    shown: frozenset[str] = frozenset()

    def says(self, *, html: bool) -> bool:
        """Whether there is text of this kind, with at least one letter or digit."""
        return any(piece.html == html and any(map(str.isalnum, piece.text)) for piece in self.body)


def _read_part(part: EmailMessage, depth: int) -> _Found:
    kind, family = part.get_content_type(), part.get_content_maintype()
    disposition, name = str(part.get_content_disposition() or ""), _file_name(part)
    if depth > _DEEPEST_PART:
        raise RecursionError
    if kind in ("message/rfc822", "message/global"):
        return _Found(attachments=(_nested_mail(part, name),))
    if family == "multipart" and part.is_multipart():
        return _together([_read_part(inner, depth + 1) for inner in _parts(part)], kind)
    # A multipart without parts has lost its boundaries: what is left is read as text.
    if (kind in ("text/plain", "text/html") or family == "multipart") and disposition != "attachment" and not name:
        piece = _piece(part, html=kind == "text/html")
        return _Found(body=(piece,), shown=shown_images(piece.text if piece.html else ""))
    if family == "image" and disposition == "inline":
        return _Found()
    content_id = str(part.get("content-id", "")).strip("<> ")
    return _Found(attachments=(_Attached(_with_suffix(name, kind), _content(part), content_id),))


def _parts(part: EmailMessage) -> list[EmailMessage]:
    inner: list[EmailMessage] = list(part.iter_parts())  # type: ignore[arg-type]
    if len(inner) > _MOST_PARTS:
        raise LoadError(f"has {len(inner)} parts; at most {_MOST_PARTS} are read: save its attachments as files")
    return inner


def _together(found: Sequence[_Found], kind: str) -> _Found:
    body = _best(found) if kind == "multipart/alternative" else tuple(piece for each in found for piece in each.body)
    attachments = tuple(attached for each in found for attached in each.attachments)
    return _Found(body, attachments, frozenset().union(*(each.shown for each in found)))


def _best(variants: Sequence[_Found]) -> tuple[Piece, ...]:
    """Return the variant of a body that is plain text, else the one that is HTML."""
    plain = next((found for found in variants if found.says(html=False)), None)
    best = plain or next((found for found in variants if found.says(html=True)), None)
    return best.body if best else ()


def _piece(part: EmailMessage, *, html: bool) -> Piece:
    data = _content(part)
    if not data.strip():
        return Piece("", html)
    declared = known_encoding(str(part.get_param("charset") or "")) or (declared_encoding(data) if html else None)
    is_seven_bit = declared is not None and declared.startswith(_SEVEN_BIT)
    text = data.decode(declared or "", "replace") if is_seven_bit else decode(data, declared)
    if str(part.get_param("format") or "").lower() == "flowed":
        text = unflow(text, delete_space=str(part.get_param("delsp") or "").lower() == "yes")
    return Piece(text, html)


def _content(part: EmailMessage) -> bytes:
    """Return the bytes of a part; of a broken encoding as many as can be read."""
    try:
        content = part.get_payload(decode=True)
    except _PARSER_ERRORS:
        return b""
    if not isinstance(content, bytes):
        return b""
    if any(isinstance(defect, errors.InvalidBase64LengthDefect) for defect in part.defects):
        # Cut off within a group of four letters, on which the parser gives up.
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
        return base64.b64decode(letters[: len(letters) // 4 * 4])
    return content


def _nested_mail(part: EmailMessage, name: str) -> _Attached:
    inner = part.get_payload()
    message = inner[0] if isinstance(inner, list) and inner else None
    if not isinstance(message, EmailMessage):
        return _Attached(f"{name or _UNNAMED_MAIL}.eml", b"", "")
    try:
        data = message.as_bytes(policy=policy.compat32)
    except (*_PARSER_ERRORS, UnicodeError):
        data = b""
    if str(part.get("content-transfer-encoding", "")).strip().lower() == "base64":
        # The standard forbids to encode an attached mail; some do.
        with suppress(binascii.Error):
            data = base64.b64decode(data)
    name = name or _header(message, "subject") or _UNNAMED_MAIL
    return _Attached(name if name.lower().endswith(".eml") else f"{name}.eml", data, "")


def _file_name(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except _PARSER_ERRORS:
        return ""


def _with_suffix(name: str, kind: str) -> str:
    """Return the name of an attachment with the extension of its type where it has none."""
    if PurePosixPath(name).suffix or kind == "application/octet-stream":
        return name or _UNNAMED_FILE
    return (name or _UNNAMED_FILE) + (mimetypes.guess_extension(kind) or "")
