"""The chat page: a Gradio app over an `Assistant`, in the language of the browser."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ui.offline  # noqa: F401  before gradio, which reads the environment while it is being imported

# isort: split
import gradio as gr
from fastapi import FastAPI
from gradio.i18n import I18nData
from starlette.requests import HTTPConnection
from starlette.routing import Match, Mount
from starlette.types import Scope

from rag.access import Reader
from rag.errors import CityciteError, NotFoundError, UsageError
from rag.follow_up import standalone
from rag.retrieval import ALL
from rag.schema import Citation, DocumentSummary, Language
from ui.examples import Examples
from ui.feedback import rating_html
from ui.filter_panel import FilterPanel, filters_of, view_html
from ui.identity import PLAIN, Identity, colour_style, contact_html, links_html
from ui.journal import Journal, note_question
from ui.markup import Context, Turn, answer_html, literal, partial_answers, question_html, surroundings
from ui.sign_in.visitor import NOBODY, reader_of
from ui.texts import FALLBACK, LANGUAGE_NAMES, LANGUAGES, TEXTS, interface_language, text
from ui.view import address, filter_values

if TYPE_CHECKING:
    from rag import Assistant

logger = logging.getLogger(__name__)

ASSETS: Final = Path(__file__).parent / "assets"
SCRIPTS: Final = ("chat.js", "conversations.js", "feedback.js")
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

# What the page in the browser asks Gradio's server for.
SERVED: Final = re.compile(
    r"/|/(?:config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)|/(?:assets|static)/.+"
    r"|/gradio_api/(?:queue/(?:join|data)|heartbeat/\w+|startup-events|cancel|reset)"
)

_ARCHIVE_WORDS: Final = {
    "rename": "archive_rename",
    "export": "archive_export",
    "delete": "archive_delete",
    "delete-all": "archive_delete_all",
    "delete-all-sure": "archive_delete_all_sure",
}

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


def mount(app: FastAPI, chat: gr.Blocks, identity: Identity = PLAIN) -> None:
    """Serve the page at `/` of `app`, with all that Gradio adds unasked turned off."""
    gr.mount_gradio_app(
        app, chat, path="/", i18n=translations(identity), theme=theme(), css=colour_style(identity.colour),
        css_paths=[ASSETS / "chat.css", ASSETS / "feedback.css"],
        head="".join(f"<script>{(ASSETS / name).read_text(encoding='utf-8')}</script>" for name in SCRIPTS),
        footer_links=[], run_history=False, show_error=False, ssr_mode=False, pwa=False, mcp_server=False,
        enable_monitoring=False, max_file_size=1,
    )  # fmt: skip
    # Gradio also serves uploads, files, a proxy and more, for components that are not on this page.
    page = app.router.routes.pop()
    assert isinstance(page, Mount)
    app.router.routes.append(PageMount(page.path, page.app))


class PageMount(Mount):
    """Serves of the mounted app only what the chat page asks for; the rest does not exist."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the paths of `SERVED`."""
        return super().matches(scope) if SERVED.fullmatch(scope["path"]) else (Match.NONE, {})


def translations(identity: Identity) -> gr.I18n:
    """Return what the page says before the first event, so that the browser shows its language from the start."""
    return gr.I18n(**{language: _page_texts(identity, language) for language in LANGUAGES})


def _page_texts(identity: Identity, language: Language) -> dict[str, str]:
    texts = {key: text(key, language) for key in TEXTS}
    return texts | {
        "archive": _archive(language),
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
            with gr.Column(elem_id="welcome") as self.welcome:
                self.greeting = gr.Markdown(say("greeting"), latex_delimiters=[])
            with gr.Column(elem_id="desk"):
                with gr.Row(elem_id="composer"):
                    self.question = gr.Textbox(
                        label=say("question"), show_label=False, container=False, placeholder=say("placeholder"),
                        elem_id="question", lines=1, max_lines=6, max_length=self.max_question, autofocus=True,
                    )  # fmt: skip
                    self.ask = gr.Button(say("ask"), variant="primary", elem_id="ask")
                self.panel = FilterPanel()
                self.archive = gr.Markdown(say("archive"), elem_id="kept", latex_delimiters=[])
                with gr.Row(elem_id="below"):
                    self.footnote = gr.Markdown(say("footnote"), latex_delimiters=[], elem_id="footnote")
                    self.restart = gr.Button(say("new_conversation"), elem_id="restart", visible=False)

    def _listen(self) -> None:
        # Gradio's progress display speaks the browser's language over the page's and is read out; the page has its own.
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        state = [self.turns, self.language, *self.panel.fields]
        reply = [self.question, self.turns, self.conversation, self.welcome, self.restart]
        gr.on([self.question.submit, self.ask.click], self.respond, [self.question, *state], reply, **quiet)
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
            self.archive,
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
        language: Language | None,
        *values: str | None,
    ) -> Iterator[list[Any]]:
        """Ask the question in the address."""
        for said in self.respond(request, question, turns, language, *values):
            yield [gr.skip(), *said[1:]]

    def respond(
        self,
        request: gr.Request,
        question: str,
        turns: tuple[Turn, ...],
        language: Language | None,
        *values: str | None,
    ) -> Iterator[list[Any]]:
        """Show the question at once, then the answer sentence by sentence, then its citations.

        `values` are those of the filters, in the order of `ui.view.FILTER_NAMES`.
        """
        language = language or FALLBACK
        # A browser can send half an emoji, which nothing behind here can hold.
        question = question.encode(errors="replace").decode().strip()
        if not question:
            yield [""] + [gr.skip()] * 4
            return
        earlier = turns[-(MAX_TURNS - 1) :]
        meant = standalone(question, [before.question for before in earlier])
        filters = filters_of(values)
        error = "error_filter" if filters is None else None
        turn = Turn(question, error=error, understood=meant if meant != question else None, filters=filters or ALL)
        yield ["", (*earlier, turn), self._messages((*earlier, turn), language), *_shown(welcome=False)]
        if not error:
            turn = self._answered(turn, _reader(request))
        said = self._messages((*earlier, turn), language)
        for reply in partial_answers(turn, len(earlier) + 1, language):
            yield [gr.skip(), gr.skip(), [*said[:-1], _message("assistant", reply)], gr.skip(), gr.skip()]
        yield [gr.skip(), (*earlier, turn), said, gr.skip(), gr.skip()]
        formulated = self._formulated(turn, _reader(request))
        if formulated is not turn:
            said = self._messages((*earlier, formulated), language)
            yield [gr.skip(), (*earlier, formulated), said, gr.skip(), gr.skip()]

    def start_again(self) -> list[Any]:
        """Forget the conversation."""
        return ["", (), [], *_shown(welcome=True)]

    def _answered(self, turn: Turn, reader: Reader) -> Turn:
        try:
            asked = turn.understood or turn.question
            answer = self.assistant.ask(asked, filters=turn.filters, formulate=False, reader=reader)
            note_question(self.journal, answer)
            # Without any confidence it was no question, and nothing is near it.
            has_near = answer.abstained and answer.confidence > 0
            nearby = self.assistant.search(asked, NEARBY, turn.filters, reader=reader) if has_near else ()
            spelt = self.assistant.suggestion(asked, turn.filters, reader=reader) if has_near else None
            contexts = tuple(self._context(citation, reader) for citation in answer.citations)
            return replace(turn, answer=answer, contexts=contexts, nearby=tuple(nearby), suggestion=spelt)
        except UsageError:
            return replace(turn, error="error_question")
        except CityciteError as error:
            logger.error("A question could not be answered: %s", error)
            return replace(turn, error="error_unavailable")
        except Exception:  # the edge: a visitor gets a sentence, the log the rest
            logger.exception("A question failed unexpectedly")
            return replace(turn, error="error_unexpected")

    def _formulated(self, turn: Turn, reader: Reader) -> Turn:
        """Return `turn` with its answer in a language model's words, where one is set and can be believed."""
        if turn.answer is None or turn.answer.abstained or self.assistant.formulator is None:
            return turn
        try:
            answer = self.assistant.ask(turn.understood or turn.question, filters=turn.filters, reader=reader)
        except CityciteError as error:  # the quotes are on the page already
            logger.error("An answer could not be formulated: %s", error)
            return turn
        if answer.mode != "generative":
            return turn
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


def _shown(*, welcome: bool) -> list[Any]:
    """Return the updates of the greeting and of the button that brings it back."""
    return [gr.update(visible=welcome), gr.update(visible=not welcome)]
