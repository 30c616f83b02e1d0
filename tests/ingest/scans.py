"""Makes scans as an office makes them: printed text, drawn askew, with noise, in a format that loses something."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from rag.sentences import sentence_spans

GERMAN = [
    "Die Stadt Krefeld hat am 12. März 2024 beschlossen, die Gebühren für das Parken in der Innenstadt zu erhöhen. "
    "Künftig kostet eine Stunde 2,50 Euro statt bisher 1,80 Euro. Für Bewohnerinnen und Bewohner ändert sich nichts.",
    "Der Bürgermeister erklärte, dass die Mehreinnahmen von rund 340.000 Euro in den Ausbau der Radwege fließen. „Wir "
    "müssen den Verkehr neu ordnen“, sagte er vor dem Rat. Die Fraktionen stimmten mit großer Mehrheit zu.",
    "Über die Öffnungszeiten des Bürgeramts informiert die Verwaltung auf ihrer Internetseite. Anträge können seit dem "
    "1. Januar auch elektronisch gestellt werden. Telefonisch ist das Amt unter 02151 86-0 zu erreichen.",
]
POLISH = [
    "Rada Miasta Krakowa przyjęła 17 kwietnia 2023 roku nową strategię rozwoju transportu zbiorowego. Zakłada ona "
    "budowę trzech linii tramwajowych oraz zakup 60 autobusów elektrycznych. Łączny koszt inwestycji wyniesie około "
    "1,2 miliarda złotych.",
    "Prezydent miasta podkreślił, że mieszkańcy oczekują szybszych połączeń z dzielnicami położonymi na obrzeżach. "
    "Pierwsza linia zostanie otwarta w grudniu 2025 roku. Pieniądze pochodzą z budżetu miasta oraz z "
    "funduszy unijnych.",
    "Każdą uwagę do projektu rozpatrzy komisja urbanistyczna. Ścieżki rowerowe zostaną wydłużone o 14 kilometrów. "
    "Opłata za śmieci wzrośnie o pięć złotych. Urząd będzie nieczynny w piątek, 2 maja.",
]
ENGLISH = [
    "The city council approved the new library on 5 June 2019 by 34 votes to 12. Construction will cost about £4.6 "
    "million and should be finished within two years. The old building on Market Street will become a youth centre.",
    "Residents may comment on the plans until the end of September. Written objections should be sent to the planning "
    "office. A public meeting takes place every Tuesday at 6 pm in the town hall.",
    "Parking permits are valid for twelve months. They cost £85 a year, or £45 for electric cars. Applications are "
    "handled within ten working days.",
]
_POINTS, _MARGIN, _GUTTER = 72, 60, 22


def sentences(paragraphs: list[str]) -> list[str]:
    """Return the sentences of a text."""
    return [paragraph[start:end] for paragraph in paragraphs for start, end in sentence_spans(paragraph)]


def recovered(paragraphs: list[str], text: str) -> float:
    """Return which part of the sentences stands in `text`, letter for letter; only breaks of lines do not count."""
    read = re.sub(r"\s+", " ", text)
    expected = sentences(paragraphs)
    return sum(sentence in read for sentence in expected) / len(expected)


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Return the lines of a paragraph; words cut with a hyphen by hand ("Stadt=rat") are cut where that fits."""
    lines, line = [], ""
    for word in text.split():
        parts = word.split("=")
        if font.getlength(f"{line} {''.join(parts)}".strip()) <= width:
            line = f"{line} {''.join(parts)}".strip()
        elif len(parts) == 2 and font.getlength(f"{line} {parts[0]}-".strip()) <= width:
            lines.append(f"{line} {parts[0]}-".strip())
            line = parts[1]
        else:
            lines.append(line)
            line = "".join(parts)
    return [*lines, line]


def printed(
    paragraphs: list[str],
    *,
    dpi: int = 200,
    face: str = "DejaVuSerif.ttf",
    points: float = 10,
    columns: int = 1,
    heading: str = "",
    height: float = 400,
    width: float = 595,
) -> Image.Image:
    """Return a page of the given size in points, as a printer would draw it, in grey."""
    pixels = dpi / _POINTS
    page = Image.new("L", (round(width * pixels), round(height * pixels)), 255)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(face, round(points * pixels))
    left, top = _MARGIN * pixels, 45 * pixels
    if heading:
        draw.text((left, top), heading, font=ImageFont.truetype(face, round(1.7 * points * pixels)), fill=0)
        top += 2.6 * points * pixels
    column = (width - 2 * _MARGIN - (columns - 1) * _GUTTER) / columns * pixels
    y, leading = top, 1.3 * points * pixels
    for paragraph in paragraphs:
        for line in wrapped(paragraph, font, column):
            if y + leading > page.height - 30 * pixels:
                left, y = left + column + _GUTTER * pixels, top
            draw.text((left, y), line, font=font, fill=0)
            y += leading
        y += leading * 0.6
    return page


def scanned(page: Image.Image, *, degrees: float = 0.5, noise: float = 8) -> Image.Image:
    """Return the page as a scanner sees it: askew, slightly blurred, on grey paper, with noise."""
    askew = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.6))
    levels = np.asarray(askew, float) * 0.9 + 12
    levels += np.random.default_rng(1).normal(0, noise, levels.shape)
    return Image.fromarray(levels.clip(0, 255).astype("uint8"))


def in_shadow(page: Image.Image) -> Image.Image:
    """Return the page as a phone sees it under a lamp: bright on one side, dark on the other."""
    levels = np.asarray(page, float)
    return Image.fromarray((levels * np.linspace(0.4, 1, levels.shape[1])).astype("uint8"))


def photo() -> Image.Image:
    """Return a picture of no text: a sky with clouds, hills and grain."""
    random = np.random.default_rng(2)
    clouds = Image.fromarray(random.integers(60, 255, (9, 14), dtype="uint8")).resize(
        (1400, 900), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(clouds)
    for number in range(8):
        draw.ellipse((number * 190 - 200, 500 + 35 * (number % 3), number * 190 + 250, 1300), fill=40 + 13 * number)
    grain = np.asarray(clouds, float) + random.normal(0, 6, (900, 1400))
    return Image.fromarray(grain.clip(0, 255).astype("uint8"))


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    """Write the image in the format of the path and return the path."""
    image.save(path, **({"quality": 75} if path.suffix in (".jpg", ".webp") else {}) | options)
    return path
