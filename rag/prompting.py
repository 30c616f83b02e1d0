"""What a language model is asked: the prompts of `rag/prompts`, filled within a budget of tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

from rag.errors import UsageError
from rag.schema import Language
from rag.sentences import sentence_spans

FOLDER = Path(__file__).parent / "prompts"
# Which tokenizer a server has is not known, and asking for one would be a download. German text has 3 to 4 characters
# a token in today's models, Polish 2.5 to 3; with 2 the budget holds in either.
CHARACTERS_PER_TOKEN = 2
# What a passage at least needs to be worth reading.
_LEAST = 80
# Tokens from which on the example's 300 are better spent on it than on passages.
_ROOM_FOR_EXAMPLE = 2000
# Earlier questions that a follow-up may go back to.
_EARLIER = 6
_MARK = re.compile(r"\[(\d+)\]")
# Signs that models take for the borders of a conversation: <|im_start|>, [INST], <<SYS>>, </s>.
_CONTROL = re.compile(r"<\|[^|>]{0,40}\|>|\[/?INST\]|<</?SYS>>|</?s>")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage as the model sees it: the `marker` that it cites it by, its title and text."""

    marker: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: the rules, perhaps a question with the answer that it should get, and the question itself."""

    system: str
    user: str
    example: tuple[str, str] | None = None

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Who says what, in order, in LangChain's terms."""
        asked, answered = self.example or ("", "")
        turn = [("human", asked), ("ai", answered)] if self.example else []
        return [("system", self.system), *turn, ("human", self.user)]

    @property
    def tokens(self) -> int:
        """At most how many tokens all of it needs."""
        return -(-sum(len(text) for _, text in self.messages) // CHARACTERS_PER_TOKEN)


def render(question: str, language: Language, excerpts: Sequence[Excerpt], budget: int) -> Prompt:
    """Return the prompt of `question` with as much of `excerpts` (best first) as `budget` tokens hold.

    Excerpts are cut at the end of a sentence; those that no longer fit are left out, the best never.

    Raises:
        UsageError: not even the first sentence of the best excerpt fits.
    """
    system, user = _file(f"{language}.system"), Template(_file(f"{language}.user"))
    example = _example(language, user) if budget >= _ROOM_FOR_EXAMPLE else None
    empty = Prompt(system, user.substitute(question=inert(question), passages=""), example)
    room = (budget - empty.tokens) * CHARACTERS_PER_TOKEN
    blocks: list[str] = []
    for excerpt in excerpts:
        head = f"[{excerpt.marker}] {inert(excerpt.title)}\n"
        text = cut(inert(excerpt.text), room - len(head) - 2)
        if not text:
            break
        blocks.append(head + text)
        room -= len(blocks[-1]) + 2
        if room < _LEAST:
            break
    if not blocks:
        raise UsageError(
            f"CITYCITE_LLM_CONTEXT leaves {budget} tokens for the prompt; that holds no sentence. Raise it."
        )
    return Prompt(system, user.substitute(question=inert(question), passages="\n\n".join(blocks)), example)


def render_rewrite(question: str, language: Language, history: Sequence[str], budget: int) -> Prompt:
    """Return the prompt that asks to put the follow-up `question` so that it stands alone.

    `history` are the earlier questions, oldest first; as many of the last as fit into `budget` tokens are sent.
    """
    system, user = _file(f"{language}.rewrite.system"), _file(f"{language}.rewrite.user")
    empty = Prompt(system, Template(user).substitute(question=inert(question), history=""))
    room = (budget - empty.tokens) * CHARACTERS_PER_TOKEN
    lines: list[str] = []
    for earlier in reversed(history):
        line = f"- {inert(earlier)}"
        room -= len(line) + 1
        if room < 0 or len(lines) == _EARLIER:
            break
        lines.insert(0, line)
    return Prompt(system, Template(user).substitute(question=inert(question), history="\n".join(lines)))


def cut(text: str, length: int) -> str:
    """Return the sentences of `text` that fit into `length` characters, from the start."""
    end = max((end for _, end in sentence_spans(text) if end <= length), default=0)
    return text[:end]


def inert(text: str) -> str:
    """Return `text` without what is invisible or would end its place in the prompt; marks in it are not ours."""
    visible = "".join(
        character
        for character in text
        if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Co")
    )
    return _MARK.sub(r"(\1)", _CONTROL.sub(" ", visible))


def _example(language: Language, user: Template) -> tuple[str, str]:
    """Return a question as it is asked, and its answer: small models put a mark behind a sentence once they saw one."""
    passages, question, answer = (part.strip() for part in _file(f"{language}.example").split("\n---\n"))
    return user.substitute(question=question, passages=passages), answer


@lru_cache(maxsize=16)
def _file(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text("utf-8")
