"""A follow-up that a language model has rewritten: does it say the same, in words of the conversation alone? (pure)"""

from __future__ import annotations

from collections.abc import Sequence

from rag.claim_words import negations
from rag.follow_up import POINTERS
from rag.language import question_language
from rag.statements import PARTED, Statement, spelling_similarity, statement
from rag.values import same

# Words with the same root; what is merely a part of another word, or near in meaning, is another word.
_SAME_ROOT = 0.9
# A question that has grown beyond this is none any more.
_LONGEST = 400


def trusted_rewrite(written: str, question: str, history: Sequence[str]) -> str | None:
    """Return the first line of `written` where it may be asked in place of the follow-up `question`, else None.

    It must hold no name, number or other content word that neither `question` nor the earlier questions `history`
    hold, all that `question` says, and be in its language.
    """
    rewrite = " ".join((written.strip().splitlines() or [""])[0].split())
    language = question_language(question)
    if not rewrite.endswith("?") or len(rewrite) > _LONGEST or question_language(rewrite) != language:
        return None
    mine, asked = statement(rewrite, language), statement(question, language)
    if not _holds(statement(PARTED.join([question, *history]), language), mine):
        return None
    if not _holds(mine, asked, frozenset(POINTERS[language])) or negations(rewrite) % 2 != negations(question) % 2:
        return None
    return rewrite


def _holds(whole: Statement, part: Statement, without: frozenset[str] = frozenset()) -> bool:
    """Whether every value, city and content word of `part` is in `whole`, apart from the words in `without`."""
    if not part.cities <= whole.cities:
        return False
    if not all(any(same(value, other) for other in whole.values) for value in part.values):
        return False
    alike = spelling_similarity(part, whole)
    return all(
        word.text.lower() in without or (alike.shape[1] and alike[number].max() >= _SAME_ROOT)
        for number, word in enumerate(part.words)
    )
