"""What stands beside a file about it: `NAME.EXT.meta.json`, `NAME.meta.json`, or a row of `metadata.csv`.

All three may say title, published, language, type, department, groups (who may see it) and any further fields, and win
over the file itself. Of the three, the one that names its file more exactly wins, field by field.
"""

from __future__ import annotations

import csv
import io
import json
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.cleaning import normalise
from ingest.loaders.base import decode, read_bytes
from ingest.metadata import whole_date
from rag.access import group_names
from rag.errors import LoadError

TABLE = "metadata.csv"
_SUFFIX = ".meta.json"
_FILE_COLUMN = "file"
_KNOWN = ("title", "published", "language", "type", "department", "groups")
# A table of 100,000 files is a quarter of this, which takes half a gigabyte of memory; one file's own is a few lines.
_LARGEST_TABLE, _LARGEST_JSON = 20_000_000, 1_000_000
# Rows of a table that belong to no file: each is named, but a table of another folder would be nothing else.
_MOST_LOOSE = 20
# All fields are kept with each document and read with every list of documents.
_MOST_FIELDS, _LONGEST_NAME, _LONGEST_VALUE = 100, 100, 5000
# Exported tables have columns that stay empty; all rows together hold no more cells than memory has room for.
_MOST_COLUMNS = 1000
_LANGUAGES = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """.split()
)


@dataclass(frozen=True, slots=True)
class Details:
    """What side files say about a document; None where they say nothing. `fields` are pairs, in order of the names."""

    title: str | None = None
    published: str | None = None
    language: str | None = None
    type: str | None = None
    department: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] | None = None

    def of_attachments(self) -> Details:
        """Return what also holds for the attachments: who is in charge, who may see it, and the further fields."""
        return Details(department=self.department, fields=self.fields, groups=self.groups)

    def fingerprint(self) -> bytes:
        """Return bytes that differ where details differ; none where nothing is said."""
        if self == Details():
            return b""
        said: list[object] = [self.title, self.published, self.language, self.type, self.department, self.fields]
        if self.groups is not None:  # so that what was stored before there were groups counts as unchanged
            said.append(self.groups)
        return json.dumps(said).encode()


@dataclass(frozen=True, slots=True)
class _Value:
    """A value and where it stands, such as "metadata.csv, line 3"."""

    text: str
    place: str


@dataclass(slots=True)
class _Folder:
    """A folder's entries, and the rows of its table by file name."""

    names: Mapping[str, str]
    # The names that files can be called by in front of ".meta.json".
    described: frozenset[str]
    rows: dict[str, dict[str, _Value]] = field(default_factory=dict)
    # Why a file's row cannot be used, and why the whole table cannot.
    bad_rows: dict[str, str] = field(default_factory=dict)
    bad_table: str | None = None
    # Rows that belong to no file: the first of them, and how many there are.
    loose: list[str] = field(default_factory=list)
    loose_rows: int = 0


def is_side_file(path: Path) -> bool:
    """Tell whether a file is about others, and no document itself."""
    return path.name == TABLE or path.name.endswith(_SUFFIX)


class SideFiles:
    """Reads side files, each table once."""

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder] = {}

    def details_of(self, file: Path) -> Details:
        """Return what is said about `file`.

        Raises:
            LoadError: a side file about it is broken; the message names side file and line.
        """
        folder, name = self._folder(file.parent), _composed(file.name)
        if folder.bad_table is not None:
            raise LoadError(f"its side file {TABLE}{folder.bad_table}")
        if name in folder.bad_rows:
            raise LoadError(f"its side file {TABLE}, {folder.bad_rows[name]}")
        values = dict(folder.rows.get(name, {}))
        for beside in (_composed(file.stem) + _SUFFIX, name + _SUFFIX):
            if beside in folder.names and beside != name:
                values.update(_read_json(file.parent / folder.names[beside]))
        return _details(values)

    def problems(self, side_files: Iterable[Path]) -> list[tuple[Path, str]]:
        """Return what in `side_files` belongs to no file, as pairs of side file and reason."""
        found: list[tuple[Path, str]] = []
        for path in side_files:
            folder, name = self._folder(path.parent), _composed(path.name)
            if name == TABLE:
                found += [(path, reason) for reason in folder.loose]
                if folder.loose_rows > len(folder.loose):
                    more = folder.loose_rows - len(folder.loose)
                    found.append((path, f"has {more} further lines that are about no file beside it; delete them"))
                continue
            bare = name[: -len(_SUFFIX)]
            if bare not in folder.described:
                found.append(
                    (path, f"is about no file: there is no {bare} beside it; restore the file or delete this one")
                )
        return found

    def _folder(self, path: Path) -> _Folder:
        if path not in self._folders:
            try:
                names = {_composed(entry.name): entry.name for entry in path.iterdir()}
            except OSError:
                names = {}  # then the files in it cannot be listed either, and who names one gets it as it is
            documents = [name for name in names if not is_side_file(Path(name))]
            self._folders[path] = folder = _Folder(names, frozenset([*documents, *(Path(n).stem for n in documents)]))
            if TABLE in names:
                try:
                    _read_table(path / names[TABLE], folder)
                except LoadError as error:
                    folder.bad_table = str(error)
        return self._folders[path]


def _composed(name: str) -> str:
    """Return a file name in NFC, as texts have it: some systems spell umlauts in file names as two characters."""
    return unicodedata.normalize("NFC", name)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _read_json(path: Path) -> dict[str, _Value]:
    text = _text(path, _LARGEST_JSON, "its side file " + path.name + " ")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        twice = _twice(name for name, _ in pairs)
        if twice is not None:
            raise LoadError(f"its side file {_at(path, text, twice)}: says {twice[:50]!r} twice; keep one")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise LoadError(f"its side file {path.name}, line {error.lineno}: is no JSON ({error.msg})") from None
    except (ValueError, RecursionError):
        raise LoadError(f"its side file {path.name} is no JSON that can be read; write names and values only") from None
    if not isinstance(found, dict):
        raise LoadError(f'its side file {path.name}, line 1: is no JSON object; write {{"title": "..."}}')
    if len(found) > _MOST_FIELDS:
        raise LoadError(f"its side file {path.name}: has {len(found)} fields; at most {_MOST_FIELDS} are kept")
    for name, value in found.items():
        # Empty, or a name that the comma would make two of, must not be read as if nothing were said.
        items = value if isinstance(value, list) else [value]
        if _field_name(name) == "groups" and value is not None:
            if not any(str(item).strip() for item in items):
                raise LoadError(f"its side file {_at(path, text, name)}: groups names no group; write * for everybody")
            if isinstance(value, list) and any("," in str(item) for item in items):
                raise LoadError(f"its side file {_at(path, text, name)}: groups holds a name with a comma; rename it")
    return {
        _field_name(name): _Value(_plain(value, path, text, name), _at(path, text, name))
        for name, value in found.items()
    }


def _plain(value: object, path: Path, text: str, name: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case list() if all(isinstance(item, str | int | float) for item in value):
            return ", ".join(map(str, value))
    raise LoadError(f"its side file {_at(path, text, name)}: {name[:50]!r} is no text, number or list of them")


def _at(path: Path, text: str, name: str) -> str:
    """Return the place of a field: its name is looked for in the source, because parsed JSON knows no lines."""
    at = max(text.find(json.dumps(name, ensure_ascii=False)), text.find(json.dumps(name)), 0)
    return f"{path.name}, line {text.count(chr(10), 0, at) + 1}"


# --- The table --------------------------------------------------------------------------------------------------------


def _read_table(path: Path, folder: _Folder) -> None:
    """Fill in the rows of a folder's table; raise `LoadError` where it is none."""
    text = _text(path, _LARGEST_TABLE, " ")
    first = text.split("\n", 1)[0]
    # German spreadsheets write semicolons, others commas.
    separator = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [_field_name(name) for name in next(rows)]
        if _FILE_COLUMN not in columns:
            raise LoadError(f", line 1: has no column {_FILE_COLUMN!r}, which names the files that the rows are about")
        if len(columns) > _MOST_COLUMNS:
            raise LoadError(f", line 1: has {len(columns)} columns; at most {_MOST_COLUMNS} are read")
        twice = _twice(filter(None, columns))
        if twice is not None:
            raise LoadError(f", line 1: has two columns {twice[:50]!r}; keep one")
        before = rows.line_num
        for row in rows:
            # A row begins below the last line of the one before.
            line, before = before + 1, rows.line_num
            if any(cell.strip() for cell in row):
                _take_row(columns, row, line, folder)
    except csv.Error as error:
        raise LoadError(f", line {rows.line_num}: is no CSV ({error})") from None


def _take_row(columns: list[str], row: list[str], line: int, folder: _Folder) -> None:
    cells = dict(zip(columns, row, strict=False))
    name = _composed(cells.pop(_FILE_COLUMN, "").strip())
    if not name:
        _note_loose(folder, f"line {line}: names no file")
    elif "/" in name or "\\" in name:
        _note_loose(folder, f"line {line}: {name[:100]!r} is in another folder; put a {TABLE} there")
    elif name not in folder.names:
        _note_loose(folder, f"line {line}: there is no file {name[:100]!r} beside it; mend the name or delete the line")
    elif name in folder.rows:
        folder.bad_rows[name] = f"line {line}: names the file a second time; keep one line"
    elif any(cell.strip() for cell in row[len(columns) :]):
        folder.bad_rows[name] = f"line {line}: has more values than columns; put quotes around values with a separator"
    else:
        folder.rows[name] = {key: _Value(value, f"{TABLE}, line {line}") for key, value in cells.items() if key}


def _note_loose(folder: _Folder, reason: str) -> None:
    folder.loose_rows += 1
    if len(folder.loose) < _MOST_LOOSE:
        folder.loose.append(reason)


# --- Values -----------------------------------------------------------------------------------------------------------


def _text(path: Path, largest: int, prefix: str) -> str:
    """Return the text of a side file; errors begin with `prefix`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device would never end
            raise LoadError("is no file; delete it")
        if status.st_size > largest:
            raise LoadError(f"has {status.st_size / 1e6:.0f} MB; at most {largest / 1e6:.0f} are read")
        return normalise(decode(read_bytes(path)))
    except LoadError as error:
        raise LoadError(prefix + str(error)) from None
    except OSError as error:
        raise LoadError(f"{prefix}cannot be read: {error.strerror or error}") from None


def _twice(names: Iterable[str]) -> str | None:
    """Return the first of `names` that is there a second time."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _field_name(name: str) -> str:
    """Return a field's name: the known ones in lower case, others as they are written."""
    bare = " ".join(normalise(name).split())
    return bare.lower() if bare.lower() in (*_KNOWN, _FILE_COLUMN) else bare


def _details(values: Mapping[str, _Value]) -> Details:
    said = {name: _Value(" ".join(normalise(value.text).split()), value.place) for name, value in values.items()}
    said = {name: value for name, value in said.items() if value.text}
    for name, value in said.items():
        if not name or len(name) > _LONGEST_NAME:
            raise LoadError(f"its side file {value.place}: a name has 1 to {_LONGEST_NAME} characters, not {len(name)}")
        if len(value.text) > _LONGEST_VALUE:
            raise LoadError(f"its side file {value.place}: {name!r} has more than {_LONGEST_VALUE} characters")
    if len(said) > _MOST_FIELDS:
        place = next(iter(said.values())).place
        raise LoadError(f"its side file {place}: has {len(said)} fields; at most {_MOST_FIELDS} are kept")
    known = {name: said[name].text for name in _KNOWN if name in said}
    if "published" in known:
        known["published"] = _date(said["published"])
    if "language" in known:
        known["language"] = _language(said["language"])
    groups = _groups(said["groups"]) if known.pop("groups", None) else None
    return Details(
        **known, groups=groups, fields=tuple(sorted((name, said[name].text) for name in said if name not in _KNOWN))
    )


def _date(value: _Value) -> str:
    date = whole_date(value.text)
    if date is None:
        raise LoadError(
            f"its side file {value.place}: published is {value.text[:50]!r}, no date; write it as 2024-03-31"
        )
    return date


def _groups(value: _Value) -> tuple[str, ...]:
    try:
        return group_names(value.text.split(","))
    except ValueError as error:
        raise LoadError(f"its side file {value.place}: groups {error}") from None


def _language(value: _Value) -> str:
    # "de-AT" and "de_DE" are German.
    code = value.text.lower().replace("_", "-").partition("-")[0]
    if code not in _LANGUAGES:
        raise LoadError(
            f"its side file {value.place}: language is {value.text[:50]!r}; write a code such as de, en, pl"
        )
    return code
