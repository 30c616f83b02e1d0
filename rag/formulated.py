"""What is kept of a language model's text: sentences with a mark, without links, that their passages support (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rag.claims import Verdict
from rag.errors import LanguageModelError
from rag.schema import Language
from rag.sentences import sentence_spans

# A model may end its text anywhere; beyond this nobody reads on, and checking takes time.
MAX_SENTENCES = 12
_MAX_TEXT = 6000
_MARK = re.compile(r"\s*\[(\d{1,3})\]")
_MARKS_BEHIND = re.compile(r"([.!?…][\"“”»']?)((?:\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\])+)")
_AFTER_MARK = re.compile(r"(\[\d{1,3}\][.!?…]+)\s+")
_MARK_LIST = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})+)\]")
# Links, images, markup, code: nothing of that is in a plain sentence.
_MARKUP = re.compile(
    r"!\[|\]\s*\(|\]\s*\[(?!\d)|\]:|[<>{}|`\\^~*_#=]|[^\s@]@[^\s@]|\b[a-z][a-z0-9+.-]*:(?=[/\w])|//|\bwww\."
    r"|[^\W\d_]{2,}\.[^\W\d_]{2,}|\b\d{1,3}(?:\.\d{1,3}){3}\b|&#?\w+;|%[0-9a-f]{2}",
    re.IGNORECASE,
)
# What models set of their own accord, and what a plain sentence loses nothing by: bold words, and signs of a list.
_BOLD = re.compile(r"(\*\*|__)(?=\S)([^*_\n]+)(?<=\S)\1")
_BULLET = re.compile(r"^[ \t]*[-*•–][ \t]+", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*(\d{1,2})[.)][ \t]+", re.MULTILINE)
_QUOTED = re.compile(r"[„“\"»«‚‘]([^„“”\"»«‚‘’]{3,}?)[“”\"«»’‘]")
_NOTES: dict[Language, str] = {
    "de": "(Sätze, die sich nicht belegen ließen, wurden entfernt.)",
    "en": "(Sentences without support in the documents were removed.)",
    "pl": "(Usunięto zdania bez potwierdzenia w dokumentach.)",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that was kept, without its marks, and the passages it cites."""

    text: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of a text, and what was removed: pairs of sentence and reason."""

    kept: tuple[Sentence, ...]
    removed: tuple[tuple[str, str], ...]


class UnsupportedError(LanguageModelError):
    """Too little of what the language model wrote is supported; `checked` is what came of it."""

    def __init__(self, found: Checked) -> None:
        kept, written = len(found.kept), len(found.kept) + len(found.removed)
        super().__init__(f"{kept} of {written} sentences that the language model wrote are supported.")
        self.checked = found


def checked(
    text: str,
    passages: Mapping[int, str],
    verify: Callable[[str, tuple[int, ...]], Verdict],
    *,
    whole: bool = True,
) -> Checked:
    """Return the sentences of `text` that may be shown.

    Args:
        passages: the text that each marker stands for.
        verify: tells whether a sentence is supported by the passages with these markers.
        whole: whether the text is at its end; while it grows, its last sentence is not judged.
    """
    plain = _plain(text[:_MAX_TEXT])
    kept: list[Sentence] = []
    removed: list[tuple[str, str]] = []
    spans = sentence_spans(plain)
    for number, (start, end) in enumerate(spans if whole else spans[:-1]):
        written = plain[start:end]
        markers = tuple(dict.fromkeys(int(mark) for mark in _MARK.findall(written) if int(mark) in passages))
        sentence = " ".join(_MARK.sub("", written).split())
        reason = _unfit(sentence, markers, passages) if number < MAX_SENTENCES else "length"
        if not reason:
            verdict = verify(sentence, markers)
            reason = "" if verdict.supported else verdict.reason
        if reason:
            removed.append((sentence, reason))
        elif all(sentence != other.text for other in kept):
            kept.append(Sentence(sentence, markers))
    return Checked(tuple(kept), tuple(removed))


def written_out(found: Checked, numbers: Mapping[int, int], language: Language) -> str:
    """Return the kept sentences as one text, with the marks that `numbers` gives each, and a note on what is gone."""
    sentences = [
        f"{_unended(s.text)} {_marks([numbers[mark] for mark in s.markers])}{_end(s.text)}" for s in found.kept
    ]
    text = " ".join(sentences)
    return f"{text}\n\n{_NOTES[language]}" if found.removed else text


def _plain(text: str) -> str:
    """Return `text` without what is invisible, bold or numbers a list, and with marks before the full stop."""
    visible = "".join(
        character if character in "\n\t" or unicodedata.category(character)[0] != "C" else "" for character in text
    )
    flat = _BULLET.sub("", _BOLD.sub(r"\2", visible))
    numbers = [int(number) for number in _NUMBERED.findall(flat)]
    if len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1)):  # else it may be a date: "3. Mai"
        flat = _NUMBERED.sub("", flat)
    single = _MARK_LIST.sub(lambda match: "".join(f"[{n.strip()}]" for n in match.group(1).split(",")), flat)
    before = _MARKS_BEHIND.sub(lambda match: f"{match.group(2)}{match.group(1)} ", single)
    return _AFTER_MARK.sub(r"\1\n", before)  # whatever follows, it is another sentence


def _unfit(sentence: str, markers: tuple[int, ...], passages: Mapping[int, str]) -> str:
    if _MARKUP.search(sentence):
        return "markup"
    if not markers:
        return "mark"
    texts = [" ".join(passages[marker].split()) for marker in markers]
    if any(not any(quote.strip(" .,") in text for text in texts) for quote in _QUOTED.findall(sentence)):
        return "quote"
    if sentence.endswith("?"):
        return "question"
    return ""


def _unended(sentence: str) -> str:
    return sentence[:-1] if sentence[-1] in ".!" else sentence


def _end(sentence: str) -> str:
    return sentence[-1] if sentence[-1] in ".!" else "."


def _marks(numbers: list[int]) -> str:
    return " ".join(f"[{number}]" for number in numbers)
