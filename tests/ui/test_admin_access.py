"""Nobody gets into the admin area who should not."""

import re

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

import ui.admin.access
from rag.errors import UsageError
from rag.settings import Settings
from tests.ui.admin_session import PASSWORD, Administrator, administration, area_alone, set_password, settings_in
from tests.ui.stand_in import StandIn
from ui.admin.access import ATTEMPTS, COOKIE
from ui.admin.password import FILE, fits, hashed, keep
from ui.api import create_app
from ui.mounting import SERVED
from ui.security import MAX_BODY

# All that anybody may reach. What is added must be put here with intent.
PUBLIC = {
    "/api/v1/ask", "/api/v1/search", "/api/v1/documents", "/api/v1/documents/{document_id:path}", "/api/v1/feedback",
    "/api/v1/openapi.json", "/documents/{document_id:path}", "/original/{document_id:path}", "/feedback", "/healthz",
    "/docs", "/docs/files", "/sign-in/token", "/sign-in/out", "/api/v1/tokens", "/api/v1/access/{document_id:path}",
    "/api/v1/ask/stream", "/readyz", "/metrics", "/widget.js", "/v1", "/mcp",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path):
    return settings_in(tmp_path, tmp_path / "store")


@pytest.fixture
def inside(settings):
    return administration(StandIn(), settings)


def all_routes(routes, prefix=""):
    """Yield path and methods of every route, of mounted applications as well."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        included = getattr(route, "original_router", None)
        # A mount knows its routes also behind middleware; a router that was included has them itself.
        below = getattr(included, "routes", None) or getattr(route, "routes", None) or []
        if isinstance(route, Mount):
            yield path, {"GET"}, route
            yield from all_routes(below, path)
        elif included is not None:
            yield from all_routes(below, prefix)
        elif isinstance(route, Route):
            yield path, route.methods or {"GET"}, route


def filled(path):
    return re.sub(r"\{[^}]*\}", "x", path)


def test_no_route_is_open_but_those_named(settings):
    set_password(settings)
    application = create_app(StandIn(), settings)
    client = TestClient(application, follow_redirects=False)
    found = list(all_routes(application.routes))
    admin = [(path, methods) for path, methods, _ in found if path.startswith("/admin/")]
    gradio = [(path, methods) for path, methods, _ in found if path not in PUBLIC and not path.startswith("/admin")]
    assert len(admin) > 12
    known = {"/gradio_api/upload", "/gradio_api/file={path_or_url:path}", "/gradio_api/info", "/login"}
    assert known <= {path for path, _ in gradio}
    assert {path for path, _, _ in found} >= PUBLIC
    for path, methods in admin:
        for method in methods | {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"}:
            answer = client.request(method, filled(path))
            if path == "/admin/login" and method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}:
                assert answer.status_code in {200, 403, 405}, (method, path)
                assert not answer.cookies.get(COOKIE) or len(answer.cookies.get(COOKIE)) >= 32
            elif method in {"GET", "HEAD"}:
                assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login"), (method, path)
            else:
                assert answer.status_code == 401, (method, path)
    for path, methods in gradio:
        if path and not SERVED.fullmatch(filled(path)):
            for method in methods:
                answer = client.request(method, filled(path))
                # "/config/" leads to "/config", which the page needs.
                elsewhere = answer.status_code == 307 and SERVED.fullmatch(filled(path).rstrip("/"))
                assert answer.status_code == 404 or elsewhere, (method, path)


@pytest.mark.parametrize(
    "path", ["/admin/nowhere", "/admin//documents", "/admin/./documents", "/admin/login/../documents",
             "/admin/login/documents", "/admin/%64ocuments", "/admin/login%2f..%2fdocuments",
             "/admin/original?source=/etc/passwd"],
)  # fmt: skip
def test_no_spelling_of_a_path_leads_past_the_login(settings, path):
    set_password(settings)
    client = TestClient(area_alone(StandIn(), settings), follow_redirects=False)
    answer = client.get(path)
    assert answer.status_code in {303, 307, 404}
    assert "Krakau" not in answer.text
    if answer.status_code == 303:
        assert answer.headers["location"] == "/admin/login"


def test_without_a_password_nobody_gets_in_and_the_page_says_how_to_set_one(settings):
    client = TestClient(area_alone(StandIn(), settings), follow_redirects=False)
    for method, path in (
        ("GET", "/admin/"),
        ("GET", "/admin/login"),
        ("POST", "/admin/login"),
        ("GET", "/admin/documents"),
    ):
        answer = client.request(method, f"/admin{path}")
        assert answer.status_code == 403
        assert "citycite admin-password" in answer.text
    set_password(settings)
    assert client.get("/admin/login").status_code == 200


def test_the_right_password_opens_and_logging_out_closes(inside):
    assert inside.get("/questions").status_code == 200
    cookie = inside.client.cookies.get(COOKIE)
    login = inside.get("/login")
    assert login.headers["location"] == "/admin/documents"
    out = inside.send(inside.get("/questions"), "/logout")
    assert "Max-Age=0" in out.headers["set-cookie"]
    inside.client.cookies.set(COOKIE, cookie)
    assert inside.get("/questions").headers["location"] == "/admin/login"


def test_the_cookie_is_of_use_to_nobody_else(settings):
    set_password(settings)
    somebody = Administrator(area_alone(StandIn(), settings))
    before = somebody.get("/login").cookies.get(COOKIE)
    answer = somebody.log_in()
    set_cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/admin"} <= set(set_cookie.split("; "))
    assert answer.cookies.get(COOKIE) != before
    assert "Secure" not in set_cookie
    encrypted = TestClient(area_alone(StandIn(), settings), base_url="https://testserver")
    assert "Secure" in encrypted.get("/admin/login").headers["set-cookie"]


def test_wrong_passwords_are_slowed_down(settings, monkeypatch):
    set_password(settings)
    somebody = Administrator(area_alone(StandIn(), settings))
    codes = [somebody.log_in(f"falsch {number}").status_code for number in range(ATTEMPTS)]
    assert codes == [403] * ATTEMPTS
    answer = somebody.log_in()
    assert (answer.status_code, int(answer.headers["retry-after"]) > 800) == (429, True)
    assert "Zu viele falsche Passwörter" in somebody.said(answer)
    now = ui.admin.access.time.monotonic()
    monkeypatch.setattr(ui.admin.access.time, "monotonic", lambda: now + 901)
    assert somebody.log_in().status_code == 303


def test_every_form_needs_its_token(inside):
    actions = [route.path for route in inside.client.app.routes if getattr(route, "name", "") == "admin"]
    assert actions == ["/admin"]
    area = next(route.app for route in inside.client.app.routes if getattr(route, "name", "") == "admin")
    posts = [route.path for route in area.routes if "POST" in route.methods]
    assert len(posts) >= 8
    for path in posts:
        for form in ({}, {"token": ""}, {"token": "0" * 64}, {"token": "ü"}):
            assert inside.client.post(f"/admin{path}", data=form).status_code == 403, (path, form)
    assert inside.get("/questions").status_code == 200


def test_a_session_ends(inside, settings, monkeypatch):
    assert inside.get("/questions").status_code == 200
    keep("ein anderes Passwort", settings)
    assert inside.get("/questions").status_code == 303
    inside.log_in("ein anderes Passwort")
    assert inside.get("/questions").status_code == 200
    now = ui.admin.access.time.monotonic()
    monkeypatch.setattr(ui.admin.access.time, "monotonic", lambda: now + 3601)
    assert inside.get("/questions").status_code == 303


def test_what_is_not_in_is_not_read(settings):
    set_password(settings)
    client = TestClient(create_app(StandIn(), settings))

    def endless():
        yield b"x" * MAX_BODY
        raise AssertionError("the body of a stranger was read")

    assert client.post("/admin/documents/upload", content=endless()).status_code == 401


def proxied(settings, host="10.0.0.5"):
    return TestClient(area_alone(StandIn(), settings), client=(host, 1), follow_redirects=False)


@pytest.mark.parametrize(
    ("setting", "headers", "host", "admitted"),
    [
        ("X-Admin", {"X-Admin": "erika"}, "10.0.0.5", True),
        ("X-Admin", {"X-Admin": "erika"}, "10.0.1.5", False),
        ("X-Admin", {"X-Admin": " "}, "10.0.0.5", False),
        ("X-Admin", {}, "10.0.0.5", False),
        ("X-Groups: admins", {"X-Groups": "staff, admins"}, "10.0.0.5", True),
        ("X-Groups: admins", {"X-Groups": "staff"}, "10.0.0.5", False),
        ("X-Groups: admins", {"X-Groups": "no-admins"}, "10.0.0.5", False),
        ("X-Admin", {"X-Admin": "erika", "X-Forwarded-For": "10.0.0.5"}, "192.0.2.1", False),
    ],
)
def test_a_proxy_says_who_may_enter(tmp_path, setting, headers, host, admitted):
    settings = settings_in(tmp_path, tmp_path / "s", admin_header=setting, trusted_proxies="10.0.0.0/24, ::1")
    set_password(settings)
    client = proxied(settings, host)
    answer = client.get("/admin/questions", headers=headers)
    assert answer.status_code == (200 if admitted else 403)
    # The cookie alone is worth nothing, and neither is the password.
    assert client.get("/admin/questions").status_code == 403
    token = re.search('name="token" value="([^"]+)"', answer.text)
    form = {"token": token.group(1) if token else "", "password": PASSWORD}
    assert client.post("/admin/login", data=form).status_code == 403


def test_a_header_given_twice_is_not_believed(tmp_path):
    settings = settings_in(tmp_path, tmp_path / "s", admin_header="X-Admin", trusted_proxies="10.0.0.5")
    answer = proxied(settings).get("/admin/questions", headers=[("X-Admin", "a"), ("X-Admin", "b")])
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"admin_header": "X-Admin"}, "CITYCITE_TRUSTED_PROXIES"),
        ({"trusted_proxies": "proxy.example"}, "'proxy.example'"),
        ({"admin_password": "kurz"}, "has 4 characters"),
    ],
)
def test_wrong_settings_are_named(tmp_path, values, said):
    with pytest.raises(UsageError, match=re.escape(said)) as error:
        create_app(StandIn(), settings_in(tmp_path, tmp_path / "s", **values))
    assert "kurz" not in str(error.value)


def test_a_password_by_setting_works_and_is_never_shown(tmp_path):
    settings = settings_in(tmp_path, tmp_path / "s", admin_password=PASSWORD)
    assert PASSWORD not in repr(settings)
    assert Administrator(area_alone(StandIn(), settings)).log_in().status_code == 303


def test_only_a_salted_hash_is_kept_and_only_the_owner_reads_it(settings):
    file = keep(PASSWORD, settings)
    first = file.read_text()
    assert file.name == FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert keep(PASSWORD, settings).read_text() != first
    assert PASSWORD not in first
    assert fits(PASSWORD, first)
    assert not fits(PASSWORD + " ", first)
    for wrong in ("", "scrypt$1$2", "scrypt$x$8$3$AA==$AA==", hashed(PASSWORD)[:-4], "plain$15$8$3$AA==$AA=="):
        assert not fits(PASSWORD, wrong)


def test_a_server_store_has_an_admin_area_only_with_a_folder(tmp_path):
    away = Settings(store="http://127.0.0.1:1")
    assert TestClient(create_app(StandIn(), away)).get("/admin/").status_code == 404
    with pytest.raises(UsageError, match="CITYCITE_DATA"):
        keep(PASSWORD, away)
    named = Settings(store="http://127.0.0.1:1", data=str(tmp_path))
    assert TestClient(area_alone(StandIn(), named)).get("/admin/").status_code == 403
