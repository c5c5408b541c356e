"""Why this item for this user: words, cells of the picture, the nearest item of the history, shares, one sentence."""

from trifocal.explain.explanation import Explainer, Explanation, Nearest, Shares, Word

__all__ = ["Explainer", "Explanation", "Nearest", "Shares", "Word"]
