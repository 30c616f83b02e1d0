"""OpenAI's chat protocol, so that chat programs can use citycite as a model: `/v1/models`, `/v1/chat/completions`.

The last message is the question, earlier ones of the user are its history. Answers come from the documents alone:
system messages and the parameters of a language model (temperature, max_tokens ...) change nothing.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from rag.errors import CityciteError, UsageError
from rag.prompting import CHARACTERS_PER_TOKEN
from rag.schema import Answer
from ui import problems
from ui.asking import Asking
from ui.models import AnswerBody, characters_only
from ui.openai_text import sources_text, without_markup
from ui.security import BodyLimit
from ui.streaming import CLIENT_GONE, EventStream, pieces

if TYPE_CHECKING:
    from rag.pipeline import Trail

logger = logging.getLogger(__name__)

ROOT: Final = "/v1"
COMPLETIONS: Final = "/chat/completions"
MODEL: Final = "citycite"
# A long conversation is sent again with each question, answers and all.
MAX_BODY: Final = 1024 * 1024
MAX_MESSAGES: Final = 1000
# As many earlier questions as `/api/v1/ask` takes.
HISTORY: Final = 50
_END: Final = b"data: [DONE]\n\n"
_FIELD = re.compile(r"^([\w.]+) ")

_Text = Annotated[str, AfterValidator(characters_only)]


class Part(BaseModel):
    """A part of a message; pictures and sounds cannot be read."""

    type: Literal["text"]
    text: _Text


class Message(BaseModel):
    """A message of the conversation; what else a client sends along is of no use here."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: _Text | list[Part] | None = None

    @property
    def text(self) -> str:
        """The text of the message."""
        parts = self.content or ""
        return parts if isinstance(parts, str) else "\n".join(part.text for part in parts)


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool = False


class ChatBody(BaseModel):
    """A request as OpenAI's clients send it. `filters` of `/api/v1/ask` are not part of that protocol."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = 1
    tool_choice: Any = None
    response_format: Any = None


class RefusedError(CityciteError):
    """The request cannot be met; `param` names what it is about, `code` is OpenAI's word for it."""

    def __init__(self, message: str, param: str, code: str | None = None, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.param, self.code, self.status = param, code, status


def openai_api(asking: Asking, max_question: int) -> ASGIApp:
    """Return the application, to be mounted at `ROOT`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(CityciteError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    started = int(time.time())
    described = {"id": MODEL, "object": "model", "created": started, "owned_by": MODEL}

    @app.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [described]}

    @app.get("/models/{name:path}")
    def model(name: str) -> dict[str, Any]:
        _check_model(name)
        return described

    @app.post(COMPLETIONS, response_model=None)
    async def complete(body: ChatBody, request: Request) -> Response:
        _check(body)
        question, history = _conversation(body, max_question)
        trail = await asking.trail(request, question, history)
        if trail is None:
            return Response(status_code=CLIENT_GONE)
        completion = _Completion(asking, trail, body, str(request.base_url).removesuffix(f"{ROOT}/"))
        if body.stream:
            return EventStream(completion.chunks(), completion.stopped)
        answer = await asking.awaited(request, trail)
        return Response(status_code=CLIENT_GONE) if answer is None else JSONResponse(completion.whole(answer))

    return BodyLimit(app, MAX_BODY, refusal=refusal)


def _check(body: ChatBody) -> None:
    _check_model(body.model)
    if body.tool_choice not in (None, "auto", "none"):
        raise RefusedError(f"tool_choice is {body.tool_choice!r}; citycite calls no tools.", "tool_choice")
    form = body.response_format.get("type") if isinstance(body.response_format, dict) else body.response_format
    if form not in (None, "text"):
        raise RefusedError(f"response_format is {form!r}; citycite answers in text.", "response_format")


def _check_model(name: str) -> None:
    if name != MODEL:
        raise RefusedError(
            f"The model {name[: problems.SHOWN_VALUE]!r} does not exist; use {MODEL!r}.",
            "model", "model_not_found", HTTPStatus.NOT_FOUND,
        )  # fmt: skip


def _conversation(body: ChatBody, max_question: int) -> tuple[str, list[str]]:
    """Return the question and the earlier ones; what is too long to have been answered is left out."""
    *earlier, last = body.messages
    if last.role != "user":
        raise RefusedError(f"The last message is of the role {last.role!r}; send the user's question last.", "messages")
    asked = [message.text for message in earlier if message.role == "user"]
    return last.text, [text for text in asked if text.strip() and len(text) <= max_question][-HISTORY:]


class _Completion:
    """One answer in OpenAI's shape, whole or in chunks."""

    def __init__(self, asking: Asking, trail: Trail, body: ChatBody, address: str) -> None:
        self.stopped = threading.Event()
        self._asking, self._trail, self._body, self._address = asking, trail, body, address
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the completion; `citycite` is the object that `/api/v1/ask` answers with."""
        text = without_markup(answer.answer) + sources_text(answer, self._address)
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return self._head | {
            "object": "chat.completion", "choices": [choice], "usage": self._usage(text),
            "citycite": _structured(answer),
        }  # fmt: skip

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the completion as OpenAI streams it; the last chunk with a choice has `citycite`."""
        yield self._chunk({"role": "assistant", "content": ""})
        try:
            answer = await self._asking.answer(self._trail, self.stopped)
            parts = [*pieces(without_markup(answer.answer)), sources_text(answer, self._address)]
            structured = _structured(answer)
        except CityciteError as error:
            logger.error("A streamed completion failed: %s", error)
            yield _data({"error": _error(error.status, str(error))})
            return
        except Exception:  # the edge: the status has been sent
            logger.exception("A streamed completion failed unexpectedly")
            yield _data({"error": _error(HTTPStatus.INTERNAL_SERVER_ERROR, problems.UNEXPECTED)})
            return
        for part in parts:
            if part:
                yield self._chunk({"content": part})
        yield self._chunk({}, "stop", citycite=structured)
        if self._body.stream_options and self._body.stream_options.include_usage:
            yield _data(
                self._head | {"object": "chat.completion.chunk", "choices": [], "usage": self._usage("".join(parts))}
            )
        yield _END

    def _chunk(self, delta: dict[str, str], finish: str | None = None, **extra: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data(self._head | {"object": "chat.completion.chunk", "choices": [choice]} | extra)

    def _usage(self, text: str) -> dict[str, int]:
        """Return an estimate: nothing is billed by it."""
        asked = _tokens("".join(message.text for message in self._body.messages))
        written = _tokens(text)
        return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _structured(answer: Answer) -> dict[str, Any]:
    return AnswerBody.model_validate(answer).model_dump(mode="json")


def _data(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _error(status: int, message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    kind = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    return {"message": message, "type": kind, "param": param, "code": code}


def refusal(status: int, message: str, param: str | None = None, code: str | None = None) -> Response:
    """Return an error as OpenAI's clients read it."""
    return JSONResponse({"error": _error(status, message, param, code)}, status)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CityciteError)
    if isinstance(error, RefusedError):
        return refusal(error.status, str(error), error.param, error.code)
    if isinstance(error, UsageError):  # 422 is not one of OpenAI's statuses
        return refusal(HTTPStatus.BAD_REQUEST, str(error), "messages")
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s failed: %s", request.method, request.url.path, error)
    return refusal(error.status, str(error))


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(dict.fromkeys(problems.describe(item) for item in error.errors()))
    named = _FIELD.match(said)
    return refusal(HTTPStatus.BAD_REQUEST, said, named.group(1) if named else None)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = (
        f"{request.method} {request.url.path} is not part of this API; it has /v1/models and /v1/chat/completions."
    )
    return refusal(error.status_code, message)


async def _unexpected(request: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, problems.UNEXPECTED)
