"""Nobody asks who has not signed in, and nobody sees what another group may."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.routing import Mount, Route

from rag.errors import UsageError
from tests.ui.openid_provider import CLIENT, SECRET, OpenIdProvider
from tests.ui.signed_in import GROUP, HIDDEN, TELLS, WHEN, application, browser, events, reader_at, running, settings_of
from ui.api import create_app
from ui.server import listen, refuse_open
from ui.sign_in.keys import FILE, Keys
from ui.sign_in.modes import COOKIE, SignIn
from ui.sign_in.signer import Pass, Signer

PROXY = {"sign_in": "proxy", "trusted_proxies": "10.0.0.9"}
OIDC = {
    "sign_in": "oidc", "oidc_issuer": "https://login.stadt.example", "oidc_client_id": CLIENT,
    "public_url": "https://fragen.stadt.example",
}  # fmt: skip
MODES = {"keys": {"sign_in": "keys"}, "proxy": PROXY, "oidc": OIDC}
# All that answers somebody who has not signed in with anything but a refusal. What is added must be put here.
FREE = {
    "/healthz", "/readyz", "/widget.js", "/favicon.ico", "/robots.txt", "/sign-in", "/sign-in/token", "/sign-in/out",
    "/sign-in/callback",
}  # fmt: skip


CHAT = {"model": "citycite", "messages": [{"role": "user", "content": WHEN}]}


def key_in(folder, groups=(GROUP,), rights=("ask",), days=None):
    return Keys(folder / "data").add("test", None if groups is None else frozenset(groups), frozenset(rights), days)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def all_routes(routes, prefix=""):
    for route in routes:
        path = prefix + getattr(route, "path", "")
        included = getattr(route, "original_router", None)
        if isinstance(route, Mount):
            mounted = route._base_app
            while not hasattr(mounted, "routes") and hasattr(mounted, "app"):
                mounted = mounted.app  # within a limit of its own
            yield from all_routes(getattr(mounted, "routes", None) or [], path)
        elif included is not None:
            yield from all_routes(included.routes, prefix)
        elif isinstance(route, Route):
            for method in sorted((route.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
                yield method, re.sub(r"\{[^}]*\}", "x", path)


@pytest.mark.parametrize("mode", MODES)
def test_no_route_answers_without_signing_in(mode, tmp_path):
    app = application(tmp_path, **MODES[mode])
    tried = 0
    for headers in ({}, {"Authorization": "Bearer citycite_x_y"}):
        client = browser(app, **headers)
        client.cookies.set(COOKIE, "forged")
        for method, path in all_routes(app.routes):
            if path in FREE or path.startswith("/admin"):
                continue
            answer = client.request(method, path, json={} if method != "GET" else None)
            assert answer.status_code in {401, 403}, (method, path, answer.status_code)
            as_program = path.startswith("/v1/")
            assert answer.headers["content-type"] == f"application/{'' if as_program else 'problem+'}json", path
            assert not as_program or answer.json()["error"]["message"]
            tried += 1
    assert tried > 70
    # What has no methods of its own, or stands beside the routes.
    for path in ("/api/v1/ask/stream", "/v1/chat/completions", "/mcp"):
        assert browser(app).post(path, json={}).status_code in {401, 403}, path
    # No route at all, but a file of the chat page; and what nobody has made.
    for path in ("/gradio_api/queue/data?session_hash=x", "/config", "/assets/x.js", "/nothing", "//api/v1/documents"):
        assert browser(app).get(path).status_code == 401, path


def test_in_open_mode_everybody_sees_what_everybody_may(tmp_path):
    client = browser(application(tmp_path))
    assert client.post("/api/v1/ask", json={"question": WHEN}).status_code == 200
    assert HIDDEN not in client.get("/api/v1/documents").text
    assert TELLS not in client.post("/api/v1/ask", json={"question": WHEN}).text


def all_that_is_shown(client):
    """Return what every way to the hidden document shows, but the chat page's events."""
    asked = [
        client.post("/api/v1/ask", json={"question": WHEN}), client.get("/api/v1/search", params={"query": WHEN}),
        client.get("/api/v1/documents"), client.get(f"/api/v1/documents/{HIDDEN}"), client.get(f"/documents/{HIDDEN}"),
        client.get(f"/documents/{HIDDEN}", params={"start": "x"}), client.get(f"/original/{HIDDEN}"),
        client.get("/feedback", params={"question": "x", "helpful": "no"}), client.get("/"),
        client.post("/api/v1/ask/stream", json={"question": WHEN}), client.post("/v1/chat/completions", json=CHAT),
        client.post("/v1/chat/completions", json=CHAT | {"stream": True}),
    ]  # fmt: skip
    return [answer.status_code for answer in asked], "".join(answer.text.replace(HIDDEN, "") for answer in asked)


@pytest.mark.parametrize("mode", ["keys", "proxy"])
def test_each_sees_what_their_groups_may(mode, tmp_path):
    app = application(tmp_path, **MODES[mode])
    if mode == "keys":
        insider, outsider = browser(app, **bearer(key_in(tmp_path))), browser(app, **bearer(key_in(tmp_path, ["bau"])))
    else:
        said = {"X-Forwarded-User": "anna", "X-Forwarded-Groups": f"bau, {GROUP}"}
        insider, outsider = browser(app, **said), browser(app, **said | {"X-Forwarded-Groups": "bau,*"})
    statuses, shown = all_that_is_shown(insider)
    assert statuses == [200, 200, 200, 200, 200, 422, 404, 200, 200, 200, 200, 200]
    assert TELLS in shown
    statuses, shown = all_that_is_shown(outsider)
    assert statuses == [200, 200, 200, 404, 404, 404, 404, 200, 200, 200, 200, 200]
    assert TELLS not in shown
    assert "Krakau tritt Eurocities bei" not in shown
    missing = outsider.get("/api/v1/documents/nothing").json()["detail"].replace("nothing", HIDDEN)
    assert outsider.get(f"/api/v1/documents/{HIDDEN}").json()["detail"] == missing


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with running(settings_of(folder, sign_in="keys")) as address:
        yield folder, address


def test_the_chat_page_answers_each_from_what_their_groups_may(served):
    folder, address = served
    said = events(reader_at(address, **bearer(key_in(folder))))
    assert TELLS in said
    said = events(reader_at(address, **bearer(key_in(folder, ["bau"]))))
    assert "Eurocities" in said
    assert TELLS not in said
    assert events(reader_at(address)).startswith("[401]")


def test_a_conversation_belongs_to_who_began_it(served):
    folder, address = served
    insider = reader_at(address, **bearer(key_in(folder)))
    outsider = reader_at(address, **bearer(key_in(folder, ["bau"])))
    assert TELLS in events(insider, "abc123")
    for answer in (
        outsider.get("/gradio_api/queue/data", params={"session_hash": "abc123"}),
        outsider.get("/gradio_api/heartbeat/abc123"),
        outsider.post("/gradio_api/queue/join", json={"data": [], "fn_index": 2, "session_hash": "abc123"}),
        outsider.post("/gradio_api/cancel", json={"fn_index": 0, "session_hash": "abc123", "event_id": "x"}),
    ):
        assert answer.status_code == 404
    assert TELLS not in events(outsider, "abc123")


@pytest.mark.parametrize("given", ["", "citycite_", "citycite_a_b_c", "x" * 3000, "citycite_%_%", "citycite_é_ü"])
def test_what_is_no_key_is_refused(given, tmp_path):
    key_in(tmp_path)
    client = browser(application(tmp_path, sign_in="keys"))
    answer = client.get("/api/v1/documents", headers=[(b"authorization", b"Bearer " + given.encode())])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_keys_are_kept_hashed_and_can_be_revoked(tmp_path):
    key = key_in(tmp_path, days=1)
    app = application(tmp_path, sign_in="keys")
    file = tmp_path / "data" / FILE
    assert key.split("_", 2)[2].encode() not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    client = browser(app, **bearer(key))
    assert client.get("/api/v1/documents").status_code == 200
    tampered = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert browser(app, **bearer(tampered)).get("/api/v1/documents").status_code == 401
    found = Keys(tmp_path / "data").list()[0]
    assert found.is_valid
    Keys(tmp_path / "data").revoke(found.id)
    assert client.get("/api/v1/documents").status_code == 401


def test_a_key_can_only_do_what_it_has_the_right_to(tmp_path):
    app = application(tmp_path, sign_in="keys")
    asks = browser(app, **bearer(key_in(tmp_path)))
    assert asks.post("/api/v1/tokens", json={}).status_code == 403
    assert asks.put(f"/api/v1/access/{HIDDEN}", json={"groups": ["*"]}).status_code == 403
    # A line break that one pattern takes for the end and another does not.
    assert asks.post("/api/v1/tokens%0A", json={}).status_code == 404
    assert asks.put(f"/api/v1/access/{HIDDEN}%0A", json={"groups": ["*"]}).status_code == 404
    issues = browser(app, **bearer(key_in(tmp_path, rights=["tokens"])))
    assert issues.post("/api/v1/tokens", json={}).status_code == 201
    assert issues.post("/api/v1/ask", json={"question": WHEN}).status_code == 403


def test_signing_in_with_a_key_gives_a_session_that_ends_with_the_key(tmp_path):
    app = application(tmp_path, sign_in="keys")
    client = browser(app, accept="text/html")
    led = client.get("/?q=x&lang=de")
    assert led.status_code == 303
    assert led.headers["location"] == "/sign-in?next=%2F%3Fq%3Dx%26lang%3Dde"
    assert client.post("/sign-in", data={"key": "citycite_a_b"}).status_code == 403
    key = key_in(tmp_path)
    entered = client.post("/sign-in", data={"key": key, "next": "/?q=x"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/?q=x")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie  # noqa: PT018
    assert TELLS in client.post("/api/v1/ask", json={"question": WHEN}).text
    Keys(tmp_path / "data").revoke(key.split("_")[1])
    assert client.post("/api/v1/ask", json={"question": WHEN}).status_code == 401


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "x"])
def test_signing_in_leads_to_no_other_server(next, tmp_path):
    client = browser(application(tmp_path, sign_in="keys"))
    assert client.post("/sign-in", data={"key": key_in(tmp_path), "next": next}).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_pages_of_other_sites_can_send_nothing_with_a_readers_cookie(headers, tmp_path):
    app = application(tmp_path, sign_in="keys")
    client = browser(app)
    client.post("/sign-in", data={"key": key_in(tmp_path)})
    assert client.post("/api/v1/ask", json={"question": WHEN}, headers=headers).status_code == 403
    assert client.post("/gradio_api/queue/join", json={}, headers=headers).status_code == 403
    assert client.post("/api/v1/ask", json={"question": WHEN}, headers={"Sec-Fetch-Site": "same-origin"}).is_success
    said = {"X-Forwarded-User": "anna"} | headers
    assert browser(application(tmp_path, **PROXY), **said).post("/api/v1/ask", json={}).status_code == 403
    # A key is sent by a program, and by nobody unasked.
    assert browser(app, **bearer(key_in(tmp_path)) | headers).post("/api/v1/ask", json={"question": WHEN}).is_success


def test_a_proxys_headers_are_believed_from_it_alone(tmp_path):
    app = application(tmp_path, **PROXY)
    said = {"X-Forwarded-User": "anna", "X-Forwarded-Groups": GROUP}
    assert browser(app, ("10.0.0.8", 1), **said).get("/api/v1/documents").status_code == 403
    assert browser(app, **said).get("/api/v1/documents").status_code == 200
    twice = [("X-Forwarded-User", "anna"), ("X-Forwarded-User", "berta")]
    assert browser(app).get("/api/v1/documents", headers=twice).status_code == 401
    groups = [("X-Forwarded-User", "anna"), ("X-Forwarded-Groups", "x"), ("X-Forwarded-Groups", GROUP)]
    assert browser(app).get("/api/v1/documents", headers=groups).status_code == 401
    assert browser(app, **said | {"X-Forwarded-User": " "}).get("/api/v1/documents").status_code == 401


def test_a_token_is_bound_to_groups_minutes_and_its_key(tmp_path, monkeypatch):
    app = application(tmp_path, sign_in="keys")
    key = key_in(tmp_path, groups=[GROUP, "bau"], rights=["ask", "tokens"])
    program = browser(app, **bearer(key))
    whole = program.post("/api/v1/tokens", json={"minutes": 5}).json()["token"]
    part = program.post("/api/v1/tokens", json={"minutes": 5, "groups": ["bau"]}).json()["token"]
    assert program.post("/api/v1/tokens", json={"groups": ["rat"]}).status_code == 422
    assert program.post("/api/v1/tokens", json={"groups": ["*"]}).status_code == 422
    assert program.post("/api/v1/tokens", json={"minutes": 61}).status_code == 422
    assert TELLS in browser(app, **bearer(whole)).post("/api/v1/ask", json={"question": WHEN}).text
    assert TELLS not in browser(app, **bearer(part)).post("/api/v1/ask", json={"question": WHEN}).text
    assert browser(app, **bearer(whole)).post("/api/v1/tokens", json={}).status_code == 403
    assert browser(app, **bearer(whole[:-2])).get("/api/v1/documents").status_code == 401
    framed = browser(app)
    assert framed.get("/sign-in/token", params={"token": whole, "next": "/?lang=de"}).headers["location"] == "/?lang=de"
    assert TELLS in framed.post("/api/v1/ask", json={"question": WHEN}).text
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 301)
    assert browser(app, **bearer(whole)).get("/api/v1/documents").status_code == 401
    assert framed.get("/api/v1/documents").status_code == 401
    monkeypatch.setattr("time.time", lambda: now)
    Keys(tmp_path / "data").revoke(key.split("_")[1])
    assert browser(app, **bearer(whole)).get("/api/v1/documents").status_code == 401


def test_one_kind_of_signature_is_not_taken_for_another(tmp_path):
    signer = Signer("x" * 40)
    token = signer.sign_pass("token", Pass("a", None, time.time() + 60))
    assert signer.read_pass("token", token) == Pass("a", None, pytest.approx(time.time() + 60, abs=5))
    assert signer.read_pass("session", token) is None
    assert Signer("y" * 40).read_pass("token", token) is None
    with pytest.raises(UsageError, match="at least 32"):
        Signer.of(settings_of(tmp_path, secret="kurz"))


def test_servers_of_one_folder_share_the_secret(tmp_path):
    settings = settings_of(tmp_path, sign_in="keys")
    signed = Signer.of(settings).sign("session", {"until": time.time() + 60})
    assert Signer.of(settings).read("session", signed)
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("limits", [{"rate_limit": 3}, {"rate_limit_address": 3}])
def test_too_many_requests_are_told_when_to_come_again(limits, tmp_path):
    app = application(tmp_path, **PROXY, **limits)
    client = browser(app, **{"X-Forwarded-User": "anna", "X-Forwarded-For": "10.1.1.1"})
    answers = [client.get("/api/v1/documents") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[3].headers["retry-after"]) <= 20
    assert answers[3].json()["status"] == 429
    assert answers[3].headers["content-type"] == "application/problem+json"
    other = {"X-Forwarded-User": "berta", "X-Forwarded-For": "10.1.1.2"}
    assert browser(app, **other).get("/api/v1/documents").status_code == 200
    # Whoever has not signed in is counted by address.
    if "rate_limit_address" in limits:
        nobody = browser(app, **{"X-Forwarded-For": "10.1.1.3"})
        assert [nobody.get("/api/v1/documents").status_code for _ in range(4)] == [401, 401, 401, 429]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_signing_in_only_this_machine_is_served(host, tmp_path):
    with listen(host, 0) as listener:
        with pytest.raises(UsageError, match="--allow-open"):
            refuse_open(listener, settings_of(tmp_path))
        refuse_open(listener, settings_of(tmp_path, sign_in="keys"))
    with listen("127.0.0.1", 0) as listener:
        refuse_open(listener, settings_of(tmp_path))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"sign_in": "proxy"}, "CITYCITE_TRUSTED_PROXIES"),
        ({"sign_in": "oidc"}, "CITYCITE_OIDC_ISSUER"),
        (OIDC | {"oidc_issuer": "http://login.stadt.example"}, "https"),
        (OIDC | {"public_url": "fragen.stadt.example"}, "https"),
    ],
)
def test_settings_that_let_nobody_in_safely_are_refused(values, named, tmp_path):
    with pytest.raises(UsageError, match=named):
        SignIn(settings_of(tmp_path, **values))


# --- OpenID Connect ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running_provider():
    provider = OpenIdProvider()
    yield provider
    provider.close()


@pytest.fixture
def provider(running_provider):
    running_provider.reset()
    return running_provider


@pytest.fixture(scope="module")
def one_app(running_provider, tmp_path_factory):
    return create_app_of(tmp_path_factory.mktemp("oidc"), running_provider)


@pytest.fixture
def app(one_app, provider):
    return one_app


def create_app_of(folder, provider, **values):
    from tests.ui.signed_in import stand_in

    given = {
        "sign_in": "oidc", "oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
        "public_url": "http://127.0.0.1:7860",
    }  # fmt: skip
    return create_app(stand_in(), settings_of(folder, **given | values))


def through_the_provider(client, path="/?lang=de"):
    """Go where the browser is led; return the last answer of this server, yet to be followed."""
    import httpx

    led = client.get(path, headers={"accept": "text/html"})
    assert led.status_code == 303
    begun = client.get(led.headers["location"])
    back = httpx.get(begun.headers["location"], follow_redirects=False, timeout=60)
    return client.get(back.headers["location"].removeprefix("http://127.0.0.1:7860"))


def test_who_signs_in_at_the_provider_sees_what_their_groups_may(app, provider):
    client = browser(app)
    finished = through_the_provider(client)
    assert (finished.status_code, finished.headers["location"]) == (303, "/?lang=de")
    assert TELLS in client.post("/api/v1/ask", json={"question": WHEN}).text
    provider.groups = ["bau"]
    other = browser(app)
    through_the_provider(other)
    assert other.get("/api/v1/documents").status_code == 200
    assert TELLS not in other.post("/api/v1/ask", json={"question": WHEN}).text
    assert client.get("/sign-in/out").status_code == 200
    assert client.get("/api/v1/documents").status_code == 401


def _without(name):
    return lambda claims: {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize(
    "twist",
    [
        lambda claims: claims | {"aud": "another"},
        lambda claims: claims | {"aud": [CLIENT, "another"]},
        lambda claims: claims | {"aud": [CLIENT, "another"], "azp": "another"},
        lambda claims: claims | {"iss": "https://evil.example"},
        lambda claims: claims | {"nonce": "another"},
        lambda claims: claims | {"exp": time.time() - 60},
        lambda claims: claims | {"iat": time.time() + 600},
        lambda claims: claims | {"groups": {"hr": True}},
        lambda claims: claims | {"groups": ["hr", 1]},
        _without("exp"), _without("sub"), _without("nonce"), _without("aud"),
    ],
)  # fmt: skip
def test_an_id_token_that_says_something_else_lets_nobody_in(app, provider, twist):
    provider.twist = twist
    client = browser(app)
    assert through_the_provider(client).status_code == 403
    assert client.get("/api/v1/documents").status_code == 401


def test_an_id_token_that_others_have_signed_lets_nobody_in(app, provider):
    from joserfc.jwk import OctKey, RSAKey

    for key, header in (
        (RSAKey.generate_key(2048), {"alg": "RS256", "kid": "one"}),
        (OctKey.import_key(SECRET), {"alg": "HS256", "kid": "one"}),
        (provider.key, {"alg": "none"}),
    ):
        provider.signs, provider.header = key, header
        client = browser(app)
        assert through_the_provider(client).status_code == 403
        assert client.get("/api/v1/documents").status_code == 401


def test_a_new_key_of_the_provider_is_found(provider, tmp_path, monkeypatch):
    from joserfc.jwk import RSAKey

    monkeypatch.setattr("ui.sign_in.oidc._KEYS_SECONDS", 0.0)
    app = create_app_of(tmp_path, provider)
    assert through_the_provider(browser(app)).status_code == 303
    provider.signs = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    provider.published, provider.header = [provider.signs], {"alg": "RS256", "kid": "two"}
    assert through_the_provider(browser(app)).status_code == 303


def test_a_sign_in_that_was_begun_elsewhere_lets_nobody_in(app, provider, monkeypatch):
    import httpx

    victim, attacker = browser(app), browser(app)
    begun = attacker.get("/sign-in")
    back = (
        httpx.get(begun.headers["location"], follow_redirects=False, timeout=60)
        .headers["location"]
        .partition("7860")[2]
    )
    assert victim.get(back).status_code == 403
    victim.get("/sign-in")
    assert victim.get(back).status_code == 403
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert attacker.get("/sign-in/callback", params={"code": code, "state": ""}).status_code == 403
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 601)
    assert attacker.get(back).status_code == 403


def test_a_provider_that_is_away_or_another_is_said_so(provider, tmp_path, caplog):
    app = create_app_of(tmp_path, provider, oidc_issuer="http://127.0.0.1:9")
    assert browser(app).get("/sign-in").status_code == 503
    provider.calls_itself = "https://evil.example"
    try:
        assert browser(create_app_of(tmp_path, provider)).get("/sign-in").status_code == 503
    finally:
        provider.calls_itself = provider.issuer
    assert "calls itself" in caplog.text


def test_the_code_verifier_is_what_the_provider_checks(app, provider, monkeypatch):
    monkeypatch.setattr("ui.sign_in.signer.Signer.read", lambda self, kind, text, read=Signer.read: (
        (read(self, kind, text) or {}) | ({"verifier": "x" * 48} if kind == "login" else {})))  # fmt: skip
    assert through_the_provider(browser(app)).status_code == 403
