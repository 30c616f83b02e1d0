"""Word, OpenDocument and RTF documents: structure, what is left out, and the same text from all of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.loaders import Extract, load
from tests.ingest.office_files import (
    REPORT,
    REPORT_SECTIONS,
    SOFFICE,
    add_text_box,
    converted,
    report,
    sections,
)

needs_libreoffice = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")


@pytest.fixture(scope="module")
def docx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(tmp_path_factory.mktemp("report") / "bericht.docx")


def test_a_report_is_read_with_its_structure(docx: Path) -> None:
    extract = load(docx)
    assert extract.text == REPORT
    assert sections(extract) == REPORT_SECTIONS
    assert (extract.title, extract.published) == ("Bericht zur Lage der Stadt", "2024-03-12")
    assert extract.pages == ()


@needs_libreoffice
@pytest.mark.parametrize("suffix", ["odt", "rtf", "doc"])
def test_libreoffice_s_own_formats_give_the_same_text(docx: Path, suffix: str) -> None:
    extract = load(converted(docx, suffix))
    assert extract.text == REPORT
    assert sections(extract) == REPORT_SECTIONS
    assert (extract.title, extract.published) == ("Bericht zur Lage der Stadt", "2024-03-12")


# --- Word -------------------------------------------------------------------------------------------------------------


def test_headings_are_known_by_name_outline_and_descent(tmp_path: Path) -> None:
    document = Document()
    for name in ("Überschrift 2", "Nagłówek 1", "Eigene"):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    document.styles["Eigene"].base_style = document.styles["Heading 3"]
    for name in ("Überschrift 2", "Nagłówek 1", "Eigene", "Heading 9", "Subtitle"):
        document.add_paragraph(f"Mit {name}", style=name)
    outlined = document.add_paragraph("Mit Gliederung")
    outlined._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="0"/>'))
    body = document.add_paragraph("Kein Titel", style="Heading 1")
    body._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="9"/>'))
    document.add_paragraph("Wort für Wort. " * 30, style="Heading 1")
    document.save(str(tmp_path / "a.docx"))
    extract = load(tmp_path / "a.docx")
    assert sections(extract) == [
        "Mit Überschrift 2", "Mit Nagłówek 1", "Mit Eigene", "Mit Heading 9", "Mit Gliederung",
    ]  # fmt: skip
    assert extract.title == "Mit Überschrift 2"
    assert "Mit Subtitle" in extract.text
    assert "Kein Titel" in extract.text


def test_short_bold_lines_are_headings_where_no_style_marks_one(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph().add_run("Die Lage").bold = True
    document.add_paragraph("Der Rat tagt am Dienstag im Rathaus.")
    document.add_paragraph().add_run("Wichtig:").bold = True
    document.add_paragraph("Die Frist endet.")
    document.add_paragraph().add_run("Am Ende").bold = True
    document.save(str(tmp_path / "a.docx"))
    assert sections(load(tmp_path / "a.docx")) == ["Die Lage"]
    document.add_heading("Mit Stil", 1)
    document.save(str(tmp_path / "b.docx"))
    assert sections(load(tmp_path / "b.docx")) == ["Mit Stil"]


def body(path: Path, xml: str) -> Extract:
    """Load a Word document whose body is `xml`."""
    document = Document()
    for element in parse_xml(f"<w:body {nsdecls('w')}>{xml}</w:body>"):
        document.element.body.insert(-1, element)
    document.save(str(path / "a.docx"))
    return load(path / "a.docx")


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        # The end of the first paragraph was deleted.
        (
            f"<w:p><w:pPr><w:rPr><w:del w:id='1' w:author='a'/></w:rPr></w:pPr>{run('Ein ')}</w:p>"
            f"<w:p>{run('Satz.')}</w:p>",
            "Ein Satz.",
        ),
        (f"<w:p><w:moveFrom w:id='1'>{run('weg')}</w:moveFrom>{run('da')}</w:p>", "da"),
        (f"<w:p><w:moveTo w:id='1'>{run('her')}</w:moveTo></w:p>", "her"),
        (
            "<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>DATE</w:instrText></w:r>"
            f"{run('CODE')}<w:r><w:fldChar w:fldCharType='separate'/></w:r>{run('3. Mai')}"
            f"<w:r><w:fldChar w:fldCharType='end'/></w:r>{run(' und')}</w:p>",
            "3. Mai und",
        ),
        # A field without end must not swallow what follows.
        (f"<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r></w:p><w:p>{run('Text')}</w:p>", "Text"),
        (f"<w:p>{run('a')}<w:r><w:noBreakHyphen/></w:r>{run('b')}<w:r><w:softHyphen/></w:r>{run('c')}</w:p>", "a-bc"),
        ("<w:p>" + run("ja", "<w:vanish w:val='0'/>") + run("nein", "<w:vanish/>") + "</w:p>", "ja"),
        (f"<w:p><w:r><w:sym w:font='Wingdings' w:char='F0FC'/></w:r>{run(' erledigt')}</w:p>", "✓ erledigt"),
        (f"<w:p><w:hyperlink>{run('Seite')}</w:hyperlink></w:p>", "Seite"),
        (
            "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj></w:sdtPr>"
            f"<w:sdtContent><w:p>{run('1 Ziele 3')}</w:p></w:sdtContent></w:sdt><w:p>{run('Text')}</w:p>",
            "Text",
        ),
        (
            f"<w:p><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{run('Klicken Sie hier')}</w:sdtContent>"
            f"</w:sdt><w:sdt><w:sdtContent>{run('Nowak')}</w:sdtContent></w:sdt></w:p>",
            "Nowak",
        ),
    ],
)  # fmt: skip
def test_a_paragraph_reads_as_it_is_shown(tmp_path: Path, xml: str, text: str) -> None:
    assert body(tmp_path, xml).text == text


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p>{run(text)}</w:p></w:tc>"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (  # A name over two columns, a value over two rows
            "<w:tr><w:trPr><w:tblHeader/></w:trPr>"
            + cell("Amt") + cell("Stellen", '<w:gridSpan w:val="2"/>') + "</w:tr>"
            "<w:tr><w:trPr><w:tblHeader/></w:trPr>" + cell("") + cell("Plan") + cell("Ist") + "</w:tr>"
            "<w:tr>" + cell("Bauamt", '<w:vMerge w:val="restart"/>') + cell("3") + cell("2") + "</w:tr>"
            "<w:tr>" + cell("", "<w:vMerge/>") + cell("5") + cell("4") + "</w:tr>",
            "Amt: Bauamt | Stellen Plan: 3 | Stellen Ist: 2\nAmt: Bauamt | Stellen Plan: 5 | Stellen Ist: 4",
        ),
        (  # A row that was deleted, and one that was inserted
            "<w:tr>" + cell("a") + cell("b") + "</w:tr>"
            "<w:tr><w:trPr><w:del w:id='1' w:author='a'/></w:trPr>" + cell("c") + cell("d") + "</w:tr>"
            "<w:tr><w:trPr><w:ins w:id='1' w:author='a'/></w:trPr>" + cell("e") + cell("f") + "</w:tr>",
            "a: b\ne: f",
        ),
        (
            "<w:tr>" + cell("Der Rat tagt. " * 40) + cell("Links") + "</w:tr>",
            "Der Rat tagt. " * 39 + "Der Rat tagt.\n\nLinks",
        ),
        ("<w:tr>" + cell("Kasten") + "</w:tr><w:tr>" + cell("Inhalt") + "</w:tr>", "Kasten\n\nInhalt"),
    ],
)  # fmt: skip
def test_table_rows_can_be_understood_alone(tmp_path: Path, rows: str, text: str) -> None:
    assert body(tmp_path, f"<w:tbl>{rows}</w:tbl>").text == text


def test_a_text_box_stands_once_at_the_end_of_its_section(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("Eins", 1)
    add_text_box(document, "Kasten")
    document.add_paragraph("Text")
    document.add_heading("Zwei", 1)
    document.save(str(tmp_path / "a.docx"))
    assert load(tmp_path / "a.docx").text.split("\n\n") == ["Eins", "Text", "Kasten", "Zwei"]


@pytest.mark.parametrize(
    ("named", "title"),
    [
        ("Masterplan Digitale Stadt", "Masterplan Digitale Stadt"),
        ("Dokument1", "Der Kopf"),
        ("Microsoft Word - plan.doc", "Der Kopf"),
        ("Mein_Plan 2024", "Der Kopf"),
        ("", "Der Kopf"),
    ],
)
def test_the_title_is_the_one_in_the_properties_where_it_is_one(tmp_path: Path, named: str, title: str) -> None:
    document = Document()
    document.core_properties.title = named
    document.add_paragraph("Vorspann.")
    document.add_heading("Der Kopf", 1)
    path = tmp_path / "mein-plan_2024.docx"
    document.save(str(path))
    extract = load(path)
    assert extract.title == title
    # When a file was made or saved says nothing of when it was published.
    assert extract.published is None


# --- OpenDocument -----------------------------------------------------------------------------------------------------

_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"),
                         ("draw", "drawing"), ("fo", "xsl-fo-compatible"))
)  # fmt: skip
_STYLES = """<style:style style:name="H" style:family="text"><style:text-properties text:display="none"/></style:style>
<style:style style:name="B" style:family="paragraph"><style:text-properties fo:font-weight="bold"/></style:style>
<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>
<text:list-level-style-number text:level="2" style:num-format="1" text:display-levels="2"
 style:num-prefix="(" style:num-suffix=")"/>
</text:list-style>"""


def odt(folder: Path, content: str, extra: str = "") -> Extract:
    path = folder / "a.odt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr(
            "content.xml",
            f"<office:document-content {_SPACES}><office:automatic-styles>{_STYLES}</office:automatic-styles>"
            f"<office:body><office:text>{content}</office:text></office:body></office:document-content>",
        )
        archive.writestr("META-INF/manifest.xml", f"<manifest>{extra}</manifest>")
    return load(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<text:p>Ein<text:s text:c="3"/>Wort<text:tab/>da<text:line-break/>neu</text:p>', "Ein Wort da\nneu"),
        ('<text:p>sicht<text:span text:style-name="H">UN</text:span>bar</text:p>', "sichtbar"),
        ('<text:section text:display="none"><text:p>WEG</text:p></text:section><text:p>da</text:p>', "da"),
        ("<text:tracked-changes><text:p>WEG</text:p></text:tracked-changes><text:p>da</text:p>", "da"),
        ("<text:p>da<office:annotation><text:p>KOMMENTAR</text:p></office:annotation></text:p>", "da"),
        ("<text:table-of-content><text:p>Ziele 3</text:p></text:table-of-content><text:p>da</text:p>", "da"),
        (
            "<text:p>Text<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Note</text:p>"
            "</text:note-body></text:note> weiter.</text:p><text:p>Ende.</text:p>",
            "Text weiter.\n\nEnde.\n\nNote",
        ),
        (
            "<text:p>vor<draw:frame><draw:text-box><text:p>Kasten</text:p></draw:text-box></draw:frame></text:p>"
            "<draw:custom-shape><text:p>Form</text:p></draw:custom-shape><text:p>nach</text:p>",
            "vor\n\nnach\n\nKasten\n\nForm",
        ),
        (
            '<text:list text:style-name="L" xml:id="a"><text:list-item><text:p>eins</text:p><text:list><text:list-item>'
            "<text:p>tiefer</text:p></text:list-item></text:list></text:list-item></text:list><text:p>Text</text:p>"
            '<text:list text:style-name="L" text:continue-list="a"><text:list-item><text:p>zwei</text:p>'
            '</text:list-item></text:list><text:list text:style-name="L"><text:list-item><text:p>neu</text:p>'
            "</text:list-item></text:list>",
            "1. eins\n(1.1) tiefer\n\nText\n\n2. zwei\n1. neu",
        ),
        (
            "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Amt</text:p>"
            "</table:table-cell><table:table-cell><text:p>Ort</text:p></table:table-cell></table:table-row>"
            "</table:table-header-rows><table:table-row><table:table-cell table:number-rows-spanned='2'><text:p>Bau"
            "</text:p></table:table-cell><table:table-cell><text:p>Markt</text:p></table:table-cell></table:table-row>"
            "<table:table-row><table:covered-table-cell/><table:table-cell><text:p>Ring</text:p></table:table-cell>"
            "</table:table-row></table:table>",
            "Amt: Bau | Ort: Markt\nAmt: Bau | Ort: Ring",
        ),
    ],
)
def test_an_opendocument_text_reads_as_it_is_shown(tmp_path: Path, content: str, text: str) -> None:
    assert odt(tmp_path, content).text == text


def test_outline_levels_are_sections(tmp_path: Path) -> None:
    content = (
        '<text:h text:outline-level="1">Ziele</text:h><text:p>Text.</text:p><text:h text:outline-level="2">Weg</text:h>'
    )
    extract = odt(tmp_path, content)
    assert sections(extract) == ["Ziele", "Weg"]
    assert extract.title == "Ziele"
    bold = '<text:p text:style-name="B">Ziele</text:p><text:p>Der Rat tagt heute.</text:p>'
    assert sections(odt(tmp_path, bold)) == ["Ziele"]


# --- RTF --------------------------------------------------------------------------------------------------------------

_FONTS = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset238 Times CE;}{\f2\fcharset2 Wingdings;}}"


def rtf(folder: Path, text: str) -> Extract:
    path = folder / "a.rtf"
    path.write_bytes(rf"{{\rtf1\ansi\ansicpg1252\uc1{_FONTS}{{\info{{\title Dokument1}}}}{text}}}".encode("latin-1"))
    return load(path)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"B\'fcrger f\u252\'fcr K\u246?ln, \u8364\'80\par\pard Zweiter.\par", "Bürger für Köln, €\n\nZweiter."),
        (r"{\f1 Krak\'f3w, Wroc\'b3aw} und Stra\'dfe", "Kraków, Wrocław und Straße"),
        (r"{\uc2 \u26149\'8c\'8e}{\uc0\u252}ber \u-10179?\u-8704?", "春über 😀"),
        (r"a\~b\_c\-d\emdash e\line f", "a b-cd—e\nf"),
        (r"{\header KOPF\par}{\footerr FUSS}{\pict 89504e47}{\*\unbekannt WEG}da", "da"),
        (r"{\v WEG}{\deleted WEG}da{\revised !}", "da!"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt Seite}} {\*\annotation WEG}", "Seite"),
        (r"Text{\footnote\pard\plain Note\par} weiter.\par Ende.\par", "Text weiter.\n\nEnde.\n\nNote"),
        (r"da{\shp{\*\shpinst{\sp{\sn x}{\sv WEG}}{\shptxt Kasten\par}}{\shprslt WEG}}\par", "da\n\nKasten"),
        (
            r"{\listtext\f2\'a7\tab}eins\par{\pntext o\tab}zwei\par{\listtext 1.\tab}drei\par{\listtext a)\tab}4\par",
            "• eins\n• zwei\n1. drei\na) 4",
        ),
        (
            r"\trowd\pard\intbl Jahr\cell Reise\cell\row\trowd\pard\intbl 2014\cell nach\par Krakau\cell\row"
            r"\pard\par Text",
            "Jahr: 2014 | Reise: nach, Krakau\n\nText",
        ),
        (r"\bin6 ab\}{x\par da", "da"),
    ],
)  # fmt: skip
def test_rich_text_reads_as_it_is_shown(tmp_path: Path, source: str, text: str) -> None:
    assert rtf(tmp_path, source).text == text


def test_rich_text_has_headings_by_style_outline_or_bold_type(tmp_path: Path) -> None:
    styles = r"{\stylesheet{Normal;}{\s1\outlinelevel0 Kopf;}{\s2 \'dcberschrift 2;}}"
    by_style = rf"{styles}\pard\s1 Eins\par\pard Text.\par\pard\s2 Zwei\par\pard\outlinelevel1 Drei\par\pard Text.\par"
    assert sections(rtf(tmp_path, by_style)) == ["Eins", "Zwei", "Drei"]
    extract = rtf(tmp_path, r"{\b Die Lage}\par Der Rat tagt am {\b Dienstag}.\par {\b Eine Frist:}\par Morgen.\par")
    assert sections(extract) == ["Die Lage"]
    assert extract.title == "Die Lage"
