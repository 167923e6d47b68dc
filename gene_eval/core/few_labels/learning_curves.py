"""Learning curves: the main metric with 1/16, 1/8, 1/4, 1/2 and all of the training rows of every split.

Parts are nested: of each block of rows (a fold, in cross-validation) the first rows in the order of hashes, see
`draws`. Rows that are scored are the same for all parts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gene_eval.core.checks import check_X
from gene_eval.core.few_labels.draws import Hashes, hash_order
from gene_eval.core.metrics import MAIN_METRIC
from gene_eval.core.pairs import PairedRows
from gene_eval.core.probe import ProbeResult, Score, check_splits, probe
from gene_eval.core.splits import Splits
from gene_eval.core.table import TableRows

__all__ = ["SHARES", "Curve", "learning_curve"]

SHARES: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Curve:
    """A metric over the number of training rows.

    Attributes:
        metric: Main metric of the target.
        shares: Of the training rows.
        n_train: Training rows, the mean over splits.
        scores: One score for each share.
    """

    metric: str
    shares: tuple[float, ...]
    n_train: tuple[float, ...]
    scores: tuple[Score, ...]

    @property
    def area(self) -> float:
        """Mean height over log2 of the training rows, by trapezoids; nan where a point is undefined."""
        x, height = np.log2(self.n_train), np.array([score.mean for score in self.scores])
        return float(np.sum((height[1:] + height[:-1]) / 2 * np.diff(x)) / (x[-1] - x[0])) if x[-1] > x[0] else math.nan


def learning_curve(  # noqa: PLR0913 - the arguments of `probe`
    X: npt.ArrayLike | PairedRows | TableRows,
    y: npt.ArrayLike,
    *,
    target: str,
    folds: npt.ArrayLike | None = None,
    splits: Splits | None = None,
    seed: int = 0,
    hashes: Hashes | None = None,
    shares: Sequence[float] = SHARES,
    full: ProbeResult | None = None,
    **options: Any,
) -> Curve:
    """Score fits on nested parts of the training rows.

    Args:
        X: As `probe` takes them, like `y`, `target`, `folds`, `splits` and `options`.
        y: Labels.
        target: Of the task.
        folds: Either folds or `splits`.
        splits: Which rows train and which are scored.
        seed: Seed of the order and of the probe.
        hashes: (n,) hash of each row, see `draws.hash_rows`; by default of the row's number.
        shares: Of the training rows, ascending.
        full: What `probe` returned for all training rows, so that they are not fitted again.
        **options: Options of `probe`.
    """
    vectors = check_X(X)
    whole = check_splits(folds, splits, n=len(vectors))
    hashes = np.arange(len(vectors), dtype=np.uint64) if hashes is None else hashes
    metric = MAIN_METRIC[target]
    scores, n_train = [], []
    for part, share in zip(nested(whole, hashes, seed=seed, shares=shares), shares, strict=True):
        known = full if share == 1 else None
        found = known or probe(vectors, y, target=target, splits=part, seed=seed, **options)
        scores.append(found.scores[metric])
        n_train.append(float((part.train @ part.block_sizes).mean()))
    return Curve(metric, tuple(shares), tuple(n_train), tuple(scores))


def nested(splits: Splits, hashes: Hashes, *, seed: int, shares: Sequence[float]) -> list[Splits]:
    """For each share the splits that train on the first rows of each block, ceil(share of its rows)."""
    order = hash_order(hashes, seed=seed)
    rank = np.empty(len(order), dtype=np.int64)
    by_block = order[np.argsort(splits.blocks[order], kind="stable")]
    sizes = splits.block_sizes
    rank[by_block] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    limits = np.ceil(np.outer(shares, sizes))
    # The first share that has the row.
    level = (rank >= limits[:, splits.blocks]).sum(axis=0)
    blocks = splits.blocks * len(shares) + level
    made = []
    for number in range(len(shares)):
        is_in = np.arange(len(shares)) <= number
        train = (splits.train[:, :, None] & is_in).reshape(len(splits), -1)
        made.append(Splits(blocks, train, np.repeat(splits.test, len(shares), axis=1)))
    return made
