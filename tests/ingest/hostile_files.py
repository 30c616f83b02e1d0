"""Files that were made to fill memory, to take for ever or to crash their reader; each small, or quick to make."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from docx import Document

_TEXT = "Der Rat hat am 12. März 2024 beschlossen, das Freibad zu sanieren. "


def _zipped(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if "media" in name else zipfile.ZIP_DEFLATED)
    return made.getvalue()


def word(body: bytes, *, before: bytes = b"", more: dict[str, bytes] | None = None) -> bytes:
    """Return a Word document with this body, something before its root, and further parts."""
    made = io.BytesIO()
    Document().save(made)
    with zipfile.ZipFile(made) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    root = parts["word/document.xml"].partition(b"<w:document ")[2].partition(b">")[0]
    parts["word/document.xml"] = before + b"<w:document " + root + b"><w:body>" + body + b"</w:body></w:document>"
    return _zipped(parts | (more or {}))


def pdf(pages: int, content: str = "", depth: int = 0) -> bytes:
    """Return a PDF with so many pages of the same content; with `depth`, its page tree is a chain of so many nodes."""
    objects = {1: "<</Type/Catalog/Pages 2 0 R>>", 3: f"<</Length {len(content)}>>stream\n{content}\nendstream"}
    first = 4 + depth
    kids = " ".join(f"{first + number} 0 R" for number in range(pages))
    chain = [2, *range(4, first)]
    for number, below in zip(chain, [*chain[1:], None], strict=True):
        objects[number] = f"<</Type/Pages/Count {pages}/Kids[{f'{below} 0 R' if below else kids}]>>"
    font = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    page = f"<</Type/Page/Parent {chain[-1]} 0 R/MediaBox[0 0 595 842]/Contents 3 0 R{font}>>"
    objects |= {first + number: page for number in range(pages)}
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number in sorted(objects):
        places[number] = len(out)
        out += f"{number} 0 obj{objects[number]}endobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{places[number]:010d} 00000 n \n".encode() for number in sorted(objects))
    return bytes(out + f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode())


def _nested_mail(depth: int) -> bytes:
    head = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    return f"From: a@b.example\nSubject: x\n{head}Content-Type: text/plain\n\nText.\n".encode()


def _mail_of_many(parts: int) -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "x"
    mail.set_content("Text.")
    for number in range(parts):
        mail.add_attachment("Anlage.", filename=f"{number}.txt")
    return mail.as_bytes()


_ENTITIES = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))

# Name of the file to what makes its content.
HOSTILE: dict[str, Callable[[], bytes]] = {
    "bomb.docx": lambda: word(b"<w:p/>" * 10_000_000),
    "bomb.xlsx": lambda: _zipped({"xl/workbook.xml": b" " * 200_000_000}),
    "bomb.pptx": lambda: _zipped({"ppt/presentation.xml": b" " * 200_000_000}),
    "bomb.odt": lambda: _zipped({"content.xml": b" " * 200_000_000, "mimetype": b"x"}),
    "many-parts.docx": lambda: _zipped({f"{n}.xml": b"" for n in range(60_000)}),
    "under-the-ratio.docx": lambda: word(b"<w:p><w:r><w:t>ab</w:t></w:r></w:p>" * 250_000),
    "empty-pages.pdf": lambda: pdf(100_000),
    "chain.pdf": lambda: pdf(1, depth=20_000),
    "letters.pdf": lambda: pdf(1, "BT /F 1 Tf " + "1 0 0 1 9 9 Tm (a b) Tj " * 60_000 + "ET"),
    "deep.html": lambda: b"<div>" * 100_000 + _TEXT.encode(),
    "deep-mixed.html": lambda: b"<ul><li><b><table><tr><td>" * 20_000 + _TEXT.encode(),
    "attributes.html": lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">" + _TEXT.encode(),
    "cells.html": lambda: b"<table><tr>" + b"<td colspan=1000 rowspan=65000>x" * 2_000,
    "entities.html": lambda: f"<!DOCTYPE x [{_ENTITIES}]><p>{_TEXT}&e12;".encode(),
    "entities.docx": lambda: word(b"<w:p>&e12;</w:p>", before=f"<!DOCTYPE x [{_ENTITIES}]>".encode()),
    "deep.md": lambda: b"> " * 50_000 + _TEXT.encode(),
    "brackets.md": lambda: b"[" * 100_000 + b"](" * 50_000 + _TEXT.encode(),
    "emphasis.md": lambda: b"*a _b " * 60_000,
    "lists.md": lambda: b"\n".join(b" " * (2 * n) + b"- a" for n in range(2_000)),
    "one-line.txt": lambda: _TEXT.encode() * 60_000,
    "no-blank.txt": lambda: b"a" * 5_000_000,
    "newlines.txt": lambda: b"a\n" * 1_500_000,
    "full-stops.txt": lambda: b". " * 1_500_000 + b"a",
    "hyphens.txt": lambda: b"ab-\n" * 500_000,
    "nul.txt": lambda: _TEXT.encode() + b"\0" * 40 + _TEXT.encode() * 100,
    "nul.html": lambda: b"<p>" + _TEXT.encode() + b"\0" * 40 + _TEXT.encode(),
    "nul.eml": lambda: b"Subject: a\0b\n\nEin\0Satz ohne Ende.",
    "nul.csv": lambda: b"a;b\n1;\x002\n",
    "deep.eml": lambda: _nested_mail(5_000),
    "parts.eml": lambda: _mail_of_many(2_000),
    "header.eml": lambda: b"Subject: " + b"=?utf-8?q?x?= " * 500_000 + b"\n\nText.",
    "addresses.eml": lambda: b"To: " + b"<a@b.example>, " * 200_000 + b"\n\nText.",
    "headers.eml": lambda: b"".join(b"X-%d: 1\n" % n for n in range(300_000)) + b"\nText.",
    "quotes.eml": lambda: b"Subject: a\n\n" + b">" * 2_000_000 + b" Text.",
    "endless.eml": lambda: b"Subject: a\nContent-Type: message/rfc822\n\n" * 20_000 + b"Text.",
    "deep.rtf": lambda: b"{\\rtf1 " + b"{" * 1_000_000 + b"Text" + b"}" * 1_000_001,
    "cells.rtf": lambda: b"{\\rtf1 \\trowd " + b"x\\cell " * 300_000 + b"\\row}",
    "wide.csv": lambda: b";".join([b"a"] * 200_000) + b"\n" + b";".join([b"1"] * 200_000),
    "long.csv": lambda: b"a;b\n" + b"1;2\n" * 400_000,
    "quote.csv": lambda: b'a;"' + b"b;\n" * 500_000,
}


def write(folder: Path, name: str) -> Path:
    """Write one of `HOSTILE` into a folder."""
    path = folder / name
    path.write_bytes(HOSTILE[name]())
    return path
