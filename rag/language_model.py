"""The language model of the operator's choice, through LangChain: one bounded request, no retries, no third party."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from rag.breaker import CircuitBreaker
from rag.errors import LanguageModelError, UsageError
from rag.prompting import CHARACTERS_PER_TOKEN, Prompt
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PACKAGES = {"openai": "langchain_openai", "ollama": "langchain_ollama"}
# A token has rarely more characters; what is longer does not end by itself.
_LONGEST_TOKEN = 3 * CHARACTERS_PER_TOKEN
# Requests at once; a further reader waits for one of them, within the time limit.
_AT_ONCE = 4
_MESSAGE_LENGTH = 200
# How soon it is noticed that nobody waits for the answer any more.
_LOOK_SECONDS = 0.2


class LanguageModel:
    """A chat model, loaded on first use. Safe between threads."""

    def __init__(self, settings: Settings, breaker: CircuitBreaker | None = None) -> None:
        self.provider, self.name = parse(settings.llm)
        self._settings = settings
        self._breaker = breaker or CircuitBreaker()
        self._model: BaseChatModel | None = None
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="language-model")
        if self.provider == "openai" and not settings.llm_base_url:
            raise UsageError(
                "CITYCITE_LLM is set, but CITYCITE_LLM_BASE_URL is not; give the address of your server, such as "
                "http://127.0.0.1:8080/v1. Nothing is sent to a third party unasked."
            )

    def complete(self, prompt: Prompt, limit: float | None = None, stopped: threading.Event | None = None) -> str:
        """Return what the model writes, cut off where it does not end; `limit` seconds at most. Raises as `stream`."""
        return "".join(self.stream(prompt, limit, stopped))

    def stream(
        self, prompt: Prompt, limit: float | None = None, stopped: threading.Event | None = None
    ) -> Iterator[str]:
        """Yield what the model writes, piece by piece as it comes, cut off where it does not end.

        Args:
            limit: seconds that all of it may take; by default those of the setting.

        Raises:
            LanguageModelError: it cannot be reached, fails, takes too long, has failed so often that it rests, or
                `stopped` was set, because nobody waits for the answer any more.
        """
        if not self._breaker.allows():
            raise LanguageModelError(f"{self.name} has failed several times in a row and is left alone for a minute.")
        self.open()  # importing the client takes seconds, once; that is not the model's time
        limit = limit or self._settings.llm_timeout
        deadline = time.monotonic() + limit
        said: SimpleQueue[str | BaseException | None] = SimpleQueue()
        given_up = threading.Event()
        # A read from a silent server ends only with the client's own time limit: it waits in a thread of its own.
        task = self._threads.submit(self._read, prompt, said, given_up)
        try:
            while (piece := _next(said, deadline, stopped)) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        except _StoppedError:
            raise LanguageModelError(f"{self.name} was asked by somebody who has gone.") from None
        except Empty:
            self._breaker.failed()
            raise LanguageModelError(f"{self.name} took more than {limit:g} seconds (CITYCITE_LLM_TIMEOUT).") from None
        except Exception as error:
            self._breaker.failed()
            raise _told(self.name, error) from error
        finally:
            given_up.set()
            task.cancel()
        self._breaker.succeeded()

    def open(self) -> BaseChatModel:
        """Return LangChain's model; nothing is sent yet."""
        with self._opening:
            if self._model is None:
                self._model = _opened(self.provider, self.name, self._settings)
            return self._model

    def _read(self, prompt: Prompt, said: SimpleQueue[str | BaseException | None], given_up: threading.Event) -> None:
        """Put each piece into `said`, at the end None, or what went wrong."""
        from langsmith import tracing_context

        room = self._settings.llm_max_tokens * _LONGEST_TOKEN
        try:
            with tracing_context(enabled=False):  # an environment variable would send questions to a tracing service
                for chunk in self.open().stream(prompt.messages):
                    piece = chunk.text[:room]
                    room -= len(piece)
                    said.put(piece)
                    if not room or given_up.is_set():
                        break
        except BaseException as error:  # noqa: BLE001 - the edge of a thread: who waits for it raises it
            said.put(error)
        else:
            said.put(None)


class _StoppedError(Exception):
    """Nobody waits for the words any more."""


def _next(
    said: SimpleQueue[str | BaseException | None], deadline: float, stopped: threading.Event | None
) -> str | BaseException | None:
    """Return what is `said` next; `Empty` is raised at the deadline, `_StoppedError` soon after `stopped` is set."""
    while True:
        if stopped is not None and stopped.is_set():
            raise _StoppedError
        left = deadline - time.monotonic()
        if left <= 0:
            raise Empty
        with suppress(Empty):
            return said.get(timeout=min(left, _LOOK_SECONDS))


def parse(setting: str) -> tuple[str, str]:
    """Return provider and model of `CITYCITE_LLM`.

    Raises:
        UsageError: it is not `openai:MODEL` or `ollama:MODEL`, or the package for it is missing.
    """
    provider, _, name = setting.partition(":")
    if provider not in _PACKAGES or not name:
        raise UsageError(f"CITYCITE_LLM is {setting!r}; it must be openai:MODEL or ollama:MODEL.")
    if find_spec(_PACKAGES[provider]) is None:
        raise UsageError(
            f"CITYCITE_LLM is {setting!r}, and the package for it is missing: pip install 'citycite[{provider}]'"
        )
    return provider, name


def _opened(provider: str, name: str, settings: Settings) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"temperature": 0}
    if provider == "openai":
        # Without a key of its own the client would take OPENAI_API_KEY from the environment and send it along.
        key = settings.llm_api_key.get_secret_value() or "none"
        options |= {"base_url": settings.llm_base_url, "api_key": key, "timeout": settings.llm_timeout}
        options |= {"max_retries": 0, "max_tokens": settings.llm_max_tokens}
    else:
        options |= {"base_url": settings.llm_base_url or "http://127.0.0.1:11434"}
        options |= {"num_predict": settings.llm_max_tokens, "num_ctx": settings.llm_context}
        options |= {"client_kwargs": {"timeout": settings.llm_timeout}}
    model: BaseChatModel = init_chat_model(name, model_provider=provider, **options)
    return model


def _told(name: str, failure: BaseException) -> LanguageModelError:
    lines = str(failure).splitlines() or [""]
    said = lines[0][:_MESSAGE_LENGTH] or type(failure).__name__
    return LanguageModelError(f"{name} failed: {said}")
