"""Token features on disk: float16, memory-mapped, keyed by content hash and backbone hash, resumable.

```
FOLDER/<source name>-<fingerprint>/<shard>.npy    (tokens of the shard, width) float16
                                  /<shard>.json   {"keys": [...], "lengths": [...]}
```

A shard is written whole or not at all, and its index last, so an encoding that was killed goes on after the last
shard; it is named after its keys, so that two processes may fill one cache. An item whose content is unchanged has
the same key and is never encoded twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from trifocal.features.backbones import file_sha256
from trifocal.ports import TokenSource
from trifocal.progress import progress_bar
from trifocal.types import FloatArray

__all__ = ["TokenCache", "file_key", "text_key"]

_SHARD_ITEMS = 256


def _workers() -> ThreadPoolExecutor:
    """One thread a core, each computing alone: on CPUs small batches side by side were three times as fast as one
    batch of 32 spread over all cores.
    """
    return ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,))


def text_key(text: str) -> str:
    """Return the content key of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_key(path: str) -> str:
    """Return the content key of a file: the hash of its bytes, so that a changed picture is a new one."""
    return file_sha256(Path(path))


class TokenCache:
    """Token features of one `TokenSource`, by content key. Stability: caller."""

    def __init__(self, folder: Path, source: TokenSource, *, batch_size: int = 4) -> None:
        short = hashlib.sha256(source.fingerprint.encode()).hexdigest()[:16]
        self._folder = folder / f"{source.name}-{short}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._source, self._batch_size = source, batch_size
        self._places: dict[str, tuple[int, int, int]] = {}
        self._shards: list[npt.NDArray[np.float16]] = []
        for index in sorted(self._folder.glob("*.json")):
            self._open_shard(index)

    @property
    def width(self) -> int:
        """Features a token."""
        return self._source.width

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, contents: Sequence[str], keys: Sequence[str]) -> int:
        """Encode the contents whose key is not there yet; return how many those were."""
        missing = {k: c for k, c in zip(keys, contents, strict=True) if k not in self._places}
        # Alike lengths in a batch waste the least padding.
        todo = sorted(missing.items(), key=lambda pair: len(pair[1]))
        if not todo:
            return 0
        with progress_bar(f"encode {self._source.name}", len(todo)) as bar, _workers() as pool:
            for start in range(0, len(todo), _SHARD_ITEMS):
                part = todo[start : start + _SHARD_ITEMS]
                contents = [content for _, content in part]
                chunks = [contents[i : i + self._batch_size] for i in range(0, len(part), self._batch_size)]
                features: list[FloatArray] = []
                for found in pool.map(self._source.encode, chunks):
                    features += found
                    bar.advance(len(found))
                self._write_shard([key for key, _ in part], features)
        return len(todo)

    def tokens(self, key: str) -> npt.NDArray[np.float16]:
        """Return the features (tokens, width) of the content with `key`, as a view of the file."""
        shard, start, length = self._places[key]
        return self._shards[shard][start : start + length]

    def _write_shard(self, keys: list[str], features: list[FloatArray]) -> None:
        stem = text_key("".join(keys))[:16]
        index = self._folder / f"{stem}.json"
        temporary = self._folder / f"{stem}.tmp"
        with temporary.open("wb") as file:
            np.save(file, np.concatenate(features).astype(np.float16))
        temporary.replace(index.with_suffix(".npy"))
        temporary.write_text(json.dumps({"keys": keys, "lengths": [len(f) for f in features]}), encoding="utf-8")
        temporary.replace(index)
        self._open_shard(index)

    def _open_shard(self, index: Path) -> None:
        about = json.loads(index.read_text(encoding="utf-8"))
        shard = len(self._shards)
        self._shards.append(np.load(index.with_suffix(".npy"), mmap_mode="r", allow_pickle=False))
        start = 0
        for key, length in zip(about["keys"], about["lengths"], strict=True):
            self._places[key] = (shard, start, length)
            start += length
