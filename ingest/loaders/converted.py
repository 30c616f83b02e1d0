"""Old and foreign office formats, which LibreOffice converts where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ingest.loaders.base import Extract, Loader, file_kind, read_bytes
from ingest.loaders.office import open_archive
from ingest.loaders.sheets import load_xlsx
from ingest.loaders.slides import load_pptx
from ingest.loaders.word import load_docx
from rag.errors import LoadError

# A thousand pages take half a minute; a file that takes longer holds up all others.
_SECONDS = 120
_INSTALL = "apt-get install libreoffice-core libreoffice-writer libreoffice-calc libreoffice-impress"
_MADE_BY = {"docx": load_docx, "xlsx": load_xlsx, "pptx": load_pptx}
_OLD = "an old office document"
_BROKEN = "cannot be converted: it is broken or password-protected; open it in an office program and save it anew"
# A workbook that LibreOffice cannot read it shows as text, bytes and all.
_MAGIC_AS_TEXT = "ÐÏ"
_BEGINNING = 200
# With four bytes a character, and the extension, still a name that any file system takes.
_LONGEST_STEM = 60
_SETTING = (
    '<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
)
# No macros, nothing fetched that a document links to; what still tries meets a proxy that is not there.
_SETTINGS = (
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Writer/Content/Update", "Link", "0"),
    ("Office.Calc/Content/Update", "Link", "1"),
    ("Inet/Settings", "ooInetProxyType", "2"),
    ("Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPSProxyPort", "9"),
    ("Inet/Settings", "ooInetNoProxy", ""),
)


def convert_to(suffix: str) -> Loader:
    """Return the loader that converts a file to `suffix` ("docx", "xlsx", "pptx") and reads the result."""

    def load_converted(path: Path) -> Extract:
        _check(path)
        with tempfile.TemporaryDirectory(prefix="citycite-") as folder:
            extract = _MADE_BY[suffix](_convert(path, suffix, Path(folder)))
        if _MAGIC_AS_TEXT in extract.text[:_BEGINNING]:
            raise LoadError(_BROKEN)
        return extract

    return load_converted


def _check(path: Path) -> None:
    """Refuse what LibreOffice would take for something else: it opens any text, and calls it a document."""
    suffix = path.suffix.lower()
    if suffix in (".ods", ".odp"):
        open_archive(path, suffix)
        return
    kind = file_kind(read_bytes(path))
    if kind != _OLD:
        what = f"is {kind} in spite of its name" if kind else f"is not {_OLD}, as its name says"
        raise LoadError(f"{what}; give it the file name extension of its format")


def _convert(path: Path, suffix: str, folder: Path) -> Path:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise LoadError(
            f"needs LibreOffice to be read, which is not installed: {_INSTALL}; or save it as .{suffix}",
            "needs LibreOffice",
        )
    profile = folder / "profile"
    _write_settings(profile)
    source = folder / f"document{path.suffix.lower()}"
    shutil.copyfile(path, source)
    target = folder / "converted"
    command = [
        program, "--headless", "--norestore", "--nolockcheck", "--nodefault", "--nologo",
        f"-env:UserInstallation={profile.as_uri()}", "--convert-to", suffix, "--outdir", str(target), str(source),
    ]  # fmt: skip
    _run(command, {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)})
    result = target / f"document.{suffix}"
    if not result.is_file():
        raise LoadError(_BROKEN)
    # The name tells a title from the file's own name, and stands in for one.
    return result.rename(target / f"{path.stem[:_LONGEST_STEM]}.{suffix}")


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,  # to be killed with its children, yet of the session of who reads files
        )
    except OSError as error:
        raise LoadError(
            f"needs LibreOffice to be read, which does not start: {error.strerror or error}", "needs LibreOffice"
        ) from None
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        raise LoadError(f"took LibreOffice more than {_SECONDS} seconds; save it in a newer format") from None
    finally:
        # The program is a script whose children outlive it.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _write_settings(profile: Path) -> None:
    items = "".join(_SETTING.format(path=path, name=name, value=value) for path, name, value in _SETTINGS)
    file = profile / "user" / "registrymodifications.xcu"
    file.parent.mkdir(parents=True)
    file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        f'xmlns:xs="http://www.w3.org/2001/XMLSchema">{items}</oor:items>',
        "utf-8",
    )
