"""`POST /api/v1/ask/stream`: an answer as it comes about. Who hangs up stops the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from rag.errors import CityciteError
from ui import problems
from ui.asking import Asking
from ui.models import AnswerBody, QuestionBody
from ui.streaming import CLIENT_GONE, MEDIA_TYPE, EventStream, event, pieces

if TYPE_CHECKING:
    from rag.pipeline import Trail

logger = logging.getLogger(__name__)

# How tools that know streams read it: the schema is that of each event.
_EVENT: Final = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["retrieved", "sentence", "citations", "answer", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "JSON, on one line."},
    },
}
_EXAMPLE: Final = {"event": "sentence", "data": '{"text": "Seit dem 15. Oktober zählt Krakau zu Eurocities. [1]"}'}
_DESCRIPTION: Final = (
    "Server-sent events: `retrieved` (`passages`, how many, and `milliseconds`), one `sentence` (`text`) after the "
    "other, which joined are the answer, `citations` (a list, the best first), and `answer`, the object that "
    "`/api/v1/ask` returns. What goes wrong on the way is an event `error`, whose data are problem details. Lines that "
    "begin with a colon are signs of life."
)


def stream_routes(asking: Asking) -> APIRouter:
    """Return the operation that streams."""
    routes = APIRouter()
    wrong = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
    failed = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    streamed: dict[int | str, dict[str, Any]] = {
        200: {"description": _DESCRIPTION, "content": {MEDIA_TYPE: {"schema": _EVENT, "example": _EXAMPLE}}}
    }

    @routes.post(
        "/api/v1/ask/stream",
        tags=["questions"],
        response_class=EventStream,
        status_code=HTTPStatus.OK,
        responses=streamed | problems.documented(*wrong, *failed),
    )
    async def ask_stream(body: QuestionBody, request: Request) -> Response:
        """Answer a question in server-sent events. What is wrong with the question is a status, as with `ask`."""
        trail = await asking.trail(request, body.question, body.history, body.filters.as_filters())
        if trail is None:
            return Response(status_code=CLIENT_GONE)
        stopped = threading.Event()
        return EventStream(_events(asking, trail, stopped), stopped)

    return routes


async def _events(asking: Asking, trail: Trail, stopped: threading.Event) -> AsyncIterator[bytes]:
    found = {"passages": len(trail.passages), "milliseconds": trail.answer.timings_ms.retrieve}
    yield event("retrieved", found)
    try:
        answer = await asking.answer(trail, stopped)
        body = AnswerBody.model_validate(answer).model_dump(mode="json")
    except CityciteError as error:
        logger.error("A streamed answer failed: %s", error)
        yield event("error", problems.body(error.status, str(error)).model_dump())
        return
    except Exception:  # the edge: the status has been sent
        logger.exception("A streamed answer failed unexpectedly")
        yield event("error", problems.body(HTTPStatus.INTERNAL_SERVER_ERROR, problems.UNEXPECTED).model_dump())
        return
    for piece in pieces(answer.answer):
        yield event("sentence", {"text": piece})
    yield event("citations", body["citations"])
    yield event("answer", body)
