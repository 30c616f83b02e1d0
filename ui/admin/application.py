"""Puts the admin area together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.settings import Settings
from ui.admin import documents, embed, entry, evaluation, health, questions
from ui.admin.access import Access
from ui.admin.area import Area
from ui.admin.office import Office
from ui.identity import Identity
from ui.journal import Journal

if TYPE_CHECKING:
    from rag import Assistant


def admin_area(assistant: Assistant, settings: Settings, identity: Identity, journal: Journal | None) -> Area | None:
    """Return the admin area, None where there is no folder to keep anything in.

    Raises:
        UsageError: a setting that says who may enter is wrong.
    """
    access = Access(settings)
    if journal is None:
        return None
    area = Area(access, Office(assistant, settings, identity, journal))
    for part in (entry, documents, questions, evaluation, embed, health):
        part.add_to(area)
    return area
