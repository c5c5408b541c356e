"""The audit of a catalogue: each question asked in turn, the findings gathered. Reads pictures and token features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trifocal import columns as c
from trifocal.audit.alignment import best_partners, expected_false_share, mismatch_shares
from trifocal.audit.categories import class_probabilities, suspicions, word_features
from trifocal.audit.config import AuditConfig
from trifocal.audit.duplicates import hash_codes, near_duplicates
from trifocal.audit.finding import Finding, Severity, findings_frame
from trifocal.audit.folds import folds_of, principal
from trifocal.audit.looks import Look, look_at_all
from trifocal.audit.texts import own_texts, text_findings
from trifocal.data.dataset import Dataset
from trifocal.data.pictures import without_pictures
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.config import FeaturesConfig
from trifocal.features.items import encode_catalogue
from trifocal.types import FloatArray, IntArray

__all__ = [
    "Audited",
    "Pooled",
    "audit_catalogue",
    "category_findings",
    "duplicate_findings",
    "folds_by_title",
    "mismatch_findings",
    "picture_findings",
    "pooled_features",
]

_CATEGORY_IMAGE = 160


@dataclass(frozen=True)
class Pooled:
    """Pooled token features of a catalogue: (N, width) each, rows of zeros where the modality is missing."""

    text: FloatArray
    image: FloatArray


@dataclass(frozen=True)
class Audited:
    """What an audit found. Stability: caller.

    Attributes:
        findings: see `findings_frame`.
        products: in the catalogue.
        pictures: of these, with a picture.
        paired: of these, with text and picture that were compared.
    """

    findings: pl.DataFrame
    products: int
    pictures: int
    paired: int


def audit_catalogue(
    dataset: Dataset,
    features: FeaturesConfig,
    config: AuditConfig,
    *,
    cache_folder: Path,
    work_folder: Path,
    text_encoder: Path | None = None,
) -> Audited:
    """Return all findings about the products of `dataset`; an audit that was stopped goes on.

    Args:
        dataset: its events are not read.
        features: encoders whose features are compared.
        config: when something is a finding.
        cache_folder: token features; what is missing is encoded.
        work_folder: where it is kept what the pictures look like.
        text_encoder: see `encode_catalogue`.
    """
    items = dataset.items
    looks = look_at_all(dataset.image_root, items[c.IMAGE].drop_nulls().to_list(), work_folder)
    unusable = picture_findings(items, looks, config)
    faulty = {look.file for look in looks.values() if look.fault}
    broken = {item for item, file in items.select(c.ITEM_ID, c.IMAGE).iter_rows() if file in faulty}
    pooled = pooled_features(without_pictures(dataset, broken), features, cache_folder, text_encoder)
    # A blank picture belongs to no text; it is a finding already.
    left_out = np.isin(items[c.ITEM_ID].to_numpy(), [one.item_id for one in unusable])
    seen = Pooled(pooled.text, np.where(left_out[:, None], np.float32(0), pooled.image))
    shares = mismatch_shares(seen.text, seen.image, folds_by_title(items, config.folds), config)
    findings = [
        *mismatch_findings(items, seen, shares, config),
        *unusable,
        *duplicate_findings(items, seen.image, looks, config),
        *text_findings(items, config),
        *category_findings(items, seen.image, config),
    ]
    return Audited(
        findings_frame(findings), len(items), len(items) - items[c.IMAGE].null_count(), int((~np.isnan(shares)).sum())
    )


def folds_by_title(items: pl.DataFrame, folds: int) -> IntArray:
    """Return (N,) the fold of each product: variants with one title together."""
    return folds_of([title or item for item, title in items.select(c.ITEM_ID, c.TITLE).iter_rows()], folds)


def mismatch_findings(items: pl.DataFrame, pooled: Pooled, shares: FloatArray, config: AuditConfig) -> list[Finding]:
    """Return the products whose picture seems to belong to another text, from their `shares` (N,)."""
    ids, titles = items[c.ITEM_ID].to_list(), items[c.TITLE].to_list()
    false = expected_false_share(shares)
    rows = np.flatnonzero(shares >= config.least_mismatch)
    found = []
    for row, other in zip(rows.tolist(), best_partners(pooled.text, pooled.image, rows, config).tolist(), strict=True):
        severity: Severity = "error" if false[row] <= config.false_share else "warning"
        detail = (
            f"{shares[row]:.0%} of other pairings fit better; the picture fits {titles[other] or ids[other]!r} best"
        )
        found.append(
            Finding(
                ids[row],
                "mismatch",
                severity,
                round(float(shares[row]), 4),
                detail,
                ids[other],
                round(float(false[row]), 4),
            )
        )
    return found


def picture_findings(items: pl.DataFrame, looks: Mapping[str, Look], config: AuditConfig) -> list[Finding]:
    """Return the products whose picture is broken, tiny or blank."""
    found = []
    for item, file in items.select(c.ITEM_ID, c.IMAGE).iter_rows():
        one = None if file is None else _unusable(item, looks[file], config)
        if one is not None:
            found.append(one)
    return found


def _unusable(item: str, look: Look, config: AuditConfig) -> Finding | None:
    if look.fault:
        return Finding(item, "broken", "error", 1.0, look.fault)
    if look.pixels < config.least_pixels:
        detail = f"its shorter side has {look.pixels} pixels, {config.least_pixels} are needed"
        return Finding(item, "broken", "error", round(1 - look.pixels / config.least_pixels, 4), detail)
    if look.one_colour >= config.blank_share:
        return Finding(item, "blank", "error", round(look.one_colour, 4), f"{look.one_colour:.1%} of it is one colour")
    return None


def duplicate_findings(
    items: pl.DataFrame, image: FloatArray, looks: Mapping[str, Look], config: AuditConfig
) -> list[Finding]:
    """Return pairs of products with nearly the same picture; variants of one product are none.

    Where the last levels of their categories differ it is an error, since one of the two pictures must be wrong; else a
    warning: one product may be filed twice, in two departments or sizes.
    """
    files = items[c.IMAGE].to_list()
    present = np.abs(image).sum(axis=1) > 0
    rows = np.array([row for row, file in enumerate(files) if file and present[row]], dtype=np.int64)
    if len(rows) < 2:
        return []
    kinds = [hash_codes([looks[files[row]].hashes[kind] for row in rows]) for kind in (0, 1)]
    centred = image[rows] - image[rows].mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    pairs = near_duplicates(kinds[0], unit, bits=config.duplicate_bits, cosine=config.duplicate_cosine, others=kinds[1])
    products = list(items.select(c.ITEM_ID, c.TITLE, c.CATEGORY).iter_rows())
    found = [_duplicate(products[rows[a]], products[rows[b]], cosine) for a, b, cosine in pairs]
    return [one for one in found if one is not None]


def _duplicate(
    one: tuple[str, str | None, str | None], other: tuple[str, str | None, str | None], cosine: float
) -> Finding | None:
    if one[1:] == other[1:]:
        return None
    elsewhere = _last_level(one[2]) != _last_level(other[2])
    place = f", of {other[2] or 'no category'} rather than {one[2] or 'no category'}" if elsewhere else ""
    detail = f"nearly the picture of {other[1] or other[0]!r}{place}"
    return Finding(
        one[0], "duplicate", "error" if elsewhere else "warning", round(min(cosine, 1.0), 4), detail, other[0]
    )


def _last_level(category: str | None) -> str:
    return (category or "").split(c.CATEGORY_SEPARATOR)[-1]


def category_findings(items: pl.DataFrame, image: FloatArray, config: AuditConfig) -> list[Finding]:
    """Return the products that read and look like those of another category."""
    categories = items[c.CATEGORY].to_list()
    names, codes = _codes(categories, config.category_items)
    if len(names) < 2:
        return []
    features = _standard(np.concatenate([word_features(own_texts(items)), principal(image, _CATEGORY_IMAGE)], axis=1))
    probabilities = class_probabilities(features, codes, folds_by_title(items, config.folds))
    ids = items[c.ITEM_ID].to_list()
    return [
        Finding(
            ids[one.row],
            "category",
            "warning",
            round(one.probability, 4),
            f"is filed under {categories[one.row]!r} ({one.own:.1%}), reads and looks like {names[one.other]!r} "
            f"({one.probability:.0%})",
        )
        for one in suspicions(probabilities, codes, config.category_margin)
    ]


def _codes(categories: Sequence[str | None], least: int) -> tuple[list[str], IntArray]:
    """Names of the categories with at least `least` products, and (N,) codes; -1 = another."""
    known = pl.Series(c.CATEGORY, categories, dtype=pl.String).drop_nulls()
    counts = dict(known.value_counts().iter_rows())
    names = sorted(name for name, count in counts.items() if count >= least)
    place = {name: code for code, name in enumerate(names)}
    return names, np.array([place.get(name or "", -1) for name in categories], dtype=np.int64)


def _standard(features: FloatArray) -> FloatArray:
    standard: FloatArray = features / np.maximum(features.std(axis=0), 1e-6)
    return standard


def pooled_features(
    dataset: Dataset, config: FeaturesConfig, cache_folder: Path, text_encoder: Path | None = None
) -> Pooled:
    """Return the pooled token features of the products; what `cache_folder` does not hold is encoded."""
    attributes = AttributeEncoder.fit(
        dataset.items, price_buckets=config.price_buckets, max_values=config.max_attribute_values
    )
    features = encode_catalogue(
        dataset.items, dataset.image_root, attributes, config, cache_folder, text_encoder=text_encoder
    )
    return Pooled(features.pooled_text(), features.pooled_image())
