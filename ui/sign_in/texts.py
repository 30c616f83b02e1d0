"""The texts of the pages where one signs in."""

from __future__ import annotations

from typing import Final

from rag.schema import Language
from ui.texts import Text

SIGN_IN_TEXTS: Final[dict[str, Text]] = {
    "sign_in": Text("Anmelden", "Sign in", "Zaloguj się"),
    "key": Text("Zugangsschlüssel", "Access key", "Klucz dostępu"),
    "wrong": Text(
        "Dieser Schlüssel gilt nicht oder nicht mehr.",
        "This key is not valid, or no longer.",
        "Ten klucz jest nieważny lub wygasł.",
    ),
    "refused": Text(
        "Die Anmeldung hat nicht geklappt. Bitte versuchen Sie es noch einmal oder wenden Sie sich an Ihre IT.",
        "Signing in has failed. Please try again or tell your IT department.",
        "Logowanie nie powiodło się. Prosimy spróbować ponownie lub powiadomić dział IT.",
    ),
    "unavailable": Text(
        "Die Anmeldung ist zurzeit nicht erreichbar. Bitte versuchen Sie es später noch einmal.",
        "Signing in is not possible at the moment. Please try again later.",
        "Logowanie jest chwilowo niemożliwe. Prosimy spróbować później.",
    ),
    "signed_out": Text("Sie sind abgemeldet.", "You are signed out.", "Wylogowano."),
}


def said(key: str, language: Language) -> str:
    """Return a text in `language`."""
    return str(getattr(SIGN_IN_TEXTS[key], language))
