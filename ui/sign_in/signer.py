"""What is handed out signed: the session in a browser's cookie, and short-lived tokens for embedded use.

Nothing is kept of them here, so that any server with the same secret takes them. They end with their time, or with the
API key that they came of.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from itsdangerous import BadData, URLSafeSerializer

from rag.errors import StoreError, UsageError
from rag.settings import Settings
from ui.places import data_folder

FILE: Final = "secret"
MIN_LENGTH: Final = 32
Kind = Literal["session", "token", "login"]


@dataclass(frozen=True, slots=True)
class Pass:
    """What is signed: who, in which groups (None: sees everything), until when, of which API key if of one."""

    name: str
    groups: frozenset[str] | None
    until: float
    key_id: str = ""


class Signer:
    """Signs and checks, each kind with a key of its own, so that none can stand for another."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @classmethod
    def of(cls, settings: Settings) -> Signer:
        """Return the signer of the settings; the secret is made where there is none.

        Raises:
            UsageError: the secret is too short.
            StoreError: the file of the secret cannot be read or written.
        """
        given = settings.secret.get_secret_value()
        if given and len(given) < MIN_LENGTH:
            raise UsageError(
                f"CITYCITE_SECRET has {len(given)} characters; it needs at least {MIN_LENGTH}. Leave it empty to have "
                "one made."
            )
        folder = data_folder(settings)
        if given or settings.sign_in == "open" or folder is None:
            # Without a folder, sessions end with the process.
            return cls(given or secrets.token_urlsafe(48))
        return cls(_kept(folder / FILE))

    def sign(self, kind: Kind, content: dict[str, Any]) -> str:
        """Return `content` as text that only this signer could have made."""
        return str(self._serializer(kind).dumps(content))

    def read(self, kind: Kind, text: str) -> dict[str, Any] | None:
        """Return what was signed as `kind`, None where it is not ours or its time (`until`) is over."""
        try:
            content: dict[str, Any] = self._serializer(kind).loads(text)
        except BadData:
            return None
        return content if time.time() < float(content["until"]) else None

    def sign_pass(self, kind: Kind, given: Pass) -> str:
        """Return a pass as text."""
        groups = None if given.groups is None else sorted(given.groups)
        return self.sign(kind, {"name": given.name, "groups": groups, "until": given.until, "key": given.key_id})

    def read_pass(self, kind: Kind, text: str) -> Pass | None:
        """Return the pass that `sign_pass` wrote, None as `read`."""
        found = self.read(kind, text)
        if found is None:
            return None
        groups = None if found["groups"] is None else frozenset(found["groups"])
        return Pass(found["name"], groups, found["until"], found["key"])

    def _serializer(self, kind: Kind) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"citycite.{kind}", signer_kwargs={"digest_method": _sha256})


def _sha256(content: bytes = b"") -> Any:  # noqa: ANN401 - hashlib's own type
    import hashlib

    return hashlib.sha256(content)


def _kept(file: Path) -> str:
    """Return the secret in `file`, made with the first use; of several servers that start at once, one makes it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f"{FILE}.{secrets.token_hex(4)}.part")
        if not file.exists():
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
                opened.write(secrets.token_urlsafe(48) + "\n")
            try:
                os.link(unfinished, file)
            except FileExistsError:
                pass
            finally:
                unfinished.unlink()
        found = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise StoreError(f"The secret of sessions in {file} cannot be used: {error}. Delete the file.") from error
    if len(found) < MIN_LENGTH:
        raise StoreError(f"The secret of sessions in {file} is too short. Delete the file to have one made.")
    return found
