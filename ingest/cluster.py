"""Passages encoded on the machines of a Ray cluster (extra `citycite[ray]`); files are read and stored here.

Encoding is four fifths of an ingest, and needs nothing but the text: no shared folder, no store. One process writes,
as everywhere in citycite.
"""

from __future__ import annotations

import logging
import os
import platform
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from rag.embeddings import EmbeddingModel, Encoded
from rag.errors import CityciteError, ModelError, UsageError
from rag.settings import Settings

# Ray itself waits for minutes, and then ends the process.
_CONNECT_SECONDS = 5.0
# A process of the cluster imports torch and loads the model; on a slow disk, the first time, that takes a minute.
_START_SECONDS = 180.0


class Encoder:
    """One process of the cluster, on one processor."""

    def __init__(self, model: str, precision: str) -> None:
        settings = Settings.model_validate({"embedding_model": model, "precision": precision, "threads": 1})
        self._model = EmbeddingModel(settings)

    def ready(self) -> tuple[str, str]:
        """Load the model; return this machine's name and the version of citycite on it."""
        self._model.encode_question("")
        return platform.node(), _version()

    def encode(self, texts: Sequence[str], contexts: Sequence[str]) -> list[Encoded]:
        """Encode passages as `EmbeddingModel.encode_passages` does."""
        return self._model.encode_passages(texts, contexts)


@dataclass(eq=False)
class _Call:
    """Passages to encode, the process that does it, and Ray's reference to its answer."""

    texts: list[str]
    contexts: list[str]
    encoder: Any = None
    answer: Any = None


class ClusterEncoding:
    """Encodes passages in as many processes as the cluster has processors. An `ingest.encoding.Encoding`."""

    ahead = 0

    def __init__(self, address: str, settings: Settings) -> None:
        """Connect to the cluster at `address`: HOST:PORT, ray://HOST:PORT, `auto` or `local`.

        `auto` is the one that runs on this machine, `local` a new one, of this machine alone.

        Raises:
            UsageError: Ray is not installed, or no cluster answers there.
        """
        self._ray = _ray()
        self._address = address
        self._model = (settings.embedding_model, settings.precision)
        self._encoders: list[Any] = []
        self._calls: list[_Call] = []
        self.processes = 0
        _connect(self._ray, address)

    def submit(self, texts: Sequence[str], contexts: Sequence[str]) -> Callable[[], list[Encoded]]:
        """Encode passages where there is the least to do. The first call starts the processes.

        Raises:
            UsageError: no process could be started.
        """
        if not self._encoders:
            self._start()
        call = _Call(list(texts), list(contexts))
        self._send(call)
        self._calls.append(call)
        return lambda: self._result(call)

    def _send(self, call: _Call) -> None:
        under_way = {other.answer: other.encoder for other in self._calls if other is not call}
        if under_way:
            _, left = self._ray.wait(list(under_way), num_returns=len(under_way), timeout=0)
            busy = Counter(under_way[answer] for answer in left)
        else:
            busy = Counter()
        call.encoder = min(self._encoders, key=lambda encoder: busy[encoder])
        call.answer = call.encoder.encode.remote(call.texts, call.contexts)

    def _result(self, call: _Call) -> list[Encoded]:
        errors = self._ray.exceptions
        gone = (errors.RayActorError, errors.NodeDiedError, errors.ObjectLostError)  # the process, machine or answer
        while True:
            try:
                encoded: list[Encoded] = self._ray.get(call.answer)
            except gone as error:
                self._give_up(call.encoder, error)
            except Exception as error:  # an edge: whatever the other machine can raise, and Ray's own
                raise self._said(error) from error
            else:
                self._calls.remove(call)
                return encoded

    def _give_up(self, encoder: Any, error: Exception) -> None:  # noqa: ANN401 - Ray has no type for it
        """Send the calls of a process that is gone, or whose machine is, to the others."""
        self._encoders = [other for other in self._encoders if other is not encoder]
        if not self._encoders:
            raise self._said(error) from error
        for call in self._calls:
            if call.encoder is encoder:
                self._send(call)

    def close(self) -> None:
        """End the processes and the connection."""
        self._ray.shutdown()

    def _start(self) -> None:
        processors = int(self._ray.cluster_resources().get("CPU", 0))
        # Ray's own restarts wait for ever where the machine is gone and all others are at work.
        remote = self._ray.remote(num_cpus=1, max_restarts=0)(Encoder)
        made = [remote.remote(*self._model) for _ in range(processors)]
        answers = {encoder.ready.remote(): encoder for encoder in made}
        ready, late = (
            self._ray.wait(list(answers), num_returns=len(answers), timeout=_START_SECONDS) if made else ([], [])
        )
        for answer in late:  # processors that others use
            self._ray.kill(answers[answer])
        if not ready:
            raise UsageError(
                f"The Ray cluster {self._address} has no free processor to encode on: {processors} in all. "
                "Add machines (ray start --address HOST:PORT), or ingest without --ray."
            )
        try:
            nodes = self._ray.get(ready)
        except Exception as error:  # an edge: whatever an actor can raise, and Ray's own
            raise self._said(error) from error
        for node, its_version in nodes:
            if its_version != _version():
                raise UsageError(
                    f"The Ray node {node} has citycite {its_version}, this machine {_version()}. Install the same "
                    "version on both."
                )
        self._encoders = [answers[answer] for answer in ready]
        self.processes = len(self._encoders)
        # So that each has its next call before it has finished one.
        self.ahead = 2 * len(self._encoders)

    def _said(self, error: BaseException) -> CityciteError:
        """Return in one line what an encoder, or Ray, has said."""
        cause = getattr(error, "cause", None)
        if isinstance(cause, CityciteError):
            return type(cause)(f"{cause} (on a node of the Ray cluster {self._address})")
        lines = [line.strip() for line in str(cause or error).splitlines() if line.strip()]
        said = f"{type(error).__name__}: {lines[-1][:200] if lines else ''}"
        return ModelError(
            f"The Ray cluster {self._address} could not encode ({said}). Each node needs citycite {_version()} in the "
            "environment that Ray was started from. What was stored is kept; ingest again."
        )


def _ray() -> ModuleType:
    # Of a cluster that is started here; one that runs already has its own setting.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return import_module("ray")
    except ImportError:
        raise UsageError("--ray needs Ray, which is not installed. Install it: pip install 'citycite[ray]'") from None


def _connect(ray: ModuleType, address: str) -> None:
    _require_listener(address)
    more = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **more)
    except (ConnectionError, ValueError, RuntimeError, SystemExit) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(f"The Ray cluster {address} cannot be used: {said[0][:300]}") from None


def _require_listener(address: str) -> None:
    """Raise UsageError where nobody listens at HOST:PORT or ray://HOST:PORT."""
    if address in ("auto", "local"):
        return
    try:
        url = urlsplit(address if "://" in address else f"ray://{address}")
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if url.scheme != "ray" or not host or not port:
        raise UsageError(
            f"--ray {address} is no address of a Ray cluster; it looks like 10.0.0.5:6379, or is auto or local."
        )
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise UsageError(
            f"No Ray cluster answers at {address}: {error.strerror or error}. Start one: ray start --head --port {port}"
        ) from None


def _version() -> str:
    try:
        return version("citycite")
    except PackageNotFoundError:
        return "unknown"
