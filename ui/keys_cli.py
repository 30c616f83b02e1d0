"""`citycite keys`: API keys, made, listed and revoked."""

from __future__ import annotations

import json

import click

from rag.errors import UsageError


def _store_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option("--store", metavar="PATH_OR_URL", help="The store whose data folder holds the keys.")(command)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option("--groups", metavar="A,B", default="", help="Groups whose documents the key shows, besides everybody's.")
@click.option("--all-documents", is_flag=True, help="The key shows all documents.")
@click.option("--rights", metavar="A,B", default="ask", show_default=True, help="Of ask, tokens, documents, metrics.")
@click.option("--days", type=click.IntRange(1, 3650), metavar="N", help="Days that it counts [default: until revoked].")
@_store_option
def add(name: str, groups: str, all_documents: bool, rights: str, days: int | None, store: str | None) -> None:
    """Make a key for NAME and print it: once, because only its hash is kept."""
    from typing import cast

    from rag.access import group_names
    from rag.settings import load_settings
    from ui.sign_in.keys import Keys
    from ui.sign_in.visitor import RIGHTS, Right

    if all_documents and groups:
        raise UsageError("--all-documents shows those of all groups; leave --groups out.")
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError(f"The name {name[:50]!r} is none; say in a few words who or what the key is for.")
    wanted = {item.strip() for item in rights.split(",")}
    if unknown := wanted - set(RIGHTS):
        raise UsageError(f"There is no right {sorted(unknown)[0]!r}; choose from {', '.join(RIGHTS)}.")
    try:
        chosen = frozenset(group_names(groups.split(","))) if groups.strip() else frozenset[str]()
    except ValueError as error:
        raise UsageError(f"--groups {error}.") from None
    made = Keys.writable(load_settings(store=store)).add(
        name.strip(), None if all_documents else chosen, cast("frozenset[Right]", frozenset(wanted)), days
    )
    click.echo(made)
    click.echo("Keep it now: it cannot be shown again.", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_store_option
def list_keys(as_json: bool, store: str | None) -> None:
    """List the keys, without what they are."""
    from rag.settings import load_settings
    from ui.sign_in.keys import Keys

    found = Keys.writable(load_settings(store=store)).list()
    if as_json:
        listed = [
            {
                "id": key.id, "name": key.name, "groups": None if key.groups is None else sorted(key.groups),
                "rights": sorted(key.rights), "made": key.made, "until": key.until, "revoked": key.revoked,
            }
            for key in found
        ]  # fmt: skip
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    for key in found:
        groups = "all documents" if key.groups is None else ", ".join(sorted(key.groups)) or "-"
        state = f"revoked {key.revoked}" if key.revoked else "valid" if key.is_valid else f"over since {key.until}"
        click.echo("\t".join((key.id, state, key.made, ", ".join(sorted(key.rights)), groups, key.name)))
    click.echo(f"{len(found)} keys", err=True)


@keys.command()
@click.argument("key_id", metavar="ID")
@_store_option
def revoke(key_id: str, store: str | None) -> None:
    """Revoke the key with this ID, and the tokens and sessions that came of it, at once."""
    from rag.settings import load_settings
    from ui.sign_in.keys import Keys

    found = Keys.writable(load_settings(store=store)).revoke(key_id)
    click.echo(f"revoked {found.id} ({found.name})")
