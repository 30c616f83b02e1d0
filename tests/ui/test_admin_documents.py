"""Documents in the admin area: list, upload, preview, ingest again, remove; over a real store and a real ingest."""

import re
import shutil
from pathlib import Path

import pytest

from rag.pipeline import Assistant
from rag.store import Store
from tests.ui.admin_session import administration, settings_in
from tests.ui.stand_in import StandIn, broken_store
from ui.admin.uploads import RefusedError, check_content, safe_name

NOTE = "Das Schwimmbad am Kanal\n\nDas Schwimmbad am Kanal wurde am 3. Mai 1931 eröffnet. Es hat sieben Bahnen.\n"
WHEN = "Wann wurde das Schwimmbad am Kanal eröffnet?"


@pytest.fixture
def inside(pristine_store, tmp_path, assistant):
    """Somebody in the admin area of a copy of the corpus store; the loaded model is shared."""
    settings = settings_in(tmp_path, shutil.copytree(pristine_store, tmp_path / "store"), parse_workers=1)
    opened = Assistant.open(settings.store, settings)
    opened.model = assistant.model
    opened.warm_up()
    somebody = administration(opened, settings)
    somebody.assistant, somebody.uploads = opened, Path(settings.data) / "uploads"
    somebody.jobs = somebody.client.app.routes[0].app.office.jobs
    yield somebody
    somebody.jobs.close()
    opened.close()


def upload(inside, *files, **fields):
    content = [("files", (name, data if isinstance(data, bytes) else data.encode())) for name, data in files]
    return inside.send(inside.get("/documents"), "/documents/upload", files=content, json=True, **fields)


def finished(inside, answer):
    """Wait for the job that an upload began; return it."""
    assert answer.status_code == 202, answer.text
    assert inside.jobs.get(answer.json()["job"]).over.wait(120)
    return inside.client.get(
        "/admin/job", params={"id": answer.json()["job"]}, headers={"Accept": "application/json"}
    ).json()


def test_an_uploaded_document_answers_the_next_question(inside):
    assert inside.assistant.ask(WHEN).abstained
    job = finished(inside, upload(inside, ("schwimmbad.txt", NOTE)))
    answer = inside.assistant.ask(WHEN)
    assert (job["state"], job["problems"]) == ("done", [])
    assert not answer.abstained
    assert "3. Mai 1931" in answer.citations[0].quote
    assert Path(answer.citations[0].source) == inside.uploads / "schwimmbad.txt"
    page = inside.said(inside.get("/documents", words="kanal"))
    assert "schwimmbad.txt" in page
    assert "durchsuchbar" in page


def test_a_document_goes_and_its_file_with_it(inside):
    finished(inside, upload(inside, ("schwimmbad.txt", NOTE)))
    source = str(inside.uploads / "schwimmbad.txt")
    page = inside.get("/document", source=source)
    assert "3. Mai 1931" in page.text
    assert inside.send(page, "/documents/remove").status_code == 303
    assert inside.jobs.latest("documents")[0].over.wait(120)
    assert "entfernt" in inside.said(inside.get("/documents"))
    assert not Path(source).exists()
    assert inside.assistant.ask(WHEN).abstained
    assert inside.get("/document", source=source).status_code == 404


def test_a_file_from_elsewhere_stays_when_its_document_goes(inside):
    item = inside.assistant.documents()[0]
    page = inside.get("/document", source=item.source)
    assert "Die Datei bleibt" in inside.said(page)
    inside.send(page, "/documents/remove")
    assert inside.jobs.latest("documents")[0].over.wait(120)
    assert Path(item.source).is_file()
    assert item.document_id not in {document.document_id for document in inside.assistant.documents()}


def test_a_changed_file_is_read_again_and_a_name_taken_only_on_request(inside):
    finished(inside, upload(inside, ("schwimmbad.txt", NOTE)))
    again = upload(inside, ("schwimmbad.txt", NOTE.replace("1931", "1932")))
    assert (again.status_code, again.json()["job"]) == (200, None)
    assert "gibt es schon" in again.json()["problems"][0]
    finished(inside, upload(inside, ("schwimmbad.txt", NOTE.replace("1931", "1932")), replace="yes"))
    assert "3. Mai 1932" in inside.assistant.ask(WHEN).citations[0].quote
    (inside.uploads / "schwimmbad.txt").write_text(NOTE.replace("1931", "1933"))
    page = inside.get("/document", source=str(inside.uploads / "schwimmbad.txt"))
    inside.send(page, "/documents/ingest")
    assert inside.jobs.latest("documents")[0].over.wait(120)
    assert "3. Mai 1933" in inside.assistant.ask(WHEN).citations[0].quote


def test_a_file_that_cannot_be_read_is_said_and_can_be_removed(inside):
    job = finished(inside, upload(inside, ("kaputt.pdf", b"%PDF-1.4\nnichts")))
    assert job["state"] == "failed"
    assert len(job["problems"]) == 1
    assert "kaputt.pdf" in job["problems"][0]
    assert "\n" not in job["problems"][0]
    page = inside.said(inside.get("/documents", state="state_not"))
    assert "nicht durchsuchbar" in page
    assert "kaputt.pdf" in page
    source = str(inside.uploads / "kaputt.pdf")
    inside.send(inside.get("/document", source=source), "/documents/remove")
    assert inside.jobs.latest("documents")[0].over.wait(120)
    assert not Path(source).exists()
    assert inside.get("/document", source=source).status_code == 404


def test_without_script_several_files_go_and_wrong_ones_are_named(inside):
    page = inside.get("/documents")
    files = [("files", ("a.txt", NOTE.encode())), ("files", ("b.exe", b"MZ")), ("files", ("c.pdf", b"GIF89a"))]
    answer = inside.send(page, "/documents/upload", files=files)
    said = inside.said(answer)
    assert "„b.exe“ hat kein Format" in said
    assert "„c.pdf“ ist dem Inhalt nach keine .pdf-Datei" in said
    assert inside.jobs.latest("documents")[0].over.wait(120)
    assert sorted(file.name for file in inside.uploads.iterdir()) == ["a.txt"]
    nothing = inside.send(page, "/documents/upload", files=[("files", ("", b""))])
    assert "keine Datei ausgewählt" in inside.said(nothing)


def test_too_much_is_refused(inside, monkeypatch):
    small = inside.client.app.routes[0].app.office
    monkeypatch.setattr(small, "settings", small.settings.model_copy(update={"max_file_mb": 1}))
    assert "mehr als 1 MB" in upload(inside, ("gross.txt", b"x" * 1_100_000)).json()["problems"][0]
    answer = upload(inside, ("riesig.txt", b"x" * 1_400_000))
    assert (answer.status_code, "1 MB" in answer.json()["problem"]) == (413, True)
    assert not inside.uploads.exists()


def test_another_writer_is_waited_for(inside):
    other = Store(inside.assistant.store.location)
    with other.writing():
        answer = upload(inside, ("schwimmbad.txt", NOTE))
        assert not inside.jobs.get(answer.json()["job"]).over.wait(1.5)
    assert finished(inside, answer)["state"] == "done"
    assert not inside.assistant.ask(WHEN).abstained


def test_only_originals_of_stored_documents_are_sent_and_none_can_run(inside, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim")
    assert inside.get("/original", source=str(secret)).status_code == 404
    assert inside.get("/original", source="/etc/passwd").status_code == 404
    page = (
        "<html><body><h1>Titel</h1><p>Das Rathaus wurde am 4. Mai 1905 eröffnet.</p><script>x=1</script></body></html>"
    )
    finished(inside, upload(inside, ("seite.html", page)))
    answer = inside.get("/original", source=str(inside.uploads / "seite.html"))
    assert answer.text == page
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "allow-scripts" not in answer.headers["content-security-policy"]
    magazine = next(item for item in inside.assistant.documents() if item.source.endswith(".pdf"))
    assert inside.get("/original", source=magazine.source).headers["content-type"] == "application/pdf"
    assert "<iframe" in inside.get("/document", source=magazine.source).text


def test_the_health_page_says_what_doctor_says(inside):
    page = inside.said(inside.get("/health"))
    # Each by its name in the reader's language: a new part without one would fail here.
    for part in ("Modell der Suche", "Rechenweise", "Datenbestand", "Texterkennung", "Sprachmodell", "Speicherplatz"):
        assert part in page
    assert "16 Dokumente" in page


def test_the_list_can_be_narrowed_and_paged(inside):
    everything = inside.get("/documents").text
    sources = everything.count("/admin/document?source=")
    assert sources >= len(inside.assistant.documents())
    krakau = inside.get("/documents", words="krakau gehört").text
    assert 0 < krakau.count("/admin/document?source=") < sources
    assert "Keine Quelle passt" in inside.said(inside.get("/documents", words="xyzzy"))
    for page in ("0", "-1", "99999999", "x", "²"):
        assert inside.get("/documents", page=page).status_code == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/plan.txt", "plan.txt"),
        ("C:\\Users\\x\\Plan Süd.PDF", "Plan Süd.pdf"),
        (".hidden.md", "hidden.md"),
        ("a\0b\n<c>.txt", "a_b__c_.txt"),
        ("ü" * 200 + ".txt", "ü" * 98 + ".txt"),
        ("plan.pdf ", "plan.pdf"),
        ("Haushalt 2026 (Entwurf).xlsx", "Haushalt 2026 (Entwurf).xlsx"),
    ],
)
def test_names_are_made_safe(given, kept):
    assert safe_name(given) == kept


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("plan.exe", "upload_type"), ("plan", "upload_type"), ("", "upload_type"), (".pdf", "upload_type"),
        ("plan.pdf.meta.json", "upload_type"), ("metadata.csv", "upload_side_file"), ("CON.txt", "upload_name"),
        ("...txt", "upload_type"), ("//.txt", "upload_type"), ("\u202e.txt", "upload_name"),
    ],
)  # fmt: skip
def test_names_that_none_can_be_are_refused(given, key):
    with pytest.raises(RefusedError) as error:
        safe_name(given)
    assert error.value.key == key


@pytest.mark.parametrize(
    ("name", "head", "fits"),
    [
        ("a.pdf", b"%PDF-1.7", True), ("a.pdf", b"MZ\x90", False), ("a.docx", b"PK\x03\x04", True),
        ("a.docx", b"\xd0\xcf\x11\xe0", False), ("a.doc", b"\xd0\xcf\x11\xe0", True), ("a.txt", b"Text", True),
        ("a.txt", b"\x7fELF\0\0", False), ("a.txt", b"\xff\xfeT\0", True), ("a.png", b"\x89PNG\r\n", True),
        ("a.png", b"<svg", False), ("a.txt", b"", False),
    ],
)  # fmt: skip
def test_the_content_must_fit_the_name(name, head, fits):
    if fits:
        check_content(name, head)
    else:
        with pytest.raises(RefusedError):
            check_content(name, head)


def test_hostile_names_and_texts_stay_text(inside):
    name = "<img src=x onerror=alert(1)>.txt"
    finished(inside, upload(inside, (name, "<script>alert(1)</script>\n\nDas Rathaus hat 40 Räume.")))
    (kept,) = inside.uploads.iterdir()
    for page in (inside.get("/documents"), inside.get("/document", source=str(kept))):
        assert len(re.findall("<script", page.text)) == page.text.count("<script nonce=")
        assert "<img src=x" not in page.text


def test_a_broken_store_is_said_in_one_line(tmp_path):
    stand_in = StandIn()
    somebody = administration(stand_in, settings_in(tmp_path, tmp_path / "store"))
    stand_in.store = Store(tmp_path / "store")
    stand_in.failure = broken_store()
    answer = somebody.get("/documents")
    assert answer.status_code == 503
    assert "disk error" in somebody.said(answer)
