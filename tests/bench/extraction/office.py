"""Texts as flat OpenDocument files, and what LibreOffice makes of files in one run for each format."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from tests.bench.extraction.markup import Block, Text, notes, parts

_INSTALL = (
    "apt-get install libreoffice-writer libreoffice-calc libreoffice-impress hyphen-de hyphen-en-us hyphen-pl "
    "fonts-liberation"
)
_HYPHENATION = Path("/usr/share/hyphen")
_COUNTRIES = {"de": "DE", "en": "US", "pl": "PL"}
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}"'
    for name, space in {
        "office": "office:1.0", "style": "style:1.0", "text": "text:1.0", "table": "table:1.0",
        "fo": "xsl-fo-compatible:1.0", "svg": "svg-compatible:1.0", "number": "datastyle:1.0",
    }.items()
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How a word processor sets a text: millimetres for the page, points for the type."""

    columns: int = 1
    width: int = 210
    height: int = 297
    font: str = "Liberation Serif"
    size: float = 11
    justified: bool = True
    hyphenated: bool = True


LAYOUTS = {
    "letter": Layout(justified=False, hyphenated=False, font="Liberation Sans"),
    "report": Layout(),
    "booklet": Layout(width=148, height=210, size=9.5),
    "two": Layout(columns=2, width=190, height=250, size=10),
    "two-ragged": Layout(columns=2, height=240, font="DejaVu Sans", size=9, justified=False),
    "three": Layout(columns=3, height=260, font="Liberation Serif", size=9.5),
    "landscape": Layout(width=297, height=210, font="Liberation Sans", size=10, justified=False),
}


def write_flat(text: Text, layout: Layout, path: Path) -> Path:
    """Write a text as a flat OpenDocument file with running head, page numbers, footnotes and tables."""
    body, below = [], []
    for index, block in enumerate(text.blocks):
        # A headline stands above the columns.
        (body if index == 0 and block.kind == "heading" else below).append(_block(text, block))
    columns = "".join(below)
    if layout.columns > 1:
        columns = f'<text:section text:style-name="Columns" text:name="Columns">{columns}</text:section>'
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {_SPACES} office:version="1.2" '
        'office:mimetype="application/vnd.oasis.opendocument.text">'
        f"{_styles(text, layout)}<office:body><office:text>{''.join(body)}{columns}</office:text></office:body>"
        "</office:document>",
        "utf-8",
    )
    return path


def _styles(text: Text, layout: Layout) -> str:
    language = f'fo:language="{text.language}" fo:country="{_COUNTRIES[text.language]}"'
    hyphens = (
        f'fo:hyphenate="{str(layout.hyphenated).lower()}" fo:hyphenation-remain-char-count="2" '
        'fo:hyphenation-push-char-count="2"'
    )
    align = "justify" if layout.justified else "start"

    def paragraph(name: str, properties: str, type_: str, parent: str = "Standard") -> str:
        return (
            f'<style:style style:name="{name}" style:family="paragraph" style:parent-style-name="{parent}">'
            f"<style:paragraph-properties {properties}/><style:text-properties {type_}/></style:style>"
        )

    size, head = layout.size, escape(text.head["head"])
    above = 'fo:margin-top="0.3cm" fo:margin-bottom="0.1cm" fo:keep-with-next="always" fo:text-align="start"'
    upright = 'fo:hyphenate="false" fo:font-weight="bold"'
    bullets = (
        '<text:list-style style:name="Items"><text:list-level-style-bullet text:level="1" text:bullet-char="•">'
        f"{_INDENT}</text:list-level-style-bullet></text:list-style>"
        '<text:list-style style:name="Numbers"><text:list-level-style-number text:level="1" style:num-format="1" '
        f'style:num-suffix=".">{_INDENT}</text:list-level-style-number></text:list-style>'
    )
    return (
        f'<office:styles><style:default-style style:family="paragraph"><style:text-properties '
        f'style:font-name="{layout.font}" fo:font-family="\'{layout.font}\'" fo:font-size="{size}pt" {language} '
        f'{hyphens}/></style:default-style><style:style style:name="Standard" style:family="paragraph"/>'
        + paragraph("Body", f'fo:margin-bottom="0.2cm" fo:text-align="{align}"', "")
        + paragraph("Item", f'fo:text-align="{align}"', "")
        + paragraph("Furniture", "", f'fo:font-size="8pt" {upright.split()[0]}')
        + paragraph("Footnote", "", f'fo:font-size="{size - 2}pt"')
        + paragraph("Heading_20_1", above, f'fo:font-size="{size + 7}pt" {upright}')
        + paragraph("Heading_20_2", above, f'fo:font-size="{size + 1}pt" {upright}')
        + paragraph("Bold", above, upright)
        + paragraph("Cell", 'fo:text-align="start"', 'fo:hyphenate="false"')
        + paragraph("Name", 'fo:text-align="start"', upright)
        + bullets
        + '<text:notes-configuration text:note-class="footnote" style:num-format="1" text:start-value="0" '
        'text:default-style-name="Footnote" text:footnotes-position="page"/></office:styles>'
        '<office:automatic-styles><style:style style:name="Columns" style:family="section">'
        f'<style:section-properties><style:columns fo:column-count="{layout.columns}" fo:column-gap="0.6cm"/>'
        '</style:section-properties></style:style><style:style style:name="Grid" style:family="table-cell">'
        '<style:table-cell-properties fo:padding="0.1cm" fo:border="0.5pt solid #000000"/></style:style>'
        '<style:page-layout style:name="Page"><style:page-layout-properties '
        f'fo:page-width="{layout.width}mm" fo:page-height="{layout.height}mm" fo:margin="1.8cm"'
        f"{' style:print-orientation=' + chr(34) + 'landscape' + chr(34) if layout.width > layout.height else ''}>"
        "</style:page-layout-properties>"
        '<style:header-style><style:header-footer-properties fo:min-height="0.6cm" fo:margin-bottom="0.4cm"/>'
        '</style:header-style><style:footer-style><style:header-footer-properties fo:min-height="0.6cm" '
        'fo:margin-top="0.4cm"/></style:footer-style></style:page-layout></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="Page"><style:header>'
        f'<text:p text:style-name="Furniture">{head}</text:p></style:header><style:footer>'
        '<text:p text:style-name="Furniture">Seite <text:page-number/> von <text:page-count/></text:p>'
        "</style:footer></style:master-page></office:master-styles>"
    )


_INDENT = (
    '<style:list-level-properties text:list-level-position-and-space-mode="label-alignment">'
    '<style:list-level-label-alignment text:label-followed-by="listtab" fo:text-indent="-0.5cm" '
    'fo:margin-left="0.5cm"/></style:list-level-properties>'
)


def _block(text: Text, block: Block) -> str:
    def paragraph(style: str, content: str) -> str:
        return f'<text:p text:style-name="{style}">{content}</text:p>'

    match block.kind:
        case "heading" | "subheading":
            level = 1 if block.kind == "heading" else 2
            return (
                f'<text:h text:style-name="Heading_20_{level}" text:outline-level="{level}">'
                f"{escape(block.lines[0])}</text:h>"
            )
        case "question":
            return paragraph("Bold", escape(block.lines[0]))
        case "lines":
            return paragraph("Item", "<text:line-break/>".join(map(escape, block.lines)))
        case "items" | "numbers":
            items = "".join(f"<text:list-item>{paragraph('Item', escape(x))}</text:list-item>" for x in block.lines)
            style = block.kind.capitalize()
            # Each list counts from 1.
            return f'<text:list text:style-name="{style}" text:continue-numbering="false">{items}</text:list>'
        case "table":
            return _table(block.rows, paragraph)
        case "note":
            return ""  # It stands where it is referred to.
        case _:
            return paragraph("Body", " ".join(_sentence(text, line) for line in block.lines))


def _sentence(text: Text, line: str) -> str:
    sentence, number = parts(line)
    if number is None:
        return escape(sentence)
    note = f'<text:p text:style-name="Footnote">{escape(notes(text)[number])}</text:p>'
    return (
        f'{escape(sentence)}<text:note text:id="n{number}" text:note-class="footnote"><text:note-citation>{number}'
        f"</text:note-citation><text:note-body>{note}</text:note-body></text:note>"
    )


def _table(rows: tuple[tuple[str, ...], ...], paragraph) -> str:
    def row(cells: tuple[str, ...], style: str) -> str:
        written = "".join(
            f'<table:table-cell table:style-name="Grid" office:value-type="string">{paragraph(style, escape(cell))}'
            "</table:table-cell>"
            for cell in cells
        )
        return f"<table:table-row>{written}</table:table-row>"

    body = "".join(row(cells, "Cell") for cells in rows[1:])
    return (
        f'<table:table><table:table-column table:number-columns-repeated="{len(rows[0])}"/>'
        f"<table:table-header-rows>{row(rows[0], 'Name')}</table:table-header-rows>{body}</table:table>"
        + paragraph("Item", "")
    )


def convert(sources: Sequence[Path], target: str, folder: Path) -> None:
    """Let LibreOffice write `sources` in another format into `folder`; `target` is its name for it, as "docx"."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise SystemExit(f"The test files are made by LibreOffice, which is not installed: {_INSTALL}")
    if not any(_HYPHENATION.glob("hyph_de*.dic")):
        raise SystemExit(f"LibreOffice prints no hyphens: in {_HYPHENATION} are no patterns for German: {_INSTALL}")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program, "--headless", "--norestore", f"-env:UserInstallation={Path(profile).as_uri()}",
            "--convert-to", target, "--outdir", str(folder), *map(str, sources),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    missing = [source.stem for source in sources if not (folder / f"{source.stem}.{target}").is_file()]
    if missing:
        raise SystemExit(f"LibreOffice did not write {', '.join(missing)} as {target}")
