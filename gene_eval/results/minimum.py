"""Below what size a score says next to nothing: it is shown, but in no mean, no rank and no comparison over tasks."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gene_eval.core.splits import Splits
from gene_eval.results.records import TaskResult

__all__ = ["MIN_SCORED", "MIN_TEST", "MIN_TRAIN", "RULE", "is_enough", "meets_minimum", "rarer_class"]

MIN_SCORED = 30
MIN_TRAIN, MIN_TEST = 5, 2
RULE = (
    f"fewer than {MIN_SCORED} entities scored, or fewer than {MIN_TRAIN} of the rarer class in the training rows or "
    f"{MIN_TEST} in the test rows of a fold"
)


def rarer_class(y: npt.NDArray[Any], splits: Splits) -> tuple[int, int]:
    """The fewest examples of either class of a binary task in the training and in the test rows of any split.

    Args:
        y: (n,) 0 or 1.
        splits: Of the n rows.

    >>> rarer_class(np.array([0, 1, 0, 1, 0, 0]), Splits.from_folds([0, 0, 1, 1, 1, 1]))
    (1, 1)
    """
    of_blocks = np.array(
        [np.bincount(splits.blocks[y == label], minlength=len(splits.block_sizes)) for label in (0, 1)]
    )
    return int((splits.train @ of_blocks.T).min()), int((splits.test @ of_blocks.T).min())


def meets_minimum(result: TaskResult) -> bool:
    """Whether enough was scored; of a file that does not count classes, only the number of entities is known."""
    return is_enough(result.coverage.n_scored, result.task.rarer_train, result.task.rarer_test)


def is_enough(n_scored: int, rarer_train: int | None, rarer_test: int | None) -> bool:
    """Whether these many entities, and examples of the rarer class (see `rarer_class`), are enough; None is unknown.

    >>> is_enough(30, 5, 2), is_enough(30, 4, 2), is_enough(29, None, None)
    (True, False, False)
    """
    least = ((rarer_train, MIN_TRAIN), (rarer_test, MIN_TEST))
    return n_scored >= MIN_SCORED and all(count is None or count >= fewest for count, fewest in least)
