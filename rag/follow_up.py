"""Follow-up questions ("Und wer hat es gegründet?") made to stand alone, by rules; no model is asked (pure).

A word that points back gets the topic of the question before behind it; "Und Wien?" takes the place of the city asked
about before. What is added are words of the earlier question, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.language import WORD, is_function_word, question_language
from rag.names import city_keys
from rag.schema import Language

# Words that begin a question which continues another.
_OPENER = re.compile(r"\s*(?:und|aber|oder|and|but|or|what about|how about|a|i|oraz|ale)\b[\s,]*", re.IGNORECASE)
POINTERS: dict[Language, frozenset[str]] = {
    "de": frozenset(
        """
        er sie es ihn ihm ihnen ihr ihre ihrer ihren ihrem ihres sein seine seiner seinen seinem seines dessen deren
        denen dort dorthin daran darauf daraus darin darüber dafür dagegen dabei dadurch damit danach davon dazu dieser
        diese dieses diesem diesen jener jene jenes
        """.split()
    ),
    "en": frozenset("it its they them their theirs he him his she her hers there this that these those".split()),
    "pl": frozenset(
        """
        on ona ono oni one jego jej jemu go mu nią niego niej nim nich nimi ich im tam stamtąd ten ta to tego tej temu
        tym te tych tymi tę tą
        """.split()
    ),
}
# "Gibt es", "is there", "co to jest" point to nothing.
_EMPTY = re.compile(
    r"\b(?:(?:gibt|gab|handelt|geht|ging|wie\s+viele?)\s+es|es\s+(?:gibt|gab|geht)|(?:is|are|was|were)\s+there"
    r"|there\s+(?:is|are|was|were)|co\s+to|czy\s+to)\b",
    re.IGNORECASE,
)
_MOST_TOPICS = 4


def standalone(question: str, history: Sequence[str]) -> str:
    """Return `question` as it is meant after the earlier questions `history`, oldest first.

    A question that needs no other, or whose history holds no topic, comes back as it is.
    """
    before = ""
    for earlier in history:
        before = _resolved(earlier, before)
    return _resolved(question, before)


def continues(question: str, history: Sequence[str]) -> bool:
    """Whether `question` needs one of the earlier questions `history` to be understood."""
    return bool(history) and _continues(question)


def _resolved(question: str, before: str) -> str:
    if not before or not _continues(question):
        return question
    bare = question[match.end() :] if (match := _OPENER.match(question)) else question
    swapped = _with_other_city(bare, before)
    if swapped:
        return swapped
    named = {word.casefold() for word in WORD.findall(bare)} | set(city_keys(bare))
    topic = [word for word in _topic(before) if word.casefold() not in named and not named & set(city_keys(word))]
    bare = bare[:1].upper() + bare[1:]
    return f"{bare} ({' '.join(topic[:_MOST_TOPICS])})" if topic else bare


def _continues(question: str) -> bool:
    opener = _OPENER.match(question)
    if opener and WORD.search(question, opener.end()):
        return True
    pointers = POINTERS[question_language(question)]
    return any(match.group() in pointers for match in WORD.finditer(_EMPTY.sub(" ", question).lower()))


def _with_other_city(question: str, before: str) -> str | None:
    """Return the question before, asked about the city that this one names and nothing else; None where it is more."""
    language = question_language(before)
    words = [word for word in WORD.findall(question) if not is_function_word(word.lower(), language)]
    asked_before = [match for match in WORD.finditer(before) if city_keys(match.group())]
    if len(words) != 1 or not city_keys(words[0]) or not asked_before:
        return None
    first = asked_before[0]
    return before[: first.start()] + str(words[0]) + before[first.end() :]


def _topic(question: str) -> list[str]:
    """Return what a question is about: its names (in German, its nouns), or all its content words where it has none."""
    language = question_language(question)
    words = [match.group() for match in WORD.finditer(question)]
    content = [word for word in words if not is_function_word(word.lower(), language)]
    named = [word for word in content if word[0].isupper() and (word != words[0] or city_keys(word))]
    return list(dict.fromkeys(named or content))
