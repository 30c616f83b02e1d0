"""What the HTTP API says when something is wrong: problem details (RFC 9457), one clear line each."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from rag.errors import CityciteError

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
# Enough of a wrong value to recognise it; a whole document sent by mistake would bury the message.
SHOWN_VALUE: Final = 80
# What pydantic's messages begin with; the field's name takes its place.
_SUBJECT: Final = re.compile("^(Input|String|List|Dictionary|Value error,) ")
UNEXPECTED: Final = "An unexpected error occurred. It has been logged; please try again or tell the operator."

# One of the details that each status comes with, for the description of the API.
_EXAMPLES: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "The body is not valid JSON: Expecting value at character 13",
    HTTPStatus.UNAUTHORIZED: "The API key or token is not valid, or its time is over.",
    HTTPStatus.FORBIDDEN: "This needs an API key with the right 'tokens'.",
    HTTPStatus.NOT_FOUND: "No document 'plan-17' in the store. citycite documents lists what there is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 64 kB; send the question alone.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "question is missing",
    HTTPStatus.TOO_MANY_REQUESTS: "More than 60 ratings came in within a minute; please try again in a minute.",
    HTTPStatus.INTERNAL_SERVER_ERROR: UNEXPECTED,
    HTTPStatus.SERVICE_UNAVAILABLE: "The Chroma server http://127.0.0.1:8000 does not answer. Is it running?",
}


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = Field(description="`about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="One line: the problem, the value, the next step.")


def body(status: int, detail: str) -> Problem:
    """Return a problem as it stands in a body, or in an event of a stream."""
    return Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as a response."""
    return JSONResponse(body(status, detail).model_dump(), status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems that an operation may answer with."""
    schema = Problem.model_json_schema()
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema, "example": body(status, _EXAMPLES[status]).model_dump()}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem."""
    app.add_exception_handler(CityciteError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CityciteError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s failed: %s", request.method, request.url.path, error)
    return problem(error.status, str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(error.status_code, f"There is nothing at {request.url.path}; /docs lists what there is.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{request.method} is not possible at {request.url.path}; use {allowed}."
        return problem(error.status_code, detail, error.headers)
    return problem(error.status_code, str(error.detail), error.headers)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    malformed = any(item["type"] == "json_invalid" for item in errors)
    status = HTTPStatus.BAD_REQUEST if malformed else HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(status, "; ".join(describe(item) for item in errors))


def describe(error: Mapping[str, Any]) -> str:
    """Say in one line what pydantic found wrong: the field, the value, what it should be."""
    location: Sequence[Any] = error["loc"]
    field = ".".join(str(part) for part in location[1:])
    if error["type"] == "json_invalid":
        return f"The body is not valid JSON: {error['ctx']['error']} at character {location[-1]}"
    if not field:
        return "The body must be a JSON object, sent with Content-Type: application/json"
    if error["type"] == "missing":
        return f"{field} is missing"
    if error["type"] == "extra_forbidden":
        return f"{field} is not a known field"
    value = repr(error["input"])
    if len(value) > SHOWN_VALUE:
        value = value[:SHOWN_VALUE] + "…"
    return f"{field} is {value}; it {_SUBJECT.sub('', error['msg'])}"
