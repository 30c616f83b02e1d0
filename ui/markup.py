"""The HTML of the conversation: questions, answers, citations. Pure functions; nothing in them trusts a text.

Gradio's chatbot reads its messages as Markdown with HTML in it. So each message is one HTML block without a line break,
and every text in it is written as character references: neither Markdown nor HTML finds anything to interpret there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Final
from urllib.parse import quote, urlencode

from rag.language import local_date
from rag.retrieval import ALL
from rag.schema import Answer, Citation, Document, Filters, Language, Passage
from rag.sentences import sentence_spans
from ui.texts import LANGUAGE_NAMES, text
from ui.view import FILTER_NAMES, address

# A reader can judge a sentence with about three more on either side.
CONTEXT_CHARACTERS: Final = 400

# From this confidence on, which is the share of right answers among those with it.
_SURENESS: Final = ((0.75, "sure_high"), (0.55, "sure_middle"))

# Letters, digits and blanks mean nothing to Markdown; the underscore, also a word character, does. References to the
# control characters from 0x80 on would be read as other characters (HTML standard, 13.2.5.80), so they stay.
_MEANINGFUL = re.compile(r"[^\w \x80-\x9f]|_")
# Words at either end of a quote by which a browser finds it in a web page.
_FRAGMENT_WORDS: Final = 5
_EMPTY_LINES = re.compile(r"\n\s*\n")
_MARK = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Context:
    """A quote as it stands in its document: the text before and after it, and the document's language."""

    before: str
    after: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came of it: an answer, or the key of the text that says what went wrong, or nothing yet.

    `contexts` belong to the citations, in order; None where the document no longer holds the quote. `understood` is a
    follow-up question as it was answered; `nearby` are passages to show where there is no answer, each with the
    language of its document; only documents that pass `filters` were asked. `suggestion` is the question spelt so that
    it has an answer. While a language model is writing, the turn is `growing`.
    """

    question: str
    answer: Answer | None = None
    contexts: tuple[Context | None, ...] = ()
    error: str | None = None
    understood: str | None = None
    nearby: tuple[tuple[Passage, str | None], ...] = ()
    filters: Filters = ALL
    suggestion: str | None = None
    growing: bool = False


def literal(content: str) -> str:
    """Return `content` so that a browser shows exactly it, whether it is read as HTML or as Markdown."""
    return _MEANINGFUL.sub(lambda match: f"&#{ord(match.group())};", content)


def _close(content: str) -> str:
    """Return `content` without empty lines, which take much room on a small page. Marked quotes stay as they are."""
    return literal(_EMPTY_LINES.sub("\n", content))


def surroundings(document: Document, citation: Citation, width: int = CONTEXT_CHARACTERS) -> Context | None:
    """Return up to `width` characters on either side of the quote, cut between words, or None if it is not there."""
    stored, start, end = document.text, citation.start, citation.end
    if stored[start:end] != citation.quote:
        return None
    before, after = stored[max(0, start - width) : start], stored[end : end + width]
    if start > width:
        before = "… " + before[_first_blank(before) :].lstrip()
    if end + width < len(stored):
        after = after[: len(after) - _first_blank(after[::-1])].rstrip() + " …"
    return Context(before, after, document.language)


def _first_blank(content: str) -> int:
    """Return the offset of the first white space, or 0 where there is none to cut at."""
    blank = re.search(r"\s", content)
    return blank.start() if blank else 0


def document_address(citation: Citation | Passage, language: Language) -> str:
    """Return the address of the document page with the quote marked, relative to the chat page."""
    query = urlencode({"start": citation.start, "end": citation.end, "lang": language})
    return f"documents/{quote(citation.document_id, safe='')}?{query}#quote"


def original_address(cited: Citation | Passage) -> str | None:
    """Return where the original of a text can be seen at its place: a web page, a PDF at its page; else None."""
    if is_web_address(cited.source):
        quoted = (cited.quote if isinstance(cited, Citation) else cited.text).split()
        # A text fragment names the first and the last words (WICG, URL Fragment Text Directives); a hyphen has a
        # meaning of its own there.
        ends = [" ".join(quoted[:_FRAGMENT_WORDS]), " ".join(quoted[_FRAGMENT_WORDS:][-_FRAGMENT_WORDS:])]
        fragment = ",".join(quote(end, safe="").replace("-", "%2D") for end in ends if end)
        return f"{cited.source.partition('#')[0]}#:~:text={fragment}"
    if PureWindowsPath(cited.source).suffix.lower() == ".pdf" and "!" not in cited.source:  # none inside a mail
        page = f"#page={cited.page}" if cited.page is not None else ""
        return f"original/{quote(cited.document_id, safe='')}{page}"
    return None


def question_html(turn: Turn, language: Language) -> str:
    """Return the user's message."""
    spoken = f' lang="{turn.answer.language}"' if turn.answer else ""
    asked = f"<span{spoken}>{literal(turn.question)}</span>"
    return f'<div class="question">{_hidden(text("your_question", language))}{asked}</div>'


def answer_html(
    turn: Turn, number: int, language: Language, *, max_question: int, contact: str = "", rating: str = ""
) -> str:
    """Return the reply to `turn`, the `number`-th of the conversation, in the interface language `language`.

    `contact` is HTML that says whom to ask where there is no answer, `rating` HTML by which to rate the reply.
    """
    if turn.error is not None:
        message = text(turn.error, language).format(limit=max_question)
        return _turn(_card("failed", _heading(text("error", language)) + _paragraph(message)))
    answer = turn.answer
    if answer is None:
        return _turn(_understood(turn, language) + _card("searching", _paragraph(text("searching", language))))
    if answer.abstained:
        reply = _heading(text("no_answer", language)) + _paragraph(answer.answer, answer.language)
        reply += _suggestion(turn, language) + contact
        reply += _actions(turn, language, rating)
        return _turn(_understood(turn, language) + _card("abstained", reply) + _nearby(turn.nearby, language))
    body = _hidden(text("answer", language)) + _quoted(turn, number, language)
    body += _reply(turn, answer.answer, number, language) + _on_words(turn, language)
    body += _panel(turn, answer, number, language) + _actions(turn, language, rating)
    return _turn(_understood(turn, language) + _card("answered formulating" if turn.growing else "answered", body))


def partial_answers(turn: Turn, number: int, language: Language) -> list[str]:
    """Return the reply as it grows sentence by sentence, each longer than the one before, all without citations."""
    answer = turn.answer
    if answer is None or answer.abstained:
        return []
    ends = [end for _, end in sentence_spans(answer.answer)]
    opening = _hidden(text("answer", language))
    understood = _understood(turn, language)
    return [
        _turn(understood + _card("growing", opening + _reply(turn, answer.answer[:end], number, language)))
        for end in ends
    ]


def _panel(turn: Turn, answer: Answer, number: int, language: Language) -> str:
    """Return the sources, and how sure the answer is; beside the answer where the window has room."""
    cited = zip(answer.citations, turn.contexts, strict=True)
    items = "".join(f"<li>{_citation(citation, context, number, language)}</li>" for citation, context in cited)
    level = _sureness(answer.confidence)
    sure = f'<p class="sure {level.removeprefix("sure_")}">{literal(text(level, language))}</p>'
    sources = f'<ol class="citations">{items}</ol>' if items else ""
    return f'<div class="panel"><h3>{literal(text("sources", language))}</h3>{sure}{sources}</div>'


def _reply(turn: Turn, shown: str, number: int, language: Language) -> str:
    """Return the first part `shown` of the answer's text: its opening quote in the language it is quoted from."""
    answer = turn.answer
    assert answer is not None
    first, context = next(iter(answer.citations), None), next(iter(turn.contexts), None)
    quoted = shown[: len(first.quote)] if first and answer.answer.startswith(first.quote) else ""
    spoken = (context and context.language) or answer.language
    linked = _linked(shown[len(quoted) :], answer, number, language)
    # A screen reader has the quote by now, and is told the words once they are whole.
    quiet = ' aria-live="off"' if turn.growing and answer.mode == "generative" else ""
    return (
        f'<p class="reply" lang="{answer.language}"{quiet}><span lang="{literal(spoken)}">{_close(quoted)}</span>'
        f"{linked}</p>"
    )


def _quoted(turn: Turn, number: int, language: Language) -> str:
    """Return the first quote of a formulated answer, to stand above its words: the quote is what holds."""
    answer = turn.answer
    assert answer is not None
    if answer.mode == "extractive" or not answer.citations:
        return ""
    context = turn.contexts[0]
    spoken = (context and context.language) or answer.language
    mark = _linked(" [1]", answer, number, language)
    return f'<p class="quoted"><q lang="{literal(spoken)}">{_close(answer.citations[0].quote)}</q>{mark}</p>'


def _on_words(turn: Turn, language: Language) -> str:
    """Return what is to be said of the language model: that it is writing, or why its words are not shown."""
    assert turn.answer is not None
    key = "formulating" if turn.growing else turn.answer.note
    return f'<p class="words">{literal(text(key, language))}</p>' if key else ""


def _sureness(confidence: float) -> str:
    """Return the key of the words for how sure the answer is: readers take a percentage for more than it is."""
    return next((key for limit, key in _SURENESS if confidence >= limit), "sure_low")


def _understood(turn: Turn, language: Language) -> str:
    """Return what the reader cannot see from the question: how it was taken, and which documents were asked."""
    lines = []
    if turn.understood is not None:
        lines.append(text("understood", language, question=turn.understood))
    if turn.filters != ALL:
        lines.append(text("filtered", language, filters=_said(turn.filters, language)))
    return "".join(f'<div class="understood">{literal(line)}</div>' for line in lines)


def _said(filters: Filters, language: Language) -> str:
    said = {name: value for name in FILTER_NAMES if (value := getattr(filters, name))}
    if filters.language in LANGUAGE_NAMES:
        said["language"] = LANGUAGE_NAMES[filters.language]
    return "; ".join(f"{text(f'filter_{name}', language)} {value}" for name, value in said.items())


def _suggestion(turn: Turn, language: Language) -> str:
    if turn.suggestion is None:
        return ""
    link = literal(address(turn.filters, language, turn.suggestion))
    asked = f'<a class="again" href="{link}">{literal(turn.suggestion)}</a>'
    return f'<p class="suggestion">{literal(text("did_you_mean", language))} {asked}</p>'


def _actions(turn: Turn, language: Language, rating: str) -> str:
    """Return what can be done with an answer as a whole."""
    link = literal(address(turn.filters, language, turn.understood or turn.question))
    return (
        f'<p class="actions"><a class="link" href="{link}">{literal(text("link_question", language))}</a>{rating}</p>'
    )


def _nearby(passages: tuple[tuple[Passage, str | None], ...], language: Language) -> str:
    if not passages:
        return ""
    items = "".join(f"<li>{_passage(passage, spoken, language)}</li>" for passage, spoken in passages)
    return (
        f'<div class="card nearby"><h3>{literal(text("nearby", language))}</h3><ul class="citations">{items}</ul></div>'
    )


def _passage(passage: Passage, spoken: str | None, language: Language) -> str:
    facts, lang = literal(_facts(passage, language)), _lang(spoken)
    return (
        f'<details class="citation"><summary><span class="number"></span>'
        f'<span class="title"{lang}>{literal(passage.title)}</span><span class="facts">{facts}</span></summary>'
        f"<blockquote{lang}>{_close(passage.text)}</blockquote>{_origin(passage, language)}</details>"
    )


def _linked(shown: str, answer: Answer, number: int, language: Language) -> str:
    """Return text of the answer with each [n] that has a citation as a link to it."""
    markers = {citation.marker for citation in answer.citations}
    parts, position = [], 0
    for mark in _MARK.finditer(shown):
        marker = int(mark.group(1))
        if marker in markers:
            parts.append(_close(shown[position : mark.start()]))
            parts.append(
                f'<a class="mark" href="#{_anchor(number, marker)}">{_hidden(text("source_number", language))}'
                f"&#91;{marker}&#93;</a>"
            )
            position = mark.end()
    return "".join(parts) + _close(shown[position:])


def _citation(citation: Citation, context: Context | None, number: int, language: Language) -> str:
    facts = literal(_facts(citation, language))
    before, after = (context.before, context.after) if context else ("", "")
    lang = _lang(context.language if context else None)
    return (
        f'<details class="citation" id="{_anchor(number, citation.marker)}">'
        f'<summary><span class="number">{_hidden(text("source_number", language))}{citation.marker}</span>'
        f'<span class="title"{lang}>{literal(citation.title)}</span><span class="facts">{facts}</span></summary>'
        f"<blockquote{lang}>{_close(before)}<mark>{literal(citation.quote)}</mark>{_close(after)}</blockquote>"
        f"{_origin(citation, language)}</details>"
    )


def _lang(spoken: str | None) -> str:
    return f' lang="{literal(spoken)}"' if spoken else ""


def _origin(cited: Citation | Passage, language: Language) -> str:
    """Return where a text comes from, with links to it in its document and in the original, and one that copies it."""
    links = [(document_address(cited, language), text("open_document", language))]
    original = original_address(cited)
    if original:
        links.append((original, text("open_pdf" if original.startswith("original/") else "open_web", language)))
    opening = "".join(
        f'<a href="{literal(href)}" target="_blank" rel="noopener">{literal(label)}'
        f"{_hidden(text('new_tab', language))}</a>"
        for href, label in links
    )
    copying = (
        f'<a class="copy" href="#"><span class="undone">{literal(text("copy", language))}</span>'
        f'<span class="done">{literal(text("copied", language))}</span></a>'
    )
    source = f'<span class="source">{literal(shown_source(cited.source))}</span>'
    return f'<p class="origin">{source}<span class="links">{opening}{copying}</span></p>'


def _facts(citation: Citation | Passage, language: Language) -> str:
    """Return date, type, department, page and section, as far as they are known and not said by the title."""
    date = local_date(citation.published, language) if citation.published else None
    page = text("page", language, page=citation.page) if citation.page is not None else None
    section = citation.section if citation.section != citation.title else None
    return " · ".join(fact for fact in (date, citation.type, citation.department, page, section) if fact)


def is_web_address(source: str) -> bool:
    """Tell whether a document's source may be a link."""
    return source.startswith(("https://", "http://"))


def shown_source(source: str) -> str:
    """Return the source as readers know it: an address as it is, of a file its name, not where the server keeps it."""
    return source if is_web_address(source) else PureWindowsPath(source).name or source


def _anchor(number: int, marker: int) -> str:
    return f"source-{number}-{marker}"


def _turn(body: str) -> str:
    """Return what belongs to one reply as one block, whose parts the style lays out."""
    return f'<div class="turn">{body}</div>'


def _card(kind: str, body: str) -> str:
    return f'<div class="card {kind}">{body}</div>'


def _heading(content: str) -> str:
    return f'<p class="heading">{literal(content)}</p>'


def _paragraph(content: str, language: Language | None = None) -> str:
    spoken = f' lang="{language}"' if language else ""
    return f"<p{spoken}>{literal(content)}</p>"


def _hidden(content: str) -> str:
    """Return words that screen readers say and nobody sees; the blank keeps them apart from what follows."""
    return f'<span class="unseen">{literal(content)} </span>'
