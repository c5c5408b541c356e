"""Part `search`: written queries, graded by attributes that no index reads, beside BM25 and beside the text alone.

The category path and every attribute are taken away before anything is encoded or indexed: what colour, type or pattern
an item has is known from its title, its description and its picture only. Of the fashion data the queries are those of
`queries.toml`; of the generated shop, which stands in for it, a brand and a category of its own items.

Letters: N items, Q queries.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import bm25s
import numpy as np
import numpy.typing as npt
import polars as pl
from benchmarks.explain.plan import Setting
from benchmarks.explain.world import ground
from benchmarks.table.figures import Goal, Measured, percentiles

from trifocal import columns as c
from trifocal.data.dataset import Dataset, read_dataset
from trifocal.evaluate.significance import interval, paired_differences, resampled_means
from trifocal.features.attributes import AttributeEncoder
from trifocal.features.compact import fit_compact
from trifocal.features.config import FeaturesConfig
from trifocal.features.items import encode_catalogue
from trifocal.features.scratch import stored_text_source
from trifocal.serve.catalogue import Catalogue
from trifocal.serve.queries import QueryEncoder
from trifocal.serve.search import TextSearch
from trifocal.serve.search_parts.terms import stem
from trifocal.settings import load_settings

__all__ = ["GOALS", "SIZES", "Query", "graded_ndcg", "grades", "measure", "written_queries"]

SIZES = ("queries", "products")
_OURS, _BM25, _TEXT = "trifocal", "BM25", "text only"
_OTHERS = (_BM25, _TEXT)
_K = 10
_LATENCY, _LATENCY_NEW = "p50 of a search", "p50 of a search in new words, encoding included"


def _ratio(other: str) -> str:
    return f"nDCG@{_K} over that of {other}"


def _gap(other: str) -> str:
    return f"nDCG@{_K} above {other}, lower end of the 95 % interval"


GOALS = (
    *(Goal(_ratio(other), "x", 1.0, "at least") for other in _OTHERS),
    *(Goal(_gap(other), "", 0.0, "at least") for other in _OTHERS),
    Goal(_LATENCY, "ms", 15.0),
)

# Aspect of a query -> the columns that may meet it.
_COLUMNS = {
    "types": ("product_type_name",),
    "colours": ("colour_group_name", "perceived_colour_master_name"),
    "patterns": ("graphical_appearance_name",),
    "groups": ("index_group_name", "index_name", "section_name", "garment_group_name"),
}

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Query:
    """What is typed, and what a right answer is.

    Attributes:
        half: `tune` was looked at while the search was made, `held` was not.
        types: one of them an item must be, to be worth anything.
        others: aspect -> values, one of which an item should have.
    """

    text: str
    half: str
    types: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]]


def written_queries(path: Path | None = None) -> tuple[Query, ...]:
    """Return the queries of a file such as `queries.toml`, which is read without a path."""
    raw = tomllib.loads((path or Path(__file__).with_name("queries.toml")).read_text(encoding="utf-8"))
    return tuple(
        Query(
            entry["text"],
            entry["half"],
            tuple(entry["types"]),
            {name: tuple(entry[name]) for name in _COLUMNS if name != "types" and name in entry},
        )
        for entry in raw["query"]
    )


def grades(query: Query, attributes: pl.DataFrame) -> Values:
    """Return (N,) what each item is worth: 1 for the type, 2 more by the share of the other aspects that it meets.

    >>> shirts = Query("striped shirt", "tune", ("Shirt",), {"patterns": ("Stripe",)})
    >>> types, patterns = ["Shirt", "Shirt", "Dress"], ["Stripe", "Solid", "Stripe"]
    >>> grades(shirts, pl.DataFrame({"product_type_name": types, "graphical_appearance_name": patterns})).tolist()
    [3.0, 1.0, 0.0]
    """
    of_type = _met(attributes, "types", query.types)
    others = [_met(attributes, name, values) for name, values in query.others.items()]
    share = np.mean(others, axis=0) if others else np.ones(attributes.height)
    worth: Values = of_type * (1 + 2 * share)
    return worth


def graded_ndcg(order: Sequence[int], worth: Values, k: int = _K) -> float:
    """Return nDCG@k of items in `order`, rows best first: sum of worth / log2(place + 1) over that of the best order.

    Source: Jaervelin and Kekaelaeinen, TOIS 2002, with linear gain; NaN where nothing is worth anything.

    >>> round(graded_ndcg([1, 0], np.array([3.0, 1.0])), 4)  # (1 + 3 / log2 3) / (3 + 1 / log2 3)
    0.7967
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    found = worth[list(order)[:k]]
    best = np.sort(worth)[::-1][:k]
    ideal = float(best @ discount[: len(best)])
    return float(found @ discount[: len(found)]) / ideal if ideal else float("nan")


def measure(setting: Setting) -> Measured:
    """Ask every query of our search, of BM25, and of our search without pictures."""
    on = ground(setting)
    dataset, config = read_dataset(on.dataset), load_settings(on.config).features
    attributes = _attributes(dataset, setting.data if on.is_real else None)
    queries = (written_queries() if on.is_real else _shop_queries(attributes))[: setting.sizes.queries]
    bare = _bare(dataset.items)
    ours, text = _searches(replace(dataset, items=bare), config, on.features)
    rankers = {_OURS: _ranker(ours), _BM25: _bm25(bare), _TEXT: _ranker(text)}
    worths = [grades(query, attributes) for query in queries]
    scores = {name: _scores(ranker, queries, worths) for name, ranker in rankers.items()}
    return _measured(queries, scores, _latency_ms(ours, queries))


def _measured(queries: Sequence[Query], scores: Mapping[str, Values], latency_ms: tuple[float, float]) -> Measured:
    table = np.stack([scores[name] for name in (_OURS, *_OTHERS)], axis=1)
    resamples = resampled_means(table)
    means = {name: interval(table[:, place], resamples[:, place]) for place, name in enumerate(scores)}
    values: dict[str, float] = dict(zip((_LATENCY_NEW, _LATENCY), latency_ms, strict=True))
    notes, held = {}, np.array([query.half == "held" for query in queries])
    for other, gap in zip(_OTHERS, paired_differences(table, resamples), strict=True):
        values[_ratio(other)] = means[_OURS].mean / max(means[other].mean, 1e-9)
        values[_gap(other)] = gap.low
        notes[_gap(other)] = f"difference {gap.mean:.3f} ({gap.low:.3f} to {gap.high:.3f}), {len(queries)} queries"
    for name, found in means.items():
        values[f"nDCG@{_K} of {name}"] = found.mean
        notes[f"nDCG@{_K} of {name}"] = f"{found.low:.3f} to {found.high:.3f}"
        if held.any():
            values[f"nDCG@{_K} of {name}, held-out half"] = float(scores[name][held].mean())
    detail = {
        query.text: {"half": query.half, **{name: round(float(scores[name][place]), 4) for name in scores}}
        for place, query in enumerate(queries)
    }
    return Measured(values, notes, {_LATENCY_NEW: "ms"}, detail)


def _bare(items: pl.DataFrame) -> pl.DataFrame:
    """Return the items without category and attributes: what is left is what an index may read."""
    hidden = [name for name in items.columns if name.startswith(c.ATTRIBUTE_PREFIX)]
    return items.drop(hidden).with_columns(pl.lit(None, dtype=pl.String).alias(c.CATEGORY))


def _searches(dataset: Dataset, config: FeaturesConfig, cache: Path) -> tuple[TextSearch, TextSearch]:
    """Return our search with pictures, and without."""
    encoder = AttributeEncoder.fit(dataset.items, price_buckets=config.price_buckets, max_values=1)
    features = encode_catalogue(dataset.items, dataset.image_root, encoder, config, cache)
    looks = fit_compact(features.pooled_image(), config.compact_size).vectors(features.pooled_image())
    source = stored_text_source(config, features.text_encoder)
    queries, catalogue = QueryEncoder(lambda: source), Catalogue(dataset.items)
    vectors = features.pooled_text().astype(np.float16)
    text = TextSearch(text_vectors=vectors, catalogue=catalogue, queries=queries, model_version=_TEXT)
    ours = TextSearch(
        text_vectors=vectors,
        catalogue=catalogue,
        queries=queries,
        model_version=_OURS,
        looks=looks,
        colours=features.product_colours(),
    )
    return ours, text


def _ranker(search: TextSearch) -> Callable[[str], list[int]]:
    return lambda query: [int(row) for row in np.argsort(-search.similarities(query), kind="stable")[:_K]]


def _bm25(items: pl.DataFrame) -> Callable[[str], list[int]]:
    """Lucene's BM25 over titles and descriptions, with the stemming of our own index and English stop words."""

    def tokens(texts: list[str]) -> list[list[str]]:
        stemmed = bm25s.tokenize(
            texts, stopwords="en", stemmer=lambda words: [stem(word) for word in words], return_ids=False,
            show_progress=False,
        )  # fmt: skip
        return [list(text) for text in stemmed]

    index = bm25s.BM25(method="lucene")
    texts = [f"{title or ''}. {text or ''}" for title, text in items.select(c.TITLE, c.DESCRIPTION).iter_rows()]
    index.index(tokens(texts), show_progress=False)
    return lambda query: [int(row) for row in np.argsort(-index.get_scores(tokens([query])[0]), kind="stable")[:_K]]


def _scores(ranker: Callable[[str], list[int]], queries: Sequence[Query], worths: Sequence[Values]) -> Values:
    return np.array([graded_ndcg(ranker(query.text), worth) for query, worth in zip(queries, worths, strict=True)])


def _latency_ms(search: TextSearch, queries: Sequence[Query]) -> tuple[float, float]:
    """Return the medians of whole searches in words that were never asked before, and of the same words again."""
    search.search("warm", 1)
    typed = [f"{query.text} {place}" for place, query in enumerate(queries)]
    new, again = ([_took_ms(search, text) for text in typed] for _ in range(2))
    return percentiles(new).p50, percentiles(again).p50


def _took_ms(search: TextSearch, text: str) -> float:
    start = perf_counter()
    search.search(text, _K)
    return (perf_counter() - start) * 1000


def _attributes(dataset: Dataset, data: Path | None) -> pl.DataFrame:
    """Return the hidden attributes in the order of the items; the import left some of the fashion data's behind."""
    ids = dataset.items.select(c.ITEM_ID)
    if data is None:
        return dataset.items.select(
            product_type_name=pl.col(c.CATEGORY), section_name=pl.col(c.ATTRIBUTE_PREFIX + "brand")
        )
    raw = pl.read_csv(data / "hm-week" / "items.csv.gz", infer_schema_length=0)
    return ids.join(raw, on=c.ITEM_ID, how="left", maintain_order="left")


def _shop_queries(attributes: pl.DataFrame) -> tuple[Query, ...]:
    kinds = attributes.drop_nulls().unique(maintain_order=True)
    return tuple(
        Query(f"{brand} {kind.split(c.CATEGORY_SEPARATOR)[-1]}", "held", (kind,), {"groups": (brand,)})
        for kind, brand in kinds.iter_rows()
    )


def _met(attributes: pl.DataFrame, aspect: str, values: Sequence[str]) -> npt.NDArray[np.bool_]:
    columns = [name for name in _COLUMNS[aspect] if name in attributes.columns]
    met = [attributes[name].is_in(list(values)).fill_null(value=False).to_numpy() for name in columns]
    return np.asarray(np.any(met, axis=0))
