"""What office documents are refused for, and old formats that LibreOffice converts."""

from __future__ import annotations

import http.server
import io
import os
import struct
import threading
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
from docx import Document
from pptx import Presentation

from ingest.loaders import converted as conversion
from ingest.loaders import load
from rag.errors import LoadError
from tests.ingest.office_files import RELATIONS, SOFFICE, changed, converted, insert

needs_libreoffice = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
PARTS = {
    "docx": "word/document.xml",
    "pptx": "ppt/slides/slide1.xml",
    "xlsx": "xl/worksheets/sheet1.xml",
    "odt": "content.xml",
}
FORMATS = list(PARTS)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
ODT = (
    '<d xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:'
    'xmlns:text:1.0"><office:body><office:text><text:p>Der Rat tagt.</text:p></office:text></office:body></d>'
)


def made(folder: Path, suffix: str) -> Path:
    """Make a small document of a format."""
    path = folder / f"a.{suffix}"
    if suffix == "docx":
        document = Document()
        document.add_paragraph("Der Rat tagt.")
        document.save(str(path))
    elif suffix == "pptx":
        presentation = Presentation()
        presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text = "Der Rat tagt."
        presentation.save(str(path))
    elif suffix == "xlsx":
        book = openpyxl.Workbook()
        book.active["A1"] = "Der Rat tagt."
        book.save(path)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
            archive.writestr("content.xml", ODT)
            archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


def refusal(path: Path) -> str:
    """Return why a file is refused, which must be one line and soon."""
    started = time.perf_counter()
    with pytest.raises(LoadError) as raised:
        load(path)
    assert time.perf_counter() - started < 10
    message = str(raised.value)
    assert "\n" not in message
    assert str(path.parent) not in message
    return message


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_sound_document_is_read(tmp_path: Path, suffix: str) -> None:
    assert "Der Rat tagt." in load(made(tmp_path, suffix)).text


@pytest.mark.parametrize("suffix", FORMATS)
def test_empty_broken_and_foreign_files_are_refused(tmp_path: Path, suffix: str) -> None:
    data = made(tmp_path, suffix).read_bytes()
    path = tmp_path / f"b.{suffix}"
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a.txt", "Text")
    other = made(tmp_path, "xlsx" if suffix != "xlsx" else "docx").read_bytes()
    for content, message in (
        (b"", "is empty"),
        (data[: len(data) // 2], "is a broken"),
        (data[:-200], "is a broken"),
        (b"%PDF-1.7", "is a PDF file in spite of its name"),
        (b"<html>Text</html>", "is not a"),
        (plain.getvalue(), "is a ZIP archive, not a"),
        (other, "Excel workbook" if suffix != "xlsx" else "is a Word document in spite of its name; give it the ex"),
        (OLE, "is an old office document in spite of its name"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "is password-protected"),
    ):
        path.write_bytes(content)
        assert message in refusal(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damage_within_a_part_is_refused(tmp_path: Path, suffix: str) -> None:
    path = made(tmp_path, suffix)
    sound = path.read_bytes()
    changed(path, {PARTS[suffix]: lambda data: data[: len(data) // 2]})
    assert "is a broken" in refusal(path)
    path.write_bytes(sound)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(PARTS[suffix])
    flipped = bytearray(sound)
    start = member.header_offset + 30 + len(member.filename) + 20
    for index in range(start, start + 40):
        flipped[index] ^= 0xFF
    path.write_bytes(flipped)
    assert "is a broken" in refusal(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_entities_are_not_expanded(tmp_path: Path, suffix: str) -> None:
    path = made(tmp_path, suffix)
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    declarations = f'<!DOCTYPE x [<!ENTITY e0 "ha"><!ENTITY file SYSTEM "file:///etc/passwd">{levels}]>'

    def attack(data: bytes) -> bytes:
        text = data.decode()
        head, declared, rest = text.partition("?>") if text.startswith("<?xml") else ("", "", text)
        rest = rest.replace("Der Rat", "&e12;&file;").replace("<v>0", "<v>&e12;")
        return f"{head}{declared}{declarations}{rest}".encode()

    changed(path, {PARTS[suffix]: attack})
    assert "declares its own XML entities" in refusal(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_bombs_are_refused_before_they_unpack(tmp_path: Path, suffix: str) -> None:
    path = made(tmp_path, suffix)
    sound = path.read_bytes()
    changed(path, {PARTS[suffix]: lambda data: data + b" " * 60_000_000})
    assert "more than 200 times its size" in refusal(path)
    # A part that declares less than it holds.
    changed(path, {})
    data = bytearray(path.read_bytes())
    central = data.rindex(PARTS[suffix].encode()) - 46
    assert data[central : central + 4] == b"PK\x01\x02"
    data[central + 24 : central + 28] = struct.pack("<I", 500)
    path.write_bytes(data)
    assert "is a broken" in refusal(path)
    # Many parts that are too much together.
    path.write_bytes(sound)
    data = bytearray(sound)
    for start in [index for index in range(len(data)) if data[index : index + 4] == b"PK\x01\x02"]:
        data[start + 20 : start + 28] = struct.pack("<II", 400_000_000, 400_000_000)
    path.write_bytes(data)
    assert "which is too much" in refusal(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, "docx")
    deep = "<w:sdt><w:sdtContent>" * 5000 + "</w:sdtContent></w:sdt>" * 5000
    changed(path, {"word/document.xml": insert("</w:body>", deep)})
    assert "is a broken .docx file" in refusal(path)
    shallow = "<w:sdt><w:sdtContent>" * 100 + "<w:p><w:r><w:t>Tief</w:t></w:r></w:p>" + "</w:sdtContent></w:sdt>" * 100
    path = made(tmp_path, "docx")
    changed(path, {"word/document.xml": insert("</w:body>", shallow)})
    assert "Tief" in load(path).text
    (tmp_path / "a.rtf").write_bytes(b"{\\rtf1 " + b"{" * 100_000)
    assert "groups in each other" in refusal(tmp_path / "a.rtf")


def test_encrypted_opendocument_and_zip_are_refused(tmp_path: Path) -> None:
    path = made(tmp_path, "odt")
    manifest = b'<m:manifest xmlns:m="urn:x"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    changed(path, {"META-INF/manifest.xml": manifest})
    assert "is password-protected" in refusal(path)
    data = bytearray(made(tmp_path, "docx").read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.docx").write_bytes(data)
    assert "is password-protected" in refusal(tmp_path / "b.docx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"Text", "is not an RTF document"),
        (b"%PDF-1.7", "is not an RTF document but a PDF file"),
        (b"{\\rtf1 Text, der abbr", "its end is missing"),
        (b"{\\rtf1 {\\pict 00}}", "has no text"),
    ],
)
def test_rich_text_that_is_none_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.rtf").write_bytes(content)
    assert message in refusal(tmp_path / "a.rtf")


def test_documents_without_text_are_refused(tmp_path: Path) -> None:
    Document().save(str(tmp_path / "a.docx"))
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    Presentation().save(str(tmp_path / "a.pptx"))
    (tmp_path / "a.csv").write_text(";;;\n;;;\n")
    for suffix in ("docx", "xlsx", "pptx", "csv"):
        assert "has no text" in refusal(tmp_path / f"a.{suffix}")


# --- LibreOffice ------------------------------------------------------------------------------------------------------


def old(folder: Path, suffix: str) -> Path:
    path = folder / f"alt.{suffix}"
    path.write_bytes(OLE)
    return path


@pytest.mark.parametrize(("suffix", "newer"), [("doc", "docx"), ("xls", "xlsx"), ("ppt", "pptx")])
def test_without_libreoffice_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, newer: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    message = refusal(old(tmp_path, suffix))
    packages = "libreoffice-core libreoffice-writer libreoffice-calc libreoffice-impress"
    assert f"apt-get install {packages}; or save it as .{newer}" in message


def test_a_conversion_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/child\nwait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(conversion, "_SECONDS", 1)
    assert "took LibreOffice more than 1 seconds" in refusal(old(tmp_path, "doc"))
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 60
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_what_only_has_the_name_of_an_old_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_bytes(b"{\\rtf1 Text}")
    assert refusal(tmp_path / "a.doc").startswith("is an RTF document in spite of its name")
    (tmp_path / "a.xls").write_bytes(b"Jahr;Zahl")
    assert refusal(tmp_path / "a.xls").startswith("is not an old office document")
    made(tmp_path, "docx").rename(tmp_path / "b.doc")
    assert refusal(tmp_path / "b.doc").startswith("is a ZIP archive or an office document in spite of its name")


@needs_libreoffice
def test_old_presentations_and_workbooks_are_converted(tmp_path: Path) -> None:
    slides = load(converted(made(tmp_path, "pptx"), "ppt"))
    assert (slides.text, [mark.label for mark in slides.pages]) == ("Der Rat tagt.", ["1"])
    workbook = converted(made(tmp_path, "xlsx"), "xls")
    sheets = load(workbook.rename(tmp_path / "amt-und-rat.xls"))
    assert (sheets.text, [mark.label for mark in sheets.pages]) == ("Sheet\n\nDer Rat tagt.", ["Sheet"])
    assert sheets.title == "amt und rat"
    assert not list(tmp_path.glob("**/.~lock*"))


@needs_libreoffice
def test_broken_old_documents_are_refused(tmp_path: Path) -> None:
    # LibreOffice would show it as text.
    assert refusal(old(tmp_path, "xls")).startswith("cannot be converted: it is broken")


@needs_libreoffice
def test_a_conversion_fetches_nothing(tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        host = f"http://127.0.0.1:{server.server_port}"
        path = linked(tmp_path, host)
        converted(path, "doc")
        assert asked, "LibreOffice asks the host by itself; if it no longer does, this test shows nothing"
        asked.clear()
        assert "Der Rat tagt." in load(path.with_suffix(".doc")).text
    finally:
        server.shutdown()
    assert asked == []


def linked(folder: Path, host: str) -> Path:
    """Make a Word document that shows a picture from another host."""
    path = made(folder, "docx")
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    picture = (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing"><wp:extent cx="9000" cy="9000"/>'
        f'<wp:docPr id="1" name="x"/><a:graphic xmlns:a="{drawing}/main"><a:graphicData uri="{drawing}/picture">'
        f'<pic:pic xmlns:pic="{drawing}/picture"><pic:nvPicPr><pic:cNvPr id="1" name="x"/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip xmlns:r="{RELATIONS}" r:link="rId99"/></pic:blipFill><pic:spPr><a:xfrm>'
        '<a:off x="0" y="0"/><a:ext cx="900000" cy="900000"/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    link = f'<Relationship Id="rId99" Type="{RELATIONS}/image" Target="{host}/x.png" TargetMode="External"/>'
    return changed(
        path,
        {
            "word/document.xml": insert("</w:body>", picture),
            "word/_rels/document.xml.rels": insert("</Relationships>", link),
        },
    )
