"""Settings: sources, precedence, clear errors, and the table in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import UsageError
from rag.settings import load_settings
from scripts.settings_table import FILE, table


def test_the_table_in_the_docs_is_current() -> None:
    assert FILE.read_text("utf-8") == table(), "run python scripts/settings_table.py"


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "citycite.toml").write_text('store = "from-file"\nmax_citations = 2\n')
    assert (load_settings().store, load_settings().max_citations) == ("from-file", 2)
    monkeypatch.setenv("CITYCITE_STORE", "from-environment")
    assert load_settings().store == "from-environment"
    assert load_settings(store="from-argument").store == "from-argument"
    assert load_settings(store=None).store == "from-environment"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CITYCITE_THRESHOLD", "2", "threshold.*'2'"),
        ("CITYCITE_PRECISION", "int8", "precision.*'int8'"),
        ("CITYCITE_MAX_CITATIONS", "viele", "max_citations.*'viele'"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=message):
        load_settings()


def test_an_unknown_key_and_a_broken_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "citycite.toml").write_text("stroe = 'x'\n")
    with pytest.raises(UsageError, match="stroe"):
        load_settings()
    (tmp_path / "citycite.toml").write_text("store = \n")
    with pytest.raises(UsageError, match=r"citycite\.toml cannot be read"):
        load_settings()
