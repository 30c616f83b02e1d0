"""What the fields of the filters are told when the page is put into a language."""

import gradio as gr

from ui.filter_panel import FilterPanel
from ui.view import FILTER_NAMES


def told(*values):
    with gr.Blocks():
        panel = FilterPanel()
    return dict(zip(["panel", *FILTER_NAMES], panel.localise("de", (), values), strict=True))


def test_an_empty_filter_is_never_sent_for_it_would_take_away_what_a_reader_is_typing():
    assert not [name for name, update in told(*[""] * len(FILTER_NAMES)).items() if "value" in update]


def test_filters_in_the_address_are_sent_and_open_the_panel():
    update = told(*("2024" if name == "since" else "" for name in FILTER_NAMES))
    assert update["since"]["value"] == "2024"
    assert update["panel"]["open"] is True
    assert "value" not in update["source"]
