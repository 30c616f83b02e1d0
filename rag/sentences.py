"""Where sentences begin and end in German, English and Polish text.

Stored text has one paragraph, list item or table row a line, so a line break always ends a sentence. Within a line a
full stop ends one unless what stands before it (an abbreviation, an ordinal, an initial) or behind it (a lower-case
word) says otherwise. Where both readings are possible the sentences stay together: a quote that is a little long
still holds the answer, one that is cut in two may not.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"[^\n\r\f\v\u2028\u2029]+")
# A run of end marks with the quotes, brackets and note numbers that belong to it. Possessive, and nothing required
# behind it, so that 100,000 dots are one match and not a quadratic search.
_AFTER_MARKS = "\"'“”’‘»«›‹)]}*_¹²³⁴⁵⁶⁷⁸⁹⁰"
_END_MARKS = re.compile(rf"[.!?…]++[{re.escape(_AFTER_MARKS)}]*+(?:\[\d{{1,3}}\])*+")
# What may stand between the blank and the first word of the next sentence.
_OPENERS = "\"'„“”‚‘’»«›‹([{*_–—-•¿¡"
_NEXT_WORD = re.compile(rf"\s*+[{re.escape(_OPENERS)}\s]*+(\w++)(\.?)")
# No abbreviation is longer; the window keeps the look back at a full stop constant in time.
_LOOK_BACK = 40


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# They open a noun, a name or an example: a sentence never ends here, whatever follows.
_LEADING = _words(
    """
    dr prof dipl ing hr hrn bzw ca vgl sog sogen z.b d.h i.d.r u.u zzgl inkl einschl exkl ggf ggfs evtl bspw beispielsw
    insb insbes gem lt betr bez bzgl zw z.t z.zt v.a u.z i.a i.e e.g mr mrs ms messrs rev hon gov viz cf vs approx
    np tzn tj tzw m.in ul al pl os św ks inż mgr hab im por zob ok wg woj gm płk gen śp bł
    """
)
# Abbreviations that stand inside a sentence and now and then at its end: only a clear sentence opener ends it.
_INNER = _words(
    """
    st str hbf mio mrd tsd tel fax jh jhd chr std min max sek mind maj geb gest verh ev kath ehem stellv allg öff städt
    staatl bundesw intern nat int u.a o.g u.g o.a s.o s.u a.d a.m p.m v.chr n.chr e.v gmbh co inc ltd corp bros jr sr
    jan feb mär apr jun jul aug sept sep okt oct nov dez dec tys mln mld zł gr godz tyg dyr wiceprez red oprac wyd
    dept univ assn est hrsg verl aufl bearb übers beil ergänz verw kfz lkw pkw mwst
    """
)
# Abbreviations only in front of a number; otherwise words ("dieser Art.", "so.").
_BEFORE_NUMBER = _words(
    """
    art abs nr no s bd kap abb tab ziff rn anm pkt ust poz fig p pp vol ch sec tit ders mo di mi do fr sa so anl lfd
    """
)
# Abbreviations that close an enumeration: any capital behind them opens a sentence.
_CLOSING = _words("usw etc ff f itd itp uvm u.v.m u.ä o.ä ä u.dgl dgl i.in")
# Polish "r." (year) and "w." (century): "W 2015 r. Kraków ..." goes on, "... we Frankfurcie w 2015 r. Potem" does not.
_POLISH_TIME = frozenset({"r", "w"})
# An adverbial of time that opens a sentence, such as "Dnia 15 października 2025 r.", is shorter than this.
_OPENING_ADVERBIAL = 40
# Behind these a number counts and does not order: "auf Platz 2. Krefeld ..." ends at the 2.
_BEFORE_CARDINAL = _words(
    "platz rang seite punkt artikel nummer kapitel teil anlage über rund etwa knapp fast nur strona page part"
)
# Words that, with a capital, open a sentence and are no noun or name. They decide after ordinals and abbreviations.
_STARTERS = _words(
    """
    Der Die Das Dem Den Des Ein Eine Einen Einem Einer Eines Er Sie Es Wir Ihr Ihre Ihren Ihrem Ich Man Dies Diese
    Dieser Dieses Diesem Diesen Dabei Dafür Damit Danach Dann Daher Daran Darauf Daraus Darin Darüber Davon Davor Dazu
    Denn Dennoch Deren Deshalb Doch Dort Durch Auch Auf Aus Außerdem Bei Beide Beim Bereits Bis Für Gegen Gleichzeitig
    Heute Hier Hierbei Hierfür Hierzu Hinzu Im In Ins Insgesamt Ist Ja Jede Jeder Jedes Jedoch Kein Keine Mit Nach
    Nachdem Neben Nein Nicht Noch Nun Nur Ob Obwohl Ohne Oder Schon Sein Seine Seinen Seit Seitdem So Sobald Somit
    Sowohl Später Trotz Trotzdem Über Um Und Unser Unsere Unter Viele Vom Von Vor Wann Warum Was Weder Wegen Weil
    Weitere Welche Welcher Welches Wenn Wer Werden Wie Wird Wo Während Zu Zudem Zuerst Zugleich Zuletzt Zum Zur
    Zusammen Zuvor Zwar Zwischen Aber Alle Allerdings Als Also Am An Andere Anschließend Ab Sind War Waren Hat Haben
    The A An This That These Those It He She We They You I On At By For From With Without And But Or If When While
    After Before Since Until As Its Their Our His Her There Here However Also Both All Each Every No Not What Who Why
    How Where Which To Of Is Are Was Were During Today Now Then Thus
    W We Z Ze Na Do Od Po Przy Dla O Oraz Ale Jest Są To Ten Ta Te Ci Jego Jej Ich Nie Tak Już Jak Gdy Kiedy Gdzie Co
    Kto Który Która Które Jednak Ponadto Dlatego Także Również Oprócz Podczas Według Zdaniem Przed Przez Pod Nad Za
    Będzie Był Była Było Były Można Może Obecnie Tym Tej Tego Wszystkie Każdy Potem Następnie Dzięki
    """
)

_NUMBER = re.compile(r"[\d.,/:–-]*\d$")
# 3. / 21.–23. / 03.05. : may be an ordinal or a date; 1991, 1.250, 3,5 and 03.05.2024 may not.
_ORDINAL = re.compile(r"(?:\d{1,3}|\d{1,2}\.?[–-]\d{1,3}|\d{1,2}\.\d{1,2})$")
_ROMAN = re.compile(r"[IVXLCDM]+$")
_YEAR_OR_CENTURY = re.compile(r"\d$|^[IVXLCDM]+$")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,4}$")
_SINGLE_LETTER_DOT = re.compile(r"[^\W\d_]\.$")
_VOWELLESS = re.compile(r"[^\W\d_aeiouyäöüáéíóúàèąęAEIOUYÄÖÜ]{2,5}$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the `[start, end)` ranges of the sentences of `text`, in code points, in order, without blanks around.

    The ranges do not overlap and hold every character that is not blank. A line break always ends a sentence.
    """
    spans: list[tuple[int, int]] = []
    for line in _LINE.finditer(text):
        start = line.start()
        for marks in _END_MARKS.finditer(text, line.start(), line.end()):
            if _ends_sentence(text, start, marks, line.end()):
                _append_trimmed(spans, text, start, marks.end())
                start = marks.end()
        _append_trimmed(spans, text, start, line.end())
    return spans


def _append_trimmed(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    if start < end:
        spans.append((start, end))


def _ends_sentence(text: str, sentence_start: int, marks: re.Match[str], line_end: int) -> bool:
    """Tell whether the end marks `marks` close the sentence that began at `sentence_start`."""
    end = marks.end()
    if end >= line_end or not text[end].isspace():
        return False
    following = _NEXT_WORD.match(text, end, line_end)
    if following is None:
        return False
    word = following.group(1)
    if not _can_open(word):
        return False
    signs = marks.group().rstrip(_AFTER_MARKS + "[0123456789")
    if "?" in signs or "!" in signs:
        return True
    before = text[marks.start() - 1] if marks.start() > sentence_start else " "
    if signs.startswith(("…", "..")):
        # Free-standing or in brackets it marks what was left out, within a sentence.
        return not before.isspace() and before not in "[("
    if len(marks.group()) > len(signs):
        return _ends_before_closer(text, sentence_start, marks.start(), word)
    return _full_stop_ends(text, sentence_start, marks.start(), word, starter=_is_starter(following))


def _can_open(word: str) -> bool:
    """Tell whether `word` may begin a sentence: not in lower case, but mixed names such as mObywatel or iOS may."""
    return not word[0].islower() or any(letter.isupper() for letter in word[1:3])


def _is_starter(following: re.Match[str]) -> bool:
    # "A." or "I." with a full stop of its own is an initial, not an article or a pronoun.
    return following.group(1) in _STARTERS and not following.group(2)


def _ends_before_closer(text: str, sentence_start: int, stop: int, word: str) -> bool:
    """Decide for a full stop with a closing sign, 'word.)' or 'word.“': only '1.)', 'a.)' and '(usw.)' go on."""
    last, _, opens = _last_word(text, sentence_start, stop)
    if opens and (len(last) == 1 or _NUMBER.match(last)):
        return False
    return last.lower() not in _CLOSING | _INNER | _LEADING or word in _STARTERS


def _full_stop_ends(text: str, sentence_start: int, stop: int, word: str, *, starter: bool) -> bool:
    """Decide for a single full stop at `stop`, followed by the capitalised or numeric `word`."""
    last, before_last, opens = _last_word(text, sentence_start, stop)
    if not last:
        return not opens
    lower = last.lower()
    if _NUMBER.match(last):
        return _number_ends(last, before_last, word, opens=opens, starter=starter)
    if lower in _POLISH_TIME and _YEAR_OR_CENTURY.search(before_last):
        return starter or stop - sentence_start > _OPENING_ADVERBIAL
    if lower in _LEADING:
        return False
    if lower in _BEFORE_NUMBER and (word[0].isdigit() or _ROMAN.match(word)):
        return False
    if lower in _CLOSING:
        return not word[0].isdigit()
    if opens and (len(last) == 1 or _ROMAN.match(last)):
        return False  # "A. Die Stadt", "IV. Die Stadt": the label of a heading or an item
    unsure = (
        lower in _INNER
        or len(last) == 1
        or _ROMAN.match(last)
        or _DOTTED.match(last)
        or (_VOWELLESS.match(last) and not last.isupper())
    )
    return starter if unsure else True


def _number_ends(number: str, before: str, word: str, *, opens: bool, starter: bool) -> bool:
    """Decide for a number with a full stop: the item of a list, an ordinal, a date, or the end of a sentence."""
    if opens:
        return False
    if not _ORDINAL.match(number):
        return True
    if word[0].isdigit() or before.endswith((":", ";", ",")):
        return False
    return starter or before.lower() in _BEFORE_CARDINAL


def _last_word(text: str, sentence_start: int, stop: int) -> tuple[str, str, bool]:
    """Return the word before the full stop at `stop`, the word before that, and whether the first opens the sentence.

    Abbreviations written with blanks are put together: "z. B." gives "z.B".
    """
    floor = max(sentence_start, stop - _LOOK_BACK)
    words = text[floor:stop].split()
    if not words:
        return "", "", floor == sentence_start
    last = words.pop().lstrip(_OPENERS)
    if len(last) <= 2 and last.isalpha():
        while words and _SINGLE_LETTER_DOT.match(words[-1].lstrip(_OPENERS)):
            last = words.pop().lstrip(_OPENERS) + last
    opens = floor == sentence_start and not any(word.strip(_OPENERS) for word in words)
    return last, words[-1] if words else "", opens
