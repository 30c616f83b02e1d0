"""Recognition of images: real scans through the real Tesseract, and what happens without it."""

from __future__ import annotations

import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest import ocr
from ingest.loaders import load
from ingest.scans import skew
from ingest.tesseract import INSTALL
from rag.errors import LoadError
from tests.ingest.scans import (
    ENGLISH,
    GERMAN,
    POLISH,
    in_shadow,
    photo,
    printed,
    recovered,
    saved,
    scanned,
)
from ui.doctor import _recognition

SHORT = "Das Rathaus bleibt am Freitag, dem 24. Mai, wegen einer Versammlung geschlossen."


def short(text: str = SHORT, **options: float) -> Image.Image:
    """A strip with two lines of text, which is read in a second."""
    return scanned(printed([text], height=140, **options), degrees=0.3)


# --- How well it reads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paragraphs", "face", "suffix"),
    [
        (GERMAN, "DejaVuSerif.ttf", ".jpg"),
        (POLISH, "DejaVuSans.ttf", ".webp"),
        (ENGLISH, "DejaVuSans.ttf", ".jpeg"),
    ],
)
def test_of_a_clean_scan_at_200_dpi_95_of_100_sentences_are_right(
    tmp_path: Path, paragraphs: list[str], face: str, suffix: str
) -> None:
    extract = load(saved(scanned(printed(paragraphs, face=face)), tmp_path / f"scan{suffix}"))
    assert recovered(paragraphs, extract.text) >= 0.95, extract.text
    assert extract.text.count("\n\n") == len(paragraphs) - 1
    assert extract.pages == extract.notes == ()


def test_columns_hyphens_headline_and_date_of_a_page_that_lies_askew(tmp_path: Path) -> None:
    # Where lines may be cut, as a typesetter would do it.
    text = [
        paragraph.replace("Bewohnerinnen", "Bewohne=rinnen").replace("Mehreinnahmen", "Mehr=einnahmen")
        .replace("Internetseite", "Internet=seite").replace("elektronisch", "elektro=nisch")
        .replace("beschlossen", "beschlos=sen").replace("Gebühren", "Gebüh=ren").replace("Verwaltung", "Verwal=tung")
        for paragraph in GERMAN
    ]  # fmt: skip
    page = printed(["Krefeld, 14. März 2024", *text], columns=2, heading="Parken wird teurer", height=330)
    extract = load(saved(scanned(page, degrees=-2), tmp_path / "scan.png"))
    assert recovered(GERMAN, extract.text) >= 0.95, extract.text
    assert extract.title == "Parken wird teurer"
    assert [mark.label for mark in extract.sections] == ["Parken wird teurer"]
    assert extract.published == "2024-03-14"
    positions = [extract.text.index(start) for start in ("Die Stadt", "Der Bürgermeister", "Über die")]
    assert positions == sorted(positions)


@pytest.mark.parametrize("degrees", [90, 270])
def test_turned_pages_are_read(tmp_path: Path, degrees: int) -> None:
    page = scanned(printed(GERMAN[:1], height=200))
    assert recovered(GERMAN[:1], load(saved(page.rotate(degrees, expand=True), tmp_path / "scan.jpg")).text) == 1


def test_a_page_of_few_words_that_lies_upside_down_is_read(tmp_path: Path) -> None:
    assert load(saved(short().rotate(180), tmp_path / "scan.jpg")).text == SHORT


def test_the_orientation_that_a_camera_notes_is_respected(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    assert load(saved(short().rotate(90, expand=True), tmp_path / "foto.jpg", exif=exif)).text == SHORT


def test_a_picture_at_100_dpi_and_one_in_shadow_are_read(tmp_path: Path) -> None:
    small = scanned(printed(GERMAN[:1], dpi=100, points=11, height=842), degrees=0, noise=3)
    assert recovered(GERMAN[:1], load(saved(small, tmp_path / "klein.png")).text) >= 2 / 3
    assert load(saved(in_shadow(short()), tmp_path / "foto.png")).text == SHORT


def test_what_is_transparent_is_paper_and_light_print_on_dark_is_read(tmp_path: Path) -> None:
    ink = printed([SHORT], height=140)
    clear = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    clear.putalpha(ink.point(lambda level: 255 - level))
    assert load(saved(clear, tmp_path / "klar.png")).text == SHORT
    assert load(saved(ink.point(lambda level: 255 - level), tmp_path / "dunkel.bmp")).text == SHORT


def test_the_pages_of_a_tiff_file_are_marks(tmp_path: Path) -> None:
    texts = [f"Dies ist das Blatt mit der Nummer {word} aus dem Archiv." for word in ("eins", "zwei")]
    first, second = [short(text).convert("1", dither=Image.Dither.NONE) for text in texts]
    path = saved(first, tmp_path / "akte.tiff", save_all=True, append_images=[second], compression="group4")
    extract = load(path)
    assert [(extract.text[mark.start :].split("\n")[0], mark.label) for mark in extract.pages] == [
        (text, str(number)) for number, text in enumerate(texts, start=1)
    ]


def test_bullets_make_a_list_and_stains_make_no_words(tmp_path: Path) -> None:
    items = ["• Personalausweis oder Reisepass", "• Nachweis der Anschrift", "• Lichtbild aus den letzten Monaten"]
    page = printed(["Bitte bringen Sie zum Termin diese Unterlagen mit:", *items], height=190)
    draw = ImageDraw.Draw(page)
    for left, top in ((1400, 60), (1450, 300), (60, 420)):
        draw.ellipse((left, top, left + 60, top + 45), fill=90)
        draw.line((left - 30, top, left + 90, top + 70), fill=60, width=3)
    lines = [line for line in load(saved(scanned(page), tmp_path / "scan.png")).text.split("\n") if line]
    assert lines == ["Bitte bringen Sie zum Termin diese Unterlagen mit:", *items]


def test_rows_of_a_table_stay_rows(tmp_path: Path) -> None:
    rows = [
        ("Dienst", "Zuständige Stelle", "Preis"),
        ("Personalausweis", "Bürgeramt Mitte", "37,00 Euro"),
        ("Reisepass mit 32 Seiten", "Bürgeramt Nord", "70,00 Euro"),
    ]
    page = Image.new("L", (1650, 320), 255)
    draw = ImageDraw.Draw(page)
    for number, row in enumerate(rows):
        for left, cell in zip((160, 700, 1200), row, strict=True):
            draw.text((left, 90 + 50 * number), cell, font=ImageFont.truetype("DejaVuSans.ttf", 28), fill=0)
        draw.line((150, 130 + 50 * number, 1500, 130 + 50 * number), fill=0, width=2)
    assert load(saved(scanned(page), tmp_path / "scan.png")).text.split("\n") == [" | ".join(row) for row in rows]


@pytest.mark.parametrize("degrees", [-5.0, -0.7, 0.0, 0.7, 5.0])
def test_the_slope_of_lines_is_found(degrees: float) -> None:
    assert skew(scanned(printed(GERMAN, height=300), degrees=degrees)) == pytest.approx(degrees, abs=0.15)


# --- What cannot be read ----------------------------------------------------------------------------------------------


def test_a_picture_without_text_says_so(tmp_path: Path) -> None:
    for image in (photo().crop((0, 300, 1400, 700)), Image.new("L", (800, 600), 255)):
        with pytest.raises(LoadError, match="no text was recognised"):
            load(saved(image, tmp_path / "foto.jpg"))


def test_pictures_of_too_many_pixels_are_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (9_600, 100_000):  # the smaller one unpacks to 92 million pixels, the larger to ten thousand million
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
        rows = zlib.compress(bytes(9_600 * (9_600 // 8 + 1)))
        path = tmp_path / "bombe.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
        started = time.process_time()
        with pytest.raises(LoadError, match="more than 89 million pixels; save it with fewer"):
            load(path)
        assert time.process_time() - started < 2


def test_broken_and_foreign_files_say_so(tmp_path: Path) -> None:
    path = saved(short(), tmp_path / "halb.png")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(LoadError, match="only a part of it can be read; fetch it again"):
        load(path)
    for content, reason in (
        (b"%PDF-1.7 ...", "is a PDF file in spite of its name"),
        (b"GIF89a...", "is a broken image"),
    ):
        path.write_bytes(content)
        with pytest.raises(LoadError, match=reason):
            load(path)
    # Pillow would hand this to Ghostscript.
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(LoadError, match="is a broken image, or of a format that is not read"):
        load(path)


def test_pages_beyond_the_limit_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "MOST_PAGES", 1)
    path = saved(short(), tmp_path / "akte.tif", save_all=True, append_images=[short(), short()])
    extract = load(path)
    assert [mark.label for mark in extract.pages] == ["1"]
    assert extract.notes == ("pages 2-3 not read: at most 1 pages of a file are recognised; split it",)


# --- Without Tesseract, or with one that fails ------------------------------------------------------------------------


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for; empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stands_in(folder: Path, recognising: str, languages: str = "deu\\neng\\nosd\\npol") -> None:
    """Put a program in the place of Tesseract that lists its languages, then does what no real one can be made to."""
    program = folder / "tesseract"
    listing = f'if [ "$1" = --list-langs ]; then printf "List of languages:\\n{languages}\\n"; exit; fi'
    program.write_text(f"#!/bin/sh\n{listing}\n{recognising}\n")
    program.chmod(0o755)


def test_without_tesseract_the_message_says_how_to_install_it(tmp_path: Path, programs: Path) -> None:
    path = saved(short(), tmp_path / "scan.png")
    with pytest.raises(LoadError, match=f"^needs OCR, and Tesseract is not installed; install it: {INSTALL}$"):
        load(path)
    stands_in(programs, "exit 1", languages="fra\\nosd")
    with pytest.raises(LoadError, match=f"^needs OCR, and Tesseract has no language .* {INSTALL}$"):
        load(path)
    (programs / "tesseract").write_bytes(b"\x7fELF")
    with pytest.raises(LoadError, match=r"^needs OCR, and Tesseract cannot be started"):
        load(path)


def test_a_missing_language_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    data = Path(listed.split('"')[1])
    for language in ("eng", "osd"):
        (tmp_path / f"{language}.traineddata").symlink_to(data / f"{language}.traineddata")
    (tmp_path / "configs").symlink_to(data / "configs")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    extract = load(saved(short("The town hall is closed on Friday, 24 May."), tmp_path / "scan.png"))
    assert extract.text == "The town hall is closed on Friday, 24 May."
    assert extract.notes == (
        "recognised without the languages deu, pol; install them: apt-get install tesseract-ocr-deu tesseract-ocr-pol",
    )


def test_a_tesseract_that_hangs_is_stopped_with_all_it_started(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(short(), tmp_path / "scan.png")
    alive = tmp_path / "alive"
    stands_in(programs, f"(while true; do : > {alive}; /bin/sleep 0.1; done) & wait")
    monkeypatch.setattr(ocr, "PAGE_SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(LoadError, match="recognition took too long and was stopped"):
        load(path)
    assert time.monotonic() - started < 60
    assert alive.exists()
    alive.unlink()
    time.sleep(0.5)
    assert not alive.exists()


@pytest.mark.parametrize(
    ("recognising", "reason"),
    [
        ("kill -9 $$", r"Tesseract was killed \(SIGKILL\); is there enough memory"),
        ("echo 'read_params_file: Cannot open hocr' >&2; exit 1", "Tesseract says: read_params_file: Cannot open hocr"),
        ("exit 3", "Tesseract says: exit code 3"),
        ("echo nonsense", "no text was recognised"),
        ("true", "no text was recognised"),
    ],
)
def test_a_tesseract_that_fails_is_named(tmp_path: Path, programs: Path, recognising: str, reason: str) -> None:
    path = saved(short(), tmp_path / "scan.png")
    stands_in(programs, recognising)
    with pytest.raises(LoadError, match=reason):
        load(path)


def test_doctor_names_what_recognition_lacks(programs: Path) -> None:
    def found() -> tuple[str, str, str | None]:
        check = _recognition()
        return check.state, check.detail(), check.mend

    state, detail, mend = found()
    assert (state, mend) == ("optional", INSTALL)
    assert "Tesseract is not installed" in detail
    stands_in(programs, "exit 1", languages="eng\\nosd")
    assert found() == ("optional", f"{programs}/tesseract reads eng; without deu, pol", INSTALL)
    stands_in(programs, "exit 1")
    assert found() == ("ok", f"{programs}/tesseract reads deu, pol, eng", None)
