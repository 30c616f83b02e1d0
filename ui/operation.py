"""What operators look at: is the server ready, and its figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.responses import Response

from rag.errors import CityciteError, StoreError
from ui import problems
from ui.api_examples import answered
from ui.metrics import observe_store
from ui.models import Readiness
from ui.streaming import in_thread
from ui.under_way import UnderWay

if TYPE_CHECKING:
    from rag import Assistant

# A load balancer asks every few seconds; a store that needs longer for a number answers no question in time.
_PATIENCE: Final = 5.0


class NotReadyError(CityciteError):
    """The server should be given no requests just now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


def operation_routes(
    assistant: Assistant, under_way: UnderWay, job_states: Callable[[], dict[str, int]], *, figures: bool = True
) -> APIRouter:
    """Return `/readyz`, and with `figures` `/metrics`."""
    routes = APIRouter()

    @routes.get(
        "/readyz",
        tags=["operation"],
        responses=answered({"status": "ready"})
        | problems.documented(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def readyz() -> Readiness:
        """Say whether the server can answer: the model is loaded, the store can be read, it is not shutting down."""
        if under_way.is_ending:
            raise NotReadyError("The server is shutting down; it finishes what is under way.")
        try:
            await asyncio.wait_for(in_thread(assistant.check_ready), _PATIENCE)
        except TimeoutError:
            raise StoreError(f"The store did not answer within {_PATIENCE:g} seconds. Is it overloaded?") from None
        return Readiness(status="ready")

    if not figures:
        return routes

    @routes.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        await in_thread(lambda: observe_store(assistant, job_states))
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    return routes
