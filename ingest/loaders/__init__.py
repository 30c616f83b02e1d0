"""From a file to its text. A further format is one module and one entry in `LOADERS`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest.loaders.base import Attachment, Extract, Loader
from ingest.loaders.converted import convert_to
from ingest.loaders.html import load_html
from ingest.loaders.image import load_image
from ingest.loaders.mail import load_eml
from ingest.loaders.odt import load_odt
from ingest.loaders.outlook import load_msg
from ingest.loaders.pdf import load_pdf
from ingest.loaders.rtf import load_rtf
from ingest.loaders.sheets import load_csv, load_xlsx
from ingest.loaders.slides import load_pptx
from ingest.loaders.text import load_markdown, load_text
from ingest.loaders.word import load_docx
from ingest.metadata import guess_title
from rag.errors import LoadError

__all__ = ["LOADERS", "Attachment", "Extract", "Loader", "load"]

# File name extension, in lower case, to the function that reads such a file.
LOADERS: dict[str, Loader] = {
    ".txt": load_text,
    ".md": load_markdown,
    ".html": load_html,
    ".htm": load_html,
    ".pdf": load_pdf,
    ".docx": load_docx,
    ".odt": load_odt,
    ".rtf": load_rtf,
    ".pptx": load_pptx,
    ".xlsx": load_xlsx,
    ".csv": load_csv,
    ".doc": convert_to("docx"),
    ".xls": convert_to("xlsx"),
    ".ppt": convert_to("pptx"),
    ".ods": convert_to("xlsx"),
    ".odp": convert_to("pptx"),
    ".eml": load_eml,
    ".msg": load_msg,
    ".png": load_image,
    ".jpg": load_image,
    ".jpeg": load_image,
    ".tif": load_image,
    ".tiff": load_image,
    ".webp": load_image,
    ".bmp": load_image,
}


def load(path: Path) -> Extract:
    """Return the text of a file with its title, date, pages and sections; the title is guessed where none is given.

    Raises `LoadError` where the format is not supported, and where the file is broken, encrypted, unreadable or has no
    text. The message does not name the file: the caller does.
    """
    if path.is_dir():
        raise LoadError("is a folder, not a file; name the files in it")
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        suffix = f"the extension {path.suffix}" if path.suffix else "no extension"
        raise LoadError(
            f"has {suffix}, which is not supported; supported are {', '.join(sorted(LOADERS))}", "no supported format"
        )
    extract = loader(path)
    if not any(character.isalnum() for character in extract.text):
        raise LoadError("has no text: not one letter or digit; check where it was copied from", "empty")
    rule = (extract.published_from or "dateline") if extract.published else None
    return replace(extract, title=extract.title or guess_title(extract.text, path.stem), published_from=rule)
