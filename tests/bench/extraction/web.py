"""Texts as web pages within the frame of a city's site, and as Chromium prints them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

from tests.bench.extraction.markup import Block, Text, notes, parts

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
_PYPHEN = {"de": "de_DE", "en": "en_US", "pl": "pl_PL"}
_WORD = re.compile(r"[^\W\d_]{6,}")


def body_of(text: Text, *, hyphens: bool = False) -> str:
    """Return the text as HTML; with `hyphens`, words have soft ones, as an editorial system puts them in."""
    out = []
    for block in text.blocks:
        html = _block(text, block)
        out.append(re.sub(r">[^<]+", lambda run: _soft(run.group(), text.language), html) if hyphens else html)
    return "\n".join(out)


@cache
def _hyphenator(language: str):
    import pyphen

    return pyphen.Pyphen(lang=_PYPHEN[language], left=2, right=2)


def _soft(run: str, language: str) -> str:
    # Not in addresses of mail and web.
    if "@" in run:
        return run
    return _WORD.sub(lambda word: _hyphenator(language).inserted(word.group(), "\u00ad"), run)


def _block(text: Text, block: Block) -> str:
    lines = [escape(line, quote=False) for line in block.lines]
    match block.kind:
        case "heading":
            return f"<h1>{lines[0]}</h1>" if block is text.blocks[0] else f'<h1 class="next">{lines[0]}</h1>'
        case "subheading":
            return f"<h2>{lines[0]}</h2>"
        case "question":
            return f"<p><strong>{lines[0]}</strong></p>"
        case "lines":
            return f"<p>{'<br>'.join(lines)}</p>"
        case "items" | "numbers":
            tag = "ul" if block.kind == "items" else "ol"
            return f"<{tag}>{''.join(f'<li>{line}</li>' for line in lines)}</{tag}>"
        case "table":
            names = "".join(f"<th>{escape(cell)}</th>" for cell in block.rows[0])
            rows = ["".join(f"<td>{escape(cell, quote=False)}</td>" for cell in row) for row in block.rows[1:]]
            return f"<table><thead><tr>{names}</tr></thead>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
        case "note":
            number = next(number for number, note in notes(text).items() if note == block.lines[0])
            return f'<p class="note" id="fn{number}"><a href="#ref{number}">{number}</a> {lines[0]}</p>'
        case _:
            return f"<p>{' '.join(map(_sentence, block.lines))}</p>"


def _sentence(line: str) -> str:
    sentence, number = parts(line)
    mark = f'<sup><a id="ref{number}" href="#fn{number}">{number}</a></sup>' if number else ""
    return escape(sentence, quote=False) + mark


# --- A page of a site -------------------------------------------------------------------------------------------------

_WORDS: Mapping[str, Mapping[str, str]] = {
    "de": {
        "menu": "Rathaus|Leben in der Stadt|Wirtschaft|Kultur und Sport|Karriere", "skip": "Zum Inhalt springen",
        "cookies": "Wir verwenden Cookies, um unsere Seiten zu verbessern. Sie können die Auswahl jederzeit ändern.",
        "accept": "Alle akzeptieren", "share": "Auf Facebook teilen|Per WhatsApp teilen|Seite drucken",
        "see": "Siehe auch", "links": "Öffnungszeiten des Bürgerservice|Aktuelle Baustellen|Stellenangebote",
        "imprint": "Impressum|Datenschutz|Barrierefreiheit",
        "owner": "© 2024 Stadtverwaltung. Alle Rechte vorbehalten.",
        "home": "Startseite", "search": "Suchbegriff eingeben",
    },
    "en": {
        "menu": "Council|Living here|Business|Culture and sport|Jobs", "skip": "Skip to main content",
        "cookies": "We use cookies to improve our pages. You can change your choice at any time.",
        "accept": "Accept all cookies", "share": "Share on Facebook|Share on WhatsApp|Print this page",
        "see": "See also", "links": "Opening hours|Current roadworks|Vacancies",
        "imprint": "Legal notice|Privacy|Accessibility", "owner": "© 2024 Town Council. All rights reserved.",
        "home": "Home", "search": "Search this site",
    },
    "pl": {
        "menu": "Urząd|Mieszkańcy|Biznes|Kultura i sport|Praca", "skip": "Przejdź do treści",
        "cookies": "Używamy plików cookie, aby ulepszać nasze strony. Wybór można zmienić w każdej chwili.",
        "accept": "Akceptuję", "share": "Udostępnij na Facebooku|Wyślij przez WhatsApp|Drukuj",
        "see": "Zobacz także", "links": "Godziny otwarcia|Utrudnienia w ruchu|Oferty pracy",
        "imprint": "Nota prawna|Polityka prywatności|Dostępność",
        "owner": "© 2024 Urząd Miasta. Wszelkie prawa zastrzeżone.",
        "home": "Strona główna", "search": "Szukaj",
    },
}  # fmt: skip


def page_of_site(text: Text, *, semantic: bool = True) -> str:
    """Return a web page: the text with menus, cookie notice, share links, "Siehe auch" and imprint around it.

    `semantic` pages mark their parts with nav, main, footer; the others have nothing but div and class.
    """
    words = _WORDS[text.language]

    def links(name: str) -> str:
        return "".join(f'<li><a href="/{i}">{label}</a></li>' for i, label in enumerate(words[name].split("|")))

    nav, main, foot, side = ("nav", "main", "footer", "aside") if semantic else ("div", "div", "div", "div")
    return f"""<!DOCTYPE html>
<html lang="{text.language}">
<head><meta charset="utf-8"><title>{escape(text.title)} | {words["menu"][:6]}</title></head>
<body>
<a class="skip-link" href="#content">{words["skip"]}</a>
<div class="cookie-banner"><p>{words["cookies"]}</p><button>{words["accept"]}</button></div>
<{nav} class="main-navigation"><ul>{links("menu")}</ul></{nav}>
<form class="search" action="/s"><input placeholder="{words["search"]}"></form>
<div class="breadcrumb"><a href="/">{words["home"]}</a> › <a href="/a">{words["menu"].split("|")[0]}</a></div>
<{main} id="content" class="content">
{body_of(text)}
<div class="share"><ul>{links("share")}</ul></div>
</{main}>
<{side} class="related"><h2>{words["see"]}</h2><ul>{links("links")}</ul></{side}>
<{foot} class="footer"><ul>{links("imprint")}</ul><p>{words["owner"]}</p></{foot}>
</body></html>
"""


# --- Printed pages ----------------------------------------------------------------------------------------------------

_STYLE = """
@page {{ size: {size}; margin: 20mm 18mm; }}
body {{ font: {points}pt/1.35 '{font}'; hyphens: manual; margin: 0; }}
h1 {{ column-span: all; font-size: 1.8em; line-height: 1.2; margin: 0 0 .6em; }}
h2 {{ font-size: 1.15em; margin: .8em 0 .3em; break-after: avoid; }}
article {{ columns: {columns}; column-gap: 7mm; text-align: {align}; }}
p {{ margin: 0 0 .5em; }} ul, ol {{ margin: 0 0 .5em; padding-left: 1.2em; }}
table {{ border-collapse: collapse; margin: .5em 0; text-align: left; }}
td, th {{ border: 1px solid #999; padding: 2px 6px; vertical-align: top; }}
sup {{ font-size: .65em; }} .note {{ font-size: .8em; }} a {{ color: inherit; text-decoration: none; }}
"""
_FURNITURE = '<div style="font-size:8px;width:100%;margin:0 18mm;display:flex;justify-content:space-between">{}</div>'


def print_pages(jobs: Mapping[Path, tuple[Text, int, str]]) -> None:
    """Let Chromium print texts to PDF files; a job has the text, the columns and the size of the page for CSS."""
    from playwright.sync_api import sync_playwright

    program = next((path for path in CHROMIUM if Path(path).exists()), None)
    if program is None:
        raise SystemExit("The test files are printed by Chromium, which is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        for path, (text, columns, size) in jobs.items():
            style = _STYLE.format(
                size=size, columns=columns, points=9.5 if columns > 1 else 11,
                align="justify" if columns > 1 else "left", font="Liberation Serif" if columns != 2 else "DejaVu Sans",
            )  # fmt: skip
            page.set_content(
                f'<html lang="{text.language}"><head><title>{escape(text.title)}</title><style>{style}</style></head>'
                f"<body><article>{body_of(text, hyphens=True)}</article></body></html>"
            )
            page.pdf(
                path=str(path), prefer_css_page_size=True, display_header_footer=True,
                header_template=_FURNITURE.format(f"<span>{escape(text.head['head'])}</span>"),
                footer_template=_FURNITURE.format('<span></span><span class="pageNumber"></span>'),
            )  # fmt: skip
        browser.close()
