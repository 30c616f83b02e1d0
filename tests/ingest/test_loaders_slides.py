"""PowerPoint presentations: pages, titles, reading order, bullets, tables, notes."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lxml import etree
from pptx import Presentation
from pptx.util import Inches

from ingest.loaders import Extract, load
from tests.ingest.office_files import RELATIONS, changed, fill, insert, pages, sections

TITLE_SLIDE, LIST_SLIDE, TITLE_ONLY, BLANK = 0, 1, 5, 6


def box(shapes: object, text: str, left: float, top: float, width: float = 2, height: float = 1) -> object:
    shape = shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))  # type: ignore[attr-defined]
    shape.text_frame.text = text
    return shape


def saved(presentation: object, folder: Path) -> Extract:
    presentation.save(str(folder / "vortrag.pptx"))  # type: ignore[attr-defined]
    return load(folder / "vortrag.pptx")


def test_slides_are_pages_and_their_titles_sections(tmp_path: Path) -> None:
    presentation = Presentation()
    presentation.core_properties.title = "PowerPoint-Präsentation"
    slides = [presentation.slides.add_slide(presentation.slide_layouts[n]) for n in (TITLE_SLIDE, BLANK, LIST_SLIDE, 6)]
    slides[0].shapes.title.text = "Smart City\vKrefeld"
    slides[0].placeholders[1].text = "Krefeld, 12. März 2024"
    slides[2].shapes.title.text = "Ziele"
    slides[2].placeholders[1].text = "Klima\nBil\u00addung"
    slides[2].placeholders[1].text_frame.paragraphs[1].level = 1
    slides[2].notes_slide.notes_text_frame.text = "Auf die Frist hinweisen."
    box(slides[3].shapes, "VERSTECKT", 1, 1)
    slides[3]._element.set("show", "0")
    box(presentation.slides.add_slide(presentation.slide_layouts[BLANK]).shapes, "Ohne Titel", 1, 1)
    extract = saved(presentation, tmp_path)
    assert extract.text == (
        "Smart City Krefeld\n\nKrefeld, 12. März 2024\n\nZiele\n\n• Klima\n• Bildung\n\nAuf die Frist hinweisen.\n\n"
        "Ohne Titel"
    )
    assert sections(extract) == ["Smart City Krefeld", "Ziele"]
    assert pages(extract) == [("1", "Smart"), ("3", "Ziele"), ("5", "Ohne")]
    assert (extract.title, extract.published) == ("Smart City Krefeld", "2024-03-12")


def test_slides_stand_in_the_order_in_which_they_are_shown(tmp_path: Path) -> None:
    presentation = Presentation()
    for text in ("zweite", "erste"):
        box(presentation.slides.add_slide(presentation.slide_layouts[BLANK]).shapes, text, 1, 1)
    order = presentation.slides._sldIdLst
    order.insert(0, order[1])
    assert pages(saved(presentation, tmp_path)) == [("1", "erste"), ("2", "zweite")]


def test_shapes_are_read_by_position(tmp_path: Path) -> None:
    presentation = Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[TITLE_ONLY]).shapes
    box(shapes, "Fuß", 1, 6.5, 8, 0.5)
    # Two columns whose boxes have different heights are read one after the other.
    box(shapes, "rechts oben", 5, 2, 3, 2.5)
    box(shapes, "rechts unten", 5, 4.7, 3, 1.5)
    box(shapes, "links unten", 1, 3.7, 3, 2.5)
    box(shapes, "links oben", 1, 2, 3, 1.5)
    shapes.title.text = "Titel"
    group = shapes.add_group_shape()
    inner = group.shapes.add_group_shape()
    box(inner.shapes, "in Gruppen", 1, 1.6, 3, 0.3)
    assert saved(presentation, tmp_path).text.split("\n\n") == [
        "Titel", "in Gruppen", "links oben", "links unten", "rechts oben", "rechts unten", "Fuß",
    ]  # fmt: skip


def test_boxes_side_by_side_are_read_row_by_row(tmp_path: Path) -> None:
    presentation = Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[BLANK]).shapes
    for text, left, top in (("d", 5, 3), ("c", 1, 3), ("b", 5, 1), ("a", 1, 1)):
        box(shapes, text, left, top)
    assert saved(presentation, tmp_path).text.split("\n\n") == ["a", "b", "c", "d"]


def test_numbers_and_bullets_are_those_of_the_text_or_the_master(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[LIST_SLIDE])
    slide.placeholders[1].text = "Punkt\nNummer\nNummer\nOhne"
    kinds = ("", '<a:buAutoNum type="arabicPeriod" startAt="3"/>', '<a:buAutoNum type="alphaLcParenR"/>', "<a:buNone/>")
    space = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    for paragraph, kind in zip(slide.placeholders[1].text_frame.paragraphs, kinds, strict=True):
        paragraph._p.insert(0, etree.fromstring(f"<a:pPr {space}>{kind}</a:pPr>"))
    assert saved(presentation, tmp_path).text == "• Punkt\n3. Nummer\nd) Nummer\n\nOhne"


def test_tables_on_slides_are_rows(tmp_path: Path) -> None:
    presentation = Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[BLANK]).shapes
    frame = shapes.add_table(3, 2, Inches(1), Inches(3), Inches(6), Inches(2))
    fill(frame.table, [["Amt", "Leitung"], ["Bauamt", "Nowak"], ["", "Meier"]])
    frame.table.cell(1, 0).merge(frame.table.cell(2, 0))
    box(shapes, "Davor", 1, 1)
    assert saved(presentation, tmp_path).text == "Davor\n\nAmt: Bauamt | Leitung: Nowak\nAmt: Bauamt | Leitung: Meier"


def test_page_numbers_and_footers_are_left_out(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[LIST_SLIDE])
    slide.placeholders[1].text = "Inhalt"
    for shape in presentation.slide_layouts[LIST_SLIDE].placeholders:
        if shape.placeholder_format.type in (13, 15, 16):  # slide number, footer, date
            slide.shapes._spTree.append(etree.fromstring(etree.tostring(shape._element)))
    for shape in list(slide.placeholders)[2:]:
        shape.text_frame.text = "FUSSZEILE"
    assert len(slide.placeholders) == 5
    assert saved(presentation, tmp_path).text == "• Inhalt"


def test_text_boxes_that_stand_on_all_slides_at_one_place_are_left_out(tmp_path: Path) -> None:
    presentation = Presentation()
    for number in range(1, 5):
        slide = presentation.slides.add_slide(presentation.slide_layouts[BLANK])
        box(slide.shapes, f"Amt für Mobilität, Folie {number}", 1, 6.9)
        box(slide.shapes, "Radverkehr", 1, 1 + number)  # the same words elsewhere are text
        box(slide.shapes, f"Ziel {number} von 4" if number < 3 else f"Stand {number}", 4, 2)
    text = saved(presentation, tmp_path).text
    assert "Amt" not in text
    assert text.count("Radverkehr") == 4
    assert [f"Ziel {number} von 4" in text for number in (1, 2, 3)] == [True, True, False]


def test_the_texts_of_a_diagram_are_a_list(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[BLANK])
    box(slide.shapes, "Ablauf", 1, 1)
    path = tmp_path / "a.pptx"
    presentation.save(str(path))
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    frame = (
        f'<p:graphicFrame><p:xfrm><a:off x="914400" y="2743200"/><a:ext cx="914400" cy="914400"/></p:xfrm><a:graphic>'
        f'<a:graphicData uri="{drawing}/diagram">'
        f'<d:relIds xmlns:d="{drawing}/diagram" xmlns:r="{RELATIONS}" r:dm="rId9"/>'
        "</a:graphicData></a:graphic></p:graphicFrame>"
    )
    texts = ("Antrag", "Beschluss")
    points = "".join(f"<d:pt><d:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></d:t></d:pt>" for text in texts)
    data = (
        f'<d:dataModel xmlns:d="{drawing}/diagram" xmlns:a="{drawing}/main"><d:ptLst>{points}</d:ptLst></d:dataModel>'
    )
    changed(
        path,
        {
            "ppt/slides/slide1.xml": insert("</p:spTree>", frame),
            "ppt/slides/_rels/slide1.xml.rels": insert(
                "</Relationships>",
                f'<Relationship Id="rId9" Type="{RELATIONS}/diagramData" Target="../diagrams/data1.xml"/>',
            ),
            "ppt/diagrams/data1.xml": data.encode(),
        },
    )
    assert zipfile.ZipFile(path).testzip() is None
    assert load(path).text == "Ablauf\n\n• Antrag\n• Beschluss"
