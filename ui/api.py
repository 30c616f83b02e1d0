"""The web application: the HTTP API at `/api/v1`, its documentation, the document pages, and the chat page at `/`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import fastapi_offline
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from rag.errors import CityciteError, NotFoundError, UsageError
from rag.schema import Language
from rag.settings import Settings, load_settings
from ui import problems
from ui.admin.application import admin_area
from ui.admin.area import ROOT as ADMIN
from ui.admin.area import UPLOAD, Area
from ui.api_examples import ANSWER, DOCUMENT, PASSAGES, SUMMARY, answered
from ui.ask_stream import stream_routes
from ui.asking import Asking
from ui.chat import build_chat
from ui.cross_origin import CrossOrigin, origins
from ui.document_page import CONTENT_SECURITY_POLICY, document_page, message_page, parse_range
from ui.embedding import embedding_routes
from ui.feedback import feedback_routes
from ui.identity import LOGO_TYPES, Identity, identity_of
from ui.journal import SWEEP_SECONDS, Journal
from ui.models import AnswerBody, DocumentBody, DocumentSummaryBody, Health, PassageBody, QuestionBody, SearchQuery
from ui.mounting import mount
from ui.openai_api import COMPLETIONS, openai_api
from ui.openai_api import ROOT as OPENAI
from ui.operation import operation_routes
from ui.programs import has_mcp
from ui.security import BodyLimit, SameOriginOnly, SecurityHeaders, UnexpectedErrors
from ui.sign_in.gate import Gate
from ui.sign_in.modes import SignIn
from ui.sign_in.pages import sign_in_routes, token_routes
from ui.sign_in.sharing import sharing_routes
from ui.sign_in.visitor import AskedBy
from ui.streaming import CLIENT_GONE
from ui.texts import interface_language, text
from ui.under_way import FollowRequests, UnderWay

if TYPE_CHECKING:
    from rag import Assistant
    from ui.mcp_server import MountedServer

OPENAPI = "/api/v1/openapi.json"
PROGRAMS = "/mcp"
DESCRIPTION = (
    "Answers questions about the stored documents and quotes, for every answer, the passage it rests on. Where the "
    "documents hold no answer, it says so. Errors are problem details (RFC 9457)."
)
TAGS = [
    {"name": "questions", "description": "Ask, search, and say whether an answer helped."},
    {"name": "documents", "description": "What is in the store."},
    {"name": "access", "description": "For programs: short-lived tokens, and who may see a document."},
    {"name": "operation", "description": "For those who run the server."},
]

DocumentId = Annotated[
    str,
    PathParameter(
        description="As in `document_id` of a citation, passage or listing.", examples=[DOCUMENT["document_id"]]
    ),
]


def create_app(assistant: Assistant, settings: Settings | None = None) -> FastAPI:
    """Return the application over an open `assistant`, which it does not close."""
    settings = settings or load_settings()
    sign_in = SignIn(settings)
    identity = identity_of(settings)
    journal = Journal.of(settings)
    admin = admin_area(assistant, settings, identity, journal)
    allowed = origins("allowed_origins", settings.allowed_origins)
    programs = _programs(assistant, journal, allowed)
    app = FastAPI(
        title="citycite",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        lifespan=partial(_running, journal, admin, programs),
    )
    problems.install(app)
    for routes in (sign_in_routes(sign_in), token_routes(sign_in), sharing_routes(assistant)):
        app.include_router(routes)
    app.include_router(api_routes(assistant, journal))
    asking = Asking(assistant, journal)
    app.include_router(stream_routes(asking))
    app.mount(OPENAI, openai_api(asking, settings.max_question))
    if programs is not None:
        app.router.routes.append(Route(PROGRAMS, programs, include_in_schema=False))
    if journal is not None and journal.feedback_days:
        app.include_router(feedback_routes(assistant, journal))
    app.include_router(document_routes(assistant))
    under_way = app.state.under_way = UnderWay()
    job_states = admin.office.jobs.states if admin is not None else dict
    app.include_router(operation_routes(assistant, under_way, job_states, figures=settings.metrics))
    app.include_router(embedding_routes())
    if admin is not None:
        app.mount(ADMIN, admin, name="admin")
    _add_logo(app, identity)
    _add_documentation(app)
    # The last added is the outermost. Gradio looks for exactly this CORSMiddleware and leaves the matter to it; without
    # origins it opens the application to none.
    app.add_middleware(Gate, sign_in=sign_in)
    app.add_middleware(CORSMiddleware)
    app.add_middleware(BodyLimit, without={ADMIN + UPLOAD, OPENAI + COMPLETIONS})  # with limits of their own
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(SameOriginOnly)
    app.add_middleware(CrossOrigin, allowed=allowed)
    app.add_middleware(SecurityHeaders, ancestors=origins("frame_ancestors", settings.frame_ancestors))
    app.add_middleware(FollowRequests, under_way=under_way)
    ungrouped = settings.ungrouped == "everybody"
    page = build_chat(assistant, settings.max_question, identity, settings.examples, journal, ungrouped=ungrouped)
    mount(app, page, identity)
    return app


@asynccontextmanager
async def _running(
    journal: Journal | None, admin: Area | None, programs: MountedServer | None, app: FastAPI
) -> AsyncIterator[None]:
    """Do what is done while the server runs; at the end, stop what is under way."""
    async with AsyncExitStack() as under_way:
        if journal is not None:
            await under_way.enter_async_context(_sweeping(journal))
        if admin is not None:
            under_way.push_async_callback(asyncio.to_thread, admin.office.jobs.close)
        if programs is not None:
            await under_way.enter_async_context(programs.running())
        yield


@asynccontextmanager
async def _sweeping(journal: Journal) -> AsyncIterator[None]:
    """Erase what has been kept for long enough, also when nobody asks anything."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await asyncio.to_thread(journal.sweep_quietly)

    await asyncio.to_thread(journal.sweep_quietly)
    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()


def _programs(assistant: Assistant, journal: Journal | None, allowed: Sequence[str]) -> MountedServer | None:
    """Return the server for programs, None where its package is not installed."""
    if not has_mcp():
        return None
    from ui.mcp_server import MountedServer

    return MountedServer(assistant, journal, allowed)


def api_routes(assistant: Assistant, journal: Journal | None = None) -> APIRouter:
    """Return the operations of the HTTP API."""
    routes = APIRouter()
    asking = Asking(assistant, journal)
    failures = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    refused = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    @routes.post(
        "/api/v1/ask",
        tags=["questions"],
        response_model=AnswerBody,
        responses=answered(ANSWER) | problems.documented(*refused, *failures),
    )
    async def ask(body: QuestionBody, request: Request) -> AnswerBody | Response:
        """Answer a question, with the passages the answer rests on, or say that the documents hold no answer."""
        answer = await asking.whole(request, body.question, body.history, body.filters.as_filters())
        return Response(status_code=CLIENT_GONE) if answer is None else AnswerBody.model_validate(answer)

    @routes.get("/api/v1/search", tags=["questions"], responses=answered(PASSAGES) | problems.documented(*failures))
    def search(parameters: Annotated[SearchQuery, Query()], reader: AskedBy) -> list[PassageBody]:
        """Find passages, the best first."""
        found = assistant.search(parameters.query, parameters.top_k, parameters.as_filters(), reader=reader)
        return [PassageBody.model_validate(passage) for passage in found]

    @routes.get(
        "/api/v1/documents", tags=["documents"], responses=answered([SUMMARY]) | problems.documented(*failures[1:])
    )
    def documents(reader: AskedBy) -> list[DocumentSummaryBody]:
        """List the stored documents, without their texts."""
        return [DocumentSummaryBody.model_validate(summary) for summary in assistant.documents(reader=reader)]

    @routes.get(
        "/api/v1/documents/{document_id:path}",
        tags=["documents"],
        responses=answered(DOCUMENT) | problems.documented(HTTPStatus.NOT_FOUND, *failures),
    )
    def document(document_id: DocumentId, reader: AskedBy) -> DocumentBody:
        """Return one document with its stored text, which quotes are ranges of."""
        return DocumentBody.model_validate(assistant.document(document_id, reader=reader))

    @routes.get("/healthz", tags=["operation"], responses=answered({"status": "ok"}))
    def healthz() -> Health:
        """Say that the server is running."""
        return Health(status="ok")

    return routes


def document_routes(assistant: Assistant) -> APIRouter:
    """Return the page of a stored document, which citations link to."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/documents/{document_id:path}")
    def page(
        document_id: str,
        request: Request,
        reader: AskedBy,
        start: str | None = None,
        end: str | None = None,
        lang: str | None = None,
    ) -> HTMLResponse:
        language = interface_language(lang, request.headers.get("accept-language"))
        link = _way_back(request, language)
        try:
            document = assistant.document(document_id, reader=reader)
            link = (f"{request.url.path}?lang={language}", text("whole_document", language))
            marked = parse_range(start, end, document, language)
            return _html(document_page(document, marked, language))
        except NotFoundError as error:
            detail = text("not_found_detail", language, document_id=document_id)
            return _html(message_page(text("not_found", language), detail, language, link), error.status)
        except UsageError as error:
            return _html(message_page(text("bad_range", language), str(error), language, link), error.status)
        except CityciteError as error:
            detail = text("error_unavailable", language)
            return _html(message_page(text("error", language), detail, language, link), error.status)

    @routes.get("/original/{document_id:path}", response_model=None)
    def original(document_id: str, request: Request, reader: AskedBy, lang: str | None = None) -> Response:
        language = interface_language(lang, request.headers.get("accept-language"))
        link = _way_back(request, language)
        try:
            file = Path(assistant.document(document_id, reader=reader).source)
            if file.suffix.lower() == ".pdf" and _begins_as_pdf(file):
                return FileResponse(file, media_type="application/pdf")
            detail = text("no_original_detail", language)
            root = request.scope.get("root_path", "")
            link = (f"{root}/documents/{quote(document_id, safe='')}?lang={language}", text("whole_document", language))
        except NotFoundError:
            detail = text("not_found_detail", language, document_id=document_id)
        except CityciteError as error:
            detail = text("error_unavailable", language)
            return _html(message_page(text("error", language), detail, language, link), error.status)
        return _html(message_page(text("not_found", language), detail, language, link), HTTPStatus.NOT_FOUND)

    return routes


def _begins_as_pdf(file: Path) -> bool:
    """Tell whether a file is there and a PDF: nothing else, whatever its name, is handed to a browser as it is."""
    try:
        with file.open("rb") as opened:
            return b"%PDF-" in opened.read(1024)
    except OSError:
        return False


def _html(content: str, status: int = HTTPStatus.OK) -> HTMLResponse:
    return HTMLResponse(content, status, {"Content-Security-Policy": CONTENT_SECURITY_POLICY})


def _add_logo(app: FastAPI, identity: Identity) -> None:
    if identity.logo is not None:
        file, kind = identity.logo, LOGO_TYPES[identity.logo.suffix.lower()]
        # An SVG opened by itself is a document that could run scripts.
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
        app.get("/logo", include_in_schema=False)(lambda: FileResponse(file, media_type=kind, headers=headers))


def _add_documentation(app: FastAPI) -> None:
    """Serve the interactive documentation from this machine; FastAPI's own page loads its scripts from a CDN."""
    files = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/docs/files", StaticFiles(directory=files), name="docs-files")
    # Swagger UI would send the API's description to an online validator.
    parameters: dict[str, Any] = {"validatorUrl": None}

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url=OPENAPI.removeprefix("/"),
            title="citycite API",
            swagger_js_url="docs/files/swagger-ui-bundle.js",
            swagger_css_url="docs/files/swagger-ui.css",
            swagger_favicon_url="favicon.ico",
            swagger_ui_parameters=parameters,
        )


def _way_back(request: Request, language: Language) -> tuple[str, str]:
    """Return the link to the chat page: address and text."""
    return f"{request.scope.get('root_path', '')}/?lang={language}", text("back_to_chat", language)
