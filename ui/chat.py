"""The chat page: a Gradio app over an `Assistant`, in the language of the browser."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ui.offline  # noqa: F401  before gradio, which reads the environment while it is being imported

# isort: split
import gradio as gr
from gradio.i18n import I18nData
from starlette.requests import HTTPConnection

from rag.access import Reader
from rag.errors import CityciteError, NotFoundError, UsageError
from rag.follow_up import standalone
from rag.retrieval import ALL
from rag.schema import Answer, Citation, DocumentSummary, Language, Passage
from ui.examples import Examples
from ui.feedback import rating_html
from ui.filter_panel import FilterPanel, filters_of, view_html
from ui.identity import PLAIN, Identity, contact_html, links_html
from ui.journal import Journal, note_question
from ui.markup import Context, Turn, answer_html, literal, partial_answers, question_html, surroundings
from ui.memory import restored
from ui.sign_in.visitor import NOBODY, reader_of
from ui.texts import FALLBACK, LANGUAGE_NAMES, LANGUAGES, TEXTS, interface_language, text
from ui.view import address, filter_values

if TYPE_CHECKING:
    from rag import Assistant
    from rag.pipeline import Trail

logger = logging.getLogger(__name__)

ASSETS: Final = Path(__file__).parent / "assets"
SCRIPTS: Final = ("chat.js", "conversations.js", "connection.js", "feedback.js")
# Answering keeps every core busy for some tens of milliseconds: more at a time only make each wait longer.
CONCURRENT_ANSWERS: Final = 4
# Beyond it a visitor would wait minutes; a refusal is kinder.
WAITING_ANSWERS: Final = 100
# Passages shown where there is no answer.
NEARBY: Final = 3
# Lists of documents kept, one for each set of groups that readers are in.
LISTS: Final = 50
# A conversation is kept in memory while its page is open; older turns scroll out of it.
MAX_TURNS: Final = 50
# Open pages whose conversation is remembered; the one unused for longest is forgotten first.
CONVERSATIONS: Final = 1000
# A page left open over lunch goes on where it was; over night its conversation is forgotten.
CONVERSATION_SECONDS: Final = 4 * 3600
# Fonts that are on the reader's machine: a web font would be a request to a third party.
FONTS: Final = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "Liberation Sans", "sans-serif")
MONOSPACED: Final = ("ui-monospace", "Consolas", "Liberation Mono", "monospace")

_ARCHIVE_WORDS: Final = {
    "rename": "archive_rename",
    "export": "archive_export",
    "delete": "archive_delete",
    "delete-sure": "archive_delete_sure",
    "delete-all": "archive_delete_all",
    "delete-all-sure": "archive_delete_all_sure",
    "cancel": "cancel",
}
_CONNECTION_WORDS: Final = ("lost", "back", "busy")

Messages = list[dict[str, str]]


def theme() -> gr.themes.Base:
    """Return Gradio's plainest theme with fonts of the reader's machine; its colours are in `assets/chat.css`.

    Those set here are in the first bytes of the page, so that it does not flash in Gradio's before its style arrives.
    """
    plain = gr.themes.Base(font=FONTS, font_mono=MONOSPACED)
    return plain.set(
        body_background_fill="#f6f4ee", body_background_fill_dark="#13181c",
        body_text_color="#1e2931", body_text_color_dark="#e9e6df",
    )  # fmt: skip


def build_chat(
    assistant: Assistant,
    max_question: int,
    identity: Identity = PLAIN,
    examples: Sequence[str] = (),
    journal: Journal | None = None,
    *,
    ungrouped: bool = True,
) -> gr.Blocks:
    """Return the chat page over `assistant`, yet to be mounted; questions have at most `max_question` characters.

    `examples` are first questions; without any, they are found in the documents. `journal` keeps what readers say.
    """
    return ChatPage(assistant, max_question, identity, examples, journal, ungrouped=ungrouped).blocks


def translations(identity: Identity) -> gr.I18n:
    """Return what the page says before the first event, so that the browser shows its language from the start."""
    return gr.I18n(**{language: _page_texts(identity, language) for language in LANGUAGES})


def _page_texts(identity: Identity, language: Language) -> dict[str, str]:
    texts = {key: text(key, language) for key in TEXTS}
    return texts | {
        "archive": _archive(language),
        "connection": _connection(language),
        "masthead": _masthead(identity, language),
        "greeting": _greeting(language),
        "footnote": _footnote(identity, language),
    }


def _masthead(identity: Identity, language: Language) -> str:
    logo = '<img class="logo" src="logo" alt="">' if identity.logo else ""
    wide = " wide" if identity != PLAIN else ""
    return (
        f'<div class="masthead{wide}" lang="{language}">{logo}<div><h1>{literal(identity.name)}</h1>'
        f"<p>{literal(text('tagline', language))}</p>"
        f'<h2 id="conversation-name" class="unseen">{literal(text("conversation", language))}</h2></div></div>'
    )


def _greeting(language: Language, examples: Sequence[str] = ()) -> str:
    """Return the words of welcome; each example is a link that asks it, here or on a page of its own."""
    links = "".join(
        f'<a class="example again" href="{literal(address(ALL, language, example))}">{literal(example)}</a>'
        for example in examples
    )
    shown = f"<p>{literal(text('examples', language))}</p>{links}" if links else ""
    return f'<div class="greeting"><h2>{literal(text("welcome", language))}</h2>{shown}</div>'


def _archive(language: Language) -> str:
    """Return the frame of the earlier conversations, which the page's script fills: they never leave the browser."""
    words = "".join(
        f'<span class="{name}">{literal(text(key, language))}</span>' for name, key in _ARCHIVE_WORDS.items()
    )
    return (
        f'<details id="archive"><summary>{literal(text("archive", language))}</summary>'
        f'<p class="note">{literal(text("archive_note", language))}</p>'
        f'<ul class="conversations"></ul><div class="words">{words}</div></details>'
    )


def _connection(language: Language) -> str:
    """Return where the page's script says that the server is away, with the words for it."""
    words = "".join(
        f'<span class="{name}">{literal(text(f"connection_{name}", language))}</span>' for name in _CONNECTION_WORDS
    )
    return f'<div id="connection"><p class="said" role="alert"></p><div class="words">{words}</div></div>'


def _footnote(identity: Identity, language: Language) -> str:
    links = links_html(identity, language)
    kept = identity.question_log_days
    logged = " " + literal(text("logged", language, days=kept)) if kept else ""
    return f'<p class="footnote">{literal(text("notice", language))}{logged}{" " + links if links else ""}</p>'


class ChatPage:
    """The components of the page and what happens when they are used."""

    def __init__(
        self,
        assistant: Assistant,
        max_question: int,
        identity: Identity,
        examples: Sequence[str] = (),
        journal: Journal | None = None,
        *,
        ungrouped: bool = True,
    ) -> None:
        self.assistant = assistant
        self.max_question = max_question
        self.identity = identity
        self.journal = journal
        self.examples = Examples(assistant, examples, ungrouped=ungrouped)
        # As they were when a page was last opened, for each kind of reader: a list of ten thousand is not read again
        # with every key pressed.
        self._listed: OrderedDict[Reader, Sequence[DocumentSummary]] = OrderedDict()
        self.blocks = gr.Blocks(title=identity.name, analytics_enabled=False, fill_width=True)
        with self.blocks:
            self.turns = gr.State((), time_to_live=CONVERSATION_SECONDS)
            self.linked = gr.State("")  # a question in the address; the box belongs to the reader, who may type already
            # The conversation as the browser holds it, and how it hands it back; see ui/memory.py.
            self.said = gr.Textbox("", visible="hidden", elem_id="said")
            self.resume = gr.Button(visible="hidden", elem_id="resume")
            self._lay_out()
            self._listen()
        self.blocks.state_session_capacity = CONVERSATIONS
        self.blocks.queue(max_size=WAITING_ANSWERS, default_concurrency_limit=CONCURRENT_ANSWERS, api_open=False)

    def _lay_out(self) -> None:
        say = I18nData
        names = [(LANGUAGE_NAMES[language], language) for language in LANGUAGES]
        with gr.Column(elem_id="page"):
            with gr.Row(elem_id="top"):
                self.masthead = gr.Markdown(say("masthead"), elem_id="masthead", latex_delimiters=[])
                self.language = gr.Radio(names, label=say("language"), elem_id="language", container=False)
            self.conversation = gr.Chatbot(
                elem_id="conversation", show_label=False, label=say("conversation"), buttons=[], layout="panel",
                height=None, autoscroll=False, feedback_options=None, latex_delimiters=[],
                group_consecutive_messages=False,
            )  # fmt: skip
            # Shown until there is a question, as the way back is from then on: see `assets/chat.css`. Gradio loses a
            # change of what is visible that comes while it is drawing the page.
            with gr.Column(elem_id="welcome"):
                self.greeting = gr.Markdown(say("greeting"), latex_delimiters=[])
            with gr.Column(elem_id="desk"):
                self.connection = gr.Markdown(say("connection"), elem_id="line", latex_delimiters=[])
                with gr.Row(elem_id="composer"):
                    self.question = gr.Textbox(
                        label=say("question"), show_label=False, container=False, placeholder=say("placeholder"),
                        elem_id="question", lines=1, max_lines=6, max_length=self.max_question, autofocus=True,
                    )  # fmt: skip
                    self.ask = gr.Button(say("ask"), variant="primary", elem_id="ask")
                self.panel = FilterPanel()
                self.archive = gr.Markdown(say("archive"), elem_id="kept", latex_delimiters=[])
                with gr.Row(elem_id="below"):
                    self.restart = gr.Button(say("new_conversation"), elem_id="restart")
                    self.footnote = gr.Markdown(say("footnote"), latex_delimiters=[], elem_id="footnote")

    def _listen(self) -> None:
        # Gradio's progress display speaks the browser's language over the page's and is read out; the page has its own.
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        state = [self.turns, self.said, self.language, *self.panel.fields]
        reply = [self.question, self.turns, self.conversation]
        gr.on([self.question.submit, self.ask.click], self.respond, [self.question, *state], reply, **quiet)
        # Pressed again where the first reply got lost on its way.
        handed_back = [self.turns, self.said, self.language]
        self.resume.click(self.take_up, handed_back, reply, trigger_mode="multiple", **quiet)
        self.restart.click(self.start_again, None, reply, **quiet)
        self.language.input(self.localise, [self.language, self.turns, *self.panel.fields], self._localised(), **quiet)
        self.blocks.load(self.greet, self.turns, [self.language, self.linked, *self._localised()], **quiet)
        self.linked.change(self.respond_to_link, [self.linked, *state], reply, **quiet)
        gr.on([field.change for field in self.panel.fields], self.view, [self.language, *self.panel.fields],
              self.panel.view, **quiet)  # fmt: skip

    def _localised(self) -> list[Any]:
        return [
            self.masthead, self.language, self.conversation, self.greeting,
            self.question, self.ask, self.footnote, self.restart, *self.panel.localised, self.panel.view,
            self.archive, self.connection,
        ]  # fmt: skip

    def greet(self, turns: tuple[Turn, ...], request: gr.Request) -> list[Any]:
        """Put the page into the language that the address or the browser asks for, with the address's filters."""
        asked = request.query_params
        language = interface_language(asked.get("lang"), request.headers.get("accept-language"))
        question = asked.get("q", "")[: self.max_question] if not turns else ""
        return [language, question, *self.localise(request, language, turns, *filter_values(asked))]

    def localise(
        self, request: gr.Request, language: Language, turns: tuple[Turn, ...], *values: str | None
    ) -> list[Any]:
        """Return the page's texts in `language`, in the order of `_localised`; `values` are those of the filters."""
        documents = self._documents(_reader(request))
        said: dict[str, Any] = {"value": self._messages(turns, language)} if turns else {}
        return [
            _masthead(self.identity, language),
            gr.update(label=text("language", language)),
            # A reader may have asked something while the page was still being greeted: nothing must take that away.
            gr.update(label=text("conversation", language), **said),
            _greeting(language, self.examples.of(language, documents)),
            gr.update(label=text("question", language), placeholder=text("placeholder", language)),
            text("ask", language),
            _footnote(self.identity, language),
            text("new_conversation", language),
            *self.panel.localise(language, documents, [value or "" for value in values]),
            view_html(values, language, documents),
            _archive(language),
            _connection(language),
        ]

    def view(self, request: gr.Request, language: Language | None, *values: str | None) -> str:
        """Return the link to the page as its filters are set."""
        return view_html(values, language or FALLBACK, self._listed.get(_reader(request), ()))

    def _documents(self, reader: Reader) -> Sequence[DocumentSummary]:
        try:
            listed = self._listed[reader] = self.assistant.documents(reader=reader)
            while len(self._listed) > LISTS:
                self._listed.popitem(last=False)
            return listed
        except CityciteError as error:  # the page opens all the same, and says so when it is asked something
            logger.error("The documents could not be listed: %s", error)
            return ()

    def respond_to_link(
        self,
        request: gr.Request,
        question: str,
        turns: tuple[Turn, ...],
        said: str,
        language: Language | None,
        *values: str | None,
    ) -> Iterator[list[Any]]:
        """Ask the question in the address."""
        for reply in self.respond(request, question, turns, said, language, *values):
            yield [gr.skip(), *reply[1:]]

    def respond(
        self,
        request: gr.Request,
        question: str,
        turns: tuple[Turn, ...],
        said: str,
        language: Language | None,
        *values: str | None,
    ) -> Iterator[list[Any]]:
        """Show the question at once, then the answer sentence by sentence, then its citations.

        `said` is the conversation as the browser holds it, in case that `turns` has been lost here; `values` are those
        of the filters, in the order of `ui.view.FILTER_NAMES`.
        """
        language = language or FALLBACK
        # A browser can send half an emoji, which nothing behind here can hold.
        question = question.encode(errors="replace").decode().strip()
        if not question:
            yield ["", gr.skip(), gr.skip()]
            return
        reader = _reader(request)
        turns = turns or self._restored(said, reader)
        earlier = turns[-(MAX_TURNS - 1) :]
        asked = standalone(question, [before.question for before in earlier])
        filters = filters_of(values)
        error = "error_filter" if filters is None else None
        turn = Turn(question, error=error, understood=asked if asked != question else None, filters=filters or ALL)
        shown = self._messages((*earlier, turn), language)
        yield ["", (*earlier, turn), shown]
        trail = None
        if not error:
            turn, trail = self._answered(turn, reader)
        for reply in partial_answers(turn, len(earlier) + 1, language):
            yield [gr.skip(), gr.skip(), [*shown[:-1], _message("assistant", reply)]]
        turns = (*earlier, turn)
        yield [gr.skip(), turns, self._messages(turns, language)]
        if trail is not None:
            meant, trail = self._rewritten(turn, trail, [before.question for before in earlier])
            answer = trail.answer
            note_question(self.journal, replace(answer, question=answer.understood or answer.question))
            for further in chain([meant] if meant is not turn else [], self._in_words(meant, trail)):
                turns = (*earlier, further)
                yield [gr.skip(), turns, self._messages(turns, language)]

    def start_again(self) -> list[Any]:
        """Forget the conversation."""
        return ["", (), []]

    def take_up(self, request: gr.Request, turns: tuple[Turn, ...], said: str, language: Language | None) -> list[Any]:
        """Show the conversation `said` again, on a page that has been loaded anew."""
        found = turns or self._restored(said, _reader(request))
        under_way = any(turn.growing or (turn.answer is None and turn.error is None) for turn in found)
        if not found or under_way:  # something has been asked meanwhile
            return [gr.skip()] * 3
        return [gr.skip(), gr.skip() if found is turns else found, self._messages(found, language or FALLBACK)]

    def _restored(self, said: str, reader: Reader) -> tuple[Turn, ...]:
        return tuple(self._answered(turn, reader)[0] for turn in restored(said, self.max_question))

    def _answered(self, turn: Turn, reader: Reader) -> tuple[Turn, Trail | None]:
        """Return `turn` with the quoted answer, and where it came from; with what went wrong, and None."""
        try:
            asked = turn.understood or turn.question
            trail = self.assistant.trail(asked, filters=turn.filters, reader=reader)
            answer = trail.answer
            # Without any confidence it was no question, and nothing is near it.
            has_near = answer.abstained and answer.confidence > 0
            nearby = self._nearby(asked, turn, reader) if has_near else ()
            spelt = self.assistant.suggestion(asked, turn.filters, reader=reader) if has_near else None
            return replace(self._with(turn, answer, reader), nearby=nearby, suggestion=spelt), trail
        except UsageError:
            return replace(turn, error="error_question"), None
        except CityciteError as error:
            logger.error("A question could not be answered: %s", error)
            return replace(turn, error="error_unavailable"), None
        except Exception:  # the edge: a visitor gets a sentence, the log the rest
            logger.exception("A question failed unexpectedly")
            return replace(turn, error="error_unexpected"), None

    def _nearby(self, asked: str, turn: Turn, reader: Reader) -> tuple[tuple[Passage, str | None], ...]:
        """Return the nearest passages, each with the language of its document."""
        found = []
        for passage in self.assistant.search(asked, NEARBY, turn.filters, reader=reader):
            with suppress(NotFoundError):  # removed since it was found
                found.append((passage, self.assistant.document(passage.document_id, reader=reader).language))
        return tuple(found)

    def _rewritten(self, turn: Turn, trail: Trail, earlier: list[str]) -> tuple[Turn, Trail]:
        """Return a follow-up as a language model, where one is set, rewrites it; else both as they are."""
        if self.assistant.formulator is None or turn.understood is None:
            return turn, trail
        try:
            found = self.assistant.rewritten(turn.question, earlier, trail, turn.filters)
        except CityciteError as error:
            logger.error("A follow-up could not be rewritten: %s", error)
            return turn, trail
        if found is trail:
            return turn, trail
        asked = replace(turn, understood=found.answer.understood, nearby=(), suggestion=None)
        return self._with(asked, found.answer, trail.reader), found

    def _in_words(self, turn: Turn, trail: Trail) -> Iterator[Turn]:
        """Yield `turn` with its answer in a language model's words as it grows, last the answer that holds.

        The quote is on the page already and stays there, whatever the model does.
        """
        if self.assistant.formulator is None or trail.basis is None:
            return
        last = turn
        yield replace(turn, growing=True)
        try:
            for answer in self.assistant.formulating(trail):
                last = self._with(turn, answer, trail.reader)
                yield replace(last, growing=True)
        except CityciteError as error:
            logger.error("An answer could not be formulated: %s", error)
            last = turn
        except Exception:  # the edge, as above
            logger.exception("Formulating an answer failed unexpectedly")
            last = turn
        yield last

    def _with(self, turn: Turn, answer: Answer, reader: Reader) -> Turn:
        contexts = tuple(self._context(citation, reader) for citation in answer.citations)
        return replace(turn, answer=answer, contexts=contexts)

    def _context(self, citation: Citation, reader: Reader) -> Context | None:
        try:
            return surroundings(self.assistant.document(citation.document_id, reader=reader), citation)
        except NotFoundError:  # removed since it was found; the quote itself is in the answer
            return None

    def _messages(self, turns: tuple[Turn, ...], language: Language) -> Messages:
        messages = []
        for number, turn in enumerate(turns, start=1):
            messages.append(_message("user", question_html(turn, language)))
            contact = contact_html(self.identity.contact, language)
            rating = rating_html(turn, language) if self.journal and self.journal.feedback_days else ""
            reply = answer_html(turn, number, language, max_question=self.max_question, contact=contact, rating=rating)
            messages.append(_message("assistant", reply))
        return messages


def _reader(request: gr.Request) -> Reader:
    """Return what whoever sends an event may see, as the gate has found out."""
    sent = request.request
    return reader_of(sent) if isinstance(sent, HTTPConnection) else NOBODY


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
