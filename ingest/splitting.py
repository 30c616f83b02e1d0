"""Pure: where a stored text is cut into the passages that are embedded and found."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.sentences import sentence_spans

Span = tuple[int, int]

# A section this short says too little to be found alone: its heading would outweigh it. It joins the next one.
_TINY_SECTION = 150
# Shorter sentences never stand apart from the next; this also bounds the work on texts of a thousand tiny lines.
_TINY_SENTENCE = 20
# What a border costs, against the squared deviation from the target size: a paragraph is broken only to avoid a passage
# that is a third too long or too short, and a list or table only if there is no paragraph to break at.
_WITHIN_PARAGRAPH, _BETWEEN_LINES, _BETWEEN_PARAGRAPHS = 0.1, 0.03, 0.0
_CLAUSE = re.compile(r"[,;:–—)](?=\s)")
_BLANK = re.compile(r"(?=\s)")


def passage_spans(
    text: str, section_starts: Sequence[int], target: int = 700, maximum: int = 1000
) -> list[tuple[int, int]]:
    """Return the `[start, end)` ranges of the passages of `text`, in code points, in order, without overlap.

    Every character that is not blank is in exactly one passage. Passages end where sentences end, begin anew where a
    section begins (`section_starts`, ascending), are about `target` and at most `maximum` characters long. A heading
    or a question stays with what follows it; a section that is tiny goes with the next. Only a sentence longer than
    `maximum` is cut, at a clause or a blank.
    """
    if not 0 < target <= maximum:
        raise ValueError(f"target is {target} and maximum {maximum}; 0 < target <= maximum is needed")
    spans: list[Span] = []
    for section, headings in _sections(text, section_starts):
        spans += _partition(text, _atoms(text, section, headings, maximum), target, maximum)
    return spans


def _sections(text: str, starts: Sequence[int]) -> Iterator[tuple[list[Span], set[int]]]:
    """Yield the sentences of each section, tiny ones merged, with the starts of the sections in it."""
    section: list[Span] = []
    headings: set[int] = set()
    done: tuple[list[Span], set[int]] | None = None
    current = 0
    for span in sentence_spans(text):
        number = bisect_right(starts, span[0])
        if number != current and section and section[-1][1] - section[0][0] >= _TINY_SECTION:
            if done:
                yield done
            done, section, headings = (section, headings), [], set()
        if number != current:
            headings.add(span[0])
            current = number
        section.append(span)
    if done and section and section[-1][1] - section[0][0] < _TINY_SECTION:
        # Nothing follows the last section, so a tiny one goes with the one before it.
        done = (done[0] + section, done[1] | headings)
        section = []
    if done:
        yield done
    if section:
        yield section, headings


def _atoms(text: str, sentences: Sequence[Span], headings: set[int], maximum: int) -> list[Span]:
    """Return what must not be torn apart: sentences, headings with what follows, lines that introduce a list."""
    atoms: list[Span] = []
    open_end = False
    in_heading = False
    new_line_before = True
    for index, (start, end) in enumerate(sentences):
        room = maximum - (start - atoms[-1][0]) if open_end else maximum
        if open_end and room < min(end - start, maximum // 2):
            open_end, room = False, maximum
        for piece in _cut(text, start, end, room, maximum):
            if open_end and piece[1] - atoms[-1][0] <= maximum:
                atoms[-1] = (atoms[-1][0], piece[1])
            else:
                atoms.append(piece)
            open_end = False
        following = sentences[index + 1][0] if index + 1 < len(sentences) else end
        new_line_after = "\n" in text[end:following]
        # A heading may be two sentences on one line; it is open until its line ends.
        in_heading = start in headings or (in_heading and not new_line_before)
        tiny = atoms[-1][1] - atoms[-1][0] < _TINY_SENTENCE
        open_end = in_heading or tiny or (new_line_after and text[end - 1] == ":")
        new_line_before = new_line_after
    return atoms


def _cut(text: str, start: int, end: int, first_room: int, maximum: int) -> list[Span]:
    """Return a sentence as pieces of at most `maximum` characters, the first of at most `first_room`; mostly one."""
    pieces: list[Span] = []
    room = first_room
    while end - start > room:
        remaining = end - start
        # Equal pieces, so that none of a few characters is left at the end.
        ideal = min(room, -(-remaining // -(-remaining // maximum)))
        border = _border(text, start, start + ideal, start + room)
        pieces.append((start, border))
        start = border
        while start < end and text[start].isspace():
            start += 1
        room = maximum
    if start < end:
        pieces.append((start, end))
    return pieces


def _border(text: str, start: int, ideal: int, latest: int) -> int:
    """Return the end of a clause near `ideal`, else of a word, else `ideal` itself."""
    earliest = start + (ideal - start) // 2
    for pattern in (_CLAUSE, _BLANK):
        ends = [match.end() for match in pattern.finditer(text, earliest, latest)]
        if ends:
            nearest = min(ends, key=lambda end: abs(end - ideal))
            if text[start:nearest].strip():
                return start + len(text[start:nearest].rstrip())
    return ideal


def _partition(text: str, atoms: Sequence[Span], target: int, maximum: int) -> list[Span]:
    """Group atoms to passages of at most `maximum` with the least squared deviation from `target`.

    Dynamic programming over the borders between atoms: `costs[i]` is the least cost of the first `i` atoms.
    """
    borders = [0.0, *(_border_cost(text[one[1] : two[0]]) for one, two in pairwise(atoms)), 0.0]
    costs = [0.0]
    origins = [0]
    for end in range(1, len(atoms) + 1):
        best, origin = float("inf"), end - 1
        for start in range(end - 1, -1, -1):
            length = atoms[end - 1][1] - atoms[start][0]
            if length > maximum and start < end - 1:
                break
            cost = costs[start] + borders[start] + ((length - target) / target) ** 2
            if cost < best:
                best, origin = cost, start
        costs.append(best)
        origins.append(origin)
    spans: list[Span] = []
    end = len(atoms)
    while end:
        spans.append((atoms[origins[end]][0], atoms[end - 1][1]))
        end = origins[end]
    return spans[::-1]


def _border_cost(between: str) -> float:
    breaks = between.count("\n")
    return (_WITHIN_PARAGRAPH, _BETWEEN_LINES, _BETWEEN_PARAGRAPHS)[min(breaks, 2)]
