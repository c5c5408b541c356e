from __future__ import annotations

import numpy as np

from trifocal.audit.duplicates import hash_codes, near_duplicates


def brute(codes: np.ndarray[tuple[int], np.dtype[np.uint64]], bits: int) -> set[tuple[int, int]]:
    count = len(codes)
    return {
        (a, b) for a in range(count) for b in range(a + 1, count) if (int(codes[a]) ^ int(codes[b])).bit_count() <= bits
    }


def test_buckets_find_every_pair_that_a_comparison_of_all_finds() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 1 << 63, 40, dtype=np.uint64)
    near = codes.copy()
    for bit in (0, 17, 63):
        near ^= np.uint64(1 << bit) * (random.random(40) < 0.7).astype(np.uint64)
    both = np.concatenate([codes, near])
    found = near_duplicates(both, np.ones((80, 1), np.float32), bits=3, cosine=0.9)
    assert {(a, b) for a, b, _ in found} == brute(both, 3)
    assert len(found) >= 40


def test_a_second_hash_has_to_agree() -> None:
    codes, features = np.array([5, 5], np.uint64), np.ones((2, 1), np.float32)
    far = hash_codes(["0000000000000000", "ffffffffffffffff"])
    assert near_duplicates(codes, features, bits=3, cosine=0.9, others=far) == []
    assert len(near_duplicates(codes, features, bits=3, cosine=0.9, others=codes)) == 1
