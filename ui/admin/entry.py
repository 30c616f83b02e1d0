"""In and out of the admin area."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from ui.admin.area import Area, Visit


def add_to(area: Area) -> None:
    """Add the login, the logout and the first page."""

    @area.page("/")
    def start(visit: Visit) -> Response:
        return visit.go("/documents")

    @area.page("/login")
    def login(visit: Visit) -> Response:
        return visit.go("/documents") if visit.session else visit.page("login")

    @area.action("/login")
    def log_in(visit: Visit) -> Response:
        address = visit.access.address(visit.request)
        wait = visit.access.throttle.wait(address)
        if wait:
            answer = visit.page("login", HTTPStatus.TOO_MANY_REQUESTS, problem="login_wait", minutes=-(-wait // 60))
            answer.headers["Retry-After"] = str(wait)
            return answer
        session = visit.access.log_in(visit.field("password"), address)
        if session is None:
            return visit.page("login", HTTPStatus.FORBIDDEN, problem="login_wrong")
        session.language = visit.language
        answer = visit.go("/documents")
        # A new cookie: one that was there before could be known to others.
        answer.headers["Set-Cookie"] = area.cookie(visit, session.token)
        return answer

    @area.action("/logout")
    def log_out(visit: Visit) -> Response:
        if visit.session:
            visit.access.end(visit.session)
        answer = visit.go("/login")
        answer.headers["Set-Cookie"] = area.cookie(visit, "") + "; Max-Age=0"
        return answer
