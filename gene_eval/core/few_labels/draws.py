"""Which training rows a fit with few labels sees: always the same ones, whatever the order of rows."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["draw", "hash_order", "hash_rows"]

Hashes = npt.NDArray[np.uint64]

# Constants of splitmix64 (Steele, Lea and Flood 2014), which spreads numbers that differ in one bit over all 64.
GAMMA, FIRST, SECOND = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def hash_rows(keys: Iterable[str]) -> Hashes:
    """(n,) the first eight bytes of the sha256 of each key.

    >>> hash_rows(["TP53"]).tolist()
    [17008126606978915013]
    """
    digests = b"".join(hashlib.sha256(key.encode()).digest()[:8] for key in keys)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def hash_order(hashes: Hashes, *, seed: int) -> npt.NDArray[np.int64]:
    """(n,) row numbers in an order that the seed decides; when rows are removed, the others keep their order."""
    with np.errstate(over="ignore"):
        mixed = _mix(hashes ^ _mix(np.full(1, seed, dtype=np.uint64) + GAMMA))
    return np.argsort(mixed, kind="stable")


def draw(order: npt.NDArray[np.int64], members: npt.NDArray[np.bool_], *, k: int) -> npt.NDArray[np.int64]:
    """(G, k) the first k rows in this order of each group, which has at least as many.

    Args:
        order: (m,) row numbers.
        members: (n, G) whether a row is in the group.
        k: Rows of each group.
    """
    ordered = members[order]
    first = ordered & (np.cumsum(ordered, axis=0, dtype=np.int32) <= k)
    group, position = np.nonzero(first.T)
    assert len(group) == k * members.shape[1]
    chosen: npt.NDArray[np.int64] = order[position].reshape(members.shape[1], k)
    return chosen


def _mix(numbers: npt.NDArray[Any]) -> Hashes:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * SECOND
    mixed: Hashes = numbers ^ (numbers >> np.uint64(31))
    return mixed
