"""A conversation as the browser hands it back: what was asked, over which documents. Pure.

The server keeps conversations in memory and may lose them: it is restarted, or a page stays open over night. What is on
the page need not be lost with it, for the answers can be given again; see assets/conversations.js.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qsl

from rag.follow_up import standalone
from rag.retrieval import ALL
from ui.markup import Turn
from ui.view import FILTER_NAMES, as_filters, filter_values

# Each is answered again, and the reader waits for all of them; the script sends as many.
MOST: Final = 20


def restored(said: str, max_question: int) -> tuple[Turn, ...]:
    """Return the conversation `said`, yet to be answered: JSON, `[{"question": ..., "view": "?since=2020"}]`.

    Browsers may send anything; what is no such conversation is none.
    """
    try:
        items = json.loads(said) if said else []
    except (ValueError, RecursionError):
        return ()
    turns: list[Turn] = []
    for item in items[-MOST:] if isinstance(items, list) else ():
        question, view = (item.get("question"), item.get("view", "")) if isinstance(item, dict) else (None, None)
        if not (isinstance(question, str) and isinstance(view, str) and 0 < len(question.strip()) <= max_question):
            return ()
        question = question.encode(errors="replace").decode().strip()
        meant = standalone(question, [before.question for before in turns])
        values = filter_values(dict(parse_qsl(view.removeprefix("?"))))
        filters = as_filters(dict(zip(FILTER_NAMES, values, strict=True))) or ALL
        turns.append(Turn(question, understood=meant if meant != question else None, filters=filters))
    return tuple(turns)
