"""Pure: the body of a mail, with what it quotes of earlier mails in sections of their own and without its signature."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.cleaning import normalise
from ingest.lines import join_hyphens, join_lines, vocabulary
from ingest.loaders.base import Draft
from ingest.loaders.html import QUOTE_BEGINS, QUOTE_ENDS, load_html_mail
from ingest.loaders.text import heading_lines, write_lines

# Section headings for quotations that nothing introduces, and for what is written below or between quotations.
_QUOTATION, _ANSWER = "Zitat", "Antwort"
_HEADING = "\ue002"
_OUR_MARKS = str.maketrans("", "", QUOTE_BEGINS + QUOTE_ENDS + _HEADING)
_QUOTE_SIGNS = re.compile(r"(?:>[ \t]?)+")
# Deeper ones are a thread that nobody cleaned up; they stay in the text, in the section of the last level.
_DEEPEST_QUOTE = 20
# "Am 3. März 2024 um 10:12 schrieb Anna Muster <a@stadt.example>:", "Anna Muster schrieb am 03.03.2024:"
_ATTRIBUTION = re.compile(
    r"(?:(?:am|on|w dniu|dnia)\b.{3,250}\b(?:schrieb|wrote|pisze|napisał(?:\(a\)|a)?|geschrieben)\b.{0,150}"
    r"|.{2,150}\b(?:schrieb|wrote|napisał(?:\(a\)|a)?)\s(?:am|on|w dniu|dnia)\s.{3,100}):",
    re.IGNORECASE,
)
# Mailers wrap it at 72 characters, names and addresses included.
_ATTRIBUTION_LINES, _LONGEST_ATTRIBUTION = 3, 400
_SEPARATOR = re.compile(
    r"[-_ ]{0,20}\b((?:Ursprüngliche|Weitergeleitete|Original|Forwarded|Oryginalna|Wiadomość)[ -]"
    r"(?:Nachricht|Message|Mail|E-Mail|wiadomość|oryginalna)|(?:Anfang der weitergeleiteten Nachricht"
    r"|Begin forwarded message)):?(?: -)?[-_ ]{0,20}",
    re.IGNORECASE,
)
# The head of an earlier mail as Outlook copies it: the sender, and below it at least two of the others.
_HEAD_SENDER = re.compile(r"\*?(?:Von|From|Od):\*?\s*\S", re.IGNORECASE)
_HEAD_OTHER = re.compile(
    r"\*?(?:Gesendet|Datum|An|Cc|Kopie|Betreff|Sent|Date|To|Subject|Wysłano|Data|Do|DW|Temat|Priorität|Importance)"
    r"(?: am)?:\*?(?:\s|$)",
    re.IGNORECASE,
)
_HEAD_LINES = 8
# Without the blank that makes "-- " a signature's mark, two hyphens above more lines than these divide a text.
_SIGNATURE_LINES = 10
_GREETING = re.compile(
    r"(?:hallo|hi|hey|moin|guten (?:tag|morgen|abend)|grüß|servus|lieber?|sehr geehrte|werte|dear|hello|good"
    r"|szanown|dzień dobry|witam|cześć|mit (?:freundlichen|besten)|(?:freundliche|beste|viele|liebe|herzliche) grüße)",
    re.IGNORECASE,
)


def write_body(draft: Draft, text: str, *, html: bool) -> None:
    """Add the body of a mail to `draft`; each earlier mail that it quotes becomes a section, its signature goes."""
    if html:
        lines = _html_lines(draft, text)
    else:
        lines = _mark_quotations(normalise(text.translate(_OUR_MARKS)).replace("\f", "\n").split("\n"))
    _BodyWriter(draft, vocabulary("\n".join(lines)), joined=html).write(lines)


def unflow(text: str, *, delete_space: bool) -> str:
    """Return format=flowed text with its soft line breaks taken out (RFC 3676); quote signs stay.

    `delete_space` is the parameter DelSp: the blank that marks a soft break is not part of the text.
    """
    lines: list[str] = []
    flowing: int | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        if flowing == depth and content != "-- ":
            before = lines[-1][:-1] if delete_space else lines[-1]
            lines[-1] = before + content
        else:
            lines.append(">" * depth + " " * (depth > 0) + content)
        flowing = depth if content.endswith(" ") and content != "-- " else None
    return "\n".join(lines)


def _html_lines(draft: Draft, source: str) -> list[str]:
    """Return the lines of an HTML body; "" parts paragraphs, a mark begins each heading."""
    extract = load_html_mail(source.translate(_OUR_MARKS))
    draft.drop_more(extract)
    headings = {mark.start for mark in extract.sections}
    lines, start = [], 0
    for line in extract.text.split("\n"):
        lines.append(_HEADING + line if start in headings else line)
        start += len(line) + 1
    return lines


def _mark_quotations(lines: Sequence[str]) -> list[str]:
    """Return the lines without quote signs; marks stand where a quotation begins and ends."""
    signs = [_QUOTE_SIGNS.match(line) for line in lines]
    depths = [min(sign.group().count(">"), _DEEPEST_QUOTE) if sign else 0 for sign in signs]
    marked: list[str] = []
    depth, following = 0, _depth_of_next(lines, depths)
    for line, sign, own, below in zip(lines, signs, depths, following, strict=True):
        # A blank line within a quotation, whose sign the mailer has left out, does not end it.
        new = own if sign or line.strip() else min(depth, below)
        marked += [QUOTE_BEGINS] * (new - depth) + [QUOTE_ENDS] * (depth - new)
        marked.append(line[sign.end() :] if sign else line)
        depth = new
    return marked + [QUOTE_ENDS] * depth


def _depth_of_next(lines: Sequence[str], depths: Sequence[int]) -> list[int]:
    """Return for each line how deep the next line is quoted that is not blank."""
    found = [0] * len(lines)
    for index in range(len(lines) - 2, -1, -1):
        below = index + 1
        found[index] = depths[below] if lines[below].strip() else found[below]
    return found


class _BodyWriter:
    """Writes marked lines into a draft, a section for each quotation."""

    def __init__(self, draft: Draft, words: frozenset[str], *, joined: bool) -> None:
        self._draft = draft
        self._words = words
        # Whether each line is a paragraph already.
        self._joined = joined
        self._waiting: list[str] = []
        self._depth = 0
        # Whether an earlier mail stands below a separator, so that all that follows belongs to it.
        self._below_separator = False
        # The heading of what comes next, if anything comes.
        self._announced: str | None = None
        # Whether the last thing written was a heading.
        self._headed = False

    def write(self, lines: Sequence[str]) -> None:
        head_until = 0
        for index, line in enumerate(lines):
            bare = line.strip()
            if index < head_until:
                continue
            if line == QUOTE_BEGINS:
                self._begin(self._attribution() or self._unless_headed(_QUOTATION))
                self._depth += 1
            elif line == QUOTE_ENDS:
                self._flush()
                self._depth -= 1
                self._announced = _QUOTATION if self._depth or self._below_separator else _ANSWER
            elif separator := _SEPARATOR.fullmatch(bare):
                self._begin(separator[1])
                self._below_separator = self._depth == 0
            elif head := _copied_head(lines, index):
                self._write_head(head)
                head_until = index + len(head)
            else:
                self._waiting.append(line)
                if not bare and self._waiting[-2:-1] != [line] and (attribution := self._attribution()):
                    self._begin(attribution)
        self._flush()

    def _begin(self, heading: str | None) -> None:
        """Begin a section with what follows."""
        self._flush()
        if heading:
            self._draft.heading(heading)
            self._announced = None
            self._headed = True

    def _unless_headed(self, heading: str) -> str | None:
        """Return `heading` unless nothing has been written since the last one, which then serves."""
        self._flush()
        return None if self._headed else heading

    def _write_head(self, head: Sequence[str]) -> None:
        first = self._unless_headed(head[0])
        self._begin(first)
        for line in head if first is None else head[1:]:
            self._draft.line(line)
        self._headed = True
        self._below_separator = self._depth == 0

    def _attribution(self) -> str | None:
        """Take the line that introduces a quotation off what waits, None where its end is none."""
        end = len(self._waiting)
        while end and not self._waiting[end - 1].strip():
            end -= 1
        for count in range(1, min(_ATTRIBUTION_LINES, end) + 1):
            line = " ".join(" ".join(self._waiting[end - count : end]).split())
            above = self._waiting[end - count - 1].strip() if end > count else ""
            if not above and len(line) <= _LONGEST_ATTRIBUTION and _ATTRIBUTION.fullmatch(line):
                del self._waiting[end - count :]
                return line
        return None

    def _flush(self) -> None:
        end = _signature_start(self._waiting)
        lines = self._waiting[:end]
        for line in self._waiting[end + 1 :]:  # its mark is no text
            self._draft.drop(line.removeprefix(_HEADING))
        self._waiting = []
        if not any(character.isalnum() for line in lines for character in line):
            return
        if self._announced:
            self._draft.heading(self._announced)
            self._announced = None
        self._headed = False
        if self._joined:
            headings = {index for index, line in enumerate(lines) if line.startswith(_HEADING)}
            lines = [line.removeprefix(_HEADING) for line in lines]
        else:
            lines = [join_hyphens(line, self._words) for line in join_lines(lines, self._words)]
            headings = {index for index in heading_lines(lines) if not _GREETING.match(lines[index])}
        write_lines(self._draft, lines, headings)


def _copied_head(lines: Sequence[str], index: int) -> list[str]:
    """Return the lines of an earlier mail's head that begins at `index`, none where no head begins there."""
    if not _HEAD_SENDER.match(lines[index].strip()):
        return []
    end, labelled = index + 1, 0
    for at in range(index + 1, min(index + _HEAD_LINES, len(lines))):
        if not lines[at].strip():
            break
        # A long list of recipients goes on below its label.
        if _HEAD_OTHER.match(lines[at].strip()):
            end, labelled = at + 1, labelled + 1
    return [line.strip() for line in lines[index:end]] if labelled >= 2 else []


def _signature_start(lines: list[str]) -> int:
    """Return the index of the line that begins the signature, that of the end where there is none."""
    for index, line in enumerate(lines):
        if line == "-- ":
            return index
        if line.strip() == "--" and sum(bool(below.strip()) for below in lines[index + 1 :]) <= _SIGNATURE_LINES:
            return index
    return len(lines)
