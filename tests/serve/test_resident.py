from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own, whose memory nothing else moves.
PROGRAM = """
import resource, sys
from pathlib import Path
import numpy as np
from trifocal.serve.resident import release_mapped

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

folder = Path(sys.argv[1])
np.save(folder / "table.npy", np.arange(32 * 1024 * 1024, dtype=np.float32))
table = np.load(folder / "table.npy", mmap_mode="r")
changed = np.load(folder / "table.npy", mmap_mode="c")
changed[7] = -1
expected = float(table.sum())
before = resident()
given = release_mapped(folder)
freed = before - resident()
assert given >= 2**27, given
assert freed > 100 * 2**20, freed
assert float(table.sum()) == expected
assert changed[7] == -1, "what was written to is let alone"
assert release_mapped(folder / "elsewhere") == 0
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="the system says nothing about mappings")
def test_pages_of_mapped_files_are_given_back_and_read_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], check=True, timeout=60)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_glibc_is_told_to_share_heaps() -> None:
    program = "from trifocal.serve.resident import few_heaps; assert few_heaps()"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_what_is_set_aside_is_not_passed_through_and_garbage_goes_at_the_next_time() -> None:
    program = """
import gc, weakref
from trifocal.serve.resident import set_aside

class Node:
    pass

node = Node()
node.itself = node
gone = weakref.ref(node)
set_aside()
assert gc.get_freeze_count() > 1000 and len(gc.get_objects()) < 100
del node
gc.collect()
assert gone() is not None, "the collector passes over it"
set_aside()
assert gone() is None
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
