"""Who may see a document, said through the API, whatever its files say."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field

from rag.access import group_names
from rag.errors import UsageError, missing_document
from ui import problems
from ui.api_examples import DOCUMENT, answered
from ui.sign_in.visitor import AskedBy, require

if TYPE_CHECKING:
    from rag import Assistant
    from rag.store import Store

# An ingest holds the writer's lock for long; who sets groups is told to come again.
_WAIT_SECONDS = 5.0


class GroupsBody(BaseModel):
    """Which groups see a document. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"groups": ["hr"]}, {"groups": None}]})

    groups: list[Annotated[str, Field(max_length=200)]] | None = Field(
        max_length=100, description="Names of groups, `*` for everybody; null: what its files and folders say."
    )


def set_groups(store: Store, document_id: str, groups: list[str] | None) -> tuple[str, ...] | None:
    """Set who sees a document, at the next question; return the groups that hold now.

    Raises:
        UsageError: a name is none.
        NotFoundError: there is no such document.
        StoreError: another process is writing.
    """
    try:
        names = None if groups is None else group_names(groups)
    except ValueError as error:
        raise UsageError(f"groups {error}.") from None
    with store.writing(wait=_WAIT_SECONDS):
        store.refresh()
        if not store.records_of([document_id]):
            raise missing_document(document_id)
        store.set_groups({document_id: names})
    return store.document(document_id).groups


def sharing_routes(assistant: Assistant) -> APIRouter:
    """Return the operation; the gate lets through keys with the right `documents` alone."""
    routes = APIRouter()
    refused = (
        HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE,
    )  # fmt: skip

    @routes.put(
        "/api/v1/access/{document_id:path}",
        tags=["access"],
        responses=answered({"groups": ["hr"]}) | problems.documented(*refused),
    )
    def put(
        document_id: Annotated[
            str, PathParameter(description="The document's id.", examples=[DOCUMENT["document_id"]])
        ],
        body: GroupsBody,
        request: Request,
        reader: AskedBy,
    ) -> GroupsBody:
        """Say which groups see a document; it holds from the next question on, and outlives new versions."""
        require(request, "documents")
        assistant.document(document_id, reader=reader)  # what the key does not see is not there
        found = set_groups(assistant.store, document_id, body.groups)
        return GroupsBody(groups=None if found is None else list(found))

    return routes
