"""Signing in at an OpenID provider: authorisation code with PKCE, and what its ID token says.

Nothing of it is kept here: what belongs to a sign-in under way travels in a signed cookie of ten minutes.
"""

from __future__ import annotations

import hmac
import ssl
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rag.errors import CityciteError, UsageError
from rag.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client
    from joserfc.jwk import KeySet

CALLBACK: Final = "/sign-in/callback"
# Time to type a password and a second factor.
LOGIN_SECONDS: Final = 600.0
_TIMEOUT: Final = 10.0
# A provider changes its addresses by the year and its keys by the month; a key that is unknown is looked for at once,
# but not more often than this, so that forged tokens make no requests.
_KNOWN_SECONDS: Final = 3600.0
_KEYS_SECONDS: Final = 30.0
# Signatures that only the provider can make; never "none", never one with a shared secret.
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
# Clocks of two servers differ by seconds.
_LEEWAY: Final = 30
_MOST_GROUPS: Final = 2000
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class SignInError(CityciteError):
    """Somebody could not be signed in; the message is for the log, the page says less."""

    status = 403


class ProviderError(CityciteError):
    """The OpenID provider does not answer, or not as one does."""

    status = 503


class Provider:
    """The OpenID provider of the settings.

    Raises:
        UsageError: a setting that it needs is missing or wrong.
    """

    def __init__(self, settings: Settings) -> None:
        for name in ("oidc_issuer", "oidc_client_id", "public_url"):
            if not getattr(settings, name):
                raise UsageError(f"CITYCITE_SIGN_IN is oidc, which needs CITYCITE_{name.upper()}; set it.")
        for name in ("oidc_issuer", "public_url"):
            address = urlsplit(getattr(settings, name))
            if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
                raise UsageError(
                    f"CITYCITE_{name.upper()} is {getattr(settings, name)!r}; it must begin with https://, because "
                    "what signs people in passes there."
                )
        self._settings = settings
        self._issuer = settings.oidc_issuer
        self.callback = settings.public_url.rstrip("/") + CALLBACK
        self._lock = threading.Lock()
        self._found: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self) -> tuple[str, dict[str, Any]]:
        """Return where to send the browser, and what belongs to this sign-in: state, nonce and code verifier."""
        from authlib.common.security import generate_token

        login = {name: generate_token(48) for name in ("state", "nonce", "verifier")}
        endpoint = str(self._metadata()["authorization_endpoint"])
        with self._client() as client:
            address, _ = client.create_authorization_url(
                endpoint, state=login["state"], nonce=login["nonce"], code_verifier=login["verifier"]
            )
        return address, login | {"until": time.time() + LOGIN_SECONDS}

    def finish(self, login: Mapping[str, Any], state: str, code: str) -> tuple[str, frozenset[str]]:
        """Return the name and the groups of who comes back from the provider with `state` and `code`.

        Raises:
            SignInError: this is not the sign-in that was begun, or the ID token is not to be believed.
            ProviderError: the provider does not answer.
        """
        from authlib.common.errors import AuthlibBaseError

        if not state or not hmac.compare_digest(str(login.get("state", "")).encode(), state.encode()):
            raise SignInError("The state is not that of the sign-in that this browser began.")
        endpoint = str(self._metadata()["token_endpoint"])
        with self._client() as client:
            try:
                token = self._answer(
                    lambda: client.fetch_token(
                        endpoint, code=code, code_verifier=login["verifier"], grant_type="authorization_code"
                    )
                )
            except AuthlibBaseError as error:
                raise SignInError(f"The provider refused the code: {error.error}.") from None
        claims = self._claims(str(token.get("id_token") or ""), str(login["nonce"]))
        return str(claims["sub"]), self._groups(claims)

    def _claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                decoded = jwt.decode(id_token, self._key_set(), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                decoded = jwt.decode(id_token, self._key_set(renewed=True), algorithms=_ALGORITHMS)
            claims: Mapping[str, Any] = decoded.claims
            registry.validate(dict(claims))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise SignInError(f"The ID token is not valid: {type(error).__name__}: {error}.") from None
        audience = claims["aud"]
        party = claims.get("azp", self._settings.oidc_client_id)
        if (isinstance(audience, list) and len(audience) > 1 and "azp" not in claims) or (
            party != self._settings.oidc_client_id
        ):
            raise SignInError("The ID token was made for another party (azp).")
        return claims

    def _groups(self, claims: Mapping[str, Any]) -> frozenset[str]:
        found = claims.get(self._settings.oidc_groups_claim, [])
        if isinstance(found, str):
            found = [found]
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise SignInError(f"The claim {self._settings.oidc_groups_claim!r} is no list of names.")
        if len(found) > _MOST_GROUPS:
            raise SignInError(f"The claim {self._settings.oidc_groups_claim!r} has {len(found)} names.")
        return frozenset(found)

    def _metadata(self) -> Mapping[str, Any]:
        with self._lock:
            if self._found is None or time.monotonic() - self._found[0] > _KNOWN_SECONDS:
                address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
                found = self._get(address)
                # OpenID Connect Discovery 1.0, 4.3: else another provider could speak for this one.
                if found.get("issuer") != self._issuer:
                    raise ProviderError(
                        f"The OpenID provider at {address} calls itself {found.get('issuer')!r}, not "
                        f"{self._issuer!r}; set CITYCITE_OIDC_ISSUER to what it says."
                    )
                self._found = time.monotonic(), found
            return self._found[1]

    def _key_set(self, *, renewed: bool = False) -> KeySet:
        from joserfc.jwk import KeySet

        address = str(self._metadata()["jwks_uri"])
        with self._lock:
            most = _KEYS_SECONDS if renewed else _KNOWN_SECONDS
            if self._keys is None or time.monotonic() - self._keys[0] > most:
                self._keys = time.monotonic(), KeySet.import_key_set(self._get(address))  # type: ignore[arg-type]
            return self._keys[1]

    def _get(self, address: str) -> dict[str, Any]:
        import httpx

        def get() -> Any:  # noqa: ANN401 - JSON
            with httpx.Client(timeout=_TIMEOUT, verify=_certificates(), trust_env=False) as client:
                return client.get(address).raise_for_status().json()

        found = self._answer(get)
        if not isinstance(found, dict):
            raise ProviderError(f"The OpenID provider answers at {address} with no JSON object.")
        return found

    def _answer(self, ask: Any) -> Any:  # noqa: ANN401 - whatever `ask` returns
        import httpx

        try:
            return ask()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"The OpenID provider {self._issuer} does not answer ({error}).") from None

    def _client(self) -> OAuth2Client:
        from authlib.integrations.httpx_client import OAuth2Client

        secret = self._settings.oidc_client_secret.get_secret_value()
        return OAuth2Client(
            self._settings.oidc_client_id,
            secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._settings.oidc_scopes,
            redirect_uri=self.callback,
            code_challenge_method="S256",
            timeout=_TIMEOUT,
            verify=_certificates(),
            trust_env=False,
        )


def _certificates() -> ssl.SSLContext:
    # The operating system's, so that an authority of the city's own is known once it is installed there.
    return ssl.create_default_context()


__all__ = ["CALLBACK", "LOGIN_SECONDS", "Provider", "ProviderError", "SignInError"]
