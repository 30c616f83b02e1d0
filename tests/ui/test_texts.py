"""The texts of the pages."""

import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import ui.texts
from rag.schema import Note
from ui.feedback import REASONS
from ui.texts import LANGUAGES, TEXTS, interface_language, text
from ui.view import FILTER_NAMES


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_there_in_all_languages(key):
    texts = [getattr(TEXTS[key], language) for language in LANGUAGES]
    assert all(each and each == each.strip() for each in texts)
    names = [{name for _, name, _, _ in Formatter().parse(each) if name} for each in texts]
    assert names[0] == names[1] == names[2]


def test_every_text_is_used():
    code = "".join(file.read_text(encoding="utf-8") for file in Path(ui.texts.__file__).parent.glob("*.*"))
    # Some texts are looked up by the names of filters, reasons, rating links and of what became of the connection.
    made = {f"filter_{name}{kind}" for name in FILTER_NAMES for kind in ("", "_placeholder")}
    made |= {f"reason_{reason}" for reason in REASONS} | {f"rate_{what}" for what in ("up", "down", "thanks", "failed")}
    made |= {f"connection_{what}" for what in ("lost", "back", "busy")}
    made |= set(get_args(Note))
    named = [key for key in TEXTS if key not in made]
    unused = [key for key in named if len(re.findall(rf"[\"']{key}[\"']", code)) < 2]
    assert unused == []


def test_values_are_put_in():
    assert text("page", "pl", page=3) == "strona 3"


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, None, "en"),
        (None, "fr-FR, it;q=0.5", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "en;q=0.3, pl;q=0.7", "pl"),
        (None, "fr, PL;q=0.2, de;q=0", "pl"),
        (None, "de;q=x, pl;q=0.1", "pl"),
        ("pl", "de", "pl"),
        ("de-CH", "pl", "de"),
        ("xx", "pl", "pl"),
        ("", "", "en"),
    ],
)
def test_the_interface_speaks_the_first_language_it_can(wanted, accepted, language):
    assert interface_language(wanted, accepted) == language
