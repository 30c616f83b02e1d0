"""Which of the three languages a question is in, and the word analysis that goes with each language."""

from __future__ import annotations

import datetime
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

from rag.schema import Language

if TYPE_CHECKING:
    import Stemmer

WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_WORD_JOINT = re.compile("[-'’]")
_SNOWBALL: dict[Language, str] = {"de": "german", "en": "english", "pl": "polish"}
# Letters that only one of the three languages writes.
_LETTERS: dict[Language, frozenset[str]] = {"de": frozenset("äöüß"), "pl": frozenset("ąćęłńśźż"), "en": frozenset()}
_FUNCTION_WORDS: dict[Language, frozenset[str]] = {
    "de": frozenset(
        """
        wann wer wen wem wessen wo woher wohin wie was warum weshalb wieso wozu womit wodurch worum welche welcher
        welches welchen welchem wieviel wieviele viele der die das den dem des ein eine einen einem einer eines und
        oder nicht kein keine ist sind war waren hat haben hatte hatten wird werden wurde wurden kann können muss
        soll gibt gab es sie er wir ich man mit von vom zu zum zur bei beim für im in am an auf aus nach seit über
        unter zwischen durch gegen ohne um bis sich auch noch als ob dass trat tritt bitte mir nenne zeige dieser
        """.split()
    ),
    "en": frozenset(
        """
        when who whom whose where how what why which many much long often the a an and or not no is are was were be
        been has have had do does did can could should would will may might there it they he she we i you with of to
        at by for in on from since about under between through against without until into also still as if that
        this these those please tell me show give name their its his her than during
        """.split()
    ),
    "pl": frozenset(
        """
        kiedy kto kogo komu kim gdzie skąd dokąd jak jaki jaka jakie jakim jakich jakiej jaką co czego czemu czym
        dlaczego czy który która które którym której których którego ile ilu i lub albo nie jest są był była było
        były będzie ma mają miał miała może można się z ze w we na do od po przy dla o u za przez pod nad między
        bez oraz a to ten ta te tego tej tych tym jego jej ich proszę podaj został została zostało zostały roku
        """.split()
    ),
}
# Words that two languages share ("was", "die", "do", "a") count for both and so decide nothing.
_FALLBACK: Language = "de"  # the documents' language, and that of most users


def question_language(question: str) -> Language:
    """Return the language of a question: function words and letters decide, German where nothing does.

    A trained detector does worse here: questions are short and full of names from other languages.
    """
    words = [word.lower() for word in WORD.findall(question)]
    letters = set(question.lower())

    def score(language: Language) -> float:
        return sum(word in _FUNCTION_WORDS[language] for word in words) + 0.75 * bool(letters & _LETTERS[language])

    languages = get_args(Language)
    best: Language = max(languages, key=score)
    tied = [language for language in languages if score(language) == score(best)]
    return best if len(tied) == 1 else _FALLBACK


def is_function_word(word: str, language: Language) -> bool:
    """Whether `word` (in lower case) carries no topic of its own in a question of this language."""
    return word in _FUNCTION_WORDS[language]


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """Return `word` in lower case without diacritics: `Kraków` -> `krakow`, `Größe` -> `grosse`."""
    decomposed = unicodedata.normalize("NFKD", word.casefold().replace("ł", "l"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def stems(text: str, language: str | None) -> list[str]:
    """Return the folded stems of the words of `text`, in order; hyphenated words give their parts and themselves.

    An unknown language gets the German stemmer, the one most documents need.
    """
    known = language if language in _SNOWBALL else _FALLBACK
    found: list[str] = []
    for match in WORD.finditer(text):
        found.extend(_word_stems(match.group(), known))
    return found


# Enough for the words of a large store; a stem takes some microseconds, and every question needs thousands.
@lru_cache(maxsize=200_000)
def _word_stems(word: str, language: str) -> tuple[str, ...]:
    stemmer = _stemmer(language)
    parts = [part for part in _WORD_JOINT.split(word.lower()) if part]
    found = [fold(stemmer.stemWord(part)) for part in parts]
    return (*found, fold("".join(parts))) if len(parts) > 1 else tuple(found)


@lru_cache(maxsize=len(_SNOWBALL))
def _stemmer(language: str) -> Stemmer.Stemmer:
    import Stemmer

    return Stemmer.Stemmer(_SNOWBALL[language])  # type: ignore[index]


def local_date(iso: str, language: Language) -> str:
    """Write an ISO date as readers of `language` do; what is no full date stays as it is."""
    try:
        date = datetime.date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{date.day} {date:%b} {date.year}" if language == "en" else f"{date:%d.%m.%Y}"
