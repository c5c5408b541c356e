"""Any `Recommender` + cases -> figures with intervals, a table, JSON and one HTML page."""

from trifocal.evaluate.comparison import Comparison, compare, evaluate_all
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.facts import ItemFacts, item_facts
from trifocal.evaluate.foreign import foreign_result
from trifocal.evaluate.leak import leaked_places
from trifocal.evaluate.protocol import CasesValidator, Result, evaluate, pool_seeds
from trifocal.evaluate.results import results_json, results_markdown
from trifocal.evaluate.stored import load_result, save_result

__all__ = [
    "CasesValidator",
    "Comparison",
    "EvaluateConfig",
    "ItemFacts",
    "Result",
    "compare",
    "evaluate",
    "evaluate_all",
    "foreign_result",
    "item_facts",
    "leaked_places",
    "load_result",
    "pool_seeds",
    "results_json",
    "results_markdown",
    "save_result",
]
