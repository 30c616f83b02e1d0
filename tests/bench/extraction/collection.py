"""Which text becomes which file: the list of the test files, and their making."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.extraction import libraries, office, scans, web
from tests.bench.extraction.markup import Expected, Text, expected, texts


@dataclass(frozen=True, slots=True)
class TestFile:
    """A file to be made of a text.

    `group` is the row of the table of results; `recipe` names what makes it, and `of` the file of `sources` that it is
    made from, where there is one. A file that is `scan` has the lower bar.
    """

    __test__ = False

    name: str
    text: str
    group: str
    recipe: str
    options: tuple[object, ...] = ()
    scan: bool = False

    @property
    def suffix(self) -> str:
        """The extension of the file, with its dot."""
        return Path(self.name).suffix


def _printed() -> Iterator[TestFile]:
    one = "PDF, word processor, one column"
    for text, layout in (
        ("council-paper", "report"), ("statute", "booklet"), ("letter-en", "letter"), ("minutes", "booklet"),
        ("interview", "report"), ("agenda", "letter"), ("report-en", "booklet"), ("press-release-pl", "booklet"),
    ):  # fmt: skip
        yield TestFile(f"{text}.{layout}.pdf", text, one, "office", (layout,))
    two = "PDF, word processor, two columns"
    for text, layout in (
        ("magazine", "two"), ("press-release", "two-ragged"), ("council-paper", "two"), ("interview", "two"),
        ("report-en", "two-ragged"), ("minutes", "two"),
    ):  # fmt: skip
        yield TestFile(f"{text}.{layout}.pdf", text, two, "office", (layout,))
    three = "PDF, word processor, three columns"
    for text in ("magazine", "statute", "interview", "press-release-pl"):
        yield TestFile(f"{text}.three.pdf", text, three, "office", ("three",))
    for text in ("fees", "budget"):
        yield TestFile(f"{text}.landscape.pdf", text, "PDF, landscape with tables", "office", ("landscape",))
        yield TestFile(f"{text}.chromium.pdf", text, "PDF, browser", "chromium", (1, "A4"))
    for text in ("slides", "slides-2"):
        yield TestFile(f"{text}.pdf", text, "PDF, slides", "convert", ("pptx",))
    for text, columns, size in (
        ("council-paper", 1, "A4"), ("statute", 2, "A4"), ("press-release", 3, "A4 landscape"),
        ("minutes", 1, "A5"), ("magazine", 2, "A5"), ("interview", 2, "A4"), ("press-release-pl", 3, "A4 landscape"),
        ("report-en", 2, "A4"),
    ):  # fmt: skip
        yield TestFile(f"{text}.chromium.pdf", text, "PDF, browser", "chromium", (columns, size))
    for text in ("magazine", "interview"):
        yield TestFile(f"{text}.library.pdf", text, "PDF, library", "library")


def _office() -> Iterator[TestFile]:
    for text in ("council-paper", "statute", "letter-en", "minutes", "agenda", "report-en"):
        yield TestFile(f"{text}.docx", text, "docx", "convert", ("fodt",))
    for text in ("council-paper", "report-en"):
        yield TestFile(f"{text}.library.docx", text, "docx", "library")
    for suffix, names in (
        ("odt", ("council-paper", "magazine", "interview", "minutes")),
        ("rtf", ("letter-en", "statute", "minutes", "press-release-pl")),
        ("doc", ("council-paper", "report-en")),
    ):
        for text in names:
            yield TestFile(f"{text}.{suffix}", text, suffix, "convert", ("fodt",))
    for text in ("slides", "slides-2"):
        yield TestFile(f"{text}.library.pptx", text, "pptx", "library")
        for suffix in ("pptx", "odp", "ppt"):
            yield TestFile(f"{text}.{suffix}", text, suffix, "convert", ("pptx",))
    for text in ("fees", "budget"):
        yield TestFile(f"{text}.library.xlsx", text, "xlsx", "library")
        yield TestFile(f"{text}.csv", text, "csv", "library")
        for suffix in ("xlsx", "ods", "xls"):
            yield TestFile(f"{text}.{suffix}", text, suffix, "convert", ("xlsx",))


def _other() -> Iterator[TestFile]:
    for text in ("press-release", "council-paper", "fees", "press-release-pl", "interview", "report-en"):
        yield TestFile(f"{text}.html", text, "html", "library", (text in ("press-release", "interview", "fees"),))
    for text, encoding in (
        ("press-release", "utf-8"), ("letter-en", "cp1252"), ("press-release-pl", "cp1250"), ("agenda", "utf-16"),
    ):  # fmt: skip
        yield TestFile(f"{text}.txt", text, "txt", "library", (encoding,))
    for text in ("statute", "council-paper", "interview", "report-en"):
        yield TestFile(f"{text}.md", text, "md", "library")
    for text in ("mail", "mail-en"):
        yield TestFile(f"{text}.eml", text, "eml", "library")
        yield TestFile(f"{text}.html.eml", text, "eml", "library", (True,))
        yield TestFile(f"{text}.msg", text, "msg", "library")


def _scanned() -> Iterator[TestFile]:
    for text, source, suffix, dpi, degrees in (
        ("press-release", "letter", "png", 200, 0.5), ("letter-en", "letter", "tif", 200, 1),
        ("council-paper", "report", "pdf", 200, -0.5), ("magazine", "two", "pdf", 200, 0.5),
        ("agenda", "letter", "jpg", 200, -1), ("press-release-pl", "letter", "png", 200, 0.5),
        ("interview", "report", "pdf", 200, 0.7), ("report-en", "two-ragged", "pdf", 200, 0.5),
        ("minutes", "booklet", "tif", 200, 1),
        ("statute", "booklet", "pdf", 300, 2), ("letter-en", "letter", "jpg", 300, 1.5),
        ("interview", "two", "pdf", 300, -1), ("agenda", "letter", "tif", 300, 2),
    ):  # fmt: skip
        kind = "PDF" if suffix == "pdf" else "picture"
        group = f"scan at {dpi} dpi, {kind}"
        yield TestFile(f"{text}.{source}.{dpi}.{suffix}", text, group, "scan", (source, dpi, degrees), scan=True)
    for text in ("council-paper", "report-en"):
        yield TestFile(f"{text}.mixed.pdf", text, "PDF, every second page scanned", "mixed", ("booklet",), scan=True)
    for text in ("letter-en", "minutes"):
        yield TestFile(f"{text}.broken.pdf", text, "PDF with a broken text layer", "library", scan=True)


FILES: tuple[TestFile, ...] = (*_printed(), *_office(), *_other(), *_scanned())
# Those that need neither LibreOffice nor a browser nor recognition: one of each format, of the development half.
_FAST = (
    "magazine.library.pdf", "council-paper.library.docx", "slides.library.pptx", "fees.library.xlsx", "fees.csv",
    "press-release.html", "press-release.txt", "council-paper.md", "mail.eml", "mail.html.eml", "mail.msg",
)  # fmt: skip
FAST: tuple[TestFile, ...] = tuple(file for file in FILES if file.name in _FAST)


def text_of(file: TestFile) -> Text:
    """Return the text that a file is made of."""
    return texts()[file.text]


def expected_of(file: TestFile, *, bare_rows: bool = False) -> list[Expected]:
    """Return what a reader expects of a file; with `bare_rows`, the rows of tables without the names of columns."""
    text = text_of(file)
    # Where tabs part the cells, nothing tells a header from other rows.
    bare = bare_rows or file.suffix == ".txt"
    wanted = expected(text, named_rows=not bare, only_tables=file.suffix in (".xlsx", ".ods", ".xls", ".csv"))
    if file.suffix == ".csv":
        # It holds the first table alone, without its name.
        wanted = wanted[1 : len(text.tables[0].rows)]
    if file.suffix in (".eml", ".msg"):
        day, month, year = text.head["date"].split()[1:4]
        month = {"May": "Mai", "Jun": "Juni"}[month]
        time = text.head["date"].split()[4][:5]
        wanted = [
            Expected(f"Von: {text.head['from']}"), Expected(f"An: {text.head['to']}"),
            Expected(f"Datum: {int(day)}. {month} {year}, {time} Uhr"), *wanted,
        ]  # fmt: skip
    return wanted


# --- Making -----------------------------------------------------------------------------------------------------------


def make(files: Iterable[TestFile], folder: Path, tell: Callable[[str], None] = lambda line: None) -> None:
    """Make those of the files that are not in `folder` yet; what they are made from is kept in its folder sources."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [file for file in files if not (folder / file.name).exists()]
    for file in wanted:
        if file.recipe == "library":
            _by_library(file, folder / file.name)
    _by_chromium([file for file in wanted if file.recipe == "chromium"], folder, tell)
    layouts = {(file.text, str(file.options[0])) for file in wanted if file.recipe in ("office", "scan", "mixed")}
    printed = _printed_by_office(layouts, folder, tell)
    _converted([file for file in wanted if file.recipe == "convert"], folder, tell)
    for file in wanted:
        target, options = folder / file.name, file.options
        if file.recipe == "office":
            shutil.copyfile(printed[file.text, str(options[0])], target)
        elif file.recipe == "scan":
            source, dpi, degrees = printed[file.text, str(options[0])], int(str(options[1])), float(str(options[2]))
            scans.write_images(scans.scan(source, dpi=dpi, degrees=degrees), target, dpi)
        elif file.recipe == "mixed":
            scans.write_mixed(printed[file.text, str(options[0])], target, dpi=200, degrees=0.5)


def _by_library(file: TestFile, path: Path) -> None:
    text, options = text_of(file), file.options
    match path.suffix:
        case ".pdf":
            (libraries.write_broken_pdf if file.scan else libraries.write_pdf)(text, path)
        case ".docx":
            libraries.write_docx(text, path)
        case ".pptx":
            libraries.write_pptx(text, path)
        case ".xlsx":
            libraries.write_xlsx(text, path)
        case ".csv":
            libraries.write_csv(text, path)
        case ".html":
            path.write_text(web.page_of_site(text, semantic=bool(options[0])), "utf-8")
        case ".txt":
            path.write_text(libraries.plain(text), str(options[0]))
        case ".md":
            path.write_text(libraries.markdown(text), "utf-8")
        case ".eml":
            path.write_bytes(bytes(libraries.mail(text, html=bool(options))))
        case ".msg":
            libraries.write_msg(text, path)


def _by_chromium(files: list[TestFile], folder: Path, tell: Callable[[str], None]) -> None:
    if files:
        tell(f"Chromium prints {len(files)} files")
        web.print_pages({folder / file.name: (text_of(file), *file.options) for file in files})


def _printed_by_office(
    layouts: Iterable[tuple[str, str]], folder: Path, tell: Callable[[str], None]
) -> dict[tuple[str, str], Path]:
    """Return the PDFs that LibreOffice prints of texts in the given layouts."""
    sources = folder / "sources"
    sources.mkdir(exist_ok=True)
    printed = {(text, layout): sources / f"{text}.{layout}.pdf" for text, layout in layouts}
    missing = {pair: path for pair, path in printed.items() if not path.exists()}
    if missing:
        tell(f"LibreOffice prints {len(missing)} files")
        flat = [
            office.write_flat(texts()[text], office.LAYOUTS[layout], path.with_suffix(".fodt"))
            for (text, layout), path in missing.items()
        ]
        office.convert(flat, "pdf", sources)
    return printed


def _converted(files: list[TestFile], folder: Path, tell: Callable[[str], None]) -> None:
    """Let LibreOffice write files in all its formats, those of one format together."""
    sources = folder / "sources"
    by_kind: dict[tuple[str, str], list[TestFile]] = {}
    for file in files:
        by_kind.setdefault((str(file.options[0]), file.suffix[1:]), []).append(file)
    for (origin, target), together in by_kind.items():
        tell(f"LibreOffice writes {len(together)} files as {target}")
        base = sources / f"from-{origin}"
        base.mkdir(parents=True, exist_ok=True)
        office.convert([_origin(file, origin, base) for file in together], target, folder)


def _origin(file: TestFile, origin: str, folder: Path) -> Path:
    path, text = folder / f"{file.text}.{origin}", text_of(file)
    if origin == "fodt":
        return office.write_flat(text, office.LAYOUTS["report"], path)
    (libraries.write_pptx if origin == "pptx" else libraries.write_xlsx)(text, path)
    return path
