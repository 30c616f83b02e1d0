"""The page that says what `citycite doctor` does."""

from __future__ import annotations

import shutil

from starlette.responses import Response

from ui.admin.area import Area, Visit
from ui.doctor import Check, examine
from ui.places import required_data_folder


def add_to(area: Area) -> None:
    """Add the page."""

    @area.page("/health")
    def show(visit: Visit) -> Response:
        office = visit.office
        return visit.page("health", checks=[*examine(office.settings, office.assistant), _disk(area)])


def _disk(area: Area) -> Check:
    """Return how much room there is for what cannot be rebuilt."""
    folder = required_data_folder(area.office.settings)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free / 1e9
    needed = area.office.settings.max_file_mb / 1000
    values = {"gigabytes": free, "folder": folder}
    if free < 2 * needed:
        return Check("disk", "broken", "disk", values, "make room, or set CITYCITE_DATA")
    return Check("disk", "ok", "disk", values)
