"""Makes magazine/stadtmagazin-krefeld-seiten-36-37.pdf, two pages of a city magazine.

    python corpus/make_magazine.py [output.pdf]

The page is set in two justified columns with hyphens at line ends, a headline across
both columns, running heads, page numbers and a contact box: what a PDF reader meets in
real magazines. The same input always gives the same bytes.

Needs reportlab and pyphen. The typeface is Bitstream Vera, which reportlab brings along.
"""

import sys
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    FrameBreak,
    NextPageTemplate,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

OUTPUT = Path(__file__).parent / "magazine" / "stadtmagazin-krefeld-seiten-36-37.pdf"

TITLE = "Ungleiches Paar mit gleichen Fragen: Krefeld und Sofia lernen voneinander"
LEAD = (
    "Eine Stadt am Niederrhein und eine europäische Hauptstadt: Auf den ersten Blick haben "
    "Krefeld und Sofia wenig gemeinsam. Warum sie sich trotzdem viel zu sagen haben."
)

# (kind, text): "p" a paragraph, "h" a sub-heading, "b" a list item.
PAGE_36 = [
    (
        "p",
        "Mehr Interessenten als Plätze gab es bei den „Peer-Learning-Partnerschaften“, gute "
        "Argumente waren also gefragt. Krefeld hat es geschafft. Als "
        "Partnerin wurde der Stadt Sofia zugeteilt, die Hauptstadt Bulgariens. Unter dem "
        "Oberbegriff der digitalen Stadtentwicklung wollen beide Verwaltungen nun "
        "voneinander lernen, und zwar auf Augenhöhe.",
    ),
    (
        "p",
        "Wirtschaftsdezernent Eckart Preen wertet die Zusage als schönes Ergebnis für die "
        "Stadt. Dass ausgerechnet eine Hauptstadt an die Seite Krefelds trete, mache die "
        "Sache für ihn besonders reizvoll, denn das Paar sei offenkundig ungleich. "
        "Mittlerweile komme die Zusammenarbeit in Schwung.",
    ),
    ("h", "Wer mit wem lernt"),
    (
        "p",
        "Außer dem Krefelder Gespann wurden fünf weitere Paare ausgesucht. In jedem davon "
        "arbeitet eine deutsche Kommune mit einer Stadt aus einem anderen Land zusammen:",
    ),
    ("b", "Hamm lernt mit Arezzo in Italien."),
    ("b", "Geestland lernt mit Vari Voula Vouliagmeni in Griechenland."),
    ("b", "München lernt mit Utrecht in den Niederlanden."),
    ("b", "Arnsberg lernt mit Alba Iulia in Rumänien."),
    ("b", "Pirna lernt mit Bolesławiec in Polen."),
    ("h", "Vom Bildschirm an den Arbeitstisch"),
    (
        "p",
        "Der Auftakt fand am Bildschirm statt. Im September setzten sich die Fachleute beider "
        "Städte dann in Sofia an einen gemeinsamen Arbeitstisch. Der Gegenbesuch am "
        "Niederrhein steht für 2023 im Kalender. So unterschiedlich die Größe der beiden "
        "Städte ist, so ähnlich klingen die Fragen, die auf den Tisch kommen: Klimawandel, "
        "Innovation, Beteiligung.",
    ),
    (
        "p",
        "Beim letzten Punkt geht es nicht um Sprechstunden alter Art. Diskutiert wird, wie "
        "ein Hackathon oder eine Ideenwerkstatt Menschen erreicht, die sonst nie ein Rathaus "
        "betreten, und was Kinder und Jugendliche brauchen, damit sie mitreden können.",
    ),
]

PAGE_37 = [
    ("h", "Die Sache mit den Daten"),
    (
        "p",
        "Besonders viel Raum nimmt in den Workshops ein Stoff ein, den jede Kommune besitzt "
        "und kaum eine vollständig überblickt: ihre Daten. Die Runde arbeitet sich an vier "
        "Fragen ab:",
    ),
    ("b", "Welche Daten werden auf welchem Weg gesammelt?"),
    ("b", "Wer verwaltet sie, und wo liegen die Hürden?"),
    ("b", "Unter welchen Bedingungen dürfen andere sie nutzen?"),
    ("b", "Wie wird aus Zahlen Wissen?"),
    (
        "p",
        "Hinzu kommt die Frage nach dem Pilotprojekt. Ein guter Einfall soll in einer "
        "Verwaltung zunächst ausprobiert werden können, bevor er im ganzen Haus gilt.",
    ),
    (
        "p",
        "Dezernent Preen blickt dabei in drei Richtungen zugleich: nach Europa, auf das "
        "ganze Bundesgebiet und vor die eigene Haustür. Er erwartet Aufschluss darüber, "
        "wie der digitale Wandel einer Stadt nützt, die sich nachhaltig und im Sinne des "
        "Gemeinwohls entwickeln möchte.",
    ),
    ("h", "Blick nach Norden: Kopenhagen setzt Maßstäbe"),
    (
        "p",
        "Sofia ist nicht die einzige Adresse, bei der sich Krefeld umschaut. Drei Tage lang "
        "war eine Delegation vom Niederrhein in der dänischen Hauptstadt unterwegs, "
        "begleitet von KREFELD BUSINESS. Auf der Suche nach guten Beispielen für die Smart "
        "City wurde sie an vielen Stellen fündig.",
    ),
    (
        "p",
        "Am stärksten wirkte das Fahrrad nach. Kopenhagen richtet seinen Verkehr an ihm aus "
        "und gilt den Reisenden deshalb als Messlatte. Dasselbe Urteil fällten sie über das "
        "digitale Ökosystem der Stadt und über die Lebensqualität.",
    ),
    (
        "p",
        "Nun beginnt die Arbeit zu Hause. Das Gesehene soll in den Alltag der Krefelder "
        "Verwaltung einfließen und dort in eigene Vorhaben münden. Fertige Rezepte "
        "verspricht sich niemand davon, wohl aber einen klareren Blick auf das, was in "
        "Krefeld möglich ist.",
    ),
    ("h", "Stichwort: Peer-Learning"),
    (
        "p",
        "Das englische Wort „peer“ bezeichnet jemanden, der einem gleichgestellt ist. Beim "
        "Peer-Learning gibt es deshalb weder Lehrer noch Schüler. Wer eine Aufgabe schon "
        "gelöst hat, berichtet davon; wer noch davorsteht, fragt nach. In der nächsten "
        "Runde sind die Rollen vertauscht.",
    ),
]

CONTACT = [
    ("h", "Ansprechpartner"),
    ("p", "Markus Lewitzki"),
    ("p", "Referent Digitalisierung, CDO"),
    ("p", "Stadt Krefeld"),
]

NAVY, SAND, GREY = HexColor("#1f3a5f"), HexColor("#efe8da"), HexColor("#6b6b6b")
WIDTH, HEIGHT = A4
MARGIN, GUTTER = 50, 22
COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2
SHARES = [3, 5, 4, 7, 4, 3, 6, 8, 5, 4, 6, 3, 5, 4, 9, 4, 6, 5, 3, 7, 5, 4, 6, 3]


def styles():
    for name, file in [("Vera", "Vera.ttf"), ("Vera-Bold", "VeraBd.ttf"), ("Vera-Italic", "VeraIt.ttf")]:
        pdfmetrics.registerFont(TTFont(name, file))
    body = ParagraphStyle(
        "body",
        fontName="Vera",
        fontSize=10.3,
        leading=15.2,
        alignment=TA_JUSTIFY,
        spaceAfter=7,
        hyphenationLang="de_DE",
        hyphenationMinWordLength=7,
        embeddedHyphenation=1,
    )
    return {
        "p": body,
        "b": ParagraphStyle("list", parent=body, leftIndent=12, bulletIndent=1, spaceAfter=3),
        "h": ParagraphStyle(
            "sub", fontName="Vera-Bold", fontSize=11.5, leading=15, textColor=NAVY, spaceBefore=8, spaceAfter=4
        ),
        "title": ParagraphStyle("title", fontName="Vera-Bold", fontSize=23, leading=28, textColor=NAVY, spaceAfter=10),
        "lead": ParagraphStyle("lead", fontName="Vera-Italic", fontSize=11.5, leading=16),
        "box": ParagraphStyle("box", fontName="Vera", fontSize=9.5, leading=13.5),
    }


def flow(items, style):
    for kind, text in items:
        if kind == "b":
            yield Paragraph(text, style["b"], bulletText="•")
        else:
            yield Paragraph(text, style[kind])


def skyline(canvas, x, y, width, height):
    """A plain drawing in place of a photograph."""
    canvas.setFillColor(SAND)
    canvas.rect(x, y, width, height, stroke=0, fill=1)
    canvas.setFillColor(NAVY)
    unit = width / len(SHARES)
    for i, share in enumerate(SHARES):
        canvas.rect(x + i * unit, y, unit - 2, height * share / 11, stroke=0, fill=1)


def small_print(canvas, left, right, y):
    """Two short texts on one line, one at each margin."""
    canvas.saveState()
    canvas.setFont("Vera", 8)
    canvas.setFillColor(GREY)
    canvas.drawString(MARGIN, y, left)
    canvas.drawRightString(WIDTH - MARGIN, y, right)
    canvas.restoreState()


def page_template(number, picture_y, picture_height, frames):
    """A page with running head, drawing, page number; odd pages mirror even ones."""

    def in_order(outer, inner):
        return (inner, outer) if number % 2 else (outer, inner)

    def before(canvas, _):
        canvas.addPageLabel(canvas.getPageNumber() - 1, style="ARABIC", start=number)
        small_print(canvas, *in_order("StadtMagazin Krefeld", "Digitale Stadt"), HEIGHT - 36)
        canvas.saveState()
        canvas.setStrokeColor(GREY)
        canvas.setLineWidth(0.5)
        canvas.line(MARGIN, HEIGHT - 42, WIDTH - MARGIN, HEIGHT - 42)
        skyline(canvas, MARGIN, picture_y, WIDTH - 2 * MARGIN, picture_height)
        canvas.restoreState()

    def after(canvas, _):
        small_print(canvas, "Grafik: StadtMagazin", "", picture_y - 11)
        small_print(canvas, *in_order(str(number), f"P. {number}"), 30)

    return PageTemplate(f"page-{number}", frames=frames, onPage=before, onPageEnd=after)


def frame(x, y, width, height, name):
    return Frame(x, y, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0, id=name)


def page_templates():
    second = MARGIN + COLUMN + GUTTER
    top = HEIGHT - 58
    head, foot = 134, 56
    upper, lower = 120, 236  # heights of the two drawings
    below_picture = top - head - upper - 24
    above_picture = foot + lower + 26
    return [
        page_template(
            36,
            top - head - upper,
            upper,
            [
                frame(MARGIN, top - head, WIDTH - 2 * MARGIN, head, "headline"),
                frame(MARGIN, foot, COLUMN, below_picture - foot, "left"),
                frame(second, foot, COLUMN, below_picture - foot, "right"),
            ],
        ),
        page_template(
            37,
            foot + 12,
            lower,
            [
                frame(MARGIN, above_picture, COLUMN, top - above_picture, "left"),
                frame(second, above_picture, COLUMN, top - above_picture, "right"),
            ],
        ),
    ]


def contact_box(style):
    box = Table(
        [[[Paragraph(text, style["h" if kind == "h" else "box"]) for kind, text in CONTACT]]], colWidths=[COLUMN]
    )
    box.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), SAND),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ("TOPPADDING", (0, 0), (-1, -1), 4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
            ]
        )
    )
    return box


def build(output):
    style = styles()
    document = BaseDocTemplate(
        str(output),
        pagesize=A4,
        invariant=1,
        pageCompression=1,
        title="StadtMagazin Krefeld, Seiten 36 und 37",
        author="citycite",
        lang="de",
    )
    document.addPageTemplates(page_templates())
    document.build(
        [
            NextPageTemplate("page-37"),
            Paragraph(TITLE, style["title"]),
            Paragraph(LEAD, style["lead"]),
            FrameBreak(),
            *flow(PAGE_36, style),
            *flow(PAGE_37, style),
            Spacer(1, 8),
            contact_box(style),
        ]
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
