"""Makes the folds of a task: the only place where they are made.

A fold belongs to the task, not to a model: it is computed from the entity keys and a fixed seed, so it does not depend
on row order, platform, library version or on which genes a model has.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from builders.errors import TaskDataError

__all__ = ["FOLD_SCHEME", "N_FOLDS", "assign_folds"]

N_FOLDS = 5
FOLD_SEED = 0
# Written into every result. A change of the rule is a new name, since scores on other folds cannot be paired.
FOLD_SCHEME = f"{N_FOLDS}-fold-sha256-seed{FOLD_SEED}"


def assign_folds(keys: Sequence[str], classes: Sequence[int] | None = None) -> npt.NDArray[np.int8]:
    """Fold number (0 to 4) of every entity.

    Entities are ordered by the sha256 of seed and key (a shuffle that no random generator's version can change) and
    dealt in turn to the folds. With classes the deal goes through one class after the other without starting anew, so
    every fold has the same share of each class and the same size, give or take one.

    Args:
        keys: Unique entity keys, in any order.
        classes: Class of each entity, to stratify; None for plain folds.

    Returns:
        (n,) int8, aligned with `keys`.

    Raises:
        TaskDataError: Fewer entities than folds.

    >>> assign_folds(["TP53", "BRCA1", "EGFR", "MYC", "KRAS"]).tolist()
    [4, 0, 3, 2, 1]
    >>> assign_folds(["KRAS", "MYC", "EGFR", "BRCA1", "TP53"]).tolist()  # the row order does not matter
    [1, 2, 3, 0, 4]
    """
    if len(keys) < N_FOLDS:
        message = f"{len(keys)} entities, but {N_FOLDS} folds need at least {N_FOLDS}"
        raise TaskDataError(message)
    digests = b"".join(hashlib.sha256(f"{FOLD_SEED}:{key}".encode()).digest() for key in keys)
    words = np.frombuffer(digests, dtype=">u8").reshape(len(keys), -1).T
    stratum = np.zeros(len(keys)) if classes is None else np.asarray(classes)
    order = np.lexsort((*words[::-1], stratum))  # the last key is the first to sort by
    folds = np.empty(len(keys), dtype=np.int8)
    folds[order] = np.arange(len(keys)) % N_FOLDS
    return folds
