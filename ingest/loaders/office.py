"""What all office formats share: their ZIP container and its limits, XML without surprises, the title they carry."""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ingest.cleaning import normalise
from ingest.loaders.base import file_kind, read_bytes
from ingest.metadata import named_title
from rag.errors import LoadError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # type: ignore[import-untyped]

# Unpacked, a whole document may have this many bytes, pictures included; larger ones are atlases or bombs.
_LARGEST_DOCUMENT = 1_000_000_000
# A part that becomes a tree in memory, five to ten times its size. A thousand pages of text have about 10 MB.
_LARGEST_TREE = 100_000_000
# XML shrinks to a tenth or a fiftieth; what shrinks more, and is large, was made to fill memory or disk.
_HIGHEST_RATIO = 200
_SMALLEST_BOMB = 10_000_000
# A presentation with thousands of pictures has fewer parts.
_MOST_PARTS = 50_000
_PIECE = 1_000_000
# What reading a damaged container raises, beside its own error: a directory that begins before the file, for one.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, ValueError)
_LONGEST_TAG = 10_000_000
_OLE = b"\xd0\xcf\x11\xe0"
# Streams of OLE containers are named in UTF-16.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PASSWORD = "is password-protected; remove the password and add the file again"
_ANEW = "open it in an office program and save it anew, or fetch it again"

_NAMES = {
    ".docx": "a Word document",
    ".xlsx": "an Excel workbook",
    ".pptx": "a PowerPoint presentation",
    ".odt": "an OpenDocument text",
    ".ods": "an OpenDocument spreadsheet",
    ".odp": "an OpenDocument presentation",
}
_ROOTS = {"document": ".docx", "workbook": ".xlsx", "presentation": ".pptx"}
_MEDIA_TYPE = re.compile(rb"application/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)")
_MEDIA = {b"text": ".odt", b"spreadsheet": ".ods", b"presentation": ".odp"}


@dataclass(frozen=True, slots=True)
class Relation:
    """A link from one part of an Office Open XML document to another."""

    kind: str  # the last word of the type: "styles", "slide", "notesSlide"
    target: str  # the path of the part within the container


class Archive:
    """The parts of an office document, with their sizes checked before anything is unpacked."""

    def __init__(self, data: bytes, suffix: str) -> None:
        self.suffix = suffix
        with self._reading():
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        members = self._zip.infolist()
        self._check(members)
        # Some programs write other cases than they refer to, or backslashes.
        self._members = {_plain(member.filename): member for member in members}

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._members

    def read(self, name: str) -> bytes:
        """Return the bytes of a part; raise `LoadError` where it is missing, broken or too large for a tree."""
        member = self._member(name)
        if member.file_size > _LARGEST_TREE:
            megabytes = member.file_size // 1_000_000
            raise LoadError(f"is too large: its part {name} has {megabytes} MB; split the document", "too large")
        return self.head(name, _LARGEST_TREE)

    def head(self, name: str, count: int) -> bytes:
        """Return the first `count` bytes of a part."""
        # In small pieces: a container may declare less than it unpacks to, and one large read would hold it all.
        pieces: list[bytes] = []
        with self._reading(), self._zip.open(self._member(name)) as part:
            while count > 0 and (piece := part.read(min(count, _PIECE))):
                pieces.append(piece)
                count -= len(piece)
        return b"".join(pieces)

    def xml(self, name: str) -> Element:
        """Return a part as a tree whose names have lost their namespaces; those of relationships begin with "r_"."""
        return self._tree(self.read(name))

    def optional_xml(self, name: str | None) -> Element | None:
        """Return a part as `xml` does, None where the document has no such part."""
        return self.xml(name) if name is not None and name in self else None

    def stream(self, name: str, *tags: str, drop: re.Pattern[bytes] | None = None) -> Iterator[Element]:
        """Yield the elements called `tags` of a part of any size, each once it is complete; the rest is forgotten.

        Their names keep the namespaces. What `drop` matches is taken out before the part is parsed.
        """
        from lxml import etree  # type: ignore[import-untyped]

        member = self._member(name)
        with self._reading(), self._zip.open(member) as part:
            wanted = [f"{{*}}{tag}" for tag in tags]
            first = True
            for _, element in etree.iterparse(_Source(part, drop), tag=wanted, resolve_entities=False, no_network=True):
                if first:
                    _refuse_declarations(element)
                    first = False
                yield element
                element.clear()
                parent = element.getparent()
                while element.getprevious() is not None:
                    del parent[0]

    def relations(self, part: str) -> dict[str, Relation]:
        """Return the relations of a part by their ids; those to other documents and hosts are left out."""
        folder, name = posixpath.split(part)
        root = self.optional_xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, Relation] = {}
        for link in root if root is not None else ():
            target = link.get("Target", "")
            if link.get("TargetMode") != "External" and target:
                path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[link.get("Id", "")] = Relation(link.get("Type", "").rpartition("/")[2], path)
        return found

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(_plain(name))
        if member is None:
            raise LoadError(f"is a broken {self.suffix} file: its part {name} is missing; {_ANEW}")
        return member

    def _tree(self, data: bytes) -> Element:
        from lxml import etree

        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
        )
        with self._reading():
            if b"<!DOCTYPE" in data:
                raise LoadError("declares its own XML entities, as attacks do and office programs never; not read")
            root = etree.fromstring(data, parser)
            _refuse_declarations(root)
        for element in root.iter("*"):
            element.tag = _local(element.tag)
            for key in [key for key in element.attrib if key[0] == "{"]:
                element.attrib[_local(key)] = element.attrib.pop(key)
        return root

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Translate what a damaged container or part raises."""
        from lxml import etree

        try:
            yield
        except (*_DAMAGE, etree.LxmlError) as error:
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise LoadError(f"is a broken {self.suffix} file ({reason}); {_ANEW}") from None

    def _check(self, members: Sequence[zipfile.ZipInfo]) -> None:
        total = sum(member.file_size for member in members)
        if total > _LARGEST_DOCUMENT or len(members) > _MOST_PARTS:
            megabytes = total // 1_000_000
            raise LoadError(
                f"would unpack to {megabytes} MB in {len(members)} parts, which is too much; split it", "too large"
            )
        for member in members:
            if member.file_size > max(_SMALLEST_BOMB, _HIGHEST_RATIO * member.compress_size):
                raise LoadError(
                    f"unpacks to more than {_HIGHEST_RATIO} times its size, as attacks do; not read", "too large"
                )
            if member.flag_bits & 1:
                raise LoadError(_PASSWORD, "encrypted")


class _Source:
    """A part as the parser reads it, without what a pattern matches."""

    def __init__(self, part: IO[bytes], drop: re.Pattern[bytes] | None) -> None:
        self._part = part
        self._drop = drop
        self._rest = b""

    def read(self, _: int = -1) -> bytes:
        """Return some bytes more, none at the end."""
        while True:
            data = self._part.read(_PIECE)
            if self._drop is None or not data:
                rest, self._rest = self._rest, b""
                return rest + data
            # A tag may lie across two pieces.
            data = self._rest + data
            end = data.rfind(b">") + 1 if len(data) < _LONGEST_TAG else len(data)
            self._rest = data[end:]
            kept = self._drop.sub(b"", data[:end])
            if kept:
                return kept


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _local(name: str) -> str:
    space, _, local = name.rpartition("}")
    return f"r_{local}" if space.endswith("/relationships") and "officeDocument" in space else local


def _refuse_declarations(element: Element) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise LoadError("declares its own XML entities, as attacks do and office programs never; not read")


def open_archive(path: Path, suffix: str) -> Archive:
    """Open an office document of the format that `suffix` names.

    Raises `LoadError` where it is empty, encrypted, broken, of another format or made to fill the memory.
    """
    data = read_bytes(path)
    if data.startswith(_OLE):
        if _ENCRYPTED_PACKAGE in data:
            raise LoadError(_PASSWORD, "encrypted")
        raise LoadError("is an old office document in spite of its name; give it the extension .doc, .xls or .ppt")
    if not data.startswith(b"PK"):
        kind = file_kind(data)
        if kind is None:
            raise LoadError(f"is not {_NAMES[suffix]}; give it the file name extension of its format")
        raise LoadError(f"is {kind} in spite of its name; give it the file name extension of its format")
    archive = Archive(data, suffix)
    found = _format(archive)
    if found != suffix:
        what = f"{_NAMES[found]} in spite of its name; give it the extension {found}" if found else ""
        raise LoadError(f"is {what or f'a ZIP archive, not {_NAMES[suffix]}; unpack it and add what is in it'}")
    if found in _MEDIA.values() and "META-INF/manifest.xml" in archive:
        manifest = archive.xml("META-INF/manifest.xml")
        if next(manifest.iter("encryption-data"), None) is not None:
            raise LoadError(_PASSWORD, "encrypted")
    return archive


def _format(archive: Archive) -> str | None:
    """Return the extension that fits what an archive holds, None where it is no office document."""
    if "mimetype" in archive:
        media = _MEDIA_TYPE.match(archive.head("mimetype", 100))
        return _MEDIA[media[1]] if media else None
    main = main_part(archive)
    if main is None:
        return None
    if main.endswith(".bin"):
        raise LoadError("is a binary workbook (.xlsb), which is not supported; save it as .xlsx", "no supported format")
    # The root stands behind a declaration, or a comment; no need to read all for it.
    begin = re.search(rb"<(?:\w+:)?(document|workbook|presentation)[\s>]", archive.head(main, 4096))
    return _ROOTS[begin[1].decode()] if begin else archive.suffix


def main_part(archive: Archive) -> str | None:
    """Return the path of the part that holds the text, the sheets or the list of slides, None where there is none."""
    links = archive.relations("").values()
    return next((link.target for link in links if link.kind == "officeDocument"), None)


def related(archive: Archive, part: str, kind: str) -> str | None:
    """Return the path of the first part of a kind that `part` refers to."""
    return next((link.target for link in archive.relations(part).values() if link.kind == kind), None)


def document_title(archive: Archive, file_stem: str) -> str | None:
    """Return the title in the document's properties, None where it says nothing of its own.

    Their dates say when the file was made or copied, not when it was published: they are never read.
    """
    part = "meta.xml" if "meta.xml" in archive else related(archive, "", "core-properties")
    root = archive.optional_xml(part)
    title = None if root is None else next(root.iter("title"), None)
    return None if title is None else named_title(normalise("".join(title.itertext())), file_stem)


def switched_on(element: Any) -> bool:  # noqa: ANN401 - an element or None
    """Tell whether a property such as `<w:b/>` is there and not switched off by its value."""
    return element is not None and element.get("val", "1") not in ("0", "false", "off", "none")


def whole_number(text: str | None, default: int = 0) -> int:
    """Return an attribute as a number, `default` where it is missing or not one of a sensible size."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,9}", text) else default
