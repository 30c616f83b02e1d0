"""How accurate the answers are: question sets, measures with 95 % intervals, report.

from rag.evaluation import evaluate, read_gold, summarise
questions = read_gold(Path("questions.jsonl"))
outcomes, complete = evaluate(questions, Assistant.open("./store"))
print(summarise(outcomes, questions)["all"]["first_quote"])
"""

from rag.evaluation.question_sets import GoldQuestion, QuestionSet, read_beir, read_gold, read_squad
from rag.evaluation.run import Formulation, Outcome, Quote, evaluate
from rag.evaluation.summary import (
    MEASURES,
    Figure,
    Limit,
    Summary,
    as_dict,
    compare,
    falls_short,
    side_by_side,
    summarise,
)

__all__ = [
    "MEASURES",
    "Figure",
    "Formulation",
    "GoldQuestion",
    "Limit",
    "Outcome",
    "QuestionSet",
    "Quote",
    "Summary",
    "as_dict",
    "compare",
    "evaluate",
    "falls_short",
    "read_beir",
    "read_gold",
    "read_squad",
    "side_by_side",
    "summarise",
]
