"""llama.cpp's own server with a small real model, through the package xllamacpp, which is no dependency of citycite."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CONTEXT = 4096


@contextmanager
def llama_server(gguf: str, threads: int = 1) -> Iterator[str]:
    """Serve the model of a GGUF file on the loopback interface; yield the base URL of its OpenAI-compatible API.

    One thread by default: where cores are shared, its threads wait for each other and several are slower than one.
    """
    import xllamacpp

    parameters: Any = xllamacpp.CommonParams()
    parameters.model.path = gguf
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = _free_port()
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(parameters)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
