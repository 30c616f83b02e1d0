"""Texts as files that libraries write: Word, slides, workbooks, plain text, Markdown, mails, and PDFs of reportlab."""

from __future__ import annotations

import csv
import re
import textwrap
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

from tests.bench.extraction.markup import Block, Text, notes, parts
from tests.bench.extraction.web import body_of

_WRAPPED_AT = 72
# Where a page ends, in points from below.
_FOOT = 60
_TAB = 150


def write_docx(text: Text, path: Path) -> None:
    """Write a Word document with styles for headings and lists, a running head and footnotes."""
    from docx import Document

    from tests.ingest.office_files import add_notes, refer

    document = Document()
    document.core_properties.title = text.title
    document.sections[0].header.paragraphs[0].text = text.head["head"]
    for block in text.blocks:
        match block.kind:
            case "heading" | "subheading":
                document.add_heading(block.lines[0], 1 if block.kind == "heading" else 2)
            case "question":
                document.add_paragraph().add_run(block.lines[0]).bold = True
            case "lines":
                document.add_paragraph("\n".join(block.lines))
            case "items" | "numbers":
                for line in block.lines:
                    document.add_paragraph(line, style="List Bullet" if block.kind == "items" else "List Number")
            case "table":
                _fill(document.add_table(len(block.rows), len(block.rows[0]), style="Table Grid"), block)
            case "paragraph":
                paragraph = document.add_paragraph()
                for index, line in enumerate(block.lines):
                    sentence, number = parts(line)
                    paragraph.add_run(f"{' ' if index else ''}{sentence}")
                    if number:
                        refer(paragraph, "footnote", int(number) + 1)
    document.save(str(path))
    if notes(text):
        add_notes(path, "footnote", {int(number) + 1: note for number, note in notes(text).items()})


def _fill(table, block: Block) -> None:
    for row, cells in enumerate(block.rows):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell


def write_pptx(text: Text, path: Path) -> None:
    """Write a presentation: each heading begins a slide, with its items or its table below."""
    from pptx import Presentation
    from pptx.util import Inches, Pt

    presentation = Presentation()
    for block in text.blocks:
        if block.kind == "heading":
            slide = presentation.slides.add_slide(presentation.slide_layouts[1])
            slide.shapes.title.text = block.lines[0]
            # The number of the slide and a footer, as templates of offices have them.
            for layout_shape in slide.slide_layout.placeholders:
                if layout_shape.placeholder_format.type in (13, 15):
                    slide.shapes.clone_placeholder(layout_shape)
                    slide.placeholders[layout_shape.placeholder_format.idx].text = text.head["head"]
        elif block.kind == "table":
            body = slide.placeholders[1]
            body._element.getparent().remove(body._element)
            frame = slide.shapes.add_table(
                len(block.rows), len(block.rows[0]), Inches(0.5), Inches(1.8), Inches(9), Inches(0.5 * len(block.rows))
            )
            _fill(frame.table, block)
        else:
            slide.placeholders[1].text = "\n".join(block.lines)
            for paragraph in slide.placeholders[1].text_frame.paragraphs:
                paragraph.font.size = Pt(20)
    presentation.save(str(path))


def write_xlsx(text: Text, path: Path, *, tables: int | None = None) -> None:
    """Write a workbook with a sheet for each table, named by the heading above it; `tables`: the first ones alone."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.active)
    name = text.title
    for block in text.blocks:
        if block.kind == "subheading":
            name = block.lines[0]
        elif block.kind == "table" and (tables is None or len(book.worksheets) < tables):
            sheet = book.create_sheet(name[:31])
            for row in block.rows:
                sheet.append(row)
            for cell in sheet[1]:
                cell.font = Font(bold=True)
    book.save(path)


def write_csv(text: Text, path: Path, encoding: str = "cp1252") -> None:
    """Write the first table as German Excel does: semicolons, Windows-1252."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=";").writerows(text.tables[0].rows)


def _plain_blocks(text: Text) -> list[str]:
    """Return the blocks of a text as people type them; tables have tabs."""
    out = []
    for block in text.blocks:
        match block.kind:
            case "paragraph":
                out.append(" ".join(f"{parts(line)[0]}" for line in block.lines))
            case "items":
                out.append("\n".join(f"- {line}" for line in block.lines))
            case "numbers":
                out.append("\n".join(f"{number}. {line}" for number, line in enumerate(block.lines, 1)))
            case "table":
                out.append("\n".join("\t".join(row) for row in block.rows))
            case _:
                out.append("\n".join(block.lines))
    return out


def plain(text: Text) -> str:
    """Return a text as it is typed in an editor that breaks lines."""
    blocks = _plain_blocks(text)
    wrapped = ["\n".join(_wrapped(line) for line in block.split("\n")) for block in blocks]
    return "\n\n".join(wrapped) + "\n"


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else "   " if re.match(r"\d+\. ", line) else ""
    return line if "\t" in line else textwrap.fill(
        line, _WRAPPED_AT, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )  # fmt: skip


def markdown(text: Text) -> str:
    """Return a text in Markdown, with footnotes and tables as GitHub knows them."""
    out = []
    for block in text.blocks:
        match block.kind:
            case "heading" | "subheading":
                out.append(f"{'#' if block.kind == 'heading' else '##'} {block.lines[0]}")
            case "question":
                out.append(f"**{block.lines[0]}**")
            case "lines":
                out.append("  \n".join(block.lines))
            case "items":
                out.append("\n".join(f"- {line}" for line in block.lines))
            case "numbers":
                out.append("\n".join(f"{number}. {line}" for number, line in enumerate(block.lines, 1)))
            case "table":
                rows = [f"| {' | '.join(row)} |" for row in block.rows]
                out.append("\n".join([rows[0], "|" + " --- |" * len(block.rows[0]), *rows[1:]]))
            case "note":
                number = next(number for number, note in notes(text).items() if note == block.lines[0])
                out.append(f"[^{number}]: {block.lines[0]}")
            case _:
                out.append("\n".join(block.lines))
    return "\n\n".join(out) + "\n"


# --- Mails ------------------------------------------------------------------------------------------------------------


def mail(text: Text, *, html: bool = False) -> EmailMessage:
    """Return a text as a mail, in plain text with wrapped lines or in HTML alone."""
    message = EmailMessage()
    for name in ("from", "to", "date"):
        message[name.capitalize()] = text.head[name]
    message["Subject"] = text.title
    if html:
        message.set_content(f"<html><body>{body_of(text)}</body></html>", subtype="html", charset="utf-8")
    else:
        message.set_content(plain(text), charset="iso-8859-15" if text.language == "en" else "utf-8")
    return message


def write_msg(text: Text, path: Path) -> None:
    """Write a text as a mail of Outlook."""
    from aspose.email_foss.msg import MapiMessage, PropertyId

    made = MapiMessage.create(text.title, "\r\n\r\n".join(_plain_blocks(text)).replace("\n", "\r\n"))
    name, address = parseaddr(text.head["from"])
    made.set_property(PropertyId.SENDER_NAME, name)
    made.set_property(PropertyId.SENDER_EMAIL_ADDRESS, address)
    made.set_property(PropertyId.TRANSPORT_MESSAGE_HEADERS, f"Date: {text.head['date']}\r\n")
    made.set_property(PropertyId.MESSAGE_DELIVERY_TIME, parsedate_to_datetime(text.head["date"]))
    name, address = parseaddr(text.head["to"])
    made.add_recipient(address, display_name=name)
    made.save(path)


# --- PDF --------------------------------------------------------------------------------------------------------------


def write_pdf(text: Text, path: Path, columns: int = 2) -> None:
    """Write a PDF of several columns, justified and hyphenated, with running heads and page numbers."""
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.platypus import BaseDocTemplate, Frame, FrameBreak, NextPageTemplate, PageTemplate, Paragraph

    pdfmetrics.registerFont(TTFont("Serif", "DejaVuSerif.ttf"))
    pdfmetrics.registerFont(TTFont("Bold", "DejaVuSans-Bold.ttf"))
    hyphens = {"de": "de_DE", "en": "en_US", "pl": "pl_PL"}[text.language]
    body = ParagraphStyle(
        "body", fontName="Serif", fontSize=9, leading=12, alignment=TA_JUSTIFY, spaceAfter=5,
        hyphenationLang=hyphens, embeddedHyphenation=1,
    )  # fmt: skip
    styles = {
        "heading": ParagraphStyle("heading", fontName="Bold", fontSize=18, leading=22),
        "subheading": ParagraphStyle("sub", fontName="Bold", fontSize=10, leading=13, spaceBefore=5, spaceAfter=3),
        "question": ParagraphStyle("question", parent=body, fontName="Bold"),
    }
    width, height, margin, gutter = *A4, 50, 16
    column = (width - 2 * margin - gutter * (columns - 1)) / columns

    def furniture(canvas, _) -> None:
        canvas.setFont("Serif", 7.5)
        canvas.drawString(margin, height - 30, text.head["head"])
        canvas.drawRightString(width - margin, 25, str(canvas.getPageNumber()))

    def frames(top: float) -> list[Frame]:
        lefts = [margin + index * (column + gutter) for index in range(columns)]
        return [Frame(left, 50, column, height - 110 - top, 0, 0, 0, 0) for left in lefts]

    document = BaseDocTemplate(str(path), pagesize=A4, title=text.title, invariant=1)
    head = Frame(margin, height - 130, width - 2 * margin, 80, 0, 0, 0, 0)
    document.addPageTemplates(
        [PageTemplate("first", [head, *frames(80)], furniture), PageTemplate("next", frames(0), furniture)]
    )
    story: list[object] = [NextPageTemplate("next")]
    for block in text.blocks:
        if block.kind in ("items", "lines"):
            story += [Paragraph(line, body, bulletText="•" if block.kind == "items" else None) for line in block.lines]
        else:
            story.append(Paragraph(" ".join(block.lines), styles.get(block.kind, body)))
        if block is text.blocks[0]:
            story.append(FrameBreak())
    document.build(story)


def write_broken_pdf(text: Text, path: Path) -> None:
    """Write a PDF whose font maps its characters to others, as broken exports do; it looks right all the same."""
    from reportlab.lib.utils import simpleSplit
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    def fitted(typed: str) -> list[str]:
        return [typed] if "\t" in typed else simpleSplit(typed, "Sans", 11, 460)

    pdfmetrics.registerFont(TTFont("Sans", "DejaVuSans.ttf"))
    canvas = Canvas(str(path), pagesize=(595, 842), pageCompression=0, invariant=1)
    y = 0
    for block in _plain_blocks(text):
        for line in (part for typed in block.split("\n") for part in fitted(typed)):
            if y < _FOOT:
                if y:
                    canvas.showPage()
                canvas.setFont("Sans", 11)
                y = 780
            # A typewriter's tab stops: a font has no letter for the tab itself.
            for number, cell in enumerate(line.split("\t")):
                canvas.drawString(60 + _TAB * number, y, cell)
            y -= 15
        y -= 8
    canvas.save()

    def shifted(table: re.Match[bytes]) -> bytes:
        return re.sub(rb"<([0-9A-F]{4})>(?=\s*[\n\]])", lambda code: b"<%04X>" % (int(code[1], 16) - 29), table[0])

    path.write_bytes(
        re.sub(rb"beginbf(?:char|range).*?endbf(?:char|range)", shifted, path.read_bytes(), flags=re.DOTALL)
    )
