"""The files for containers and systemd, as far as they can be checked without either."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tests.bench.replicas.programs import nginx_command, nginx_folder
from ui.cli import cli

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
NGINX = re.sub(r"(?m)^\s*#.*$", "", (ROOT / "deploy" / "nginx.conf").read_text("utf-8"))


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


def _location(path):
    """Return what nginx does with a path: exact locations come first, then `^~`, then patterns, then the rest."""
    blocks = re.findall(r"location (?:(=|~|\^~) )?(\S+) \{(.*?)\}", NGINX, re.DOTALL)
    chosen = [block for kind, pattern, block in blocks if kind == "=" and path == pattern]
    chosen += [block for kind, pattern, block in blocks if kind == "^~" and path.startswith(pattern)]
    chosen += [block for kind, pattern, block in blocks if kind == "~" and re.search(pattern, path)]
    return (chosen + [block for kind, pattern, block in blocks if not kind and path.startswith(pattern)])[0]


@pytest.mark.parametrize(
    "path", ["/api/v1/ask", "/api/v1/ask/stream", "/v1/chat/completions", "/mcp", "/gradio_api/queue/join"]
)
def test_nginx_repeats_what_asks(path):
    assert "proxy_next_upstream error timeout non_idempotent;" in _location(path)
    # A question that brings down a process does not bring down all of them.
    assert "proxy_next_upstream_tries 2;" in _location(path)


@pytest.mark.parametrize(
    "path",
    [
        "/feedback", "/api/v1/feedback", "/sign-in", "/api/v1/tokens", "/api/v1/access/a", "/admin",
        "/admin/documents/upload", "/admin/questions", "/admin/api/v1/ask", "/api/v1/asked", "/whatever/comes/later",
    ],
)  # fmt: skip
def test_nginx_repeats_nothing_that_writes(path):
    assert "non_idempotent" not in _location(path)


def test_nginx_sends_what_writes_to_the_store_to_one_replica():
    (office,) = re.findall(r"upstream citycite_office \{(.*?)\}", NGINX, re.DOTALL)
    assert office.count("server ") == 1
    for path in ("/admin", "/admin/documents/upload", "/api/v1/access/a/b"):
        assert "proxy_pass http://citycite_office;" in _location(path)
    for path in ("/", "/administration", "/api/v1/accessible"):
        assert "citycite_office" not in _location(path)


def test_nginx_hands_on_streams_as_they_come_and_keeps_pages_at_their_replica():
    for path in ("/api/v1/ask/stream", "/v1/chat/completions", "/gradio_api/queue/data", "/gradio_api/heartbeat/x"):
        assert "proxy_buffering off;" in _location(path)
    for path in ("/", "/gradio_api/queue/join", "/assets/index.js", "/config"):
        assert "proxy_pass http://citycite_pages;" in _location(path)
    assert "return 404;" in _location("/metrics")


def test_nginx_believes_no_header_of_a_client_and_logs_no_question():
    server, locations = NGINX.split("location", 1)
    set_here = dict(re.findall(r"proxy_set_header (\S+)\s+(\S+);", server))
    assert set_here["X-Forwarded-For"] == "$remote_addr"
    assert {"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User", "X-Forwarded-Groups"} <= set_here.keys()
    # A location that sets one of its own would lose all others.
    assert "proxy_set_header" not in locations
    assert "$http_x_" not in NGINX
    (written,) = re.findall(r"log_format (.*?);\n", NGINX, re.DOTALL)
    assert not re.search(r"\$(request|request_uri|args|query_string|http_\w+|arg_\w+|remote_addr)\b", written)
    assert re.findall(r"error_log \S+ (\w+);", NGINX) == ["crit"]


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="needs nginx")
def test_nginx_understands_its_file(tmp_path):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    file = nginx_folder(tmp_path / "nginx", ["127.0.0.1:7861", "127.0.0.1:7862"], 7863)
    done = subprocess.run([*nginx_command(program, file), "-t"], capture_output=True, text=True, check=False)
    assert (done.returncode, re.findall(r"\[\w+\]", done.stderr)) == (0, []), done.stderr
