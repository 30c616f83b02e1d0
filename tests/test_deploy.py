"""The files for containers and systemd, as far as they can be checked without either."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ui.cli import cli

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def test_the_container_runs_without_rights():
    app = COMPOSE["services"]["app"]
    user = re.findall(r"(?m)^USER (.+)$", DOCKERFILE)
    assert user == [app["user"]] == ["10001:10001"]
    assert app["read_only"] is True
    assert app["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in app["ports"])
    assert "/readyz" in DOCKERFILE.split("HEALTHCHECK")[1]


def test_the_chroma_server_is_reached_by_the_app_alone():
    chroma = COMPOSE["services"]["chroma"]
    assert "ports" not in chroma
    (network,) = chroma["networks"]
    assert COMPOSE["networks"][network]["internal"] is True
    assert [name for name, service in COMPOSE["services"].items() if network in service["networks"]] == [
        "app",
        "chroma",
    ]
    pinned = re.search(r"(?m)^chromadb==(.+)$", (ROOT / "constraints.txt").read_text("utf-8"))
    assert chroma["image"] == f"chromadb/chroma:{pinned.group(1)}"


def test_what_the_files_run_are_commands_with_these_options():
    run = [
        COMPOSE["services"]["app"]["command"],
        *(_words(found) for found in re.findall(r'CMD (\["serve.*\])', DOCKERFILE)),
    ]
    for unit in (ROOT / "deploy").glob("*.service"):
        run += [line.split("bin/citycite ")[1].strip("'").split() for line in unit.read_text("utf-8").splitlines()
                if line.startswith("ExecStart=")]  # fmt: skip
    assert len(run) == 4
    for command, *arguments in run:
        usage = CliRunner().invoke(cli, [command, "--help"]).output
        for option in (word for word in arguments if word.startswith("--")):
            assert f"{option} " in usage, (command, option)


def test_what_listens_for_other_machines_lets_nobody_in_unasked():
    """The image by itself wants keys; compose, which is open, publishes its port on this machine alone."""
    assert re.search(r"CITYCITE_SIGN_IN=keys\b", DOCKERFILE)
    (command,) = re.findall(r'CMD (\["serve.*\])', DOCKERFILE)
    assert "--allow-open" not in command
    app = COMPOSE["services"]["app"]
    assert "--allow-open" in app["command"]
    assert app["environment"]["CITYCITE_SIGN_IN"] == "${CITYCITE_SIGN_IN:-open}"
    (unit,) = re.findall(r"bin/citycite serve (.*)", (ROOT / "deploy" / "citycite.service").read_text("utf-8"))
    assert unit.startswith("--host 127.0.0.1 ")


def _words(listed):
    return re.findall(r'"([^"]+)"', listed)


def test_copied_into_the_image_is_all_that_is_installed_and_no_more():
    copied = set(re.findall(r"(?m)^COPY (?!--)(.+) \S+$", DOCKERFILE))
    names = {name for line in copied for name in line.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert names == allowed
    assert all((ROOT / name).exists() for name in names)
    assert "torch==2.13.0" in DOCKERFILE
    assert "torch==2.13.0" in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_understands_the_units(tmp_path):
    for unit in (ROOT / "deploy").glob("citycite*"):
        text = unit.read_text("utf-8").replace("/opt/citycite/.venv/bin/citycite", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
