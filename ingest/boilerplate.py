"""Pure: what stands around the content of a document: running heads, page numbers, the frame of a copied web page.

Only what is certain goes, and never a sentence.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

# --- Running heads and page numbers -----------------------------------------------------------------------------------

# Heads and feet have at most this many lines; what lies further in is text, even if it recurs.
_EDGE_LINES = 3
# A head that is on three pages is no coincidence; in shorter documents half of the pages must have it.
_RECURRENCES = 3
# A recurring line that is this long and ends like a sentence may be one; its first occurrence stays.
_SENTENCE_LENGTH = 25
_PAGE_WORD = r"(?:pages?|seiten?|strona|str\.|pg\.|p\.|s\.)"
_PAGE_NUMBER = re.compile(
    rf"\W*{_PAGE_WORD}\s*\d{{1,4}}(?:\s*(?:von|of|z|/|\|)\s*\d{{1,4}})?\W*|[-–—]\s*\d{{1,4}}\s*[-–—]", re.IGNORECASE
)
# Alone it may be a cell of a table as well: it must count the pages.
_BARE_NUMBER = re.compile(r"\W*\d{1,4}(?:\s*[/|]\s*\d{1,4})?\W*")
# Certain wherever it stands on a line of its own.
_PAGE_LABEL = re.compile(rf"(?:p\.\s?\d{{1,4}}|{_PAGE_WORD}\s*\d{{1,4}}\s*(?:von|of|z|/)\s*\d{{1,4}})", re.IGNORECASE)
# "Page 37 - Title of the magazine": how viewers of paged magazines head the text of a page.
_VIEWER_HEAD = re.compile(r"page (\d{1,4}) - \S.*", re.IGNORECASE)
_PAGE_STRIP = re.compile(r"\d{1,4}(?:\s{2,}\d{1,4}){2,}")


def page_furniture(pages: Sequence[Sequence[str]]) -> list[frozenset[int]]:
    """Return, for each page, the indices of the lines that are running heads, feet or page numbers.

    `pages` holds the lines of each page from top to bottom. A line counts when it recurs, digits aside, at the top or
    the bottom of at least three pages (of half of the pages in a short document) that follow each other, left and right
    pages apart; or when it is a page number.
    """
    edges = [(_edge(lines), _edge(lines[::-1])) for lines in pages]
    recurring = _recurring(edges)
    counting = _counting(edges)
    kept: set[str] = set()
    furniture = []
    for page, (top, bottom) in enumerate(edges):
        from_top = _furniture_of(top, page, recurring[page], counting, kept)
        from_bottom = _furniture_of(bottom, page, recurring[page], counting, kept)
        last = len(pages[page]) - 1
        found = frozenset(from_top) | {last - index for index in from_bottom}
        # A page that seems to be all furniture is a page of few words.
        furniture.append(
            found if any(line.strip() for index, line in enumerate(pages[page]) if index not in found) else frozenset()
        )
    return furniture


Edge = Sequence[tuple[int, str]]


def _edge(lines: Sequence[str]) -> Edge:
    """Return the first lines that are not blank, with their indices."""
    return [(index, line.strip()) for index, line in enumerate(lines) if line.strip()][:_EDGE_LINES]


def _edge_key(line: str) -> str:
    words = " ".join(line.split()).casefold()
    # Sentences that differ in a number say different things.
    return words if _reads_like_sentence(words) else re.sub(r"\d+", "#", words)


def _reads_like_sentence(line: str) -> bool:
    return len(line) >= _SENTENCE_LENGTH and line.endswith((".", "!", "?"))


def _recurring(edges: Sequence[tuple[Edge, Edge]]) -> list[set[str]]:
    """Return, for each page, the keys of its edge lines that recur on the pages around it."""
    pages_of: defaultdict[str, list[int]] = defaultdict(list)
    for page, (top, bottom) in enumerate(edges):
        for key in {_edge_key(line) for _, line in (*top, *bottom)}:
            pages_of[key].append(page)
    needed = min(_RECURRENCES, max(2, (len(edges) + 1) // 2))
    recurring: list[set[str]] = [set() for _ in edges]
    for key, pages in pages_of.items():
        for run in _runs(pages):
            if len(run) >= needed:
                for page in run:
                    recurring[page].add(key)
    return recurring


def _runs(pages: Sequence[int]) -> Iterable[list[int]]:
    """Split ascending page indices where more than one page in between lacks the line."""
    run: list[int] = []
    for page in pages:
        if run and page - run[-1] > 2:
            yield run
            run = []
        run.append(page)
    yield run


def _counting(edges: Sequence[tuple[Edge, Edge]]) -> set[int]:
    """Return by how much bare numbers at the edges differ from the page index, where two pages agree on it."""
    offsets = Counter(
        int(_first_number(line)) - page
        for page, (top, bottom) in enumerate(edges)
        for line in {line for _, line in (*top, *bottom)}
        if _BARE_NUMBER.fullmatch(line)
    )
    return {offset for offset, count in offsets.items() if count >= min(2, len(edges))}


def _furniture_of(edge: Edge, page: int, recurring: set[str], counting: set[int], kept: set[str]) -> list[int]:
    """Return the indices of the furniture at one edge, from the outside inwards: the first line of content ends it."""
    found = []
    for index, line in edge:
        if _BARE_NUMBER.fullmatch(line):
            is_furniture = int(_first_number(line)) - page in counting
        else:
            recurs = _edge_key(line) in recurring and not _is_content(line, kept)
            is_furniture = recurs or _PAGE_NUMBER.fullmatch(line) is not None
        if not is_furniture:
            break
        found.append(index)
    return found


def _first_number(line: str) -> str:
    return next(number[0] for number in re.finditer(r"\d+", line))


def _is_content(line: str, kept: set[str]) -> bool:
    """Tell whether a recurring line is text after all: from the middle of a sentence, or a sentence's first time."""
    if line[0].islower() or line.endswith("-"):
        return True
    if not _reads_like_sentence(line) or line in kept:
        return False
    kept.add(line)
    return True


def viewer_page(line: str, following: str) -> str | None:
    """Return the page number of a head such as "Page 37 - Title", whose next line repeats it: "P. 37"."""
    head = _VIEWER_HEAD.fullmatch(line.strip())
    if head is None or not re.fullmatch(rf"p\.?\s*{head[1]}", following.strip(), re.IGNORECASE):
        return None
    return head[1]


def drop_page_labels(lines: list[str]) -> list[str]:
    """Drop page labels that are sure without knowing the page, and bare numbers that repeat one of them."""
    numbers: set[str] = set()
    kept = []
    for index, line in enumerate(lines):
        bare = line.strip()
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if _PAGE_LABEL.fullmatch(bare) or viewer_page(line, following) or _is_strip(bare):
            if not _is_strip(bare):
                numbers.add(_first_number(bare))
            kept.append(line[: len(line) - len(line.lstrip("\f"))])
        else:
            kept.append(line)
    return ["" if line.strip(" \t").isdigit() and line.strip(" \t") in numbers else line for line in kept]


def _is_strip(line: str) -> bool:
    """Tell whether the line only counts pages: "35   36   37"."""
    if not _PAGE_STRIP.fullmatch(line):
        return False
    numbers = [int(number) for number in line.split()]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


# --- The frame of a copied web page -----------------------------------------------------------------------------------

# Lines that only a web page's controls have, whatever stands around them.
_CONTROL = re.compile(
    r"(?:impressum|menü|hauptmenü|menu|navigation|suche|inhalt|details|sprachauswahl) "
    r"(?:verstecken|anzeigen|einblenden|ausblenden|öffnen|schließen|ausklappen|einklappen|show|hide|open|close)"
    r"|(?:\S+ )?(?:rozwiń|zwiń|pokaż|ukryj)(?: \S+){0,2}"
    r"|(?:zum|zur) (?:inhalt|hauptinhalt|navigation|hauptnavigation|suche|startseite)(?: springen| wechseln)?"
    r"|skip to (?:main )?(?:content|navigation)|przejdź do (?:treści|menu|wyszukiwarki)"
    r"|(?:auf|via|über|per|on|w) (?:facebook|twitter|x|whatsapp|linkedin|e-mail|mastodon)(?: teilen| share)?"
    r"|(?:diese )?(?:seite|artikel|beitrag) (?:drucken|teilen|empfehlen|vorlesen)|nach oben|back to top|do góry"
    r"|(?:alle )?cookies? (?:akzeptieren|ablehnen|zulassen|einstellungen)|cookie-einstellungen|accept (?:all )?cookies"
    r"|alle akzeptieren|nur notwendige cookies|akceptuję|meldung(?:en)? suchen|(?:share|print) this page"
    r"|drukuj|udostępnij"
    r"|(?:start|startseite|home|strona główna) ?[>›»/|→] ?.+"
)
# Lines that a page's frame has but a text may have too: they go only together with others of the frame.
_FRAME_WORDS = frozenset(
    {
        "siehe auch", "impressum", "zurück", "archiv", "start", "startseite", "home", "kontakt", "datenschutz", "suche",
        "suchen", "menü", "menu", "navigation", "drucken", "teilen", "weiterlesen", "mehr lesen", "anmelden", "login",
        "newsletter", "barrierefreiheit", "leichte sprache", "gebärdensprache", "sitemap", "rss", "facebook", "twitter",
        "instagram", "youtube", "linkedin", "whatsapp", "de", "en", "pl", "deutsch", "english", "polski", "vorlesen",
        "see also", "related", "imprint", "legal notice", "back", "search", "contact", "share", "print", "privacy",
        "archive", "zobacz także", "zobacz też", "wróć", "powrót", "szukaj", "kontakty", "archiwum",
        "polityka prywatności", "aktuelles", "presse", "themen", "feedback", "hilfe", "next", "previous", "weiter",
    }
)  # fmt: skip
# The imprint that such a page shows below an article. Its dates are read before cleaning (metadata.find_date).
_IMPRINT = re.compile(
    r"(?:herausgeber(?:in)?|redaktion|autor(?:in)?|veröffentlichungsdatum|veröffentlicht am|aktualisierungsdatum"
    r"|zuletzt aktualisiert|letzte änderung|publisher|published|last updated|data publikacji|data aktualizacji|wydawca"
    r"|opublikowano|autor publikacji|ostatnia aktualizacja|osoba publikująca) ?:.*"
)
# No menu entry is longer.
_CONTROL_LENGTH = 60


def remove_web_frame(lines: Sequence[str]) -> list[str]:
    """Return `lines` without the menu, search and share lines at the head and the foot of a copied web page.

    Words such as "Archiv", and imprint lines, go only where a line that is certainly a control stands beside them.
    """
    kept = list(lines)
    head = _frame_length(kept)
    kept = kept[head:]
    foot = _frame_length(kept[::-1])
    return kept[: len(kept) - foot]


def _frame_length(lines: Sequence[str]) -> int:
    """Return how many lines from the first on belong to the frame."""
    length, certain = 0, False
    for index, line in enumerate(lines):
        bare = " ".join(line.split()).casefold()
        if not bare:
            continue
        if "\f" in line or len(bare) > _CONTROL_LENGTH:
            break
        control = _CONTROL.fullmatch(bare) is not None
        if not control and bare not in _FRAME_WORDS and not _IMPRINT.fullmatch(bare):
            break
        certain = certain or control
        length = index + 1
    return length if certain else 0
