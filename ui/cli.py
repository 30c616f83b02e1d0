"""The command line. Answers go to stdout, all else to stderr; an error is one line and an exit code.

Heavy packages are imported inside the commands, so that `--help` is instant.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.errors import CityciteError, UsageError
from ui import upkeep
from ui.ingesting import one_line, read_sources, stop_in_good_order, watch_folders
from ui.keys_cli import keys
from ui.privacy_cli import audit, privacy

if TYPE_CHECKING:
    from rag.pipeline import Assistant
    from rag.schema import Answer, Citation, Filters, Passage
    from rag.settings import Settings
    from rag.store import Store

_Command = TypeVar("_Command", bound=Callable[..., object])
_EXIT_FAILED, _EXIT_USAGE = 1, 2


def _store_option(command: _Command) -> _Command:
    return click.option(
        "--store", metavar="PATH_OR_URL", help="Folder of the store or URL of a Chroma server [default: ./store]."
    )(command)


def _filter_options(command: _Command) -> _Command:
    for option in (
        click.option("--language", type=click.Choice(["de", "en", "pl"]), help="Documents in this language."),
        click.option("--department", metavar="NAME", help="Documents of this department."),
        click.option("--type", metavar="NAME", help="Documents of this type, such as press release."),
        click.option("--source", metavar="TEXT", help="Documents whose file or address holds TEXT."),
        click.option("--until", metavar="DATE", help="Documents published up to DATE (2024, 2024-03, 2024-03-12)."),
        click.option("--since", metavar="DATE", help="Documents published from DATE on."),
    ):
        command = option(command)
    return command


def _json_option(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="citycite", prog_name="citycite")
def cli() -> None:
    """Answers questions about a city's documents, with the passage each answer rests on."""


@cli.command()
@click.argument("sources", metavar="PATH_OR_URL...", nargs=-1, required=True)
@click.option("--prune", is_flag=True, help="Take out documents whose file or web page is gone.")
@click.option("--force", is_flag=True, help="With --prune: also where more than half of a folder's files are gone.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@click.option("--watch", is_flag=True, help="Then follow the folders, until stopped: read what changes, prune.")
@click.option("--depth", default=0, metavar="N", type=click.IntRange(0), help="Follow web links N steps [default: 0].")
@click.option("--limit", default=500, metavar="N", type=click.IntRange(1), help="Web pages at most [default: 500].")
@click.option("--ray", metavar="ADDRESS", help="Encode on a Ray cluster: HOST:PORT, or auto for this machine's.")
@_json_option
@_store_option
def ingest(
    sources: tuple[str, ...],
    prune: bool,
    force: bool,
    dry_run: bool,
    watch: bool,
    depth: int,
    limit: int,
    ray: str | None,
    as_json: bool,
    store: str | None,
) -> None:
    """Read files, folders, web pages and sitemaps into the store; what is unchanged costs next to nothing."""
    stop_in_good_order()
    if watch:
        if force:
            raise UsageError("--watch takes out no more than half of a folder's files at once; run --prune --force.")
        if dry_run:
            raise UsageError("--watch writes and --dry-run does not; give one of them.")
        if ray:
            raise UsageError("--watch reads few files at a time, which need no cluster; run it without --ray.")
        watch_folders(sources, _settings(store), as_json=as_json)
        return
    if force and not prune:
        raise UsageError("--force says that --prune may take out much; give both.")
    if ray and dry_run:
        raise UsageError("--ray encodes what is stored and --dry-run stores nothing; give one of them.")
    options = {"prune": prune, "force": force, "depth": depth, "limit": limit, "dry_run": dry_run}
    report = read_sources(sources, _settings(store), ray=ray, **options)
    if as_json:
        _print_json(report.as_dict(unchanged=dry_run))
    else:
        if dry_run:
            for change in report.changes:
                click.echo(change.line())
        click.echo(report.line())
    sys.exit(_EXIT_FAILED if report.failed else 0)


@cli.command()
@click.argument("question")
@_filter_options
@_json_option
@_store_option
def ask(question: str, as_json: bool, store: str | None, **filters: str | None) -> None:
    """Answer QUESTION with citations, or say that the documents hold no answer."""
    answer = _assistant(store).ask(question, filters=_chosen(filters))
    if as_json:
        _print_json(answer.as_dict())
    else:
        click.echo(_readable(answer))
    if answer.note:
        from ui.texts import text

        click.echo(text(answer.note, "en"), err=True)


@cli.command()
@click.argument("query")
@click.option("--top-k", default=10, show_default=True, metavar="N", help="How many passages, 1 to 100.")
@_filter_options
@_json_option
@_store_option
def search(query: str, top_k: int, as_json: bool, store: str | None, **filters: str | None) -> None:
    """List the passages that fit QUERY best."""
    passages = _assistant(store).search(query, top_k, _chosen(filters))
    if as_json:
        _print_json([_passage_dict(passage) for passage in passages])
        return
    for number, passage in enumerate(passages, start=1):
        click.echo(f"{number}. {_place(passage)} [{passage.start}:{passage.end}] {passage.score:.3f}\n{passage.text}\n")
    if not passages:
        click.echo("Nothing found: the store is empty, or no document passes the filters.", err=True)


@cli.command()
@_json_option
@_store_option
def documents(as_json: bool, store: str | None) -> None:
    """List the documents in the store."""
    found = _opened_store(store).summaries()
    if as_json:
        _print_json([asdict(summary) for summary in found])
        return
    for item in found:
        facts = (item.document_id, item.published or "-", item.language or "-", item.title, *item.sources)
        click.echo("\t".join(map(one_line, facts)))
    click.echo(f"{len(found)} documents", err=True)


@cli.command()
@click.argument("document_id", metavar="ID")
@click.option("--text", "text_only", is_flag=True, help="Print the stored text alone, byte for byte.")
@_json_option
@_store_option
def show(document_id: str, text_only: bool, as_json: bool, store: str | None) -> None:
    """Show one document."""
    document = _opened_store(store).document(document_id)
    if as_json:
        shown = {name: value for name, value in asdict(document).items() if name != "id"}
        _print_json({"document_id": document.id} | shown | {"fields": dict(document.fields)})
    elif text_only:
        sys.stdout.buffer.write(document.text.encode("utf-8"))
    else:
        for name in ("id", "title", "source", "language", "published", "published_from", "type", "department"):
            click.echo(one_line(f"{name}: {getattr(document, name) or '-'}"))
            if name == "source":
                for further in document.sources[1:]:
                    click.echo(one_line(f"also in: {further}"))
        for name, value in document.fields:
            click.echo(f"{name}: {value}")
        click.echo(f"pages: {len(document.pages) or '-'}\nsections: {len(document.sections) or '-'}\n\n{document.text}")


@cli.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--report", metavar="FILE.html", type=click.Path(path_type=Path), help="Write a page with all sources.")
@_json_option
@_store_option
def coverage(paths: tuple[str, ...], report: Path | None, as_json: bool, store: str | None) -> None:
    """Say what is searchable, what is not and why, and what was left out as boilerplate."""
    from ui.coverage import run

    run(paths, _opened_store(store), report, as_json=as_json)


@cli.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_json_option
@_store_option
def remove(ids: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """Take documents, with their attachments, out of the store; the files stay."""
    from ingest.pipeline import remove as run
    from ingest.pipeline import with_attachments
    from rag.store import Store

    settings = _settings(store)
    opened = Store(settings.store)
    if not opened.exists():
        raise CityciteError(f"There is no store in {settings.store}, so there is nothing to remove.")
    together = with_attachments(ids, opened)
    missing = run(together, opened, settings)
    removed = [key for key in together if key not in missing]
    if as_json:
        _print_json({"removed": removed, "missing": missing})
    else:
        click.echo(f"removed {len(removed)}")
    if missing:
        raise CityciteError(f"Not in the store: {', '.join(missing)}. citycite documents lists what there is.")


@cli.command("eval")
@click.argument("source", metavar="FILE_OR_FOLDER", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["gold", "squad", "beir"]), default="gold", show_default=True)
@click.option("--questions", metavar="FILE", type=click.Path(path_type=Path), help="SQuAD file to take wordings from.")
@click.option(
    "--abstention",
    type=click.Choice(["hard", "easy"]),
    help="Ask each question again without its document (hard) or its whole article (easy); SQuAD only.",
)
@click.option(
    "--mode",
    type=click.Choice(["extractive", "generative"]),
    default="extractive",
    show_default=True,
    help="With generative, what the language model set makes of each answer stands beside the quoted one.",
)
@click.option("--whole-articles", is_flag=True, help="Make each SQuAD article one document, not each paragraph.")
@click.option("--baseline", metavar="FILE", type=click.Path(path_type=Path), help="Compare with earlier --json.")
@click.option("--report", metavar="FILE.html", type=click.Path(path_type=Path), help="Write a page with all questions.")
@click.option("--fail-under", multiple=True, metavar="METRIC=X", help="Exit with 1 if a figure misses X; repeatable.")
@_json_option
@_store_option
def evaluate(
    source: Path,
    form: str,
    questions: Path | None,
    abstention: str | None,
    whole_articles: bool,
    baseline: Path | None,
    report: Path | None,
    fail_under: tuple[str, ...],
    as_json: bool,
    mode: str,
    store: str | None,
) -> None:
    """Measure accuracy: gold questions over the store, or a SQuAD file or BEIR folder with its own documents."""
    from ui.evaluate import Options, run

    options = Options(source, form, questions, abstention, whole_articles, baseline, report, fail_under, as_json, mode)
    sys.exit(run(options, _settings(store)))


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535))
@click.option("--ingest", "sources", multiple=True, metavar="PATH", help="Read this first if the store is empty.")
@click.option("--allow-open", is_flag=True, help="Serve other machines although nobody has to sign in.")
@_store_option
def serve(host: str, port: int, sources: tuple[str, ...], allow_open: bool, store: str | None) -> None:
    """Serve the chat page at / and the HTTP API at /api/v1."""
    from rag.pipeline import Assistant
    from rag.store import Store
    from ui import logs
    from ui.server import check_address
    from ui.server import serve as run

    settings = _settings(store)
    check_address(host, port, settings, allow_open=allow_open)
    logs.set_up(settings)
    logs.announce(one_line(f"Settings: {_configuration(logs.configuration(settings))}"))
    opened = Store(settings.store)
    if sources and not (opened.exists() and opened.count()):
        read_sources(sources, settings)
    elif not opened.is_remote:
        Path(settings.store).mkdir(parents=True, exist_ok=True)
    opened.close()
    assistant = Assistant.open(settings=settings)
    logs.announce("Loading the model ...")
    assistant.warm_up()
    try:
        run(assistant, host, port, settings, allow_open=allow_open)
    finally:
        assistant.close()


@cli.command()
@_store_option
def mcp(store: str | None) -> None:
    """Let a program with a language model ask, search and read, over stdin and stdout (Model Context Protocol)."""
    from ui.journal import Journal
    from ui.programs import require_mcp, run_over_stdio

    require_mcp()
    settings = _settings(store)
    run_over_stdio(_assistant(store), Journal.of(settings))


@cli.command("admin-password")
@_store_option
def admin_password(store: str | None) -> None:
    """Set the password of the admin area at /admin: asked for twice, or the first line of stdin."""
    from ui.admin.password import keep

    settings = _settings(store)
    if sys.stdin.isatty():
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    file = keep(password, settings)
    click.echo(f"The password is set; its hash is kept in {file}. Earlier sessions have ended.", err=True)


for _command in (upkeep.backup, upkeep.restore, upkeep.migrate, keys, privacy, audit):
    cli.add_command(_command)


@cli.command()
@_json_option
@_store_option
def doctor(as_json: bool, store: str | None) -> None:
    """Check model, store and optional parts; say how to mend what is missing."""
    from ui.doctor import examine

    checks = examine(_settings(store))
    if as_json:
        _print_json([check.facts() for check in checks])
    else:
        for check in checks:
            click.echo(f"{check.state:8} {check.name}: {check.detail()}")
            if check.mend:
                click.echo(f"{'':8}   -> {check.mend}")
    sys.exit(_EXIT_FAILED if any(check.state == "broken" for check in checks) else 0)


def _configuration(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items()) or "all have their defaults"


def _settings(store: str | None) -> Settings:
    from rag.settings import load_settings

    return load_settings(store=store)


def _assistant(store: str | None) -> Assistant:
    from rag.pipeline import Assistant

    return Assistant.open(settings=_settings(store))


def _chosen(options: dict[str, str | None]) -> Filters:
    from rag.schema import Filters

    return Filters(
        since=options["since"],
        until=options["until"],
        source=options["source"],
        type=options["type"],
        department=options["department"],
        language=options["language"],
    )


def _opened_store(store: str | None) -> Store:
    from rag.store import Store

    opened = Store(_settings(store).store)
    opened.require_folder()
    return opened


def _passage_dict(passage: Passage) -> dict[str, Any]:
    names = ("document_id", "title", "source", "page", "text", "start", "end", "score")
    return {name: getattr(passage, name) for name in names}


def _readable(answer: Answer) -> str:
    lines = [answer.answer]
    for citation in answer.citations:
        place, source = _place(citation), one_line(citation.source)
        lines += ["", f"[{citation.marker}] {place}", f"    “{citation.quote}”", f"    {source}"]
    return "\n".join(lines)


def _place(found: Citation | Passage) -> str:
    page = f"p. {found.page}" if found.page is not None else None
    facts = (found.title, found.section, page, found.published, found.type, found.department)
    return one_line(", ".join(fact for fact in facts if fact))


def _print_json(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    # Bytes of a file name that are no UTF-8; JSON has a way to write what stands for them, UTF-8 has none.
    click.echo(re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text))


def main() -> None:
    """Run the command line; every domain error becomes one line on stderr."""
    # Read by packages that would otherwise look for updates or models outside the house.
    os.environ["HF_HUB_OFFLINE"] = "1"
    # numpy's products here are small: on busy cores, waiting for a second thread takes longer than they do.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Importing makes a million objects, none of them garbage: collecting as often as usual costs a tenth of a start.
    gc.set_threshold(100_000, 50, 50)
    if sys.argv[1:2] == ["ingest"]:
        with suppress(AttributeError):  # not on Windows. Those who ask questions meanwhile go first.
            os.nice(10)
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CityciteError as error:
        click.echo(f"citycite: {error}", err=True)
        sys.exit(_EXIT_USAGE if isinstance(error, UsageError) else _EXIT_FAILED)
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:  # such as a full disk, wherever it was noticed
        place = f"{error.filename}: " if error.filename else ""
        click.echo(one_line(f"citycite: {place}{error.strerror or error}"), err=True)
        sys.exit(_EXIT_FAILED)


if __name__ == "__main__":
    main()
