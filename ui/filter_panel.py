"""The fields on the chat page that choose which documents may answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import ui.offline  # noqa: F401  before gradio, which reads the environment while it is being imported

# isort: split
import gradio as gr
from gradio.i18n import I18nData

from rag.schema import DocumentSummary, Filters, Language
from ui.markup import literal
from ui.texts import LANGUAGE_NAMES, text
from ui.view import FILTER_NAMES, address, as_filters

# Chosen from what the documents have; the others are typed.
_CHOSEN: Final = ("type", "department", "language")
# A list of more is no help to choose from; what is not in it can be typed.
_MOST_CHOICES: Final = 200


class FilterPanel:
    """Lays out the fields inside the Gradio block that is open. `fields` are in the order of `FILTER_NAMES`."""

    def __init__(self) -> None:
        say = I18nData
        with gr.Accordion(say("filters"), open=False, elem_id="filters") as self.accordion:
            self.fields: list[Any] = [
                gr.Dropdown(
                    [("–", "")], value="", label=say(f"filter_{name}"), elem_id=f"filter-{name}",
                    allow_custom_value=True, filterable=True,
                )
                if name in _CHOSEN
                else gr.Textbox(
                    label=say(f"filter_{name}"), elem_id=f"filter-{name}", lines=1, max_lines=1, max_length=200,
                    placeholder=say(f"filter_{name}_placeholder"),
                )
                for name in FILTER_NAMES
            ]  # fmt: skip
        self.view = gr.Markdown("", elem_id="view", latex_delimiters=[])

    @property
    def localised(self) -> list[Any]:
        """The components that `localise` updates."""
        return [self.accordion, *self.fields]

    def localise(self, language: Language, documents: Sequence[DocumentSummary], values: Sequence[str]) -> list[Any]:
        """Return updates that put the panel into `language`; it offers what `documents` have and holds `values`."""
        # Filters that are set must be seen; a panel that the reader has opened stays open. Gradio draws the fields when
        # the panel is first opened and applies what came before a moment later: an empty value would then take away
        # what a quick reader has typed.
        opened: dict[str, Any] = {"open": True} if any(values) else {}
        updates = [gr.update(label=text("filters", language), **opened)]
        for name, value in zip(FILTER_NAMES, values, strict=True):
            label = text(f"filter_{name}", language)
            held: dict[str, Any] = {"value": value} if value else {}
            if name not in _CHOSEN:
                shown = text(f"filter_{name}_placeholder", language)
                updates.append(gr.update(label=label, placeholder=shown, **held))
                continue
            known = _said(documents, name)
            choices = [("–", ""), *((_shown(name, choice), choice) for choice in known[:_MOST_CHOICES])]
            updates.append(gr.update(label=label, choices=choices, **held))
        return updates


def filters_of(values: Sequence[str | None]) -> Filters | None:
    """Return the filters that the fields hold, None where a date is none."""
    return as_filters(dict(zip(FILTER_NAMES, values, strict=True)))


def view_html(values: Sequence[str | None], language: Language, documents: Sequence[DocumentSummary]) -> str:
    """Return a link to the page with the filters that the fields hold; the page's script puts it into the address.

    Its classes name the fields that `documents` give no choice for, which the style then hides. (Gradio's own
    visibility, changed as the page opens, brings back parts of the page that a quick reader has just sent away.)
    """
    filters = filters_of(values)
    given = dict(zip(FILTER_NAMES, values, strict=True))
    empty = " ".join(f"no-{name}" for name in _CHOSEN if not given[name] and not _said(documents, name))
    if filters is None:
        return f'<p class="wrong {empty}" role="alert">{literal(text("error_filter", language))}</p>'
    link = f'<a class="view" href="{literal(address(filters, language))}">{literal(text("link_view", language))}</a>'
    return f'<p class="{empty if any(values) else f"gone {empty}"}">{link}</p>'


def _said(documents: Sequence[DocumentSummary], name: str) -> list[str]:
    return sorted({said for document in documents if (said := getattr(document, name))}, key=str.casefold)


def _shown(name: str, value: str) -> str:
    return LANGUAGE_NAMES.get(value, value) if name == "language" else value  # type: ignore[call-overload]
