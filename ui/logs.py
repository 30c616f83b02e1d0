"""The log: plain lines, or one JSON object a line with the id of the request it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import click
from pydantic import SecretStr

from rag.settings import Settings

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
_HIDDEN: Final = "**********"


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; `facts` of a record become fields of their own."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(settings: Settings) -> None:
    """Write the log as the setting `log_format` says; plain logs stay as Python makes them, warnings and worse."""
    if settings.log_format == "plain":
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("citycite").setLevel(logging.INFO)


def announce(message: str) -> None:
    """Tell the operator something that is no warning, in the shape that the log has."""
    if any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers):
        logging.getLogger("citycite").info(message)
    else:
        click.echo(message, err=True)


def configuration(settings: Settings) -> dict[str, str]:
    """Return what differs from the defaults, without secrets: neither those of a setting nor those in an address."""
    return {name: _shown(getattr(settings, name)) for name in sorted(settings.model_fields_set)}


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return _HIDDEN if value.get_secret_value() else ""
    text = str(value)
    parts = urlsplit(text) if "://" in text else None
    if parts is None or "@" not in parts.netloc:
        return text
    return urlunsplit(parts._replace(netloc=f"{_HIDDEN}@{parts.netloc.rpartition('@')[2]}"))
