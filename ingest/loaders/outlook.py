"""Mails as Outlook saves them, .msg: a compound file with one stream a MAPI property ([MS-OXMSG], [MS-OXPROPS])."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import HeaderParser
from email.utils import format_datetime, formataddr, parsedate_to_datetime
from pathlib import Path
from typing import Any

from ingest.loaders.base import Attachment, Extract, decode, known_encoding, read_bytes
from ingest.loaders.html import declared_encoding
from ingest.loaders.mail import Mail, Piece, is_inline, mail_extract, one_line, shown_images
from rag.errors import LoadError

# What olefile raises on damaged files, besides its own OSError.
_DAMAGES = (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, struct.error)

_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_DISPLAY_TO, _DISPLAY_CC, _TRANSPORT_HEADERS, _MESSAGE_CLASS = 0x0E04, 0x0E03, 0x007D, 0x001A
_NAME, _ADDRESS, _SMTP, _RECIPIENT_TYPE = 0x3001, 0x3003, 0x39FE, 0x0C15
_FILE_DATA, _LONG_FILE_NAME, _SHORT_FILE_NAME, _CONTENT_ID, _HIDDEN = 0x3701, 0x3707, 0x3704, 0x3712, 0x7FFE
_SENT, _DELIVERED = 0x0039, 0x0E06
_CODE_PAGES = (0x3FFD, 0x3FDE)  # of the message, of its HTML
_UNICODE, _EIGHT_BIT, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_TO, _COPY = 1, 2
_PROPERTIES = "__properties_version1.0"
# Times count tenths of microseconds from here.
_TICKS_BEGIN = datetime(1601, 1, 1, tzinfo=UTC)
# The head of that stream is 32 bytes long in a file, 24 in a mail inside of one (where some programs write 32 as well),
# 8 for recipients and attachments. Entries of 16 bytes follow.
_FILE_HEAD, _NESTED_HEAD, _OTHER_HEAD = 32, 24, 8
_ENTRY = 16
# Deeper mails than the ingest reads are not even taken out.
_DEEPEST_MAIL = 10


def load_msg(path: Path) -> Extract:
    """Read a mail saved by Outlook: its plain text, else its HTML, with its attachments."""
    import olefile

    data = read_bytes(path)
    if not olefile.isOleFile(data=data):
        raise LoadError("is not an Outlook mail; if another program saved it, give it the extension .eml")
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            mail = _Storage(file, (), _Budget(len(data)), _FILE_HEAD).mail()
    except _DAMAGES as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise LoadError(f"is a broken Outlook mail ({reason}); save it anew from Outlook") from None
    return mail_extract(mail, path)


class _Budget:
    """Bounds what is read: all streams of a sound file together are no larger than the file."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise LoadError("is a broken Outlook mail: its parts are larger than the file; save it anew from Outlook")


class _Storage:
    """A mail, recipient or attachment within a compound file: the folder at `place`."""

    def __init__(self, file: Any, place: tuple[str, ...], budget: _Budget, head: int, depth: int = 0) -> None:  # noqa: ANN401
        self._file = file
        self._place = place
        self._budget = budget
        self._depth = depth
        self._numbers = self._fixed_values(head)
        page = next((self._numbers[tag] for tag in _CODE_PAGES if tag in self._numbers), 0) & 0xFFFFFFFF
        self._encoding = known_encoding(f"iso8859-{page - 28590}" if 28590 < page < 28606 else f"cp{page}")

    def mail(self) -> Mail:
        """Return the mail in this storage."""
        if self.text(_MESSAGE_CLASS).upper().startswith("IPM.NOTE.SMIME"):
            raise LoadError(
                "is signed or encrypted with S/MIME; open it in Outlook and save it anew without", "encrypted"
            )
        html = self._html()
        plain = self.text(_BODY)
        body = [Piece(plain, html=False)] if any(map(str.isalnum, plain)) else [Piece(html, html=True)]
        attachments = list(self._attachments(shown_images(html)))
        if not body[0].text and self._exists(_RTF, _BINARY):
            raise LoadError("holds its text as RTF only; save it from Outlook as HTML or .eml")
        headers = HeaderParser().parsestr(self.text(_TRANSPORT_HEADERS))
        sender = _named(self.text(_SENDER_NAME), self.text(_SENDER_SMTP), self.text(_SENDER_ADDRESS))
        recipients = [(each.number(_RECIPIENT_TYPE), each.address()) for each in self._inner("__recip_version1.0_#")]
        return Mail(
            subject=self.text(_SUBJECT),
            sender=sender,
            recipients=[name for kind, name in recipients if kind == _TO] or self.text(_DISPLAY_TO).split("; "),
            copies=[name for kind, name in recipients if kind == _COPY] or self.text(_DISPLAY_CC).split("; "),
            date=self._date(str(headers.get("Date", ""))),
            body=body,
            attachments=attachments,
        )

    def address(self) -> str:
        """Return name and address of a recipient."""
        return _named(self.text(_NAME), self.text(_SMTP), self.text(_ADDRESS))

    def number(self, tag: int) -> int:
        """Return a property of fixed length as an integer, 0 where it is missing."""
        return self._numbers.get(tag, 0)

    def text(self, tag: int) -> str:
        """Return a property of characters, empty where it is missing."""
        if self._exists(tag, _UNICODE):
            return self._read(tag, _UNICODE).decode("utf-16-le", "replace").rstrip("\x00")
        data = self._read(tag, _EIGHT_BIT).rstrip(b"\x00") if self._exists(tag, _EIGHT_BIT) else b""
        return decode(data, self._encoding) if data else ""

    def _html(self) -> str:
        if not self._exists(_HTML, _BINARY):
            return self.text(_HTML)
        data = self._read(_HTML, _BINARY).rstrip(b"\x00")
        return decode(data, declared_encoding(data) or self._encoding) if data.strip() else ""

    def _date(self, header: str) -> datetime | None:
        """Return when the mail was sent; the header also knows the sender's time zone."""
        try:
            return parsedate_to_datetime(header)
        except (ValueError, TypeError, LookupError, OverflowError):
            ticks = self.number(_SENT) or self.number(_DELIVERED)
        try:
            # As Outlook shows it: in the time of this place.
            return (
                (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)).astimezone() if ticks else None
            )
        except (OverflowError, ValueError, OSError):
            return None

    def _attachments(self, shown: frozenset[str]) -> Iterator[Attachment]:
        for storage in self._inner("__attach_version1.0_#"):
            name = storage.text(_LONG_FILE_NAME) or storage.text(_SHORT_FILE_NAME) or storage.text(_NAME)
            if storage.number(_HIDDEN) & 0xFF or is_inline(name, storage.text(_CONTENT_ID).strip("<> "), shown):
                continue
            if storage._exists(_FILE_DATA, _BINARY):
                yield Attachment(name or "Anhang", storage._read(_FILE_DATA, _BINARY))
            elif storage._has_mail():
                yield storage._nested_mail(name)
            else:
                yield Attachment(name or "Objekt", b"")

    def _has_mail(self) -> bool:
        inside = [*self._place, f"__substg1.0_{_FILE_DATA:04X}{_OBJECT}", _PROPERTIES]
        return bool(self._file.exists(inside))

    def _nested_mail(self, name: str) -> Attachment:
        """Return a mail inside this one as the .eml file that it would be."""
        name = re.sub(r"\.msg$", "", name, flags=re.IGNORECASE)
        if self._depth >= _DEEPEST_MAIL:
            return Attachment(f"{name or 'Nachricht'}.eml", b"", "is a mail in too many others; save it as a file")
        place = (*self._place, f"__substg1.0_{_FILE_DATA:04X}{_OBJECT}")
        try:
            mail = _Storage(self._file, place, self._budget, _NESTED_HEAD, self._depth + 1).mail()
        except LoadError as error:
            return Attachment(f"{name or 'Nachricht'}.eml", b"", str(error))
        return Attachment(f"{name or one_line(mail.subject) or 'Nachricht'}.eml", _as_eml(mail))

    def _inner(self, prefix: str) -> list[_Storage]:
        depth = len(self._place)
        names = {
            entry[depth]
            for entry in self._file.listdir(streams=True, storages=False)
            if len(entry) > depth + 1 and tuple(entry[:depth]) == self._place and entry[depth].startswith(prefix)
        }
        return [
            _Storage(self._file, (*self._place, name), self._budget, _OTHER_HEAD, self._depth) for name in sorted(names)
        ]

    def _exists(self, tag: int, kind: str) -> bool:
        return bool(self._file.exists(self._stream(tag, kind)))

    def _stream(self, tag: int, kind: str) -> list[str]:
        return [*self._place, f"__substg1.0_{tag:04X}{kind}"]

    def _read(self, tag: int, kind: str) -> bytes:
        return self._read_stream(self._stream(tag, kind))

    def _read_stream(self, place: Sequence[str]) -> bytes:
        self._budget.take(self._file.get_size(list(place)))
        content: bytes = self._file.openstream(list(place)).read()
        return content

    def _fixed_values(self, head: int) -> dict[int, int]:
        """Return the properties of fixed length, as integers by their tags."""
        place = [*self._place, _PROPERTIES]
        if not self._file.exists(place):
            return {}
        data = self._read_stream(place)
        if head == _NESTED_HEAD and len(data) % _ENTRY == _FILE_HEAD % _ENTRY:
            head = _FILE_HEAD
        entries = (data[at : at + _ENTRY] for at in range(head, len(data) - _ENTRY + 1, _ENTRY))
        return {struct.unpack_from("<H", entry, 2)[0]: struct.unpack_from("<q", entry, 8)[0] for entry in entries}


def _named(name: str, *addresses: str) -> str:
    """Return "Anna Muster <a@stadt.example>"; an address that is no address of the internet is left out."""
    address = next((found.strip() for found in addresses if "@" in found), "")
    name = one_line(name).strip("'\"")
    if not name or name == address:
        return address
    return f"{name} <{address}>" if address else name


# Base64, in which all parts are, has no underscore. Always the same, so that the same mail gives the same bytes.
_BOUNDARY = "=_citycite"
_ADDRESS_BEHIND = re.compile(r"(.*\S)\s*<([!-;=?-~]+@[!-;=?-~]+)>")


def _as_eml(mail: Mail) -> bytes:
    """Return a mail as MIME; from the same mail always the same bytes, so that it is known again."""

    def encoded(text: str) -> str:
        return Header(one_line(text), "utf-8").encode(linesep="") if one_line(text) else ""

    message = MIMEMultipart(boundary=_BOUNDARY)
    message["Subject"] = encoded(mail.subject)
    for name, people in (("From", [mail.sender]), ("To", mail.recipients), ("Cc", mail.copies)):
        written = (_ADDRESS_BEHIND.fullmatch(one_line(person)) for person in people)
        message[name] = ", ".join(
            formataddr((encoded(found[1]), found[2])) if found else encoded(person)
            for found, person in zip(written, people, strict=True)
        )
    if mail.date is not None:
        message["Date"] = format_datetime(mail.date)
    for piece in mail.body:
        # Half a character, of a damaged file, would have no bytes.
        text = piece.text.encode("utf-8", "replace").decode()
        message.attach(MIMEText(text, "html" if piece.html else "plain", "utf-8"))
    for attachment in mail.attachments:
        part = MIMEBase("application", "octet-stream")
        part.set_payload(attachment.data)
        encode_base64(part)
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", one_line(attachment.name)))
        message.attach(part)
    return message.as_bytes()
