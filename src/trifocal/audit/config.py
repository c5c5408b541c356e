"""What the audit may be told. Imports nothing from this package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AuditConfig"]


class AuditConfig(BaseModel):
    """When something about a product is a finding. Stability: full."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    folds: int = Field(default=5, ge=2, le=20)
    """Parts of the catalogue; each is judged by what was learned from the others."""
    directions: int = Field(default=128, ge=2, le=512)
    """Canonical directions in which text and picture are compared."""
    regularization: float = Field(default=0.1, gt=0)
    """Ridge of the canonical correlation, as a share of the mean variance."""
    temperature: float = Field(default=0.07, gt=0)
    """Of the contrastive score: the smaller, the more the best other pairings count."""
    references: int = Field(default=4096, ge=16)
    """Other products a product's own pairing is compared with; bounds time and memory."""
    least_mismatch: float = Field(default=0.2, gt=0, lt=1)
    """Share of other pairings that fit better than a product's own from which it is listed."""
    false_share: float = Field(default=0.3, ge=0, le=1)
    """Mismatches are errors while at most this share of them is expected to be false; the rest are warnings."""
    blank_share: float = Field(default=0.995, gt=0.5, le=1)
    """Share of pixels of almost one colour from which a picture is blank."""
    least_pixels: int = Field(default=32, ge=1)
    """A picture with a side shorter than this is broken."""
    duplicate_bits: int = Field(default=3, ge=0, le=3)
    """Bits of 64 by which the perceptual hashes of near-duplicates differ at most."""
    duplicate_cosine: float = Field(default=0.97, gt=0, le=1)
    """Cosine of the pictures' features from which near-duplicates are confirmed."""
    short_text: int = Field(default=10, ge=0)
    """Title and description together with fewer characters are too short."""
    repeated_items: int = Field(default=5, ge=2)
    """Products that share one text from which it is a placeholder, where they are of as many categories."""
    category_items: int = Field(default=20, ge=2)
    """Products from which a category is known well enough to be suspected or proposed."""
    category_margin: float = Field(default=0.95, gt=0, le=1)
    """Probability that the product belongs to another category from which its own is suspicious."""
    page_items: int = Field(default=40, ge=1)
    """Products of each kind that the page shows."""
