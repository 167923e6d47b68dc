"""The folds of the scheme `random`: by a hash of each entity, stratified by class.

A fold belongs to the task, not to a model: it is computed from the entity keys and a fixed seed, so it does not depend
on row order, platform, library version or on which genes a model has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from builders.errors import TaskDataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["FOLD_SCHEME", "N_FOLDS", "assign_folds", "hash_of"]

N_FOLDS = 5
FOLD_SEED = 0
# Written into every result. A change of the rule is a new name, since scores on other folds cannot be paired.
FOLD_SCHEME = f"{N_FOLDS}-fold-sha256-contiguous-seed{FOLD_SEED}"


def assign_folds(
    keys: Sequence[str], classes: Sequence[object] | None = None, *, seed: int | None = None
) -> npt.NDArray[np.int8]:
    """Fold number (0 to 4) of every entity, which hardly changes when a few entities come or go.

    The n entities of a class (all entities where there are no classes) are ordered by the sha256 of seed and key, a
    shuffle that no random generator's version can change, and cut into contiguous fifths: rank r is in fold
    (5 r + s) // n. The shift s (0 to 4), taken from the sha256 of the class's name, decides which folds get one entity
    more, so that not every class gives it to the same ones.

    The folds of a class differ in size by at most one, so those of the task by at most the number of classes. Removing
    an entity moves at most one other across each of the four cuts of its class.

    Args:
        keys: Unique entity keys, in any order; see `entity_keys`.
        classes: Name of the class of each entity, to stratify; None for plain folds.
        seed: Of the hash. Default: `FOLD_SEED`, that of the column `fold`; others are for repeats.

    Returns:
        (n,) int8, aligned with `keys`.

    Raises:
        TaskDataError: Fewer entities than folds.

    >>> assign_folds(["TP53", "BRCA1", "EGFR", "MYC", "KRAS"]).tolist()
    [4, 0, 3, 2, 1]
    >>> assign_folds(["KRAS", "MYC", "EGFR", "BRCA1", "TP53"]).tolist()  # the row order does not matter
    [1, 2, 3, 0, 4]
    """
    import numpy as np

    if len(keys) < N_FOLDS:
        message = f"{len(keys)} entities, but {N_FOLDS} folds need at least {N_FOLDS}"
        raise TaskDataError(message)
    names = [""] * len(keys) if classes is None else [str(name) for name in classes]
    number: dict[str, int] = {}
    stratum = np.array([number.setdefault(name, len(number)) for name in names])
    shifts = np.array([hash_of(name, seed)[-1] % N_FOLDS for name in number])
    words = np.frombuffer(b"".join(hash_of(key, seed) for key in keys), dtype=">u8").reshape(len(keys), -1).T
    order = np.lexsort((*words[::-1], stratum))  # the last key is the first to sort by
    sizes = np.bincount(stratum)
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    folds: npt.NDArray[np.int8] = ((N_FOLDS * ranks + shifts[stratum]) // sizes[stratum]).astype(np.int8)
    return folds


def hash_of(text: str, seed: int | None = None) -> bytes:
    """What entities are ordered by: the sha256 of seed and text."""
    return hashlib.sha256(f"{FOLD_SEED if seed is None else seed}:{text}".encode()).digest()
