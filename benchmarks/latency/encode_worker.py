"""Encodes the items of a data set one way, in this process; prints items and seconds as JSON.

    python -m benchmarks.latency.encode_worker trifocal DATASET
    python -m benchmarks.latency.encode_worker plain DATASET

`plain` is the loop that one would write: `SentenceTransformer.encode(text)` item by item, and the image network one
picture at a time, each with as many threads as OMP_NUM_THREADS says. It reads as many tokens of a text as Trifocal
does, and its image network is the same one in torch, batch norms already folded in and in the faster layout: a loop
over the network as it is distributed is slower still. Loading the models counts for neither.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from trifocal import columns as c
from trifocal.data.dataset import Dataset, read_dataset
from trifocal.features.backbones import packaged_image_weights, packaged_text_folder
from trifocal.features.config import FeaturesConfig
from trifocal.features.efficientnet_lite import IMAGE_SIZES, fused, load_efficientnet_lite
from trifocal.features.image import image_source, load_picture
from trifocal.features.items import item_texts
from trifocal.features.text import text_source
from trifocal.features.token_cache import TokenCache, file_key, text_key

__all__ = ["plain_seconds", "trifocal_seconds"]


def trifocal_seconds(texts: list[str], pictures: list[str], config: FeaturesConfig) -> float:
    """Return how long `trifocal data encode` takes for them, the written cache included."""
    text = text_source(config.text_backbone, max_tokens=config.max_tokens)
    image = image_source(config.image_backbone, grid=config.image_grid)
    with tempfile.TemporaryDirectory() as folder:
        started = perf_counter()
        for source, contents, key in ((text, texts, text_key), (image, pictures, file_key)):
            cache = TokenCache(Path(folder), source, batch_size=config.batch_size)
            cache.add(contents, [key(content) for content in contents])
        return perf_counter() - started


def plain_seconds(texts: list[str], pictures: list[str], config: FeaturesConfig) -> float:
    """Return how long the plain loop takes for them."""
    from sentence_transformers import SentenceTransformer

    text = SentenceTransformer(str(packaged_text_folder()), device="cpu", local_files_only=True)
    text.max_seq_length = config.max_tokens
    network = fused(load_efficientnet_lite(config.image_backbone, packaged_image_weights(config.image_backbone)))
    size = IMAGE_SIZES[config.image_backbone]
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
    started = perf_counter()
    with torch.inference_mode():
        for content in texts:
            text.encode(content, show_progress_bar=False)
        for picture in pictures:
            pixels = (np.asarray(load_picture(picture, size), np.float32) - 127.0) / 128.0
            cells = network.feature_map(torch.from_numpy(pixels).permute(2, 0, 1)[None])
            adaptive_avg_pool2d(cells, config.image_grid).numpy()
    return perf_counter() - started


def main() -> None:
    """Encode and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("how", choices=("trifocal", "plain"))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--items", type=int, help="the first so many; default: all")
    options = parser.parse_args()
    texts, pictures = _contents(read_dataset(options.dataset), options.items)
    how = trifocal_seconds if options.how == "trifocal" else plain_seconds
    print(json.dumps({"items": len(texts), "seconds": how(texts, pictures, FeaturesConfig())}))


def _contents(dataset: Dataset, items: int | None) -> tuple[list[str], list[str]]:
    """Return texts and picture files, without repetition: Trifocal would not encode them twice."""
    chosen = dataset.items if items is None else dataset.items.head(items)
    texts = dict.fromkeys(text for text in item_texts(chosen) if text is not None)
    pictures = dict.fromkeys(str(dataset.image_root / name) for name in chosen[c.IMAGE].drop_nulls())
    return list(texts), list(pictures)


if __name__ == "__main__":
    main()
