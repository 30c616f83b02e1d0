"""Mails with attachments, and side files, as an ingest takes them in, changes them and takes them out."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.attachments import named
from ingest.loaders import Attachment
from ingest.pipeline import Report, document_id, ingest, remove
from rag.embeddings import EmbeddingModel
from rag.schema import Document
from rag.settings import Settings
from rag.store import Store
from ui.cli import cli
from ui.models import DocumentBody, DocumentSummaryBody

SETTINGS = Settings()


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel(SETTINGS)


@pytest.fixture(autouse=True)
def _one_model(model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the model once for all ingests of this file; it takes seconds each time."""
    monkeypatch.setattr("ingest.pipeline.EmbeddingModel", lambda settings: model)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    (tmp_path / "post").mkdir()
    return tmp_path / "post" / "anfrage!1.eml"


def written(path: Path, attachments: dict[str, str | bytes | EmailMessage], body: str = "Anbei die Satzung.") -> Path:
    path.write_bytes(composed(attachments, body).as_bytes())
    return path


def composed(attachments: dict[str, str | bytes | EmailMessage], body: str = "Anbei die Satzung.") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = body
    message["From"] = "amt@stadt.example"
    message.set_content(body)
    for name, content in attachments.items():
        if isinstance(content, EmailMessage):
            message.add_attachment(content, filename=name)
        else:
            data = content.encode() if isinstance(content, str) else content
            message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    # Made at random otherwise; the same mail shall have the same bytes.
    message.set_boundary(f"grenze-{body}".encode().hex()[:40])
    return message


def run(
    store: Store, *paths: object, prune: bool = False, force: bool = False, settings: Settings = SETTINGS
) -> Report:
    seen: list[tuple[int, int]] = []
    report = ingest(
        [str(path) for path in paths],
        store,
        settings,
        prune=prune,
        force=force,
        progress=lambda *step: seen.append(step),
    )
    assert all(done <= total for total, done in seen)
    assert seen[-1][0] == seen[-1][1]
    return report


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed, report.failed


def stored(store: Store) -> dict[str, Document]:
    """Return the documents by what follows the folder in their sources."""
    records = store.records()
    found = store.documents(list(records)) if records else {}
    assert all("\n" not in document.source for document in found.values())
    return {document.source.rpartition("/post/")[2]: document for document in found.values()}


def printed(store: Store, *arguments: str) -> str:
    """Return what the command line prints."""
    result = CliRunner().invoke(cli, [*arguments, "--store", store.location], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


SATZUNG = "# Satzung über die Bäder\n\nDie Karte kostet 4 Euro."


def test_attachments_are_documents_of_their_own(mail: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = composed({"tief.txt": "Die Halle öffnet um acht Uhr."}, "Weitergeleitet: die Halle.")
    written(
        mail,
        {"satzung.md": SATZUNG, "../../a.md": f"{SATZUNG} Kinder zahlen nichts.", "halle": inner, "foto.xyz": b"x"},
    )
    report = run(store, mail.parent)
    assert counts(report) == (5, 0, 0, 0, 0)
    assert report.skipped == [f"{mail}!foto.xyz"]
    documents = stored(store)
    assert set(documents) == {
        "anfrage!1.eml", "anfrage!1.eml!satzung.md", "anfrage!1.eml!..%2F..%2Fa.md", "anfrage!1.eml!halle.eml",
        "anfrage!1.eml!halle.eml!tief.txt",
    }  # fmt: skip
    attached = documents["anfrage!1.eml!satzung.md"]
    assert (attached.title, attached.text) == ("Satzung über die Bäder", SATZUNG.removeprefix("# "))
    assert documents["anfrage!1.eml!halle.eml"].title == "Weitergeleitet: die Halle."
    assert len({document.id for document in documents.values()}) == 5
    monkeypatch.setattr("ingest.workers.Workers.submit", lambda *_: pytest.fail("an unchanged mail was read"))
    assert counts(run(store, mail.parent)) == (0, 0, 5, 0, 0)


def test_a_mail_changes_together_with_its_attachments(mail: Path, store: Store) -> None:
    inner = composed({"tief.txt": "Die Halle öffnet um acht Uhr."}, "Weitergeleitet.")
    written(mail, {"a.md": SATZUNG, "b.txt": "Das Amt ist montags zu.", "halle.eml": inner})
    run(store, mail)
    written(mail, {"a.md": SATZUNG, "b.txt": "Das Amt ist dienstags zu.", "c.txt": "Neues vom Amt."})
    assert counts(run(store, mail)) == (1, 2, 1, 2, 0)
    documents = stored(store)
    assert {name.rpartition("!")[2] for name in documents} == {"1.eml", "a.md", "b.txt", "c.txt"}
    assert "dienstags" in documents["anfrage!1.eml!b.txt"].text
    assert counts(run(store, mail)) == (0, 0, 4, 0, 0)
    written(mail, {}, "Nun ohne alles.")
    assert counts(run(store, mail)) == (0, 1, 0, 3, 0)
    assert set(stored(store)) == {"anfrage!1.eml"}


def test_prune_takes_attachments_with_their_mail_and_no_other(mail: Path, store: Store) -> None:
    written(mail, {"a.md": SATZUNG})
    # A file whose name is the mail's with the sign of attachments in it.
    lookalike = mail.with_name(f"{mail.name}!a.md")
    lookalike.write_text("Eine andere Datei.")
    assert counts(run(store, mail.parent)) == (3, 0, 0, 0, 0)
    assert counts(run(store, mail.parent, prune=True)) == (0, 0, 3, 0, 0)
    lookalike.unlink()
    assert counts(run(store, mail.parent, prune=True)) == (0, 0, 2, 1, 0)
    assert set(stored(store)) == {"anfrage!1.eml", "anfrage!1.eml!a.md"}
    mail.unlink()
    assert counts(run(store, mail.parent, prune=True, force=True)) == (0, 0, 0, 2, 0)


def test_an_attachment_whose_mail_never_got_in_is_pruned_with_its_file(mail: Path, store: Store) -> None:
    written(mail, {"a.md": SATZUNG})
    run(store, mail)
    with store.writing():
        store.remove([document_id(mail)])
    mail.unlink()
    assert counts(run(store, mail.parent, prune=True, force=True)) == (0, 0, 0, 1, 0)


def test_remove_takes_attachments_with_their_mail(mail: Path, store: Store) -> None:
    written(mail, {"a.md": SATZUNG, "b.txt": "Das Amt ist montags zu."})
    run(store, mail)
    attached = stored(store)["anfrage!1.eml!b.txt"].id
    assert remove([attached, "fehlt"], store, SETTINGS) == ["fehlt"]
    # What was taken out by hand comes back with the next ingest, as any file does.
    assert counts(run(store, mail)) == (1, 0, 2, 0, 0)
    store.close()
    assert printed(store, "remove", document_id(mail)) == "removed 3"
    assert stored(Store(store.location)) == {}


def test_a_failing_attachment_is_named_and_tried_again(mail: Path, store: Store) -> None:
    written(mail, {"a.md": SATZUNG, "b.pdf": b"%PDF-1.7 kaputt", "leer.txt": b""})
    report = run(store, mail)
    assert counts(report) == (2, 0, 0, 0, 2)
    assert {failure.source for failure in report.failures} == {f"{mail}!b.pdf", f"{mail}!leer.txt"}
    assert all("\n" not in failure.reason for failure in report.failures)
    assert counts(run(store, mail)) == (0, 0, 2, 0, 2)
    written(mail, {"a.md": SATZUNG, "b.pdf": b"%PDF-1.7 kaputt", "leer.txt": b"Nun steht etwas darin."})
    assert counts(run(store, mail)) == (1, 1, 1, 0, 1)


def test_an_attachment_that_breaks_later_keeps_its_older_version(mail: Path, store: Store) -> None:
    inner = composed({"tief.txt": "Die Halle öffnet um acht Uhr."}, "Weitergeleitet.")
    written(mail, {"a.txt": "Das Amt ist montags zu.", "halle.eml": inner})
    run(store, mail)
    written(mail, {"a.txt": b"", "halle.eml": b"%PDF-1.7"})
    assert counts(run(store, mail)) == (0, 1, 0, 0, 2)
    assert len(stored(store)) == 4
    mail.write_bytes(b"")
    assert counts(run(store, mail)) == (0, 0, 0, 0, 1)
    assert len(stored(store)) == 4


def test_mails_in_mails_are_bounded(mail: Path, store: Store) -> None:
    innermost = composed({}, "Ganz innen.")
    for depth in range(8):
        innermost = composed({"innen.eml": innermost}, f"Tiefe {depth}.")
    mail.write_bytes(innermost.as_bytes())
    report = run(store, mail)
    assert counts(report) == (6, 0, 0, 0, 1)
    assert "more than 5 deep" in report.failures[0].reason
    assert counts(run(store, mail)) == (0, 0, 6, 0, 1)


def test_count_and_size_of_attachments_are_bounded(mail: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written(mail, {f"{number}.txt": f"Akte {number} ist geschlossen." for number in range(5)})
    monkeypatch.setattr("ingest.reading._MOST_ATTACHMENTS", 3)
    report = run(store, mail)
    assert counts(report) == (4, 0, 0, 0, 1)
    assert "more than 3 attachments" in report.failures[0].reason
    monkeypatch.setattr("ingest.reading._MOST_ATTACHMENTS", 500)
    assert counts(run(store, mail)) == (2, 1, 3, 0, 0)
    nested = composed({"gross.html": f"<p>Ein Satz.</p><!-- {'x' * 500_000} -->"}, "Groß.")
    for _ in range(5):
        nested = composed({"innen.eml": nested.as_bytes()}, "Groß.")
    mail.write_bytes(nested.as_bytes())
    report = run(store, mail, settings=Settings(max_file_mb=4))
    assert not report.failures
    monkeypatch.setattr("ingest.reading._LARGEST_TOTAL", 1)
    mail.write_bytes(nested.as_bytes() + b"\n")
    report = run(store, mail, settings=Settings(max_file_mb=4))
    assert [failure.reason.partition(":")[0] for failure in report.failures] == ["has no room"]


def test_names_of_attachments_are_safe_and_unlike() -> None:
    given = [
        "plan.pdf", "plan.pdf", "plan (2).pdf", "plan.pdf", "../../etc/passwd.txt", "..\\a.txt", "a\nb.txt", "a!b.txt",
        "100%.txt", "", "", "\u202egpj.txt", "x" * 500 + ".pdf", "x" * 501 + ".pdf", "..", "\ud800.txt",
    ]  # fmt: skip
    names = [name for name, _ in named([Attachment(name, b"") for name in given])]
    assert names[:11] == [
        "plan.pdf", "plan (3).pdf", "plan (2).pdf", "plan (4).pdf", "..%2F..%2Fetc%2Fpasswd.txt", "..%5Ca.txt",
        "a%0Ab.txt", "a%21b.txt", "100%25.txt", "Anhang", "Anhang (2)",
    ]  # fmt: skip
    assert len(set(names)) == len(given)
    assert all(name.isprintable() and len(name) < 120 and not set(name) & set("/\\!") for name in names)


def test_odd_names_do_not_leave_the_temporary_folder(mail: Path, store: Store) -> None:
    names = ["..\\..\\a.txt", "/etc/b.txt", "äöü" * 100 + ".txt", "🙂" * 200 + ".txt", "..txt", " .txt "]
    written(mail, {name: f"Die Akte {number} ist zu." for number, name in enumerate(names)})
    assert counts(run(store, mail)) == (6, 0, 0, 0, 0)
    assert {path.name for path in mail.parent.iterdir()} == {mail.name}


# --- Side files -------------------------------------------------------------------------------------------------------


def test_side_files_say_what_documents_are(mail: Path, store: Store) -> None:
    written(mail, {"a.md": SATZUNG})
    note = mail.with_name("notiz.txt")
    note.write_text("Das Amt ist montags zu.", "utf-8")
    folder = mail.parent
    assert counts(run(store, folder)) == (3, 0, 0, 0, 0)
    said = {"title": "Die Notiz", "published": "1.3.2024", "language": "pl", "type": "Notiz", "Raum": "12"}
    (folder / "notiz.txt.meta.json").write_text(json.dumps(said))
    (folder / "metadata.csv").write_text(f"file;department;title\n{mail.name};Bäderamt;Die Anfrage\n", "utf-8")
    report = run(store, folder)
    assert counts(report) == (0, 3, 0, 0, 0)
    assert not report.skipped
    documents = stored(store)
    found = documents["notiz.txt"]
    assert (found.title, found.published, found.language) == ("Die Notiz", "2024-03-01", "pl")
    assert (found.type, found.department, found.fields) == ("Notiz", None, (("Raum", "12"),))
    assert (documents[mail.name].title, documents[mail.name].department) == ("Die Anfrage", "Bäderamt")
    attached = documents[f"{mail.name}!a.md"]
    assert (attached.title, attached.department) == ("Satzung über die Bäder", "Bäderamt")
    assert counts(run(store, folder, folder / "metadata.csv")) == (0, 0, 3, 0, 0)
    assert DocumentBody.model_validate(found).fields == {"Raum": "12"}
    listed = {summary.document_id: DocumentSummaryBody.model_validate(summary) for summary in store.summaries()}
    assert (listed[found.id].type, listed[attached.id].department) == ("Notiz", "Bäderamt")
    (folder / "notiz.txt.meta.json").unlink()
    assert counts(run(store, folder)) == (0, 1, 2, 0, 0)
    assert stored(store)["notiz.txt"].type is None


def test_the_command_line_shows_what_side_files_say(mail: Path, store: Store) -> None:
    note = mail.with_name("notiz.txt")
    note.write_text("Das Amt ist montags zu.", "utf-8")
    (mail.parent / "notiz.meta.json").write_text('{"type": "Notiz", "Raum": 12}')
    run(store, note)
    store.close()
    for arguments, shown in (
        (["show", document_id(note), "--json"], {"type": "Notiz", "department": None, "fields": {"Raum": "12"}}),
        (["documents", "--json"], {"type": "Notiz", "department": None}),
    ):
        found = json.loads(printed(store, *arguments))
        found = found[0] if isinstance(found, list) else found
        assert {name: found[name] for name in shown} == shown
    assert "type: Notiz" in printed(store, "show", document_id(note))


def test_bad_side_files_leave_the_older_version_and_are_named(mail: Path, store: Store) -> None:
    note = mail.with_name("notiz.txt")
    note.write_text("Das Amt ist montags zu.", "utf-8")
    run(store, note)
    (mail.parent / "notiz.meta.json").write_text('{"published":\n"2024-02-31"}')
    (mail.parent / "metadata.csv").write_text("file,title\nfehlt.txt,x\n")
    report = run(store, mail.parent)
    assert counts(report) == (0, 0, 0, 0, 2)
    reasons = {Path(failure.source).name: failure.reason for failure in report.failures}
    assert "line 2: there is no file 'fehlt.txt'" in reasons["metadata.csv"]
    assert "notiz.meta.json, line 1: published is '2024-02-31'" in reasons["notiz.txt"]
    assert set(stored(store)) == {"notiz.txt"}


def test_records_of_older_stores_have_no_details() -> None:
    from rag.records import document_metadata, summary, to_document

    plain = Document("a", "A", "/a.txt", "Text.")
    record = document_metadata(plain, "hash", "version", 1)
    for name in ("type", "department", "fields"):
        del record[name]
    assert to_document("a", "Text.", record) == plain
    assert (summary("a", record).type, summary("a", record).department) == (None, None)
