"""A small OpenID provider: a real HTTP server with discovery, keys, and the code flow with PKCE."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "citycite", "das Geheimnis des Dienstes"


class OpenIdProvider:
    """Signs in `subject` with `groups`. `twist` changes the claims of the next ID tokens, `signs` is the key used."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.reset()
        self._codes = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider._get(self)

            def do_POST(self):
                provider._token(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.calls_itself = self.issuer
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        self.subject, self.groups = "anna", ["hr"]
        self.twist = lambda claims: claims
        self.signs, self.header = self.key, {"alg": "RS256", "kid": "one"}
        self.published = [self.key]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _get(self, handler):
        address = urlsplit(handler.path)
        if address.path == "/.well-known/openid-configuration":
            _json(handler, {
                "issuer": self.calls_itself, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            })  # fmt: skip
        elif address.path == "/keys":
            _json(handler, {"keys": [key.as_dict(private=False) for key in self.published]})
        elif address.path == "/authorize":
            asked = dict(parse_qsl(address.query))
            assert asked["response_type"] == "code"
            assert asked["code_challenge_method"] == "S256"
            assert "openid" in asked["scope"].split()
            code = secrets.token_urlsafe()
            self._codes[code] = asked
            back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
            handler.send_response(302)
            handler.send_header("Location", back)
            handler.end_headers()
        else:
            _json(handler, {}, 404)

    def _token(self, handler):
        sent = {key: values[0] for key, values in parse_qs(
            handler.rfile.read(int(handler.headers["Content-Length"])).decode()).items()}  # fmt: skip
        asked = self._codes.pop(sent.get("code"), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        verifier = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if (
            asked is None
            or handler.headers.get("Authorization") != f"Basic {basic}"
            or challenge != asked["code_challenge"]
            or sent.get("redirect_uri") != asked["redirect_uri"]
        ):
            _json(handler, {"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "groups": self.groups,
        }  # fmt: skip
        token = jwt.encode(self.header, self.twist(claims), self.signs, algorithms=["RS256", "HS256", "none"])
        _json(handler, {"access_token": "x", "token_type": "Bearer", "id_token": token})


def _json(handler, content, status=200):
    body = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
