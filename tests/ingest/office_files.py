"""Office documents that tests make: by the libraries, with the parts added by hand that the libraries cannot write."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from docx import Document
from docx.document import Document as DocxDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.loaders import Extract

SOFFICE = shutil.which("soffice")
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TEXT_BOX = f"""
<w:r {nsdecls("w")} xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
 xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"
 xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><mc:AlternateContent>
<mc:Choice Requires="wps"><w:drawing><wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0"
 relativeHeight="2" behindDoc="0" locked="0" layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/>
<wp:positionH relativeFrom="column"><wp:posOffset>0</wp:posOffset></wp:positionH>
<wp:positionV relativeFrom="paragraph"><wp:posOffset>0</wp:posOffset></wp:positionV>
<wp:extent cx="1900000" cy="500000"/><wp:wrapSquare wrapText="bothSides"/><wp:docPr id="9" name="Kasten"/>
<a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp>
<wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="1900000" cy="500000"/></a:xfrm>
<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></wps:spPr>
<wps:txbx><w:txbxContent><w:p><w:r><w:t>{{text}}</w:t></w:r></w:p></w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp>
</a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice>
<mc:Fallback><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>{{text}}</w:t></w:r></w:p></w:txbxContent>
</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"""
_NUMBERING = """
<w:abstractNum {space} w:abstractNumId="77"><w:multiLevelType w:val="multilevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>
<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%3)"/></w:lvl>
<w:lvl w:ilvl="3"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="(%4)"/></w:lvl>
</w:abstractNum>"""
Change = bytes | Callable[[bytes], bytes] | None


def changed(source: Path, changes: Mapping[str, Change], target: Path | None = None) -> Path:
    """Write a ZIP file again with some of its parts added, changed by a function or, where None, left out."""
    target = target or source
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        if change is None:
            del parts[name]
        else:
            parts[name] = change(parts[name]) if callable(change) else change
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target


def insert(before: str, text: str) -> Callable[[bytes], bytes]:
    """Return a change that inserts `text` before the last place where `before` stands."""

    def change(data: bytes) -> bytes:
        head, found, tail = data.decode().rpartition(before)
        assert found
        return f"{head}{text}{found}{tail}".encode()

    return change


def add_text_box(document: DocxDocument, text: str) -> None:
    """Add a paragraph that holds a text box alone, for newer and for older programs."""
    document.add_paragraph()._p.append(parse_xml(_TEXT_BOX.format(text=text)))


def add_numbering(document: DocxDocument) -> None:
    """Add a list of several levels; its paragraphs are numbered by `number`."""
    root = document.part.numbering_part.element
    first = root.find("{*}num")
    first.addprevious(parse_xml(_NUMBERING.format(space=nsdecls("w"))))
    root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))


def number(paragraph: object, level: int) -> None:
    """Put a paragraph into the list of several levels."""
    properties = paragraph._p.get_or_add_pPr()  # type: ignore[attr-defined]
    xml = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="77"/></w:numPr>'
    properties.append(parse_xml(xml))


def add_notes(path: Path, kind: str, texts: Mapping[int, str]) -> None:
    """Add the part of footnotes or endnotes to a saved document; `texts` has them by their ids."""
    notes = "".join(
        f'<w:{kind} w:id="{key}"><w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t xml:space="preserve"> {text}</w:t></w:r></w:p>'
        f"</w:{kind}>"
        for key, text in texts.items()
    )
    media = f"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}s+xml"
    changed(
        path,
        {
            f"word/{kind}s.xml": f'<?xml version="1.0"?><w:{kind}s {WORD}>{notes}</w:{kind}s>'.encode(),
            "[Content_Types].xml": insert(
                "</Types>", f'<Override PartName="/word/{kind}s.xml" ContentType="{media}"/>'
            ),
            "word/_rels/document.xml.rels": insert(
                "</Relationships>",
                f'<Relationship Id="rId9{kind}" Type="{RELATIONS}/{kind}s" Target="{kind}s.xml"/>',
            ),
        },
    )


def refer(paragraph: object, kind: str, key: int) -> None:
    """Refer to a footnote or endnote at the end of a paragraph."""
    xml = f'<w:r {nsdecls("w")}><w:{kind}Reference w:id="{key}"/></w:r>'
    paragraph._p.append(parse_xml(xml))  # type: ignore[attr-defined]


def fill(table: object, rows: list[list[str]]) -> None:
    """Write texts into the cells of a table of python-docx or python-pptx."""
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text  # type: ignore[attr-defined]


def report(path: Path) -> Path:
    """Make a Word document with nearly all that a city's report has."""
    document = Document()
    document.core_properties.title = "Microsoft Word - Vorlage.doc"
    document.sections[0].header.paragraphs[0].text = "KOPFZEILE"
    document.sections[0].footer.paragraphs[0].text = "FUSSZEILE 1"
    add_numbering(document)
    document.add_heading("Bericht zur Lage der Stadt", 0)
    document.add_paragraph("Krefeld, 12. März 2024")
    number(document.add_heading("Ziele", 1), 0)
    paragraph = document.add_paragraph("Die Ver\u00adwaltung nennt ")
    paragraph.add_run("drei").bold = True
    paragraph.add_run(" UNSICHTBARE").font.hidden = True
    paragraph.add_run(" Ziele im Peer\u2011Learning.")
    refer(paragraph, "footnote", 2)
    document.add_comment(paragraph.runs, text="KOMMENTAR", author="x", initials="x")
    for text in ("Klima", "Bildung"):
        document.add_paragraph(text, style="List Bullet")
    number(document.add_heading("Weg", 2), 1)
    for text, level in (("erstens", 2), ("zweitens", 2), ("genauer", 3)):
        number(document.add_paragraph(text), level)
    paragraph = document.add_paragraph("Geändert: ")
    paragraph._p.append(
        parse_xml(f'<w:del {nsdecls("w")} w:id="1" w:author="a"><w:r><w:delText>GELÖSCHT</w:delText></w:r></w:del>')
    )
    paragraph._p.append(
        parse_xml(f'<w:ins {nsdecls("w")} w:id="2" w:author="a"><w:r><w:t>eingefügt.</w:t></w:r></w:ins>')
    )
    add_text_box(document, "Ein Kasten am Rand.")
    number(document.add_heading("Zahlen", 1), 0)
    fill(document.add_table(3, 2), [["Jahr", "Einwohner"], ["2014", "222.026"], ["2015", "225.144"]])
    refer(document.add_paragraph("Zeile eins\nZeile zwei"), "endnote", 2)
    fill(document.add_table(2, 2), [["Wann", "3. Oktober"], ["Wo", "Rathaus"]])
    document.save(str(path))
    add_notes(path, "footnote", {2: "Beschluss des Rates."})
    add_notes(path, "endnote", {2: "Quelle: Amt für Statistik."})
    return path


REPORT = """Bericht zur Lage der Stadt

Krefeld, 12. März 2024

1. Ziele

Die Verwaltung nennt drei Ziele im Peer-Learning.

• Klima
• Bildung

Beschluss des Rates.

1.1 Weg

a) erstens
b) zweitens
(I) genauer

Geändert: eingefügt.

Ein Kasten am Rand.

2. Zahlen

Jahr: 2014 | Einwohner: 222.026
Jahr: 2015 | Einwohner: 225.144

Zeile eins
Zeile zwei

Wann: 3. Oktober
Wo: Rathaus

Quelle: Amt für Statistik."""
REPORT_SECTIONS = ["Bericht zur Lage der Stadt", "1. Ziele", "1.1 Weg", "2. Zahlen"]


def sections(extract: Extract) -> list[str]:
    """Return the sections of a text; each must begin where its heading stands."""
    assert all(extract.text.startswith(mark.label, mark.start) for mark in extract.sections)
    return [mark.label for mark in extract.sections]


def pages(extract: Extract) -> list[tuple[str, str]]:
    """Return the labels of the pages and the word that each begins with."""
    return [(mark.label, extract.text[mark.start :].split()[0]) for mark in extract.pages]


def converted(path: Path, suffix: str) -> Path:
    """Let LibreOffice write a document in another format, beside the original."""
    assert SOFFICE
    profile = path.parent / "profile"
    subprocess.run(
        [
            SOFFICE, "--headless", "--norestore", f"-env:UserInstallation={profile.as_uri()}",
            "--convert-to", suffix, "--outdir", str(path.parent), str(path),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return path.with_suffix(f".{suffix}")
