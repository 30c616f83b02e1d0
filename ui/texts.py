"""Every sentence of the chat page and of the document page, side by side in the three languages."""

from __future__ import annotations

from typing import Final, NamedTuple, get_args

from rag.schema import Language

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
# Who asks for neither of the three most likely reads English; Gradio falls back to it as well.
FALLBACK: Final[Language] = "en"
LANGUAGE_NAMES: Final[dict[Language, str]] = {"de": "Deutsch", "en": "English", "pl": "Polski"}


class Text(NamedTuple):
    """One text in all languages; the field names are those of `Language`."""

    de: str
    en: str
    pl: str


TEXTS: Final[dict[str, Text]] = {
    # The chat page.
    "tagline": Text(
        "Fragen an die Dokumente der Stadt. Jede Antwort mit Beleg.",
        "Ask the city’s documents. Every answer with its source.",
        "Pytania do dokumentów miasta. Każda odpowiedź ze źródłem.",
    ),
    "notice": Text(
        "Hier antwortet ein automatisches System, kein Mensch. Bitte prüfen Sie den Beleg, bevor Sie sich auf eine "
        "Antwort verlassen.",
        "An automated system answers here, not a person. Please check the source before you rely on an answer.",
        "Odpowiada automatyczny system, nie człowiek. Przed wykorzystaniem odpowiedzi prosimy sprawdzić źródło.",
    ),
    "language": Text("Sprache", "Language", "Język"),
    "conversation": Text("Gespräch", "Conversation", "Rozmowa"),
    "new_conversation": Text("Neues Gespräch", "New conversation", "Nowa rozmowa"),
    "welcome": Text("Was möchten Sie wissen?", "What would you like to know?", "Czego chcą się Państwo dowiedzieć?"),
    "examples": Text("Zum Beispiel:", "For example:", "Na przykład:"),
    "question": Text("Ihre Frage", "Your question", "Państwa pytanie"),
    "placeholder": Text("Frage eingeben …", "Type a question …", "Proszę wpisać pytanie …"),
    "ask": Text("Fragen", "Ask", "Zapytaj"),
    "searching": Text(
        "Die Dokumente werden durchsucht …", "Searching the documents …", "Trwa przeszukiwanie dokumentów …"
    ),
    # Earlier conversations.
    "archive": Text("Frühere Gespräche", "Earlier conversations", "Wcześniejsze rozmowy"),
    "archive_note": Text(
        "Nur in diesem Browser gespeichert. Eine Frage lässt sich mit einem Klick erneut stellen.",
        "Kept in this browser only. Click a question to ask it again.",
        "Zapisane tylko w tej przeglądarce. Kliknięcie pytania zadaje je ponownie.",
    ),
    "archive_rename": Text("Umbenennen", "Rename", "Zmień nazwę"),
    "archive_export": Text("Speichern", "Save", "Zapisz"),
    "archive_delete": Text("Löschen", "Delete", "Usuń"),
    "archive_delete_sure": Text("Dieses Gespräch löschen?", "Delete this conversation?", "Usunąć tę rozmowę?"),
    "archive_delete_all": Text("Alle löschen", "Delete all", "Usuń wszystkie"),
    "archive_delete_all_sure": Text(
        "Alle Gespräche in diesem Browser löschen?",
        "Delete all conversations in this browser?",
        "Usunąć wszystkie rozmowy w tej przeglądarce?",
    ),
    # The line to the server.
    "connection_lost": Text(
        "Der Server ist gerade nicht erreichbar. Das Gespräch bleibt erhalten; sobald er wieder da ist, können Sie "
        "weiterfragen.",
        "The server cannot be reached at the moment. Your conversation is kept; you can go on as soon as the server is "
        "back.",
        "Serwer jest chwilowo niedostępny. Rozmowa zostanie zachowana; gdy tylko serwer wróci, będzie można pytać "
        "dalej.",
    ),
    "connection_back": Text(
        "Der Server ist wieder da. Sie können weiterfragen.",
        "The server is back. You can go on.",
        "Serwer jest znów dostępny. Można pytać dalej.",
    ),
    "connection_busy": Text(
        "Gerade kommen sehr viele Fragen an. Bitte versuchen Sie es in einer Minute noch einmal.",
        "Very many questions are coming in at the moment. Please try again in a minute.",
        "W tej chwili napływa bardzo wiele pytań. Prosimy spróbować ponownie za minutę.",
    ),
    # Filters.
    "filters": Text("Dokumente eingrenzen", "Narrow down the documents", "Zawęź dokumenty"),
    "filter_since": Text("Ab Datum", "From date", "Od daty"),
    "filter_since_placeholder": Text("2024 oder 2024-03-12", "2024 or 2024-03-12", "2024 lub 2024-03-12"),
    "filter_until": Text("Bis Datum", "Until date", "Do daty"),
    "filter_until_placeholder": Text("2025 oder 2025-06", "2025 or 2025-06", "2025 lub 2025-06"),
    "filter_type": Text("Art", "Type", "Rodzaj"),
    "filter_department": Text("Fachbereich", "Department", "Wydział"),
    "filter_source": Text("Datei oder Adresse enthält", "File or address contains", "Plik lub adres zawiera"),
    "filter_source_placeholder": Text("presse", "press", "prasa"),
    "filter_language": Text("Sprache der Dokumente", "Language of the documents", "Język dokumentów"),
    "filtered": Text("Nur Dokumente: {filters}", "Only documents: {filters}", "Tylko dokumenty: {filters}"),
    "link_view": Text("Link mit diesen Filtern", "Link with these filters", "Link z tymi filtrami"),
    "link_question": Text("Link zu dieser Frage", "Link to this question", "Link do tego pytania"),
    "error_filter": Text(
        "Ein Datum schreiben Sie bitte als 2024, 2024-03 oder 2024-03-12, und das frühere zuerst.",
        "Please write a date as 2024, 2024-03 or 2024-03-12, the earlier one first.",
        "Datę prosimy zapisać jako 2024, 2024-03 lub 2024-03-12, najpierw wcześniejszą.",
    ),
    # An answer.
    "your_question": Text("Ihre Frage:", "Your question:", "Państwa pytanie:"),
    "answer": Text("Antwort:", "Answer:", "Odpowiedź:"),
    "no_answer": Text("Keine belegte Antwort", "No answer with a source", "Brak odpowiedzi ze źródłem"),
    "understood": Text("Verstanden als: {question}", "Understood as: {question}", "Zrozumiano jako: {question}"),
    "contact": Text("Fragen Sie hier nach:", "Please ask here:", "Prosimy zapytać tutaj:"),
    "imprint": Text("Impressum", "Imprint", "Nota prawna"),
    "privacy": Text("Datenschutz", "Privacy", "Ochrona danych"),
    "accessibility": Text("Barrierefreiheit", "Accessibility", "Dostępność"),
    "did_you_mean": Text("Meinten Sie:", "Did you mean:", "Czy chodziło o:"),
    "formulating": Text(
        "Ein Sprachmodell formuliert die Antwort; gezeigt wird nur, was die Belege sagen …",
        "A language model is putting the answer into words; only what the sources say is shown …",
        "Model językowy formułuje odpowiedź; pokazane zostanie tylko to, co mówią źródła …",
    ),
    "llm_unreachable": Text(
        "Ein Sprachmodell ist eingerichtet, war aber nicht erreichbar. Dies ist das Zitat.",
        "A language model is set up but could not be reached. This is the quote.",
        "Model językowy jest skonfigurowany, ale nie był osiągalny. To jest cytat.",
    ),
    "llm_unsupported": Text(
        "Was das Sprachmodell schrieb, war nicht genügend belegt. Dies ist das Zitat.",
        "What the language model wrote was not sufficiently supported. This is the quote.",
        "To, co napisał model językowy, nie było dostatecznie potwierdzone. To jest cytat.",
    ),
    "sure_high": Text("Gut belegt", "Well supported", "Dobrze udokumentowane"),
    "sure_middle": Text("Wahrscheinlich die Antwort", "Probably the answer", "Prawdopodobnie odpowiedź"),
    "sure_low": Text(
        "Vielleicht die Antwort: Bitte den Beleg genau lesen",
        "Perhaps the answer: please read the source closely",
        "Być może odpowiedź: prosimy uważnie przeczytać źródło",
    ),
    "nearby": Text(
        "Vielleicht hilfreich, aber keine Antwort",
        "Perhaps useful, but not an answer",
        "Być może przydatne, ale to nie odpowiedź",
    ),
    "sources": Text("Belege", "Sources", "Źródła"),
    "source_number": Text("Beleg", "Source", "Źródło"),
    "page": Text("Seite {page}", "page {page}", "strona {page}"),
    "open_document": Text("Im Dokument öffnen", "Open in document", "Otwórz w dokumencie"),
    "open_web": Text("Auf der Webseite öffnen", "Open on the web page", "Otwórz na stronie internetowej"),
    "open_pdf": Text("PDF an dieser Seite öffnen", "Open the PDF at this page", "Otwórz PDF na tej stronie"),
    "copy": Text("Mit Quelle kopieren", "Copy with source", "Kopiuj ze źródłem"),
    "copied": Text("Kopiert", "Copied", "Skopiowano"),
    "no_original_detail": Text(
        "Die Datei, aus der dieses Dokument gelesen wurde, liegt nicht mehr dort. Der gespeicherte Text ist noch da.",
        "The file that this document was read from is no longer there. The stored text still is.",
        "Pliku, z którego odczytano ten dokument, już tam nie ma. Zapisany tekst jest nadal dostępny.",
    ),
    "new_tab": Text("(neuer Tab)", "(new tab)", "(nowa karta)"),
    # Feedback.
    "rate_question": Text("War das hilfreich?", "Was this helpful?", "Czy to było pomocne?"),
    "rate_up": Text("Hilfreich", "Helpful", "Pomocne"),
    "rate_down": Text("Nicht hilfreich", "Not helpful", "Niepomocne"),
    "rate_thanks": Text("Danke für die Rückmeldung.", "Thank you for your feedback.", "Dziękujemy za opinię."),
    "rate_failed": Text(
        "Die Rückmeldung konnte nicht gespeichert werden. Bitte versuchen Sie es später noch einmal.",
        "Your feedback could not be stored. Please try again later.",
        "Nie udało się zapisać opinii. Prosimy spróbować później.",
    ),
    "feedback": Text("Rückmeldung zur Antwort", "Feedback on the answer", "Opinia o odpowiedzi"),
    "feedback_notice": Text(
        "Gespeichert wird ohne Namen, für {days} Tage. Bitte schreiben Sie nichts Persönliches hinein.",
        "It is stored without names, for {days} days. Please write nothing personal.",
        "Opinia jest zapisywana bez nazwisk na {days} dni. Prosimy nie podawać danych osobowych.",
    ),
    "reason": Text("Was stimmt nicht?", "What is wrong?", "Co jest nie tak?"),
    "reason_wrong_answer": Text("Die Antwort ist falsch", "The answer is wrong", "Odpowiedź jest błędna"),
    "reason_wrong_document": Text("Es ist das falsche Dokument", "It is the wrong document", "To niewłaściwy dokument"),
    "reason_outdated": Text("Das ist veraltet", "This is outdated", "To jest nieaktualne"),
    "reason_not_understandable": Text(
        "Ich verstehe die Antwort nicht", "I do not understand the answer", "Nie rozumiem odpowiedzi"
    ),
    "reason_other": Text("Etwas anderes", "Something else", "Coś innego"),
    "right_document": Text(
        "Richtiges Dokument (freiwillig)", "The right document (optional)", "Właściwy dokument (opcjonalnie)"
    ),
    "feedback_comment": Text("Ein Satz dazu (freiwillig)", "A sentence on it (optional)", "Komentarz (opcjonalnie)"),
    "send": Text("Absenden", "Send", "Wyślij"),
    "cancel": Text("Abbrechen", "Cancel", "Anuluj"),
    "back_to_chat": Text("Zurück zu den Fragen", "Back to the questions", "Powrót do pytań"),
    "feedback_wrong": Text(
        "Diese Rückmeldung ist unvollständig oder zu lang. Bitte gehen Sie zurück und versuchen Sie es noch einmal.",
        "This feedback is incomplete or too long. Please go back and try again.",
        "Ta opinia jest niepełna lub za długa. Prosimy wrócić i spróbować ponownie.",
    ),
    "logged": Text(
        "Fragen werden ohne Namen gespeichert und nach {days} Tagen gelöscht.",
        "Questions are stored without names and erased after {days} days.",
        "Pytania są zapisywane bez nazwisk i usuwane po {days} dniach.",
    ),
    # What went wrong, in the conversation.
    "error": Text("Das hat nicht geklappt", "That did not work", "Nie udało się"),
    "error_question": Text(
        "Bitte stellen Sie eine Frage mit höchstens {limit} Zeichen.",
        "Please ask a question of at most {limit} characters.",
        "Prosimy zadać pytanie o długości najwyżej {limit} znaków.",
    ),
    "error_unavailable": Text(
        "Die Dokumente sind zurzeit nicht erreichbar. Bitte versuchen Sie es später noch einmal oder wenden Sie sich "
        "an Ihre IT.",
        "The documents cannot be reached at the moment. Please try again later or tell your IT department.",
        "Dokumenty są chwilowo niedostępne. Prosimy spróbować później lub powiadomić dział IT.",
    ),
    "error_unexpected": Text(
        "Ein unerwarteter Fehler ist aufgetreten und wurde vermerkt. Bitte versuchen Sie es noch einmal.",
        "An unexpected error occurred and was recorded. Please try again.",
        "Wystąpił nieoczekiwany błąd, który został zapisany. Prosimy spróbować ponownie.",
    ),
    # The document page.
    "source": Text("Quelle", "Source", "Źródło"),
    "published": Text("Datum", "Date", "Data"),
    "type": Text("Art", "Type", "Rodzaj"),
    "department": Text("Fachbereich", "Department", "Wydział"),
    "to_quote": Text("Zur zitierten Stelle", "Go to the quoted passage", "Przejdź do cytowanego fragmentu"),
    "whole_document": Text("Ganzes Dokument anzeigen", "Show the whole document", "Pokaż cały dokument"),
    "not_found": Text("Nicht gefunden", "Not found", "Nie znaleziono"),
    "not_found_detail": Text(
        "Das Dokument „{document_id}“ gibt es hier nicht. Vielleicht wurde es entfernt oder ersetzt.",
        "There is no document “{document_id}” here. It may have been removed or replaced.",
        "Nie ma tu dokumentu „{document_id}”. Mógł zostać usunięty lub zastąpiony.",
    ),
    "bad_range": Text("Diese Stelle gibt es nicht", "No such passage", "Nie ma takiego fragmentu"),
    "bad_range_detail": Text(
        "Zeichen {start} bis {end} ist keine Stelle dieses Dokuments. Es hat {length} Zeichen; der Anfang liegt vor "
        "dem Ende.",
        "Characters {start} to {end} are no passage of this document. It has {length} characters; the start lies "
        "before the end.",
        "Znaki od {start} do {end} nie są fragmentem tego dokumentu. Ma on {length} znaków; początek musi być przed "
        "końcem.",
    ),
}


def text(key: str, language: Language, **values: object) -> str:
    """Return the text of `key`, with `{name}` replaced by the value of that name.

    Raises:
        KeyError: the table has no such key.
    """
    template: str = getattr(TEXTS[key], language)
    return template.format(**values) if values else template


def interface_language(wanted: str | None, accept_language: str | None) -> Language:
    """Choose the language of the page: the one asked for by name, else the browser's first that there is."""
    for tag in [wanted or "", *_by_preference(accept_language or "")]:
        primary = tag.strip().lower().split("-")[0]
        for language in LANGUAGES:
            if primary == language:
                return language
    return FALLBACK


def _by_preference(accept_language: str) -> list[str]:
    """Return the tags of an Accept-Language header (RFC 9110, 12.5.4), the most wanted first."""
    weighted = []
    for item in accept_language.split(","):
        tag, _, parameters = item.partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:  # a weight that is no number: as unwanted as can be
            weight = 0.0
        if weight > 0:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
