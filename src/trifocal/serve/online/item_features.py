"""What a model makes of one item: all that its services need to answer with it. A plain value; knows no model.

Letters: D embedding size, W text width, S compact size, A attributes, K colours.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, fields

import numpy as np

from trifocal.errors import ArtifactError
from trifocal.types import FloatArray, IntArray

__all__ = ["ItemFeatures"]


@dataclass(frozen=True)
class ItemFeatures:
    """One item, encoded. Stability: caller.

    Attributes:
        vector: (D,) by the item tower.
        text: (W,) pooled text features; zero = no text.
        compact_text: (S,) unit vector; zero = no text, or not used.
        compact_image: (S,) unit vector; zero = no picture, or not used.
        attributes: (A,) int64 codes, price last.
        colours: (K, 4) CIELAB and share of the colours of the picture; none = no picture.
    """

    vector: FloatArray
    text: FloatArray
    compact_text: FloatArray
    compact_image: FloatArray
    attributes: IntArray
    colours: FloatArray = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads."""
        file = io.BytesIO()
        np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> ItemFeatures:
        """Return the features that `to_bytes` wrote.

        Raises:
            ArtifactError: when the bytes are none.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ArtifactError(f"{len(data)} bytes are no features of an item ({error}); encode it again") from error
