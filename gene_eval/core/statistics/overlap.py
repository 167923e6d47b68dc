"""How much labels of different tasks repeat each other, and how many tasks there are in effect."""

import numpy as np
import numpy.typing as npt

__all__ = ["effective_number", "effective_weights", "jaccard", "task_overlap"]

Array = npt.NDArray[np.float64]


def jaccard(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> Array:
    """(K, L) entities with both labels over entities with either, for every two columns of (n, K) and (n, L).

    >>> jaccard(np.array([[True], [True], [False]]), np.array([[True], [False], [False]])).tolist()
    [[0.5]]
    """
    both = a.T.astype(np.float64) @ b.astype(np.float64)
    either = a.sum(axis=0)[:, np.newaxis] + b.sum(axis=0) - both
    found: Array = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return found


def task_overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    """Overlap of two tasks on the entities that both have: the mean over labels of the largest `jaccard`, both ways.

    A binary label and its opposite say the same: for a task with one label, the larger of the two counts.
    """
    if not len(a):
        return 0.0
    first, second = (np.column_stack([y, ~y]) if y.shape[1] == 1 else y for y in (a, b))
    found = jaccard(first, second)
    return float((found.max(axis=1).mean() + found.max(axis=0).mean()) / 2)


def effective_weights(overlap: npt.ArrayLike) -> Array:
    """(T,) weight of each task: 1 over the sum of its overlaps with all tasks, itself included.

    Two tasks with the same labels count half each, as the weights of sequences in an alignment.

    >>> effective_weights([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).tolist()
    [0.5, 0.5, 1.0]
    """
    weights: Array = 1 / np.asarray(overlap, dtype=np.float64).sum(axis=1)
    return weights


def effective_number(overlap: npt.ArrayLike) -> float:
    """Sum of `effective_weights`: from 1, where all tasks are one, to T."""
    return float(effective_weights(overlap).sum())
