"""Documents with their state; upload, ingest anew, remove; the extracted text beside the original."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from ingest.addresses import is_web_address
from ingest.coverage import NOT, OUTDATED, PARTLY, POOR, SEARCHABLE, Covered
from ingest.loaders import LOADERS
from rag.errors import CityciteError, NotFoundError
from rag.language import local_date
from rag.schema import DocumentSummary
from ui.admin import uploads
from ui.admin.area import UPLOAD, Area, Visit
from ui.admin.jobs import Job
from ui.admin.texts import text
from ui.admin.uploads import RefusedError
from ui.document_page import article
from ui.markup import shown_source

ROWS: Final = 100
# The states of `ingest.coverage`, and the texts that name them; what needs somebody comes first.
STATES: Final = {
    NOT: "state_not",
    OUTDATED: "state_outdated",
    PARTLY: "state_partly",
    POOR: "state_poor",
    SEARCHABLE: "state_ok",
}
# A short job is over before the next page is there.
_PATIENCE: Final = 1.5
# What a browser may show of an original, whatever it holds: pictures as such, web pages in a sandbox that neither runs
# nor loads anything, texts as plain text. All else is saved.
_PICTURES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
_PLAIN: Final = frozenset({".txt", ".md", ".csv", ".eml"})
_WEB: Final = frozenset({".html", ".htm"})
_SANDBOX: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
_FRAMED: Final = "default-src 'none'; frame-ancestors 'self'"


@dataclass(frozen=True, slots=True)
class Row:
    """A source in the list, with what its document says of itself."""

    item: Covered
    state: str
    name: str
    title: str
    published: str
    ingested: str
    uploaded: bool


def add_to(area: Area) -> None:
    """Add the pages and actions."""
    area.page("/documents")(show_all)
    area.page("/document")(show_one)
    area.page("/original")(original)
    area.page("/job")(job)
    area.action(UPLOAD)(upload)
    area.action("/documents/ingest")(ingest_again)
    area.action("/documents/remove")(remove)


def show_all(visit: Visit) -> Response:
    """List the sources, those with a problem first, by state and by words in name and title."""
    office = visit.office
    found = office.coverage()
    summaries = {summary.document_id: summary for summary in office.assistant.documents()}
    rows = [_row(visit, item, summaries) for item in found.sources]
    state, words = visit.field("state"), visit.field("words").casefold()
    chosen = [
        row for row in rows
        if (not state or row.state == state) and _has(row, words)
    ]  # fmt: skip
    order = list(STATES.values())
    chosen.sort(key=lambda row: (order.index(row.state), row.item.source))
    wanted = visit.field("page")
    page = max(1, int(wanted)) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 else 1
    return visit.page(
        "documents",
        rows=chosen[(page - 1) * ROWS : page * ROWS],
        count=len(chosen),
        page=page,
        last_page=max(1, -(-len(chosen) // ROWS)),
        totals=found.totals,
        states={key: found.totals["states"].get(name, 0) for name, key in STATES.items()},
        near=found.near_duplicates[:20],
        shown_source=shown_source,
        jobs=office.jobs.latest("documents")[:5],
        types=",".join(sorted(LOADERS)),
        limit=office.settings.max_file_mb,
    )


def _has(row: Row, words: str) -> bool:
    return all(word in f"{row.name} {row.title}".casefold() for word in words.split())


def _row(visit: Visit, item: Covered, summaries: dict[str, DocumentSummary]) -> Row:
    summary = summaries.get(item.document_id or "")
    published = local_date(summary.published, visit.language) if summary and summary.published else ""
    return Row(
        item,
        STATES[item.state],
        shown_source(item.source),
        summary.title if summary else "",
        published,
        summary.ingested_at[:10] if summary else "",
        visit.office.is_upload(item.source),
    )


def show_one(visit: Visit) -> Response:
    """Show a source: its state, its extracted text beside the original, and what can be done with it."""
    office = visit.office
    item = office.covered(visit.field("source"))
    document = office.assistant.document(item.document_id) if item.document_id else None
    suffix = Path(item.source).suffix.lower()
    file = _file(item)
    frame = file is not None and (suffix == ".pdf" or suffix in _PLAIN | _WEB)
    return visit.page(
        "document",
        item=item,
        state=STATES[item.state],
        shown=shown_source(item.source),
        document=document,
        article=article(document, None, visit.language) if document else "",
        is_web=is_web_address(item.source),
        has_file=file is not None,
        frame=frame,
        picture=file is not None and suffix in _PICTURES,
        uploaded=office.is_upload(item.source),
        attached="!" in item.source,
    )


def _file(item: Covered) -> Path | None:
    """Return the file of a source, None where it is no file, inside of one, or gone."""
    file = Path(item.source)
    return file if not is_web_address(item.source) and file.is_file() else None


def original(visit: Visit) -> Response:
    """Send the file of a source that the store knows, so that a browser can show it and run nothing of it."""
    item = visit.office.covered(visit.field("source"))
    file = _file(item)
    if file is None:
        raise NotFoundError(f"The file {item.source} is not there any more.")
    suffix = file.suffix.lower()
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _SANDBOX}
    if suffix == ".pdf" and b"%PDF-" in _head(file):
        # Chromium's viewer does not start in a sandbox; a PDF has no access to the page around it.
        return FileResponse(file, media_type="application/pdf", headers=headers | {"Content-Security-Policy": _FRAMED})
    if suffix in _PICTURES:
        return FileResponse(file, media_type=_PICTURES[suffix], headers=headers)
    if suffix in _WEB:
        return FileResponse(file, media_type="text/html", headers=headers)
    if suffix in _PLAIN:
        return FileResponse(file, media_type="text/plain; charset=utf-8", headers=headers)
    return FileResponse(file, media_type="application/octet-stream", filename=file.name, headers=headers)


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(1024)


def upload(visit: Visit) -> Response:
    """Keep the files, then have them read into the store."""
    office = visit.office
    kept: list[Path] = []
    refused: list[RefusedError] = []
    for given in visit.form.getlist("files"):
        if not isinstance(given, UploadFile) or not given.filename:
            continue
        try:
            replace = bool(visit.field("replace"))
            kept.append(
                uploads.store(
                    given.filename, given.file, office.uploads, replace=replace,
                    max_megabytes=office.settings.max_file_mb,
                )
            )  # fmt: skip
        except RefusedError as error:
            refused.append(error)
    if not kept and not refused:
        refused.append(RefusedError("upload_nothing"))
    job = _ingest(visit, kept) if kept else None
    if "application/json" in visit.request.headers.get("accept", ""):
        problems = [text(error.key, visit.language, **error.values) for error in refused]
        body = {"job": job.id if job else None, "problems": problems}
        return JSONResponse(body, HTTPStatus.ACCEPTED if job else HTTPStatus.OK)
    if visit.session:
        visit.session.said += [(refusal.key, refusal.values, False) for refusal in refused]
    if job:
        job.over.wait(_PATIENCE)
    return visit.go("/documents")


def _ingest(visit: Visit, files: list[Path]) -> Job:
    sources = [str(file) for file in files]
    label = files[0].name if len(files) == 1 else f"{files[0].name} + {len(files) - 1}"
    return visit.office.jobs.add("documents", label, partial(visit.office.ingest, sources))


def ingest_again(visit: Visit) -> Response:
    """Read a source anew: a file that has changed, pages that can be read now, a web page."""
    item = visit.office.covered(visit.field("source"))
    source = item.source.partition("!")[0]  # an attachment is read with its mail
    if not is_web_address(source) and not Path(source).is_file():
        raise RefusedError("file_gone", name=shown_source(source))
    label = shown_source(source)
    visit.office.jobs.add("documents", label, partial(visit.office.ingest, [source])).over.wait(_PATIENCE)
    return visit.go("/documents")


def remove(visit: Visit) -> Response:
    """Take a source out of the store."""
    office = visit.office
    item = office.covered(visit.field("source"))
    name = shown_source(item.source)

    def work(job: Job) -> None:
        office.jobs.patiently(partial(office.remove, item))
        job.said.append(("job_removed", {}))

    office.jobs.add("documents", name, work).over.wait(_PATIENCE)
    return visit.go("/documents")


def job(visit: Visit) -> Response:
    """Say how far a job is: as JSON for the script; without it, the list of documents shows the same."""
    found = visit.office.jobs.get(visit.field("id"))
    if found is None:
        raise CityciteError("This job is not known any more.")
    if "application/json" not in visit.request.headers.get("accept", ""):
        return RedirectResponse(visit.address("/documents"), HTTPStatus.SEE_OTHER)
    said = [text(key, visit.language, **values) for key, values in found.said]
    return JSONResponse(found.as_dict() | {"said": said, "problems": found.problems})
