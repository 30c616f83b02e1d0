"""Name, logo, colour, contact and links of the city."""

import html
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rag.errors import UsageError
from rag.settings import Settings
from tests.ui.stand_in import StandIn
from ui.api import create_app
from ui.identity import PLAIN, colour_style, contact_html, contrast, identity_of, links_html

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_without_settings_nothing_is_shown_that_is_not_ours():
    assert identity_of(Settings()) == PLAIN
    assert (colour_style(""), contact_html("", "de"), links_html(PLAIN, "de")) == ("", "", "")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("imprint_url", "javascript:alert(1)", "https://"),
        ("privacy_url", "www.example.org", "https://"),
        ("accessibility_url", "//example.org", "https://"),
        ("logo", "logo.exe", ".png"),
        ("logo", "missing.png", "no such file"),
        ("colour", "red", "#1b5070"),
        ("colour", "#ffff00", "contrast"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(setting, value, said):
    with pytest.raises(UsageError) as error:
        identity_of(Settings(**{setting: value}))
    assert f"CITYCITE_{setting.upper()}" in str(error.value)
    assert value in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize("colour", ["#1b5070", "#7a1f3d", "#000000", "#0a5c2b", "#5b2d8e"])
def test_a_colour_can_be_read_in_light_and_dark(colour):
    style = colour_style(identity_of(Settings(colour=colour)).colour)
    light, dark = (part.split("--blue: ")[1][:7] for part in style.split("}")[:2])
    assert light == colour
    assert contrast(dark, "#13181c") >= 4.5


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("auskunft@stadt.example", "mailto:auskunft@stadt.example"),
        ("+49 (0) 2151 86-0", "tel:+490215186" + "0"),
        ("https://stadt.example/kontakt", "https://stadt.example/kontakt"),
        ("Bürgerbüro im Rathaus, Zimmer 3", None),
        ("<script>alert(1)</script>", None),
    ],
)
def test_a_contact_becomes_the_link_that_it_is(contact, href):
    written = contact_html(contact, "de")
    assert "<script" not in written
    assert html.unescape(written).count("<a ") == (href is not None)
    assert href is None or f'href="{href}"' in html.unescape(written)


def test_the_logo_is_served_and_can_run_nothing(tmp_path: Path):
    logo = tmp_path / "logo.svg"
    logo.write_bytes(SVG)
    client = TestClient(create_app(StandIn(), Settings(logo=str(logo), name="Stadt <b>Musterstadt</b>")))
    answer = client.get("/logo")
    assert (answer.content, answer.headers["content-type"]) == (SVG, "image/svg+xml")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "<b>Musterstadt" not in client.get("/config").json()["components"][1]["props"].get("value", "")


def test_without_a_logo_there_is_none(stand_in_client):
    assert stand_in_client.get("/logo").status_code == 404
