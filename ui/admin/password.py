"""The password of the admin area. What is kept is its scrypt hash, in a file that only its owner reads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
from pathlib import Path
from typing import Final

from rag.errors import StoreError, UsageError
from rag.settings import Settings
from ui.places import data_folder, required_data_folder

FILE: Final = "admin-password"
MIN_LENGTH: Final = 12
# A longer one is no password, but an attempt to keep the server busy.
MAX_LENGTH: Final = 1000
# OWASP's Password Storage Cheat Sheet for scrypt with 32 MB: N=2^15, r=8, p=3. A check takes about a quarter second.
_LOG_N, _R, _P = 15, 8, 3
_MEMORY: Final = 64 * 1024 * 1024
# Checks at once: each takes its memory and a core.
_CHECKS = threading.Semaphore(2)


def hashed(password: str) -> str:
    """Return what is kept of a password: the parameters, a random salt and the hash.

    Raises:
        UsageError: it is too short or too long.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise UsageError(
            f"The admin password has {len(password)} characters; it needs at least {MIN_LENGTH} (at most {MAX_LENGTH})."
        )
    salt = secrets.token_bytes(16)
    parts = (_encoded(salt), _encoded(_scrypt(password, salt, _LOG_N, _R, _P)))
    return "$".join(("scrypt", str(_LOG_N), str(_R), str(_P), *parts))


def fits(password: str, kept: str) -> bool:
    """Tell whether `kept` was made from `password`; nothing fits what `hashed` did not write."""
    try:
        name, log_n, r, p, salt, digest = kept.strip().split("$")
        expected = base64.b64decode(digest, validate=True)
        made = _scrypt(password[: MAX_LENGTH + 1], base64.b64decode(salt, validate=True), int(log_n), int(r), int(p))
    except ValueError:
        return False
    return name == "scrypt" and hmac.compare_digest(made, expected)


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    with _CHECKS:
        secret = password.encode("utf-8", "surrogatepass")
        return hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def keep(password: str, settings: Settings) -> Path:
    """Keep the hash of `password`; return the file. All sessions under an earlier password end.

    Raises:
        UsageError: the password is too short, or there is no folder for it.
        StoreError: the file cannot be written.
    """
    content = hashed(password)
    file = required_data_folder(settings) / FILE
    unfinished = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(content + "\n")
        unfinished.replace(file)
    except OSError as error:
        raise StoreError(f"The admin password cannot be kept in {file}: {error.strerror}.") from error
    return file


class Password:
    """The password as the settings say it, or as `keep` left it."""

    def __init__(self, settings: Settings) -> None:
        folder = data_folder(settings)
        self._file = folder / FILE if folder is not None else None
        given = settings.admin_password.get_secret_value()
        if given and not MIN_LENGTH <= len(given) <= MAX_LENGTH:
            hashed(given)  # says what is wrong with it
        self._given = given
        self._hashed: str | None = None
        self._lock = threading.Lock()

    def kept(self) -> str | None:
        """Return the hash, None where no password is set; it changes with the password."""
        if self._given:
            with self._lock:
                self._hashed = self._hashed or hashed(self._given)
                return self._hashed
        try:
            return self._file.read_text("ascii").strip() or None if self._file is not None else None
        except (OSError, ValueError):
            return None
