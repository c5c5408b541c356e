"""Keeps the memory of the process small: mapped files that were read once, while starting, and the heaps of threads.

A table that is mapped from a file counts as memory of the process once it was read, though the system can take it back
at any time. The pages stay in the system's cache: what is read again comes from there. Linux alone; elsewhere nothing
is done.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["few_heaps", "release_mapped", "set_aside"]

_MAPS = Path("/proc/self/smaps")
_HEAD = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ +(/.*)$")
# Mappings below this are not worth the call.
_LEAST_BYTES = 64 * 1024 * 1024


# Of glibc, malloc.h.
_M_ARENA_MAX = -8
_HEAPS = 2


def few_heaps() -> bool:
    """Let all threads of the process share two heaps; return whether the C library can.

    glibc gives each thread one of its own, and what is freed in one is not used by another: a server whose threads
    pass answers to each other grows for nothing.
    """
    library = ctypes.CDLL(None)
    return hasattr(library, "mallopt") and bool(library.mallopt(_M_ARENA_MAX, _HEAPS))


def set_aside() -> None:
    """Let Python's garbage collector pass over everything that is there now, after it took what is garbage.

    A catalogue is millions of objects that stay; passing through them held every answer up for half a second, at any
    moment. What an earlier call set aside is looked at again: a service that was swapped out goes.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@dataclass
class _Mapping:
    start: int
    end: int
    path: str
    written_kib: int = 0


def release_mapped(folder: Path) -> int:
    """Return how many bytes of mapped files under `folder` were given back; what was written to is let alone."""
    if not _MAPS.is_file():
        return 0
    inside = str(folder.resolve()) + os.sep
    library = ctypes.CDLL(None, use_errno=True)
    release = library.madvise
    if hasattr(library, "malloc_trim"):
        # What was freed while starting lies between what is still in use; glibc keeps it otherwise.
        library.malloc_trim(0)
    given = 0
    for mapping in _mappings():
        size = mapping.end - mapping.start
        if not mapping.path.startswith(inside) or mapping.written_kib or size < _LEAST_BYTES:
            continue
        # It is mapped from a file and nobody wrote to it, so that its pages can be read from the file again.
        if release(ctypes.c_void_p(mapping.start), ctypes.c_size_t(size), mmap.MADV_DONTNEED) == 0:
            given += size
    return given


def _mappings() -> Iterator[_Mapping]:
    """Every mapping of a file in this process."""
    found: _Mapping | None = None
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        head = _HEAD.match(line)
        if head or re.match(r"^[0-9a-f]+-[0-9a-f]+ ", line):
            if found:
                yield found
            found = _Mapping(int(head[1], 16), int(head[2], 16), head[3]) if head else None
        # A page that was written to is this process's own, and no more the file's.
        elif found and line.startswith("Anonymous:"):
            found.written_kib += int(line.split()[1])
    if found:
        yield found
