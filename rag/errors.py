"""Domain errors. Each message names the problem, the value and the next step; the edges translate them.

The command line prints the message on one line and exits with 1 (or 2 for `UsageError`), the HTTP API answers with
`status` and a problem body.
"""


class CityciteError(Exception):
    """Base of all errors that a user can act on."""

    status = 500


class UsageError(CityciteError):
    """The request itself is wrong: an empty question, a bad number, an unknown option."""

    status = 422


class NotFoundError(CityciteError):
    """A document, file or folder that was named does not exist."""

    status = 404


def missing_document(document_id: str) -> NotFoundError:
    """Return the error of a document that is not there, or must look as if it were not."""
    return NotFoundError(f"No document {document_id!r} in the store. citycite documents lists what there is.")


class LoadError(CityciteError):
    """One source cannot be turned into text. `kind` says in a word why, for the coverage report."""

    status = 422

    def __init__(self, message: str = "", kind: str = "broken") -> None:
        super().__init__(message)
        self.kind = kind


class StoreError(CityciteError):
    """The store cannot be opened, read or written."""

    status = 503


class StoreBusyError(StoreError):
    """Another process is writing to the store."""


class ModelError(CityciteError):
    """The embedding model is missing, damaged or does not fit the store."""

    status = 503


class LanguageModelError(CityciteError):
    """The language model cannot be reached, fails or takes too long; answers are then quoted, not formulated."""

    status = 503
