"""How the city shows itself on the pages: name, logo, colour, contact, and the links that the law asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag.errors import UsageError
from rag.schema import Language
from rag.settings import Settings
from ui.markup import is_web_address, literal
from ui.texts import text

LOGO_TYPES: Final = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".svg": "image/svg+xml",
}  # fmt: skip
# The settings, and the texts that name what they link to.
_LINKS: Final = {"imprint_url": "imprint", "privacy_url": "privacy", "accessibility_url": "accessibility"}
_LARGEST_LOGO: Final = 500_000
# The grounds that the colour stands on, as in assets/chat.css, and the contrast that text needs (WCAG 2.2, 1.4.3).
_PAPER: Final = "#f6f4ee"
_DARK_PAPER: Final = "#13181c"
_CONTRAST: Final = 4.5
_WHITE: Final = "#ffffff"
_INK: Final = "#0b1c27"
_TINT: Final = 0.92  # how much white is in the ground of what the pointer is on
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_MAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.[^\s@<>\"']+")
_PHONE = re.compile(r"\+?[\d ()/-]{5,30}")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the pages show of the city. `links` are pairs of a text's key and an address, `colour` #rrggbb or empty.

    `question_log_days` says for how long questions are kept, 0 where they are not.
    """

    name: str = "citycite"
    logo: Path | None = None
    colour: str = ""
    contact: str = ""
    links: tuple[tuple[str, str], ...] = ()
    question_log_days: int = 0


PLAIN: Final = Identity()


def identity_of(settings: Settings) -> Identity:
    """Return what the settings say.

    Raises:
        UsageError: a value cannot be used; the message names the setting.
    """
    links = []
    for name, key in _LINKS.items():
        value = getattr(settings, name).strip()
        if value and not is_web_address(value):
            raise _wrong(name, value, "give an address that begins with https:// or http://")
        if value:
            links.append((key, value))
    return Identity(
        name=settings.name.strip() or "citycite",
        logo=_logo(settings.logo),
        colour=_colour(settings.colour),
        contact=settings.contact.strip(),
        links=tuple(links),
        question_log_days=settings.question_log_days,
    )


def _wrong(name: str, value: str, help_: str) -> UsageError:
    return UsageError(f"Setting {name} (CITYCITE_{name.upper()}) is {value!r}: {help_}.")


def _logo(value: str) -> Path | None:
    if not value:
        return None
    file = Path(value)
    if file.suffix.lower() not in LOGO_TYPES:
        raise _wrong("logo", value, f"give a file that ends in {', '.join(LOGO_TYPES)}")
    if not file.is_file():
        raise _wrong("logo", value, "there is no such file")
    if file.stat().st_size > _LARGEST_LOGO:
        raise _wrong("logo", value, f"it has {file.stat().st_size} bytes; at most {_LARGEST_LOGO} are sent to browsers")
    return file


def _colour(value: str) -> str:
    if not value:
        return ""
    if not _COLOUR.fullmatch(value):
        raise _wrong("colour", value, "give a colour as #1b5070")
    found = min(contrast(value, _PAPER), contrast(value, _mixed(value, _WHITE, _TINT)))
    if found < _CONTRAST:
        raise _wrong("colour", value, f"its contrast is {found:.1f}:1, and text needs 4.5:1; take a darker one")
    return value.lower()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (#rrggbb), 1 to 21, by WCAG 2.2's relative luminance."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mixed(colour: str, with_: str, share: float) -> str:
    pairs = zip((1, 3, 5), (1, 3, 5), strict=True)
    mixed = [round(int(colour[a : a + 2], 16) * (1 - share) + int(with_[b : b + 2], 16) * share) for a, b in pairs]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def colour_style(colour: str) -> str:
    """Return the CSS that puts `colour` in the place of the page's blue, with a lighter one for dark mode."""
    if not colour:
        return ""
    lighter = next(
        mixed for share in range(11) if contrast(mixed := _mixed(colour, _WHITE, share / 10), _DARK_PAPER) >= _CONTRAST
    )
    light = f"--blue: {colour}; --blue-dark: {_mixed(colour, '#000000', 0.3)}; --tint: {_mixed(colour, _WHITE, _TINT)};"
    dark_tint = _mixed(_DARK_PAPER, lighter, 0.15)
    dark = f"--blue: {lighter}; --blue-dark: {_mixed(lighter, _WHITE, 0.4)}; --tint: {dark_tint};"
    # Doubled, the selectors win over those of the page's own style, wherever that stands.
    return f":root:root {{ {light} }} .dark.dark {{ {dark} --on-blue: {_INK}; }}"


def contact_html(contact: str, language: Language) -> str:
    """Return whom to ask where there is no answer: a mail address, a telephone number and a page become links."""
    if not contact:
        return ""
    shown = literal(contact)
    if is_web_address(contact):
        shown = f'<a href="{shown}" target="_blank" rel="noopener">{shown}</a>'
    elif _MAIL.fullmatch(contact):
        shown = f'<a href="mailto:{shown}">{shown}</a>'
    elif _PHONE.fullmatch(contact):
        shown = f'<a href="tel:{literal(re.sub("[^+0-9]", "", contact))}">{shown}</a>'
    return f'<p class="contact">{literal(text("contact", language))} {shown}</p>'


def links_html(identity: Identity, language: Language) -> str:
    """Return the links to imprint, privacy notice and accessibility statement."""
    return " · ".join(
        f'<a href="{literal(address)}" target="_blank" rel="noopener">{literal(text(key, language))}</a>'
        for key, address in identity.links
    )
