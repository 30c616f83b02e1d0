"""One small file of each loader family, and ways to damage it."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
from aspose.email_foss.msg import MapiMessage
from docx import Document
from PIL import Image, ImageDraw
from pptx import Presentation

CORPUS = Path(__file__).parents[2] / "corpus"
_SENTENCE = "Der Rat hat am 12. März 2024 beschlossen, das Freibad zu sanieren."
_OFFICE = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
_TEXT = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
_ODT = (
    f"<office:document-content {_OFFICE} {_TEXT}><office:body><office:text><text:h>Bad</text:h>"
    f"<text:p>{_SENTENCE}</text:p></office:text></office:body></office:document-content>"
)
_MAIL = (
    "From: Anna Muster <a@stadt.example>\r\nTo: rat@stadt.example\r\nSubject: =?utf-8?q?B=C3=A4der?=\r\n"
    "Date: Tue, 12 Mar 2024 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+R3V0ZW4gVGFnPC9wPg=="
    "\r\n--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\nAnlage.\r\n--b--\r\n"
)
_RTF = (
    r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\pard\b Bad\b0\par Der Rat hat \'fcber {\i das} Bad beschlossen."
    r"\trowd\cellx99 a\cell\row}"
)


def _saved(document: object) -> bytes:
    made = io.BytesIO()
    document.save(made)  # type: ignore[attr-defined]
    return made.getvalue()


def _docx() -> bytes:
    document = Document()
    document.add_heading("Bäder")
    document.add_paragraph(_SENTENCE)
    table = document.add_table(2, 2)
    table.cell(0, 0).text = "Jahr"
    table.cell(1, 1).text = "2024"
    return _saved(document)


def _pptx() -> bytes:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Bäder"  # type: ignore[union-attr]
    slide.placeholders[1].text = _SENTENCE  # type: ignore[attr-defined]
    return _saved(show)


def _xlsx() -> bytes:
    book = openpyxl.Workbook()
    for row in (("Jahr", "Bad"), (2024, "Nord"), (2025, "Süd")):
        book.active.append(row)  # type: ignore[union-attr]
    return _saved(book)


def _odt() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED)
        archive.writestr("content.xml", _ODT)
    return made.getvalue()


def _msg() -> bytes:
    made = MapiMessage.create("Bäder", _SENTENCE)
    made.add_attachment("plan.txt", b"Ein Plan.", mime_type="text/plain")
    with TemporaryDirectory() as folder:
        made.save(Path(folder) / "a.msg")
        return (Path(folder) / "a.msg").read_bytes()


def _png() -> bytes:
    picture = Image.new("L", (400, 60), 255)
    ImageDraw.Draw(picture).text((10, 10), "Das Rathaus", fill=0, font_size=30)
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()


def originals() -> dict[str, bytes]:
    """Return a sound file for each extension."""
    return {
        ".txt": next(CORPUS.rglob("*.txt")).read_bytes(),
        ".md": f"# Bäder\n\n* {_SENTENCE}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode(),
        ".html": next(CORPUS.rglob("*.html")).read_bytes(),
        ".pdf": next(CORPUS.rglob("*.pdf")).read_bytes(),
        ".docx": _docx(),
        ".odt": _odt(),
        ".rtf": _RTF.encode(),
        ".pptx": _pptx(),
        ".xlsx": _xlsx(),
        ".csv": 'Jahr;Bad;Preis\n2024;Nord;4,50\n2025;"Süd\nOst";5\n'.encode("cp1252"),
        ".eml": _MAIL.encode(),
        ".msg": _msg(),
        ".png": _png(),
    }


def mutated(data: bytes, choose: random.Random) -> bytes:
    """Return the data damaged in one to three ways, within the parts of a ZIP file as well as around them."""
    if data.startswith(b"PK") and choose.random() < 0.7:
        return _in_archive(data, choose)
    for _ in range(choose.randint(1, 3)):
        data = _damaged(bytearray(data), choose)
    return data


def _in_archive(data: bytes, choose: random.Random) -> bytes:
    """Damage parts of an archive, so that the checksums do not give it away."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        names = archive.namelist()
        hit = set(choose.sample(names, k=min(len(names), choose.randint(1, 3))))
        for name in names:
            content = archive.read(name)
            target.writestr(name, _damaged(bytearray(content), choose) if name in hit and content else content)
    return made.getvalue()


_JUNK = (
    b"\0" * 64,
    b"\xff" * 64,
    b"<" * 64,
    b"\r\n\r\n",
    b"%n%s",
    b"-1",
    b"99999999999999999999",
    b"]]>",
    b"{\\",
    b"&#0;",
)


def _damaged(data: bytearray, choose: random.Random) -> bytes:
    first, second = sorted(choose.randrange(len(data) + 1) for _ in range(2))
    match choose.randrange(5):
        case 0:
            for _ in range(choose.choice((1, 8, 64))):
                data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
        case 1:
            del data[max(1, first) :]
        case 2:
            del data[first : min(second, first + 200)]
        case 3:
            data[first:second] = data[first:second][::-1] if second - first < 40 else data[second - 20 : second] * 3
        case _:
            data[first:first] = choose.choice(_JUNK)
    return bytes(data) or b"x"
