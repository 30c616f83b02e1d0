"""What is started: a Chroma server, replicas, nginx with deploy/nginx.conf."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import platformdirs

ROOT = Path(__file__).parents[3]
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
READY_SECONDS = 300.0


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(said: str, is_so: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a condition; end all where its process ends before, or takes too long."""
    end = time.monotonic() + READY_SECONDS
    while not is_so():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"{said} did not get ready: {log.read_text('utf-8', 'replace')[-1000:]}")
        time.sleep(0.05)


def answers(address: str) -> bool:
    """Return whether there is an answer of 200 at an address."""
    try:
        return httpx.get(address, timeout=5, verify=False).status_code == 200
    except httpx.HTTPError:
        return False


class Program:
    """A process that can be killed and started again; what it says goes to a file."""

    def __init__(self, name: str, folder: Path, command: Sequence[str | Path], ready: str, **variables: str) -> None:
        self.name, self.ready = name, ready
        self.log = folder / f"{name.replace(' ', '-')}.log"
        self._command, self._variables = [str(word) for word in command], variables
        self.start()

    def start(self) -> None:
        """Start it, without waiting."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env={**os.environ, **self._variables}, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Wait until it is ready."""
        wait_until(self.name, lambda: answers(self.ready), self.process, self.log)

    def kill(self) -> None:
        """Kill it as the system does that is out of memory."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let it take requests and answer none."""
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Have it end, if it is still running."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for 127.0.0.1, made now, and its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", str(made), "-keyout", str(key),
    ]  # fmt: skip
    if shutil.which(command[0]) is None:
        raise SystemExit("there is no program openssl, which makes a certificate: apt-get install openssl")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"openssl made no certificate: {done.stderr[-500:]}")
    return made, key


def nginx_folder(folder: Path, replicas: Sequence[str], port: int) -> Path:
    """Write what nginx needs to run from `folder` as any user; return the file to start it with.

    deploy/nginx.conf stays as it is but for `replicas` (host and port), the `port` of HTTPS, names and paths.
    """
    folder.mkdir()
    (folder / "logs").mkdir()
    made, key = certificate(folder)
    text = CONFIGURATION.read_text("utf-8")
    changes = {
        "app1.example:7860": replicas[0],
        "app2.example:7860": replicas[1],
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "/etc/ssl/certs/fragen.stadt.example.pem": str(made),
        "/etc/ssl/private/fragen.stadt.example.key": str(key),
        "/var/log/nginx/": f"{folder}/logs/",
        "fragen.stadt.example": "127.0.0.1",
    }
    for old, new in changes.items():
        if old not in text:
            raise SystemExit(f"{CONFIGURATION} says nowhere {old!r}; bring it and {Path(__file__).name} together")
        text = text.replace(old, new)
    (folder / "citycite.conf").write_text(text, "utf-8")
    temporary = "".join(
        f"    {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Two workers, as a package would start at least: what they share about replicas is put to the test as well.
    main = (
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\nworker_processes 2;\npid {folder}/pid;\n"
        f"error_log stderr warn;\nevents {{}}\nhttp {{\n{temporary}    include {folder}/citycite.conf;\n}}\n"
    )
    (folder / "nginx.conf").write_text(main, "utf-8")
    return folder / "nginx.conf"


def nginx_command(program: str, configuration: Path) -> list[str]:
    """Return how nginx is called with a file of `nginx_folder`."""
    return [program, "-p", str(configuration.parent), "-e", "stderr", "-c", str(configuration)]


def replica(number: int, folder: Path, store: str, port: int, more: Mapping[str, str]) -> Program:
    """Start a replica with indexes of its own and `more` settings; the data folder is shared."""
    cache = cache_folder(folder, number)
    return Program(
        f"replica {number}", folder,
        [sys.executable, "-m", "ui", "serve", "--store", store, "--port", str(port)],
        f"http://127.0.0.1:{port}/readyz", XDG_CACHE_HOME=str(cache), **(settings(folder) | dict(more)),
    )  # fmt: skip


def settings(folder: Path) -> dict[str, str]:
    """Return the settings that all replicas share."""
    return {
        "CITYCITE_DATA": str(folder / "data"),
        "CITYCITE_SIGN_IN": "keys",
        "CITYCITE_TRUSTED_PROXIES": "127.0.0.1",
        # All readers come from one address here, and have one key.
        "CITYCITE_RATE_LIMIT": "0",
        "CITYCITE_RATE_LIMIT_ADDRESS": "0",
    }


def cache_folder(folder: Path, number: int) -> Path:
    """Return the cache of a replica: its indexes are its own, the model, which never changes, is this user's."""
    cache, models = folder / f"cache-{number}", Path(platformdirs.user_cache_dir("citycite")) / "models"
    (cache / "citycite").mkdir(parents=True, exist_ok=True)
    models.mkdir(parents=True, exist_ok=True)
    if not (cache / "citycite" / "models").exists():
        (cache / "citycite" / "models").symlink_to(models)
    return cache


def told(folder: Path, store: str, *arguments: str) -> str:
    """Run a command of the program beside the first replica; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "ui", *arguments, "--store", store], cwd=ROOT, text=True, capture_output=True,
        check=False, env={**os.environ, "XDG_CACHE_HOME": str(cache_folder(folder, 1)), **settings(folder)},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"citycite {arguments[0]} failed: {done.stderr[-1000:]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Parts:
    """What is running: `front` is nginx, `addresses` are host and port of the replicas."""

    front: str
    certificate: Path
    log: Path
    key: str
    replicas: list[Program]
    addresses: list[str]


def start_all(folder: Path, chroma: Path, nginx: str, stack: ExitStack, more: Mapping[str, str]) -> Parts:
    """Start everything over the sample corpus, the replicas with `more` settings; `stack` ends it."""

    def started(program: Program) -> Program:
        stack.callback(program.stop)
        return program

    store, port = f"http://127.0.0.1:{free_port()}", free_port()
    command: list[str | Path] = [
        chroma,
        "run",
        "--path",
        folder / "chroma",
        "--host",
        "127.0.0.1",
        "--port",
        store.rpartition(":")[2],
    ]
    started(Program("chroma", folder, command, f"{store}/api/v2/heartbeat")).wait()
    told(folder, store, "ingest", str(ROOT / "corpus"))
    key = told(folder, store, "keys", "add", "Readers", "--all-documents").split()[-1]
    ports = [free_port(), free_port()]
    replicas = [started(replica(number, folder, store, own, more)) for number, own in enumerate(ports, start=1)]
    for one in replicas:
        one.wait()
    addresses = [f"127.0.0.1:{own}" for own in ports]
    front = f"https://127.0.0.1:{port}"
    configuration = nginx_folder(folder / "nginx", addresses, port)
    started(Program("nginx", folder, nginx_command(nginx, configuration), f"{front}/healthz")).wait()
    place = configuration.parent
    return Parts(front, place / "certificate.pem", place / "logs" / "citycite.log", key, replicas, addresses)
