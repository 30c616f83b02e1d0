"""PDF files of scans, with some scans among digital pages, and with text layers that say something else."""

from __future__ import annotations

import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from ingest import ocr
from ingest.loaders import load
from ingest.quality import is_broken
from ingest.reading import Reader, Report, document_id
from ingest.side_files import SideFiles
from ingest.tesseract import INSTALL
from ingest.workers import Workers
from rag.errors import LoadError
from rag.schema import Document
from rag.settings import Settings
from tests.ingest.scans import ENGLISH, GERMAN, POLISH, photo, printed, recovered, scanned

# As wide as A4 and half as high: recognition takes time by area.
PAGE = WIDTH, HEIGHT = 595, 280
DIGITAL = "Diese Seite hat eine Textschicht, und die wird Zeichen für Zeichen übernommen."


def put_scan(canvas: Canvas, paragraphs: list[str]) -> None:
    """Put a scan of the text onto the page, as a device stores it."""
    put_image(canvas, scanned(printed(paragraphs, height=HEIGHT)))


def put_image(canvas: Canvas, image: Image.Image) -> None:
    jpeg = BytesIO()
    image.save(jpeg, "JPEG", quality=75)
    height = image.height / image.width * WIDTH
    canvas.drawImage(ImageReader(jpeg), 0, HEIGHT - height, width=WIDTH, height=height)


def mixed(path: Path) -> Path:
    """Three pages: digital, scan, digital."""
    canvas = Canvas(str(path), pagesize=PAGE)
    canvas.drawString(60, 200, DIGITAL)
    canvas.showPage()
    put_scan(canvas, GERMAN[:1])
    canvas.showPage()
    canvas.drawString(60, 200, "Auch die letzte Seite ist digital.")
    canvas.save()
    return path


@pytest.fixture
def without_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_scan_is_read_page_by_page_in_its_languages(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "scan.pdf"), pagesize=PAGE)
    for paragraphs in (GERMAN[:1], POLISH[:1]):
        put_scan(canvas, paragraphs)
        canvas.showPage()
    canvas.save()
    extract = load(tmp_path / "scan.pdf")
    assert recovered(GERMAN[:1] + POLISH[:1], extract.text) == 1, extract.text
    assert [(extract.text[mark.start :][:8], mark.label) for mark in extract.pages] == [
        ("Die Stad", "1"),
        ("Rada Mia", "2"),
    ]
    assert extract.notes == ()


def test_a_digital_file_never_calls_for_recognition(tmp_path: Path, without_tesseract: None) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=PAGE)
    canvas.drawString(60, 200, DIGITAL)
    canvas.showPage()
    canvas.showPage()  # a blank page
    put_image(canvas, photo().resize((1400, 660)))  # a slide with a picture behind its few words
    canvas.drawString(60, 200, "Danke für Ihre Aufmerksamkeit")
    canvas.save()
    extract = load(tmp_path / "a.pdf")
    assert extract.text.split("\n\n") == [DIGITAL, "Danke für Ihre Aufmerksamkeit"]
    assert extract.notes == ()


def test_the_scan_below_a_stamp_is_read(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=PAGE)
    put_scan(canvas, GERMAN[:1])
    canvas.setFont("Helvetica", 8)
    canvas.drawString(60, 20, "Eingegangen am 14.03.2024")
    canvas.save()
    assert recovered(GERMAN[:1], load(tmp_path / "a.pdf").text) == 1


# --- Broken text layers -----------------------------------------------------------------------------------------------


def with_table_of_characters(path: Path, shift: int) -> Path:
    """Make a page whose font maps its characters to others, as broken exports do; it looks right all the same."""
    pdfmetrics.registerFont(TTFont("Sans", "DejaVuSans.ttf"))
    canvas = Canvas(str(path), pagesize=PAGE, pageCompression=0)
    canvas.setFont("Sans", 11)
    for number, line in enumerate(simpleSplit(GERMAN[0], "Sans", 11, 460)):
        canvas.drawString(60, 230 - 15 * number, line)
    canvas.save()
    raw = path.read_bytes()

    def shifted(table: re.Match[bytes]) -> bytes:
        codes = re.sub(rb"<([0-9A-F]{4})>(?=\s*[\n\]])", lambda code: b"<%04X>" % (int(code[1], 16) + shift), table[0])
        assert codes != table[0]
        return codes

    broken = re.sub(rb"beginbf(?:char|range).*?endbf(?:char|range)", shifted, raw, flags=re.DOTALL)
    assert broken != raw
    path.write_bytes(broken)
    return path


def test_a_text_layer_that_makes_no_words_is_not_believed(tmp_path: Path) -> None:
    assert load(with_table_of_characters(tmp_path / "a.pdf", -29)).text == GERMAN[0]


@pytest.mark.usefixtures("without_tesseract")
def test_a_broken_text_layer_is_not_taken_for_want_of_better(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"^needs OCR, and Tesseract is not installed"):
        load(with_table_of_characters(tmp_path / "a.pdf", 0xE000))


@pytest.mark.parametrize(
    "text",
    [
        *(" ".join(paragraphs) for paragraphs in (GERMAN, POLISH, ENGLISH)),
        "Belediye, kentin ulaşım planını yayımladı. Yeni otobüs hatları ocak ayında hizmete girecek. Vatandaşlar öneri "
        "ve şikâyetlerini internet üzerinden iletebilir. Toplantılar her salı günü saat on sekizde yapılır.",
        "Město schválilo nový územní plán. Obyvatelé mohou podávat připomínky do konce září. Úřad bude v pátek zavřen. "
        "Poplatek za odpad se zvýší o padesát korun ročně, slevy pro seniory zůstávají beze změny.",
        "Kaupunki hyväksyi uuden kaavan. Asukkaat voivat jättää muistutuksia syyskuun loppuun saakka. Virasto on "
        "kiinni perjantaina. Jätemaksu nousee viisi euroa vuodessa, ja kirjasto muuttaa uusiin tiloihin keväällä.",
        "Місто схвалило новий план розвитку транспорту. Мешканці можуть подавати зауваження до кінця вересня. " * 3,
        "GmbH, AG, KG, Tel. 02151 86-0, Fax 86-1, Az. 61/12, § 34 BauGB, Nr. 4711, EUR 12,50, km, kWh, m², Abs. 2",
        "",
    ],
)
def test_texts_of_any_language_are_sound(text: str) -> None:
    assert not is_broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(ord(character) - 29) if character.isalpha() else character for character in " ".join(GERMAN)),
        "(cid:36)(cid:12)(cid:88) (cid:3)(cid:17)",
        "D\ufffd\ufffd St\ufffd\ufffdt Kr\ufffdf\ufffdld",
        "\ue044\ue051\ue04c \ue037\ue058\ue045\ue058",
    ],
)
def test_codes_in_the_place_of_letters_are_not(text: str) -> None:
    assert is_broken(text)


# --- What is not read -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_tesseract")
def test_a_scan_without_tesseract_says_how_to_install_it(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "scan.pdf"), pagesize=PAGE)
    put_scan(canvas, GERMAN[:1])
    canvas.save()
    with pytest.raises(LoadError, match=f"^needs OCR, .*{INSTALL}$"):
        load(tmp_path / "scan.pdf")


def test_a_scan_of_pictures_alone_says_so(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "scan.pdf"), pagesize=PAGE)
    put_image(canvas, Image.new("L", (60, 40), 130))
    canvas.save()
    with pytest.raises(LoadError, match="no text was recognised on its pages"):
        load(tmp_path / "scan.pdf")


def test_what_was_not_read_is_noted_and_read_once_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = mixed(tmp_path / "a.pdf")
    records: dict[str, dict[str, str]] = {}

    def ingested() -> tuple[Document | None, Report]:
        report = Report()
        with Workers(Settings()) as workers:
            prepared = next(iter(Reader(records, SideFiles(), Settings(), report, workers).read(file)), None)
        if prepared is not None:
            records[document_id(file)] = {"source": str(file), "content_hash": prepared.content_hash}
        return prepared and prepared.document, report

    path = Path(str(shutil.which("tesseract"))).parent
    monkeypatch.setenv("PATH", str(tmp_path))
    document, report = ingested()
    assert document is not None
    assert document.text == f"{DIGITAL}\n\nAuch die letzte Seite ist digital."
    note = f"page 2 not read: needs OCR, and Tesseract is not installed; install it: {INSTALL}"
    assert report.as_dict()["notes"] == [{"source": str(file), "note": note}]
    assert ingested()[0] is None  # unchanged, as long as nothing can be done about it
    monkeypatch.setenv("PATH", str(path))
    document, report = ingested()
    assert document is not None
    assert document.text.split("\n\n") == [DIGITAL, GERMAN[0], "Auch die letzte Seite ist digital."]
    assert [mark.label for mark in document.pages] == ["1", "2", "3"]
    assert report.notes == []
    assert ingested()[0] is None


def test_a_page_that_fails_is_noted_and_the_others_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "MOST_PAGES", 0)
    extract = load(mixed(tmp_path / "a.pdf"))
    assert extract.text.split("\n\n") == [DIGITAL, "Auch die letzte Seite ist digital."]
    assert [mark.label for mark in extract.pages] == ["1", "3"]
    assert extract.notes == ("page 2 not read: at most 0 pages of a file are recognised; split it",)
