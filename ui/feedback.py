"""Feedback on replies: the links below each, the form they lead to, and what takes it in. No names, no addresses.

The form is a page of its own; the chat page shows it as a dialog.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, Template
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse

from rag.access import Reader
from rag.errors import CityciteError
from rag.schema import Answer, Language
from ui import problems
from ui.api_examples import answered
from ui.document_page import message_page, page
from ui.journal import Journal, Rating, Reason
from ui.markup import Turn, literal
from ui.models import FeedbackBody, Stored
from ui.sign_in.visitor import AskedBy
from ui.texts import interface_language, text

if TYPE_CHECKING:
    from rag import Assistant

logger = logging.getLogger(__name__)

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
# Ratings that all readers together may send in a minute; more come from a program. Addresses are not looked at.
RATE: Final = 60
# Titles offered for the right document; a longer list would make the page heavy.
TITLES: Final = 300
# The page needs its own style and sends its form here; nothing else.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
_STYLE: Final = (
    "<style>form{display:grid;gap:1rem}fieldset{margin:0;padding:.5rem 1rem;border:1px solid var(--line);"
    "border-radius:8px}fieldset label{display:block;padding:.25rem 0}.field{display:grid;gap:.25rem}"
    ".field input,.field textarea,button{font:inherit;padding:.5rem .7rem}.problem:empty{display:none}"
    ".notice{color:var(--muted)}p{margin:0}</style>"
)


class TooManyError(CityciteError):
    """More ratings than readers send."""

    status = HTTPStatus.TOO_MANY_REQUESTS


def rating_html(turn: Turn, language: Language) -> str:
    """Return the links by which a reader rates an answer or an abstention; each leads to the form, filled in."""
    answer = turn.answer
    if answer is None:
        return ""
    up, down = (
        f'<a class="rate {name}" href="{literal(_address(turn, answer, language, helpful=name == "up"))}">'
        f"{literal(text(f'rate_{name}', language))}</a>"
        for name in ("up", "down")
    )
    said = "".join(
        f'<span class="{name}">{literal(text(f"rate_{name}", language))}</span>' for name in ("thanks", "failed")
    )
    return f'<span class="rating"><span>{literal(text("rate_question", language))}</span> {up} {down}{said}</span>'


def _address(turn: Turn, answer: Answer, language: Language, *, helpful: bool) -> str:
    named = [
        ("lang", language),
        ("helpful", "yes" if helpful else "no"),
        ("question", turn.understood or turn.question),
        ("language", answer.language),
        ("answered", "no" if answer.abstained else "yes"),
        *(("cited", key) for key in dict.fromkeys(citation.document_id for citation in answer.citations)),
    ]
    return "feedback?" + urlencode(named)


class Pace:
    """Lets through so many in a minute."""

    def __init__(self, limit: int = RATE) -> None:
        self._limit = limit
        self._times: deque[float] = deque(maxlen=limit)

    def check(self) -> None:
        """Count one more.

        Raises:
            TooManyError: it is one too many.
        """
        now = time.monotonic()
        if len(self._times) == self._limit and now - self._times[0] < 60:
            raise TooManyError(
                f"More than {self._limit} ratings came in within a minute; please try again in a minute."
            )
        self._times.append(now)


def feedback_routes(assistant: Assistant, journal: Journal) -> APIRouter:
    """Return the form and what takes in what it sends."""
    routes = APIRouter()
    pace = Pace()

    @routes.post(
        "/api/v1/feedback",
        tags=["questions"],
        status_code=HTTPStatus.CREATED,
        responses=answered({"stored": True}, HTTPStatus.CREATED) | problems.documented(
            HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )  # fmt: skip
    def rate(body: FeedbackBody) -> Stored:
        """Say whether an answer helped, and if not, why. Kept without names, for as long as the operator has set."""
        pace.check()
        journal.rate(_rating(body))
        return Stored(stored=True)

    @routes.get("/feedback", include_in_schema=False)
    def form(request: Request, reader: AskedBy) -> HTMLResponse:
        query = request.query_params
        language = interface_language(query.get("lang"), request.headers.get("accept-language"))
        try:
            rated = _body(query)
        except ValidationError:
            return _message("feedback_wrong", language, HTTPStatus.UNPROCESSABLE_ENTITY)
        return _html(
            _form(rated, query.get("answered", ""), language, _titles(assistant, reader), journal.feedback_days)
        )

    @routes.post("/feedback", include_in_schema=False)
    async def send(request: Request) -> HTMLResponse:
        sent = await request.form(max_files=0, max_fields=50)
        language = interface_language(str(sent.get("lang", "")), request.headers.get("accept-language"))
        # The form has no session to steal; this keeps other sites from filling the file through their visitors.
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return _message("feedback_wrong", language, HTTPStatus.FORBIDDEN)
        try:
            pace.check()
            journal.rate(_rating(_body(sent)))
        except ValidationError:
            return _message("feedback_wrong", language, HTTPStatus.UNPROCESSABLE_ENTITY)
        except CityciteError as error:
            logger.error("Feedback could not be stored: %s", error)
            return _message("rate_failed", language, error.status)
        return _message("rate_thanks", language, HTTPStatus.OK)

    return routes


def _body(sent: Any) -> FeedbackBody:  # noqa: ANN401 - the parameters of an address, or a form
    values: dict[str, Any] = {key: sent.get(key) for key in ("question", "language", "reason", "document", "comment")}
    values = {key: value for key, value in values.items() if value}
    values["helpful"] = {"yes": True, "no": False}.get(str(sent.get("helpful")))
    values["answered"] = {"yes": True, "no": False}.get(str(sent.get("answered")))
    values["cited"] = sent.getlist("cited") if isinstance(sent, FormData) or hasattr(sent, "getlist") else []
    return FeedbackBody.model_validate(values)


def _rating(body: FeedbackBody) -> Rating:
    return Rating(
        question=" ".join(body.question.split()),
        language=body.language,
        helpful=body.helpful,
        reason="" if body.helpful else body.reason or "other",
        document=body.document.strip(),
        comment=body.comment.strip(),
        answered=body.answered,
        cited=tuple(body.cited),
    )


def _titles(assistant: Assistant, reader: Reader) -> Sequence[str]:
    try:
        return sorted({document.title for document in assistant.documents(reader=reader)})[:TITLES]
    except CityciteError:  # the form is of use without them
        return ()


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("ui", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("feedback.jinja")


def _form(rated: FeedbackBody, answered: str, language: Language, titles: Sequence[str], days: int) -> str:
    shown = {"question": rated.question, "language": rated.language, "helpful": rated.helpful, "cited": rated.cited}
    body = _template().render(
        rated=shown | {"answered": answered}, language=language, text=text, values={"days": days}, titles=titles,
        reasons=REASONS,
    )  # fmt: skip
    return page(text("feedback", language), _STYLE + body, language)


def _message(key: str, language: Language, status: int) -> HTMLResponse:
    way_back = (f".?lang={language}", text("back_to_chat", language))
    return _html(message_page(text("feedback", language), text(key, language), language, way_back), status)


def _html(content: str, status: int = HTTPStatus.OK) -> HTMLResponse:
    return HTMLResponse(content, status, {"Content-Security-Policy": _POLICY})
