"""The colours of the pages: text can be read on its ground (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

import ui.texts

ASSETS = Path(ui.texts.__file__).parent / "assets"
TEXT_ON = [
    ("ink", "paper"), ("ink", "sheet"), ("ink", "tint"), ("ink", "amber-tint"), ("ink", "red-tint"),
    ("muted", "paper"), ("muted", "sheet"), ("muted", "tint"), ("blue", "paper"), ("blue", "sheet"), ("blue", "tint"),
    ("on-blue", "blue"), ("on-blue", "blue-dark"), ("on-quoted", "quoted"), ("amber", "amber-tint"),
    ("red", "red-tint"),
]  # fmt: skip


def _schemes():
    style = (ASSETS / "chat.css").read_text(encoding="utf-8")
    light, dark = (re.search(rf"{name} {{(.*?)}}", style, re.DOTALL).group(1) for name in (r":root", r"\.dark"))
    colours = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in (light, dark)]
    return {"light": colours[0], "dark": colours[0] | colours[1]}


def _luminance(colour):
    # https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_edges_can_be_seen(scheme):
    colours = _schemes()[scheme]
    assert [pair for pair in TEXT_ON if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert _contrast(colours["edge"], colours["paper"]) >= 3
    assert _contrast(colours["blue"], colours["paper"]) >= 3
