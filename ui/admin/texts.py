"""Every sentence of the admin area, side by side in the three languages."""

from __future__ import annotations

from typing import Final

from rag.schema import Language
from ui.texts import Text

TEXTS: Final[dict[str, Text]] = {
    # The frame.
    "admin": Text("Verwaltung", "Administration", "Administracja"),
    "language": Text("Sprache", "Language", "Język"),
    "documents": Text("Dokumente", "Documents", "Dokumenty"),
    "questions": Text("Fragen", "Questions", "Pytania"),
    "gold": Text("Golddatei", "Gold file", "Plik wzorcowy"),
    "evaluation": Text("Auswertung", "Evaluation", "Ewaluacja"),
    "health": Text("Zustand", "Health", "Stan systemu"),
    "embed": Text("Einbinden", "Embed", "Osadzanie"),
    "to_chat": Text("Zur Fragenseite", "To the chat page", "Do strony pytań"),
    "log_out": Text("Abmelden", "Log out", "Wyloguj się"),
    "message": Text("Hinweis", "Notice", "Komunikat"),
    "back": Text("Zurück", "Back", "Wstecz"),
    "skip": Text("Zum Inhalt", "Skip to content", "Przejdź do treści"),
    # Into other pages and programs.
    "embed_widget": Text("Knopf auf jeder Seite", "A button on any page", "Przycisk na dowolnej stronie"),
    "embed_widget_how": Text(
        "Diese Zeile, vor dem Ende der Seite eingefügt, zeigt unten rechts einen Knopf, der ein Gespräch öffnet.",
        "This line, put before the end of a page, shows a button at the bottom right that opens a conversation.",
        "Ten wiersz, wstawiony przed końcem strony, pokazuje w prawym dolnym rogu przycisk otwierający rozmowę.",
    ),
    "embed_frame": Text("Fragenseite im Rahmen", "The chat page in a frame", "Strona pytań w ramce"),
    "embed_frame_how": Text(
        "Diese Zeilen zeigen die ganze Fragenseite in einer anderen Seite.",
        "These lines show the whole chat page inside another page.",
        "Te wiersze pokazują całą stronę pytań wewnątrz innej strony.",
    ),
    "embed_allowed": Text("Erlaubt für Seiten von:", "Allowed for pages of:", "Dozwolone dla stron z:"),
    "embed_no_origin": Text(
        "Noch darf keine andere Seite Fragen stellen. Nennen Sie ihre Herkunft in dieser Einstellung, mit Kommas "
        "dazwischen, und starten Sie den Server neu:",
        "No other page may ask questions yet. Name its origin in this setting, with commas between several, and "
        "restart the server:",
        "Żadna inna strona nie może jeszcze zadawać pytań. Należy podać jej adres w tym ustawieniu, rozdzielając "
        "przecinkami, i ponownie uruchomić serwer:",
    ),
    "embed_no_ancestor": Text(
        "Noch darf keine andere Seite den Rahmen zeigen. Nennen Sie ihre Herkunft in dieser Einstellung, mit Kommas "
        "dazwischen, und starten Sie den Server neu:",
        "No other page may show the frame yet. Name its origin in this setting, with commas between several, and "
        "restart the server:",
        "Żadna inna strona nie może jeszcze pokazywać ramki. Należy podać jej adres w tym ustawieniu, rozdzielając "
        "przecinkami, i ponownie uruchomić serwer:",
    ),
    "embed_programs": Text("Für Programme", "For programs", "Dla programów"),
    "embed_programs_how": Text(
        "Adressen für eigene Programme, für Chatprogramme, die OpenAI sprechen, und für das Model Context Protocol:",
        "Addresses for programs of your own, for chat programs that speak OpenAI, and for the Model Context Protocol:",
        "Adresy dla własnych programów, dla programów czatu z protokołem OpenAI i dla Model Context Protocol:",
    ),
    # In and out.
    "login": Text("Anmelden", "Log in", "Logowanie"),
    "log_in": Text("Anmelden", "Log in", "Zaloguj się"),
    "password": Text("Passwort", "Password", "Hasło"),
    "login_wrong": Text("Das Passwort ist falsch.", "The password is wrong.", "Hasło jest nieprawidłowe."),
    "login_wait": Text(
        "Zu viele falsche Passwörter. Bitte warten Sie {minutes} Minuten.",
        "Too many wrong passwords. Please wait {minutes} minutes.",
        "Zbyt wiele błędnych haseł. Prosimy odczekać {minutes} min.",
    ),
    "setup": Text("Noch nicht eingerichtet", "Not set up yet", "Jeszcze nieskonfigurowane"),
    "setup_how": Text(
        "Es gibt kein voreingestelltes Passwort. Setzen Sie eines auf dem Server, ein Neustart ist nicht nötig:",
        "There is no default password. Set one on the server; no restart is needed:",
        "Nie ma hasła domyślnego. Należy ustawić je na serwerze; ponowne uruchomienie nie jest potrzebne:",
    ),
    "setup_else": Text(
        "Oder lassen Sie einen Proxy anmelden: CITYCITE_ADMIN_HEADER und CITYCITE_TRUSTED_PROXIES.",
        "Or let a proxy sign people in: CITYCITE_ADMIN_HEADER and CITYCITE_TRUSTED_PROXIES.",
        "Można też powierzyć logowanie serwerowi proxy: CITYCITE_ADMIN_HEADER i CITYCITE_TRUSTED_PROXIES.",
    ),
    "not_admitted": Text(
        "Der Proxy hat Sie nicht für die Verwaltung zugelassen.",
        "The proxy has not admitted you to the administration.",
        "Serwer proxy nie dopuścił Państwa do administracji.",
    ),
    "not_logged_in": Text(
        "Bitte melden Sie sich zuerst an.", "Please log in first.", "Prosimy najpierw się zalogować."
    ),
    "stale_form": Text(
        "Dieses Formular ist abgelaufen. Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.",
        "This form has expired. Please reload the page and try again.",
        "Ten formularz wygasł. Prosimy odświeżyć stronę i spróbować ponownie.",
    ),
    "nothing_here": Text("Hier gibt es nichts.", "There is nothing here.", "Tu nic nie ma."),
    "failed": Text("Das hat nicht geklappt: {problem}", "That did not work: {problem}", "Nie udało się: {problem}"),
    "too_large": Text(
        "Das ist zu groß. Zusammen dürfen Dateien {limit} MB haben (CITYCITE_MAX_FILE_MB).",
        "That is too large. Files may have {limit} MB together (CITYCITE_MAX_FILE_MB).",
        "To za dużo. Pliki mogą mieć razem {limit} MB (CITYCITE_MAX_FILE_MB).",
    ),
    # Documents.
    "documents_count": Text(
        "Dokumente: {documents}, Quellen: {sources}, Passagen: {passages}.",
        "Documents: {documents}, sources: {sources}, passages: {passages}.",
        "Dokumenty: {documents}, źródła: {sources}, fragmenty: {passages}.",
    ),
    "documents_none": Text(
        "Noch keine Dokumente. Laden Sie oben die ersten hoch.",
        "No documents yet. Upload the first ones above.",
        "Nie ma jeszcze dokumentów. Pierwsze można przesłać powyżej.",
    ),
    "documents_no_match": Text("Keine Quelle passt dazu.", "No source matches.", "Żadne źródło nie pasuje."),
    "upload_title": Text("Hochladen", "Upload", "Przesyłanie"),
    "upload_drop": Text(
        "Dateien hierher ziehen oder auswählen", "Drop files here or choose them", "Przeciągnij tu pliki lub wybierz je"
    ),
    "upload_limits": Text(
        "PDF, Office, OpenDocument, Text, HTML, Mails und Bilder; höchstens {limit} MB.",
        "PDF, Office, OpenDocument, text, HTML, mails and images; at most {limit} MB.",
        "PDF, Office, OpenDocument, tekst, HTML, poczta i obrazy; najwyżej {limit} MB.",
    ),
    "upload_replace": Text(
        "Dateien gleichen Namens ersetzen", "Replace files of the same name", "Zastąp pliki o tej samej nazwie"
    ),
    "upload": Text("Hochladen", "Upload", "Prześlij"),
    "upload_sending": Text("wird hochgeladen", "uploading", "przesyłanie"),
    "upload_reading": Text("wird eingelesen", "being read", "odczytywanie"),
    "upload_done": Text("fertig", "done", "gotowe"),
    "upload_lost": Text(
        "Der Server war nicht erreichbar.", "The server could not be reached.", "Serwer był nieosiągalny."
    ),
    "upload_nothing": Text("Es wurde keine Datei ausgewählt.", "No file was chosen.", "Nie wybrano żadnego pliku."),
    "upload_type": Text(
        "„{name}“ hat kein Format, das gelesen werden kann; möglich sind {types}.",
        "“{name}” has no format that can be read; possible are {types}.",
        "„{name}” nie ma formatu, który można odczytać; możliwe są {types}.",
    ),
    "upload_name": Text(
        "„{name}“ kann so nicht heißen; bitte benennen Sie die Datei um.",
        "“{name}” cannot be kept under this name; please rename the file.",
        "Plik nie może nazywać się „{name}”; prosimy zmienić nazwę.",
    ),
    "upload_side_file": Text(
        "„{name}“ beschreibt andere Dateien; legen Sie sie auf dem Server neben diese.",
        "“{name}” describes other files; put it beside them on the server.",
        "„{name}” opisuje inne pliki; należy umieścić go obok nich na serwerze.",
    ),
    "upload_empty": Text("„{name}“ ist leer.", "“{name}” is empty.", "Plik „{name}” jest pusty."),
    "upload_size": Text(
        "„{name}“ hat mehr als {limit} MB (CITYCITE_MAX_FILE_MB).",
        "“{name}” has more than {limit} MB (CITYCITE_MAX_FILE_MB).",
        "„{name}” ma więcej niż {limit} MB (CITYCITE_MAX_FILE_MB).",
    ),
    "upload_content": Text(
        "„{name}“ ist dem Inhalt nach keine {type}-Datei.",
        "By its content, “{name}” is no {type} file.",
        "Zawartość wskazuje, że „{name}” nie jest plikiem {type}.",
    ),
    "upload_exists": Text(
        "„{name}“ gibt es schon; zum Ersetzen bitte das Häkchen setzen.",
        "“{name}” is there already; tick the box to replace it.",
        "„{name}” już istnieje; aby zastąpić plik, prosimy zaznaczyć pole.",
    ),
    "upload_write": Text(
        "„{name}“ konnte nicht gespeichert werden: {problem}.",
        "“{name}” could not be kept: {problem}.",
        "Nie udało się zapisać pliku „{name}”: {problem}.",
    ),
    "jobs": Text("Letzte Vorgänge", "Latest jobs", "Ostatnie zadania"),
    "job_waiting": Text("wartet", "waiting", "oczekuje"),
    "job_running": Text("läuft", "running", "w toku"),
    "job_done": Text("fertig", "done", "gotowe"),
    "job_failed": Text("mit Fehlern", "with errors", "z błędami"),
    "job_progress": Text("{done} von {total}", "{done} of {total}", "{done} z {total}"),
    "job_ingested": Text(
        "neu: {added}, geändert: {updated}, unverändert: {unchanged}, fehlgeschlagen: {failed}",
        "new: {added}, changed: {updated}, unchanged: {unchanged}, failed: {failed}",
        "nowe: {added}, zmienione: {updated}, bez zmian: {unchanged}, nieudane: {failed}",
    ),
    "job_removed": Text("entfernt", "removed", "usunięto"),
    "job_evaluated": Text("gestellte Fragen: {questions}", "questions asked: {questions}", "zadano pytań: {questions}"),
    "job_unexpected": Text(
        "Ein unerwarteter Fehler; er steht im Protokoll des Servers.",
        "An unexpected error; it is in the server’s log.",
        "Nieoczekiwany błąd; zapisano go w dzienniku serwera.",
    ),
    "filter_words": Text("Name oder Titel enthält", "Name or title contains", "Nazwa lub tytuł zawiera"),
    "filter_state": Text("Zustand", "State", "Stan"),
    "filter_all": Text("alle", "all", "wszystkie"),
    "filter_apply": Text("Filtern", "Filter", "Filtruj"),
    "state_ok": Text("durchsuchbar", "searchable", "przeszukiwalny"),
    "state_partly": Text("teilweise", "partly", "częściowo"),
    "state_poor": Text("schlechter Text", "poor text", "słaby tekst"),
    "state_outdated": Text("veraltet", "outdated", "nieaktualny"),
    "state_not": Text("nicht durchsuchbar", "not searchable", "nieprzeszukiwalny"),
    "column_source": Text("Quelle", "Source", "Źródło"),
    "column_state": Text("Zustand", "State", "Stan"),
    "column_published": Text("Datum", "Date", "Data"),
    "column_ingested": Text("Eingelesen", "Read in", "Wczytano"),
    "column_passages": Text("Passagen", "Passages", "Fragmenty"),
    "near": Text("Fast gleiche Dokumente", "Nearly the same", "Niemal takie same"),
    "page_of": Text("Seite {page} von {last}", "Page {page} of {last}", "Strona {page} z {last}"),
    "previous": Text("Vorige", "Previous", "Poprzednia"),
    "next": Text("Nächste", "Next", "Następna"),
    # One document.
    "document": Text("Dokument", "Document", "Dokument"),
    "fact_place": Text("Ort", "Place", "Miejsce"),
    "fact_also": Text("Auch in", "Also in", "Także w"),
    "fact_language": Text("Sprache", "Language", "Język"),
    "fact_rule": Text("Datum nach", "Date from", "Data według"),
    "fact_characters": Text("Zeichen", "Characters", "Znaki"),
    "fact_dropped": Text("Ausgelassen (Zeichen)", "Left out (characters)", "Pominięto (znaki)"),
    "fact_reason": Text("Grund", "Reason", "Powód"),
    "extracted": Text("Gelesener Text", "Extracted text", "Odczytany tekst"),
    "extracted_none": Text(
        "Aus dieser Quelle ist kein Text gespeichert.",
        "No text of this source is stored.",
        "Nie zapisano tekstu z tego źródła.",
    ),
    "original": Text("Original", "Original", "Oryginał"),
    "original_open": Text("Original öffnen", "Open the original", "Otwórz oryginał"),
    "original_save": Text("Original herunterladen", "Download the original", "Pobierz oryginał"),
    "original_web": Text("Webseite öffnen", "Open the web page", "Otwórz stronę internetową"),
    "original_gone": Text("Die Datei liegt nicht mehr dort.", "The file is no longer there.", "Pliku już tam nie ma."),
    "original_attached": Text(
        "Das Original steckt in einer Mail.", "The original is inside a mail.", "Oryginał znajduje się w wiadomości."
    ),
    "ingest_again": Text("Neu einlesen", "Read again", "Wczytaj ponownie"),
    "remove": Text("Entfernen", "Remove", "Usuń"),
    "remove_upload": Text(
        "Das Dokument verschwindet aus den Antworten, die hochgeladene Datei wird gelöscht.",
        "The document vanishes from the answers, and the uploaded file is deleted.",
        "Dokument zniknie z odpowiedzi, a przesłany plik zostanie usunięty.",
    ),
    "remove_file": Text(
        "Das Dokument verschwindet aus den Antworten. Die Datei bleibt; das nächste Einlesen ihres Ordners bringt es "
        "zurück.",
        "The document vanishes from the answers. The file stays; the next ingest of its folder brings it back.",
        "Dokument zniknie z odpowiedzi. Plik pozostanie; następne wczytanie jego folderu przywróci dokument.",
    ),
    "remove_really": Text("Ja, entfernen", "Yes, remove", "Tak, usuń"),
    "file_gone": Text(
        "„{name}“ liegt nicht mehr dort und kann nicht neu eingelesen werden.",
        "“{name}” is no longer there and cannot be read again.",
        "Pliku „{name}” już tam nie ma i nie można go wczytać ponownie.",
    ),
    # Questions.
    "show_bad": Text("Schlecht bewertet", "Badly rated", "Źle ocenione"),
    "show_unanswered": Text("Ohne Antwort", "Unanswered", "Bez odpowiedzi"),
    "show_all": Text("Alle", "All", "Wszystkie"),
    "counts_rated": Text(
        "Bewertungen: {helpful} hilfreich, {not_helpful} nicht hilfreich.",
        "Ratings: {helpful} helpful, {not_helpful} not helpful.",
        "Oceny: pomocne {helpful}, niepomocne {not_helpful}.",
    ),
    "counts_asked": Text(
        "Gespeicherte Fragen: {answered} beantwortet, {unanswered} nicht.",
        "Questions kept: {answered} answered, {unanswered} not.",
        "Zapisane pytania: z odpowiedzią {answered}, bez odpowiedzi {unanswered}.",
    ),
    "log_off": Text(
        "Fragen werden nicht gespeichert. Wer sie ohne Namen für eine Zeit behalten will, setzt auf dem Server "
        "CITYCITE_QUESTION_LOG_DAYS=30; die Fragenseite weist dann darauf hin.",
        "Questions are not kept. To keep them for a time, without names, set CITYCITE_QUESTION_LOG_DAYS=30 on the "
        "server; the chat page then says so.",
        "Pytania nie są zapisywane. Aby przechowywać je przez pewien czas, bez nazwisk, należy ustawić na serwerze "
        "CITYCITE_QUESTION_LOG_DAYS=30; strona pytań będzie o tym informować.",
    ),
    "feedback_off": Text(
        "Bewertungen sind ausgeschaltet (CITYCITE_FEEDBACK_DAYS=0).",
        "Ratings are off (CITYCITE_FEEDBACK_DAYS=0).",
        "Oceny są wyłączone (CITYCITE_FEEDBACK_DAYS=0).",
    ),
    "questions_none": Text("Hier ist nichts offen.", "Nothing is open here.", "Nic tu nie czeka."),
    "times": Text("{times}-mal", "{times} times", "{times} razy"),
    "asked_last": Text("zuletzt {at} Uhr (UTC)", "last at {at} (UTC)", "ostatnio {at} (UTC)"),
    "was_answered": Text("beantwortet", "answered", "z odpowiedzią"),
    "was_not_answered": Text("keine Antwort", "no answer", "bez odpowiedzi"),
    "sure": Text("Sicherheit {percent} %", "confidence {percent} %", "pewność {percent} %"),
    "milliseconds": Text("{count} ms", "{count} ms", "{count} ms"),
    "wanted_document": Text("Richtiges Dokument", "Right document", "Właściwy dokument"),
    "to_review": Text("Prüfen", "Review", "Sprawdź"),
    "dismiss": Text("Erledigt", "Mark as done", "Załatwione"),
    "question_dismissed": Text(
        "Die Frage ist erledigt.", "The question is marked as done.", "Pytanie zostało załatwione."
    ),
    "entry_gold": Text("in der Golddatei", "in the gold file", "w pliku wzorcowym"),
    "entry_dismissed": Text("erledigt", "done", "załatwione"),
    "entry_open": Text("offen", "open", "otwarte"),
    "reason_wrong_answer": Text("Antwort falsch", "wrong answer", "błędna odpowiedź"),
    "reason_wrong_document": Text("falsches Dokument", "wrong document", "niewłaściwy dokument"),
    "reason_outdated": Text("veraltet", "outdated", "nieaktualne"),
    "reason_not_understandable": Text("nicht verständlich", "not understandable", "niezrozumiałe"),
    "reason_other": Text("anderes", "other", "inne"),
    # Into the gold file.
    "review": Text("Frage prüfen", "Review a question", "Sprawdzenie pytania"),
    "review_what": Text(
        "Was wäre richtig gewesen? Eine Zeile der Golddatei stellt diese Frage von nun an bei jeder Auswertung.",
        "What would have been right? A line of the gold file asks this question in every evaluation from now on.",
        "Jaka odpowiedź byłaby właściwa? Wiersz pliku wzorcowego zadaje to pytanie przy każdej ewaluacji.",
    ),
    "review_question": Text("Frage", "Question", "Pytanie"),
    "review_choice": Text("Richtig ist", "The right answer", "Właściwa odpowiedź"),
    "review_none": Text(
        "Die Dokumente enthalten keine Antwort; es war oder wäre richtig, zu schweigen.",
        "The documents hold no answer; to abstain was or would be right.",
        "Dokumenty nie zawierają odpowiedzi; nie należało lub nie należy jej udzielać.",
    ),
    "review_own": Text("Eine andere Antwort", "Another answer", "Inna odpowiedź"),
    "review_answer": Text(
        "Das muss im Zitat stehen (eine Möglichkeit je Zeile)",
        "The quote must hold this (one possibility a line)",
        "Cytat musi to zawierać (jedna możliwość w wierszu)",
    ),
    "review_document": Text(
        "Dokument (Anfang von Dateiname oder ID)",
        "Document (beginning of file name or id)",
        "Dokument (początek nazwy pliku lub identyfikatora)",
    ),
    "review_named": Text("von Lesenden genannt", "named by readers", "wskazany przez czytelników"),
    "review_known": Text(
        "Diese Frage steht schon in der Golddatei; Speichern ersetzt ihre Zeile.",
        "This question is in the gold file already; saving replaces its line.",
        "To pytanie jest już w pliku wzorcowym; zapis zastąpi jego wiersz.",
    ),
    "review_save": Text("In die Golddatei", "Into the gold file", "Do pliku wzorcowego"),
    "review_empty": Text("Es fehlt eine Frage.", "A question is missing.", "Brakuje pytania."),
    "review_incomplete": Text(
        "Zu einer Antwort gehören ein Textstück und ein Dokument.",
        "An answer needs a piece of text and a document.",
        "Odpowiedź wymaga fragmentu tekstu i dokumentu.",
    ),
    "review_no_document": Text(
        "Kein gespeichertes Dokument heißt „{document}“.",
        "No stored document is called “{document}”.",
        "Żaden zapisany dokument nie nazywa się „{document}”.",
    ),
    "review_no_answer": Text(
        "„{answer}“ steht nicht in diesem Dokument.",
        "“{answer}” does not stand in this document.",
        "„{answer}” nie występuje w tym dokumencie.",
    ),
    "gold_added": Text("{id} steht in der Golddatei.", "{id} is in the gold file.", "{id} jest w pliku wzorcowym."),
    "gold_removed": Text("{id} ist entfernt.", "{id} has been removed.", "{id} usunięto."),
    "gold_where": Text("Fragen: {count}, Datei", "Questions: {count}, file", "Liczba pytań: {count}, plik"),
    "gold_none": Text(
        "Noch keine Zeile. Sie entstehen aus bewerteten und unbeantworteten Fragen.",
        "No line yet. They are made from rated and unanswered questions.",
        "Nie ma jeszcze wierszy. Powstają z pytań ocenionych i pozostawionych bez odpowiedzi.",
    ),
    "gold_answer": Text("Antwort", "Answer", "Odpowiedź"),
    "gold_no_answer": Text("keine Antwort", "no answer", "brak odpowiedzi"),
    # Evaluation.
    "evaluation_run": Text("Jetzt auswerten", "Run now", "Uruchom teraz"),
    "evaluation_lines": Text(
        "Fragen in der Golddatei: {count}.",
        "Questions in the gold file: {count}.",
        "Pytania w pliku wzorcowym: {count}.",
    ),
    "evaluation_empty": Text(
        "Die Golddatei hat noch keine Zeile.", "The gold file has no line yet.", "Plik wzorcowy nie ma jeszcze wierszy."
    ),
    "evaluation_running": Text(
        "Eine Auswertung läuft schon.", "An evaluation is running already.", "Ewaluacja jest już w toku."
    ),
    "trend": Text("Verlauf", "Trend", "Przebieg"),
    "trend_none": Text("Noch keine Auswertung.", "No evaluation yet.", "Nie było jeszcze ewaluacji."),
    "runs": Text("Auswertungen", "Runs", "Ewaluacje"),
    "run_at": Text("Zeit (UTC)", "Time (UTC)", "Czas (UTC)"),
    "run_questions": Text("Fragen", "Questions", "Pytania"),
    "run_report": Text("Bericht", "Report", "Raport"),
    "measure_answered_right": Text("richtig beantwortet", "answered correctly", "poprawne odpowiedzi"),
    "measure_first_quote": Text("Zitat richtig", "right quote", "trafny cytat"),
    "measure_refused": Text("zu Recht geschwiegen", "correctly abstained", "słuszny brak odpowiedzi"),
    "measure_recall@1": Text("Dokument zuerst", "document first", "dokument na pierwszym miejscu"),
    "moved": Text("Anders als zuvor", "Changed since the run before", "Zmiany od poprzedniej ewaluacji"),
    "moved_none": Text("Keine Frage.", "No question.", "Żadne pytanie."),
    "verdict_right": Text("richtig", "right", "poprawnie"),
    "verdict_wrong": Text("falsch", "wrong", "błędnie"),
    "verdict_needless_abstention": Text("unnötig geschwiegen", "needless abstention", "niepotrzebny brak odpowiedzi"),
    "verdict_right_abstention": Text("zu Recht geschwiegen", "right abstention", "słuszny brak odpowiedzi"),
    "verdict_needless_answer": Text("unnötig geantwortet", "needless answer", "zbędna odpowiedź"),
    "moved_good": Text("besser", "better", "lepiej"),
    "moved_bad": Text("schlechter", "worse", "gorzej"),
    # Health.
    "check_ok": Text("in Ordnung", "ok", "w porządku"),
    "check_optional": Text("optional", "optional", "opcjonalne"),
    "check_broken": Text("gestört", "broken", "uszkodzone"),
    "part_embedding_model": Text("Modell der Suche", "embedding model", "model wyszukiwania"),
    "part_arithmetic": Text("Rechenweise", "arithmetic", "arytmetyka"),
    "part_store": Text("Datenbestand", "store", "zbiór danych"),
    "part_text_recognition": Text("Texterkennung", "text recognition", "rozpoznawanie tekstu"),
    "part_language_model": Text("Sprachmodell für Antworten", "language model", "model językowy odpowiedzi"),
    "part_disk": Text("Speicherplatz", "disk", "miejsce na dysku"),
    "check_mend": Text("Abhilfe", "What to do", "Co zrobić"),
}


def text(key: str, language: Language, **values: object) -> str:
    """Return the text of `key`, with `{name}` replaced by the value of that name.

    Raises:
        KeyError: the table has no such key.
    """
    template: str = getattr(TEXTS[key], language)
    return template.format(**values) if values else template
