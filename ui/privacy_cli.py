"""`citycite privacy`: show and erase what readers have left; `citycite audit`: who did what in the admin area."""

from __future__ import annotations

import json
import sys

import click

from rag.errors import UsageError

_SHORTEST = 3


def _store_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option("--store", metavar="PATH_OR_URL", help="The store whose data folder is meant.")(command)


@click.group()
def privacy() -> None:
    """Show and erase what is kept of readers: ratings, logged questions, gold questions."""


@privacy.command()
@click.option("--about", metavar="TEXT", default="", help="Only what holds TEXT, such as a name; case does not matter.")
@_store_option
def export(about: str, store: str | None) -> None:
    """Print what is kept, as JSON."""
    from rag.settings import load_settings
    from ui.privacy import Kept

    found = Kept(load_settings(store=store)).export(about)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@privacy.command()
@click.option("--about", metavar="TEXT", default="", help="What holds TEXT, such as a name; case does not matter.")
@click.option("--everything", is_flag=True, help="All of it.")
@_store_option
def erase(about: str, everything: bool, store: str | None) -> None:
    """Erase what is kept, and say how much that was."""
    from rag.settings import load_settings
    from ui.privacy import Kept

    if everything == bool(about):
        raise UsageError("Say what to erase: --about TEXT, or --everything.")
    if about and len(about.strip()) < _SHORTEST:
        raise UsageError(f"--about {about!r} would meet too much; give at least {_SHORTEST} characters.")
    counts = Kept(load_settings(store=store)).erase(about)
    click.echo("erased " + ", ".join(f"{name} {count}" for name, count in counts.items()))


@click.command()
@click.option("--verify", is_flag=True, help="Check that no line was changed, taken out or put in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@_store_option
def audit(verify: bool, as_json: bool, store: str | None) -> None:
    """Print who read or changed what in the admin area."""
    from rag.settings import load_settings
    from ui.admin.audit import AuditLog
    from ui.places import required_data_folder

    settings = load_settings(store=store)
    log = AuditLog(required_data_folder(settings), settings.audit_days)
    if verify:
        problems = log.broken()
        for problem in problems:
            click.echo(problem, err=True)
        lines = list(log.lines())
        click.echo(f"{len(lines)} lines, last seal {lines[-1].get('seal') if lines else '-'}")
        sys.exit(1 if problems else 0)
    for line in log.lines():
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            about = json.dumps(line.get("about", {}), ensure_ascii=False)
            facts = (line.get(name, "-") for name in ("at", "who", "address", "status", "what"))
            click.echo("\t".join([*map(str, facts), about]))
