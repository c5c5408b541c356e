"""Any `Recommender` + cases -> figures with intervals, a table, JSON and one HTML page."""

from trifocal.evaluate.comparison import Comparison, compare, evaluate_all
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.protocol import CasesValidator, Result, evaluate

__all__ = ["CasesValidator", "Comparison", "EvaluateConfig", "Result", "compare", "evaluate", "evaluate_all"]
