"""User id -> variant, by a salted hash: sticky, no table to keep, the same in every process.

Weighted rendezvous hashing: each variant draws an exponential waiting time of its own for the user, divided by its
share; the shortest wins. Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
Transactions on Networking 1998; that no rule without memory moves fewer users in the worst case: Bavarian et al.,
"Optimality of correlated sampling strategies", Theory of Computing 2020.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from trifocal.errors import ConfigError

__all__ = ["Assignment", "hash_share"]

_HASH_BYTES = 8
# Shares are written by hand: .33, .33, .34.
_SHARE_SUM_TOLERANCE = 1e-6


def hash_share(salt: str, *parts: str) -> float:
    """Return a number in (0, 1) that is fixed by `salt` and `parts`, and looks uniform.

    >>> hash_share("spring", "anna") == hash_share("spring", "anna") != hash_share("autumn", "anna")
    True
    """
    # Lengths before the texts, so that no two lists of parts read the same.
    text = "".join(f"{len(part)}:{part}" for part in (salt, *parts))
    # A lone surrogate may stand in an id that came in as JSON.
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()
    # 53 bits, all that a float tells apart, and half a step: neither 0 nor 1.
    return ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53


@dataclass(frozen=True)
class Assignment:
    """Who sees which variant of one experiment. Stability: full.

    A user keeps the variant as long as name, salt and shares stay. Where shares change, a user moves only to a variant
    whose share rose against that of the one before; with total variation t between old and new shares, at most
    2t / (1 + t) of the users move, and exactly t where there are two variants, or one share is raised and the others
    keep their proportions.

    >>> Assignment("ranker", "spring", {"control": 1.0, "candidate": 0.0}).variant("anna")
    'control'

    Attributes:
        name: of the experiment.
        salt: another salt assigns anew, independently.
        shares: variant -> share of the users, 0..1, in sum 1; a variant of share 0 gets nobody.

    Raises:
        ConfigError: when there is no variant, or the shares are none.
    """

    name: str
    salt: str
    shares: Mapping[str, float]

    def __post_init__(self) -> None:
        wrong = {variant: share for variant, share in self.shares.items() if not 0 <= share <= 1}
        if wrong:
            raise ConfigError(f"experiment {self.name!r}: shares {wrong} are outside 0..1; give shares of all users")
        total = math.fsum(self.shares.values())
        if abs(total - 1) > _SHARE_SUM_TOLERANCE:
            raise ConfigError(f"experiment {self.name!r}: shares sum to {total:g}, must be 1; change a share")

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants, in the order of the shares."""
        return tuple(self.shares)

    def variant(self, user_id: str) -> str:
        """Return the variant that the user sees, always the same one."""
        return min(self._open, key=lambda variant: self._waiting(variant, user_id))

    @property
    def _open(self) -> list[str]:
        return [variant for variant, share in self.shares.items() if share > 0]

    def _waiting(self, variant: str, user_id: str) -> float:
        drawn = hash_share(self.salt, self.name, variant, user_id)
        return -math.log(drawn) / self.shares[variant]
