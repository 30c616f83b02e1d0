"""The shape of the code: who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {"rag": {"rag"}, "ingest": {"rag", "ingest"}, "ui": {"rag", "ingest", "ui"}}


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{file}: relative import; write the full name")
    return names


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_lies_below_them(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        ours = _imported(file) & set(ALLOWED)
        assert ours <= ALLOWED[package], f"{file} imports {sorted(ours - ALLOWED[package])}"


def test_functions_and_files_stay_short() -> None:
    for file in [f for package in (*ALLOWED, "tests", "scripts", "corpus") for f in (ROOT / package).rglob("*.py")]:
        source = file.read_text("utf-8")
        assert source.count("\n") < 500, file
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                assert node.end_lineno - node.lineno < 60, f"{file}: {node.name}"
