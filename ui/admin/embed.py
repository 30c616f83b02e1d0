"""The page with the lines that bring citycite into other pages and programs."""

from __future__ import annotations

from starlette.responses import Response

from ui.admin.area import Area, Visit
from ui.cross_origin import origins
from ui.embedding import frame_snippet, widget_snippet


def add_to(area: Area) -> None:
    """Add the page."""

    @area.page("/embed")
    def show(visit: Visit) -> Response:
        office = visit.office
        # As the browser has it, which is how the pages of other sites will reach it too.
        address = str(visit.request.base_url).rstrip("/").removesuffix(visit.root)
        name = office.identity.name
        return visit.page(
            "embed",
            server=address,
            widget=widget_snippet(address, visit.language, name),
            frame=frame_snippet(address, visit.language, name),
            allowed=origins("allowed_origins", office.settings.allowed_origins),
            ancestors=origins("frame_ancestors", office.settings.frame_ancestors),
        )
