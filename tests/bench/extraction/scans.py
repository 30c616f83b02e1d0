"""Pages of PDFs as a scanner sees them: drawn, askew, with noise and the losses of JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from PIL import Image

from tests.ingest.scans import scanned

_POINTS = 72
_QUALITY = 75


def scan(pdf: Path, *, dpi: int, degrees: float, pages: Sequence[int] | None = None) -> list[Image.Image]:
    """Return the pages of a PDF, or those of `pages`, as pictures of scanned paper."""
    import pypdfium2

    with closing(pypdfium2.PdfDocument(pdf)) as document:
        wanted = range(len(document)) if pages is None else pages
        return [
            scanned(document[index].render(scale=dpi / _POINTS, grayscale=True).to_pil(), degrees=degrees)
            for index in wanted
        ]


def write_images(images: Sequence[Image.Image], path: Path, dpi: int) -> None:
    """Write pictures into a file: PDF and TIFF take several, PNG and JPEG one."""
    first, *others = images
    options: dict[str, object] = {"resolution": dpi} if path.suffix == ".pdf" else {"dpi": (dpi, dpi)}
    if path.suffix in (".pdf", ".jpg"):
        options["quality"] = _QUALITY
    if path.suffix == ".tif":
        options["compression"] = "tiff_lzw"
    if others and path.suffix not in (".pdf", ".tif"):
        raise ValueError(f"{path.suffix} takes one page, not {len(images)}")
    first.save(path, **options, **({"save_all": True, "append_images": others} if others else {}))


def write_mixed(pdf: Path, path: Path, *, dpi: int, degrees: float) -> None:
    """Write a PDF with every second page scanned, from the second on."""
    import pypdfium2

    with closing(pypdfium2.PdfDocument(pdf)) as digital, closing(pypdfium2.PdfDocument.new()) as mixed:
        for index in range(len(digital)):
            if index % 2 == 0:
                mixed.import_pages(digital, [index])
                continue
            scans = path.with_suffix(".scan.pdf")
            write_images(scan(pdf, dpi=dpi, degrees=degrees, pages=[index]), scans, dpi)
            with closing(pypdfium2.PdfDocument(scans)) as page:
                mixed.import_pages(page)
            scans.unlink()
        mixed.save(path)
