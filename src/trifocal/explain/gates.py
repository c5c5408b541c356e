"""Gates: numbers of 0..1 that let each source speak. All 0 = an item that says, shows and is nothing; all 1 = the item.

```
gates (S, T + G + 3) = text tokens (T) | image cells (G) | attributes | identity | context
```

A token's features are `neutral + gate * (features - neutral)`. On the straight way from 0 to 1 the integrated gradient
of a gate is the sum of those of all features behind it (chain rule): nothing is lost by looking at gates alone.
Letters: S = steps * K states, K items, T text tokens, G image cells.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["SOURCES", "Gates"]

SOURCES = ("attributes", "identity", "context")
"""What stands behind the gates of tokens and cells, one gate each."""


@dataclass(frozen=True)
class Gates:
    """A state of every gate.

    Attributes:
        text: (S, T).
        image: (S, G).
        attributes, identity, context: (S, 1).
    """

    text: Tensor
    image: Tensor
    attributes: Tensor
    identity: Tensor
    context: Tensor

    @classmethod
    def of(cls, values: Tensor, tokens: int) -> Gates:
        """Return the gates in `values` (S, T + G + 3), `tokens` = T."""
        text, image = values[:, :tokens], values[:, tokens : -len(SOURCES)]
        attributes, identity, context = (values[:, place, None] for place in range(-len(SOURCES), 0))
        return cls(text, image, attributes, identity, context)
